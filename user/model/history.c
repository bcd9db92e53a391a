// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "history.h"

#define HIST_FIRST 128u
#define HIST_LIMIT 65536u

int ks_history_init(struct ks_history *h)
{
	h->e = malloc(HIST_FIRST * sizeof(*h->e));
	h->mask = HIST_FIRST - 1;
	/* Sequence 0 stays free, so that head - 1 never wraps. */
	h->head = h->tail = 1;
	return h->e ? 0 : -ENOMEM;
}

void ks_history_free(struct ks_history *h)
{
	free(h->e);
	h->e = NULL;
}

size_t ks_history_grow(struct ks_history *h)
{
	uint32_t cap = (h->mask + 1) * 2;
	uint64_t *e, i;

	if (cap > HIST_LIMIT)
		return 0;
	e = malloc(cap * sizeof(*e));
	if (!e)
		return 0;
	for (i = h->head; i < h->tail; i++)
		e[i & (cap - 1)] = h->e[i & h->mask];
	free(h->e);
	h->e = e;
	h->mask = cap - 1;
	return cap / 2 * sizeof(*e);
}

void ks_history_push(struct ks_history *h, uint64_t time, enum ks_vstate s)
{
	uint64_t *last = &h->e[(h->tail - 1) & h->mask];

	if (h->tail > h->head) {
		if ((*last & 7) == s)
			return;
		if (time <= *last >> 3) {
			*last = (*last & ~7ull) | s;
			return;
		}
	}
	if (h->tail - h->head > h->mask)
		h->head++;
	h->e[h->tail++ & h->mask] = time << 3 | s;
}

uint64_t ks_history_find(const struct ks_history *h, uint64_t time)
{
	uint64_t lo = h->head, hi = h->tail, mid;
	int i;

	/* Nearly always it is one of the newest. */
	for (i = 0; i < 4 && hi > lo; i++, hi--)
		if (h->e[(hi - 1) & h->mask] >> 3 <= time)
			return hi - 1;
	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (h->e[mid & h->mask] >> 3 <= time)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo - 1;
}

uint64_t ks_history_time_in(const struct ks_history *h, uint64_t from, uint64_t to,
			    unsigned int states)
{
	uint64_t seq = ks_history_find(h, from), sum = 0, end;

	while (from < to) {
		end = ks_history_until(h, seq);
		if (end > to)
			end = to;
		if (states & 1u << ks_history_state(h, seq))
			sum += end - from;
		from = end;
		seq++;
	}
	return sum;
}
