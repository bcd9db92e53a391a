/* SPDX-License-Identifier: GPL-2.0 */
/* Where a guest's clock did not run with its host's. Internal to user/clock. */
#ifndef KVMSCHED_CLOCK_BREAKS_H
#define KVMSCHED_CLOCK_BREAKS_H

#include <stdbool.h>

#include "clockmap_priv.h"

/* A sample of the guest in host time; those of one guest are strictly increasing in x and y. */
struct ks_pair {
	struct ks_sample s; /* x: guest's clock, y: host's */
	size_t seg;	    /* of the TSC */
	bool broken;	    /* from here to the next one */
};

/*
 * Set p[i].broken where the guest's clock stood still or jumped between i and i + 1 and nobody knows
 * when: where it is further from the rate that it has around there than any slewing or the samples'
 * errors can take it, and far further than its other pieces are, and its TSC was not stepped there
 * or next to it. None in a clock that follows the TSC.
 * host_error: of each y.
 */
void ks_breaks_find(struct ks_pair *p, size_t n, uint64_t host_error);

/*
 * By how many ns the host's clock went further between i and i + 1 than by the rate of the pieces
 * around it that are not broken; < 0: less far. 0 if there are none.
 */
int64_t ks_breaks_lost(const struct ks_pair *p, size_t n, size_t i);

#endif /* KVMSCHED_CLOCK_BREAKS_H */
