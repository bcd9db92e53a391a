// SPDX-License-Identifier: GPL-2.0
/*
 * Losses of the host's rings. A ring belongs to a pCPU. While one loses records,
 * - a vCPU that runs on that pCPU may leave it unseen (KS_VCPU_OUT);
 * - a vCPU that is asleep may be woken unseen (KS_VCPU_WAKE is written where the waker runs);
 * - a vCPU that does not run may begin to run there unseen (KS_VCPU_IN);
 * - a vCPU that runs on another pCPU stays known: its departure is written by that pCPU's ring.
 * A loss of other records changes nothing about the states.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

int an_hostloss_init(struct ks_analysis *a, struct ks_reader *host)
{
	const struct ks_rec *ctl;
	size_t n, i;
	int err;

	ctl = ks_reader_control(host, &n);
	err = an_losses_init(&a->hloss, ctl, n, NULL, NULL);
	if (err)
		return err;
	a->nrings = KS_RING_ANY;
	for (i = 0; i < a->hloss.n; i++)
		a->host_lost += a->hloss.v[i].count;
	a->out_lost = calloc(a->nrings, sizeof(*a->out_lost));
	a->vcpu_in = calloc(a->nrings, sizeof(*a->vcpu_in));
	if (!a->out_lost || !a->vcpu_in)
		return -ENOMEM;
	if (a->hloss.n)
		an_due(a, a->hloss.v[0].from);
	return 0;
}

/* May records of this type be among what was lost? */
static bool has(const struct an_loss *x, uint8_t type)
{
	return x->type == type || x->type == KS_NONE || x->type == KS_VCPU_GONE;
}

static void note(struct ks_analysis *a, const struct an_loss *x)
{
	if (has(x, KS_VCPU_WAKE))
		an_raise(&a->wake_lost, x->to);
	if (has(x, KS_VCPU_IN))
		an_raise(&a->in_lost, x->to);
	if (!has(x, KS_VCPU_OUT))
		return;
	an_raise(&a->any_out_lost, x->to);
	an_raise(x->cpu < a->nrings ? &a->out_lost[x->cpu] : &a->every_out_lost, x->to);
}

/* Is what the vCPU does during loss x hidden by it? */
static bool hidden(const struct an_loss *x, const struct ks_vcpu *m)
{
	switch (m->state) {
	case KS_V_RUNNING:
		return has(x, KS_VCPU_OUT) &&
		       (x->cpu == KS_RING_ANY || m->pcpu < 0 || m->pcpu == x->cpu);
	case KS_V_RUNNABLE:
		return has(x, KS_VCPU_IN);
	case KS_V_HALTED:
	case KS_V_BLOCKED:
		return has(x, KS_VCPU_IN) || has(x, KS_VCPU_WAKE);
	default:
		return false;
	}
}

static void begin(struct ks_analysis *a, const struct an_loss *x, uint64_t now)
{
	uint64_t from = x->from < now ? x->from : now;
	uint32_t i;

	note(a, x);
	for (i = 0; i < a->model.nvcpus; i++)
		if (hidden(x, &a->model.vcpus[i]))
			an_set_state(a, i, from, KS_V_UNKNOWN, -1);
}

void an_hostloss_step(struct ks_analysis *a, uint64_t now)
{
	struct an_losses *l = &a->hloss;

	while (l->next < l->n && l->v[l->next].from <= now)
		begin(a, &l->v[l->next++], now);
	if (l->next < l->n)
		an_due(a, l->v[l->next].from);
}

bool an_hostloss_doubt(const struct ks_analysis *a, enum ks_vstate s, uint32_t pcpu)
{
	switch (s) {
	case KS_V_RUNNING:
		return pcpu < a->nrings &&
		       (a->out_lost[pcpu] >= a->now || a->every_out_lost >= a->now);
	case KS_V_RUNNABLE:
		return a->in_lost >= a->now && a->in_lost;
	case KS_V_HALTED:
	case KS_V_BLOCKED:
		return (a->in_lost >= a->now && a->in_lost) ||
		       (a->wake_lost >= a->now && a->wake_lost);
	default:
		return false;
	}
}

void an_hostloss_late(struct ks_analysis *a, const struct ks_event *ev)
{
	struct an_loss x;
	int late = an_losses_late(&a->hloss, ev->rec, NULL, NULL, &x);

	if (late == AN_LOSS_KNOWN)
		return;
	a->host_lost += x.count;
	if (late != AN_LOSS_MORE)
		begin(a, &x, a->now);
}
