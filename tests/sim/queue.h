/* SPDX-License-Identifier: GPL-2.0 */
/* The queue of what will happen next: a binary heap, first in time first, ties in order of entry. */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct occ {	       /* one thing that happens */
	uint64_t time; /* ns of the world */
	uint64_t seq;
	uint32_t kind; /* enum occ_kind */
	uint32_t gen;  /* of the target: an older generation is ignored when it is taken out */
	void *target;
};

struct queue {
	struct occ *heap;
	size_t n, cap;
	uint64_t seq;
};

void queue_init(struct queue *q);
void queue_free(struct queue *q);
void queue_put(struct queue *q, uint64_t time, uint32_t kind, void *target, uint32_t gen);
/* 1, or 0 if nothing is left. */
int queue_take(struct queue *q, struct occ *o);

#endif /* SIM_QUEUE_H */
