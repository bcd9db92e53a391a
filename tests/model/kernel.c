// SPDX-License-Identifier: GPL-2.0
/* The model's kernel: see model.h. What the functions of sched_ext do, and when its operations are called. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf_helpers.h>

#include "model.h"

#define QUEUES 256
#define TASKS 512
#define MAPS 8
#define SLICE_NS 20000000 /* SCX_SLICE_DFL */

struct model_queue {
	u64 id;
	s32 cpu; /* -1: the policy's */
	struct task_struct *first;
	u32 n;
};

struct cpu {
	struct task_struct *curr; /* NULL: the idle thread */
	struct model_queue local;
	bool look, idle_told, away;
	bool look_later; /* it has threads to hand over */
	bool busy;	 /* in the middle of something */
	u64 steal;
	char *vars[MAPS]; /* values per CPU, as they are asked for */
};

static struct {
	const struct model_policy *policy;
	u32 ncpus, nqueues, ntasks, told;
	u64 now;
	s32 here; /* the CPU whose turn it is to act */
	struct cpu cpu[MODEL_CPUS];
	struct model_queue queue[QUEUES];
	struct task_struct *task[TASKS];
	struct cgroup *cgroup[TASKS];
	u32 ncgroups;
	const void *maps[MAPS];
	struct array {
		const void *map;
		void *value;
	} array[MAPS];
	struct pair {
		const void *map;
		u32 key, value;
	} pair[TASKS];
	u32 npairs, ntimers;
	struct bpf_timer *timer[MODEL_CPUS];
	u64 idle; /* the kernel's own mask, for policies that keep none */
	struct task_struct *acting;
	u64 dice;
	struct task_struct *selecting; /* select_cpu() is asked about it */
	bool dispatching, polling;
	bool meanwhile; /* others act already */
} m;

static struct task_struct idle_thread;

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

static void *must_calloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		model_die("no memory");
	return p;
}

static struct cpu *cpu_at(s32 cpu)
{
	if (cpu < 0 || (u32)cpu >= m.ncpus)
		model_die("the policy names CPU %d of %u", cpu, m.ncpus);
	return &m.cpu[cpu];
}

/* ---- helpers of BPF ---- */

void *model_percpu_value(const void *map, size_t size, s32 cpu)
{
	u32 i = 0;

	if (cpu < 0 || (u32)cpu >= m.ncpus)
		return NULL;
	while (m.maps[i] && m.maps[i] != map)
		if (++i == MAPS)
			model_die("too many maps");
	m.maps[i] = map;
	if (!m.cpu[cpu].vars[i])
		m.cpu[cpu].vars[i] = must_calloc(1, size);
	return m.cpu[cpu].vars[i];
}

static void *array_of(const void *map, size_t entries, size_t size)
{
	u32 i = 0;

	while (m.array[i].map && m.array[i].map != map)
		if (++i == MAPS)
			model_die("too many arrays");
	m.array[i].map = map;
	if (!m.array[i].value)
		m.array[i].value = must_calloc(entries > MODEL_CPUS ? entries : MODEL_CPUS, size);
	return m.array[i].value;
}

static void *pair_of(const void *map, u32 key)
{
	for (u32 i = 0; i < m.npairs; i++)
		if (m.pair[i].map == map && m.pair[i].key == key)
			return &m.pair[i].value;
	return NULL;
}

void *model_lookup(const void *map, size_t type, size_t entries, const void *key, size_t size)
{
	u32 at = *(const u32 *)key;

	if (type == BPF_MAP_TYPE_PERCPU_ARRAY)
		return model_percpu_value(map, size, m.here);
	if (type == BPF_MAP_TYPE_HASH)
		return pair_of(map, at);
	if (at >= entries && at >= m.ncpus)
		return NULL;
	return (char *)array_of(map, entries, size) + at * size;
}

void model_put(const void *map, u32 key, u32 value)
{
	u32 *old = pair_of(map, key);

	if (old) {
		*old = value;
		return;
	}
	if (m.npairs == TASKS)
		model_die("too many entries");
	m.pair[m.npairs++] = (struct pair){ map, key, value };
}

