// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's publisher: which spinlocks each CPU holds and wants, in pages that the host reads
 * (lock_page.h). What it costs is what every uncontended lock of the guest costs more, so there is
 * no clock, no atomic and no map look-up on that path: the lock is put in the first free entry of the
 * CPU's slot when a lock function begins, and its entry is freed when an unlock function does.
 *
 * A lock that is only about to be taken is published as held: at the entry of the lock function,
 * which is cheaper by 59 instructions than its end, nobody knows better. The slow path says that it
 * has to be waited for.
 *
 * The kernel does not run a program in an interrupt of itself. So an interrupt that comes in the
 * middle of one may take or release a lock unseen. That the two ends are matched by address keeps
 * such a miss from spoiling what comes after; what is left over goes at the next thread switch, for
 * then no lock is held but the run queue's. Nor does an interrupt of another one matter: it leaves
 * the entries as it found them.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "compat.bpf.h"
#include "lock_page.h"
#include "spin_text.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Locks are noted where the lock functions end, not where they begin. */
const volatile bool ks_at_end;

#define DIRECT_MOST (1ULL << 46) /* bytes that the direct mapping has room for, with four levels */

/* A map of its own, which the loader maps to find its pages. */
struct ks_lp_slot ks_lp_slots[KS_LP_VCPUS] SEC(".data.slots");

static __always_inline struct ks_lp_slot *slot_of(__u32 cpu)
{
	return &ks_lp_slots[cpu & (KS_LP_VCPUS - 1)];
}

static __always_inline struct ks_lp_slot *this_slot(void)
{
	return slot_of(bpf_get_smp_processor_id());
}

/*
 * this_slot(), and *ctx survives it in a register that the call may spoil: kernels since 6.12 see that
 * the call is no call for them, and take the store and the load out (bpf_fastcall; compilers do this by
 * themselves since clang 20). Elsewhere it costs what keeping it in another register would.
 */
static __always_inline struct ks_lp_slot *this_slot_keeping(__u64 **ctx)
{
	register __u64 cpu asm("r0");
	__u64 kept;

	asm volatile("*(u64 *)%[kept] = %[ctx]\n"
		     "call %[get_cpu]\n"
		     "%[ctx] = *(u64 *)%[kept]"
		     : [ctx] "+r"(*ctx), [kept] "=m"(kept), "=r"(cpu)
		     : [get_cpu] "i"(BPF_FUNC_get_smp_processor_id)
		     : "r2", "r3", "r4", "r5");
	return slot_of(cpu);
}

/*
 * The first entry, which is nearly always the one: most locks are taken while none is held. In assembly,
 * or the compiler would make one store of this and those to the other entries, at the price of an
 * address in a register.
 */
#define set_first(held, value)                                                                     \
	asm volatile("*(u64 *)(%0 + 0) = %1" ::"r"(held), "ri"(value) : "memory")

static __always_inline int lock_begin(__u64 *ctx)
{
	__u64 *held = this_slot_keeping(&ctx)->held;

	if (!held[0]) {
		set_first(held, ctx[0]);
		return 0;
	}
	for (__u32 i = 1; i < KS_LP_DEPTH; i++) {
		if (!held[i]) {
			held[i] = ctx[0];
			return 0;
		}
	}
	return 0;
}

/* In whatever order; a lock that was never seen to be taken is not found. */
static __always_inline int unlock_begin(__u64 *ctx)
{
	__u64 *held = this_slot_keeping(&ctx)->held, lock = ctx[0];

	if (held[0] == lock) {
		set_first(held, 0);
		return 0;
	}
	for (__u32 i = 1; i < KS_LP_DEPTH; i++) {
		if (held[i] == lock) {
			held[i] = 0;
			return 0;
		}
	}
	return 0;
}

