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

/* One of those that wait there: its idle vCPU is about to run it, or may be for all that is known. */
static bool about_to_run(struct vn_vm *m, const struct vn_cpu *c, uint64_t now)
{
	bool idle = !c->cur || c->cur == VN_NONE;
	bool waking = c->host == KS_V_RUNNABLE && !vn_lacks_pcpu(m, c, now);

	if (!idle || (!could_run(c) && !waking && c->host != KS_V_UNKNOWN))
		return false;
	if (waking && waking_until(m, c) < m->look_again)
		m->look_again = waking_until(m, c);
	return true;
}

static void look_at_cpus(struct vn_vm *m, uint64_t now)
{
	uint32_t i;

	m->nfree = 0;
	m->free[0] = m->free[1] = 0;
	m->look_again = UINT64_MAX;
	for (i = 0; i < m->ncpus; i++) {
		struct vn_cpu *c = &m->cpu[i];

		c->free = !c->cur && !c->nwait && could_run(c);
		c->soon = c->nwait && about_to_run(m, c, now);
		m->nfree += c->free;
		if (c->free && i < VN_MASK)
			m->free[i / 64] |= 1ull << (i % 64);
	}
}

/* ---- the matching ---- */

/*
 * Of those that wait where one is about to run, the one that could go elsewhere least is it: bound, else of
 * a group, else one whom every vCPU suits.
 */
static bool soon_of_group(const struct vn_cpu *c)
{
	return c->soon && !c->nbound && c->nsome;
}

static bool soon_of_any(const struct vn_cpu *c)
{
	return c->soon && !c->nbound && !c->nsome;
}

static bool give(struct vn_vm *m, uint32_t group);

/* This vCPU is to run one of the group, another one that has it elsewhere if need be. */
static bool take(struct vn_vm *m, uint32_t cpu, uint32_t group)
{
	if (m->match[cpu] != VN_NONE && !give(m, m->match[cpu]))
		return false;
	m->match[cpu] = group;
	return true;
}

/* Find a vCPU for one of the group: a free one, or its own if that is about to run one of a group. */
static bool give(struct vn_vm *m, uint32_t group)
{
	const struct vn_group *g = &m->group[group];
	struct vn_cpu *own = &m->cpu[g->cpu];
	uint64_t left;
	uint32_t k;

	if (soon_of_group(own) && own->tried != m->round) {
		own->tried = m->round;
		if (take(m, g->cpu, group))
			return true;
	}
	for (k = 0; k < 2; k++) {
		while ((left = g->mask[k] & m->free[k] & ~m->tried[k])) {
			m->tried[k] |= left & -left;
			if (take(m, k * 64 + (uint32_t)__builtin_ctzll(left), group))
				return true;
		}
	}
	return false;
}

/* What was tried in vain stays so until somebody finds a place. */
static void next_round(struct vn_vm *m)
{
	m->tried[0] = m->tried[1] = 0;
	m->round++;
}

static uint32_t give_all(struct vn_vm *m, uint32_t group, uint32_t most)
{
	uint32_t n = 0;

	for (; n < m->group[group].n && n < most && give(m, group); n++)
		next_round(m);
	return n;
}

/* How many vCPUs can be given one of a group, up to `most`. */
static uint32_t match_groups(struct vn_vm *m, uint32_t most)
{
	uint32_t i, g, n = 0;

	memset(m->match, 0xff, m->ncpus * sizeof(*m->match));
	next_round(m);
	for (i = 0; i < m->ncpus && n < most; i++)
		for (g = m->cpu[i].groups; g != VN_NONE && n < most; g = m->group[g].next)
			n += give_all(m, g, most - n);
	return n;
}

/* ---- a look ---- */

static void look_at_groups(struct vn_vm *m)
{
	uint32_t i, k;

	for (i = 0; i < m->ncpus; i++) {
		for (k = m->cpu[i].groups; k != VN_NONE; k = m->group[k].next) {
			struct vn_group *g = &m->group[k];

			g->idle_now = (g->mask[0] & m->free[0]) || (g->mask[1] & m->free[1]);
		}
	}
}

void vn_look(struct vn_vm *m, uint64_t now)
{
	uint32_t i, any = m->nany, soon = 0;

	if (!m->dirty)
		return;
	m->dirty = false;
	look_at_cpus(m, now);
	m->wasting = 0;
	if (!m->nfree)
		return;
	look_at_groups(m);
	for (i = 0; i < m->ncpus; i++) {
		any -= soon_of_any(&m->cpu[i]);
		soon += soon_of_group(&m->cpu[i]);
	}
	/* Whom every vCPU suits takes what is left; those about to run need no free one. */
	m->wasting = m->nfree;
	if (any < m->nfree)
		m->wasting = any + match_groups(m, m->nfree - any + soon) - soon;
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
	uint32_t i, k;

	m->out.wait_ns += ns * m->nwaiting;
	m->out.unplaced_ns += ns * m->nunplaced;
	if (m->nfree)
		m->idle_clock += ns;
	for (i = 0; m->nfree && i < m->ncpus; i++) {
		if (m->cpu[i].free)
			vcpus[m->cpu[i].vcpu].idle_ns += ns;
		for (k = m->cpu[i].groups; k != VN_NONE; k = m->group[k].next)
			m->group[k].idle_clock += m->group[k].idle_now ? ns : 0;
	}
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
