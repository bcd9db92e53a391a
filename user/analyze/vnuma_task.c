// SPDX-License-Identifier: GPL-2.0
/* The threads of a guest that are known. Sleepers make room when there are too many. */
#include <stdlib.h>

#include "hash.h"
#include "records.h"
#include "vnuma_priv.h"

static uint32_t bucket_of(const struct vn_vm *m, uint32_t tid)
{
	return (uint32_t)(ks_hash(tid, m->seed) % VN_BUCKETS);
}

struct vn_task *vn_task_find(struct vn_vm *m, uint32_t tid)
{
	uint32_t i;

	for (i = m->bucket[bucket_of(m, tid)]; i != VN_NONE; i = m->task[i].next)
		if (m->task[i].tid == tid)
			return &m->task[i];
	return NULL;
}

static bool grow(struct vn_vm *m)
{
	uint32_t cap = m->cap ? m->cap * 2 : 256;
	struct vn_task *t;

	if (m->ntasks < m->cap)
		return true;
	if (cap > VN_TASKS)
		return false;
	t = realloc(m->task, cap * sizeof(*t));
	if (!t)
		return false;
	m->task = t;
	m->cap = cap;
	return true;
}

static void release(struct vn_vm *m, uint32_t *link)
{
	uint32_t i = *link;

	*link = m->task[i].next;
	m->task[i].next = m->free_task;
	m->free_task = i;
}

/* Forget all threads in these places (bits of enum vn_where). How many. */
static uint32_t drop(struct vn_vm *m, unsigned int where)
{
	uint32_t b, *link, n = 0;

	for (b = 0; b < VN_BUCKETS; b++) {
		link = &m->bucket[b];
		while (*link != VN_NONE) {
			if (!(where & 1u << m->task[*link].where)) {
				link = &m->task[*link].next;
				continue;
			}
			release(m, link);
			n++;
		}
	}
	return n;
}

void vn_task_end(struct vn_vm *m, uint32_t tid)
{
	uint32_t *link = &m->bucket[bucket_of(m, tid)];

	while (*link != VN_NONE && m->task[*link].tid != tid)
		link = &m->task[*link].next;
	if (*link == VN_NONE)
		return;
	if (m->task[*link].where == VN_WAITS)
		vn_task_unwait(m, &m->task[*link]);
	release(m, link);
}

/* To look through all of them for a few sleepers is dear: not again for each thread that finds no room. */
static void drop_sleepers(struct vn_vm *m)
{
	uint32_t dropped;

	if (m->dropless) {
		m->dropless--;
		return;
	}
	dropped = drop(m, 1u << VN_SLEEPS | 1u << VN_UNSEEN);
	m->out.forgotten += dropped;
	if (dropped < VN_BUCKETS)
		m->dropless = VN_BUCKETS;
}

struct vn_task *vn_task_get(struct vn_vm *m, uint32_t tid)
{
	struct vn_task *t = vn_task_find(m, tid);
	uint32_t i, b = bucket_of(m, tid);

	if (t)
		return t;
	if (m->free_task == VN_NONE && !grow(m))
		drop_sleepers(m);
	if (m->free_task != VN_NONE) {
		i = m->free_task;
		m->free_task = m->task[i].next;
	} else if (m->ntasks < m->cap) {
		i = m->ntasks++;
	} else {
		m->out.forgotten++;
		return NULL;
	}
	m->task[i] = (struct vn_task){ .tid = tid, .next = m->bucket[b], .cpu = VN_NONE };
	m->bucket[b] = i;
	return &m->task[i];
}

int vn_task_wait(struct vn_vm *m, struct vn_task *t, uint32_t cpu)
{
	t->where = VN_WAITS;
	t->cpu = cpu;
	return vn_queue_join(m, t);
}

void vn_task_unwait(struct vn_vm *m, struct vn_task *t)
{
	vn_queue_leave(m, t);
	t->where = VN_UNSEEN;
}

void vn_tasks_forget(struct vn_vm *m)
{
	uint32_t i;

	drop(m, ~0u); /* for want of knowledge, not of room: not counted */
	for (i = 0; i < m->ncpus; i++) {
		m->cpu[i].cur = VN_NONE;
		m->cpu[i].pulled_at = 0;
	}
	vn_queues_forget(m);
}

void vn_online_forget(struct vn_vm *m, const struct ks_rec *loss)
{
	uint32_t i;

	if (!loss->b || (loss->flags != KS_NONE && loss->flags != KS_CPU_ONLINE))
		return;
	for (i = 0; i < m->ncpus; i++)
		m->cpu[i].offline = false; /* or not: until it switches it is not held for free */
	m->dirty = true;
}
