// SPDX-License-Identifier: GPL-2.0
/* What happened to a lock: its holds and its waiters, as long as a wait needs them. */
#include <stdlib.h>

#include "internal.h"

#define PAST_FIRST 64u
#define PAST_LIMIT 4096u

static struct an_past *new_past(struct ks_analysis *a)
{
	struct an_past *p = a->locks.pasts;

	if (p) {
		a->locks.pasts = p->next;
		return p;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->hcap = p->qcap = PAST_FIRST;
	p->h = malloc(PAST_FIRST * sizeof(*p->h));
	p->q = malloc(PAST_FIRST * sizeof(*p->q));
	if (p->h && p->q)
		return p;
	free(p->h);
	free(p->q);
	free(p);
	return NULL;
}

struct an_past *an_past_get(struct ks_analysis *a, struct an_lock *k, uint64_t now)
{
	struct an_past *p = k->past;

	if (p)
		return p;
	p = new_past(a);
	if (!p)
		return NULL;
	p->hhead = p->htail = p->qhead = p->qtail = p->qlive = 0;
	p->from = now;
	p->base_rel = k->last_rel;
	p->base_vcpu = k->last_vcpu;
	p->unsorted = false;
	k->past = p;
	return p;
}

void an_past_put(struct ks_analysis *a, struct an_lock *k)
{
	k->past->next = a->locks.pasts;
	a->locks.pasts = k->past;
	k->past = NULL;
}

/* Twice the room for a ring of elements of `size` bytes; false if there is none to be had. */
static bool grow(struct ks_analysis *a, void **ring, uint32_t *cap, uint64_t head, uint64_t tail,
		 size_t size)
{
	size_t more = *cap * size;
	char *old = *ring, *new;
	uint64_t i;

	if (*cap >= PAST_LIMIT || a->budget < more)
		return false;
	new = malloc(more * 2);
	if (!new)
		return false;
	for (i = head; i < tail; i++)
		__builtin_memcpy(new + (i & (*cap * 2 - 1)) * size, old + (i & (*cap - 1)) * size,
				 size);
	free(old);
	*ring = new;
	*cap *= 2;
	a->budget -= more;
	return true;
}

static void pop_hold(struct an_past *p)
{
	const struct an_hold *h = &p->h[p->hhead++ & (p->hcap - 1)];

	p->base_rel = h->rel;
	p->base_vcpu = h->vcpu;
}

void an_past_hold(struct ks_analysis *a, struct an_past *p, const struct an_hold *h)
{
	if (p->htail - p->hhead == p->hcap &&
	    !grow(a, (void **)&p->h, &p->hcap, p->hhead, p->htail, sizeof(*h))) {
		pop_hold(p);
		if (p->from < p->base_rel)
			p->from = p->base_rel;
	}
	p->h[p->htail++ & (p->hcap - 1)] = *h;
}

void an_past_unseen(struct ks_analysis *a, struct an_past *p, uint64_t from, uint64_t to)
{
	struct an_hold h = { .acq = from, .rel = to, .vcpu = KS_NO_VCPU }, *x, *y;
	uint64_t i;

	an_past_hold(a, p, &h);
	for (i = p->htail - 1; i > p->hhead; i--) { /* in order of release */
		x = &p->h[(i - 1) & (p->hcap - 1)];
		y = &p->h[i & (p->hcap - 1)];
		if (x->rel <= to)
			break;
		*y = *x;
		*x = h;
	}
}

uint64_t an_past_queue(struct ks_analysis *a, struct an_past *p, const struct an_queued *q)
{
	struct an_queued *x;

	if (p->qtail - p->qhead == p->qcap &&
	    !grow(a, (void **)&p->q, &p->qcap, p->qhead, p->qtail, sizeof(*q))) {
		/* Who was next in order can no longer be told for what came before. */
		x = &p->q[p->qhead++ & (p->qcap - 1)];
		if (p->from < q->try_time)
			p->from = q->try_time;
		if (x->end == AN_NEVER)
			p->from = AN_NEVER;
		if (p->qlive < p->qhead)
			p->qlive = p->qhead;
	}
	if (p->qtail > p->qhead && p->q[(p->qtail - 1) & (p->qcap - 1)].try_time > q->try_time)
		p->unsorted = true;
	p->q[p->qtail & (p->qcap - 1)] = *q;
	return p->qtail++;
}

void an_past_trim(struct an_past *p)
{
	uint64_t oldest;

	while (p->qlive < p->qtail && p->q[p->qlive & (p->qcap - 1)].resolved)
		p->qlive++;
	if (p->qlive == p->qtail)
		return; /* the next wait begins a new past, or goes on with this one */
	oldest = p->q[p->qlive & (p->qcap - 1)].try_time;
	while (p->qhead < p->qlive && p->q[p->qhead & (p->qcap - 1)].end <= oldest)
		p->qhead++;
	while (p->hhead < p->htail && p->h[p->hhead & (p->hcap - 1)].rel <= oldest)
		pop_hold(p);
	if (p->from < oldest)
		p->from = oldest;
}
