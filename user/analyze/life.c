// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "life.h"

/* What a host's control records say of a slot. */
struct slot {
	const struct ks_rec *first, *last; /* TSC offset; NULL: none */
	uint64_t gone;			   /* UINT64_MAX: not seen to go */
};

static struct slot *read_slots(const struct ks_model *m, struct ks_reader *host)
{
	struct slot *slots = calloc(m->nslots + 1, sizeof(*slots));
	const struct ks_rec *ctl;
	size_t n, i;

	ctl = ks_reader_control(host, &n);
	for (i = 0; slots && i < m->nslots; i++)
		slots[i].gone = UINT64_MAX;
	for (i = 0; slots && i < n; i++) {
		struct slot *s = ctl[i].id < m->nslots ? &slots[ctl[i].id] : NULL;

		if (s && ctl[i].type == KS_VCPU_GONE) {
			s->gone = ctl[i].time;
		} else if (s && ctl[i].type == KS_TSC_OFFSET) {
			s->first = s->first ? s->first : &ctl[i];
			s->last = &ctl[i];
		}
	}
	return slots;
}

/* Does the TSC of one slot go on in the next one? */
static bool goes_on(const struct slot *a, const struct slot *b)
{
	return !a->last || !b->first || (a->last->a == b->first->a && a->last->b == b->first->b);
}

/* The slots of one vCPU, `n` of them, which follow each other. */
static void add_lives(struct ks_lives *l, const struct slot *slots, const struct ks_vcpu *v,
		      uint32_t n)
{
	struct ks_life *x = NULL;
	uint32_t i;

	for (i = 0; i < n; i++) {
		uint32_t slot = v[i].slot;

		if (!i || !goes_on(&slots[v[i - 1].slot], &slots[slot])) {
			if (x && x->to > v[i].since)
				x->to = v[i].since;
			x = &l->v[l->n++];
			*x = (struct ks_life){ v[i].vm, slot, i ? v[i].since : 0, 0 };
		}
		x->to = slots[slot].gone;
	}
}

/* A VM goes on without its lowest vCPU, if that is unplugged. */
static void outlive(struct ks_life *x, uint64_t gone)
{
	x->to = x->to > gone ? x->to : gone;
}

int ks_lives_find(struct ks_lives *l, const struct ks_model *m, struct ks_reader *host,
		  const bool *vms)
{
	struct slot *slots = read_slots(m, host);
	uint32_t i, n, of = KS_NO_VCPU;

	*l = (struct ks_lives){ .v = calloc(m->nvcpus + 1, sizeof(*l->v)) };
	if (!slots || !l->v) {
		free(slots);
		ks_lives_free(l);
		return -ENOMEM;
	}
	for (i = 0; i < m->nvcpus; i += n) {
		const struct ks_vcpu *v = &m->vcpus[i];

		n = 1;
		while (i + n < m->nvcpus && v[n].vm == v->vm && v[n].vcpu_id == v->vcpu_id)
			n++;
		if (vms && !vms[v->vm])
			continue;
		if (v->vm != of)
			add_lives(l, slots, v, n);
		else
			outlive(&l->v[l->n - 1], slots[v[n - 1].slot].gone);
		of = v->vm;
	}
	free(slots);
	return 0;
}

void ks_lives_free(struct ks_lives *l)
{
	free(l->v);
	*l = (struct ks_lives){ 0 };
}
