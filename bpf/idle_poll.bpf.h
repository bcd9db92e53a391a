/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU that was idle for moments only of late waits awake before it halts, for twice as long as it takes to get a halted
 * one going: who wakes a thread up for it then sends no interrupt, and nobody waits until the host has put the vCPU on a
 * pCPU again. (To wait as long as the alternative costs, and no longer: Karlin et al., SOSP 1991. Twice, for the thread
 * that it waits for may have been waiting for a halted CPU itself.) Not while the host keeps that vCPU waiting, nor
 * while the other hardware thread of the core has work.
 *
 * It waits where the kernel's idle loop begins: interrupts are on, no lock is held, the time counts as idle, and other
 * CPUs have been told that this one looks at its flags (TIF_POLLING_NRFLAG), so that they set one instead of sending an
 * interrupt.
 */
#ifndef KVMSCHED_IDLE_POLL_BPF_H
#define KVMSCHED_IDLE_POLL_BPF_H

#include "idle_cpus.bpf.h"
#include "steal.bpf.h"
#include "vnuma_wake.h"

const volatile __u64 poll_ns; /* at most so long; 0: never */
bool hooked;		      /* the loader: wake_poll() is attached */

#define POLL_LOOKS 1000000 /* the time is over before that; the verifier wants a number */
#define IDLE_MOST 4	   /* times poll_ns: longer idle times count for no more than that */
#define FORGET_PART 1024   /* of start_ns, with each idle time that was not halted */

/* Do CPUs wait awake, and say when they do not any more? */
static __always_inline bool polls(void)
{
	return poll_ns && hooked;
}

static __always_inline u64 poll_limit(const struct wake_cpu *c)
{
	return at_most(2 * c->start_ns, poll_ns);
}

/* It becomes idle, or no longer is. */
static __always_inline void becomes_idle(struct wake_cpu *c, s32 cpu, bool idle)
{
	u64 now;

	if (poll_ns && c->idle != idle) {
		now = bpf_ktime_get_ns();
		if (!idle)
			c->idle_ns =
				(3 * c->idle_ns + at_most(now - c->idle_at, IDLE_MOST * poll_ns)) /
				4;
		c->idle_at = now;
	}
	note_idle(c, cpu, idle, !polls() || c->halted_at);
	if (idle)
		c->halted_at = 0;
}

/* A thread runs here that was sent here at that time, for this CPU was idle: had it halted by then? */
static __always_inline void note_start(struct wake_cpu *c, u64 sent_at, u64 now)
{
	u64 ns = now - sent_at;

	if (!c->halted_at || before(sent_at, c->halted_at) || before(now, sent_at))
		return;
	c->n.halt_wakes++;
	c->n.halt_wake_ns += ns;
	c->start_ns = (7 * c->start_ns + at_most(ns, poll_ns)) / 8;
}

/* Has the other hardware thread of its core work, which waiting here would slow down? */
static __always_inline bool has_busy_sibling(s32 cpu)
{
	s32 other = sibling[cpu & (WAKE_MAX_CPUS - 1)];

	return other != cpu && !is_in(idle_cpus, other);
}

static __always_inline bool is_worth_polling(const struct wake_cpu *c, s32 cpu)
{
	return c->idle && c->idle_ns < poll_limit(c) && !is_in(stolen_cpus, cpu) &&
	       !has_busy_sibling(cpu);
}

/*
 * Has another CPU, or an interrupt, asked for this one? Which bit of the flags says so differs between kernels: any
 * does that the idle loop has been seen without.
 */
static __always_inline bool is_called(struct wake_cpu *c)
{
	struct task_struct *idle = bpf_get_current_task_btf();
	u64 flags = *(volatile unsigned long *)&idle->thread_info.flags;

	c->seen_clear |= ~flags;
	return flags & c->seen_clear;
}

/* Until somebody asks for it, which it returns, or the time is over: from when it became idle, however often it comes here. */
static __always_inline bool poll_idle(struct wake_cpu *c, s32 cpu)
{
	u64 from = bpf_ktime_get_ns(), now = from, limit = poll_limit(c);
	bool called = false;
	u32 i;

	if (now - c->idle_at >= limit)
		return false;
	bpf_for(i, 0, POLL_LOOKS)
	{
		called = is_called(c);
		if (called || now - c->idle_at >= limit || has_busy_sibling(cpu))
			break;
		now = bpf_ktime_get_ns();
	}
	c->n.polls++;
	c->n.poll_hits += called;
	c->n.poll_ns += now - from;
	return called;
}

SEC("?fexit/tick_nohz_idle_enter")
int wake_poll(void *ctx)
{
	s32 cpu = bpf_get_smp_processor_id();
	struct wake_cpu *c = this_cpu();

	/* Once the kernel has thrown the scheduler out nobody says any more what is idle. */
	if (!c || exit_kind || is_called(c))
		return 0;
	/* Less with each time: what is no longer known from halts is found too little, and measured again. */
	if (is_worth_polling(c, cpu) && poll_idle(c, cpu))
		c->start_ns -= c->start_ns / FORGET_PART;
	else
		c->halted_at = bpf_ktime_get_ns();
	return 0;
}

#endif /* KVMSCHED_IDLE_POLL_BPF_H */
