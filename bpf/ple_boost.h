/* SPDX-License-Identifier: GPL-2.0 */
/* What the policy ple-boost and its loader say to each other. */
#ifndef KVMSCHED_PLE_BOOST_H
#define KVMSCHED_PLE_BOOST_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define BOOST_MAX_VMS 1024
#define BOOST_MAX_NODES 64
#define BOOST_MAX_CPUS 8192
#define BOOST_PRICE_NS 1024
#define BOOST_GAP_NS 1000000 /* as `ple-trace --burst-gap` is unless told otherwise */

/* A VM under the policy; number 0 stands for threads of no VM that is known. */
struct boost_vm {
	__u32 weight;  /* of its cgroup, 100 = usual; 0: each vCPU counts for itself */
	__u32 active;  /* vCPUs that run or want to */
	__u64 vtime;   /* ns of a VM of weight 100, if it has one: what all its vCPUs had */
	__u64 pass_ns; /* how long one runs that was boosted for a lock, until it spins again */
};

/* Per CPU; sums are what `status` shows. */
struct boost_counts {
	__u64 ple;	/* PLE exits of vCPUs under the policy */
	__u64 bursts;	/* ... of one vCPU, each within BOOST_GAP_NS of the last, are one */
	__u64 asked;	/* KVM named a candidate for a directed yield */
	__u64 boosted;	/* a vCPU ran next because another one spun */
	__u64 kernel;	/* ... of them, preempted in the guest's kernel */
	__u64 remote;	/* ... not among them: on another pCPU, where its affinity binds it */
	__u64 none;	/* a slice was given up, and no vCPU of the VM was waiting for a pCPU */
	__u64 given;	/* slices given up, with a candidate or without */
	__u64 given_ns; /* what was left of them, where KVM named a candidate */
	__u64 switches; /* a vCPU got a pCPU */
	__u64 run_ns;	/* time on pCPUs of vCPUs under the policy */
	__u64 react_ns; /* from the PLE exit to the boost, of all boosts here */
	/* holder-boost, what the guest's lock page said at a PLE exit: */
	__u64 exact;	    /* of the boosts: the very vCPU that it named */
	__u64 says_holder;  /* who holds the lock */
	__u64 says_waiter;  /* nobody; who is next */
	__u64 says_self;    /* nobody; the spinner itself is next */
	__u64 says_ipi;	    /* who has not answered an IPI yet */
	__u64 says_nothing; /* it waits for nothing that is published */
	__u64 no_page;	/* no page of this VM is believed, or none of its slots is this vCPU's */
	__u64 no_proof; /* it could not be read just now, or is no longer the publisher's */
	__u64 graces; /* a slice was over, and its vCPU, which held a lock, went on for a moment */
	__u64 graced_ns; /* ... for so long, in all */
	__u64 overdrawn; /* ... by more than a quarter longer than granted: the timer came late */
	__u64 handed;	 /* a vCPU that was boosted for a lock got its pCPU */
	__u64 parted;	 /* ... and gave way to the next in line, when it had let go of all locks */
	__u64 rescued; /* a vCPU whose pCPU a higher class took, or that waited unseen, went to an idle one */
};

/* What the policy knows of a CPU. */
struct boost_cpu {
	__u32 vm;	    /* its next vCPU is to be of this VM; 0 = any */
	__u32 end_slice;    /* KVM found no candidate: the slice is to end all the same */
	__u32 runs;	    /* the VM whose vCPU runs here */
	__u32 ticked;	    /* since it looked for a CPU that idles though somebody waits */
	__u32 look_for_old; /* has somebody waited here for too long? bpf/patience.bpf.h */
	__u64 looked_at;    /* ns, for that */
	__u64 vtime;	    /* of that vCPU, 0 = none */
	__u64 ran_from;
	__u64 price; /* virtual ns that BOOST_PRICE_NS of it cost */
	struct boost_counts n;
};

/* A thread that ran a vCPU for the first time. */
struct boost_new {
	__u32 tgid, tid;
};

#endif /* KVMSCHED_PLE_BOOST_H */
