// SPDX-License-Identifier: GPL-2.0
#include "rate.h"

_Static_assert(1000000000ull % RATE_WINDOW_NS == 0, "whole windows in a second");

static void give(struct rate *r, uint64_t window, uint64_t n)
{
	int64_t per_second = n * (1000000000ull / RATE_WINDOW_NS);

	if (per_second != r->last)
		r->emit(r->ctx, r->origin + window * RATE_WINDOW_NS, per_second);
	r->last = per_second;
}

/* Close windows until this one is open. */
static void advance(struct rate *r, uint64_t window)
{
	unsigned int i;

	if (!r->used) {
		r->first = window < RATE_OPEN ? 0 : window - RATE_OPEN + 1;
		r->used = true;
	}
	for (i = 0; i < RATE_OPEN && window - r->first >= RATE_OPEN && window > r->first; i++) {
		give(r, r->first, r->count[r->first % RATE_OPEN]);
		r->count[r->first++ % RATE_OPEN] = 0;
	}
	if (window > r->first && window - r->first >= RATE_OPEN) {
		/* All were closed, and then nothing happened for long. */
		give(r, r->first, 0);
		r->first = window - RATE_OPEN + 1;
	}
}

/* Whole events per window: the part of n up to its end, less what the ones before it had. */
static void spread(struct rate *r, uint64_t from, uint64_t to, uint64_t n)
{
	uint64_t first = from / RATE_WINDOW_NS, last = to / RATE_WINDOW_NS, w, given = 0, part;

	for (w = first; w <= last; w++) {
		part = n;
		if (w < last)
			part = (unsigned __int128)n * ((w + 1) * RATE_WINDOW_NS - from) /
			       (to - from);
		r->count[(w < r->first ? r->first : w) % RATE_OPEN] += part - given;
		given = part;
	}
}

void rate_add(struct rate *r, uint64_t from, uint64_t to, uint64_t n)
{
	uint64_t oldest;

	from = from < r->origin ? 0 : from - r->origin;
	to = to < r->origin ? 0 : to - r->origin;
	if (to < from)
		to = from;
	advance(r, to / RATE_WINDOW_NS);
	/* A burst longer than all that is open: its begin counts in the oldest window. */
	oldest = r->first * RATE_WINDOW_NS;
	spread(r, from < oldest && to >= oldest ? oldest : from, to, n);
}

void rate_end(struct rate *r)
{
	unsigned int i;

	if (!r->used)
		return;
	for (i = 0; i < RATE_OPEN; i++) {
		give(r, r->first, r->count[r->first % RATE_OPEN]);
		r->count[r->first++ % RATE_OPEN] = 0;
	}
	give(r, r->first, 0);
	r->used = false;
}
