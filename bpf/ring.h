/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The per-CPU ring that carries records to user space, as both sides see it.
 *
 * One ring per CPU, in memory that user space maps: no shared producer lock, no helper call, no
 * wake-up. A probe reserves a slot with one atomic add, because an interrupt's probe may nest in it
 * on the same CPU, fills it in and writes the slot's word with `type` last: a slot whose type is
 * not KS_NONE is whole. User space empties slots in order, puts their type back to KS_NONE and only
 * then moves `tail`.
 */
#ifndef KVMSCHED_RING_H
#define KVMSCHED_RING_H

#include "records.h"

/* CPUs with a number from here on are not recorded; the recorders say so and refuse. */
#define KS_MAX_CPUS 1024

/*
 * Slots kept free. Between a probe's look at the fill level and its reservation other probes may
 * run on the same CPU (interrupts; tasks, where probes can be preempted): each may take one more.
 */
#define KS_RING_MARGIN 64

struct ks_ring {
	__u64 head;		 /* slots reserved so far; the probes' */
	__u64 lost[KS_TYPE_MAX]; /* what found no room, by type; a burst counts its exits */
	__u64 tail __attribute__((aligned(64))); /* slots emptied so far; user space's */
} __attribute__((aligned(64)));

#endif /* KVMSCHED_RING_H */
