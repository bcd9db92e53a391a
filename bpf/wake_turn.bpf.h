/* SPDX-License-Identifier: GPL-2.0 */
/* vnuma-wake: whose turn it is on a CPU that looks for somebody, and who waits though another one idles. */
#ifndef KVMSCHED_WAKE_TURN_BPF_H
#define KVMSCHED_WAKE_TURN_BPF_H

#include "idle_cpus.bpf.h"
#include "patience.bpf.h"
#include "steal.bpf.h"
#include "wake_state.bpf.h"
#include "wake_where.bpf.h"

/* The nodes in whose queues somebody waits, a bit each. */
static __always_inline u64 waiting_nodes(void)
{
	u64 nodes = 0;
	u32 i;

	bpf_for(i, 0, nr_nodes)
	{
		nodes |= (u64)(scx_bpf_dsq_nr_queued(i) > 0) << (i & 63);
	}
	return nodes;
}

static __always_inline bool has_node(u64 nodes, u32 node)
{
	return nodes >> (node & 63) & 1;
}

#define NO_DSQ (~0ull)

struct turn {
	u64 dsq, vtime;
	bool found;
};

static __always_inline void consider(struct turn *turn, s32 cpu, u64 dsq, u64 late)
{
	u64 vtime;

	if (!scx_bpf_dsq_nr_queued(dsq) || !first_of(dsq, cpu, &vtime))
		return;
	if (turn->found && !before(vtime + late, turn->vtime))
		return;
	*turn = (struct turn){ .dsq = dsq, .vtime = vtime, .found = true };
}

/* From another node: one that does not come back to its own in a moment, if there is one. (Not static: so it is verified once.) */
__noinline int take_from(s32 cpu, u32 dsq)
{
	struct wake_cpu *c = other_cpu(cpu);
	struct task_struct *p;
	bool taken = false;
	u32 passed = 0;

	if (!c)
		return false;
	bpf_for_each(scx_dsq, p, dsq, 0)
	{
		struct wake_task *t = task_of(p);

		if (taken || passed >= LOOKED_AT)
			break;
		if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr) || (t && is_short_sleeper(t))) {
			passed++;
			continue;
		}
		taken = scx_move(BPF_FOR_EACH_ITER, p, DSQ_LOCAL, 0);
		passed++;
	}
	if (taken)
		c->n.kept += passed > 1;
	else
		taken = scx_take(dsq);
	c->n.other_node += taken;
	return taken;
}

/* Of the queue whose turn it is; the first ones in it may all be for other CPUs. */
static __always_inline bool take_own(s32 cpu, u32 node, const struct turn *own)
{
	if (!scx_take(own->dsq))
		return scx_take(own->dsq == node ? PINNED | cpu : node);
	if (before(vtime_now, own->vtime))
		vtime_now = own->vtime;
	return true;
}

/* Whose turn it seemed may not run here: then whoever may. */
static __always_inline bool take_any(s32 cpu, u32 node, u64 nodes)
{
	bool taken = scx_take(PINNED | cpu) || scx_take(node);
	u32 i;

	bpf_for(i, 0, nr_nodes)
	{
		if (taken)
			break;
		if (i != node && has_node(nodes, i))
			taken = take_from(cpu, i);
	}
	return taken;
}

/*
 * The next one for this CPU: of those that are bound to it, those of its node and the one whose slice is
 * over (if there is one: goes_on), whose turn is first. Another node's only if there is nobody, or if that
 * one waits a good deal longer. nodes: in whose queues somebody waits. Returns whether one was taken from a queue.
 */
__noinline int take_next(s32 cpu, u64 prev_vtime, bool goes_on, u64 nodes)
{
	struct turn own = { .dsq = NO_DSQ, .vtime = prev_vtime, .found = goes_on }, turn;
	struct wake_cpu *c = other_cpu(cpu);
	u32 i, node = node_of(cpu);

	if (!c || (!nodes && !scx_bpf_dsq_nr_queued(PINNED | cpu)))
		return false;
	if (bpf_ktime_get_ns() - c->turn_from > TURN_MOST_NS)
		own.found = false; /* for those who wait here */
	consider(&own, cpu, PINNED | cpu, 0);
	if (has_node(nodes, node))
		consider(&own, cpu, node, 0);
	if (own.dsq == NO_DSQ)
		own.found = goes_on;
	turn = own;
	bpf_for(i, 0, nr_nodes)
	{
		if (i != node && has_node(nodes, i))
			consider(&turn, cpu, i, NODE_SLICES * slice_ns);
	}
	if (!turn.found || turn.dsq == NO_DSQ)
		return false;
	if (turn.dsq != own.dsq && take_from(cpu, turn.dsq))
		return true;
	if (own.dsq != NO_DSQ && take_own(cpu, node, &own))
		return true;
	return !goes_on && take_any(cpu, node, nodes);
}

/* Per node: those who wait there may not use any CPU that idles, so there is nobody to rescue until then. */
__u64 nobody_until[WAKE_MAX_NODES];

/* which: as any_idle()'s, here and below. */
static __always_inline bool may_rescue(u32 node, u32 which)
{
	u64 until = nobody_until[node & (WAKE_MAX_NODES - 1)];

	return any_idle(which) && (!until || !before(bpf_ktime_get_ns(), until));
}

/* Another CPU of it idles. */
static __always_inline void look_again(u32 node)
{
	if (nobody_until[node & (WAKE_MAX_NODES - 1)])
		nobody_until[node & (WAKE_MAX_NODES - 1)] = 0;
}

/*
 * Somebody was put into a queue while a CPU went idle that had looked there a moment before: nobody else
 * will tell that CPU.
 */
__noinline int rescue(u32 node, u32 which)
{
	struct wake_cpu *c = this_cpu();
	struct task_struct *p;
	bool nobody = false;
	u32 looked = 0;
	s32 cpu;

	if (!c)
		return 0;
	bpf_for_each(scx_dsq, p, node, 0)
	{
		if (looked++ >= LOOKED_AT)
			break;
		cpu = claim_any(p, NODE_ANY, which);
		nobody = cpu < 0;
		if (nobody)
			continue;
		if (scx_move(BPF_FOR_EACH_ITER, p, DSQ_LOCAL_ON | cpu, 0))
			c->n.rescued++;
		else
			unclaim(cpu);
		break;
	}
	if (nobody && which)
		nobody_until[node & (WAKE_MAX_NODES - 1)] = bpf_ktime_get_ns() + NOBODY_NS;
	return 0;
}

#endif /* KVMSCHED_WAKE_TURN_BPF_H */
