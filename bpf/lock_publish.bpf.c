// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's publisher: which spinlocks each CPU holds and wants, in pages that the host reads
 * (lock_page.h). What it costs is what every uncontended lock of the guest costs more, so there is
 * no clock, no atomic and no map look-up on that path: an entry is put on the CPU's stack of
 * locks when a lock function begins, and taken off when an unlock function does.
 *
 * A lock that is only about to be taken is published as held: at the entry of the lock function,
 * which is cheaper by 59 instructions than its end, nobody knows better. The slow path says that it
 * has to be waited for.
 *
 * The kernel does not run a program in an interrupt of itself. So an interrupt that comes in the
 * middle of one may take or release a lock unseen. That the two ends are matched by address keeps
 * such a miss from spoiling what comes after; what is left over goes at the next thread switch, for
 * then no lock is held but the run queue's.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "compat.bpf.h"
#include "lock_page.h"

char LICENSE[] SEC("license") = "GPL";

/* Locks are noted where the lock functions end, not where they begin. */
const volatile bool ks_at_end;

/* A map of its own, which the loader maps to find its pages. */
struct ks_lp_slot ks_lp_slots[KS_LP_VCPUS] SEC(".data.slots");

static __always_inline struct ks_lp_slot *this_slot(void)
{
	return &ks_lp_slots[bpf_get_smp_processor_id() & (KS_LP_VCPUS - 1)];
}

static __always_inline __u64 *held_at(struct ks_lp_slot *s, __u32 top)
{
	return (void *)s->held + (top & KS_LP_TOP_MASK);
}

/* The entry is taken, then filled in: an interrupt puts its own above it, and takes that away. */
static __always_inline int lock_begin(__u64 *ctx)
{
	struct ks_lp_slot *s = this_slot();
	__u32 top = (s->top + 8) & KS_LP_TOP_MASK;

	s->top = top;
	barrier();
	*held_at(s, top) = ctx[0];
	return 0;
}

/* Out of order, or never seen to be taken. */
static __noinline int unlock_slow(__u64 *ctx)
{
	struct ks_lp_slot *s = this_slot();
	__u32 top = s->top, at = top, i;
	__u64 lock = ctx[0];

	for (i = 0; i < KS_LP_DEPTH; i++) {
		if (!(at & KS_LP_TOP_MASK))
			return 0;
		if (*held_at(s, at) == lock)
			break;
		at -= 8;
	}
	for (i = 0; i < KS_LP_DEPTH && at < top; i++, at += 8)
		*held_at(s, at) = *held_at(s, at + 8);
	s->top = (top - 8) & KS_LP_TOP_MASK;
	return 0;
}

/* The first entry is no lock's address: nothing held, nothing found. */
static __always_inline int unlock_begin(__u64 *ctx)
{
	struct ks_lp_slot *s = this_slot();
	__u32 top = s->top & KS_LP_TOP_MASK;

	if (__builtin_expect(*held_at(s, top) != ctx[0], 0))
		return unlock_slow(ctx);
	s->top = top - 8;
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

/* Whether it succeeds is known at its end alone. */
#define TRYLOCK_FUNCTION(name)                                                                     \
	SEC("?fexit/" #name) int BPF_PROG(name##_end, raw_spinlock_t *lock, int got)               \
	{                                                                                          \
		return got ? lock_begin(ctx) : 0;                                                  \
	}

/* Attached in this order: what is put on the stack must be taken off. */
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

/* wait[0] is taken before wait[1], so what lies in wait[1] while wait[0] is free is a remainder. */
static __always_inline void wait_begin(struct ks_lp_slot *s, __u64 lock)
{
	struct ks_lp_wait *w = &s->wait[0];

	s->wait[1].lock = 0;
	if (w->lock)
		w = &s->wait[1];
	w->since = bpf_ktime_get_ns();
	barrier();
	w->lock = lock;
}

/*
 * A rwlock's slow path leads here as well, by a lock of its own that nobody sees released: it is
 * not on the stack.
 */
static __always_inline int slow_begin(void *lock)
{
	struct ks_lp_slot *s = this_slot();

	if (ks_at_end || *held_at(s, s->top) == (__u64)lock)
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
		return slow_begin(lock);                                                           \
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
	__u64 cpus = 0;

	if (!(flags & SCF_WAIT))
		return 0;
	bpf_probe_read_kernel(&cpus, sizeof(cpus), mask);
	this_slot()->ipi = cpus;
	return 0;
}

SEC("?fexit/smp_call_function_many_cond")
int BPF_PROG(smp_call_end, const struct cpumask *mask)
{
	this_slot()->ipi = 0;
	return 0;
}

/* ---- remainders ---- */

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch)
{
	struct ks_lp_slot *s = this_slot();
	__u32 top = s->top & KS_LP_TOP_MASK;

	s->wait[0].lock = 0;
	if (top <= 8)
		return 0;
	s->held[1] = *held_at(s, top);
	barrier();
	s->top = 8;
	return 0;
}

SEC("tp_btf/cpu_idle")
int BPF_PROG(cpu_idle, unsigned int state)
{
	if (state != (unsigned int)-1)
		this_slot()->top = 0;
	return 0;
}

/* ---- is anything seen at all? ---- */

__u64 ks_trials;

static __u64 loader; /* its task_struct */

/*
 * Run when the loader asks for it, if programs run at the entry of functions at all. It does so before
 * the host hears of the pages.
 */
SEC("?fentry/bpf_fentry_test1")
int BPF_PROG(fentry_trial)
{
	ks_trials++;
	if (!loader)
		loader = bpf_get_current_task();
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
	if (loader && bpf_get_current_task() == loader)
		bpf_loop(KS_LP_VCPUS, disown_slot, NULL, 0);
	return 0;
}
