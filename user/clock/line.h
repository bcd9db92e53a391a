/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A straight line through integers, without floating point: y = y0 +- |x - x0| * num / den, rounded
 * to the nearest. Internal to user/clock.
 *
 * num / den is kept as a 64-bit multiplier with 63 significant bits or more and a shift, so over
 * 2^53 ns (104 days) the product is off by less than 2^-9, never upwards: a line through (x1, y1)
 * is at most y1 there, so that pieces joined end to end are monotonic. Nothing wraps, y is clamped.
 */
#ifndef KVMSCHED_CLOCK_LINE_H
#define KVMSCHED_CLOCK_LINE_H

#include <stdint.h>

typedef unsigned __int128 ks_u128;

struct ks_line {
	uint64_t x0, y0;
	uint64_t mult;
	uint8_t shift; /* 0 to 127 */
};

/* den must not be 0; num = 0 gives a level line. */
static inline struct ks_line ks_line_make(uint64_t x0, uint64_t y0, uint64_t num, uint64_t den)
{
	struct ks_line l = { .x0 = x0, .y0 = y0 };
	ks_u128 q;
	int up, down = 0;

	if (!num)
		return l;
	up = __builtin_clzll(num);
	q = ((ks_u128)num << (64 + up)) / den;
	while (q >> 64 >> down)
		down++;
	l.mult = (uint64_t)(q >> down);
	l.shift = (uint8_t)(64 + up - down);
	return l;
}

static inline ks_u128 ks_line_delta(const struct ks_line *l, uint64_t d)
{
	ks_u128 p = (ks_u128)d * l->mult;

	return l->shift ? (p >> l->shift) + (p >> (l->shift - 1) & 1) : p;
}

static inline uint64_t ks_line_at(const struct ks_line *l, uint64_t x)
{
	ks_u128 d;

	if (x >= l->x0) {
		d = ks_line_delta(l, x - l->x0);
		return d > UINT64_MAX - l->y0 ? UINT64_MAX : l->y0 + (uint64_t)d;
	}
	d = ks_line_delta(l, l->x0 - x);
	return d > l->y0 ? 0 : l->y0 - (uint64_t)d;
}

#endif /* KVMSCHED_CLOCK_LINE_H */
