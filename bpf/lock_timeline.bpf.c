// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's probe: spinlocks tried, acquired and released; what the guest's scheduler does.
 *
 * A CPU that holds a spinlock cannot be preempted or migrated by its own kernel, and holds nest, so
 * all state is per CPU, without maps or locks. The way to the lock is different: between the entry
 * of a lock function and its disabling of preemption the thread may move. Hence a wait belongs to a
 * level (task, softirq, hardirq, NMI) of a CPU, is overwritten by the next attempt at that level
 * (the scheduler's own locks, if the thread was switched out), and is believed at the end only if
 * the lock is the same. The tracepoints of the slow path, which runs with preemption off, put right
 * what was missed.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "records.h"
#include "compat.bpf.h"
#include "ring.bpf.h"
#include "lock_timeline.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u64 ks_hold_threshold = 10000;
const volatile bool ks_full = 1;
const volatile struct ks_skip_range ks_skip[KS_SKIP_RANGES];

struct ks_lock_cpu ks_locks[KS_MAX_CPUS];

/* ---- where we are ---- */

#define SOFTIRQ_SERVING 0x00000100u
#define HARDIRQ_BITS 0x000f0000u
#define NMI_BITS 0x00f00000u

static __always_inline __u32 preempt_bits(void)
{
	if (bpf_ksym_exists(&__preempt_count))
		return *(int *)bpf_this_cpu_ptr(&__preempt_count);
	if (bpf_ksym_exists(&pcpu_hot)) /* 6.2 to 6.14 */
		return ((struct pcpu_hot___ks *)bpf_this_cpu_ptr(&pcpu_hot))->preempt_count;
	return 0;
}

static __always_inline __u32 level_now(void)
{
	__u32 bits = preempt_bits();

	if (bits & NMI_BITS)
		return 3;
	if (bits & HARDIRQ_BITS)
		return 2;
	return bits & SOFTIRQ_SERVING ? 1 : 0;
}

static __always_inline __u8 lock_flags(__u32 level, __u32 depth)
{
	return level << 4 | (depth & KS_F_DEPTH_MASK);
}

static __always_inline __u32 this_thread(void)
{
	return bpf_get_current_pid_tgid();
}

/*
 * Call site of the traced function. The trampoline's frame lies directly under the traced
 * function's return addresses: the one into the traced function itself, right behind its first
 * instruction, and the one into its caller. How far above the arguments they are depends on the
 * kernel and on the number of arguments, so look for the first of them.
 */
#define FRAME_WORDS 8
static __always_inline __u64 call_site(void *ctx)
{
	__u64 self = bpf_get_func_ip(ctx), w[FRAME_WORDS];
	int i;

	if (bpf_probe_read_kernel(w, sizeof(w), ctx))
		return 0;
	for (i = 0; i < FRAME_WORDS - 1; i++)
		if (w[i] - self <= 16)
			return w[i + 1];
	return 0;
}

static __always_inline bool is_lock_code(__u64 ip)
{
	int i;

	for (i = 0; i < KS_SKIP_RANGES; i++)
		if (ip >= ks_skip[i].start && ip < ks_skip[i].end)
			return true;
	return false;
}

/* The same from a tracepoint of the slow path: the first frame above the lock functions. */
#define STACK_WORDS 8
static __always_inline __u64 call_site_slow(void *ctx)
{
	__u64 w[STACK_WORDS] = {};
	bool seen = false;
	int i;

	if (bpf_get_stack(ctx, w, sizeof(w), 0) < 0)
		return 0;
	for (i = 0; i < STACK_WORDS; i++) {
		if (is_lock_code(w[i]))
			seen = true;
		else if (seen)
			return w[i];
	}
	return 0;
}

/* ---- waits ---- */

static __always_inline void wait_begin(struct ks_lock_cpu *c, __u32 cpu, __u32 level, __u64 lock,
				       __u64 ip, bool by_slowpath)
{
	struct ks_lock_wait *w = &c->wait[level & (KS_LOCK_LEVELS - 1)];
	struct ks_rec *rec;

	w->lock = lock;
	w->try_time = bpf_ktime_get_ns();
	w->acq_time = 0;
	w->ip = ip;
	w->by_slowpath = by_slowpath;
	c->pending |= 1u << level;
	rec = ks_reserve(cpu, KS_LOCK_TRY, 1);
	if (rec)
		ks_commit(rec, w->try_time, KS_LOCK_TRY, lock_flags(level, c->depth), cpu,
			  this_thread(), lock, ip);
}

static __always_inline void wait_end(struct ks_lock_cpu *c, __u32 cpu, __u32 level,
				     struct ks_lock_wait *w)
{
	struct ks_rec *rec = ks_reserve(cpu, KS_LOCK_ACQ, 1);

	w->acq_time = bpf_ktime_get_ns();
	if (rec)
		ks_commit(rec, w->acq_time, KS_LOCK_ACQ, lock_flags(level, c->depth), cpu,
			  this_thread(), w->lock, w->acq_time - w->try_time);
}

/* Somebody has the lock, or an older wait of this CPU needs a look. */
static __noinline int try_slow(void *ctx, __u64 lock, __u32 cpu, bool taken)
{
	struct ks_lock_cpu *c;
	__u32 level = level_now();

	if (cpu >= KS_MAX_CPUS)
		return 0;
	c = &ks_locks[cpu];
	if (taken)
		wait_begin(c, cpu, level, lock, call_site(ctx), false);
	else
		c->pending &= ~(1u << level);
	return 0;
}

static __always_inline int lock_try(void *ctx, raw_spinlock_t *lock)
{
	__u32 cpu = bpf_get_smp_processor_id();
	bool taken = lock->raw_lock.val.counter != 0;

	if (cpu >= KS_MAX_CPUS)
		return 0;
	if (taken || ks_locks[cpu].pending)
		try_slow(ctx, (__u64)lock, cpu, taken);
	return 0;
}

/* ---- holds ---- */

static __always_inline void hold_begin(struct ks_lock_cpu *c, __u64 lock, __u64 acq, __u32 ip,
				       __u32 contended)
{
	__u32 d = c->depth;
	struct ks_lock_hold *h;

	if (d >= KS_LOCK_DEPTH)
		return;
	h = &c->hold[d];
	h->lock = lock;
	h->acq_time = acq;
	h->ip = ip;
	h->contended = contended;
	c->depth = d + 1;
}

/* A wait of this CPU may have ended with this acquire. */
static __noinline int acquired_slow(__u64 lock, __u32 cpu)
{
	__u32 level = level_now();
	struct ks_lock_cpu *c;
	struct ks_lock_wait *w;

	if (cpu >= KS_MAX_CPUS)
		return 0;
	c = &ks_locks[cpu];
	w = &c->wait[level];
	if (!(c->pending & 1u << level) || w->lock != lock) {
		c->pending &= ~(1u << level);
		hold_begin(c, lock, bpf_ktime_get_ns(), 0, 0);
		return 0;
	}
	c->pending &= ~(1u << level);
	if (!w->acq_time)
		wait_end(c, cpu, level, w);
	hold_begin(c, lock, w->acq_time, w->ip, 1);
	return 0;
}

static __always_inline int lock_acquired(raw_spinlock_t *lock)
{
	__u32 cpu = bpf_get_smp_processor_id();

	if (cpu >= KS_MAX_CPUS)
		return 0;
	if (ks_locks[cpu].pending)
		acquired_slow((__u64)lock, cpu);
	else
		hold_begin(&ks_locks[cpu], (__u64)lock, bpf_ktime_get_ns(), 0, 0);
	return 0;
}

static __always_inline __u64 pack_hold(__u64 ns, __u32 ip, __u8 *flags)
{
	if (ns >> 32) {
		*flags |= KS_F_COARSE;
		ns >>= 10;
		if (ns >> 32)
			ns = 0xffffffff;
	}
	return ns << 32 | ip;
}

/* A release worth a record: contended before, at the end, or held long. */
static __noinline int released_slow(void *ctx, __u32 cpu, __u32 at, bool waiters)
{
	__u8 flags = lock_flags(level_now(), at);
	__u64 now = bpf_ktime_get_ns(), b;
	struct ks_lock_hold *h;
	struct ks_rec *rec;
	__u32 ip;

	if (cpu >= KS_MAX_CPUS || at >= KS_LOCK_DEPTH)
		return 0;
	h = &ks_locks[cpu].hold[at];
	ip = h->ip;
	if (!ip)
		ip = call_site(ctx);
	if (waiters)
		flags |= KS_F_WAITERS;
	rec = ks_reserve(cpu, KS_LOCK_REL, 1);
	if (rec) {
		b = pack_hold(now - h->acq_time, ip, &flags);
		ks_commit(rec, now, KS_LOCK_REL, flags, cpu, this_thread(), h->lock, b);
	}
	return 0;
}

/* Where the lock lies among those held, KS_LOCK_DEPTH if nowhere. Nearly always on top. */
static __always_inline __u32 hold_find(struct ks_lock_cpu *c, __u64 lock)
{
	__u32 d = c->depth, i;

	for (i = 0; i < KS_LOCK_DEPTH; i++) {
		d--;
		if (d >= KS_LOCK_DEPTH)
			break;
		if (c->hold[d].lock == lock)
			return d;
	}
	return KS_LOCK_DEPTH;
}

/* Take out an entry that is not on top: locks released out of order. */
static __noinline int hold_remove(__u32 cpu, __u32 at)
{
	struct ks_lock_cpu *c;
	__u32 i;

	if (cpu >= KS_MAX_CPUS)
		return 0;
	c = &ks_locks[cpu];
	for (i = 0; i < KS_LOCK_DEPTH - 1; i++)
		if (i >= at && i + 1 < c->depth)
			c->hold[i] = c->hold[i + 1];
	c->depth--;
	return 0;
}

static __always_inline int lock_release(void *ctx, raw_spinlock_t *lock)
{
	__u32 cpu = bpf_get_smp_processor_id(), at;
	bool waiters = ((__u32)lock->raw_lock.val.counter & ~0xffu) != 0;
	struct ks_lock_cpu *c;
	struct ks_lock_hold *h;

	if (cpu >= KS_MAX_CPUS)
		return 0;
	c = &ks_locks[cpu];
	at = hold_find(c, (__u64)lock);
	if (at >= KS_LOCK_DEPTH) {
		c->unmatched++;
		return 0;
	}
	h = &c->hold[at];
	if (waiters || h->contended || bpf_ktime_get_ns() - h->acq_time >= ks_hold_threshold)
		released_slow(ctx, cpu, at, waiters);
	if (at + 1 == c->depth)
		c->depth = at;
	else
		hold_remove(cpu, at);
	return 0;
}

#define LOCK_FUNCTION(name)                                                                        \
	SEC("?fentry/" #name) int BPF_PROG(name##_try, raw_spinlock_t *lock)                       \
	{                                                                                          \
		return lock_try(ctx, lock);                                                        \
	}                                                                                          \
	SEC("?fexit/" #name) int BPF_PROG(name##_acquired, raw_spinlock_t *lock)                   \
	{                                                                                          \
		return lock_acquired(lock);                                                        \
	}

#define TRYLOCK_FUNCTION(name)                                                                     \
	SEC("?fexit/" #name) int BPF_PROG(name##_acquired, raw_spinlock_t *lock, int got)          \
	{                                                                                          \
		return got ? lock_acquired(lock) : 0;                                              \
	}

#define UNLOCK_FUNCTION(name)                                                                      \
	SEC("?fentry/" #name) int BPF_PROG(name##_release, raw_spinlock_t *lock)                   \
	{                                                                                          \
		return lock_release(ctx, lock);                                                    \
	}

LOCK_FUNCTION(_raw_spin_lock)
LOCK_FUNCTION(_raw_spin_lock_irq)
LOCK_FUNCTION(_raw_spin_lock_irqsave)
LOCK_FUNCTION(_raw_spin_lock_bh)
TRYLOCK_FUNCTION(_raw_spin_trylock)
TRYLOCK_FUNCTION(_raw_spin_trylock_bh)
UNLOCK_FUNCTION(_raw_spin_unlock)
UNLOCK_FUNCTION(_raw_spin_unlock_irq)
UNLOCK_FUNCTION(_raw_spin_unlock_irqrestore)
UNLOCK_FUNCTION(_raw_spin_unlock_bh)

/* ---- the slow path's tracepoints (since 5.19) ---- */

#define LCB_F_SPIN 1 /* exactly this: a queued spinlock, not a rwlock, mutex, ... */

SEC("?tp_btf/contention_begin")
int BPF_PROG(contention_begin, void *lock, unsigned int flags)
{
	__u32 cpu = bpf_get_smp_processor_id(), level;
	struct ks_lock_cpu *c;
	struct ks_lock_wait *w;

	if (flags != LCB_F_SPIN || cpu >= KS_MAX_CPUS)
		return 0;
	level = level_now();
	c = &ks_locks[cpu];
	w = &c->wait[level];
	if (c->pending & 1u << level && w->lock == (__u64)lock && !w->acq_time)
		return 0;
	wait_begin(c, cpu, level, (__u64)lock, call_site_slow(ctx), true);
	return 0;
}

SEC("?tp_btf/contention_end")
int BPF_PROG(contention_end, void *lock, int ret)
{
	__u32 cpu = bpf_get_smp_processor_id(), level;
	struct ks_lock_cpu *c;
	struct ks_lock_wait *w;

	if (cpu >= KS_MAX_CPUS || !ks_locks[cpu].pending)
		return 0;
	level = level_now();
	c = &ks_locks[cpu];
	w = &c->wait[level];
	if (!(c->pending & 1u << level) || w->lock != (__u64)lock || w->acq_time)
		return 0;
	wait_end(c, cpu, level, w);
	/*
	 * In full mode the lock function's exit takes it from here, unless the lock was taken by
	 * a road that has none: then the next attempt at this level clears it.
	 */
	if (!ks_full)
		c->pending &= ~(1u << level);
	return 0;
}

/* ---- the guest's scheduler ---- */

static __u8 rq_busy[KS_MAX_CPUS];

/* Tell when a run queue begins or ceases to hold a thread that waits for its turn. */
static __always_inline void rq_look(__u32 cpu)
{
	struct rq___ks *rq = bpf_per_cpu_ptr(&runqueues, cpu);
	__u32 nr;

	if (!rq || cpu >= KS_MAX_CPUS)
		return;
	nr = rq->nr_running;
	if ((nr > 1) == rq_busy[cpu])
		return;
	rq_busy[cpu] = nr > 1;
	ks_emit(bpf_get_smp_processor_id(), nr > 1 ? KS_RQ_BUSY : KS_RQ_CALM, 0, cpu, 0, nr, 0);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	rq_look(bpf_get_smp_processor_id());
	return 0;
}

static __always_inline int woken(struct task_struct *p)
{
	__u32 cpu = bpf_get_smp_processor_id(), on = p->thread_info.cpu;

	ks_emit(cpu, KS_TASK_WAKE, 0, cpu, p->pid, on, this_thread());
	rq_look(on);
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

SEC("tp_btf/sched_migrate_task")
int BPF_PROG(sched_migrate_task, struct task_struct *p, int dest_cpu)
{
	__u32 cpu = bpf_get_smp_processor_id(), from = p->thread_info.cpu;

	ks_emit(cpu, KS_TASK_MIGRATE, 0, cpu, p->pid, from, dest_cpu);
	rq_look(from);
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
