// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's probe: spinlocks tried, acquired and released; what the guest's scheduler does.
 *
 * A CPU that holds a spinlock, or waits for one in the slow path, cannot be preempted or migrated by
 * its own kernel; holds and waits nest, because interrupts take locks. So all state is per CPU,
 * without maps or locks, and nothing that matters is attached where a thread may still be preempted:
 * while a thread sleeps in the middle of a program, the kernel does not run that program for anybody
 * else on its CPU. Waits are seen by the slow path, holds by the ends of the lock functions and the
 * beginnings of the unlock functions. An acquire without contention costs two programs.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "records.h"
#include "compat.bpf.h"
#include "ring.bpf.h"
#include "spin_text.bpf.h"
#include "lock_timeline.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u64 ks_hold_threshold = 10000;
const volatile bool ks_full = 1;

struct ks_lock_cpu ks_locks[KS_MAX_CPUS];

/*
 * All programs are attached: only then waits and holds are told, and does it count what is missing.
 * While some are not, locks seem held that are not.
 */
bool ks_armed;

/* ---- where we are ---- */

static __always_inline struct ks_lock_cpu *locks_of(__u32 cpu)
{
	return &ks_locks[cpu & (KS_MAX_CPUS - 1)];
}

static __always_inline struct ks_lock_hold *hold_at(struct ks_lock_cpu *c, __u32 offset)
{
	return (void *)c->hold + (offset & ((KS_LOCK_DEPTH - 1) * KS_HOLD_STEP));
}

static __always_inline __u32 depth_of(__u32 offset)
{
	return offset / KS_HOLD_STEP;
}

/* Task, softirq, hardirq, NMI: the greater, the later it came and the sooner it is over. */
static __always_inline __u32 context_now(void)
{
	return ks_preempt_bits() & (KS_NMI_BITS | KS_HARDIRQ_BITS | KS_SOFTIRQ_SERVING);
}

