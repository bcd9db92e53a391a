/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What part of the machine is due to a thread, by its own weight and the weights of the cgroups that it
 * is in, for a scheduler with one queue for all: not the thread's time is divided, but its price
 * changed. In each cgroup its threads and the cgroups below it share by weight, those alone that have
 * somebody who wants to run; the root's threads count beside the cgroups next to it, as in the
 * kernel's own fair scheduler. The sums are those of the last tick, or of the moment in which a stretch of running ends
 * (up to twice WEIGHT_AGE_NS before), taken for the time since the tick before.
 *
 * Threads that sleep in turn each have a claim of their own, which is never used up. So what they had while somebody waited
 * is added up for the cgroup that they are in, too, and none of them is far behind that.
 */
#ifndef KVMSCHED_CGROUP_WEIGHT_BPF_H
#define KVMSCHED_CGROUP_WEIGHT_BPF_H

#include "scx.bpf.h"

#define WEIGHT_AGE_NS 1000000ull
#define WEIGHT_DEPTH 16 /* of deeper cgroups the upper ones count */
#define RATE_ONE (1ull << 16)
#define RATE_MAX (1ull << 32)
#define GROUP_SLICES                                                                               \
	4 /* so far behind its cgroup a thread may be, and the cgroup twice that ahead of others */

extern struct cgroup *scx_bpf_task_cgroup(struct task_struct *p) __ksym;
extern struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgrp, int level) __ksym;
extern void bpf_cgroup_release(struct cgroup *cgrp) __ksym;

struct group {
	struct bpf_spin_lock lock; /* of the next three */
	s32 members;		   /* threads that want to run, and cgroups with such threads */
	u32 weight;
	u32 counted; /* weight that is in the sum of the cgroup above */
	s64 sum;     /* of its members' weights; atomic */
	u64 dear;    /* what its threads pay more than the root's, in RATE_ONE ... */
	u64 whole;   /* ... and what all of them pay together, whoever of them runs ... */
	u64 dear_at; /* ... as of then */
	u64 vtime;   /* of all of them; what they had while nobody at all waited is not in it */
};

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct group);
} groups SEC(".maps");

static __always_inline struct group *group_of(struct cgroup *cgrp)
{
	return bpf_cgrp_storage_get(&groups, cgrp, 0, 0);
}

/* Its group; NULL for the root, whose threads count beside the cgroups next to it. */
static __always_inline struct group *below_root(struct cgroup *cgrp)
{
	return cgrp->level ? group_of(cgrp) : NULL;
}

/* One member more or less: how the weight changes that it has in the cgroup above. */
static __always_inline s32 count_member(struct group *g, s32 more)
{
	s32 change = 0;

	bpf_spin_lock(&g->lock);
	g->members += more;
	if (more > 0 && g->members == 1) {
		g->counted = g->weight;
		change = g->counted;
	} else if (more < 0 && !g->members) {
		change = -(s32)g->counted;
		g->counted = 0;
	}
	bpf_spin_unlock(&g->lock);
	return change;
}

/* group_dear() prices no level below that: who is there counts as if it were there itself. */
static __always_inline int priced_level(int level)
{
	return level < WEIGHT_DEPTH ? level : WEIGHT_DEPTH - 1;
}

/*
 * From a cgroup upwards: one member more (more = 1) or less (-1) of that weight. One that has ended is in no
 * sum any more, nor are those in it. The root's sum is not needed, and all CPUs would write it all the time.
 */
__noinline int count_upwards(struct cgroup *cgrp __arg_trusted, int level, s32 change, s32 more)
{
	u32 i;

	level = priced_level(level);
	bpf_for(i, 0, WEIGHT_DEPTH)
	{
		struct cgroup *at;
		struct group *g;

		if (level <= (int)i || !change)
			break;
		at = bpf_cgroup_ancestor(cgrp, level - (int)i);
		if (!at)
			break;
		g = group_of(at);
		bpf_cgroup_release(at);
		if (!g)
			break;
		__sync_fetch_and_add(&g->sum, change);
		change = count_member(g, more);
	}
	return 0;
}

/* A thread in this cgroup wants to run from now on (weight > 0), or no longer. */
static __always_inline void group_count(struct cgroup *cgrp, s32 weight)
{
	count_upwards(cgrp, cgrp->level, weight, weight > 0 ? 1 : -1);
}

