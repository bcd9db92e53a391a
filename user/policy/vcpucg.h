/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vCPU thread's own cgroup, whose cpu.weight says what part of its VM's time it gets. libvirt has
 * made one for each vCPU; elsewhere it is made, threaded, below the one that the thread lies in: it
 * has the weight of a thread of nice 0, so nothing changes until the weight is.
 */
#ifndef KVMSCHED_VCPUCG_H
#define KVMSCHED_VCPUCG_H

#include <stdint.h>

#include "journal.h"

#define KS_VCPUCG_PREFIX "kvmsched-" /* names of those that are made */

struct ks_vcpucg {
	int fd;		 /* of its cpu.weight, -1 = none */
	uint32_t usual;	 /* weight as it was */
	uint32_t weight; /* as it is */
	char *made;	 /* its path if it was made here, else NULL */
};

/* Can it be done on this machine? 0; -ENODEV + err: no cpu controller in cgroup v2. */
int ks_vcpucg_usable(const char *root, struct ks_err *err);

/*
 * Find or make it for a thread of this process, journalled. 0; -ESRCH: the thread has ended;
 * -EPERM: left alone, since other cgroups would be touched; -errno.
 */
int ks_vcpucg_take(struct ks_vcpucg *g, struct ks_journal *j, uint32_t tgid, uint32_t tid);

/* Set its weight (1 to 10000). 0; -ENODEV: it is gone; -errno. */
int ks_vcpucg_set(struct ks_vcpucg *g, uint32_t weight);

/* The thread has ended: close, and remove it if it was made. Without it, the journal's undo does. */
void ks_vcpucg_drop(struct ks_vcpucg *g);
void ks_vcpucg_close(struct ks_vcpucg *g);

#endif /* KVMSCHED_VCPUCG_H */
