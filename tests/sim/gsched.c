// SPDX-License-Identifier: GPL-2.0
/* The guest's scheduler: run queues in turn, wake-ups onto idle vCPUs, newly idle ones pull. */
#include "emit.h"
#include "sim.h"
#include "truth.h"
#include "util.h"

static void nr_changed(struct vcpu *v, int by)
{
	bool was = v->nr_running > 1, is;

	totals_idle(v->vm);
	v->nr_running += by;
	is = v->nr_running > 1;
	if (was != is)
		v->vm->nbusy += is ? 1 : -1;
}

static void rq_rec(struct vcpu *by, struct vcpu *v, uint32_t before)
{
	struct ks_rec rec = { .type = v->nr_running > 1 ? KS_RQ_BUSY : KS_RQ_CALM,
			      .cpu = v->idx,
			      .a = v->nr_running };

	if ((before > 1) != (v->nr_running > 1) && emit_guest_of(by, &rec))
		v->rq_seen = true;
}

static void enqueue(struct vcpu *by, struct vcpu *v, struct thread *t)
{
	uint32_t before = v->nr_running;

	totals_free(v->vm);
	t->cpu = v->idx;
	t->next = NULL;
	*v->rq_tail = t;
	v->rq_tail = &t->next;
	nr_changed(v, 1);
	rq_rec(by, v, before);
}

static struct thread *dequeue(struct vcpu *v)
{
	struct thread *t = v->rq;

	totals_free(v->vm);
	v->rq = t->next;
	if (!v->rq)
		v->rq_tail = &v->rq;
	return t;
}

static void leave(struct vcpu *by, struct vcpu *v)
{
	uint32_t before = v->nr_running;

	nr_changed(v, -1);
	rq_rec(by, v, before);
}

void gsched_init(struct vm *vm)
{
	uint32_t n = vm->w->p.threads;

	vm->threads = must_alloc(sizeof(*vm->threads) * n);
	for (uint32_t i = 0; i < n; i++) {
		struct thread *t = &vm->threads[i];
		struct vcpu *v = &vm->vcpus[i % vm->nvcpus];

		t->vm = vm;
		t->pid = 100 + i;
		t->fresh = true;
		script_thread(t);
		enqueue(v, v, t);
	}
}

static void migrate(struct vcpu *by, struct thread *t, uint32_t to, uint8_t why)
{
	struct ks_rec rec = {
		.type = KS_TASK_MIGRATE,
		.flags = why,
		.cpu = by->idx,
		.id = t->pid,
		.a = t->cpu,
		.b = to,
	};

	emit_guest_of(by, &rec);
	totals_task_migrate(t, t->cpu, to);
	overload_moved(t);
	t->cpu = to;
}

/* Newly idle: take a waiting thread from another vCPU's queue. */
static void pull(struct vcpu *v)
{
	uint32_t n = v->vm->nvcpus, first = rng_range(&v->w->rng, 0, n - 1);

	if (!rng_chance(&v->w->rng, v->w->p.pull_ppm))
		return;
	for (uint32_t i = 0; i < n; i++) {
		struct vcpu *o = &v->vm->vcpus[(first + i) % n];
		struct thread *t;

		if (o == v || !o->rq || !o->cur)
			continue;
		t = dequeue(o);
		leave(v, o);
		migrate(v, t, v->idx, KS_MOVE_NEWIDLE);
		overload_pulled(v, t);
		enqueue(v, v, t);
		return;
	}
}

static void switch_rec(struct vcpu *v, struct thread *prev, const struct thread *next)
{
	struct ks_rec rec = { .type = KS_TASK_SWITCH, .cpu = v->idx };

	if (!v->w->p.switches || prev == next)
		return;
	rec.id = next ? next->pid : 0;
	if (prev) {
		rec.a = prev->pid;
		rec.b = !prev->sleeping;
		rec.flags = prev->sleeping ? 0 : KS_ALLOWED_ANY;
	}
	v->switch_seen = emit_guest_of(v, &rec) || v->switch_seen;
	if (prev)
		prev->told = v->vm->recording;
}

