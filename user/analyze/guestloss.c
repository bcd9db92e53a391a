// SPDX-License-Identifier: GPL-2.0
/*
 * Losses of a guest's rings. After one, its CPU may be waiting for a lock without our knowing,
 * until a record of it proves the contrary: it is in doubt. So is every CPU at the beginning of
 * the recording. A CPU of which nothing more is heard does not stay in doubt for ever.
 */
#include "internal.h"

#define DOUBT_NS 500000000ull

static void doubt(struct ks_analysis *a, uint32_t vcpu, uint64_t from, uint64_t to)
{
	struct an_vm *m = &a->vm[a->model.vcpus[vcpu].vm];
	struct an_vcpu *v = &a->vcpu[vcpu];

	if (to > v->doubt_to)
		v->doubt_to = to;
	an_due(a, v->doubt_to + DOUBT_NS);
	if (v->doubt)
		return;
	v->doubt = true;
	if (!m->ndoubt++ || from < m->doubt_since)
		m->doubt_since = from;
}

void an_guest_begins(struct ks_analysis *a, uint32_t vm, uint64_t time)
{
	struct an_vm *m = &a->vm[vm];
	uint32_t cpu;

	for (cpu = 0; cpu < m->ncpus; cpu++)
		if (m->cpu_vcpu[cpu] != KS_NO_VCPU)
			doubt(a, m->cpu_vcpu[cpu], 0, time ? time - 1 : 0);
}

/* Nothing more was heard of it. What it waited for before the loss it may have got within. */
static void give_up(struct ks_analysis *a, uint32_t vcpu, uint64_t now)
{
	const struct an_vcpu *v = &a->vcpu[vcpu];

	if (v->nopen && v->open[0]->try_time <= v->doubt_to)
		an_wait_drop_from(a, vcpu, 0);
	an_proved(a, vcpu, now);
}

static void expire(struct ks_analysis *a, uint32_t vm, uint64_t now)
{
	struct an_vm *m = &a->vm[vm];
	struct an_vcpu *v;
	uint32_t i;

	for (i = m->first; i < m->first + m->n && m->ndoubt; i++) {
		v = &a->vcpu[i];
		if (!v->doubt)
			continue;
		if (now >= v->doubt_to + DOUBT_NS)
			give_up(a, i, now);
		else
			an_due(a, v->doubt_to + DOUBT_NS);
	}
}

/*
 * What its run queue says is not believed within the loss: what comes next may be lost. A loss that was not
 * known ahead may have begun in the past.
 */
static void doubt_queue(struct ks_analysis *a, uint32_t vcpu, const struct an_loss *x)
{
	an_raise(&a->vcpu[vcpu].queue_lost, x->to);
	an_busy_update(a, vcpu, x->from < a->now ? x->from : a->now, false);
}

static void begin_on(struct ks_analysis *a, uint32_t vcpu, const struct an_loss *x)
{
	if (vcpu == KS_NO_VCPU)
		return;
	if (x->type == KS_NONE || x->type == KS_LOCK_TRY || x->type == KS_LOCK_ACQ)
		doubt(a, vcpu, x->from, x->to);
}

/* Who wakes a thread up, or pulls it, tells of the queue, whosever that is: by whose ring nobody knows. */
static void doubt_queues(struct ks_analysis *a, const struct an_vm *m, const struct an_loss *x)
{
	uint32_t cpu;

	if (x->type != KS_NONE && x->type != KS_RQ_BUSY && x->type != KS_RQ_CALM)
		return;
	for (cpu = 0; cpu < m->ncpus; cpu++)
		if (m->cpu_vcpu[cpu] != KS_NO_VCPU)
			doubt_queue(a, m->cpu_vcpu[cpu], x);
}

static void begin(struct ks_analysis *a, uint32_t vm, const struct an_loss *x)
{
	struct an_vm *m = &a->vm[vm];
	uint32_t cpu;

	doubt_queues(a, m, x);
	if (x->cpu < m->ncpus)
		begin_on(a, m->cpu_vcpu[x->cpu], x);
	for (cpu = 0; x->cpu == KS_RING_ANY && cpu < m->ncpus; cpu++)
		begin_on(a, m->cpu_vcpu[cpu], x);
}

void an_guestloss_step(struct ks_analysis *a, uint32_t vm, uint64_t now)
{
	struct an_losses *l = &a->vm[vm].loss;

	if (a->vm[vm].ndoubt)
		expire(a, vm, now);
	while (l->next < l->n && l->v[l->next].from <= now)
		begin(a, vm, &l->v[l->next++]);
	if (l->next < l->n)
		an_due(a, l->v[l->next].from);
}

void an_guestloss_late(struct ks_analysis *a, uint32_t vm, const struct ks_event *ev)
{
	struct an_vm *m = &a->vm[vm];
	struct an_loss x;
	int late = an_losses_late(&m->loss, ev->rec, m->map, m->map_ctx, &x);

	if (late == AN_LOSS_KNOWN)
		return;
	m->tot.lost_records += x.count;
	if (late != AN_LOSS_MORE)
		begin(a, vm, &x);
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