/* Threads of this run queue, running or not. */
static u32 nr_running(s32 cpu)
{
	u32 n = 0;

	for (u32 i = 0; i < m.ntasks; i++)
		n += m.task[i]->on_rq && m.task[i]->cpu == cpu;
	return n;
}

void *model_percpu_var(const void *var, s32 cpu)
{
	void *value;

	if (cpu < 0 || (u32)cpu >= m.ncpus)
		return NULL;
	if (var == m.policy->runqueues) {
		value = model_percpu_value(var, m.policy->runqueue_size, cpu);
		m.policy->tell_runqueue(value, nr_running(cpu), nr_running(cpu));
		return value;
	}
	if (var != m.policy->steal_time)
		model_die("a variable per CPU that the model does not know");
	value = model_percpu_value(var, m.policy->steal_size, cpu);
	m.policy->tell_steal(value, m.cpu[cpu].steal, m.cpu[cpu].away);
	return value;
}

void *model_storage(void **where, size_t size, u64 flags)
{
	if (!*where && flags & BPF_LOCAL_STORAGE_GET_F_CREATE && !m.policy->storage_is_busy)
		*where = must_calloc(1, size);
	return *where;
}

void bpf_cgrp_storage_delete(void *map, struct cgroup *c)
{
	(void)map;
	free(c->storage);
	c->storage = NULL;
}

u64 model_now(void)
{
	if (m.polling) /* or a loop that waits would never end */
		m.now += 1000;
	return m.now;
}

s32 model_cpu(void)
{
	return m.here;
}

void model_set_cpu(s32 cpu)
{
	m.here = cpu;
}

struct task_struct *model_current(void)
{
	return m.acting ?: cpu_at(m.here)->curr ?: &idle_thread;
}

void model_act_as(struct task_struct *p)
{
	m.acting = p;
}

bool model_has_field(const char *which)
{
	return !strcmp(which, "v->wants_to_run");
}

u64 bpf_get_current_pid_tgid(void)
{
	const struct task_struct *p = model_current();

	return (u64)p->tgid << 32 | (u32)p->pid;
}

u32 bpf_get_prandom_u32(void)
{
	m.dice = m.dice * 6364136223846793005ull + 1442695040888963407ull;
	return m.dice >> 32;
}

void *bpf_ringbuf_reserve(void *map, u64 size, u64 flags)
{
	static u64 room[64];

	(void)map;
	(void)flags;
	return size <= sizeof(room) ? room : NULL;
}

void bpf_ringbuf_submit(void *record, u64 flags)
{
	(void)record;
	(void)flags;
	m.told++;
}

u32 model_told(void)
{
	return m.told;
}

long bpf_loop(u32 n, void *fn, void *ctx, u64 flags)
{
	long (*call)(u32 i, void *ctx) = (long (*)(u32, void *))fn;

	(void)flags;
	for (u32 i = 0; i < n; i++)
		if (call(i, ctx))
			return i + 1;
	return n;
}

long bpf_timer_init(struct bpf_timer *timer, void *map, u64 clock)
{
	(void)clock;
	if (m.ntimers == MODEL_CPUS)
		return -12;
	m.timer[m.ntimers++] = timer;
	timer->map = map;
	return 0;
}

long model_timer_set(struct bpf_timer *timer, int (*fn)(void *map, u32 *key, void *value))
{
	timer->call = fn;
	return 0;
}

long bpf_timer_start(struct bpf_timer *timer, u64 ns, u64 flags)
{
	(void)flags;
	timer->due = m.now + ns;
	timer->cpu = m.here;
	timer->set = true;
	return 0;
}

void bpf_spin_lock(struct bpf_spin_lock *lock)
{
	if (lock->held++)
		model_die("a lock is taken twice");
}

void bpf_spin_unlock(struct bpf_spin_lock *lock)
{
	if (--lock->held)
		model_die("a lock is let go twice");
}

long bpf_probe_read_kernel(void *to, u32 size, const void *from)
{
	memcpy(to, from, size);
	return 0;
}

/* ---- queues ---- */

