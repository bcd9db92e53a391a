/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What one vCPU was, over time: a ring of state changes that grows only while somebody still
 * needs its old end.
 */
#ifndef KVMSCHED_HISTORY_H
#define KVMSCHED_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "model.h"

struct ks_history {
	uint64_t *e;	     /* time << 3 | state */
	uint32_t mask;	     /* capacity - 1 */
	uint64_t head, tail; /* sequence numbers of the oldest entry and behind the newest */
};

_Static_assert(KS_V_MAX <= 8, "a state fits in three bits");

int ks_history_init(struct ks_history *h);
void ks_history_free(struct ks_history *h);

/* True if the next push would drop an entry that speaks of a time after `keep`. */
static inline int ks_history_full(const struct ks_history *h, uint64_t keep)
{
	return h->tail - h->head > h->mask && h->e[(h->head + 1) & h->mask] >> 3 > keep;
}

/* Double the capacity. Returns the bytes added, 0 if it cannot (limit or memory). */
size_t ks_history_grow(struct ks_history *h);

/*
 * From time on the state is s. A full ring drops its oldest entry. Times that go back are taken
 * for the newest time known.
 */
void ks_history_push(struct ks_history *h, uint64_t time, enum ks_vstate s);

/* Sequence number of the entry in force at time; head - 1 if that is before all of them. */
uint64_t ks_history_find(const struct ks_history *h, uint64_t time);

static inline enum ks_vstate ks_history_state(const struct ks_history *h, uint64_t seq)
{
	return (int64_t)(seq - h->head) < 0 ? KS_V_UNKNOWN :
					      (enum ks_vstate)(h->e[seq & h->mask] & 7);
}

/* When the entry behind seq begins; UINT64_MAX if seq is the newest. */
static inline uint64_t ks_history_until(const struct ks_history *h, uint64_t seq)
{
	return seq + 1 == h->tail ? UINT64_MAX : h->e[(seq + 1) & h->mask] >> 3;
}

/* ns of [from, to) in the states of the bit mask (1 << state). */
uint64_t ks_history_time_in(const struct ks_history *h, uint64_t from, uint64_t to,
			    unsigned int states);

#endif /* KVMSCHED_HISTORY_H */
