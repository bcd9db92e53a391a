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

/* CPUs that there may be. */
const volatile __u32 ks_cpus = 1;

/* ---- where a thread may run ---- */

#define MASK_WORDS 2

static __always_inline bool read_mask(struct task_struct *p, __u64 mask[MASK_WORDS])
{
	return !bpf_probe_read_kernel(mask, MASK_WORDS * sizeof(mask[0]), p->cpus_ptr);
}

/* As many as are online are not all: they need not be those that are, and others may come. */
static __always_inline bool may_use_all(struct task_struct *p)
{
	return (__u32)p->nr_cpus_allowed >= ks_cpus;
}

/*
 * As flags. A thread that may use some CPUs only has them told first; of those from 128 on nobody is
 * told, and where such a guest's threads may run is then not known.
 */
static __always_inline __u8 tell_allowed(__u32 cpu, struct task_struct *p)
{
	__u64 mask[MASK_WORDS];

	if (may_use_all(p))
		return KS_ALLOWED_ANY;
	if (p->nr_cpus_allowed == 1)
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
	l.any = may_use_all(p);
	if (!l.any && (ks_cpus > 128 || !read_mask(p, l.mask)))
		return;
	bpf_loop(ks_cpus, look_at, &l, 0);
	if (l.idle)
		ks_emit(cpu, KS_TASK_PASSED, bpf_ksym_exists(&steal_time) ? KS_PASSED_FLAGS : 0,
			l.first, p->pid, (__u64)l.idle << 32 | l.flagged, on);
}

/* ---- the scheduler's tracepoints ---- */

#define TASK_DEAD 0x80 /* as in the kernel's sched.h */

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 cpu = bpf_get_smp_processor_id(), state = prev->__state;
	/* With a signal pending it stays, whatever state it wanted to sleep in: the kernel resets it. */
	bool runnable = prev->pid && (preempt || !state);
	__u8 flags = state & TASK_DEAD ? KS_SWITCH_DEAD : 0;

	ks_emit(cpu, KS_TASK_SWITCH, runnable ? tell_allowed(cpu, prev) : flags, cpu, next->pid,
		prev->pid, runnable);
	return 0;
}

