/* SPDX-License-Identifier: GPL-2.0 */
/* What part of the CPU time that VMs used each of them had, and what part is due to it. */
#ifndef KVMSCHED_SHARE_H
#define KVMSCHED_SHARE_H

#include "vmset.h"

struct ks_share {
	uint64_t cpu_ns
		[KS_VMSET_MAX]; /* of the VM's process, all threads, since it was first seen */
	uint64_t last_ns[KS_VMSET_MAX]; /* ... in the last interval */
	uint64_t at_ns[KS_VMSET_MAX];	/* reading of the process's clock; 0 = none yet */
};

/* Read the clocks of all VMs of the set; the interval is that since the last time. */
void ks_share_read(struct ks_share *s, const struct ks_vmset *vms);

/*
 * Of the last interval: the VM's part of what all VMs of the set used, and the part that its weight
 * entitles it to if all want more than that (a VM without a weight of its own counts 100 per vCPU).
 * 0 to 1.
 */
double ks_share_had(const struct ks_share *s, uint32_t number);
double ks_share_due(const struct ks_vmset *vms, uint32_t number);

/*
 * Jain's index of had / due over all VMs, 1 / number of VMs to 1 (all equal). It says something only
 * of VMs that all want more than they get. 1 if there are fewer than two.
 */
double ks_share_jain(const struct ks_share *s, const struct ks_vmset *vms);

#endif /* KVMSCHED_SHARE_H */
