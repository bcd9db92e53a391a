/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a recorder can see of a policy: it attaches (fentry) to these functions, found by name among
 * the programs that are loaded. The policy knows of no recorder; without one they do nothing. Names
 * and arguments are an interface between programs of different versions: another meaning needs
 * another name.
 *
 * VMs are told by process, vCPUs by KVM's vcpu_id + 1, 0 = none, or not known.
 */
#ifndef KVMSCHED_BOOST_MARKS_BPF_H
#define KVMSCHED_BOOST_MARKS_BPF_H

#include "records.h"

/* flags: KS_BOOST_*. */
__noinline int ks_mark_boost(__u32 tgid, __u32 from1, __u32 to1, __u32 flags)
{
	asm volatile("" ::"r"(tgid), "r"(from1), "r"(to1), "r"(flags));
	return 0;
}

/* In the thread of the vCPU that spins. flags: KS_LOOK_*; crowd: holders | waiters << 16. */
__noinline int ks_mark_look(__u32 vcpu1, __u32 flags, __u64 lock, __u32 named1, __u32 crowd)
{
	asm volatile("" ::"r"(vcpu1), "r"(flags), "r"(lock), "r"(named1), "r"(crowd));
	return 0;
}

#endif /* KVMSCHED_BOOST_MARKS_BPF_H */