static struct model_queue *queue_of(u64 id)
{
	for (u32 i = 0; i < m.nqueues; i++)
		if (m.queue[i].id == id)
			return &m.queue[i];
	model_die("the policy names queue %llx, which there is not", id);
}

static void leave_queue(struct task_struct *p)
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

static void insert_at(struct model_queue *q, struct task_struct **at, struct task_struct *p)
{
	if (p->queue || p->running || p->later)
		model_die("thread %d is put into a second queue", p->pid);
	p->next = *at;
	*at = p;
	p->queue = q;
	p->since = m.now;
	q->n++;
}

static struct task_struct **end_of(struct model_queue *q)
{
	struct task_struct **at = &q->first;

	while (*at)
		at = &(*at)->next;
	return at;
}

static void to_local(s32 cpu, struct task_struct *p, u64 flags)
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
	p->since = m.now;
	cpu_at(p->cpu)->look_later = true;
}

static void to_queue(struct task_struct *p, u64 dsq, u64 flags)
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
	if (m.nqueues == QUEUES)
		return -12;
	m.queue[m.nqueues++] = (struct model_queue){ .id = id, .cpu = -1 };
	return 0;
}

s32 scx_bpf_dsq_nr_queued(u64 id)
{
	return (s32)queue_of(id)->n;
}

static s32 claim_idle(s32 cpu)
{
	m.idle &= ~(1ull << cpu);
	return cpu;
}

s32 scx_bpf_pick_idle_cpu(const cpumask_t *mask, u64 flags)
{
	u64 found = mask->bits[0] & m.idle;

	(void)flags;
	return found ? claim_idle(__builtin_ctzll(found)) : -16;
}

s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev, u64 flags, bool *idle)
{
	s32 cpu = model_may(p, prev) && m.idle >> prev & 1 ?
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
	return sym && !(m.policy->cannot_kick && sym == (const void *)scx_bpf_kick_cpu);
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

	online.bits[0] = m.ncpus < 64 ? (1ull << m.ncpus) - 1 : ~0ull;
	return &online;
}

void scx_bpf_put_cpumask(const cpumask_t *mask)
{
	(void)mask;
}

void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq, u64 slice, u64 flags)
{
	p->scx.slice = slice;
	if (p == m.selecting)
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

	if (!m.dispatching)
		model_die("a thread is taken outside of dispatch()");
	for (p = queue_of(id)->first; p && !model_may(p, m.here); p = p->next)
		;
	if (!p)
		return false;
	leave_queue(p);
	to_local(m.here, p, 0);
	return true;
}

