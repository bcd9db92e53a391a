/* SPDX-License-Identifier: GPL-2.0 */
/* A guest's TSC on its host's: stretches of one offset and ratio. Internal to user/clock. */
#ifndef KVMSCHED_CLOCK_TSCSEG_H
#define KVMSCHED_CLOCK_TSCSEG_H

#include "clockmap_priv.h"

struct ks_tscseg {
	uint64_t from; /* host's CLOCK_MONOTONIC; the first one begins at 0 */
	uint64_t offset;
	uint64_t ratio; /* 0: 1:1 */
};

struct ks_tscsegs {
	struct ks_tscseg *seg;
	size_t n;
	unsigned int frac;
	const struct ks_clockmap *host;
};

/* From KS_TSC_OFFSET records in time order. 0, -ENOENT without any, -ENOMEM. */
int ks_tscsegs_init(struct ks_tscsegs *t, const struct ks_rec *offsets, size_t n, unsigned int frac,
		    const struct ks_clockmap *host);

/* Host time at which the guest's TSC had this value if segment k held for ever. */
uint64_t ks_tscseg_time(const struct ks_tscsegs *t, size_t k, uint64_t guest_tsc);

/* End of segment k, UINT64_MAX for the last. */
static inline uint64_t ks_tscseg_end(const struct ks_tscsegs *t, size_t k)
{
	return k + 1 < t->n ? t->seg[k + 1].from : UINT64_MAX;
}

/* The segment that holds at a host time. */
size_t ks_tscseg_find(const struct ks_tscsegs *t, uint64_t host_mono);

/* The first moment at or after not_before at which the guest's TSC had or passed this value. */
uint64_t ks_tscsegs_when(const struct ks_tscsegs *t, uint64_t guest_tsc, uint64_t not_before);

#endif /* KVMSCHED_CLOCK_TSCSEG_H */
