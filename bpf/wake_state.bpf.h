/* SPDX-License-Identifier: GPL-2.0 */
/* What vnuma-wake knows of a thread, and what its loader has told it. */
#ifndef KVMSCHED_WAKE_STATE_BPF_H
#define KVMSCHED_WAKE_STATE_BPF_H

#include "cgroup_weight.bpf.h"
#include "scx.bpf.h"
#include "vnuma_wake.h"

const volatile __u64 slice_ns = 3000000;
/* Who sleeps for less, usually, is a short sleeper. */
const volatile __u64 short_ns = 1000000;
const volatile __u32 nr_cpus = 1; /* highest possible number + 1 */

/* Threads that run for moments only need not go to vCPUs that the host keeps waiting: wake_where.bpf.h. */
const volatile bool gather = true;

#define OWED_MAX_NS 100000000ull
#define NODE_SLICES 4 /* memory of another node costs time, too */
#define LONE_SLICES (2 * NODE_SLICES)
#define AHEAD_SLICES 8
#define NOBODY_NS 4000000ull
#define AWAKE_MOST_NS 8000000ull /* who runs for longer runs for long */
#define AWAY_MAX 8		 /* so often in a row on another CPU: it is at home there */
#define PINNED (1ull << 20)	 /* queue of a CPU */

struct wake_task {
	u64 vtime;     /* ns of a thread that has all weight there is */
	u64 rate;      /* virtual time per time, in RATE_ONE ... */
	u64 rate_at;   /* ... as of then */
	u64 paid;      /* of the time that the kernel says it had, so much is in vtime */
	u64 uncharged; /* ns of it that its cgroup has not in its sum yet */
	u64 slept_at;  /* since then; 0: it does not sleep */
	u64 since;     /* waits in a queue since then */
	u64 sent_at;   /* then, to another CPU that was idle; 0: it was not, or has run since */
	u64 sleep_ns;  /* how long it sleeps, the later ones counting more */
	u64 awake_ns; /* how long it runs from one sleep to the next, the later ones counting more */
	u64 ran; /* of the time that the kernel says it had, so much was before its last sleep; 0: has not slept */
	u64 stolen;  /* of all that time: the host had other things on the CPU */
	u32 sleeps;  /* so many have been seen, up to 4 */
	s32 counted; /* weight that is in its cgroup's sum */
	s32 sent_to; /* this CPU + 1 was claimed for it, and it has not run since; 0: none was */
	s32 home;    /* of a short sleeper: the CPU that it belongs to; else where it ran last */
	u32 away;
	bool yielded; /* sched_yield(2): others first, once */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct wake_task);
} tasks SEC(".maps");

static __always_inline struct wake_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static __always_inline u64 priced(u64 ns, u64 rate)
{
	return ns * rate / RATE_ONE;
}

#endif /* KVMSCHED_WAKE_STATE_BPF_H */