void gsched_pick(struct vcpu *v)
{
	struct thread *next = NULL, *prev = v->cur;

	totals_free(v->vm);

	v->need_resched = false;
	if (!v->rq)
		pull(v);
	if (v->rq)
		next = dequeue(v);
	if (next) {
		totals_runs(next);
		overload_runs(next);
	}
	v->cur = next;
	switch_rec(v, prev, next);
	v->stk[0] = next ? &next->f : &v->idle;
	if (!next)
		return;
	next->slice = v->w->now;
	if (next->fresh) {
		next->fresh = false;
		guest_begin(v);
	}
}

void gsched_sleep(struct vcpu *v, uint64_t ns)
{
	struct thread *t = v->cur;

	t->f.pc++;
	if (frame_op(&t->f)->kind == OP_END)
		script_thread(t);
	t->fresh = t->sleeping = true;
	t->due = false;
	overload_sleeps(t);
	world_at(v->w, ns, OCC_TIMER, t, ++t->gen);
	leave(v, v);
	gsched_pick(v);
	guest_run(v);
}

void gsched_requeue(struct vcpu *v)
{
	totals_free(v->vm);
	v->cur->next = NULL;
	*v->rq_tail = v->cur;
	v->rq_tail = &v->cur->next;
	gsched_pick(v);
}

bool gsched_preempt(struct vcpu *v)
{
	uint8_t kind;

	if (!v->need_resched || v->depth || !v->cur || !v->rq || v->nheld || v->nwaits)
		return false;
	kind = frame_op(&v->cur->f)->kind;
	if (kind != OP_USER && kind != OP_SPIN && kind != OP_KERNEL)
		return false;
	gsched_requeue(v);
	return true;
}

static struct vcpu *place(struct vcpu *by, struct thread *t)
{
	struct vm *vm = t->vm;
	struct vcpu *prev = &vm->vcpus[t->cpu];
	uint32_t first = rng_range(&vm->w->rng, 0, vm->nvcpus - 1);

	if (!prev->nr_running || rng_chance(&by->w->rng, vm->w->p.skip_ppm))
		return prev;
	for (uint32_t i = 0; i < vm->nvcpus; i++) {
		struct vcpu *v = &vm->vcpus[(first + i) % vm->nvcpus];

		if (!v->nr_running)
			return v;
	}
	return prev;
}

void gsched_wake(struct vcpu *by, struct thread *t)
{
	struct ks_rec rec = {
		.type = KS_TASK_WAKE,
		.flags = KS_ALLOWED_ANY,
		.cpu = by->idx,
		.id = t->pid,
		.b = guest_pid(by),
	};
	struct vcpu *v;

	if (!t->sleeping)
		return;
	t->sleeping = t->due = false;
	t->gen++;
	v = place(by, t);
	if (v->idx != t->cpu)
		migrate(by, t, v->idx, KS_MOVE_WAKE);
	enqueue(by, v, t);
	rec.a = v->idx;
	t->told = emit_guest_of(by, &rec);
	totals_woken(t);
	overload_woken(t);
	if (v->cur)
		v->need_resched |= rng_chance(&by->w->rng, 300000);
	if (v != by && (!v->cur || v->need_resched))
		guest_irq(v, PEND_RESCHED, by);
}

void gsched_wake_any(struct vcpu *by)
{
	uint32_t n = by->w->p.threads, first = rng_range(&by->w->rng, 0, n - 1);

	for (uint32_t i = 0; i < n; i++) {
		struct thread *t = &by->vm->threads[(first + i) % n];

		if (!t->sleeping)
			continue;
		gsched_wake(by, t);
		return;
	}
}

void gsched_timer(struct thread *t)
{
	t->due = true;
	guest_irq(&t->vm->vcpus[t->cpu], PEND_TIMER, NULL);
}

void gsched_timers(struct vcpu *by)
{
	for (uint32_t i = 0; i < by->w->p.threads; i++) {
		struct thread *t = &by->vm->threads[i];

		if (t->due && t->cpu == by->idx)
			gsched_wake(by, t);
	}
}

void gsched_tick(struct vcpu *v)
{
	if (v->cur && v->rq && v->w->now - v->cur->slice > 3000000)
		v->need_resched = true;
}
