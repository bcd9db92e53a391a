// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "held.h"

struct held_hold *held_add_hold(struct held *h)
{
	struct held_hold *e;

	if (!h->hold)
		h->hold = calloc(HELD_HOLDS, sizeof(*h->hold));
	if (!h->hold)
		return NULL;
	e = &h->hold[(h->hold_first + h->nholds++) % HELD_HOLDS];
	*e = (struct held_hold){ .ends = { 0 } };
	return e;
}

struct held_wait *held_add_wait(struct held *h)
{
	struct held_wait *e;

	if (!h->wait)
		h->wait = calloc(HELD_WAITS, sizeof(*h->wait));
	if (!h->wait)
		return NULL;
	e = &h->wait[(h->wait_first + h->nwaits++) % HELD_WAITS];
	*e = (struct held_wait){ .flow = 0 };
	return e;
}

bool held_full_holds(const struct held *h)
{
	return h->nholds == HELD_HOLDS;
}

bool held_full_waits(const struct held *h)
{
	return h->nwaits == HELD_WAITS;
}

struct held_hold *held_oldest_hold(struct held *h)
{
	return h->nholds ? &h->hold[h->hold_first] : NULL;
}

struct held_wait *held_oldest_wait(struct held *h)
{
	return h->nwaits ? &h->wait[h->wait_first] : NULL;
}

void held_drop_hold(struct held *h)
{
	free(h->hold[h->hold_first].ends.id);
	h->hold_first = (h->hold_first + 1) % HELD_HOLDS;
	h->nholds--;
}

void held_drop_wait(struct held *h)
{
	free(h->wait[h->wait_first].ends.id);
	h->wait_first = (h->wait_first + 1) % HELD_WAITS;
	h->nwaits--;
	h->waits_dropped++;
}

struct held_wait *held_nth_wait(struct held *h, uint64_t nth)
{
	uint64_t i = nth - h->waits_dropped;

	return i < h->nwaits ? &h->wait[(h->wait_first + i) % HELD_WAITS] : NULL;
}

void held_free(struct held *h)
{
	while (h->nholds)
		held_drop_hold(h);
	while (h->nwaits)
		held_drop_wait(h);
	free(h->hold);
	free(h->wait);
}

/* What is looked for, and the best so far. */
struct search {
	const struct ks_wait *w;
	uint64_t best;
	struct held_flows *found;
};

/* The blamed thread at the blamed place counts before everything else. */
static void consider(struct search *s, struct held_flows *f, uint64_t from, uint64_t to, bool exact)
{
	uint64_t shared;

	from = from > s->w->try_time ? from : s->w->try_time;
	to = to < s->w->acq_time ? to : s->w->acq_time;
	if (to <= from)
		return;
	shared = (to - from) | (exact ? 1ull << 63 : 0);
	if (shared <= s->best)
		return;
	s->best = shared;
	s->found = f;
}

static void search_waits(struct held *h, struct search *s)
{
	uint32_t i;

	for (i = 0; i < h->nwaits; i++) {
		struct held_wait *e = &h->wait[(h->wait_first + i) % HELD_WAITS];

		if (e->wait.lock == s->w->lock && e->wait.acquired)
			consider(s, &e->ends, e->wait.try_time, e->wait.acq_time,
				 e->wait.pid == s->w->blame_pid && e->wait.ip == s->w->blame_ip);
	}
}

static void search_holds(struct held *h, struct search *s)
{
	uint32_t i;

	for (i = 0; i < h->nholds; i++) {
		struct held_hold *e = &h->hold[(h->hold_first + i) % HELD_HOLDS];

		if (e->hold.lock == s->w->lock)
			consider(s, &e->ends, e->hold.acq_time, e->hold.rel_time,
				 e->hold.pid == s->w->blame_pid && e->hold.ip == s->w->blame_ip);
	}
}

struct held_flows *held_blamed(struct held *h, const struct ks_wait *w)
{
	struct search s = { .w = w };

	if (w->blame_class == KS_C_LWP)
		search_waits(h, &s);
	else
		search_holds(h, &s);
	return s.found;
}

bool held_is_blamed(const struct ks_wait *w, bool is_wait, uint64_t lock, uint64_t from,
		    uint64_t to)
{
	return is_wait == (w->blame_class == KS_C_LWP) && lock == w->lock && from < w->acq_time &&
	       to > w->try_time && from < to && w->try_time < w->acq_time;
}

int held_flow(struct held_flows *f, uint64_t id)
{
	uint32_t size = f->size ? f->size * 2 : 2;
	uint64_t *p;

	if (f->n == f->size) {
		p = realloc(f->id, size * sizeof(*p));
		if (!p)
			return -ENOMEM;
		f->id = p;
		f->size = size;
	}
	f->id[f->n++] = id;
	return 0;
}
