// SPDX-License-Identifier: GPL-2.0
/*
 * The locks in use: a pool of fixed size with an index by address. When it is full, locks that
 * nobody waits for and that were not used of late make room.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define LOCKS_LEAST 16384u

static uint32_t hash(uint32_t vm, uint64_t addr)
{
	uint64_t x = (addr ^ ((uint64_t)vm << 56)) * 0x9e3779b97f4a7c15ull;

	return x >> 32;
}

int an_locks_init(struct an_locks *l, uint32_t nvcpus)
{
	uint32_t i;

	l->cap = LOCKS_LEAST;
	while (l->cap < nvcpus * AN_OPEN_MAX * 2)
		l->cap *= 2;
	l->mask = l->cap * 2 - 1;
	l->epoch = 1;
	l->pool = calloc(l->cap, sizeof(*l->pool));
	l->index = calloc(l->mask + 1, sizeof(*l->index));
	if (!l->pool || !l->index)
		return -ENOMEM;
	for (i = l->cap; i--;) {
		l->pool[i].next = l->free;
		l->free = &l->pool[i];
	}
	return 0;
}

static void free_past(struct an_past *p)
{
	if (p) {
		free(p->h);
		free(p->q);
		free(p);
	}
}

void an_locks_free(struct an_locks *l)
{
	struct an_past *p, *next;
	uint32_t i;

	for (i = 0; l->pool && i < l->cap; i++)
		free_past(l->pool[i].past);
	for (p = l->pasts; p; p = next) {
		next = p->next;
		free_past(p);
	}
	free(l->pool);
	free(l->index);
}

static uint32_t *slot_of(struct an_locks *l, uint32_t vm, uint64_t addr)
{
	uint32_t i = hash(vm, addr) & l->mask;
	struct an_lock *k;

	while (l->index[i]) {
		k = &l->pool[l->index[i] - 1];
		if (k->addr == addr && k->vm == vm)
			break;
		i = (i + 1) & l->mask;
	}
	return &l->index[i];
}

struct an_lock *an_lock_find(struct an_locks *l, uint32_t vm, uint64_t addr)
{
	uint32_t n = *slot_of(l, vm, addr);
	struct an_lock *k;

	if (!n)
		return NULL;
	k = &l->pool[n - 1];
	k->epoch = l->epoch;
	return k;
}

/* Free what nobody waits for and was not used since `epoch`; index the rest anew. */
static void recycle(struct an_locks *l, uint32_t epoch)
{
	struct an_lock *k;
	uint32_t i;

	memset(l->index, 0, (l->mask + 1) * sizeof(*l->index));
	l->free = NULL;
	l->used = 0;
	for (i = 0; i < l->cap; i++) {
		k = &l->pool[i];
		if (!k->nwait && k->epoch < epoch) {
			k->epoch = 0;
			k->next = l->free;
			l->free = k;
			continue;
		}
		*slot_of(l, k->vm, k->addr) = i + 1;
		l->used++;
	}
}

static void make_room(struct an_locks *l)
{
	recycle(l, l->epoch);
	if (l->used > l->cap / 2)
		recycle(l, l->epoch + 1);
	l->epoch++;
}

struct an_lock *an_lock_get(struct an_locks *l, uint32_t vm, uint64_t addr)
{
	struct an_lock *k = an_lock_find(l, vm, addr);

	if (k)
		return k;
	if (!l->free)
		make_room(l);
	k = l->free;
	if (!k)
		return NULL;
	l->free = k->next;
	*k = (struct an_lock){
		.addr = addr,
		.vm = vm,
		.epoch = l->epoch,
		.owner = KS_NO_VCPU,
		.last_vcpu = KS_NO_VCPU,
	};
	*slot_of(l, vm, addr) = k - l->pool + 1;
	return k;
}
