// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stdlib.h>

#include "queue.h"
#include "util.h"

void queue_init(struct queue *q)
{
	q->n = 0;
	q->seq = 0;
	q->cap = 1024;
	q->heap = must_alloc(q->cap * sizeof(*q->heap));
}

void queue_free(struct queue *q)
{
	free(q->heap);
	q->heap = NULL;
}

static bool before(const struct occ *a, const struct occ *b)
{
	return a->time != b->time ? a->time < b->time : a->seq < b->seq;
}

void queue_put(struct queue *q, uint64_t time, uint32_t kind, void *target, uint32_t gen)
{
	struct occ o = { time, q->seq++, kind, gen, target };
	size_t i;

	if (q->n == q->cap) {
		q->cap *= 2;
		q->heap = must_realloc(q->heap, q->cap * sizeof(*q->heap));
	}
	for (i = q->n++; i && before(&o, &q->heap[(i - 1) / 2]); i = (i - 1) / 2)
		q->heap[i] = q->heap[(i - 1) / 2];
	q->heap[i] = o;
}

int queue_take(struct queue *q, struct occ *o)
{
	struct occ last;
	size_t i = 0, c;

	if (!q->n)
		return 0;
	*o = q->heap[0];
	last = q->heap[--q->n];
	while ((c = 2 * i + 1) < q->n) {
		if (c + 1 < q->n && before(&q->heap[c + 1], &q->heap[c]))
			c++;
		if (!before(&q->heap[c], &last))
			break;
		q->heap[i] = q->heap[c];
		i = c;
	}
	q->heap[i] = last;
	return 1;
}
