/* SPDX-License-Identifier: GPL-2.0 */
/* What the policy vnuma-wake and its loader say to each other. */
#ifndef KVMSCHED_VNUMA_WAKE_H
#define KVMSCHED_VNUMA_WAKE_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define WAKE_MAX_CPUS 4096
#define WAKE_MAX_NODES 64
#define WAKE_WORDS (WAKE_MAX_CPUS / 64)

/* Per CPU; sums are what `status` shows. */
struct wake_counts {
	/* Threads that woke up (or were made, or had to leave their CPU) and ran at once: */
	__u64 prev_idle; /* ... where they had run before */
	__u64 node_idle; /* ... on another idle CPU of that node */
	__u64 any_idle;	 /* ... on an idle CPU of another node */
	__u64 preempted; /* ... in the place of one whose turn was later */
	__u64 queued;	 /* and those that had to wait for their turn */
	__u64 sooner; /* ... and not for an idle CPU that the host keeps waiting, for that would have been later */
	__u64 kept;	  /* a short sleeper was left where it is, or brought back */
	__u64 other_node; /* taken from the queue of another node, for there was nobody here */
	__u64 avoided;	  /* an idle CPU was passed over, for the host had it preempted lately */
	__u64 rescued;	  /* a waiting thread was sent to a CPU that had just become idle */
	__u64 polls;	  /* an idle CPU waited awake ... */
	__u64 poll_hits;  /* ... and was asked for meanwhile */
	__u64 poll_ns;
	__u64 halt_wakes; /* a thread was sent to an idle CPU that had not waited, or not long enough */
	__u64 halt_wake_ns; /* ... until it ran there */
	__u64 switches;
	__u64 run_ns;
	__u64 steal_ns; /* of the CPUs, by the guest's own account */
};

/* What the policy knows of a CPU. */
struct wake_cpu {
	__u64 vtime;	  /* of what runs there, as of vtime_at; 0 = nothing of ours */
	__u64 vtime_at;	  /* ns */
	__u64 turn_from;  /* since when it runs, or since when somebody waits for its place */
	__u64 rate;	  /* its virtual time per time, see bpf/cgroup_weight.bpf.h */
	__u64 ran_to;	  /* ns: what it ran until then is in the next one and in n.run_ns */
	__u64 wanted;	  /* ns that it ran or had to wait, since it was last judged by its steal */
	__u64 steal;	  /* ns, as of then */
	__u64 woken;	  /* ns of it since then that are put down to waking up */
	__u64 idle_steal; /* ns, when it became idle */
	__u64 run_at;	  /* ns, when what runs there began */
	__u64 run_steal;  /* ns, then */
	__u32 idle;	  /* its idle thread is current */
	__u32 look_for_old; /* has somebody waited here for too long? bpf/patience.bpf.h */
	__u64 looked_at;    /* ns, for that */
	__u32 doubt;	    /* there was some steal, too little to matter by itself */
	/* For bpf/idle_poll.bpf.h, if idle CPUs wait awake: */
	__u64 idle_at; /* ns, when it became idle, or ceased to be */
	__u64 idle_ns; /* how long it is idle, the later times counting more */
	__u64 halted_at; /* ns, when it stopped waiting awake, or did not begin; 0: it has not, this time */
	__u64 start_ns; /* how long a thread waits for it when it has halted, the later ones counting more */
	__u64 seen_clear; /* flags that its idle thread has been seen without */
	struct wake_counts n;
};

#endif /* KVMSCHED_VNUMA_WAKE_H */
