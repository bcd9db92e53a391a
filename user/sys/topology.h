/* SPDX-License-Identifier: GPL-2.0 */
/*
 * CPUs and nodes of this machine: libnuma, and sysfs for CPUs that are offline and for machines
 * where libnuma sees no NUMA support. A machine without NUMA has one node, 0.
 * (Not numa.h: that is libnuma's own header.)
 */
#ifndef KVMSCHED_TOPOLOGY_H
#define KVMSCHED_TOPOLOGY_H

#include <stddef.h>

struct ks_numa;

/* root: see text.h; libnuma is asked only without a root. 0; -ENOENT without sysfs; -ENOMEM. */
int ks_numa_new(struct ks_numa **n, const char *root);
void ks_numa_free(struct ks_numa *n);

/* Highest possible CPU number + 1: size of tables by CPU. */
unsigned int ks_numa_cpus(const struct ks_numa *n);
/* Online when ks_numa_new() was called. */
unsigned int ks_numa_cpus_online(const struct ks_numa *n);
/* Highest node number + 1; at least 1. */
unsigned int ks_numa_nodes(const struct ks_numa *n);

/* Node of a CPU, -1 if not known (no such CPU, or never online). */
int ks_numa_node(const struct ks_numa *n, unsigned int cpu);

/* Distance as in the ACPI SLIT (10 = local), 0 if not known. */
unsigned int ks_numa_distance(const struct ks_numa *n, unsigned int from, unsigned int to);

#endif /* KVMSCHED_TOPOLOGY_H */
