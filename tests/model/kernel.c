// SPDX-License-Identifier: GPL-2.0
/* The model's kernel: see model.h. Threads and CPUs, and when the operations of sched_ext are called. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf_helpers.h>

#include "kernel.h"

struct model_kernel kern;
void model_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

void model_set(const volatile void *what, const void *to, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)what & ~(page - 1);

	if (mprotect((void *)from, (uintptr_t)what + size - from, PROT_READ | PROT_WRITE))
		model_die("mprotect: %m");
	memcpy((void *)(uintptr_t)what, to, size);
}

void *must_calloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		model_die("no memory");
	return p;
}

struct cpu *cpu_at(s32 cpu)
{
	if (cpu < 0 || (u32)cpu >= kern.ncpus)
		model_die("the policy names CPU %d of %u", cpu, kern.ncpus);
	return &kern.cpu[cpu];
}
/* ---- threads come and go ---- */

/* Other CPUs act; this one holds its run queue, or the thread, and goes on where it was. */
static void meanwhile(s32 cpu)
{
	struct cpu *c = cpu_at(cpu);
	bool busy = c->busy;

	if (!kern.policy->meanwhile || kern.meanwhile)
		return;
	c->busy = true;
	kern.meanwhile = true;
	kern.policy->meanwhile(cpu);
	kern.meanwhile = false;
	c->busy = busy;
	kern.here = cpu;
}

static const struct sched_ext_ops *ops(void)
{
	return kern.policy->ops;
}

static void enqueue(struct task_struct *p, u64 flags)
{
	p->on_rq = true;
	p->scx.flags |= SCX_TASK_QUEUED;
	ops()->runnable(p, flags);
	if (p->sent_to) {
		to_queue(p, p->sent_to, flags);
		p->sent_to = 0;
		return;
	}
	ops()->enqueue(p, flags);
	if (!p->queue && !p->later)
		model_die("the policy has put thread %d nowhere", p->pid);
}

static void dequeue(struct task_struct *p, u64 flags)
{
	leave_queue(p);
	if (p->running)
		ops()->stopping(p, false);
	ops()->quiescent(p, flags);
	p->scx.flags &= ~SCX_TASK_QUEUED;
	p->on_rq = false;
}

void model_wake(struct task_struct *p, s32 by, bool remote)
{
	s32 cpu = p->cpu;

	if (p->on_rq || p->waking || p->held || cpu_at(by)->busy)
		return;
	kern.here = by;
	p->sent_to = 0;
	p->asleep = false;
	if (p->running) { /* it has not left its CPU yet, which takes it up again: no question of where to */
		p->waking = true;
		cpu_at(cpu)->look = true;
		return;
	}
	if (p->nr_cpus_allowed > 1) {
		kern.selecting = p;
		cpu = ops()->select_cpu(p, cpu, 0);
		kern.selecting = NULL;
		p->held = true;
		meanwhile(by);
		p->held = false;
	}
	if (!model_may(p, cpu)) /* select_fallback_rq() */
		for (cpu = 0; !model_may(p, cpu); cpu++)
			;
	p->cpu = cpu;
	/* Whose run queue is locked is waited for; here the rest comes later. */
	if ((remote && cpu != by) || cpu_at(cpu)->busy) {
		p->waking = true;
		cpu_at(cpu)->look = true;
		return;
	}
	enqueue(p, SCX_ENQ_WAKEUP);
}

/* ---- a CPU ---- */

static void take_up(s32 cpu)
{
	for (u32 i = 0; i < kern.ntasks; i++) {
		struct task_struct *p = kern.task[i];

		if (!p->waking || p->cpu != cpu)
			continue;
		p->waking = false;
		enqueue(p, SCX_ENQ_WAKEUP);
	}
}

/* What it has to hand over to others; whose run queue is locked gets it the next time. */
static void hand_over(s32 cpu, struct cpu *c)
{
	c->look_later = false;
	for (u32 i = 0; i < kern.ntasks; i++) {
		struct task_struct *p = kern.task[i];
		s32 to = p->later - 1;

		if (!p->later || p->cpu != cpu)
			continue;
		if (cpu_at(to)->busy) {
			c->look_later = true;
			continue;
		}
		p->later = 0;
		to_local(to, p, p->later_flags);
	}
}

/* balance_one(): whether the one before goes on. */
static bool balance(s32 cpu, struct cpu *c, struct task_struct *prev)
{
	bool queued = prev && prev->on_rq;

	if (queued && prev->scx.slice)
		return true;
	if (c->local.n)
		return false;
	kern.dispatching = true;
	ops()->dispatch(cpu, prev);
	kern.dispatching = false;
	if (queued && prev->scx.slice)
		return true;
	return queued && !c->local.n;
}

