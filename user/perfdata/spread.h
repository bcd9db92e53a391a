/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The exits of a folded burst get times of their own, evenly from its first to its last, but not while
 * the same vCPU was in a HLT exit: perf would forget the one for the other.
 */
#ifndef KVMSCHED_PERFDATA_SPREAD_H
#define KVMSCHED_PERFDATA_SPREAD_H

#include <stdbool.h>
#include <stdint.h>

#define KS_PD_HALTS 8u /* of a vCPU, that are remembered */

/* Its latest HLT exits, from exit to entry, the oldest first. */
struct ks_pd_halts {
	struct {
		uint64_t from, to;
	} halt[KS_PD_HALTS];
	uint32_t n;
	bool forgot; /* there were more */
};

void ks_pd_halts_add(struct ks_pd_halts *h, uint64_t from, uint64_t to);
/* The latest one ends so, after all. */
void ks_pd_halts_end(struct ks_pd_halts *h, uint64_t to);

/* n exits, the first at `from`, each `step` / 65536 ns behind the one before. */
typedef void (*ks_pd_row_fn)(void *ctx, uint64_t from, uint32_t n, uint64_t step);

/* n exits from first to last, in as many rows as it takes. */
void ks_pd_spread(const struct ks_pd_halts *h, uint64_t first, uint64_t last, uint32_t n,
		  ks_pd_row_fn row, void *ctx);

#endif /* KVMSCHED_PERFDATA_SPREAD_H */
