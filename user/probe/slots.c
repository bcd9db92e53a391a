// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "slots.h"

int ks_slots_init(struct ks_slots *s, const struct ks_vcpu_state *state, uint32_t n,
		  const uint32_t *used, const uint64_t *untold)
{
	*s = (struct ks_slots){ .state = state, .n = n, .used = used, .untold = untold };
	s->told = calloc(n, 1);
	return s->told ? 0 : -ENOMEM;
}

void ks_slots_release(struct ks_slots *s)
{
	free(s->told);
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