/* put_prev_task_scx(): it is still runnable, and another one runs. */
static void put_back(struct cpu *c, struct task_struct *prev)
{
	ops()->stopping(prev, true);
	prev->running = false;
	if (prev->scx.slice)
		insert_at(&c->local, &c->local.first, prev);
	else
		ops()->enqueue(prev, 0);
}

static void idles(s32 cpu, struct cpu *c, bool idle)
{
	if (!ops()->update_idle)
		kern.idle = (kern.idle & ~(1ull << cpu)) | (u64)idle << cpu;
	else if (c->idle_told != idle)
		ops()->update_idle(cpu, idle);
	c->idle_told = idle;
	if (!idle || !kern.policy->idle_enter)
		return;
	kern.polling = true;
	kern.policy->idle_enter(NULL);
	kern.polling = false;
}

static void switch_to(s32 cpu, struct cpu *c, struct task_struct *prev, struct task_struct *next)
{
	if (next)
		leave_queue(next);
	if (prev && prev->on_rq)
		put_back(c, prev);
	else if (prev)
		prev->running = false;
	c->curr = next;
	if (!next) {
		idles(cpu, c, true);
		return;
	}
	if (!prev)
		idles(cpu, c, false);
	next->running = true;
	ops()->running(next);
}

static void schedule(s32 cpu)
{
	struct cpu *c = cpu_at(cpu);
	struct task_struct *prev = c->curr;

	kern.here = cpu;
	c->look = false;
	if (prev && prev->asleep)
		dequeue(prev, SCX_DEQ_SLEEP);
	if (balance(cpu, c, prev)) {
		if (!prev->scx.slice)
			prev->scx.slice = SLICE_NS;
		return;
	}
	if (!c->local.n)
		meanwhile(cpu);
	switch_to(cpu, c, prev, c->local.first);
	c->look |= !c->curr && c->local.n;
}

void model_look(s32 cpu)
{
	struct cpu *c = cpu_at(cpu);

	if (c->away || c->busy)
		return;
	kern.here = cpu;
	take_up(cpu);
	if (c->look_later)
		hand_over(cpu, c);
	if (c->look)
		schedule(cpu);
}

void model_sleep(s32 cpu)
{
	struct cpu *c = cpu_at(cpu);

	if (!c->curr || c->away || c->busy)
		return;
	c->curr->asleep = true;
	schedule(cpu);
}

bool model_yield(s32 cpu, struct task_struct *to)
{
	struct cpu *c = cpu_at(cpu);
	bool yielded;

	if (!c->curr || c->away || c->busy)
		return false;
	kern.here = cpu;
	yielded = ops()->yield(c->curr, to);
	if (yielded || !to)
		schedule(cpu);
	return yielded;
}

void model_timers(s32 cpu)
{
	for (u32 i = 0; i < kern.ntimers; i++) {
		struct bpf_timer *t = kern.timer[i];
		u32 key = (u32)cpu;

		if (!t->set || t->cpu != cpu || kern.now < t->due || cpu_at(cpu)->away)
			continue;
		t->set = false;
		kern.here = cpu;
		t->call(t->map, &key, t); /* the timer is all that there is of a value */
	}
}

void model_tick(s32 cpu)
{
	struct cpu *c = cpu_at(cpu);

	if (!c->curr || c->away || c->busy)
		return;
	kern.here = cpu;
	ops()->tick(c->curr);
	c->look |= !c->curr->scx.slice;
}

void model_pass(u64 ns)
{
	kern.now += ns;
	for (u32 i = 0; i < kern.ncpus; i++) {
		struct cpu *c = &kern.cpu[i];

		/* KVM's steal is of a vCPU that wants to run. */
		if (c->away && (c->curr || c->look || c->look_later))
			c->steal += ns;
		if (!c->curr)
			continue;
		c->curr->se.sum_exec_runtime +=
			ns; /* what the host had included, as in most kernels */
		c->curr->scx.slice -= c->curr->scx.slice < ns ? c->curr->scx.slice : ns;
	}
}

void model_steal(s32 cpu, bool away)
{
	cpu_at(cpu)->away = away;
}

/* ---- changes ---- */

static void set_mask(struct task_struct *p, u64 mask)
{
	p->mask.bits[0] = mask;
	p->nr_cpus_allowed = __builtin_popcountll(mask);
}

static s32 first_of_mask(u64 mask)
{
	return __builtin_ctzll(mask);
}

