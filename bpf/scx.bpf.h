/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sched_ext for BPF programs: its functions, and what differs between kernels. 6.13 renamed those
 * that take and move tasks; 7.1 wants a slice set by a function.
 */
#ifndef KVMSCHED_SCX_BPF_H
#define KVMSCHED_SCX_BPF_H

#include <bpf/bpf_core_read.h>

#include "compat.bpf.h"

/*
 * Flags and names of queues by the running kernel's numbers: 7.1 moved some. Those of the first group are in every
 * kernel with sched_ext, the other one is 0 where there is none.
 */
#define ENQ_WAKEUP bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_WAKEUP)
#define ENQ_PREEMPT bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_PREEMPT)
#define DEQ_SLEEP bpf_core_enum_value(enum scx_deq_flags, SCX_DEQ_SLEEP)
#define KICK_PREEMPT bpf_core_enum_value(enum scx_kick_flags, SCX_KICK_PREEMPT)
#define TASK_QUEUED bpf_core_enum_value(enum scx_ent_flags, SCX_TASK_QUEUED)
#define DSQ_LOCAL bpf_core_enum_value(enum scx_dsq_id_flags, SCX_DSQ_LOCAL)
#define DSQ_LOCAL_ON bpf_core_enum_value(enum scx_dsq_id_flags, SCX_DSQ_LOCAL_ON)

#define SCHED_EXT 7 /* a thread's policy */

#define SCX_FLAG(type, name)                                                                       \
	(bpf_core_enum_value_exists(enum type, name) ? bpf_core_enum_value(enum type, name) : 0)
#define ENQ_REENQ SCX_FLAG(scx_enq_flags, SCX_ENQ_REENQ)

/* In every kernel with sched_ext (6.12). */
extern s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;
extern s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
				  bool *is_idle) __ksym;
extern s32 scx_bpf_pick_idle_cpu(const cpumask_t *cpus_allowed, u64 flags) __ksym;
extern s32 scx_bpf_dsq_nr_queued(u64 dsq_id) __ksym;
extern s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
extern int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags) __ksym;
extern struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it) __ksym;
extern void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it) __ksym;

/* The iterator of the bpf_for_each() around it. */
#define BPF_FOR_EACH_ITER (&___it)

extern bool bpf_cpumask_test_cpu(u32 cpu, const cpumask_t *cpumask) __ksym;

/* From 6.13, and the names before. */
extern void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice,
			       u64 enq_flags) __ksym __weak;
extern void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice,
			     u64 enq_flags) __ksym __weak;
extern void scx_bpf_dsq_insert_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
				     u64 enq_flags) __ksym __weak;
extern void scx_bpf_dispatch_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
				   u64 enq_flags) __ksym __weak;
extern bool scx_bpf_dsq_move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 dsq_id,
			     u64 enq_flags) __ksym __weak;
extern bool scx_bpf_dispatch_from_dsq(struct bpf_iter_scx_dsq *it, struct task_struct *p,
				      u64 dsq_id, u64 enq_flags) __ksym __weak;
extern bool scx_bpf_dsq_move_to_local(u64 dsq_id) __ksym __weak;
extern bool scx_bpf_consume(u64 dsq_id) __ksym __weak;

/*
 * From 7.1; before, the member is written. Some 7.2 builds show the kernel's own last argument of
 * these two, and their verifier takes no call at all: there they are as good as missing.
 */
extern bool scx_bpf_task_set_slice(struct task_struct *p, u64 slice) __ksym __weak;
extern void scx_bpf_kick_cpu(s32 cpu, u64 flags) __ksym __weak;

static __always_inline void scx_insert(struct task_struct *p, u64 dsq, u64 slice, u64 flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_insert))
		scx_bpf_dsq_insert(p, dsq, slice, flags);
	else
		scx_bpf_dispatch(p, dsq, slice, flags);
}

