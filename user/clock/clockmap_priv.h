/* SPDX-License-Identifier: GPL-2.0 */
/* Internal to user/clock. */
#ifndef KVMSCHED_CLOCKMAP_PRIV_H
#define KVMSCHED_CLOCKMAP_PRIV_H

#include "clock.h"
#include "line.h"

/* A base this long gives a rate that the brackets of its ends do not spoil: 100 ns are 0.1 ppm. */
#define BASE_NS 1000000000u

struct ks_sample {
	uint64_t x, y; /* CLOCK_MONOTONIC and TSC, or guest's and host's CLOCK_MONOTONIC */
	uint64_t b;    /* half the bracket, ns */
};

struct ks_clockmap {
	struct ks_sample *s; /* strictly increasing in x and y */
	size_t n;
	struct ks_line *to_y, *to_x; /* n - 1 pieces, then before the first, behind the last */
	uint64_t error;
	struct ks_sample *raw; /* strictly increasing in x alone: the TSC of a guest may step */
	size_t nraw;
};

static inline uint64_t ks_distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static inline uint64_t ks_add_clamped(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* The piece of n - 1 between v[0..n-1] (by x or y) that v lies in; n - 1: before, n: behind. */
#define KS_PIECE_BEFORE(n) ((n) - 1)
#define KS_PIECE_BEHIND(n) (n)

/* Worst deviation of a sample from the line through its neighbours, in units of x, rounded up. */
uint64_t ks_bend(const struct ks_sample *a, const struct ks_sample *b, const struct ks_sample *c);

/*
 * The sample to draw the line to, for continuing beyond s[at] (an end of the n samples): the
 * nearest one at least a second away, since over a short base the brackets spoil the slope.
 */
size_t ks_base_of(const struct ks_sample *s, size_t n, size_t at);

#endif /* KVMSCHED_CLOCKMAP_PRIV_H */
