// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "topk.h"

static uint16_t *chain_of(struct topk *t, uint64_t key)
{
	return &t->chain[(key * 0x9e3779b97f4a7c15ull) >> 54];
}

_Static_assert(TOPK_PLACES == 1u << 10, "a hash of ten bits");

static struct topk_entry *find(struct topk *t, uint64_t key)
{
	uint16_t i;

	for (i = *chain_of(t, key); i; i = t->e[i - 1].next)
		if (t->e[i - 1].key == key)
			return &t->e[i - 1];
	return NULL;
}

static void unchain(struct topk *t, const struct topk_entry *e)
{
	uint16_t *at = chain_of(t, e->key), me = e - t->e + 1;

	while (*at != me)
		at = &t->e[*at - 1].next;
	*at = e->next;
}

static struct topk_entry *lightest(struct topk *t)
{
	struct topk_entry *min = t->e;
	uint32_t i;

	for (i = 1; i < t->n; i++)
		if (t->e[i].weight < min->weight)
			min = &t->e[i];
	return min;
}

static struct topk_entry *place(struct topk *t, uint64_t key)
{
	struct topk_entry *e;
	uint64_t inherited = 0;
	uint16_t *chain = chain_of(t, key);

	if (!t->e)
		t->e = calloc(TOPK_PLACES, sizeof(*t->e));
	if (!t->e)
		return NULL;
	if (t->n < TOPK_PLACES) {
		e = &t->e[t->n++];
	} else {
		t->full = true;
		e = lightest(t);
		inherited = e->weight;
		unchain(t, e);
	}
	memset(e, 0, sizeof(*e));
	e->key = key;
	e->weight = e->error = inherited;
	e->next = *chain;
	*chain = e - t->e + 1;
	return e;
}

struct topk_entry *topk_add(struct topk *t, uint64_t key, uint64_t weight)
{
	struct topk_entry *e = find(t, key);

	if (!e)
		e = place(t, key);
	if (e)
		e->weight += weight;
	return e;
}

/* In order of their counts. A new site takes the last one's place, and its count. */
void topk_site(struct topk_entry *e, uint64_t ip)
{
	uint32_t i = 0;
	uint64_t count;

	if (!ip)
		return;
	while (i < TOPK_SITES - 1 && e->site[i].count && e->site[i].ip != ip)
		i++;
	count = e->site[i].count + 1;
	for (; i && e->site[i - 1].count < count; i--)
		e->site[i] = e->site[i - 1];
	e->site[i].ip = ip;
	e->site[i].count = count;
}

static int heavier(const void *pa, const void *pb)
{
	const struct topk_entry *a = *(const struct topk_entry *const *)pa;
	const struct topk_entry *b = *(const struct topk_entry *const *)pb;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return a->key < b->key ? -1 : a->key > b->key;
}

const struct topk_entry **topk_sorted(const struct topk *t, uint32_t *n)
{
	const struct topk_entry **v;
	uint32_t i;

	*n = 0;
	if (!t->n)
		return NULL;
	v = malloc(t->n * sizeof(*v));
	if (!v)
		return NULL;
	for (i = 0; i < t->n; i++)
		v[i] = &t->e[i];
	qsort(v, t->n, sizeof(*v), heavier);
	*n = t->n;
	return v;
}

void topk_free(struct topk *t)
{
	free(t->e);
}
