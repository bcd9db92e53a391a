// SPDX-License-Identifier: GPL-2.0
/* The waits: open, ended and held back, resolved. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static struct an_wait *new_wait(struct ks_analysis *a)
{
	struct an_wait *w = a->free_waits;
	struct an_wait empty;

	if (!w)
		return calloc(1, sizeof(*w));
	a->free_waits = w->next;
	empty = (struct an_wait){
		.ple = w->ple,
		.cple = w->cple,
		.look = w->look,
		.clook = w->clook,
	};
	*w = empty;
	return w;
}

void an_wait_free(struct an_wait *w)
{
	free(w->ple);
	free(w->look);
	free(w);
}

static void free_wait(struct ks_analysis *a, struct an_wait *w)
{
	/* A big array of exits goes back: the next wait rarely needs it. */
	if (w->cple > 256) {
		a->budget += w->cple * sizeof(*w->ple);
		free(w->ple);
		w->ple = NULL;
		w->cple = 0;
	}
	if (w->clook > 256) {
		a->budget += w->clook * sizeof(*w->look);
		free(w->look);
		w->look = NULL;
		w->clook = 0;
	}
	w->next = a->free_waits;
	a->free_waits = w;
}

static void unlink_lock(struct ks_analysis *a, struct an_wait *w)
{
	struct an_lock *k = w->lock;

	if (!--k->nwait && k->past)
		an_past_put(a, k);
	else if (k->past)
		an_past_trim(k->past);
}

struct an_wait *an_wait_open(struct ks_analysis *a, uint32_t vcpu, const struct ks_rec *r,
			     uint64_t try_time, uint64_t ip, bool partial)
{
	uint32_t vm = a->model.vcpus[vcpu].vm;
	struct an_lock *k = an_lock_get(&a->locks, vm, r->a);
	struct an_past *p = k ? an_past_get(a, k, partial ? a->now : try_time) : NULL;
	struct an_wait *w = p ? new_wait(a) : NULL;
	struct an_queued q = {
		.try_time = try_time,
		.end = AN_NEVER,
		.ip = ip,
		.vcpu = vcpu,
		.pid = r->id,
	};

	if (!w) {
		if (p && !k->nwait)
			an_past_put(a, k);
		a->ignored++;
		return NULL;
	}
	k->nwait++;
	w->lock = k;
	w->seq = an_past_queue(a, p, &q);
	w->addr = r->a;
	w->ip = ip;
	w->pid = r->id;
	w->vm = vm;
	w->vcpu = vcpu;
	w->flags = r->flags & (KS_F_DEPTH_MASK | KS_F_CTX_MASK);
	w->try_time = try_time;
	w->partial = partial;
	return w;
}

/* ---- exits of a wait ---- */

static bool more_exits(struct ks_analysis *a, struct an_wait *w)
{
	uint32_t cap = w->cple ? w->cple * 2 : 16;
	size_t more = (cap - w->cple) * sizeof(*w->ple);
	struct an_exit *x;

	if (cap > AN_PLE_MAX || a->budget < more)
		return false;
	x = realloc(w->ple, cap * sizeof(*x));
	if (!x)
		return false;
	w->ple = x;
	w->cple = cap;
	a->budget -= more;
	return true;
}

void an_wait_exits(struct ks_analysis *a, struct an_wait *w, const struct an_exit *x)
{
	if (w->nple == w->cple && !more_exits(a, w)) {
		w->ple_over += x->count;
		an_ple(a, w->vcpu, x, KS_C_UNKNOWN, w);
		return;
	}
	w->ple[w->nple++] = *x;
}

static bool more_looks(struct ks_analysis *a, struct an_wait *w)
{
	uint32_t cap = w->clook ? w->clook * 2 : 16;
	size_t more = (cap - w->clook) * sizeof(*w->look);
	struct an_look *x;

	if (cap > AN_PLE_MAX || a->budget < more)
		return false;
	x = realloc(w->look, cap * sizeof(*x));
	if (!x)
		return false;
	w->look = x;
	w->clook = cap;
	a->budget -= more;
	return true;
}

