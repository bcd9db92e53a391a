// SPDX-License-Identifier: GPL-2.0
/* What the analysis should count, counted where it happens. */
#include "truth.h"

#define BURST_GAP 1000000u
#define PINGPONG 10000000u
#define PASSED_MIN 100000u

/* Until its first switch its state is anybody's guess; `before` says what it was. */
static void book(struct vcpu *v)
{
	struct world *w = v->w;
	uint64_t start = w->recording ? w->start : UINT64_MAX;
	uint64_t from;

	/* A guest that is recorded earlier proves by its records that it runs. */
	if (v->vm->start && v->vm->start < start)
		start = v->vm->start;
	from = v->changed > start ? v->changed : start;
	if (from < w->now)
		(v->seen ? v->tot.state_ns : v->before)[v->hs] += w->now - from;
}

void totals_state(struct vcpu *v, enum ks_vstate s)
{
	totals_idle(v->vm);
	if ((v->hs == KS_V_HALTED) != (s == KS_V_HALTED))
		v->vm->nhalted += s == KS_V_HALTED ? 1 : -1;
	book(v);
	if (v->born)
		v->seen |= v->hs == KS_V_RUNNING || s == KS_V_RUNNING;
}

static void burst_end(struct vcpu *v)
{
	if (!v->ple_run)
		return;
	v->tot.bursts++;
	if (v->ple_run > v->tot.longest_burst)
		v->tot.longest_burst = v->ple_run;
	v->ple_run = 0;
}

void totals_exit(struct vcpu *v, bool pause)
{
	if (!v->w->recording)
		return;
	if (!pause) {
		v->tot.hlt++;
		return;
	}
	v->tot.pause++;
	if (v->ple_run && v->w->now - v->ple_last > BURST_GAP)
		burst_end(v);
	v->ple_run++;
	v->ple_last = v->w->now;
}

void totals_migrate(struct vcpu *v, uint32_t from, uint32_t to)
{
	struct world *w = v->w;

	if (!w->recording)
		return;
	v->tot.migrations++;
	if (w->pcpus[from].node != w->pcpus[to].node)
		v->tot.node_migrations++;
	if (v->moved.time && v->moved.from == to && w->now - v->moved.time <= PINGPONG)
		v->tot.pingpongs++;
	v->moved = (struct moved){ w->now, from };
}

void totals_task_migrate(struct thread *t, uint32_t from, uint32_t to)
{
	struct vm *vm = t->vm;
	uint64_t now = vm->w->now;

	if (!vm->recording)
		return;
	vm->tot.task_migrations++;
	if (vm->vcpus[from].node != vm->vcpus[to].node)
		vm->tot.task_node_migrations++;
	if (t->moved.time && t->moved.from == to && now - t->moved.time <= PINGPONG)
		vm->tot.task_pingpongs++;
	t->moved = (struct moved){ now, from };
}

/*
 * Does some vCPU sleep while a thread waits for its turn on another? known: as far as the recording
 * can tell, which begins with neither states nor run queues.
 */
static bool wasting(const struct vm *vm, bool known)
{
	const struct vcpu *asleep = NULL, *busy = NULL;
	uint32_t nasleep = 0, nbusy = 0;

	if (!vm->nhalted || !vm->nbusy)
		return false;
	for (uint32_t i = 0; i < vm->nvcpus; i++) {
		const struct vcpu *v = &vm->vcpus[i];

		if (v->hs == KS_V_HALTED && (v->seen || !known)) {
			asleep = v;
			nasleep++;
		}
		if (v->nr_running > 1 && (v->rq_seen || !known)) {
			busy = v;
			nbusy++;
		}
	}
	return nasleep && nbusy && (nasleep > 1 || nbusy > 1 || asleep != busy);
}

/* ---- free vCPUs beside waiting threads ---- */

static bool could_run(const struct vcpu *v, bool known)
{
	return (v->hs == KS_V_HALTED || v->hs == KS_V_RUNNING) && (v->seen || !known);
}

/* Or it wants a pCPU, and has not yet for longer than waking it up may take. */
static bool could_soon(const struct vcpu *v, uint64_t at)
{
	return could_run(v, false) || (v->hs == KS_V_RUNNABLE && at < v->changed + PASSED_MIN);
}

static bool is_free(const struct vcpu *v, bool known)
{
	return !v->cur && !v->rq && could_run(v, known) && (v->switch_seen || !known);
}

/* Threads queued on it that wait for a turn; known: as above. */
static uint32_t queued(const struct vcpu *v, bool known)
{
	uint32_t n = 0;

	for (const struct thread *t = v->rq; t; t = t->next)
		n += t->told || !known;
	return n;
}

