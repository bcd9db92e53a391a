/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Clocks: CLOCK_MONOTONIC <-> TSC on one machine, and a guest's CLOCK_MONOTONIC -> its host's.
 *
 *   guest mono -> guest TSC   (guest's samples)
 *   guest TSC  -> host TSC    ((guest - offset) << frac) / ratio, per vCPU as they change
 *   host TSC   -> host mono   (host's samples)
 */
#ifndef KVMSCHED_CLOCK_H
#define KVMSCHED_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "records.h"

/* Take one (CLOCK_MONOTONIC, TSC) pair as a KS_CLOCK record: the tightest bracket of `tries`. */
int ks_clock_sample(struct ks_rec *rec, unsigned int tries);

/* A piecewise linear map through the KS_CLOCK samples of one recording. */
struct ks_clockmap;

/* Takes the KS_CLOCK records among recs. -ENODATA with fewer than two of them. */
int ks_clockmap_new(struct ks_clockmap **m, const struct ks_rec *recs, size_t n);
void ks_clockmap_free(struct ks_clockmap *m);

/* Before the first and behind the last sample the nearest piece is continued. */
uint64_t ks_clockmap_tsc(const struct ks_clockmap *m, uint64_t mono);
uint64_t ks_clockmap_mono(const struct ks_clockmap *m, uint64_t tsc);

/*
 * Bound on the error of a mapped time, ns: brackets of the two samples used plus the bend of the
 * map (how far each sample lies off the line through its neighbours); the whole map's worst.
 */
uint64_t ks_clockmap_error(const struct ks_clockmap *m);

/* TSC ticks per second, times 2^-0, of the piece around mono. */
double ks_clockmap_hz(const struct ks_clockmap *m, uint64_t mono);

/*
 * A guest's clock on its host's. offsets: the host trace's KS_TSC_OFFSET records of ONE vCPU slot
 * of the VM (vCPUs of a Linux guest share one TSC; pass the lowest vCPU's), in time order.
 * frac_bits: fraction bits of the ratio (metadata "tsc_ratio_frac": SVM 32, VMX 48).
 */
struct ks_guestclock;
int ks_guestclock_new(struct ks_guestclock **g, const struct ks_clockmap *guest,
		      const struct ks_clockmap *host, const struct ks_rec *offsets, size_t n,
		      unsigned int frac_bits);
void ks_guestclock_free(struct ks_guestclock *g);
/* Guest CLOCK_MONOTONIC -> host CLOCK_MONOTONIC, ns. Monotonic. Fits ks_map_fn with ctx = g. */
uint64_t ks_guestclock_map(void *g, uint64_t guest_mono);
/* Bound on its error, ns, for the whole map. */
uint64_t ks_guestclock_error(const struct ks_guestclock *g);
/* Guest TSC at a moment -> host CLOCK_MONOTONIC, ns. */
uint64_t ks_guestclock_from_tsc(const struct ks_guestclock *g, uint64_t guest_tsc);

#endif /* KVMSCHED_CLOCK_H */
