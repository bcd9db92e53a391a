// SPDX-License-Identifier: GPL-2.0
/* Short sleepers whose CPU was filled while they slept: which wait for what was pulled there? */
#include "truth.h"

#define SHORT_SLEEP 1000000u
#define WAIT_MIN 100000u

/* It has gone from where it had been pulled to: nobody waits for it there any more. */
static void gone(const struct thread *pulled)
{
	struct vm *vm = pulled->vm;

	for (uint32_t i = 0; i < vm->w->p.threads; i++)
		if (vm->threads[i].pulled == pulled)
			vm->threads[i].pulled = NULL;
}

void overload_sleeps(struct thread *t)
{
	gone(t);
	t->slept_at = t->vm->w->now;
	t->slept_on = t->cpu;
	t->slept_known = totals_both_record(t->vm);
	t->pulled = NULL;
}

void overload_moved(struct thread *t)
{
	gone(t);
}

void overload_pulled(const struct vcpu *v, const struct thread *pulled)
{
	for (uint32_t i = 0; i < v->w->p.threads; i++) {
		struct thread *t = &v->vm->threads[i];

		if (t->sleeping && t->slept_on == v->idx && t != pulled)
			t->pulled = pulled;
	}
}

void overload_woken(struct thread *t)
{
	uint64_t now = t->vm->w->now;

	t->woken_at = now;
	t->overloaded = t->pulled && t->cpu == t->slept_on && now - t->slept_at <= SHORT_SLEEP &&
			totals_both_record(t->vm);
	t->pulled = NULL;
}

void overload_runs(struct thread *t)
{
	struct vm *vm = t->vm;
	uint64_t ns = vm->w->now - t->woken_at;

	if (t->overloaded && ns >= WAIT_MIN && totals_both_record(vm)) {
		vm->overloaded++;
		vm->overloaded_ns += ns;
		vm->overloaded_most = ns > vm->overloaded_most ? ns : vm->overloaded_most;
		vm->known_overloaded += t->slept_known;
		vm->known_overloaded_ns += t->slept_known ? ns : 0;
	}
	t->overloaded = false;
}
