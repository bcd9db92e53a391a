// SPDX-License-Identifier: GPL-2.0
/* Losses of one trace: what they cover. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loss.h"

/* A trace with more is hostile or hopeless: neighbours are taken together. */
#define LOSS_LIMIT 65536u

static int by_from(const void *pa, const void *pb)
{
	const struct an_loss *a = pa, *b = pb;

	return a->from < b->from ? -1 : a->from > b->from;
}

static void cover(struct an_losses *l)
{
	struct an_span *c;
	size_t i;

	l->ncover = 0;
	for (i = 0; i < l->n; i++) {
		if (l->v[i].type != KS_NONE && l->v[i].type != KS_LOCK_REL)
			continue;
		c = l->ncover ? &l->cover[l->ncover - 1] : NULL;
		if (c && l->v[i].from <= c->to) {
			if (l->v[i].to > c->to)
				c->to = l->v[i].to;
			continue;
		}
		l->cover[l->ncover++] = (struct an_span){ l->v[i].from, l->v[i].to };
	}
}

static void fold_into(struct an_loss *last, const struct an_loss *x)
{
	if (x->from < last->from)
		last->from = x->from;
	if (x->to > last->to)
		last->to = x->to;
	last->count += x->count;
	if (x->cpu != last->cpu)
		last->cpu = KS_RING_ANY;
	if (x->type != last->type)
		last->type = KS_NONE;
}

static struct an_loss from_rec(const struct ks_rec *r, ks_map_fn map, void *ctx)
{
	struct an_loss x = {
		.from = ks_loss_from(r),
		.to = ks_loss_to(r),
		.count = r->b,
		.cpu = r->cpu,
		.type = r->flags,
	};

	if (map) {
		x.from = map(ctx, x.from);
		x.to = map(ctx, x.to);
	}
	return x;
}

int an_losses_init(struct an_losses *l, const struct ks_rec *ctl, size_t n, ks_map_fn map,
		   void *ctx)
{
	size_t i, want = 0;
	struct an_loss x;

	for (i = 0; i < n; i++)
		want += ctl[i].type == KS_LOSS && ctl[i].b;
	if (want > LOSS_LIMIT)
		want = LOSS_LIMIT;
	memset(l, 0, sizeof(*l));
	if (!want)
		return 0;
	l->v = calloc(want, sizeof(*l->v));
	l->cover = malloc(want * sizeof(*l->cover));
	if (!l->v || !l->cover) {
		an_losses_free(l);
		return -ENOMEM;
	}
	for (i = 0; i < n; i++) {
		if (ctl[i].type != KS_LOSS || !ctl[i].b)
			continue;
		x = from_rec(&ctl[i], map, ctx);
		if (l->n < want)
			l->v[l->n++] = x;
		else
			fold_into(&l->v[l->n - 1], &x);
	}
	qsort(l->v, l->n, sizeof(*l->v), by_from);
	cover(l);
	return 0;
}

/* First loss that begins after time. */
static size_t after(const struct an_losses *l, uint64_t time)
{
	size_t lo = 0, hi = l->n, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (l->v[mid].from <= time)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct an_loss *known(const struct an_losses *l, const struct an_loss *x, size_t behind)
{
	size_t i;

	for (i = behind; i > 0 && l->v[i - 1].from == x->from; i--)
		if (l->v[i - 1].to == x->to && l->v[i - 1].cpu == x->cpu &&
		    l->v[i - 1].type == x->type)
			return &l->v[i - 1];
	return NULL;
}

static int make_room(struct an_losses *l)
{
	struct an_loss *v = realloc(l->v, (l->n + 1) * sizeof(*v));
	struct an_span *c;

	if (!v)
		return -ENOMEM;
	l->v = v;
	c = realloc(l->cover, (l->n + 1) * sizeof(*c));
	if (!c)
		return -ENOMEM;
	l->cover = c;
	return 0;
}

/* Put it in place `at`, or, if there are too many, to the one before that. 0 or -ENOMEM. */
static int put(struct an_losses *l, const struct an_loss *x, size_t at)
{
	if (l->n >= LOSS_LIMIT && at) {
		fold_into(&l->v[--at], x);
	} else {
		if (make_room(l))
			return -ENOMEM;
		memmove(&l->v[at + 1], &l->v[at], (l->n - at) * sizeof(*l->v));
		l->v[at] = *x;
		l->n++;
	}
	if (at < l->next)
		l->next = at;
	cover(l);
	return 0;
}

int an_losses_late(struct an_losses *l, const struct ks_rec *r, ks_map_fn map, void *ctx)
{
	struct an_loss x = from_rec(r, map, ctx), *same;
	size_t at = after(l, x.from);

	if (!x.count)
		return 0;
	x.late = true;
	same = known(l, &x, at);
	if (!same)
		return put(l, &x, at) ? -ENOMEM : 1;
	if (!same->late)
		return 0;
	same->count += x.count;
	return 1;
}

void an_losses_free(struct an_losses *l)
{
	free(l->v);
	free(l->cover);
	memset(l, 0, sizeof(*l));
}

uint64_t an_losses_floor(const struct an_losses *l, uint64_t time)
{
	size_t lo = 0, hi = l->ncover, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (l->cover[mid].from <= time)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? l->cover[lo - 1].to : 0;
}
