/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs that make work in a guest have in common. */
#ifndef LAB_GUEST_H
#define LAB_GUEST_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* A number from 1 to max, and nothing else. */
static inline int parse_uint(const char *text, unsigned int max, unsigned int *out)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || !v || v > max)
		return -EINVAL;
	*out = (unsigned int)v;
	return 0;
}

#endif
