// SPDX-License-Identifier: GPL-2.0
/* The model's kernel: its queues, and what the functions of sched_ext that policies call do with them. */
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf_helpers.h>

#include "kernel.h"

/* ---- queues ---- */

static struct model_queue *queue_of(u64 id)
{
	for (u32 i = 0; i < kern.nqueues; i++)
		if (kern.queue[i].id == id)
			return &kern.queue[i];
	model_die("the policy names queue %llx, which there is not", id);
}

void leave_queue(struct task_struct *p)
{
	struct task_struct **at;

	p->later = 0;
	if (!p->queue)
		return;
	for (at = &p->queue->first; *at != p; at = &(*at)->next)
		;
	*at = p->next;
	p->queue->n--;
	p->queue = NULL;
}

void insert_at(struct model_queue *q, struct task_struct **at, struct task_struct *p)
{
	if (p->queue || p->running || p->later)
		model_die("thread %d is put into a second queue", p->pid);
	p->next = *at;
	*at = p;
	p->queue = q;
	p->since = kern.now;
	q->n++;
}

static struct task_struct **end_of(struct model_queue *q)
{
	struct task_struct **at = &q->first;

	while (*at)
		at = &(*at)->next;
	return at;
}

void to_local(s32 cpu, struct task_struct *p, u64 flags)
{
	struct cpu *c = cpu_at(cpu);

	if (!model_may(p, cpu))
		model_die("thread %d is sent to CPU %d, where it may not run", p->pid, cpu);
	p->cpu = cpu;
	if (!(flags & SCX_ENQ_PREEMPT)) {
		insert_at(&c->local, end_of(&c->local), p);
		c->look |= !c->curr;
		return;
	}
	insert_at(&c->local, &c->local.first, p);
	if (c->curr)
		c->curr->scx.slice = 0;
	c->look = true;
}

/* Another run queue has to be locked for it: schedule_deferred(). */
static void to_other(struct task_struct *p, s32 cpu, u64 flags)
{
	if (cpu == p->cpu) {
		to_local(cpu, p, flags);
		return;
	}
	if (!model_may(p, cpu))
		model_die("thread %d is sent to CPU %d, where it may not run", p->pid, cpu);
	p->later = cpu + 1;
	p->later_flags = flags;
	p->since = kern.now;
	cpu_at(p->cpu)->look_later = true;
}

void to_queue(struct task_struct *p, u64 dsq, u64 flags)
{
	struct task_struct **at;
	struct model_queue *q;

	if (dsq == SCX_DSQ_LOCAL) {
		to_local(p->cpu, p, flags);
		return;
	}
	if ((dsq & SCX_DSQ_LOCAL_ON) == SCX_DSQ_LOCAL_ON) {
		to_other(p, (s32)(u32)dsq, flags);
		return;
	}
	q = queue_of(dsq);
	at = &q->first;
	while (*at && (s64)((*at)->scx.dsq_vtime - p->scx.dsq_vtime) <= 0)
		at = &(*at)->next;
	insert_at(q, at, p);
}

/* ---- functions of sched_ext ---- */

s32 scx_bpf_create_dsq(u64 id, s32 node)
{
	(void)node;
	if (kern.nqueues == QUEUES)
		return -12;
	kern.queue[kern.nqueues++] = (struct model_queue){ .id = id, .cpu = -1 };
	return 0;
}

s32 scx_bpf_dsq_nr_queued(u64 id)
{
	return (s32)queue_of(id)->n;
}

static s32 claim_idle(s32 cpu)
{
	kern.idle &= ~(1ull << cpu);
	return cpu;
}

s32 scx_bpf_pick_idle_cpu(const cpumask_t *mask, u64 flags)
{
	u64 found = mask->bits[0] & kern.idle;

	(void)flags;
	return found ? claim_idle(__builtin_ctzll(found)) : -16;
}

s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev, u64 flags, bool *idle)
{
	s32 cpu = model_may(p, prev) && kern.idle >> prev & 1 ?
			  claim_idle(prev) :
			  scx_bpf_pick_idle_cpu(p->cpus_ptr, flags);

	*idle = cpu >= 0;
	return cpu >= 0 ? cpu : prev;
}

void scx_bpf_kick_cpu(s32 cpu, u64 flags)
{
	struct cpu *c = cpu_at(cpu);

	if (c->curr && flags & SCX_KICK_PREEMPT)
		c->curr->scx.slice = 0;
	c->look |= !c->curr || flags & SCX_KICK_PREEMPT;
}

bool model_is_there(const void *sym)
{
	return sym && !(kern.policy->cannot_kick && sym == (const void *)scx_bpf_kick_cpu);
}

s32 scx_bpf_task_cpu(const struct task_struct *p)
{
	return p->cpu;
}

bool bpf_cpumask_test_cpu(u32 cpu, const cpumask_t *mask)
{
	return cpu < 4096 && mask->bits[cpu / 64] >> (cpu % 64) & 1;
}

const cpumask_t *scx_bpf_get_online_cpumask(void)
{
	static cpumask_t online;

	online.bits[0] = kern.ncpus < 64 ? (1ull << kern.ncpus) - 1 : ~0ull;
	return &online;
}

void scx_bpf_put_cpumask(const cpumask_t *mask)
{
	(void)mask;
}

void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq, u64 slice, u64 flags)
{
	p->scx.slice = slice;
	if (p == kern.selecting)
		p->sent_to = dsq;
	else
		to_queue(p, dsq, flags);
}

void scx_bpf_dsq_insert_vtime(struct task_struct *p, u64 dsq, u64 slice, u64 vtime, u64 flags)
{
	p->scx.dsq_vtime = vtime;
	scx_bpf_dsq_insert(p, dsq, slice, flags);
}

bool scx_bpf_dsq_move_to_local(u64 id)
{
	struct task_struct *p;

	if (!kern.dispatching)
		model_die("a thread is taken outside of dispatch()");
	for (p = queue_of(id)->first; p && !model_may(p, kern.here); p = p->next)
		;
	if (!p)
		return false;
	leave_queue(p);
	to_local(kern.here, p, 0);
	return true;
}

bool scx_bpf_dsq_move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 dsq, u64 flags)
{
	s32 cpu = dsq == SCX_DSQ_LOCAL ? kern.here : (s32)(u32)dsq;

	if (!p->queue || p->queue->id != it->dsq || p->queue->cpu >= 0)
		return false;
	if (kern.policy->too_late && kern.policy->too_late())
		return false;
	if (!model_may(p, cpu))
		model_die("thread %d is moved to CPU %d, where it may not run", p->pid, cpu);
	leave_queue(p);
	to_local(cpu, p, flags);
	return true;
}

bool scx_bpf_task_set_slice(struct task_struct *p, u64 slice)
{
	p->scx.slice = slice;
	return true;
}

int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, u64 id, u64 flags)
{
	struct task_struct *p;

	(void)flags;
	*it = (struct bpf_iter_scx_dsq){ .dsq = id };
	for (p = queue_of(id)->first; p && it->n < 256; p = p->next)
		it->all[it->n++] = p;
	return 0;
}

struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it)
{
	return it->at < it->n ? it->all[it->at++] : NULL;
}

struct cgroup *scx_bpf_task_cgroup(struct task_struct *p)
{
	return p->cgroup;
}

struct cgroup *bpf_cgroup_ancestor(struct cgroup *c, int level)
{
	while (c && c->level > level)
		c = c->above;
	return c && c->level == level ? c : NULL;
}

void bpf_cgroup_release(struct cgroup *c)
{
	(void)c;
}
