// SPDX-License-Identifier: GPL-2.0
/*
 * What lock pages said, against what the recording knows. The two are independent of each other:
 * the guest publishes by one program and is recorded by another.
 *
 * A look counts if the lock had one and the same holder, or was free all the time, from the PLE exit
 * to the look: the vCPU's thread may lose its CPU between the two.
 */
#include "internal.h"

const char *ks_look_match_name(unsigned int match)
{
	static const char *const names[KS_LM_MAX] = {
		[KS_LM_RIGHT] = "right",
		[KS_LM_LAST] = "last",
		[KS_LM_SEVERAL] = "several",
		[KS_LM_WRONG] = "wrong",
	};

	return match < KS_LM_MAX ? names[match] : NULL;
}

const char *ks_look_name(unsigned int look)
{
	static const char *const names[KS_LOOK_MAX] = {
		[KS_LOOK_HOLDER] = "holder",	 [KS_LOOK_WAITER] = "waiter",
		[KS_LOOK_SELF] = "self",	 [KS_LOOK_IPI] = "ipi",
		[KS_LOOK_NOTHING] = "nothing",	 [KS_LOOK_NO_PAGE] = "no_page",
		[KS_LOOK_NO_PROOF] = "no_proof",
	};

	return look < KS_LOOK_MAX ? names[look] : NULL;
}

static bool wants_lock(unsigned int look)
{
	return look == KS_LOOK_HOLDER || look == KS_LOOK_WAITER || look == KS_LOOK_SELF;
}

void an_look(struct ks_analysis *a, const struct ks_event *ev)
{
	uint32_t vcpu = ks_model_slot(&a->model, ev->rec->id);
	struct an_look x = {
		.exit = ev->time,
		.time = ev->time,
		.named = ks_model_slot(&a->model, (uint32_t)ev->rec->b),
		.several = (uint16_t)(ev->rec->b >> 32) > 1,
	};
	struct ks_policy_totals *t;
	struct an_vcpu *v;
	struct an_wait *w;

	if (vcpu == KS_NO_VCPU)
		return;
	if (ev->rec->flags >= KS_LOOK_MAX) {
		a->ignored++;
		return;
	}
	t = &a->vm[a->model.vcpus[vcpu].vm].tot.policy;
	t->looks[ev->rec->flags]++;
	if (!wants_lock(ev->rec->flags))
		return;
	v = &a->vcpu[vcpu];
	w = v->nopen ? v->open[v->nopen - 1] : NULL;
	if (v->last_pause)
		x.exit = v->last_pause;
	if (!w || w->addr != ev->rec->a || !an_wait_look(a, w, &x))
		t->unsure++;
}

static void match(struct an_looks *l, uint64_t *to, const struct an_look *x, uint32_t truth,
		  uint32_t last)
{
	if (truth == KS_NO_VCPU)
		l->t->unsure++;
	else if (x->named == truth)
		to[KS_LM_RIGHT]++;
	else if (x->several)
		to[KS_LM_SEVERAL]++;
	else
		to[last != KS_NO_VCPU && x->named == last ? KS_LM_LAST : KS_LM_WRONG]++;
}

struct an_look *an_looks_in(struct an_looks *l, const struct an_piece *p)
{
	struct an_look *x = &l->w->look[l->next];

	return l->next < l->w->nlook && x->time < p->to ? x : NULL;
}

void an_looks_judge(struct an_looks *l, const struct an_piece *p, bool known)
{
	struct an_look *x = &l->w->look[l->next++];

	if (known && p->kind == AN_HELD) {
		match(l, l->t->held, x, p->other, KS_NO_VCPU);
	} else if (known) {
		x->open = true;
		x->last = p->last;
	} else {
		l->t->unsure++;
	}
}

void an_looks_taken(struct an_looks *l, uint32_t taker)
{
	struct an_look *x;

	for (; l->open < l->next; l->open++) {
		x = &l->w->look[l->open];
		if (x->open)
			match(l, l->t->free, x, taker, x->last);
		x->open = false;
	}
}

void an_looks_end(struct an_looks *l)
{
	an_looks_taken(l, l->w->acquired ? l->w->vcpu : KS_NO_VCPU);
	l->t->unsure += l->w->nlook - l->next;
	l->next = l->w->nlook;
}
