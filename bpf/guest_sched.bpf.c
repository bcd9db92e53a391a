// SPDX-License-Identifier: GPL-2.0
/*
 * What the guest's scheduler does with threads: switches, wake-ups, migrations, and idle CPUs that a
 * wake-up passed over. Every program runs with interrupts off, under the run queue's or the thread's
 * lock; none of them keeps anything in memory but records.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "records.h"
#include "compat.bpf.h"
#include "ring.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* CPUs that are online, and the highest possible number + 1. */
const volatile __u32 ks_online = 1;
const volatile __u32 ks_cpus = 1;

/* ---- where a thread may run ---- */

#define MASK_WORDS 2

static __always_inline bool read_mask(struct task_struct *p, __u64 mask[MASK_WORDS])
{
	return !bpf_probe_read_kernel(mask, MASK_WORDS * sizeof(mask[0]), p->cpus_ptr);
}

/*
 * As flags. A thread that may use some CPUs only has them told first; of those from 128 on nobody is
 * told, and where such a guest's threads may run is then not known.
 */
static __always_inline __u8 tell_allowed(__u32 cpu, struct task_struct *p)
{
	__u64 mask[MASK_WORDS];
	__u32 n = p->nr_cpus_allowed;

	if (n >= ks_online)
		return KS_ALLOWED_ANY;
	if (n == 1)
		return KS_ALLOWED_ONE;
	if (ks_cpus > 128 || !read_mask(p, mask))
		return KS_ALLOWED_UNKNOWN;
	ks_emit(cpu, KS_TASK_CPUS, 0, cpu, p->pid, mask[0], mask[1]);
	return KS_ALLOWED_SOME;
}

/* ---- idle CPUs that a wake-up passed over ---- */

struct look {
	__u64 mask[MASK_WORDS];
	__u32 first, idle, flagged;
	bool any; /* all are allowed */
};

static long look_at(__u32 cpu, struct look *l)
{
	const struct kvm_steal_time___ks *steal;
	const struct rq___ks *rq = bpf_per_cpu_ptr(&runqueues, cpu);

	/* A queue with nothing in it is that of a CPU in its idle loop, or on the way there. */
	if (!rq || !rq->online || rq->nr_running)
		return 0;
	if (!l->any && !(l->mask[cpu >> 6 & 1] >> (cpu & 63) & 1))
		return 0;
	if (!l->idle++)
		l->first = cpu;
	if (!bpf_ksym_exists(&steal_time))
		return 0;
	steal = bpf_per_cpu_ptr(&steal_time, cpu);
	if (steal && steal->preempted)
		l->flagged++;
	return 0;
}

static __always_inline void look_for_idle(__u32 cpu, struct task_struct *p, __u32 on)
{
	const struct rq___ks *rq = bpf_per_cpu_ptr(&runqueues, on);
	struct look l = {};

	if (!rq || rq->nr_running < 2 || p->nr_cpus_allowed < 2)
		return;
	l.any = (__u32)p->nr_cpus_allowed >= ks_online;
	if (!l.any && (ks_cpus > 128 || !read_mask(p, l.mask)))
		return;
	bpf_loop(ks_cpus, look_at, &l, 0);
	if (l.idle)
		ks_emit(cpu, KS_TASK_PASSED, bpf_ksym_exists(&steal_time) ? KS_PASSED_FLAGS : 0,
			l.first, p->pid, (__u64)l.idle << 32 | l.flagged, on);
}

/* ---- the scheduler's tracepoints ---- */

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 cpu = bpf_get_smp_processor_id();
	/* With a signal pending it stays, whatever state it wanted to sleep in: the kernel resets it. */
	bool runnable = prev->pid && (preempt || !prev->__state);

	ks_emit(cpu, KS_TASK_SWITCH, runnable ? tell_allowed(cpu, prev) : 0, cpu, next->pid,
		prev->pid, runnable);
	return 0;
}

static __always_inline int woken(struct task_struct *p)
{
	__u32 cpu = bpf_get_smp_processor_id(), on = p->thread_info.cpu;
	__u32 by = bpf_get_current_pid_tgid();

	ks_emit(cpu, KS_TASK_WAKE, tell_allowed(cpu, p), cpu, p->pid, on, by);
	look_for_idle(cpu, p, on);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(sched_wakeup, struct task_struct *p)
{
	return woken(p);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(sched_wakeup_new, struct task_struct *p)
{
	return woken(p);
}

#define ON_RQ_MIGRATING 2 /* as in the kernel's sched.h */
#define MAX_RT_PRIO 100

/*
 * Who moves it? A thread that is on no run queue is being woken. One that is taken from one queue to
 * another is moved by the load balancer: in its softirq; or in a CPU's way through schedule(), with
 * the thread that leaves still current, and then for that CPU itself. What the stopper threads move
 * (NUMA balancing, active balancing, exec, a new affinity) cannot be told apart here.
 */
static __always_inline __u8 why_moved(struct task_struct *p, __u32 cpu, __u32 to)
{
	struct task_struct *current = bpf_get_current_task_btf();
	__u32 bits = ks_preempt_bits();

	if (!p->on_rq)
		return KS_MOVE_WAKE;
	if (p->on_rq != ON_RQ_MIGRATING || p->prio < MAX_RT_PRIO || bits & KS_HARDIRQ_BITS)
		return KS_MOVE_UNKNOWN;
	if (bits & KS_SOFTIRQ_SERVING)
		return KS_MOVE_PERIODIC;
	if (to == cpu && current->prio >= MAX_RT_PRIO)
		return KS_MOVE_NEWIDLE;
	return KS_MOVE_UNKNOWN;
}

SEC("tp_btf/sched_migrate_task")
int BPF_PROG(sched_migrate_task, struct task_struct *p, int dest_cpu)
{
	__u32 cpu = bpf_get_smp_processor_id(), from = p->thread_info.cpu;

	ks_emit(cpu, KS_TASK_MIGRATE, why_moved(p, cpu, dest_cpu), cpu, p->pid, from, dest_cpu);
	return 0;
}

SEC("tp_btf/cpu_idle")
int BPF_PROG(cpu_idle, unsigned int state, unsigned int cpu_id)
{
	bool leave = state == (unsigned int)-1;

	ks_emit(bpf_get_smp_processor_id(), leave ? KS_IDLE_EXIT : KS_IDLE_ENTER, 0, cpu_id, 0,
		leave ? 0 : state, 0);
	return 0;
}
