// SPDX-License-Identifier: GPL-2.0
#include "html_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- interning ---- */

static size_t hash(uint64_t key, size_t nslots)
{
	key *= 0x9e3779b97f4a7c15ull;
	return (key >> 20) & (nslots - 1);
}

static int rehash(struct html_intern *t)
{
	size_t nslots = t->nslots ? t->nslots * 2 : 64;
	uint32_t *slot = calloc(nslots, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		size_t h = hash(t->key[i], nslots);

		while (slot[h])
			h = (h + 1) & (nslots - 1);
		slot[h] = (uint32_t)i + 1;
	}
	free(t->slot);
	t->slot = slot;
	t->nslots = nslots;
	return 0;
}

static int grow(struct html_intern *t)
{
	size_t cap = t->cap ? t->cap * 2 : 32;
	uint64_t *key = reallocarray(t->key, cap, sizeof(*key));

	if (!key)
		return -ENOMEM;
	t->key = key;
	t->cap = cap;
	return 0;
}

size_t html_intern(struct html_intern *t, uint64_t key)
{
	size_t h;

	if (t->n * 2 >= t->nslots && rehash(t))
		return SIZE_MAX;
	for (h = hash(key, t->nslots); t->slot[h]; h = (h + 1) & (t->nslots - 1))
		if (t->key[t->slot[h] - 1] == key)
			return t->slot[h] - 1;
	if (t->n == t->cap && grow(t))
		return SIZE_MAX;
	t->key[t->n] = key;
	t->slot[h] = (uint32_t)++t->n;
	return t->n - 1;
}

void html_intern_free(struct html_intern *t)
{
	free(t->key);
	free(t->slot);
	*t = (struct html_intern){ 0 };
}

/* ---- base64 ---- */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_group(struct html_data *d)
{
	uint32_t v = (uint32_t)d->rest[0] << 16 | (uint32_t)d->rest[1] << 8 | d->rest[2];
	char g[4] = { digits[v >> 18], digits[v >> 12 & 63], digits[v >> 6 & 63], digits[v & 63] };

	for (unsigned int i = d->nrest + 1; i < 4; i++)
		g[i] = '=';
	fwrite(g, 1, sizeof(g), d->out);
	memset(d->rest, 0, sizeof(d->rest));
	d->nrest = 0;
}

static void put_byte(struct html_data *d, uint8_t b)
{
	d->rest[d->nrest++] = b;
	if (d->nrest == 3)
		put_group(d);
}

static void end_string(struct html_data *d)
{
	if (d->nrest)
		put_group(d);
}

static void put(struct html_data *d, uint64_t v)
{
	while (v >= 0x80) {
		put_byte(d, (uint8_t)(v | 0x80));
		v >>= 7;
	}
	put_byte(d, (uint8_t)v);
}

static void put_key(struct html_data *d, struct html_intern *t, uint64_t key)
{
	size_t i = html_intern(t, key);

	if (i == SIZE_MAX)
		d->err = -ENOMEM;
	else
		put(d, i);
}

/* Sums of folded times are floats, and a guest may have claimed anything. */
static uint64_t whole_ns(float ns)
{
	return ns < 0x1p63f ? (uint64_t)ns : 1ull << 63;
}

/* ---- rows ---- */

struct row {
	uint32_t lane;
	uint64_t last;
};

static void put_span(struct html_data *d, struct row *r, uint32_t lane, uint64_t from, uint64_t to)
{
	int64_t diff;

	if (lane != r->lane || !r->last) {
		r->lane = lane;
		r->last = d->s->t0;
	}
	diff = (int64_t)(from - r->last);
	put(d, (uint64_t)diff << 1 ^ (diff < 0 ? UINT64_MAX : 0));
	put(d, to - from);
	r->last = from;
}