#define UNLOCK_FUNCTION(name)                                                                      \
	SEC("?fentry/" #name) int name##_begin(__u64 *ctx)                                         \
	{                                                                                          \
		return unlock_begin(ctx);                                                          \
	}

#define LOCK_FUNCTION(name)                                                                        \
	SEC("?fentry/" #name) int name##_begin(__u64 *ctx)                                         \
	{                                                                                          \
		return lock_begin(ctx);                                                            \
	}                                                                                          \
	SEC("?fexit/" #name) int name##_end(__u64 *ctx)                                            \
	{                                                                                          \
		return lock_begin(ctx);                                                            \
	}

/*
 * Noted when it begins, like any other: those that take the lock hold it for so short a time that what
 * is lost till the end of the function is much of it. Whether it succeeds is known at its end.
 */
#define TRYLOCK_FUNCTION(name)                                                                     \
	SEC("?fexit/" #name) int BPF_PROG(name##_end, raw_spinlock_t *lock, int got)               \
	{                                                                                          \
		if (ks_at_end)                                                                     \
			return got ? lock_begin(ctx) : 0;                                          \
		return got ? 0 : unlock_begin(ctx);                                                \
	}                                                                                          \
	SEC("?fentry/" #name) int name##_begin(__u64 *ctx)                                         \
	{                                                                                          \
		return lock_begin(ctx);                                                            \
	}

/* Attached in this order: what is noted must be taken off. */
UNLOCK_FUNCTION(_raw_spin_unlock)
UNLOCK_FUNCTION(_raw_spin_unlock_irq)
UNLOCK_FUNCTION(_raw_spin_unlock_irqrestore)
UNLOCK_FUNCTION(_raw_spin_unlock_bh)
LOCK_FUNCTION(_raw_spin_lock)
LOCK_FUNCTION(_raw_spin_lock_irq)
LOCK_FUNCTION(_raw_spin_lock_irqsave)
LOCK_FUNCTION(_raw_spin_lock_bh)
TRYLOCK_FUNCTION(_raw_spin_trylock)
TRYLOCK_FUNCTION(_raw_spin_trylock_bh)

/* ---- the slow path ---- */

static __always_inline bool is_held(const struct ks_lp_slot *s, __u64 lock)
{
	bool is = false;

	for (__u32 i = 0; i < KS_LP_DEPTH; i++)
		is |= s->held[i] == lock;
	return is;
}

/*
 * Waits whose end went unseen: a call that is under way when a program is attached to its function, or taken away, runs none at its
 * end. Who waits for a lock has it among those held. Where those are noted at their end wait[0] is taken before wait[1], so
 * what lies in wait[1] while wait[0] is free is a remainder.
 */
static __always_inline void drop_waits(struct ks_lp_slot *s)
{
	if (ks_at_end ? !s->wait[0].lock : !is_held(s, s->wait[1].lock))
		s->wait[1].lock = 0;
	if (!ks_at_end && !is_held(s, s->wait[0].lock))
		s->wait[0].lock = 0;
}

/* A third level of waiting is not published. */
static __always_inline void wait_begin(struct ks_lp_slot *s, __u64 lock)
{
	struct ks_lp_wait *w = &s->wait[0];

	drop_waits(s);
	if (w->lock)
		w = &s->wait[1];
	if (w->lock)
		return;
	w->since = bpf_ktime_get_ns();
	barrier();
	w->lock = lock;
}

/* A rwlock's slow path leads here as well, by a lock of its own that nobody sees taken or released. */
static __always_inline int slow_begin(void *ctx, void *lock)
{
	struct ks_lp_slot *s = this_slot();
	__u64 ip;

	if (ks_at_end ? from_spinlock(ctx, &ip, true) : is_held(s, (__u64)lock))
		wait_begin(s, (__u64)lock);
	return 0;
}

static __always_inline int slow_end(void *lock)
{
	struct ks_lp_slot *s = this_slot();

	if (s->wait[1].lock == (__u64)lock)
		s->wait[1].lock = 0;
	else if (s->wait[0].lock == (__u64)lock)
		s->wait[0].lock = 0;
	return 0;
}

#define SLOW_PATH(name)                                                                            \
	SEC("?fentry/" #name) int BPF_PROG(name##_begin, void *lock)                               \
	{                                                                                          \
		return slow_begin(ctx, lock);                                                      \
	}                                                                                          \
	SEC("?fexit/" #name) int BPF_PROG(name##_end, void *lock)                                  \
	{                                                                                          \
		return slow_end(lock);                                                             \
	}

SLOW_PATH(native_queued_spin_lock_slowpath)
SLOW_PATH(__pv_queued_spin_lock_slowpath)

/* ---- waiting for other CPUs to answer an IPI ---- */

#define SCF_WAIT 1u

SEC("?fentry/smp_call_function_many_cond")
int BPF_PROG(smp_call_begin, const struct cpumask *mask, void *func, void *info, unsigned int flags)
{
	struct ks_lp_slot *s;
	__u64 cpus = 0;

	if (!(flags & SCF_WAIT))
		return 0;
	s = this_slot();
	bpf_probe_read_kernel(&cpus, sizeof(cpus), mask);
	if (!s->wait[0].lock)
		s->wait[0].since = bpf_ktime_get_ns();
	barrier();
	s->ipi = cpus;
	return 0;
}

SEC("?fexit/smp_call_function_many_cond")
int BPF_PROG(smp_call_end, const struct cpumask *mask)
{
	this_slot()->ipi = 0;
	return 0;
}

/* ---- remainders ---- */

/* The run queue's; 0 if cores are scheduled as one, for then it is another run queue's. */
static __always_inline __u64 lock_at_switch(void)
{
	const struct rq___ks *rq = bpf_this_cpu_ptr(&runqueues);

	if (bpf_core_field_exists(struct rq___ks, core_enabled) && rq->core_enabled)
		return 0;
	return (__u64)rq + ks_offset(struct rq___ks, __lock);
}

/*
 * Held is that lock alone. Also if nobody saw that it was taken, for the thread that is switched away has been interrupted
 * in the middle of a lock program: until it is back, that does not run on this CPU.
 */
SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch)
{
	__u64 lock = lock_at_switch();
	struct ks_lp_slot *s = this_slot();

	s->wait[0].lock = 0;
	s->ipi = 0; /* newer kernels let a thread go that still has to wait for answers */
	s->held[0] = lock;
	for (__u32 i = 1; i < KS_LP_DEPTH; i++)
		s->held[i] = 0;
	return 0;
}

static __always_inline void drop_all(struct ks_lp_slot *s)
{
	for (__u32 i = 0; i < KS_LP_DEPTH; i++)
		s->held[i] = 0;
}

SEC("tp_btf/cpu_idle")
int BPF_PROG(cpu_idle, unsigned int state)
{
	if (state != (unsigned int)-1)
		drop_all(this_slot());
	return 0;
}

/* ---- is anything seen at all? ---- */

extern const void page_offset_base __ksym __weak; /* unsigned long */

/* Not if the kernel has its per-CPU variables elsewhere than in the direct mapping. */
static long find_preempt_count(__u32 cpu, void *ctx)
{
	volatile __u64 *at = &slot_of(cpu)->preempt;
	const void *count = ks_preempt_count(cpu);
	__u64 base = 0, phys;

	if (!count || bpf_probe_read_kernel(&base, sizeof(base), &page_offset_base))
		return 1;
	/* Pointers take no part in sums; what is read back is a number. */
	*at = (__u64)count;
	phys = *at - base;
	*at = phys < DIRECT_MOST ? phys : 0;
	return 0;
}

__u64 ks_trials;
__u64 ks_loader; /* its task_struct */

/*
 * Run when the loader asks for it, if programs run at the entry of functions at all. It does so before
 * the host hears of the pages.
 */
SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(fentry_trial)
{
	ks_trials++;
	if (!ks_loader) {
		ks_loader = bpf_get_current_task();
		bpf_loop(KS_LP_VCPUS, find_preempt_count, NULL, 0);
	}
	return 0;
}

static long disown_slot(__u32 cpu, void *ctx)
{
	ks_lp_slots[cpu & (KS_LP_VCPUS - 1)].cookie = 0;
	return 0;
}

/*
 * The loader was killed, and has not taken the cookie out itself. This comes before its files are
 * closed, so the programs still keep the slots true: at no time does a host find one that is not.
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(loader_exit)
{
	if (ks_loader && bpf_get_current_task() == ks_loader)
		bpf_loop(KS_LP_VCPUS, disown_slot, NULL, 0);
	return 0;
}
