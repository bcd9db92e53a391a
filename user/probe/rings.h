/* SPDX-License-Identifier: GPL-2.0 */
/* The consumer's side of the per-CPU rings that probes write (bpf/ring.h). */
#ifndef KVMSCHED_RINGS_H
#define KVMSCHED_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ring.h"

struct ks_rings;

/* Takes the records of one ring, oldest first; they are the caller's until it returns. */
typedef int (*ks_rings_fn)(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n);

/*
 * ctl: the probe's ks_rings[], mapped by its skeleton. slots_fd: the map ks_slots, which holds
 * cpus x slots records. 0 or -errno.
 */
int ks_rings_new(struct ks_rings **r, struct ks_ring *ctl, int slots_fd, unsigned int cpus,
		 unsigned int slots);
void ks_rings_free(struct ks_rings *r);

/*
 * Hand every record that is whole to fn, then, as KS_LOSS records, what was lost since the last
 * call. Returns 0, or what fn returned if that was not 0.
 */
int ks_rings_drain(struct ks_rings *r, ks_rings_fn fn, void *ctx);

/*
 * The last drain, after the programs were detached: waits a moment for slots that a program has
 * reserved and not yet written; what is then still not whole, and lies behind it, is told as lost.
 */
int ks_rings_finish(struct ks_rings *r, ks_rings_fn fn, void *ctx);

/* How full the fullest ring was at the last drain, 0 to 100. */
unsigned int ks_rings_fill(const struct ks_rings *r);

/* Records lost so far, all types. */
uint64_t ks_rings_lost(const struct ks_rings *r);

/* Records handed out so far, without KS_LOSS. */
uint64_t ks_rings_seen(const struct ks_rings *r);

#endif /* KVMSCHED_RINGS_H */
