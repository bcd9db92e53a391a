// SPDX-License-Identifier: GPL-2.0
/*
 * Idle vCPUs beside threads that wait. A vCPU is free if the guest has nothing to run on it and it
 * could run at once if it had: it is halted, or still on its pCPU; not if it waits for a pCPU itself, or
 * is offline.
 * What is wasted is as many vCPUs as could at most be given threads that wait: the size of the
 * largest matching between the two.
 */
#include <string.h>

#include "records.h"
#include "vnuma_priv.h"

#define SECOND 1000000000ull

bool vn_may_run(const struct vn_task *t, uint32_t cpu)
{
	switch (t->allowed) {
	case KS_ALLOWED_ANY:
		return true;
	case KS_ALLOWED_ONE:
		return cpu == t->cpu;
	case KS_ALLOWED_SOME:
		return cpu < VN_MASK && t->mask[cpu / 64] >> (cpu % 64) & 1;
	}
	return false;
}

/* ---- who is free, who waits ---- */

static bool could_run(const struct vn_cpu *c)
{
	return !c->offline && (c->host == KS_V_HALTED || c->host == KS_V_RUNNING);
}

static void find_free(struct vn_vm *m)
{
	uint32_t i;

	m->nfree = 0;
	for (i = 0; i < m->ncpus; i++) {
		struct vn_cpu *c = &m->cpu[i];

		c->free = !c->cur && !c->nwait && could_run(c);
		m->nfree += c->free;
	}
}

/*
 * To wake a vCPU up is part of waking a thread up on it, and the records of the two may have either order.
 * Another one that is halted would have to be woken as well: only what lasts longer is lost.
 */
static uint64_t waking_until(const struct vn_vm *m, const struct vn_cpu *c)
{
	uint64_t until = c->host_since + m->opts->min_ns;

	return until < c->host_since ? UINT64_MAX : until;
}

bool vn_lacks_pcpu(const struct vn_vm *m, const struct vn_cpu *c, uint64_t now)
{
	return c->host == KS_V_RUNNABLE && now >= waking_until(m, c);
}

/*
 * Its own idle vCPU is about to run it, or may be for all that is known: one thread of each such queue
 * does not wait for another.
 */
static bool about_to_run(struct vn_vm *m, const struct vn_task *t, uint64_t now)
{
	struct vn_cpu *c = &m->cpu[t->cpu];
	bool idle = !c->cur || c->cur == VN_NONE;
	bool waking = c->host == KS_V_RUNNABLE && !vn_lacks_pcpu(m, c, now);

	if (!idle || m->tried[t->cpu] || (!could_run(c) && !waking && c->host != KS_V_UNKNOWN))
		return false;
	if (waking && waking_until(m, c) < m->look_again)
		m->look_again = waking_until(m, c);
	m->tried[t->cpu] = true;
	return true;
}

/* Find a free vCPU for the waiter w, sending others that have one elsewhere if need be. */
static bool give(struct vn_vm *m, uint32_t w)
{
	const struct vn_task *t = &m->task[m->waiting[w]];
	uint32_t i, n = m->ncpus < VN_MASK ? m->ncpus : VN_MASK;

	for (i = 0; i < n; i++) {
		if (!m->cpu[i].free || m->tried[i] || !vn_may_run(t, i))
			continue;
		m->tried[i] = true;
		if (m->match[i] == VN_NONE || give(m, m->match[i])) {
			m->match[i] = w;
			return true;
		}
	}
	return false;
}

static bool some_free(const struct vn_vm *m, const struct vn_task *t)
{
	uint32_t i;

	for (i = 0; i < m->ncpus; i++)
		if (m->cpu[i].free && vn_may_run(t, i))
			return true;
	return false;
}

static void mark_about_to_run(struct vn_vm *m, uint64_t now, uint32_t *any)
{
	uint32_t w;

	*any = 0;
	m->nunplaced = 0;
	m->look_again = UINT64_MAX;
	memset(m->tried, 0, m->ncpus * sizeof(*m->tried));
	for (w = 0; w < m->nwaiting; w++) {
		struct vn_task *t = &m->task[m->waiting[w]];
		bool soon = about_to_run(m, t, now);

		t->idle_now = !soon && t->allowed == KS_ALLOWED_SOME && some_free(m, t);
		*any += !soon && t->allowed == KS_ALLOWED_ANY;
		m->nunplaced += t->allowed == KS_ALLOWED_UNKNOWN;
	}
}