/* A mask of the numbers that are not zero, then these. */
static void put_shares(struct html_data *d, const uint64_t *v)
{
	unsigned int mask = 0;

	for (int c = 0; c < KS_C_WAIT_MAX; c++)
		mask |= (unsigned int)!!v[c] << c;
	put(d, mask);
	for (int c = 0; c < KS_C_WAIT_MAX; c++)
		if (v[c])
			put(d, v[c]);
}

static uint32_t lane_of(const struct ks_scene *s, uint32_t vcpu)
{
	for (uint32_t l = 0; l < s->nlanes; l++)
		if (s->lanes[l].vcpu == vcpu)
			return l + 1;
	return 0;
}

void html_waits(struct html_data *d)
{
	struct row r = { 0 };

	for (size_t i = 0; i < d->s->waits.n; i++) {
		const struct sc_wait *w = &sc_waits(d->s)[i];
		uint64_t ple[KS_C_WAIT_MAX];

		for (int c = 0; c < KS_C_WAIT_MAX; c++)
			ple[c] = w->w.ple[c];
		put_span(d, &r, w->lane, w->w.try_time, w->w.acq_time);
		put(d, (unsigned int)w->w.verdict | (unsigned int)w->level << 3 |
			       (unsigned int)w->w.acquired << 5 | (unsigned int)w->link_kind << 6 |
			       (unsigned int)w->w.partial << 8);
		put_key(d, &d->locks, w->w.lock);
		put_key(d, &d->syms, w->w.ip);
		put_key(d, &d->tasks, w->w.pid);
		put(d, w->w.ctx_flags);
		put(d, w->w.ple_total);
		put(d, w->link);
		put(d, lane_of(d->s, w->w.blame_vcpu));
		put(d, w->w.blame_class);
		put_key(d, &d->syms, w->w.blame_ip);
		put_key(d, &d->tasks, w->w.blame_pid);
		put(d, w->w.blame_off_ns);
		put_shares(d, w->w.share);
		put_shares(d, ple);
	}
	end_string(d);
}

void html_holds(struct html_data *d)
{
	struct row r = { 0 };

	for (size_t i = 0; i < d->s->holds.n; i++) {
		const struct sc_hold *h = &sc_holds(d->s)[i];

		put_span(d, &r, h->lane, h->h.acq_time, h->h.rel_time);
		put(d, h->level | (unsigned int)h->h.waiters << 2);
		put_key(d, &d->locks, h->h.lock);
		put_key(d, &d->syms, h->h.ip);
		put_key(d, &d->tasks, h->h.pid);
		put(d, h->h.off_ns);
	}
	end_string(d);
}

void html_segs(struct html_data *d)
{
	struct row r = { 0 };

	for (size_t i = 0; i < d->s->segs.n; i++) {
		const struct sc_seg *g = &sc_segs(d->s)[i];

		put_span(d, &r, g->lane, g->from, g->to);
		put(d, g->state);
		put(d, (uint64_t)((int64_t)g->pcpu + 1));
		for (int k = 0; g->state == SC_MIXED && k < SC_STATES; k++)
			put(d, whole_ns(g->ns[k]));
	}
	end_string(d);
}

void html_ples(struct html_data *d)
{
	struct row r = { 0 };

	for (size_t i = 0; i < d->s->ples.n; i++) {
		const struct sc_ple *p = &sc_ples(d->s)[i];

		put_span(d, &r, p->lane, p->from, p->to);
		put(d, p->class);
		put(d, p->count);
		put_key(d, &d->syms, p->ip);
	}
	end_string(d);
}

void html_cells(struct html_data *d, const struct sc_vec *cells)
{
	struct row r = { 0 };

	for (size_t i = 0; i < cells->n; i++) {
		const struct sc_cell *c = (const struct sc_cell *)cells->v + i;
		uint64_t ns[KS_C_WAIT_MAX];

		for (int k = 0; k < KS_C_WAIT_MAX; k++)
			ns[k] = whole_ns(c->ns[k]);
		put_span(d, &r, c->lane, c->from, c->to);
		put(d, c->count);
		put(d, c->ple);
		put_shares(d, ns);
	}
	end_string(d);
}
