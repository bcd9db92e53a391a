// SPDX-License-Identifier: GPL-2.0
/*
 * Losses of the host's rings. A ring belongs to a pCPU. While it loses records,
 * - a vCPU that runs on that pCPU may leave it unseen;
 * - a vCPU that does not run may be woken or begin to run there unseen;
 * - a vCPU that runs on another pCPU stays known: its departure is recorded by that pCPU's ring.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

#define RING_LIMIT 65536u

int an_hostloss_init(struct ks_analysis *a, struct ks_reader *host)
{
	const struct ks_rec *ctl;
	size_t n, i;
	int err;

	ctl = ks_reader_control(host, &n);
	err = an_losses_init(&a->hloss, ctl, n, NULL, NULL);
	if (err)
		return err;
	for (i = 0; i < a->hloss.n; i++)
		if (a->hloss.v[i].cpu >= a->nrings)
			a->nrings = a->hloss.v[i].cpu + 1;
	a->ring_lost = calloc(a->nrings + 1, sizeof(*a->ring_lost));
	if (!a->ring_lost)
		return -ENOMEM;
	if (a->hloss.n)
		an_due(a, a->hloss.v[0].from);
	return 0;
}

static int ring_room(struct ks_analysis *a, uint32_t ring)
{
	uint64_t *r;
	uint32_t i;

	if (ring < a->nrings)
		return 0;
	r = realloc(a->ring_lost, (ring + 2) * sizeof(*r));
	if (!r)
		return -ENOMEM;
	for (i = a->nrings; i <= ring; i++)
		r[i] = 0;
	a->ring_lost = r;
	a->nrings = ring + 1;
	return 0;
}

static void begin(struct ks_analysis *a, const struct an_loss *x, uint64_t now)
{
	uint64_t from = x->from < now ? x->from : now;
	uint32_t i;

	if (ring_room(a, x->cpu))
		return;
	if (x->to >= now && a->ring_lost[x->cpu] < x->to) {
		a->nlost += !a->ring_lost[x->cpu];
		a->ring_lost[x->cpu] = x->to;
	}
	for (i = 0; i < a->model.nvcpus; i++) {
		const struct ks_vcpu *m = &a->model.vcpus[i];

		if (m->state == KS_V_GONE)
			continue;
		if (m->state != KS_V_RUNNING || m->pcpu < 0 || (uint32_t)m->pcpu == x->cpu)
			an_set_state(a, i, from, KS_V_UNKNOWN, -1);
	}
}

void an_hostloss_step(struct ks_analysis *a, uint64_t now)
{
	struct an_losses *l = &a->hloss;
	uint32_t i;

	for (i = 0; i < a->nrings && a->nlost; i++) {
		if (a->ring_lost[i] && a->ring_lost[i] < now) {
			a->ring_lost[i] = 0;
			a->nlost--;
		}
	}
	while (l->next < l->n && l->v[l->next].from <= now)
		begin(a, &l->v[l->next++], now);
	if (l->next < l->n)
		an_due(a, l->v[l->next].from);
	for (i = 0; i < a->nrings && a->nlost; i++)
		if (a->ring_lost[i])
			an_due(a, a->ring_lost[i] + 1);
}

bool an_hostloss_doubt(const struct ks_analysis *a, bool running, uint32_t pcpu)
{
	if (running)
		return pcpu < a->nrings && a->ring_lost[pcpu];
	return a->nlost > 0;
}

/* Most were known from the beginning; a chunk that turned out unreadable was not. */
void an_hostloss_late(struct ks_analysis *a, const struct ks_event *ev)
{
	struct an_loss x = { ev->rec->a, ev->time, ev->rec->b, ev->rec->cpu };

	if (!x.count)
		return;
	if (x.from > x.to)
		x.from = x.to;
	if (an_losses_add(&a->hloss, &x) > 0) {
		a->host_lost += x.count;
		an_hostloss_step(a, a->now);
	}
}