static __always_inline int woken(struct task_struct *p, __u8 new)
{
	__u32 cpu = bpf_get_smp_processor_id(), on = p->thread_info.cpu;
	__u32 by = bpf_get_current_pid_tgid();

	ks_emit(cpu, KS_TASK_WAKE, tell_allowed(cpu, p) | new, cpu, p->pid, on, by);
	look_for_idle(cpu, p, on);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(sched_wakeup, struct task_struct *p)
{
	return woken(p, 0);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(sched_wakeup_new, struct task_struct *p)
{
	return woken(p, KS_WAKE_NEW);
}

/*
 * What the stopper threads move they move for somebody: who called them says for which thread, on his
 * way in, and takes it back on his way out. Two threads whose numbers share a place take it from each
 * other; then it is not known why the first one moved.
 */
#define REASONS 1024
__u64 ks_reason[REASONS]; /* thread << 8 | KS_MOVE_* */

static __always_inline void reason_begin(__u32 tid, __u64 by)
{
	ks_reason[tid % REASONS] = (__u64)tid << 8 | by;
}

static __always_inline void reason_end(__u32 tid)
{
	if (ks_reason[tid % REASONS] >> 8 == tid)
		ks_reason[tid % REASONS] = 0;
}

static __always_inline __u8 reason_of(__u32 tid)
{
	__u64 r = ks_reason[tid % REASONS];

	return tid && r >> 8 == tid ? (__u8)r : KS_MOVE_UNKNOWN;
}

SEC("?fentry/migrate_task_to")
int BPF_PROG(numa_begin, struct task_struct *p)
{
	reason_begin(p->pid, KS_MOVE_NUMA);
	return 0;
}

SEC("?fexit/migrate_task_to")
int BPF_PROG(numa_end, struct task_struct *p)
{
	reason_end(p->pid);
	return 0;
}

SEC("?fentry/migrate_swap")
int BPF_PROG(swap_begin, struct task_struct *cur, struct task_struct *p)
{
	reason_begin(cur->pid, KS_MOVE_NUMA);
	reason_begin(p->pid, KS_MOVE_NUMA);
	return 0;
}

SEC("?fexit/migrate_swap")
int BPF_PROG(swap_end, struct task_struct *cur, struct task_struct *p)
{
	reason_end(cur->pid);
	reason_end(p->pid);
	return 0;
}

SEC("?fentry/sched_exec")
int BPF_PROG(exec_begin)
{
	reason_begin((__u32)bpf_get_current_pid_tgid(), KS_MOVE_EXEC);
	return 0;
}

SEC("?fexit/sched_exec")
int BPF_PROG(exec_end)
{
	reason_end((__u32)bpf_get_current_pid_tgid());
	return 0;
}

static __always_inline __u32 or_current(__u32 tid)
{
	return tid ?: (__u32)bpf_get_current_pid_tgid();
}

/* The system call; the number is that of the caller's PID namespace, and in another one says nothing. */
SEC("?fentry/sched_setaffinity")
int BPF_PROG(setaffinity_begin, int pid)
{
	reason_begin(or_current(pid), KS_MOVE_AFFINITY);
	return 0;
}

SEC("?fexit/sched_setaffinity")
int BPF_PROG(setaffinity_end, int pid)
{
	reason_end(or_current(pid));
	return 0;
}

/* cpusets, and the kernel for its own threads. */
SEC("?fentry/set_cpus_allowed_ptr")
int BPF_PROG(cpus_allowed_begin, struct task_struct *p)
{
	reason_begin(p->pid, KS_MOVE_AFFINITY);
	return 0;
}

SEC("?fexit/set_cpus_allowed_ptr")
int BPF_PROG(cpus_allowed_end, struct task_struct *p)
{
	reason_end(p->pid);
	return 0;
}

/* On the busiest CPU, in its stopper thread, with interrupts on only before and behind it. */
__u8 ks_active[KS_MAX_CPUS];

static __always_inline void set_active(__u8 on)
{
	__u32 cpu = bpf_get_smp_processor_id();

	if (cpu < KS_MAX_CPUS)
		ks_active[cpu] = on;
}

SEC("?fentry/active_load_balance_cpu_stop")
int BPF_PROG(active_begin)
{
	set_active(1);
	return 0;
}

SEC("?fexit/active_load_balance_cpu_stop")
int BPF_PROG(active_end)
{
	set_active(0);
	return 0;
}

/*
 * The last switch of a CPU that goes offline is to its idle thread, as of any that has nothing to do. The
 * scheduler gives it up at the beginning of its way down, and takes it back if it cannot go.
 */
static __always_inline int tell_online(__u32 which, bool online)
{
	ks_emit(bpf_get_smp_processor_id(), KS_CPU_ONLINE, 0, which, 0, online, 0);
	return 0;
}

SEC("?fentry/sched_cpu_deactivate")
int BPF_PROG(deactivate_begin, unsigned int which)
{
	return tell_online(which, false);
}

SEC("?fexit/sched_cpu_deactivate")
int BPF_PROG(deactivate_end, unsigned int which, int err)
{
	return err ? tell_online(which, true) : 0;
}

SEC("?fexit/sched_cpu_activate")
int BPF_PROG(activate_end, unsigned int which, int err)
{
	return err ? 0 : tell_online(which, true);
}

#define ON_RQ_MIGRATING 2 /* as in the kernel's sched.h */
#define MAX_RT_PRIO 100

/* Before it became a byte it was an int, and no load of the one fits the other. */
struct task_struct___int_on_rq {
	int on_rq;
} __attribute__((preserve_access_index));

static __always_inline int on_rq(struct task_struct *p)
{
	if (bpf_core_field_size(p->on_rq) == sizeof(__u8))
		return p->on_rq;
	return ((struct task_struct___int_on_rq *)p)->on_rq;
}

/*
 * Who moves it? A thread that is on no run queue is being woken. One that is taken from one queue to
 * another is moved by the load balancer: in its softirq; or in a CPU's way through schedule(), with
 * the thread that leaves still current, and then for that CPU itself. All else is the stopper threads',
 * or that of whoever changes an affinity.
 */
static __always_inline __u8 why_moved(struct task_struct *p, __u32 cpu, __u32 to)
{
	struct task_struct *current = bpf_get_current_task_btf();
	__u32 bits = ks_preempt_bits();
	__u8 why;

	if (!on_rq(p))
		return KS_MOVE_WAKE;
	if (on_rq(p) != ON_RQ_MIGRATING || bits & KS_HARDIRQ_BITS)
		return KS_MOVE_UNKNOWN;
	if (bits & KS_SOFTIRQ_SERVING)
		return p->prio < MAX_RT_PRIO ? KS_MOVE_UNKNOWN : KS_MOVE_PERIODIC;
	if (cpu < KS_MAX_CPUS && ks_active[cpu] && current->prio < MAX_RT_PRIO)
		return KS_MOVE_ACTIVE;
	why = reason_of(p->pid);
	/* Whoever changes an affinity may take the thread to his own CPU, as newly idle balancing does. */
	if (!why && to == cpu && current->prio >= MAX_RT_PRIO && p->prio >= MAX_RT_PRIO)
		why = KS_MOVE_NEWIDLE;
	return why;
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

/* ---- is anything seen at all? ---- */

__u64 ks_trials;

/* Runs when the loader asks for it, if programs run at the entry of functions at all. */
SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(fentry_trial)
{
	ks_trials++;
	return 0;
}
