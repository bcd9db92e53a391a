/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Leaves short waits out of a recording. The probe writes a record when a wait begins, because
 * nobody knows yet how long it will be; here it is known, unless the wait is still open.
 *
 * Records of one ring are held back from the try of an open wait on, until the acquire tells: a
 * wait below the threshold loses its try and acquire (its release stays if the hold was long or
 * somebody waited). If too many pile up behind a wait that does not end, it counts as long.
 */
#ifndef KVMSCHED_LOCKFILTER_H
#define KVMSCHED_LOCKFILTER_H

#include <stdint.h>

#include "rings.h"

struct ks_lockfilter;

/* out gets what passes. 0 or -ENOMEM. */
int ks_lockfilter_new(struct ks_lockfilter **f, uint64_t wait_threshold_ns,
		      uint64_t hold_threshold_ns, ks_rings_fn out, void *ctx);
void ks_lockfilter_free(struct ks_lockfilter *f);

/* A batch of records of one ring, in order; fits ks_rings_fn with ctx = the filter. */
int ks_lockfilter_feed(void *f, unsigned int ring, const struct ks_rec *recs, size_t n);

/*
 * Pass on what has been held back since before `before` (ns, the records' clock): such a wait counts
 * as long, or its acquire was lost. To be called once a second or so.
 */
int ks_lockfilter_tick(struct ks_lockfilter *f, uint64_t before);

/* Pass on everything that is held back. */
int ks_lockfilter_flush(struct ks_lockfilter *f);

/* Waits left out. */
uint64_t ks_lockfilter_dropped(const struct ks_lockfilter *f);

#endif /* KVMSCHED_LOCKFILTER_H */
