// SPDX-License-Identifier: GPL-2.0
/* Losses of one trace: what they cover. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loss.h"

#define LATE_SPANS 4096u /* kept of those that were not known ahead */

/* ---- times that are covered ---- */

/* Make one of the older half: of what lies far back nobody asks any more. */
static void fold_old(struct an_cover *c)
{
	size_t half = c->n / 2;

	c->v[0].to = c->v[half - 1].to;
	memmove(&c->v[1], &c->v[half], (c->n - half) * sizeof(*c->v));
	c->n -= half - 1;
}

static int cover_room(struct an_cover *c)
{
	size_t room = c->room ? 2 * c->room : 64;
	struct an_span *v;

	if (c->n < c->room)
		return 0;
	if (c->n >= LATE_SPANS) {
		fold_old(c);
		return 0;
	}
	v = realloc(c->v, room * sizeof(*v));
	if (!v)
		return -ENOMEM;
	c->v = v;
	c->room = room;
	return 0;
}

/* They come in order of their beginning, or nearly: one that does not is made one with the last. */
static int cover_add(struct an_cover *c, uint64_t from, uint64_t to)
{
	struct an_span *last;

	if (!c->n || from > c->v[c->n - 1].to) {
		if (cover_room(c))
			return -ENOMEM;
		c->v[c->n++] = (struct an_span){ from, to };
		return 0;
	}
	last = &c->v[c->n - 1];
	an_raise(&last->to, to);
	if (from < last->from)
		last->from = from;
	while (c->n > 1 && c->v[c->n - 2].to >= last->from) {
		last--;
		an_raise(&last->to, last[1].to);
		if (last[1].from < last->from)
			last->from = last[1].from;
		c->n--;
	}
	return 0;
}

static uint64_t cover_floor(const struct an_cover *c, uint64_t time)
{
	size_t lo = 0, hi = c->n, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (c->v[mid].from <= time)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? c->v[lo - 1].to : 0;
}

/* ---- losses ---- */

static bool of_releases(const struct an_loss *x)
{
	return x->type == KS_NONE || x->type == KS_LOCK_REL;
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_place(const void *pa, const void *pb)
{
	const struct an_loss *a = pa, *b = pb;

	if (a->from != b->from)
		return compare(a->from, b->from);
	if (a->to != b->to)
		return compare(a->to, b->to);
	return a->cpu != b->cpu ? compare(a->cpu, b->cpu) : compare(a->type, b->type);
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

static int fill(struct an_losses *l, const struct ks_rec *ctl, size_t n, ks_map_fn map, void *ctx)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ctl[i].type == KS_LOSS && ctl[i].b)
			l->v[l->n++] = from_rec(&ctl[i], map, ctx);
	qsort(l->v, l->n, sizeof(*l->v), by_place);
	for (i = 0; i < l->n; i++)
		if (of_releases(&l->v[i]) && cover_add(&l->cover, l->v[i].from, l->v[i].to))
			return -ENOMEM;
	return 0;
}

int an_losses_init(struct an_losses *l, const struct ks_rec *ctl, size_t n, ks_map_fn map,
		   void *ctx)
{
	size_t i, want = 0;
	int err;

	memset(l, 0, sizeof(*l));
	for (i = 0; i < n; i++)
		want += ctl[i].type == KS_LOSS && ctl[i].b;
	if (!want)
		return 0;
	l->v = calloc(want, sizeof(*l->v));
	l->cover.v = calloc(want, sizeof(*l->cover.v));
	l->cover.room = want;
	err = l->v && l->cover.v ? fill(l, ctl, n, map, ctx) : -ENOMEM;
	if (err)
		an_losses_free(l);
	return err;
}

/* The other half of what its ring came with before? */
static bool more_of_last(struct an_losses *l, const struct an_loss *x)
{
	struct an_span *last, now = { x->from, x->to };
	bool more;

	if (!l->late)
		l->late = calloc(KS_RING_ANY + 1, sizeof(*l->late));
	if (!l->late)
		return false; /* it begins twice: no harm */
	last = &l->late[x->cpu];
	more = last->from == now.from && last->to == now.to;
	*last = now;
	return more;
}

int an_losses_late(struct an_losses *l, const struct ks_rec *r, ks_map_fn map, void *ctx,
		   struct an_loss *x)
{
	*x = from_rec(r, map, ctx);
	if (!x->count || (l->n && bsearch(x, l->v, l->n, sizeof(*l->v), by_place)))
		return AN_LOSS_KNOWN;
	if (more_of_last(l, x))
		return AN_LOSS_MORE;
	an_raise(&l->late_to, x->to);
	if (of_releases(x) && cover_add(&l->late_cover, x->from, x->to))
		return -ENOMEM;
	return AN_LOSS_NEW;
}

void an_losses_free(struct an_losses *l)
{
	free(l->v);
	free(l->cover.v);
	free(l->late);
	free(l->late_cover.v);
	memset(l, 0, sizeof(*l));
}

uint64_t an_losses_floor(const struct an_losses *l, uint64_t time)
{
	uint64_t known = cover_floor(&l->cover, time), late = cover_floor(&l->late_cover, time);

	return known > late ? known : late;
}
