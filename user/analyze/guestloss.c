// SPDX-License-Identifier: GPL-2.0
/*
 * Losses of a guest's rings. After one, its CPU may be waiting for a lock without our knowing,
 * until a record of it proves the contrary: it is in doubt.
 */
#include "internal.h"

static void begin(struct ks_analysis *a, uint32_t vm, const struct an_loss *x)
{
	struct an_vm *m = &a->vm[vm];
	uint32_t vcpu = x->cpu < m->ncpus ? m->cpu_vcpu[x->cpu] : KS_NO_VCPU;
	struct an_vcpu *v;

	if (vcpu == KS_NO_VCPU)
		return;
	v = &a->vcpu[vcpu];
	if (x->to > v->doubt_to)
		v->doubt_to = x->to;
	/* Whether it is idle or busy is not known either. */
	an_busy_update(a, vcpu, a->now, false);
	v->guest_idle = false;
	an_idle_update(a, vcpu, a->now);
	if (v->doubt)
		return;
	v->doubt = true;
	if (!m->ndoubt++ || x->from < m->doubt_since)
		m->doubt_since = x->from;
}

void an_guestloss_step(struct ks_analysis *a, uint32_t vm, uint64_t now)
{
	struct an_losses *l = &a->vm[vm].loss;

	while (l->next < l->n && l->v[l->next].from <= now)
		begin(a, vm, &l->v[l->next++]);
	if (l->next < l->n)
		an_due(a, l->v[l->next].from);
}

/* Most were known from the beginning; a chunk that turned out unreadable was not. */
void an_guestloss_late(struct ks_analysis *a, uint32_t vm, const struct ks_event *ev)
{
	struct an_vm *m = &a->vm[vm];
	struct an_loss x = { ev->rec->a, ev->time, ev->rec->b, ev->rec->cpu };

	if (!x.count)
		return;
	if (x.from > ev->rec->time)
		x.from = ev->rec->time;
	if (m->map)
		x.from = m->map(m->map_ctx, x.from);
	if (x.from > x.to)
		x.from = x.to;
	if (an_losses_add(&m->loss, &x) > 0) {
		m->tot.lost_records += x.count;
		an_guestloss_step(a, vm, a->now);
	}
}

void an_proved(struct ks_analysis *a, uint32_t vcpu, uint64_t time)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	struct an_vm *m = &a->vm[a->model.vcpus[vcpu].vm];

	if (!v->doubt || time <= v->doubt_to)
		return;
	v->doubt = false;
	m->ndoubt--;
	if (time > m->doubt_end)
		m->doubt_end = time;
}