/* It ends; threads that are just ending may still be in it. */
static __always_inline void group_end(struct cgroup *cgrp)
{
	struct group *g = group_of(cgrp);
	s32 counted;

	if (!g)
		return;
	bpf_spin_lock(&g->lock);
	counted = g->counted;
	g->counted = 0;
	g->members = 0;
	bpf_spin_unlock(&g->lock);
	count_upwards(cgrp, cgrp->level - 1, -counted, -1);
	bpf_cgrp_storage_delete(&groups, cgrp);
}

/* The weight of a runnable thread has changed. */
static __always_inline void group_reweigh(struct cgroup *cgrp, s32 change)
{
	struct cgroup *at = bpf_cgroup_ancestor(cgrp, priced_level(cgrp->level));
	struct group *g;

	if (!at)
		return;
	g = group_of(at);
	if (g)
		__sync_fetch_and_add(&g->sum, change);
	bpf_cgroup_release(at);
}

/* That of a cgroup has. */
static __always_inline void group_set_weight(struct cgroup *cgrp, u32 weight)
{
	struct group *g = group_of(cgrp), *up = NULL;
	struct cgroup *above;
	s32 change = 0;

	if (!g)
		return;
	bpf_spin_lock(&g->lock);
	g->weight = weight;
	if (g->members > 0) {
		change = (s32)weight - (s32)g->counted;
		g->counted = weight;
	}
	bpf_spin_unlock(&g->lock);
	above = cgrp->level > 1 ? bpf_cgroup_ancestor(cgrp, cgrp->level - 1) : NULL;
	if (!above)
		return;
	up = group_of(above);
	if (up)
		__sync_fetch_and_add(&up->sum, change);
	bpf_cgroup_release(above);
}

static __always_inline u64 capped(u64 rate)
{
	return rate < RATE_MAX ? rate : RATE_MAX;
}

/* From the root down: each level's price times its sum, divided by its weight. */
__noinline u64 group_dear(struct cgroup *cgrp __arg_trusted)
{
	u64 dear = RATE_ONE;
	int level;

	bpf_for(level, 1, WEIGHT_DEPTH)
	{
		struct cgroup *at;
		struct group *g;

		if (level > cgrp->level)
			break;
		at = bpf_cgroup_ancestor(cgrp, level);
		if (!at)
			break;
		g = group_of(at);
		bpf_cgroup_release(at);
		if (!g || !g->weight)
			continue;
		if (level == cgrp->level)
			g->whole = capped(dear * 100 / g->weight);
		if (g->sum <= 0)
			continue;
		dear = capped(dear * (u64)g->sum / g->weight);
	}
	return dear;
}

/* Virtual time per time of a thread of this weight in this cgroup, in RATE_ONE. */
static __always_inline u64 group_rate(struct cgroup *cgrp, u32 weight, u64 now)
{
	struct group *g = below_root(cgrp);
	u64 dear = RATE_ONE;

	if (g) {
		if (now - g->dear_at > WEIGHT_AGE_NS) {
			g->dear = group_dear(cgrp);
			g->dear_at = now;
		}
		dear = g->dear;
	}
	return capped(dear * 100 / (weight ? weight : 1));
}

/* A thread in it had so much while others waited. */
static __always_inline void group_charge(struct cgroup *cgrp, u64 ns)
{
	struct group *g = below_root(cgrp);

	if (g)
		__sync_fetch_and_add(&g->vtime, ns * g->whole / RATE_ONE);
}

/*
 * What a thread in it, counted already, is to be charged with at least: what all of them had, but for some slices. Who sleeps
 * while others of it run has no claim from before that, and who runs beside such threads pays for what they had. For the cgroup the rules are those for a
 * thread: it keeps a slice if it wakes up with this thread, else `owed`, and of what it had more than others only some slices count.
 */
static __always_inline u64 group_least(struct cgroup *cgrp, u64 slice, u64 owed, bool wakes)
{
	struct group *g = below_root(cgrp);
	u64 least, most, some;

	if (!g)
		return vtime_now - owed;
	some = GROUP_SLICES * (slice * g->whole / RATE_ONE);
	if (some < slice) /* what any thread keeps that wakes up */
		some = slice;
	least = vtime_now - (wakes && g->members == 1 ? slice : owed);
	most = vtime_now + 2 * some;
	if (before(g->vtime, least))
		g->vtime = least;
	else if (before(most, g->vtime))
		g->vtime = most;
	return g->vtime - some;
}

#endif /* KVMSCHED_CGROUP_WEIGHT_BPF_H */
