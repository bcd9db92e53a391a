// SPDX-License-Identifier: GPL-2.0
/*
 * The host's scheduler. Fair: the least virtual run time first, wake-up preemption, credit for
 * sleepers. FIFO: in turn. Both: time slices with jitter, idle pCPUs pull, a balancer moves
 * waiting threads, a directed yield makes its target next.
 */
#include "emit.h"
#include "sim.h"
#include "truth.h"

#define WAKE_GRANULARITY 1000000u
#define SLEEP_CREDIT 3000000u
#define SWITCH_TIME 1500u

static uint64_t least_vruntime(const struct pcpu *p)
{
	uint64_t least = p->cur ? p->cur->vruntime : UINT64_MAX;

	for (uint32_t i = 0; i < p->nrq; i++)
		if (p->rq[i]->vruntime < least)
			least = p->rq[i]->vruntime;
	return least == UINT64_MAX ? 0 : least;
}

static void enqueue(struct pcpu *p, struct ent *e)
{
	e->pcpu = p->id;
	e->queued = true;
	p->rq[p->nrq++] = e;
}

static void dequeue(struct pcpu *p, uint32_t i)
{
	p->rq[i]->queued = false;
	if (p->next_buddy == p->rq[i])
		p->next_buddy = NULL;
	for (p->nrq--; i < p->nrq; i++)
		p->rq[i] = p->rq[i + 1];
}

static struct ent *pick(struct world *w, struct pcpu *p)
{
	struct ent *e = NULL;
	uint32_t best = 0;

	if (!p->nrq)
		return NULL;
	for (uint32_t i = 0; i < p->nrq; i++) {
		if (p->rq[i] == p->next_buddy) {
			best = i;
			break;
		}
		if (w->p.policy == HOST_FAIR && p->rq[i]->vruntime < p->rq[best]->vruntime)
			best = i;
	}
	e = p->rq[best];
	dequeue(p, best);
	p->next_buddy = NULL;
	return e;
}

static void migrate(struct world *w, struct ent *e, uint32_t to, uint32_t by)
{
	struct ks_rec rec = { .type = KS_VCPU_MIGRATE, .cpu = to, .a = e->pcpu, .b = to };

	if (e->vcpu && e->vcpu->born) {
		rec.id = e->vcpu->slot;
		emit_host(w, by, &rec);
		totals_migrate(e->vcpu, e->pcpu, to);
	}
	/* Virtual run time counts from the least of its queue. */
	uint64_t base = least_vruntime(&w->pcpus[e->pcpu]);
	uint64_t ahead = e->vruntime > base ? e->vruntime - base : 0;

	e->vruntime = least_vruntime(&w->pcpus[to]) + ahead;
	e->pcpu = to;
	e->left = w->now;
}

static struct pcpu *busiest(struct world *w, const struct pcpu *but, uint32_t least)
{
	struct pcpu *best = NULL;

	for (uint32_t i = 0; i < w->p.pcpus; i++) {
		struct pcpu *p = &w->pcpus[i];

		if (p == but || p->nrq < least)
			continue;
		/* One of the same node is preferred unless another's queue is much longer. */
		if (!best ||
		    p->nrq + (p->node == but->node) > best->nrq + (best->node == but->node))
			best = p;
	}
	return best;
}

static void pull(struct world *w, struct pcpu *to, uint32_t least)
{
	struct pcpu *from = busiest(w, to, least);
	struct ent *e;

	if (!from)
		return;
	for (uint32_t i = from->nrq; i--;) {
		e = from->rq[i];
		if (w->now - e->left < SWITCH_TIME)
			continue; /* it is still being switched out, or moved */
		dequeue(from, i);
		migrate(w, e, to->id, to->id);
		enqueue(to, e);
		return;
	}
}

static void account(struct world *w, struct ent *e)
{
	uint64_t ran = w->now - e->since;

	e->vruntime += ran;
	e->since = w->now;
	if (!e->vcpu)
		e->rem -= ran < e->rem ? ran : e->rem;
}

static void switch_out(struct world *w, struct ent *e, const struct ent *next)
{
	enum ks_vstate s = KS_V_RUNNABLE;

	e->gen++;
	e->left = w->now;
	if (e->asleep && e->vcpu)
		s = e->vcpu->why == X_DEAD  ? KS_V_GONE :
		    e->vcpu->why == X_FAULT ? KS_V_BLOCKED :
					      KS_V_HALTED;
	if (e->vcpu) {
		e->vcpu->mode = M_OUT;
		e->vcpu->gen++;
		vcpu_state(e->vcpu, s, KS_VCPU_OUT, next ? next->tid : 0);
	}
}

static void switch_in(struct world *w, struct pcpu *p, struct ent *e, const struct ent *prev)
{
	e->since = w->now;
	e->pcpu = p->id;
	if (!e->vcpu) {
		world_at(w, e->rem, OCC_NOISE, e, ++e->gen);
		return;
	}
	vcpu_state(e->vcpu, KS_V_RUNNING, KS_VCPU_IN, prev ? prev->tid : 0);
	vcpu_enter(e->vcpu);
}

