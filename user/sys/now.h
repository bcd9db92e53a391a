/* SPDX-License-Identifier: GPL-2.0 */
/* What time it is. */
#ifndef KVMSCHED_NOW_H
#define KVMSCHED_NOW_H

#include <stdint.h>
#include <time.h>

static inline uint64_t ks_clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* By the clock of all records, CLOCK_MONOTONIC. */
static inline uint64_t ks_now_ns(void)
{
	return ks_clock_ns(CLOCK_MONOTONIC);
}

/* The same in ms; signed, for a deadline may have passed. */
static inline int64_t ks_now_ms(void)
{
	return (int64_t)(ks_now_ns() / 1000000u);
}

#endif /* KVMSCHED_NOW_H */
