// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "slots.h"

int ks_slots_init(struct ks_slots *s)
{
	s->told = calloc(s->n, 1);
	s->ended = calloc(s->n, sizeof(*s->ended));
	return s->told && s->ended ? 0 : -ENOMEM;
}

void ks_slots_release(struct ks_slots *s)
{
	free(s->told);
	free(s->ended);
	memset(s, 0, sizeof(*s));
}

uint32_t ks_slots_used(const struct ks_slots *s)
{
	uint32_t used = __atomic_load_n(s->used, __ATOMIC_RELAXED);

	return used < s->n ? used : s->n;
}

static int make_up(struct ks_slots *s, uint32_t slot, ks_rings_fn fn, void *ctx)
{
	const struct ks_vcpu_state *v = &s->state[slot];
	uint32_t due = __atomic_load_n(&v->untold, __ATOMIC_ACQUIRE) & ~s->told[slot], n = 0;
	struct ks_rec rec[2];

	if (due & KS_UNTOLD_NEW)
		rec[n++] = (struct ks_rec){ .type = KS_VCPU_NEW, .a = v->who, .b = v->id };
	if (due & KS_UNTOLD_TSC)
		rec[n++] = (struct ks_rec){ .type = KS_TSC_OFFSET,
					    .a = v->tsc_offset,
					    .b = v->tsc_ratio };
	rec[0].time = rec[1].time = v->since;
	rec[0].cpu = rec[1].cpu = v->cpu;
	rec[0].id = rec[1].id = slot;
	s->told[slot] |= due;
	return n ? fn(ctx, v->cpu, rec, n) : 0;
}

int ks_slots_make_up(struct ks_slots *s, ks_rings_fn fn, void *ctx)
{
	uint64_t untold = __atomic_load_n(s->untold, __ATOMIC_ACQUIRE);
	uint32_t slot;
	int err = 0;

	if (untold == s->seen)
		return 0;
	s->seen = untold;
	for (slot = 0; slot < ks_slots_used(s) && !err; slot++)
		err = make_up(s, slot, fn, ctx);
	return err;
}

bool ks_slots_ended(struct ks_slots *s, uint32_t slot)
{
	const struct ks_vcpu_state *v = &s->state[slot];
	bool gone = v->who && !v->owner, before = s->ended[slot];

	s->ended[slot] = gone;
	return gone && before;
}

bool ks_slots_room(const struct ks_slots *s)
{
	uint32_t head = __atomic_load_n(&s->free->head, __ATOMIC_ACQUIRE);

	return s->free->tail - head < KS_FREE_SLOTS;
}

void ks_slots_reuse(struct ks_slots *s, uint32_t slot)
{
	uint32_t tail = s->free->tail;

	s->told[slot] = 0;
	s->ended[slot] = false;
	s->free->slot[tail & (KS_FREE_SLOTS - 1)] = slot;
	__atomic_store_n(&s->free->tail, tail + 1, __ATOMIC_RELEASE);
}
