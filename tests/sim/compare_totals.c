// SPDX-License-Identifier: GPL-2.0
/* Sums, where nothing was lost. */
#include <stdio.h>

#include "compare.h"
#include "emit.h"

static void same(struct score *s, const char *who, uint32_t num, const char *what, uint64_t truth,
		 uint64_t said, uint64_t tolerance)
{
	uint64_t diff = truth > said ? truth - said : said - truth;

	if (diff <= tolerance)
		return;
	s->totals_wrong++;
	if (s->quiet)
		return;
	printf("  %s %u: %s is %llu, the analysis says %llu\n", who, num, what,
	       (unsigned long long)truth, (unsigned long long)said);
}

static void vcpu_totals(struct score *s, const struct vcpu *v, const struct run_vcpu *a,
			uint64_t clock)
{
	static const char *const names[KS_V_MAX] = { "unknown", "running", "runnable",
						     "halted",	"blocked", "gone" };
	const struct ks_vcpu_totals *t = &v->tot;

	same(s, "vCPU", v->slot, "PLE exits", t->pause, a->tot.pause, 0);
	same(s, "vCPU", v->slot, "HLT exits", t->hlt, a->tot.hlt, 0);
	same(s, "vCPU", v->slot, "bursts", t->bursts, a->tot.bursts, 0);
	same(s, "vCPU", v->slot, "bursts reported", t->bursts, a->bursts, 0);
	same(s, "vCPU", v->slot, "exits in bursts", t->pause, a->burst_exits, 0);
	same(s, "vCPU", v->slot, "longest burst", t->longest_burst, a->tot.longest_burst, 0);
	same(s, "vCPU", v->slot, "migrations", t->migrations, a->tot.migrations, 0);
	same(s, "vCPU", v->slot, "node migrations", t->node_migrations, a->tot.node_migrations, 0);
	same(s, "vCPU", v->slot, "ping-pongs", t->pingpongs, a->tot.pingpongs, 0);
	for (enum ks_vstate st = KS_V_RUNNING; st < KS_V_GONE; st++) {
		/*
		 * What it did before its first switch may or may not be known. Two records with
		 * the same time have no order: a microsecond.
		 */
		uint64_t half = v->before[st] / 2, mid = t->state_ns[st] + half;

		same(s, "vCPU", v->slot, names[st], mid, a->tot.state_ns[st], half + clock + 1000);
		same(s, "vCPU segments", v->slot, names[st], a->tot.state_ns[st], a->segments[st],
		     0);
	}
}

static void exit_classes(struct score *s, const struct vcpu *v, const struct run_vcpu *a)
{
	const uint64_t *t = v->tot.ple, *said = a->tot.ple;
	uint64_t sum = 0;

	for (enum ks_class c = 0; c < KS_C_MAX; c++)
		sum += said[c];
	same(s, "vCPU", v->slot, "PLE exits classed", v->tot.pause, sum, 0);
	if (v->w->p.bursts)
		return; /* they are spread over the time of their burst */
	same(s, "vCPU PLE", v->slot, "ipi", t[KS_C_IPI], said[KS_C_IPI], v->unclear_ple);
	same(s, "vCPU PLE", v->slot, "user", t[KS_C_USER], said[KS_C_USER], v->unclear_ple);
	/* Near a change of class an exit may get the other one, or none. */
	for (enum ks_class c = 0; c < KS_C_UNKNOWN; c++)
		if (said[c] > t[c])
			same(s, "vCPU PLE", v->slot, ks_class_name(c), t[c], said[c],
			     1 + v->tot.pause / 100 + v->raced_ple);
}

static void vm_totals(struct score *s, const struct vm *vm, const struct run_vm *a)
{
	const struct ks_vm_totals *t = &vm->tot;
	uint64_t half;

	same(s, "VM", vm->id, "holds", t->holds, a->tot.holds, 0);
	same(s, "VM", vm->id, "holds reported", t->holds, a->holds, 0);
	same(s, "VM", vm->id, "holds with waiters", vm->hold_waiters, a->hold_waiters, 0);
	same(s, "VM", vm->id, "ns of holds", vm->hold_ns, a->hold_ns,
	     2 * t->holds + 10 * a->clock_error);
	half = (vm->hold_off - vm->hold_off_known) / 2;
	same(s, "VM", vm->id, "ns off-CPU in holds", vm->hold_off_known + half, a->hold_off,
	     half + vm->hold_offs * 2 * a->clock_error);
	same(s, "VM", vm->id, "thread migrations", t->task_migrations, a->tot.task_migrations, 0);
	same(s, "VM", vm->id, "thread node migrations", t->task_node_migrations,
	     a->tot.task_node_migrations, 0);
	same(s, "VM", vm->id, "thread ping-pongs", t->task_pingpongs, a->tot.task_pingpongs, 0);
	/*
	 * In the beginning it is not known who is asleep and which run queue is long. Later the
	 * clock's error counts at each change, mostly up and down in turn.
	 */
	half = (t->wasted_idle_ns - vm->waste_known) / 2;
	same(s, "VM", vm->id, "wasted idle ns", vm->waste_known + half, a->tot.wasted_idle_ns,
	     half + vm->idle_changes * a->clock_error / 50 + 1000);
}

