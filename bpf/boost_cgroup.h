/* SPDX-License-Identifier: GPL-2.0 */
/* What ple-boost's programs for kernels without sched_ext and their loader say to each other. */
#ifndef KVMSCHED_BOOST_CGROUP_H
#define KVMSCHED_BOOST_CGROUP_H

#include "ple_boost.h"

#define TURN_MAX_VCPUS 4096 /* under the policy at a time; numbers from 1 */
#define TURN_VM_VCPUS 512   /* of one VM that are looked at */

/* A vCPU under the policy; its number is its index. */
struct turn_vcpu {
	__u64 kvm_vcpu; /* the kernel's, 0 = not seen yet */
	__u64 last_ple;
	__u64 since;	/* off its pCPU since */
	__u64 ran_from; /* on it since */
	__u32 vm, next; /* its VM, and the next vCPU of that; 0 = the last */
	__u32 spun;	/* when it left its pCPU */
	__u32 tid;	/* whose thread has this number now */
};

struct turn_vm {
	__u32 first; /* of its vCPUs */
	__u32 pad;
	__u64 not_before; /* the next turn may be told */
};

/* What comes through the ring: a thread that runs a vCPU for the first time, or a turn. */
enum turn_kind { TURN_FRESH = 1, TURN_SPIN = 2 };

struct turn_event {
	__u32 kind;
	__u32 tgid, tid;	  /* TURN_FRESH */
	__u32 spinner, candidate; /* TURN_SPIN: the one spins, the other one waits for a pCPU */
	__u32 in_kernel;	  /* the candidate was preempted in the guest's kernel */
	__u64 ns;		  /* CLOCK_MONOTONIC of the PLE exit */
};

_Static_assert(sizeof(struct turn_event) == 32, "as in the ring");
_Static_assert(sizeof(struct turn_vcpu) == 48, "as in the map");

#endif /* KVMSCHED_BOOST_CGROUP_H */