bool an_wait_look(struct ks_analysis *a, struct an_wait *w, const struct an_look *x)
{
	if (w->nlook == w->clook && !more_looks(a, w))
		return false;
	w->look[w->nlook++] = *x;
	return true;
}

/* ---- pending ---- */

static bool grow_pending(struct ks_analysis *a)
{
	uint32_t cap = a->pcap ? a->pcap * 2 : 256, i, n = a->ptail - a->phead;
	struct an_wait **p;

	if (cap > AN_PENDING_MAX)
		return false;
	p = malloc(cap * sizeof(*p));
	if (!p)
		return false;
	for (i = 0; i < n; i++)
		p[i] = a->pending[(a->phead + i) & (a->pcap - 1)];
	free(a->pending);
	a->pending = p;
	a->pcap = cap;
	a->phead = 0;
	a->ptail = n;
	return true;
}

static void resolve_first(struct ks_analysis *a)
{
	struct an_wait *w = a->pending[a->phead++ & (a->pcap - 1)];
	struct an_vcpu *v = &a->vcpu[w->vcpu];
	struct an_queued *q;

	an_resolve(a, w);
	/* Pending waits of one vCPU are resolved in the order in which they ended. */
	v->pend = w->next;
	if (!v->pend)
		v->pend_tail = &v->pend;
	q = an_past_queued(w->lock->past, w->seq);
	if (q)
		q->resolved = 1;
	unlink_lock(a, w);
	free_wait(a, w);
}

void an_wait_end(struct ks_analysis *a, struct an_wait *w, uint64_t acq_time, bool acquired)
{
	struct an_vcpu *v = &a->vcpu[w->vcpu];
	struct an_queued *q = an_past_queued(w->lock->past, w->seq);

	w->acq_time = acq_time > w->try_time ? acq_time : w->try_time;
	w->acquired = acquired;
	w->ready = a->now;
	w->next = NULL;
	if (q && acquired)
		q->end = w->acq_time;
	if (a->ptail - a->phead == a->pcap && !grow_pending(a)) {
		/* Better a little early than never. */
		resolve_first(a);
	}
	*v->pend_tail = w;
	v->pend_tail = &w->next;
	a->pending[a->ptail++ & (a->pcap - 1)] = w;
	an_due(a, w->ready + an_hold_back(a, w->vm) + 1);
}

void an_wait_drop(struct ks_analysis *a, struct an_wait *w)
{
	struct an_queued *q = an_past_queued(w->lock->past, w->seq);
	uint32_t i;

	if (q) {
		q->end = a->now;
		q->doubt = 1;
		q->resolved = 1;
	}
	for (i = 0; i < w->nple; i++)
		an_ple(a, w->vcpu, &w->ple[i], KS_C_UNKNOWN, NULL);
	a->vm[w->vm].tot.policy.unsure += w->nlook;
	a->ignored++;
	unlink_lock(a, w);
	free_wait(a, w);
}

void an_wait_drop_from(struct ks_analysis *a, uint32_t vcpu, uint32_t keep)
{
	struct an_vcpu *v = &a->vcpu[vcpu];

	while (v->nopen > keep)
		an_wait_drop(a, v->open[--v->nopen]);
}

void an_pending_step(struct ks_analysis *a, uint64_t now, bool all)
{
	struct an_wait *w;
	uint64_t due;

	while (a->phead != a->ptail) {
		w = a->pending[a->phead & (a->pcap - 1)];
		due = w->ready + an_hold_back(a, w->vm);
		if (!all && due >= now) {
			an_due(a, due + 1);
			return;
		}
		resolve_first(a);
	}
}

uint64_t an_oldest_try(const struct ks_analysis *a, uint32_t vm)
{
	const struct an_vm *m = &a->vm[vm];
	uint64_t oldest = a->now, e = m->clock_error;
	const struct an_vcpu *v;
	const struct an_wait *w;
	uint32_t i, j;

	for (i = m->first; i < m->first + m->n; i++) {
		v = &a->vcpu[i];
		for (j = 0; j < v->nopen; j++)
			if (v->open[j]->try_time < oldest)
				oldest = v->open[j]->try_time;
		for (w = v->pend; w; w = w->next)
			if (w->try_time < oldest)
				oldest = w->try_time;
	}
	return oldest > e ? oldest - e : 0;
}