/* sched_setaffinity(): a running thread is taken off and put on again; then who may not stay is moved. */
void model_affinity(struct task_struct *p, u64 mask)
{
	struct cpu *c = cpu_at(p->cpu);

	if (p->waking || p->held || (p->on_rq && (c->busy || cpu_at(first_of_mask(mask))->busy)))
		return;
	if (!p->on_rq) {
		set_mask(p, mask);
		return;
	}
	dequeue(p, 0);
	set_mask(p, mask);
	if (!p->running) {
		if (!model_may(p, p->cpu))
			p->cpu = first_of_mask(p->mask.bits[0]);
		enqueue(p, 0);
		return;
	}
	p->on_rq = true;
	p->scx.flags |= SCX_TASK_QUEUED;
	ops()->runnable(p, 0);
	ops()->running(p);
	if (model_may(p, p->cpu))
		return;
	/* The stopper's part: it preempts the thread, and moves it. */
	ops()->stopping(p, true);
	ops()->quiescent(p, 0);
	p->running = false;
	c->curr = NULL;
	p->cpu = first_of_mask(p->mask.bits[0]);
	enqueue(p, 0);
	kern.here = (s32)(c - kern.cpu);
	c->look = true;
	c->idle_told = false;
}

void model_weight(struct task_struct *p, u32 weight)
{
	p->scx.weight = weight;
	ops()->set_weight(p, weight);
}

/* ---- begin and end ---- */

struct cgroup *model_cgroup(struct cgroup *above, u32 weight)
{
	struct scx_cgroup_init_args args = { .weight = weight };
	struct cgroup *c = must_calloc(1, sizeof(*c));

	if (kern.ncgroups == TASKS)
		model_die("too many cgroups");
	kern.cgroup[kern.ncgroups++] = c;
	c->above = above;
	c->level = above ? above->level + 1 : 0;
	if (ops()->cgroup_init)
		ops()->cgroup_init(c, &args);
	return c;
}

struct task_struct *model_task(struct cgroup *cgrp, int tgid, u32 weight, u64 mask)
{
	struct scx_init_task_args args = { 0 };
	struct task_struct *p = must_calloc(1, sizeof(*p));

	if (kern.ntasks == TASKS)
		model_die("too many threads");
	kern.task[kern.ntasks++] = p;
	p->pid = (int)kern.ntasks;
	p->tgid = tgid;
	p->cgroup = cgrp;
	p->cpus_ptr = &p->mask;
	set_mask(p, mask);
	p->scx.weight = weight;
	p->cpu = first_of_mask(p->mask.bits[0]);
	ops()->init_task(p, &args);
	if (kern.policy->before_enable)
		kern.policy->before_enable(p);
	p->policy = MODEL_SCHED_EXT;
	ops()->enable(p);
	return p;
}

void model_start(const struct model_policy *policy, u32 ncpus)
{
	model_end();
	kern.policy = policy;
	kern.ncpus = ncpus;
	kern.now = 1000000000;
	for (u32 i = 0; i < ncpus; i++)
		kern.cpu[i].local.cpu = (s32)i;
	if (ops()->init())
		model_die("the policy does not begin");
	for (u32 i = 0; i < ncpus; i++) {
		kern.here = (s32)i;
		idles((s32)i, &kern.cpu[i], true);
	}
}

void model_end(void)
{
	for (u32 i = 0; i < kern.ntasks; i++) {
		free(kern.task[i]->storage);
		free(kern.task[i]);
	}
	for (u32 i = 0; i < kern.ncgroups; i++) {
		free(kern.cgroup[i]->storage);
		free(kern.cgroup[i]);
	}
	for (u32 i = 0; i < kern.ncpus; i++)
		for (u32 k = 0; k < MAPS; k++)
			free(kern.cpu[i].vars[k]);
	for (u32 k = 0; k < MAPS; k++)
		free(kern.array[k].value);
	memset(&kern, 0, sizeof(kern));
}

/* ---- how it is ---- */

u32 model_tasks(void)
{
	return kern.ntasks;
}

struct task_struct *model_nth(u32 i)
{
	return kern.task[i];
}

struct task_struct *model_runs(s32 cpu)
{
	return cpu_at(cpu)->curr;
}

bool model_is_away(s32 cpu)
{
	return cpu_at(cpu)->away;
}

bool model_may(const struct task_struct *p, s32 cpu)
{
	return cpu >= 0 && (u32)cpu < kern.ncpus && p->mask.bits[0] >> cpu & 1;
}

bool model_waits(const struct task_struct *p, s32 *on)
{
	if (!p->queue && !p->later)
		return false;
	*on = p->later ? p->later - 1 : p->queue->cpu;
	return true;
}
