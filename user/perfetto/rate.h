/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events per second over windows of equal length. Nothing is lost or invented: the sum over the
 * windows of value times length is the number of events.
 */
#ifndef KVMSCHED_PERFETTO_RATE_H
#define KVMSCHED_PERFETTO_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_WINDOW_NS 10000000ull
#define RATE_OPEN 64u /* windows that can still be added to */

struct rate {
	uint64_t origin;	   /* ns, where window 0 begins; nothing lies before it */
	uint64_t count[RATE_OPEN]; /* by number of the window */
	uint64_t first;		   /* number of the oldest open window */
	int64_t last;		   /* value given last */
	bool used;
	/* The value from this time on, per second. */
	void (*emit)(void *ctx, uint64_t time, int64_t per_second);
	void *ctx;
};

/*
 * n events, spread evenly from `from` to `to` (ns). What lies before the open windows counts in
 * the oldest of them.
 */
void rate_add(struct rate *r, uint64_t from, uint64_t to, uint64_t n);
/* No more will come: the rest, and a 0 behind it. */
void rate_end(struct rate *r);

#endif /* KVMSCHED_PERFETTO_RATE_H */
