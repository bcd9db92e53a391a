/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which CPUs are idle, for vnuma-wake: masks of its own. The kernel's fair scheduler does not take an idle
 * vCPU whose host says that it is preempted; here the guest's idle loop has the word, and only a CPU
 * that was really kept waiting by the host lately comes last.
 *
 * A bit is taken with an atomic operation by whoever sends a thread there, and set again by the CPU
 * itself, under its own run queue's lock, when it is idle the next time.
 */
#ifndef KVMSCHED_IDLE_CPUS_BPF_H
#define KVMSCHED_IDLE_CPUS_BPF_H

#include "compat.bpf.h"
#include "steal.bpf.h"
#include "vnuma_wake.h"

const volatile __u32 nr_words = 1;
const volatile __u32 nr_nodes = 1;
const volatile __u64 node_cpus[WAKE_MAX_NODES][WAKE_WORDS];
const volatile __u8 cpu_node[WAKE_MAX_CPUS];
/* The other hardware thread of its core; itself if there is none (or several). */
const volatile __u16 sibling[WAKE_MAX_CPUS];
const volatile bool smt;

__u64 idle_cpus[WAKE_WORDS], online_cpus[WAKE_WORDS];
__u64 stolen_cpus
	[WAKE_WORDS]; /* the host kept them waiting lately; the loader clears it now and then */

#define NODE_ANY 0xffffffffu
#define CPU_WORD(cpu) (((u32)(cpu) / 64) & (WAKE_WORDS - 1))
#define CPU_BIT(cpu) (1ull << ((cpu) & 63))

static __always_inline u32 node_of(s32 cpu)
{
	u32 node = cpu_node[cpu & (WAKE_MAX_CPUS - 1)];

	return node < nr_nodes ? node : 0;
}

static __always_inline bool is_in(const u64 *mask, s32 cpu)
{
	return mask[CPU_WORD(cpu)] & CPU_BIT(cpu);
}

/* Written only if that changes it: others read it all the time. */
static __always_inline void put_in(u64 *mask, s32 cpu, bool in)
{
	if (is_in(mask, cpu) == in)
		return;
	if (in)
		__sync_fetch_and_or(&mask[CPU_WORD(cpu)], CPU_BIT(cpu));
	else
		__sync_fetch_and_and(&mask[CPU_WORD(cpu)], ~CPU_BIT(cpu));
}

/* Is it idle, and nobody else is sending a thread there? Then it is ours. */
static __always_inline bool claim(s32 cpu)
{
	if (!is_in(idle_cpus, cpu) || !is_in(online_cpus, cpu))
		return false;
	return __sync_fetch_and_and(&idle_cpus[CPU_WORD(cpu)], ~CPU_BIT(cpu)) & CPU_BIT(cpu);
}

/* Nobody was sent there after all: if it idles still, by its own word, others may have it. */
static __always_inline void unclaim(s32 cpu)
{
	struct wake_cpu *c = other_cpu(cpu);

	if (c && c->idle)
		put_in(idle_cpus, cpu, true);
}

/* Number of the lowest bit; m is not 0. Without a branch, for the verifier follows each of them. */
static __always_inline u32 lowest(u64 m)
{
	u64 below = (m & -m) - 1;

	below -= below >> 1 & 0x5555555555555555ull;
	below = (below & 0x3333333333333333ull) + (below >> 2 & 0x3333333333333333ull);
	below = (below + (below >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return below * 0x0101010101010101ull >> 56;
}

/* What may be had: any idle CPU, or not all of them? */
#define IDLE_WHOLE_CORE 1 /* both threads of its core are idle */
#define IDLE_STOLEN 2	  /* also one that the host kept waiting */

static __always_inline bool suits(s32 cpu, u32 which)
{
	if (which & IDLE_WHOLE_CORE && !is_in(idle_cpus, sibling[cpu & (WAKE_MAX_CPUS - 1)]))
		return false;
	return which & IDLE_STOLEN || !is_preempted(cpu);
}

/* Of a word of the masks, those that it may use. */
static __always_inline u64 allowed(const struct task_struct *p, u32 word)
{
	return ks_peek((u64)p->cpus_ptr + word * sizeof(u64));
}

/* One of these CPUs, claimed; -1 if there is none. */
static __always_inline s32 claim_of(u64 m, u32 word, u32 which)
{
	u32 i;

	bpf_for(i, 0, 64)
	{
		s32 cpu;

		if (!m)
			break;
		cpu = word * 64 + lowest(m);
		m &= m - 1;
		if (suits(cpu, which) && claim(cpu))
			return cpu;
	}
	return -1;
}

/* node: NODE_ANY for any; which: IDLE_*. (Not static: so it is verified once.) */
__noinline s32 claim_any(struct task_struct *p __arg_trusted, u32 node, u32 which)
{
	s32 cpu = -1;
	u32 i;

	bpf_for(i, 0, nr_words)
	{
		u32 w = i & (WAKE_WORDS - 1);
		u64 m = idle_cpus[w] & online_cpus[w];

		if (node != NODE_ANY)
			m &= node_cpus[node & (WAKE_MAX_NODES - 1)][w];
		if (!(which & IDLE_STOLEN))
			m &= ~stolen_cpus[w];
		if (m)
			cpu = claim_of(m & allowed(p, w), w, which);
		if (cpu >= 0)
			break;
	}
	return cpu;
}

/* which: IDLE_STOLEN, or without those. */
static __always_inline bool any_idle(u32 which)
{
	bool any = false;
	u32 i;

	bpf_for(i, 0, nr_words)
	{
		u32 w = i & (WAKE_WORDS - 1);

		any = any ||
		      idle_cpus[w] & online_cpus[w] & ~(which & IDLE_STOLEN ? 0 : stolen_cpus[w]);
	}
	return any;
}

#endif /* KVMSCHED_IDLE_CPUS_BPF_H */