/* Who held a lock is always right; or nobody did any more, and its release was stamped already. */
static void looks(struct score *s, const struct vm *vm, const struct run_vm *a)
{
	const struct ks_policy_totals *t = &vm->tot.policy, *said = &a->tot.policy;
	uint64_t sum = said->unsure, wanted = 0;

	for (unsigned int i = 0; i < KS_LOOK_MAX; i++) {
		same(s, "VM", vm->id, ks_look_name(i), t->looks[i], said->looks[i], 0);
		if (i == KS_LOOK_HOLDER || i == KS_LOOK_WAITER || i == KS_LOOK_SELF)
			wanted += said->looks[i];
	}
	for (int m = 0; m < KS_LM_MAX; m++)
		sum += said->held[m] + said->free[m];
	same(s, "VM", vm->id, "looks judged", wanted, sum, 0);
	same(s, "VM", vm->id, "looks at a held lock, wrong", 0,
	     said->held[KS_LM_WRONG] + said->held[KS_LM_SEVERAL], 0);
	same(s, "VM", vm->id, "looks at a free lock, wrong", 0,
	     said->free[KS_LM_WRONG] + said->free[KS_LM_SEVERAL], 0);
	/* Most of them must be judged at all. */
	same(s, "VM", vm->id, "looks at held locks", t->looks[KS_LOOK_HOLDER],
	     said->held[KS_LM_RIGHT], t->looks[KS_LOOK_HOLDER] / 10 + 5);
}

/* Within 1 %, and what the recording cannot know of its first moments. */
static void vnuma_totals(struct score *s, const struct vm *vm, const struct run_vm *a)
{
	uint64_t half = (vm->free_wasted - vm->free_known) / 2, mid = vm->free_known + half;

	same(s, "VM", vm->id, "vCPU ns wasted", mid, a->wasted_ns, half + vm->free_wasted / 100);
	/*
	 * One whose time lies at the limit may be counted or not, nor is it always known which vCPUs
	 * were free at the very moment of a wake-up: waking it wakes its vCPU, too.
	 */
	half = (vm->passed - vm->known_passed + 1) / 2;
	same(s, "VM", vm->id, "wake-ups that passed over a vCPU", vm->known_passed + half,
	     a->passed, half + 1 + vm->passed / 20);
	half = (vm->passed_ns - vm->known_passed_ns) / 2;
	same(s, "VM", vm->id, "ns that they cost", vm->known_passed_ns + half, a->passed_ns,
	     half + 100000 + vm->passed_ns / 10);
	/* One sleep or wait may lie at its limit. */
	half = (vm->overloaded - vm->known_overloaded + 1) / 2;
	same(s, "VM", vm->id, "wake-ups on an overloaded CPU", vm->known_overloaded + half,
	     a->overloaded, half + 1);
	half = (vm->overloaded_ns - vm->known_overloaded_ns) / 2;
	same(s, "VM", vm->id, "ns that they waited", vm->known_overloaded_ns + half,
	     a->overloaded_ns, half + vm->overloaded_most + vm->overloaded_ns / 100);
}

static void own_sums(struct score *s, const struct vm *vm, const struct run_vm *a)
{
	uint64_t acquired = 0, ns = 0, lost = 0, verdicts[KS_C_WAIT_MAX] = { 0 };

	for (size_t i = 0; i < a->nwaits; i++) {
		ns += a->waits[i].acq_time - a->waits[i].try_time;
		acquired++;
		verdicts[a->waits[i].verdict]++;
	}
	same(s, "VM", vm->id, "waits reported", acquired, a->tot.waits, 0);
	same(s, "VM", vm->id, "sum of waits reported", ns, a->tot.wait_ns, 0);
	for (enum ks_class c = 0; c < KS_C_WAIT_MAX; c++) {
		lost += a->tot.lost_ns[c];
		same(s, "VM", vm->id, ks_class_name(c), verdicts[c], a->tot.verdicts[c], 0);
	}
	same(s, "VM", vm->id, "sum of classes", ns, lost, 0);
}

void compare_totals(struct score *s, const struct world *w, const struct run *r)
{
	bool host_whole = !emit_lost(w, -1);
	uint64_t worst = 0; /* the last event may be a guest's */

	for (uint32_t i = 0; i < r->nvms; i++)
		if (r->vms[i].clock_error > worst)
			worst = r->vms[i].clock_error;

	for (uint32_t i = 0; i < w->p.vms; i++) {
		const struct vm *vm = &w->vms[i];
		const struct run_vm *a = compare_vm(r, vm);

		own_sums(s, vm, a);
		same(s, "VM", i, "lost records", emit_lost(w, -1) + emit_lost(w, i),
		     a->tot.lost_records, 0);
		if (host_whole && !emit_lost(w, i))
			vm_totals(s, vm, a);
		if (w->p.looks)
			looks(s, vm, a);
		if (host_whole && !emit_lost(w, i) && w->p.switches)
			vnuma_totals(s, vm, a);
		for (uint32_t k = 0; host_whole && !emit_lost(w, i) && k < vm->nvcpus; k++)
			exit_classes(s, &vm->vcpus[k], compare_vcpu(r, &vm->vcpus[k]));
		for (uint32_t k = 0; host_whole && k < vm->nvcpus; k++)
			vcpu_totals(s, &vm->vcpus[k], compare_vcpu(r, &vm->vcpus[k]), worst);
	}
}