static void new_slice(struct world *w, struct pcpu *p)
{
	uint64_t len = w->p.slice * (75 + rng_range(&w->rng, 0, 50)) / 100;

	world_at(w, len, OCC_SLICE, p, ++p->gen);
}

void sched_switch(struct world *w, struct pcpu *p)
{
	struct ent *prev = p->cur, *next;

	p->resched = false;
	if (prev) {
		account(w, prev);
		if (!prev->asleep)
			enqueue(p, prev);
	}
	if (!p->nrq)
		pull(w, p, 1);
	p->cur = NULL;
	next = pick(w, p);
	p->cur = next;
	if (next == prev) {
		if (prev && prev->vcpu)
			vcpu_enter(prev->vcpu);
	} else {
		if (prev)
			switch_out(w, prev, next);
		if (next)
			switch_in(w, p, next, prev);
	}
	if (next)
		new_slice(w, p);
}

/* Always later: whoever asks may be in the middle of something. */
void sched_resched(struct world *w, struct pcpu *p)
{
	if (p->resched)
		return;
	p->resched = true;
	world_at(w, rng_range(&w->rng, 100, 900), OCC_RESCHED, p, 0);
}

void sched_now(struct world *w, struct pcpu *p)
{
	struct vcpu *v = p->cur ? p->cur->vcpu : NULL;

	if (!p->resched)
		return;
	if (!v) {
		sched_switch(w, p);
	} else if (v->mode == M_GUEST) {
		vcpu_exit(v, X_PREEMPT, rng_range(&w->rng, 300, 900));
	} else if (v->mode == M_POLL) {
		vcpu_step(v); /* stops polling */
	} /* else: it will see p->resched itself, on its way into the guest */
}

void sched_slice(struct world *w, struct pcpu *p)
{
	if (p->nrq)
		sched_resched(w, p);
	else
		new_slice(w, p);
}

static bool idle(const struct pcpu *p)
{
	return !p->cur && !p->nrq;
}

static struct pcpu *place(struct world *w, struct ent *e)
{
	struct pcpu *prev = &w->pcpus[e->pcpu], *other = NULL;

	if (idle(prev))
		return prev;
	for (uint32_t i = 0; i < w->p.pcpus; i++) {
		struct pcpu *p = &w->pcpus[i];

		if (!idle(p))
			continue;
		if (p->node == prev->node)
			return p;
		other = p;
	}
	return other ? other : prev;
}

static void preempt_check(struct world *w, struct pcpu *p, struct ent *e)
{
	if (!p->cur) {
		sched_resched(w, p);
		return;
	}
	if (w->p.policy == HOST_FIFO)
		return;
	if (p->cur->vruntime + (w->now - p->cur->since) > e->vruntime + WAKE_GRANULARITY)
		sched_resched(w, p);
}

void sched_wake(struct world *w, struct ent *e, uint32_t waker_tid, uint32_t waker_pcpu)
{
	struct pcpu *p;
	uint64_t least;

	if (!e->asleep)
		return;
	e->asleep = false;
	if (e->vcpu)
		vcpu_woken(e->vcpu, waker_tid, waker_pcpu);
	p = place(w, e);
	if (p->id != e->pcpu)
		migrate(w, e, p->id, waker_pcpu);
	least = least_vruntime(p);
	if (e->vruntime + SLEEP_CREDIT < least)
		e->vruntime = least - SLEEP_CREDIT;
	enqueue(p, e);
	preempt_check(w, p, e);
}

void sched_noise(struct world *w, struct ent *e)
{
	if (e->asleep) {
		e->rem = rng_exp(&w->rng, 300000);
		sched_wake(w, e, 0, e->pcpu);
		return;
	}
	e->asleep = true;
	sched_switch(w, &w->pcpus[e->pcpu]);
	world_at(w, rng_exp(&w->rng, 3000000), OCC_NOISE, e, ++e->gen);
}

void sched_balance(struct world *w)
{
	struct pcpu *p = &w->pcpus[rng_range(&w->rng, 0, w->p.pcpus - 1)];
	struct pcpu *from = busiest(w, p, p->nrq + (p->cur != NULL) + 1);

	if (from) {
		pull(w, p, from->nrq);
		if (!p->cur)
			sched_resched(w, p);
	}
	world_at(w, w->p.balance_every * (50 + rng_range(&w->rng, 0, 100)) / 100, OCC_BALANCE, NULL,
		 0);
}

void sched_yield_to(struct world *w, struct vcpu *from)
{
	struct vm *vm = from->vm;
	uint32_t first = rng_range(&w->rng, 0, vm->nvcpus - 1);

	for (uint32_t i = 0; i < vm->nvcpus; i++) {
		struct vcpu *to = &vm->vcpus[(first + i) % vm->nvcpus];
		struct pcpu *p = &w->pcpus[to->ent.pcpu];

		if (to == from || !to->ent.queued)
			continue;
		p->next_buddy = &to->ent;
		/* The one that yields lets others pass; the target's pCPU looks again. */
		from->ent.vruntime += WAKE_GRANULARITY;
		w->pcpus[from->ent.pcpu].resched |= p->id == from->ent.pcpu;
		if (p->id != from->ent.pcpu)
			sched_resched(w, p);
		return;
	}
}
