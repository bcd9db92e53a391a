/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slices on tracks. On one track slices must lie within each other or apart, for an end closes what
 * was opened last. Spinlocks are not always released in the order in which they were taken, so
 * slices that cross go to another track of the same name, which Perfetto draws as one.
 */
#ifndef KVMSCHED_PERFETTO_LANES_H
#define KVMSCHED_PERFETTO_LANES_H

#include <stdbool.h>
#include <stdint.h>

#define LANE_PAST 32u /* the newest slices of a lane are remembered */
#define LANES_MAX 8u

struct lane_slice {
	uint64_t begin, end; /* ns */
};

struct lane {
	uint64_t track;
	struct lane_slice past[LANE_PAST];
	uint64_t n;	/* slices so far */
	uint64_t clear; /* what is forgotten ended by then */
};

struct lanes {
	struct lane *lane;
	unsigned int n, last;
};

/*
 * The lane of a slice that is written next. The lane is new, and needs a track, if its `track` is
 * 0. Slices come in any order, best in that of their ends. NULL without memory.
 */
struct lane *lanes_find(struct lanes *l, uint64_t begin, uint64_t end);
void lanes_free(struct lanes *l);

#endif /* KVMSCHED_PERFETTO_LANES_H */
