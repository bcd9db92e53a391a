/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMs that a policy is for: chosen by the user or all, with what their cgroups say of their
 * share of the CPU. Processes are found as they come, so each is looked at once and then now and
 * again, for its cgroup may change.
 */
#ifndef KVMSCHED_VMSET_H
#define KVMSCHED_VMSET_H

#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

#define KS_VMSET_MAX 1024 /* numbers run from 1 to this - 1 */

enum ks_vmset_why {
	KS_VM_TAKEN,
	KS_VM_NOT_CHOSEN,
	KS_VM_QUOTA, /* a cpu.max holds for it, which sched_ext does not enforce */
	KS_VM_FULL,  /* more VMs than there are numbers */
};

struct ks_vmset_entry {
	uint32_t tgid;	    /* 0: the number is free */
	uint64_t start;	    /* of the process: tells it from a later one of the same PID */
	char name[64];	    /* printable */
	uint64_t cgroup;    /* hash of where it lies, to tell who shares it; 0: not known */
	uint32_t weight;    /* cpu.weight of its own cgroup; 0: it has none of its own */
	unsigned int vcpus; /* of its threads under the policy */
	bool quota;	    /* a cpu.max holds for it: it is not to be touched, from then on */
};

/* Is it one that the policy is for? */
static inline bool ks_vmset_is_taken(const struct ks_vmset_entry *vm)
{
	return vm->tgid && !vm->quota;
}

struct ks_vmset {
	const char *root;	   /* of /proc and /sys, see text.h */
	const char *const *chosen; /* names, UUIDs or PIDs; NULL = all */
	unsigned int nchosen;
	bool ignore_quota;
	struct ks_vmset_entry vm[KS_VMSET_MAX];
};

/*
 * The number of the VM that this process is, taking it in if it is new and chosen. 0 and *why if
 * it is not to be touched.
 */
uint32_t ks_vmset_take(struct ks_vmset *s, uint32_t tgid, enum ks_vmset_why *why);

/* VMs that are left alone because of a quota. */
unsigned int ks_vmset_with_quota(const struct ks_vmset *s);

/* Is there an entry for this PID that was another process's? Then it is time to look again. */
bool ks_vmset_is_stale(const struct ks_vmset *s, uint32_t tgid);

/*
 * Look again: VMs that have ended lose their number (gone() is called before), weights are read
 * anew, and whether there is a quota now. gone may be NULL.
 */
void ks_vmset_refresh(struct ks_vmset *s, void (*gone)(void *ctx, uint32_t number), void *ctx);

#endif /* KVMSCHED_VMSET_H */
