/* SPDX-License-Identifier: GPL-2.0 */
/* sched_ext on this machine: is it there, is it free? And what its schedulers' loaders share. */
#ifndef KVMSCHED_SCX_H
#define KVMSCHED_SCX_H

#include <stddef.h>
#include <stdint.h>

#include "trace.h"

enum ks_scx_state { KS_SCX_NONE, KS_SCX_FREE, KS_SCX_USED };

/*
 * root: prefix of /sys, see text.h. ops[size]: name of the scheduler that is loaded, if one is.
 */
enum ks_scx_state ks_scx_state(const char *root, char *ops, size_t size);

/* 0 if a scheduler can be loaded; -ENODEV (the kernel has none, or isolates CPUs), -EBUSY (one is loaded), + err. */
int ks_scx_free(const char *root, struct ks_err *err);

/*
 * This machine's nodes and CPUs (highest number + 1 each); cpu_node[max_cpus]: node of each CPU, 0 if it is
 * not known. 0 or -errno.
 */
int ks_scx_nodes(uint8_t *cpu_node, unsigned int max_cpus, unsigned int *nodes, unsigned int *cpus);

/*
 * Sums over all CPUs of a per-CPU array of one value that has so many counters of 64 bits at this offset.
 * 0 or -errno.
 */
struct bpf_map;
int ks_scx_sum(const struct bpf_map *map, size_t value_size, size_t offset, uint64_t *sum,
	       size_t counts);

#endif /* KVMSCHED_SCX_H */
