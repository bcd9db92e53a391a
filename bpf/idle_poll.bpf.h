/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU that was idle for moments only of late waits awake before it halts, for twice as long as it takes to get a halted
 * one going: who wakes a thread up for it then sends no interrupt, and nobody waits until the host has put the vCPU on a
 * pCPU again. (To wait as long as the alternative costs, and no longer: Karlin et al., SOSP 1991. Twice, for the thread
 * that it waits for may have been waiting for a halted CPU itself.) Not where the host has others for that pCPU, nor
 * where the other hardware thread of the core has work.
 *
 * It waits where the kernel's idle loop begins: interrupts are on, no lock is held, and other CPUs have been told
 * that this one looks at its flags (TIF_POLLING_NRFLAG), so that they set one instead of sending an interrupt.
 */
#ifndef KVMSCHED_IDLE_POLL_BPF_H
#define KVMSCHED_IDLE_POLL_BPF_H

#include "idle_cpus.bpf.h"
#include "steal.bpf.h"
#include "vnuma_wake.h"

const volatile __u64 poll_ns; /* at most so long; 0: never */

#define POLL_LOOKS 1000000 /* the time is over before that; the verifier wants a number */
#define IDLE_MOST 4	   /* times poll_ns: longer idle times count for no more than that */

static __always_inline u64 poll_limit(const struct wake_cpu *c)
{
	return 2 * c->start_ns < poll_ns ? 2 * c->start_ns : poll_ns;
}

/* It becomes idle, or no longer is. */
static __always_inline void note_idle_time(struct wake_cpu *c, bool idle)
{
	u64 now, ns;

	if (!poll_ns || c->idle == idle)
		return;
	now = bpf_ktime_get_ns();
	if (!idle) {
		ns = now - c->idle_at;
		if (ns > IDLE_MOST * poll_ns)
			ns = IDLE_MOST * poll_ns;
		c->idle_ns = (3 * c->idle_ns + ns) / 4;
	}
	c->idle_at = now;
}

/* A thread that was sent here at that time, for this CPU was idle, runs now. */
static __always_inline void note_start(struct wake_cpu *c, u64 sent_at, u64 now)
{
	if (!c->halted)
		return;
	c->start_ns = (7 * c->start_ns + (now - sent_at)) / 8;
	c->n.halt_wakes++;
	c->n.halt_wake_ns += now - sent_at;
}

static __always_inline bool is_worth_polling(const struct wake_cpu *c, s32 cpu)
{
	s32 other = sibling[cpu & (WAKE_MAX_CPUS - 1)];

	if (!c->idle || c->idle_ns >= poll_limit(c) || is_in(stolen_cpus, cpu))
		return false;
	return other == cpu || is_in(idle_cpus, other);
}

/*
 * Has another CPU, or an interrupt, asked for this one? Which bit of the flags says so differs between kernels: any
 * does that the idle loop has been seen without.
 */
static __always_inline bool is_called(struct wake_cpu *c)
{
	struct task_struct *idle = bpf_get_current_task_btf();
	u64 flags = *(volatile unsigned long *)&idle->thread_info.flags;

	c->unset |= ~flags;
	return flags & c->unset;
}

/* Returns whether it was asked for meanwhile. */
static __always_inline bool poll_idle(struct wake_cpu *c)
{
	u64 from = bpf_ktime_get_ns(), now = from, limit = poll_limit(c);
	bool called = false;
	u32 i;

	bpf_for(i, 0, POLL_LOOKS)
	{
		called = is_called(c);
		if (called || now - from >= limit)
			break;
		now = bpf_ktime_get_ns();
	}
	c->n.polls++;
	c->n.poll_hits += called;
	c->n.poll_ns += now - from;
	return called;
}

SEC("fentry/tick_nohz_idle_enter")
int wake_poll(void *ctx)
{
	struct wake_cpu *c = this_cpu();

	if (c)
		c->halted = !is_worth_polling(c, bpf_get_smp_processor_id()) || !poll_idle(c);
	return 0;
}

#endif /* KVMSCHED_IDLE_POLL_BPF_H */