void vn_look(struct vn_vm *m, uint64_t now)
{
	uint32_t w, any, n = 0;

	if (!m->dirty)
		return;
	m->dirty = false;
	find_free(m);
	mark_about_to_run(m, now, &any);
	if (m->nfree)
		memset(m->match, 0xff, m->ncpus * sizeof(*m->match));
	for (w = 0; w < m->nwaiting && n < m->nfree; w++) {
		if (!m->task[m->waiting[w]].idle_now)
			continue;
		memset(m->tried, 0, m->ncpus * sizeof(*m->tried));
		n += give(m, w);
	}
	/* Whom every vCPU suits takes what is left. */
	m->wasting = n + any < m->nfree ? n + any : m->nfree;
}

/* ---- sums ---- */

static void waste_seconds(struct ks_vnuma_vm *o, uint64_t from, uint64_t to, uint32_t wasting)
{
	uint64_t s, edge, told = o->begin + o->nseconds * SECOND;

	if (to > told)
		to = told;
	while (from < to) {
		s = (from - o->begin) / SECOND;
		edge = o->begin + (s + 1) * SECOND;
		if (edge > to)
			edge = to;
		o->second_ns[s] += (edge - from) * wasting;
		from = edge;
	}
}

static void waste(struct vn_vm *m, uint64_t from, uint64_t to)
{
	m->out.wasted_ns += (to - from) * m->wasting;
	if (m->watch->wasted)
		m->watch->wasted(m->watch->ctx, m->index, from, to, m->wasting);
	waste_seconds(&m->out, from, to, m->wasting);
}

static void sum(struct vn_vm *m, struct ks_vnuma_vcpu *vcpus, uint64_t from, uint64_t to)
{
	uint64_t ns = to - from;
	uint32_t i;

	m->out.wait_ns += ns * m->nwaiting;
	m->out.unplaced_ns += ns * m->nunplaced;
	if (m->nfree)
		m->idle_clock += ns;
	for (i = 0; m->nfree && i < m->ncpus; i++)
		if (m->cpu[i].free)
			vcpus[m->cpu[i].vcpu].idle_ns += ns;
	for (i = 0; m->nfree && i < m->nwaiting; i++)
		if (m->task[m->waiting[i]].idle_now)
			m->task[m->waiting[i]].idle_sum += ns;
	if (m->wasting)
		waste(m, from, to);
}

/* As sum(), with another look whenever one is due without an event. */
static void sum_looking(struct vn_vm *m, struct ks_vnuma_vcpu *vcpus, uint64_t from, uint64_t to)
{
	while (m->look_again < to) {
		uint64_t at = m->look_again > from ? m->look_again : from;

		sum(m, vcpus, from, at);
		from = at;
		m->dirty = true;
		vn_look(m, at);
	}
	sum(m, vcpus, from, to);
}

/* Within a loss nothing is summed up, and behind it nothing is known. */
static uint64_t skip_until(struct vn_vm *m, uint64_t from, uint64_t to)
{
	if (to > from) {
		m->out.blind_ns += to - from;
		from = to;
	}
	vn_tasks_forget(m);
	vn_look(m, from);
	return from;
}

static uint64_t skip_loss(struct vn_vm *m, struct ks_vnuma_vcpu *vcpus, uint64_t from, uint64_t now)
{
	const struct an_loss *l = &m->loss.v[m->loss.next];

	if (l->from > from) {
		sum_looking(m, vcpus, from, l->from);
		from = l->from;
	}
	if (l->to <= now)
		m->loss.next++;
	return skip_until(m, from, l->to < now ? l->to : now);
}

void vn_advance(struct vn_vm *m, struct ks_vnuma_vcpu *vcpus, uint64_t now)
{
	uint64_t from = m->last;

	if (now > m->end)
		now = m->end;
	if (now <= from)
		return;
	m->last = now;
	if (!m->out.queues)
		return;
	vn_look(m, from);
	if (from < m->loss.late_to)
		from = skip_until(m, from, m->loss.late_to < now ? m->loss.late_to : now);
	while (from < now && m->loss.next < m->loss.n && m->loss.v[m->loss.next].from < now)
		from = skip_loss(m, vcpus, from, now);
	if (from < now)
		sum_looking(m, vcpus, from, now);
}