/* All threads may run everywhere: as many as there are of the fewer, at that moment. */
static uint32_t free_beside_waiting(const struct vm *vm, uint64_t at, bool known, bool *any)
{
	uint32_t nfree = 0, waiting = 0;

	for (uint32_t i = 0; i < vm->nvcpus; i++) {
		const struct vcpu *v = &vm->vcpus[i];
		uint32_t n = queued(v, known);
		bool idle = !v->cur || (known && !v->switch_seen);

		if (n && idle && (could_soon(v, at) || (known && !v->seen)))
			waiting += n - 1; /* one of them is about to run, or may be */
		else if (!n && !v->cur && could_run(v, known) && (v->switch_seen || !known))
			nfree++;
		else
			waiting += n;
	}
	*any = nfree;
	return nfree < waiting ? nfree : waiting;
}

/* From that moment on, how long is it as it is? At most for so long. */
static uint64_t lasts(const struct vm *vm, uint64_t at, uint64_t ns)
{
	for (uint32_t i = 0; i < vm->nvcpus; i++) {
		const struct vcpu *v = &vm->vcpus[i];
		uint64_t end = v->changed + PASSED_MIN;

		if (v->hs == KS_V_RUNNABLE && end > at && end - at < ns)
			ns = end - at;
	}
	return ns;
}

bool totals_both_record(const struct vm *vm)
{
	return vm->w->p.switches && vm->recording && vm->w->recording;
}

void totals_free(struct vm *vm)
{
	uint64_t now = vm->w->now, at = vm->free_since, ns;
	bool any;

	vm->free_since = now;
	if (!totals_both_record(vm))
		return;
	for (; at < now; at += ns) {
		ns = lasts(vm, at, now - at);
		vm->free_known += ns * free_beside_waiting(vm, at, true, &any);
		vm->free_wasted += ns * free_beside_waiting(vm, at, false, &any);
		vm->free_clock += any ? ns : 0;
	}
}

void totals_woken(struct thread *t)
{
	struct vm *vm = t->vm;
	const struct vcpu *on = &vm->vcpus[t->cpu];

	t->passed = t->passed_known = false;
	t->free_at = vm->free_clock;
	if (!totals_both_record(vm))
		return;
	/* Alone on an idle vCPU that has not been waiting for a pCPU already: it runs at once. */
	if (!on->cur && on->rq == t &&
	    (on->hs != KS_V_RUNNABLE || vm->w->now - on->changed < PASSED_MIN))
		return;
	for (uint32_t i = 0; i < vm->nvcpus; i++) {
		if (i == t->cpu)
			continue;
		t->passed |= is_free(&vm->vcpus[i], false);
		t->passed_known |= is_free(&vm->vcpus[i], true) && (!on->cur || on->switch_seen);
	}
}

void totals_runs(struct thread *t)
{
	struct vm *vm = t->vm;
	uint64_t ns = totals_both_record(vm) ? vm->free_clock - t->free_at : 0;

	if (t->passed && ns >= PASSED_MIN) {
		vm->passed++;
		vm->passed_ns += ns;
	}
	if (t->passed_known && t->told && ns >= PASSED_MIN) {
		vm->known_passed++;
		vm->known_passed_ns += ns;
	}
	t->passed = t->passed_known = false;
}

void totals_idle(struct vm *vm)
{
	uint64_t now = vm->w->now, from = vm->waste_since;

	totals_free(vm);
	if (vm->recording && wasting(vm, false))
		vm->tot.wasted_idle_ns += now - from;
	if (vm->recording && vm->w->recording && wasting(vm, true))
		vm->waste_known += now - from;
	vm->waste_since = now;
	vm->idle_changes++;
}

void totals_hold(struct vcpu *v, const struct lock *l, uint64_t ns)
{
	struct vm *vm = v->vm;
	uint64_t off = v->off_ns - l->acq_off;

	if (!vm->recording)
		return;
	vm->tot.holds++;
	vm->hold_ns += ns;
	vm->hold_off += off;
	vm->hold_offs += off != 0;
	vm->hold_waiters += l->nq != 0;
	if (l->acq_known)
		vm->hold_off_known += off;
}

void totals_end(struct world *w)
{
	for (uint32_t i = 0; i < w->p.vms; i++)
		totals_free(&w->vms[i]);
	for (uint32_t i = 0; i < w->nvcpus; i++) {
		struct vcpu *v = w->vcpus[i];

		book(v);
		burst_end(v);
	}
}
