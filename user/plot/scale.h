/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers for people: steps of an axis, times with units, counts with separators; room before a time. */
#ifndef KVMSCHED_SCALE_H
#define KVMSCHED_SCALE_H

#include <stddef.h>
#include <stdint.h>

/* The smallest 1, 2 or 5 x 10^k ns that makes at most `most` steps over span ns; at least 1. */
uint64_t ks_scale_step(uint64_t span, unsigned int most);

/* A time on an axis with this step: "0", "20 ms", "1.25 s"; as many digits as the step needs. */
const char *ks_scale_tick(uint64_t ns, uint64_t step, char *buf, size_t len);

/* A duration in three digits: "412 ns", "48.2 ms", "1.30 s". */
const char *ks_scale_time(uint64_t ns, char *buf, size_t len);

/* So long before a time: a host's clock begins at 0, and what there is to see may have lasted for longer. */
static inline uint64_t ks_scale_before(uint64_t time, uint64_t ns)
{
	return time > ns ? time - ns : 0;
}

/* "26,632" */
const char *ks_scale_count(uint64_t n, char *buf, size_t len);

#endif /* KVMSCHED_SCALE_H */
