/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waits and holds that are held back for a while. A wait is told after the hold that it blames; the
 * hold's slice is written later than both, so that the flow from the wait can end on it. The newest
 * of each vCPU are kept: memory does not grow with the trace.
 */
#ifndef KVMSCHED_PERFETTO_HELD_H
#define KVMSCHED_PERFETTO_HELD_H

#include "analyze.h"

#define HELD_HOLDS 512u /* of one vCPU */
#define HELD_WAITS 256u
#define HELD_OWED 16u

struct held_flows { /* flows that end on it */
	uint64_t *id;
	uint32_t n, size;
};

struct held_hold {
	struct ks_hold hold;
	struct held_flows ends;
};

struct held_wait {
	struct ks_wait wait;
	uint64_t flow; /* that begins on it, 0 = none */
	struct held_flows ends;
};

/* A wait that blames a slice which has not ended yet: locks that are not fair let others pass. */
struct held_owed {
	uint32_t vcpu; /* of the wait */
	uint64_t nth;  /* wait of that vCPU */
};

struct held {
	struct held_hold *hold; /* rings, allocated when first needed */
	struct held_wait *wait;
	uint32_t hold_first, nholds, wait_first, nwaits;
	uint64_t waits_dropped;		  /* so far */
	struct held_owed owed[HELD_OWED]; /* ring: what slices of this vCPU are blamed by */
	uint64_t nowed;			  /* so far */
};

/*
 * A place for a new one, at the end of the ring; all zero. NULL without memory. The ring must have
 * room: while held_full_*(), take the oldest out.
 */
struct held_hold *held_add_hold(struct held *h);
struct held_wait *held_add_wait(struct held *h);
bool held_full_holds(const struct held *h);
bool held_full_waits(const struct held *h);
/* The oldest; NULL if there is none. It stays until it is dropped. */
struct held_hold *held_oldest_hold(struct held *h);
struct held_wait *held_oldest_wait(struct held *h);
void held_drop_hold(struct held *h);
void held_drop_wait(struct held *h);
void held_free(struct held *h);

/*
 * The slice that w blames, among those of the blamed vCPU: the hold (or, if it blames the next in
 * order, the wait) of the same lock which shares most time with w, of the blamed thread if it has
 * one there. Its flows are returned; NULL if it is not there (any more).
 */
struct held_flows *held_blamed(struct held *h, const struct ks_wait *w);

/* The same question about one slice of the blamed vCPU, [from, to) of this lock. */
bool held_is_blamed(const struct ks_wait *w, bool is_wait, uint64_t lock, uint64_t from,
		    uint64_t to);

/* The wait with this number, counted from 0; NULL if it is not there (any more). */
struct held_wait *held_nth_wait(struct held *h, uint64_t nth);

/* One more flow. 0 or -ENOMEM. */
int held_flow(struct held_flows *f, uint64_t id);

#endif /* KVMSCHED_PERFETTO_HELD_H */