static __always_inline __u32 level_now(void)
{
	__u32 bits = context_now();

	if (bits & KS_NMI_BITS)
		return 3;
	if (bits & KS_HARDIRQ_BITS)
		return 2;
	return bits ? 1 : 0;
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
 * Call site of the traced function, which has `nargs` arguments. Above the arguments (and the
 * return value, where the trampoline also serves an fexit) lies the trampoline's saved frame
 * pointer, then the return addresses: into the traced function itself, right behind its first
 * instruction, and into its caller. Since 7.0 a trampoline with an fexit is jumped to, not called:
 * then only the second one is there.
 */
#define FRAME_WORDS 8
static __always_inline __u64 call_site(void *ctx, int nargs)
{
	__u64 self = bpf_get_func_ip(ctx), w[FRAME_WORDS];
	int i;

	if (bpf_probe_read_kernel(w, sizeof(w), ctx))
		return 0;
	for (i = nargs; i < FRAME_WORDS - 1; i++)
		if (w[i] - self <= 16)
			return w[i + 1];
	return w[nargs + 2] >> 31 == 0x1ffffffff ? w[nargs + 2] : 0; /* kernel text */
}

/* ---- remainders ---- */

static __always_inline void count_stale(struct ks_lock_cpu *c, __u32 n)
{
	if (ks_armed)
		c->stale += n;
}

/*
 * Held by nobody, whatever lies there now: then it is not held by this CPU either. Asked for nested
 * locks alone, so a helper's price does; and a kfunc keeps the program from being interpreted.
 */
static __always_inline bool is_free(__u64 lock)
{
	__u32 word = 1;

	bpf_probe_read_kernel(&word, sizeof(word), (void *)lock);
	return !(word & 0xff);
}

/*
 * The kernel does not run a program that is running already on this CPU. So an interrupt that comes
 * in the middle of one of ours may take or release a lock unseen. What a higher level left on the
 * stack, now that it is over, an older entry of the lock that is being taken, and one whose lock is
 * free are such remains. Returns the new top.
 */
static __always_inline __u32 drop_stale(struct ks_lock_cpu *c, __u32 context, __u64 lock)
{
	__u32 top = c->top, i;

	for (i = 0; i < KS_LOCK_DEPTH && top; i++) {
		struct ks_lock_hold *h = hold_at(c, top);

		if (h->context <= context && h->lock != lock && !is_free(h->lock))
			break;
		count_stale(c, 1);
		top -= KS_HOLD_STEP;
	}
	return top;
}

/* ---- waits ---- */

/* The clock that programs read may step back by some ns when the kernel adjusts its rate. */
static __always_inline __u64 elapsed(__u64 from, __u64 to)
{
	return to > from ? to - from : 0;
}

static __always_inline void wait_begin(struct ks_lock_cpu *c, __u32 cpu, __u64 lock, __u64 ip)
{
	__u32 n = c->pending, level = level_now();
	struct ks_lock_wait *w;
	struct ks_rec *rec;

	/* Or an interrupt, which drops them, would say that it is no deeper than this wait. */
	c->top = drop_stale(c, context_now(), lock);
	/* Over, but the end of its lock function went unseen (see drop_stale()). */
	w = &c->wait[(n - 1) & (KS_LOCK_WAITS - 1)];
	if (n && w->acq_time && w->level >= level)
		n--;
	if (n >= KS_LOCK_WAITS) {
		__sync_fetch_and_add(&ks_rings[cpu & (KS_MAX_CPUS - 1)].lost[KS_LOCK_TRY], 1);
		return;
	}
	w = &c->wait[n];
	w->level = level;
	w->lock = lock;
	w->try_time = bpf_ktime_get_ns();
	w->acq_time = 0;
	w->ip = ip;
	rec = ks_reserve(cpu, KS_LOCK_TRY, 1);
	if (rec)
		ks_commit(rec, w->try_time, KS_LOCK_TRY, lock_flags(level, depth_of(c->top) + n),
			  cpu, this_thread(), lock, ip);
	c->pending = n + 1;
}

/* The youngest open wait for a lock; KS_LOCK_WAITS if there is none. */
static __always_inline __u32 wait_find(struct ks_lock_cpu *c, __u64 lock)
{
	__u32 n = c->pending, i;

	for (i = 0; i < KS_LOCK_WAITS; i++) {
		n--;
		if (n >= KS_LOCK_WAITS)
			break;
		if (c->wait[n].lock == lock)
			return n;
	}
	return KS_LOCK_WAITS;
}

static __always_inline void wait_end(struct ks_lock_cpu *c, __u32 cpu, struct ks_lock_wait *w,
				     __u32 below, __u64 now)
{
	struct ks_rec *rec = ks_reserve(cpu, KS_LOCK_ACQ, 1);

	w->acq_time = now;
	if (rec)
		ks_commit(rec, now, KS_LOCK_ACQ, lock_flags(level_now(), depth_of(c->top) + below),
			  cpu, this_thread(), w->lock, elapsed(w->try_time, now));
}

/* ---- holds ---- */

/* The entry is taken, then filled in, the lock first: an interrupt puts its own above it. */
static __always_inline struct ks_lock_hold *hold_push(struct ks_lock_cpu *c, __u64 lock)
{
	__u32 context = context_now(), top = drop_stale(c, context, lock) + KS_HOLD_STEP;
	struct ks_lock_hold *h;

	if (top >= KS_LOCK_DEPTH * KS_HOLD_STEP) { /* nobody holds so many: begin anew */
		count_stale(c, KS_LOCK_DEPTH - 1);
		top = KS_HOLD_STEP;
	}
	c->top = top;
	barrier();
	h = hold_at(c, top);
	h->lock = lock;
	barrier();
	h->context = context;
	return h;
}

static __always_inline void hold_begin(struct ks_lock_cpu *c, __u64 lock, __u64 now)
{
	struct ks_lock_hold *h = hold_push(c, lock);

	h->since = now;
	h->ip = 0;
}

static __always_inline void hold_begin_contended(struct ks_lock_cpu *c,
						 const struct ks_lock_wait *w)
{
	struct ks_lock_hold *h = hold_push(c, w->lock);

	h->since = 0;
	h->ip = w->ip;
	h->acq_time = w->acq_time;
}

/* This CPU waits for something: for this lock? Then the wait is over. Or it holds other locks. */
static __noinline int acquired_slow(__u64 lock, __u64 now, bool caught)
{
	__u32 cpu = bpf_get_smp_processor_id(), at;
	struct ks_lock_cpu *c = locks_of(cpu);
	struct ks_lock_wait *w;

	at = caught ? KS_LOCK_WAITS : wait_find(c, lock);
	if (at >= KS_LOCK_WAITS) {
		hold_begin(c, lock, now);
		return 0;
	}
	w = &c->wait[at];
	if (!w->acq_time)
		wait_end(c, cpu, w, at, now);
	c->pending = at;
	hold_begin_contended(c, w);
	return 0;
}

/*
 * Nearly every acquire finds its CPU without a lock held or wanted; these instructions are what
 * tracing costs. That there are so few has its reasons: what must outlive a call lies in as few
 * registers as can be, and the context of the first entry is not looked up.
 *
 * caught: by a trylock, which waits for nothing, though the context that it interrupts may, even for
 * this lock.
 */
static __always_inline int lock_acquired(__u64 *ctx, bool caught)
{
	struct ks_lock_cpu *c = locks_of(bpf_get_smp_processor_id());
	__u64 now = bpf_ktime_get_ns(), lock = ctx[0];
	struct ks_lock_hold *h = hold_at(c, KS_HOLD_STEP);

	if (c->busy)
		return acquired_slow(lock, now, caught);
	c->top = KS_HOLD_STEP;
	barrier(); /* as in hold_push() */
	h->lock = lock;
	barrier();
	h->since = now;
	h->ip = 0;
	h->context = 0;
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

static __always_inline bool has_waiters(const raw_spinlock_t *lock)
{
	return (__u32)lock->raw_lock.val.counter > 0xffu;
}

/* A release worth a record: others wait, or it was held long. */
static __noinline int tell_release(__u64 *ctx, __u32 cpu, __u32 at, __u64 now, int nargs)
{
	struct ks_lock_cpu *c;
	struct ks_lock_hold *h;
	struct ks_rec *rec;
	__u8 flags;
	__u32 ip;

	barrier_var(cpu); /* the compiler knows the range, the verifier may have lost it */
	c = locks_of(cpu);
	h = hold_at(c, at);
	flags = lock_flags(level_now(), depth_of(at) - 1 + c->pending);
	if (has_waiters((raw_spinlock_t *)ctx[0]))
		flags |= KS_F_WAITERS;
	ip = h->ip;
	if (!ip)
		ip = call_site(ctx, nargs);
	rec = ks_reserve(cpu, KS_LOCK_REL, 1);
	if (rec) {
		__u64 b = pack_hold(elapsed(h->since ?: h->acq_time, now), ip, &flags);

		ks_commit(rec, now, KS_LOCK_REL, flags, cpu, this_thread(), h->lock, b);
	}
	return 0;
}

/* Where the lock lies among those held, 0 if nowhere. Nearly always on top. */
static __always_inline __u32 hold_find(struct ks_lock_cpu *c, __u64 lock)
{
	__u32 at = c->top, i;

	for (i = 0; i < KS_LOCK_DEPTH && at; i++) {
		if (hold_at(c, at)->lock == lock)
			return at;
		at -= KS_HOLD_STEP;
	}
	return 0;
}

/* Take out an entry; one that is not on top, if locks are released out of order. */
static __noinline int hold_remove(__u32 cpu, __u32 at)
{
	struct ks_lock_cpu *c;
	__u32 i, top;

	barrier_var(cpu);
	c = locks_of(cpu);
	top = depth_of(c->top);
	at = depth_of(at);
	for (i = 1; i < KS_LOCK_DEPTH - 1; i++)
		if (i >= at && i < top)
			c->hold[i] = c->hold[i + 1];
	c->top -= KS_HOLD_STEP;
	return 0;
}

/*
 * The end of its lock function went unseen; or else the next hold of it would begin with this wait's end, or with its begin if
 * that of its slow path went as well. Who releases it has it: a wait that goes on is that of what this interrupts.
 */
static __always_inline void forget_wait(struct ks_lock_cpu *c, __u64 lock)
{
	__u32 at = wait_find(c, lock);

	if (at < KS_LOCK_WAITS && (c->wait[at].acq_time || c->wait[at].level >= level_now()))
		c->pending = at;
}

static __noinline int released_slow(__u64 *ctx, __u64 now, int nargs)
{
	__u32 cpu = bpf_get_smp_processor_id(), at;
	struct ks_lock_cpu *c = locks_of(cpu);
	struct ks_lock_hold *h;

	at = hold_find(c, ctx[0]);
	if (!at) {
		if (ks_armed)
			c->unmatched++;
		forget_wait(c, ctx[0]);
		return 0;
	}
	h = hold_at(c, at);
	if (ks_armed && (elapsed(h->since ?: h->acq_time, now) >= ks_hold_threshold ||
			 has_waiters((raw_spinlock_t *)ctx[0])))
		tell_release(ctx, cpu, at, now, nargs);
	hold_remove(cpu, at);
	return 0;
}

/* Nearly always of the lock that was taken last, which nobody wanted, after a short time. */
static __always_inline int lock_release(__u64 *ctx, int nargs)
{
	struct ks_lock_cpu *c = locks_of(bpf_get_smp_processor_id());
	__u64 now = bpf_ktime_get_ns();
	raw_spinlock_t *lock = (raw_spinlock_t *)ctx[0];
	__u32 top = c->top;
	struct ks_lock_hold *h = hold_at(c, top);

	/* Also if `since` is 0, or lies ahead, the clock having stepped back. */
	if (__builtin_expect(h->lock != (__u64)lock || has_waiters(lock) ||
				     now - h->since >= ks_hold_threshold,
			     0))
		return released_slow(ctx, now, nargs);
	c->top = top - KS_HOLD_STEP;
	return 0;
}

#define LOCK_FUNCTION(name)                                                                        \
	SEC("?fexit/" #name) int name##_acquired(__u64 *ctx)                                       \
	{                                                                                          \
		return lock_acquired(ctx, false);                                                  \
	}

#define TRYLOCK_FUNCTION(name)                                                                     \
	SEC("?fexit/" #name) int BPF_PROG(name##_acquired, raw_spinlock_t *lock, int got)          \
	{                                                                                          \
		return got ? lock_acquired(ctx, true) : 0;                                         \
	}

#define UNLOCK_FUNCTION(name, nargs)                                                               \
	SEC("?fentry/" #name) int name##_release(__u64 *ctx)                                       \
	{                                                                                          \
		return lock_release(ctx, nargs);                                                   \
	}

/* Attached in this order: an acquire must not be noted before its release can be seen. */
UNLOCK_FUNCTION(_raw_spin_unlock, 1)
UNLOCK_FUNCTION(_raw_spin_unlock_irq, 1)
UNLOCK_FUNCTION(_raw_spin_unlock_irqrestore, 2)
UNLOCK_FUNCTION(_raw_spin_unlock_bh, 1)
LOCK_FUNCTION(_raw_spin_lock)
LOCK_FUNCTION(_raw_spin_lock_irq)
LOCK_FUNCTION(_raw_spin_lock_irqsave)
LOCK_FUNCTION(_raw_spin_lock_bh)
TRYLOCK_FUNCTION(_raw_spin_trylock)
TRYLOCK_FUNCTION(_raw_spin_trylock_bh)

/* ---- the slow path ---- */

static __always_inline int slow_begin(void *ctx, void *lock)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 ip;

	/* While programs are still being attached, nobody would see who holds the lock. */
	if (ks_armed && cpu < KS_MAX_CPUS && from_spinlock(ctx, &ip, ks_full))
		wait_begin(&ks_locks[cpu], cpu, (__u64)lock, ip);
	return 0;
}

/* keep: the end of the lock function will look for the wait and take it away. */
static __always_inline int slow_end(void *lock, bool keep)
{
	__u32 cpu = bpf_get_smp_processor_id(), at;
	struct ks_lock_cpu *c;

	if (cpu >= KS_MAX_CPUS || !ks_locks[cpu].pending)
		return 0;
	c = &ks_locks[cpu];
	at = wait_find(c, (__u64)lock);
	if (at >= KS_LOCK_WAITS || c->wait[at].acq_time)
		return 0;
	wait_end(c, cpu, &c->wait[at], at, bpf_ktime_get_ns());
	if (!keep)
		c->pending = at;
	return 0;
}

/* Mode full: every waiter. */
#define SLOW_PATH(name)                                                                            \
	SEC("?fentry/" #name) int BPF_PROG(name##_try, void *lock)                                 \
	{                                                                                          \
		return slow_begin(ctx, lock);                                                      \
	}                                                                                          \
	SEC("?fexit/" #name) int BPF_PROG(name##_acquired, void *lock)                             \
	{                                                                                          \
		return slow_end(lock, true);                                                       \
	}

SLOW_PATH(native_queued_spin_lock_slowpath)
SLOW_PATH(__pv_queued_spin_lock_slowpath)

/*
 * Mode contention: the tracepoints of the slow path (since 5.19). Without paravirtual locks the
 * first waiter does not queue, but spins on the lock itself; the tracepoints do not tell of it.
 */
#define LCB_F_SPIN 1 /* exactly this: a queued spinlock, not a rwlock, mutex, ... */

SEC("?tp_btf/contention_begin")
int BPF_PROG(contention_begin, void *lock, unsigned int flags)
{
	return flags == LCB_F_SPIN ? slow_begin(ctx, lock) : 0;
}

SEC("?tp_btf/contention_end")
int BPF_PROG(contention_end, void *lock, int ret)
{
	return slow_end(lock, ks_full);
}

/* ---- is anything seen at all? ---- */

__u64 ks_trials;

/*
 * struct static_key: an int that is above 0 where spinlocks are taken by test and set (guests whose host
 * does not offer paravirtual ones). Such a lock has no queue, so at a release nobody is seen to wait.
 */
extern const void virt_spin_lock_key __ksym __weak;
bool ks_test_and_set;

/*
 * Runs when user space asks the kernel for a test run of it, if programs run at the entry of
 * functions at all: with kernel.ftrace_enabled=0 they are attached without an error and never run.
 */
SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(fentry_trial)
{
	int enabled = 0;

	ks_trials++;
	if (bpf_ksym_exists(&virt_spin_lock_key) &&
	    !bpf_probe_read_kernel(&enabled, sizeof(enabled), &virt_spin_lock_key))
		ks_test_and_set = enabled > 0;
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
	nr = rq->nr_running - ks_nr_delayed(rq);
	if ((nr > 1) == rq_busy[cpu])
		return;
	rq_busy[cpu] = nr > 1;
	ks_emit(bpf_get_smp_processor_id(), nr > 1 ? KS_RQ_BUSY : KS_RQ_CALM, 0, cpu, 0, nr, 0);
}

/* A thread that is switched away waits for no spinlock, and none is held but the run queue's. */
static __always_inline void locks_at_switch(struct ks_lock_cpu *c)
{
	__u32 top = c->top;

	c->pending = 0;
	if (top <= KS_HOLD_STEP)
		return;
	count_stale(c, depth_of(top) - 1);
	c->hold[1] = *hold_at(c, top);
	c->top = KS_HOLD_STEP;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 cpu = bpf_get_smp_processor_id();

	locks_at_switch(locks_of(cpu));
	rq_look(cpu);
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
	__u32 cpu = bpf_get_smp_processor_id();

	/* An idle CPU holds no spinlock: what is left over (unlocks not seen) goes. */
	if (!leave)
		locks_of(cpu)->busy = 0;
	ks_emit(cpu, leave ? KS_IDLE_EXIT : KS_IDLE_ENTER, 0, cpu_id, 0, leave ? 0 : state, 0);
	return 0;
}
