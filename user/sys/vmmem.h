/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the memory of a VM lies: pages per host node, by node of the guest where that can be known,
 * from /proc/PID/numa_maps and the VMM's command line.
 */
#ifndef KVMSCHED_VMMEM_H
#define KVMSCHED_VMMEM_H

#include <stdint.h>

#define KS_VMMEM_NODES 64 /* of a guest and of a host; further ones are left out */

/*
 * Which host node the memory of each node of the guest is bound to: QEMU's -numa node,memdev= and
 * the backends' host-nodes=. -1: to none, to several, or to one that another guest node shares.
 */
struct ks_vmmem {
	uint32_t tgid;
	int guest_node[KS_VMMEM_NODES]; /* by host node; -1 if not known */
};

/* Pages of one look, in bytes; the last guest node stands for memory of which it is not known. */
#define KS_VMMEM_UNKNOWN KS_VMMEM_NODES
struct ks_vmmem_sample {
	uint64_t bytes[KS_VMMEM_NODES + 1][KS_VMMEM_NODES]; /* by guest node, by host node */
};

/* root: see text.h. 0 or -errno (-ESRCH: it is gone). */
int ks_vmmem_init(struct ks_vmmem *m, const char *root, uint32_t tgid);

/* The kernel walks all pages for it: milliseconds per GiB. 0 or -errno. */
int ks_vmmem_look(const struct ks_vmmem *m, const char *root, struct ks_vmmem_sample *s);

#endif /* KVMSCHED_VMMEM_H */