static __always_inline void scx_insert_vtime(struct task_struct *p, u64 dsq, u64 slice, u64 vtime,
					     u64 flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_insert_vtime))
		scx_bpf_dsq_insert_vtime(p, dsq, slice, vtime, flags);
	else
		scx_bpf_dispatch_vtime(p, dsq, slice, vtime, flags);
}

static __always_inline bool scx_move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 dsq,
				     u64 flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_move))
		return scx_bpf_dsq_move(it, p, dsq, flags);
	return scx_bpf_dispatch_from_dsq(it, p, dsq, flags);
}

static __always_inline bool scx_take(u64 dsq)
{
	if (bpf_ksym_exists(scx_bpf_dsq_move_to_local))
		return scx_bpf_dsq_move_to_local(dsq);
	return scx_bpf_consume(dsq);
}

static __always_inline void scx_set_slice(struct task_struct *p, u64 slice)
{
	if (bpf_ksym_exists(scx_bpf_task_set_slice))
		scx_bpf_task_set_slice(p, slice);
	else
		p->scx.slice = slice;
}

/*
 * May it not leave its CPU just now? From 6.15 the kernel does not ask about such threads; before, it ends a scheduler that sends
 * one elsewhere. A program that runs here counts once itself.
 */
static __always_inline bool scx_is_fixed(const struct task_struct *p)
{
	return !bpf_core_enum_value_exists(enum scx_ops_flags, SCX_OPS_ENQ_MIGRATION_DISABLED) &&
	       p->migration_disabled > (p == bpf_get_current_task_btf());
}

/* ---- the end ---- */

/* Why the kernel ended it; read by the loader. */
__s32 exit_kind;
char exit_reason[128], exit_msg[512];

static __always_inline void scx_note_end(const struct scx_exit_info *info)
{
	bpf_probe_read_kernel_str(exit_reason, sizeof(exit_reason), info->reason);
	bpf_probe_read_kernel_str(exit_msg, sizeof(exit_msg), info->msg);
	exit_kind = info->kind;
}

/* ---- queues by virtual time ---- */

/* The latest virtual time whose turn has come in a queue. */
static u64 vtime_now;

#ifdef STALL_AFTER /* a test's build: after so much virtual time it hands out no CPU any more */
#define STALLS() (vtime_now > STALL_AFTER)
#define TIMEOUT_MS 3000
#else
#define STALLS() false
#define TIMEOUT_MS 15000 /* until the kernel gives up on it: until all threads are taken in */
#endif

static __always_inline bool before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

static __always_inline void raise(u64 *vtime, u64 least)
{
	if (before(*vtime, least))
		*vtime = least;
}

/* Does a thread of a higher class want this CPU? It comes first, whatever the scheduler says. */
static __always_inline bool others_first(void)
{
	const struct rq___ks *rq = bpf_this_cpu_ptr(&runqueues);

	return rq->nr_running > rq->scx.nr_running;
}

static __always_inline bool is_queued(const struct task_struct *p)
{
	return p && p->scx.flags & TASK_QUEUED;
}

/*
 * One turn lasts no longer while others wait, whatever virtual times say: where threads are bound to different
 * CPUs, time goes faster on some than on others, and who is measured by another's clock would have the CPU for ever.
 */
#define TURN_MOST_NS 1000000000ull

#define LOOKED_AT 8 /* threads of a queue, for one that suits */

/*
 * The virtual time of the one that waits longest for its turn there, of those that may run on this CPU. If the first
 * ones may not, that of the last one looked at: it is no later than that of whoever comes after.
 */
static __always_inline bool first_of(u64 dsq, s32 cpu, u64 *vtime)
{
	struct task_struct *p;
	bool found = false;
	u32 looked = 0;

	bpf_for_each(scx_dsq, p, dsq, 0)
	{
		looked++;
		found = looked >= LOOKED_AT || bpf_cpumask_test_cpu(cpu, p->cpus_ptr);
		*vtime = p->scx.dsq_vtime;
		if (found)
			break;
	}
	return found;
}

#endif /* KVMSCHED_SCX_BPF_H */
