// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lossin.h"
#include "trace.h"

/* Lengths of pauses, by the number of their bits. */
#define LENGTHS 65

static bool same_kind(const struct ks_rec *a, const struct ks_rec *b)
{
	return a->cpu == b->cpu && a->flags == b->flags;
}

static int by_kind_and_time(const void *pa, const void *pb)
{
	const struct ks_rec *a = pa, *b = pb;
	uint64_t from = ks_loss_from(a), other = ks_loss_from(b);

	if (a->cpu != b->cpu)
		return a->cpu < b->cpu ? -1 : 1;
	if (a->flags != b->flags)
		return a->flags < b->flags ? -1 : 1;
	return from < other ? -1 : from > other;
}

/* Between a time and a loss; 0 if it begins no later. */
static unsigned int length_of_pause(uint64_t end, const struct ks_rec *next)
{
	uint64_t from = ks_loss_from(next);

	return from > end ? 64 - __builtin_clzll(from - end) : 0;
}

/* The shortest length such that so many losses are left if no pause is longer; LENGTHS: there is none. */
static unsigned int find_length(const struct ks_lossin *l, size_t left)
{
	size_t pauses[LENGTHS] = { 0 }, n = l->n;
	unsigned int length;
	uint64_t end = 0;

	for (size_t i = 0; i < l->n; i++) {
		bool first = !i || !same_kind(&l->v[i - 1], &l->v[i]);

		if (!first)
			pauses[length_of_pause(end, &l->v[i])]++;
		if (first || ks_loss_to(&l->v[i]) > end)
			end = ks_loss_to(&l->v[i]);
	}
	for (length = 0; length < LENGTHS; length++) {
		n -= pauses[length];
		if (n <= left)
			break;
	}
	return length;
}

static void join_within(struct ks_lossin *l, unsigned int length)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		struct ks_rec *last = n ? &l->v[n - 1] : NULL;

		if (last && same_kind(last, &l->v[i]) &&
		    length_of_pause(ks_loss_to(last), &l->v[i]) <= length)
			ks_loss_join(last, &l->v[i]);
		else
			l->v[n++] = l->v[i];
	}
	l->n = n;
}

static void reduce(struct ks_lossin *l)
{
	unsigned int length;

	qsort(l->v, l->n, sizeof(*l->v), by_kind_and_time);
	length = find_length(l, KS_MAX_LOSSES / 2);
	if (length == LENGTHS) { /* of more rings and types than that: meant ill */
		for (size_t i = 0; i < l->n; i++)
			l->v[i].cpu = KS_RING_ANY;
		qsort(l->v, l->n, sizeof(*l->v), by_kind_and_time);
		length = find_length(l, KS_MAX_LOSSES / 2);
	}
	join_within(l, length);
}

static int make_room(struct ks_lossin *l)
{
	size_t room = l->room ? 2 * l->room : 64;
	struct ks_rec *v;

	if (l->n < l->room)
		return 0;
	if (l->room == KS_MAX_LOSSES) {
		reduce(l);
		return 0;
	}
	v = realloc(l->v, room * sizeof(*v));
	if (!v)
		return -ENOMEM;
	l->v = v;
	l->room = room;
	return 0;
}

int ks_lossin_add(struct ks_lossin *l, const struct ks_rec *loss)
{
	int ret = make_room(l);

	if (!ret)
		l->v[l->n++] = *loss;
	return ret;
}

void ks_lossin_release(struct ks_lossin *l)
{
	free(l->v);
	memset(l, 0, sizeof(*l));
}
