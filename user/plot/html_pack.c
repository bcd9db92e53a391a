// SPDX-License-Identifier: GPL-2.0
#include "html_pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

/* ---- interning ---- */

static size_t place(const struct html_intern *t, uint64_t key, size_t nslots)
{
	return ks_hash(key, t->seed) & (nslots - 1);
}

static int rehash(struct html_intern *t)
{
	size_t nslots = t->nslots ? t->nslots * 2 : 64;
	uint32_t *slot = calloc(nslots, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	if (!t->nslots)
		t->seed = ks_hash_seed(); /* keys are a guest's */
	for (size_t i = 0; i < t->n; i++) {
		size_t h = place(t, t->key[i], nslots);

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
	for (h = place(t, key, t->nslots); t->slot[h]; h = (h + 1) & (t->nslots - 1))
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

static void put_group(struct html_pack *p)
{
	uint32_t v = (uint32_t)p->rest[0] << 16 | (uint32_t)p->rest[1] << 8 | p->rest[2];
	char g[4] = { digits[v >> 18], digits[v >> 12 & 63], digits[v >> 6 & 63], digits[v & 63] };

	for (unsigned int i = p->nrest + 1; i < 4; i++)
		g[i] = '=';
	fwrite(g, 1, sizeof(g), p->out);
	memset(p->rest, 0, sizeof(p->rest));
	p->nrest = 0;
}

static void put_byte(struct html_pack *p, uint8_t b)
{
	p->rest[p->nrest++] = b;
	if (p->nrest == 3)
		put_group(p);
}

void html_put_end(struct html_pack *p)
{
	if (p->nrest)
		put_group(p);
}

void html_put(struct html_pack *p, uint64_t v)
{
	while (v >= 0x80) {
		put_byte(p, (uint8_t)(v | 0x80));
		v >>= 7;
	}
	put_byte(p, (uint8_t)v);
}

void html_put_key(struct html_pack *p, struct html_intern *t, uint64_t key)
{
	size_t i = html_intern(t, key);

	if (i == SIZE_MAX)
		p->err = -ENOMEM;
	else
		html_put(p, i);
}

uint64_t html_whole_ns(float ns)
{
	return ns < 0x1p63f ? (uint64_t)ns : 1ull << 63;
}

/* ---- rows ---- */

void html_put_span(struct html_pack *p, struct html_row *r, uint32_t lane, uint64_t from,
		   uint64_t to)
{
	int64_t diff;

	if (lane != r->lane || !r->begun) {
		r->begun = true;
		r->lane = lane;
		r->last = p->t0;
	}
	diff = (int64_t)(from - r->last);
	html_put(p, (uint64_t)diff << 1 ^ (diff < 0 ? UINT64_MAX : 0));
	html_put(p, to - from);
	r->last = from;
}