bool scx_bpf_dsq_move(struct bpf_iter_scx_dsq *it, struct task_struct *p, u64 dsq, u64 flags)
{
	s32 cpu = dsq == SCX_DSQ_LOCAL ? m.here : (s32)(u32)dsq;

	if (!p->queue || p->queue->id != it->dsq || p->queue->cpu >= 0)
		return false;
	if (m.policy->too_late && m.policy->too_late())
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

/* ---- threads come and go ---- */

/* Other CPUs act; this one holds its run queue, or the thread, and goes on where it was. */
static void meanwhile(s32 cpu)
{
	struct cpu *c = cpu_at(cpu);
	bool busy = c->busy;

	if (!m.policy->meanwhile || m.meanwhile)
		return;
	c->busy = true;
	m.meanwhile = true;
	m.policy->meanwhile(cpu);
	m.meanwhile = false;
	c->busy = busy;
	m.here = cpu;
}

static const struct sched_ext_ops *ops(void)
{
	return m.policy->ops;
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
	m.here = by;
	p->sent_to = 0;
	p->asleep = false;
	if (p->running) { /* it has not left its CPU yet, which takes it up again: no question of where to */
		p->waking = true;
		cpu_at(cpu)->look = true;
		return;
	}
	if (p->nr_cpus_allowed > 1) {
		m.selecting = p;
		cpu = ops()->select_cpu(p, cpu, 0);
		m.selecting = NULL;
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
	for (u32 i = 0; i < m.ntasks; i++) {
		struct task_struct *p = m.task[i];

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
	for (u32 i = 0; i < m.ntasks; i++) {
		struct task_struct *p = m.task[i];
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
	m.dispatching = true;
	ops()->dispatch(cpu, prev);
	m.dispatching = false;
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
		m.idle = (m.idle & ~(1ull << cpu)) | (u64)idle << cpu;
	else if (c->idle_told != idle)
		ops()->update_idle(cpu, idle);
	c->idle_told = idle;
	if (!idle || !m.policy->idle_enter)
		return;
	m.polling = true;
	m.policy->idle_enter(NULL);
	m.polling = false;
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

	m.here = cpu;
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
	m.here = cpu;
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
	m.here = cpu;
	yielded = ops()->yield(c->curr, to);
	if (yielded || !to)
		schedule(cpu);
	return yielded;
}

void model_timers(s32 cpu)
{
	for (u32 i = 0; i < m.ntimers; i++) {
		struct bpf_timer *t = m.timer[i];
		u32 key = (u32)cpu;

		if (!t->set || t->cpu != cpu || m.now < t->due || cpu_at(cpu)->away)
			continue;
		t->set = false;
		m.here = cpu;
		t->call(t->map, &key, t); /* the timer is all that there is of a value */
	}
}

void model_tick(s32 cpu)
{
	struct cpu *c = cpu_at(cpu);

	if (!c->curr || c->away || c->busy)
		return;
	m.here = cpu;
	ops()->tick(c->curr);
	c->look |= !c->curr->scx.slice;
}

void model_pass(u64 ns)
{
	m.now += ns;
	for (u32 i = 0; i < m.ncpus; i++) {
		struct cpu *c = &m.cpu[i];

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
	m.here = (s32)(c - m.cpu);
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

	if (m.ncgroups == TASKS)
		model_die("too many cgroups");
	m.cgroup[m.ncgroups++] = c;
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

	if (m.ntasks == TASKS)
		model_die("too many threads");
	m.task[m.ntasks++] = p;
	p->pid = (int)m.ntasks;
	p->tgid = tgid;
	p->cgroup = cgrp;
	p->cpus_ptr = &p->mask;
	set_mask(p, mask);
	p->scx.weight = weight;
	p->cpu = first_of_mask(p->mask.bits[0]);
	ops()->init_task(p, &args);
	if (m.policy->before_enable)
		m.policy->before_enable(p);
	p->policy = MODEL_SCHED_EXT;
	ops()->enable(p);
	return p;
}

void model_start(const struct model_policy *policy, u32 ncpus)
{
	model_end();
	m.policy = policy;
	m.ncpus = ncpus;
	m.now = 1000000000;
	for (u32 i = 0; i < ncpus; i++)
		m.cpu[i].local.cpu = (s32)i;
	if (ops()->init())
		model_die("the policy does not begin");
	for (u32 i = 0; i < ncpus; i++) {
		m.here = (s32)i;
		idles((s32)i, &m.cpu[i], true);
	}
}

void model_end(void)
{
	for (u32 i = 0; i < m.ntasks; i++) {
		free(m.task[i]->storage);
		free(m.task[i]);
	}
	for (u32 i = 0; i < m.ncgroups; i++) {
		free(m.cgroup[i]->storage);
		free(m.cgroup[i]);
	}
	for (u32 i = 0; i < m.ncpus; i++)
		for (u32 k = 0; k < MAPS; k++)
			free(m.cpu[i].vars[k]);
	for (u32 k = 0; k < MAPS; k++)
		free(m.array[k].value);
	memset(&m, 0, sizeof(m));
}

/* ---- how it is ---- */

u32 model_tasks(void)
{
	return m.ntasks;
}

struct task_struct *model_nth(u32 i)
{
	return m.task[i];
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
	return cpu >= 0 && (u32)cpu < m.ncpus && p->mask.bits[0] >> cpu & 1;
}

bool model_waits(const struct task_struct *p, s32 *on)
{
	if (!p->queue && !p->later)
		return false;
	*on = p->later ? p->later - 1 : p->queue->cpu;
	return true;
}
