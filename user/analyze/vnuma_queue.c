// SPDX-License-Identifier: GPL-2.0
/*
 * Who waits on each CPU, counted by where they may run, so that nobody has to be looked at one by one.
 * Those that are told a set of CPUs are in groups: one for each such set and the CPU that they wait on.
 */
#include <errno.h>
#include <stdlib.h>

#include "records.h"
#include "vnuma_priv.h"

/* A guest has few of them; one that makes up more is told of no further ones where they may run. */
#define GROUPS 2048u

static bool grow(struct vn_vm *m)
{
	uint32_t cap = m->capgroups ? m->capgroups * 2 : 16;
	struct vn_group *g;

	if (m->ngroups < m->capgroups)
		return true;
	g = realloc(m->group, cap * sizeof(*g));
	if (!g)
		return false;
	m->group = g;
	m->capgroups = cap;
	return true;
}

/* t->group, empty. */
static int new_group(struct vn_vm *m, struct vn_task *t)
{
	struct vn_cpu *c = &m->cpu[t->cpu];
	uint32_t i = m->free_group;

	if (i != VN_NONE) {
		m->free_group = m->group[i].next;
	} else {
		if (m->ngroups == GROUPS)
			return 0;
		if (!grow(m))
			return -ENOMEM;
		i = m->ngroups++;
	}
	m->group[i] = (struct vn_group){ .mask = { t->mask[0], t->mask[1] },
					 .cpu = t->cpu,
					 .next = c->groups };
	c->groups = t->group = i;
	return 0;
}

/* t->group: none if there are too many, or without memory. */
static int join_group(struct vn_vm *m, struct vn_task *t)
{
	uint32_t i;
	int err;

	for (i = m->cpu[t->cpu].groups; i != VN_NONE; i = m->group[i].next)
		if (m->group[i].mask[0] == t->mask[0] && m->group[i].mask[1] == t->mask[1])
			break;
	t->group = i;
	err = i == VN_NONE ? new_group(m, t) : 0;
	if (t->group != VN_NONE)
		m->group[t->group].n++;
	return err;
}

static void leave_group(struct vn_vm *m, uint32_t i)
{
	struct vn_group *g = &m->group[i];
	uint32_t *link = &m->cpu[g->cpu].groups;

	if (--g->n)
		return;
	while (*link != i)
		link = &m->group[*link].next;
	*link = g->next;
	g->next = m->free_group;
	m->free_group = i;
}

/* by: 1 or -1. */
static void count(struct vn_vm *m, const struct vn_task *t, uint32_t by)
{
	struct vn_cpu *c = &m->cpu[t->cpu];

	m->nwaiting += by;
	c->nwait += by;
	m->dirty = true;
	if (t->allowed == KS_ALLOWED_ANY) {
		m->nany += by;
	} else if (t->group != VN_NONE) {
		c->nsome += by;
	} else {
		c->nbound += by;
		if (t->allowed != KS_ALLOWED_ONE)
			m->nunplaced += by;
	}
}

/* How long it was, ever, that a vCPU was idle that it may use. */
static uint64_t clock_of(const struct vn_vm *m, const struct vn_task *t)
{
	if (t->allowed == KS_ALLOWED_ANY)
		return m->idle_clock;
	return t->group == VN_NONE ? 0 : m->group[t->group].idle_clock;
}

int vn_queue_join(struct vn_vm *m, struct vn_task *t)
{
	int err = 0;

	t->group = VN_NONE;
	if (t->allowed == KS_ALLOWED_SOME)
		err = join_group(m, t);
	count(m, t, 1);
	t->idle_sum -= clock_of(m, t);
	return err;
}

void vn_queue_leave(struct vn_vm *m, struct vn_task *t)
{
	t->idle_sum += clock_of(m, t);
	count(m, t, -1u);
	if (t->group != VN_NONE)
		leave_group(m, t->group);
}

uint64_t vn_idle_time(const struct vn_vm *m, const struct vn_task *t)
{
	return t->idle_sum + clock_of(m, t);
}

void vn_queues_forget(struct vn_vm *m)
{
	uint32_t i;

	m->nwaiting = m->nany = m->nunplaced = 0;
	m->ngroups = 0;
	m->free_group = VN_NONE;
	for (i = 0; i < m->ncpus; i++) {
		m->cpu[i].nwait = m->cpu[i].nbound = m->cpu[i].nsome = 0;
		m->cpu[i].groups = VN_NONE;
	}
	m->dirty = true;
}
