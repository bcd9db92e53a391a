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

#include "api.h"
#include "records.h"

KS_API_BEGIN

/*
 * Take one (CLOCK_MONOTONIC, TSC) pair as a KS_CLOCK record: the tightest bracket of `tries` (20 is
 * a good number). The TSC is read between two readings of the clock. 0 or -EINVAL (tries 0).
 */
int ks_clock_sample(struct ks_rec *rec, unsigned int tries);

/* A piecewise linear map through the KS_CLOCK samples of one recording. */
struct ks_clockmap;

/*
 * Takes the KS_CLOCK records among recs, which are in time order. Samples with a bracket above four
 * times the median are left out, and those at which the TSC ran backwards (ks_guestclock_new()
 * still uses these). -ENODATA with fewer than two of them.
 */
int ks_clockmap_new(struct ks_clockmap **m, const struct ks_rec *recs, size_t n);
void ks_clockmap_free(struct ks_clockmap *m);

/*
 * Before the first and behind the last sample the map goes on at the rate of the nearest second or
 * more of samples. Results are clamped to [0, 2^64), never wrapped; both directions are monotonic.
 */
uint64_t ks_clockmap_tsc(const struct ks_clockmap *m, uint64_t mono);
uint64_t ks_clockmap_mono(const struct ks_clockmap *m, uint64_t tsc);

/*
 * Bound on the error of a time mapped between the first and the last sample, ns; the whole map's
 * worst: the wider bracket of the two samples used, plus twice the larger bend of the map at them
 * (how far a sample lies off the line through its neighbours), plus rounding (see clockmap.c).
 * Two samples alone show no bend: take one a second. At a distance d beyond the ends the error
 * grows to about (1 + 2 d / 1 s) times as much.
 */
uint64_t ks_clockmap_error(const struct ks_clockmap *m);

/* TSC ticks per second, times 2^-0, of the piece around mono. */
double ks_clockmap_hz(const struct ks_clockmap *m, uint64_t mono);

/*
 * A guest's clock on its host's. offsets: the host trace's KS_TSC_OFFSET records of ONE vCPU slot
 * of the VM (vCPUs of a Linux guest share one TSC; pass the lowest vCPU's), in time order; the
 * first one holds from the beginning of time.
 * frac_bits: fraction bits of the ratio (metadata "tsc_ratio_frac": SVM 32, VMX 48).
 * The host's map must outlive the guest clock; the guest's need not.
 * -ENOENT without an offset, -ENODATA if fewer than two samples of the guest find a place in the
 * host's time, -EINVAL, -ENOMEM.
 */
struct ks_guestclock;
int ks_guestclock_new(struct ks_guestclock **g, const struct ks_clockmap *guest,
		      const struct ks_clockmap *host, const struct ks_rec *offsets, size_t n,
		      unsigned int frac_bits);
void ks_guestclock_free(struct ks_guestclock *g);
/*
 * Guest CLOCK_MONOTONIC -> host CLOCK_MONOTONIC, ns. Monotonic, also over steps of the TSC: what
 * would run backwards is clamped. Fits ks_map_fn with ctx = g. Remembers the piece it used last:
 * one thread at a time.
 */
uint64_t ks_guestclock_map(void *g, uint64_t guest_mono);
/* Bound on its error, ns, for the whole map but for the breaks in it. */
uint64_t ks_guestclock_error(const struct ks_guestclock *g);

/*
 * Between two samples the guest's clock stood still or jumped by itself: a VM that is stopped and
 * continued (snapshot, suspend) has its kvm-clock set back. When it happened is not known, so a time
 * in between is off by up to behind_ns and the bound together. (With a step of the TSC it is.)
 */
struct ks_clockbreak {
	uint64_t from, to;	   /* of the two samples, host's clock */
	uint64_t own_from, own_to; /* on the guest's */
	int64_t behind_ns;	   /* by which it fell behind the host's; < 0: ran ahead of it */
};

/*
 * Those of the recording, in order; borrowed. Told from slewing by their size: a clock that is
 * slewed by no more than NTP does (500 ppm) has none. It takes five samples of the guest to see one.
 */
const struct ks_clockbreak *ks_guestclock_breaks(const struct ks_guestclock *g, size_t *n);
/* The one with the largest ks_clockbreak_ns(), NULL if there is none. */
const struct ks_clockbreak *ks_guestclock_largest_break(const struct ks_guestclock *g);
/* How far the two clocks came apart in it, whichever was ahead, ns. */
uint64_t ks_clockbreak_ns(const struct ks_clockbreak *b);

/*
 * Guest TSC at a moment -> host CLOCK_MONOTONIC, ns. Good to ks_clockmap_error() of the host's map
 * and a tick of the guest. If the TSC was stepped back and had this value more than once: the first
 * time; if it was stepped over it: the moment of the step.
 */
uint64_t ks_guestclock_from_tsc(const struct ks_guestclock *g, uint64_t guest_tsc);
/* The same, not before a moment (host ns): for values that are known to be in order. */
uint64_t ks_guestclock_from_tsc_after(const struct ks_guestclock *g, uint64_t guest_tsc,
				      uint64_t not_before);
/*
 * How many intervals between two samples of the guest had their TSC stepped, and by how many ns the
 * guest's own clock jumped with it at most (about 0 with a kvm-clock). largest may be NULL.
 * A step backwards stops a clock that follows the TSC until the TSC has made it good: from there to
 * the second sample behind the stop ks_guestclock_error() does not hold; nor does it between two
 * steps that have no sample between them.
 */
unsigned int ks_guestclock_steps(const struct ks_guestclock *g, uint64_t *largest);

KS_API_END

#endif /* KVMSCHED_CLOCK_H */
