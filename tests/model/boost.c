// SPDX-License-Identifier: GPL-2.0
/*
 * ple-boost and holder-boost in the model: two VMs, of which one does what it likes, and lies about its locks. Whatever that
 * is, the other one has its weight's part of the pCPUs, and nobody waits for long beside one that idles.
 *
 * usage: boost-model [--seeds A-B] [-v] [-x]
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

/* The guest's lock page, wherever the loader would have put it. */
#define KVMSCHED_LOCK_PAGES_BPF_H
#include "lock_reader.h"

static struct ks_lp_vm *page;
static int page_tgid;

static struct ks_lp_vm *ks_lp_page(__u32 *number)
{
	(void)number;
	return bpf_get_current_pid_tgid() >> 32 == (u32)page_tgid ? page : NULL;
}

#include "ple_boost.bpf.c"

#include "glue.h"

#define VMS 2
#define VCPUS 8
#define STEP_NS 50000
#define RUN_NS 10000000000ull

struct vm {
	u32 n, weight;
	struct task_struct *vcpu[VCPUS];
	struct kvm_vcpu___thread kvm[VCPUS];
};

static struct model_policy policy;
static struct vm vm[VMS];
static u32 made; /* of the vCPU that is being made */
static struct ks_lp_slot slots[KS_LP_SLOTS_PER_PAGE] __attribute__((aligned(4096)));

static struct vm *vm_of_task(const struct task_struct *p)
{
	return &vm[p->tgid - 1];
}

static void load(struct task_struct *p, u32 vcpu)
{
	policy.storage_is_busy = !below(4);
	model_act_as(p);
	vcpu_load((struct kvm_vcpu *)&vm_of_task(p)->kvm[vcpu]);
	model_act_as(NULL);
	policy.storage_is_busy = false;
}

/* It runs its vCPU for the first time, as a thread of another class. */
static void before_enable(struct task_struct *p)
{
	u32 told;

	vm_of_task(p)->kvm[made] = (struct kvm_vcpu___thread){ .wants_to_run = true,
							       .vcpu_id = (int)made };
	told = model_told();
	load(p, made);
	if (model_told() == told)
		fail("new", 0, "a vCPU's thread is not told of, and stays where it is");
}

/* One that could not be known when it was taken is loaded time and again. */
static void load_unknown(struct task_struct *p)
{
	const struct vm *v = vm_of_task(p);

	for (u32 i = 0; !p->storage && i < v->n; i++)
		if (v->vcpu[i] == p)
			load(p, i);
}

static struct model_policy policy = {
	MODEL_POLICY(ple_boost),
	.before_enable = before_enable,
};

static void make_vm(u32 number, u32 n, u32 weight)
{
	struct vm *v = &vm[number];

	v->n = n;
	v->weight = weight;
	vms[number + 1] = (struct boost_vm){ .weight = weight };
	model_put(&vm_of, number + 1, number + 1);
	for (made = 0; made < n; made++)
		v->vcpu[made] = model_task(NULL, (int)number + 1, 100, (1ull << nr_cpus) - 1);
}

/* The liar's page: it is proved to be one, and any number may stand in it. */
static void make_page(u32 n)
{
	static struct ks_lp_vm is;

	is = (struct ks_lp_vm){ .cookie = 1, .vcpus = n, .tgid = 1, .hva = { (u64)slots } };
	for (u32 i = 0; i < n; i++) {
		is.slot_of[i] = (u16)(i + 1);
		is.vcpu_of[i] = (u16)(i + 1);
	}
	page = &is;
	page_tgid = 1;
}

static void lie(void)
{
	struct ks_lp_slot *s = &slots[below(VCPUS)];

	*s = (struct ks_lp_slot){ .cookie = below(50) ? 1 : 2, .cpu = (u32)(s - slots) };
	for (u32 i = 0; i < below(KS_LP_DEPTH); i++)
		s->held[i] = 64 * (1 + below(3));
	for (u32 i = 0; i < below(3); i++)
		s->wait[i % KS_LP_WAITS] = (struct ks_lp_wait){ 64 * (1 + below(3)), below(1000) };
	s->ipi = below(4) ? 0 : rng;
}

/* ---- what the first VM does ---- */

struct ways { /* of 64 steps, in so many */
	u32 spin, sleep, wake, yield;
};

/* One that waits for a pCPU, as KVM looks for one; NULL: there is none. */
static struct task_struct *candidate(const struct vm *v, const struct task_struct *self)
{
	u32 first = below(v->n);
	s32 on;

	for (u32 i = 0; i < v->n; i++) {
		struct task_struct *p = v->vcpu[(first + i) % v->n];

		if (p != self && model_waits(p, &on))
			return p;
	}
	return NULL;
}

static void spin(s32 cpu, struct task_struct *p)
{
	struct task_struct *to = candidate(vm_of_task(p), p);

	model_set_cpu(cpu);
	spin_begin();
	if (to && below(8) && model_yield(cpu, to))
		return;
	model_set_cpu(cpu);
	spin_end();
	model_look(cpu);
}

static void act(s32 cpu, const struct ways *w)
{
	struct task_struct *p = model_runs(cpu);
	u32 dice = below(64);

	if (!p || p->tgid != 1)
		return;
	if (dice < w->spin)
		spin(cpu, p);
	else if (dice < w->spin + w->sleep)
		model_sleep(cpu);
	else if (dice < w->spin + w->sleep + w->yield)
		model_yield(cpu, NULL);
}

static u64 ran_of(const struct vm *v)
{
	u64 ns = 0;

	for (u32 i = 0; i < v->n; i++)
		ns += v->vcpu[i]->se.sum_exec_runtime;
	return ns;
}

/* ---- worlds ---- */

/* One that has waited for longer than a tick, and what it takes, though a pCPU idles; NULL: there is none. */
static struct task_struct *left_waiting(u64 tick_ns)
{
	bool idle = false;
	s32 on;

	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		idle |= !model_runs((s32)cpu);
	for (u32 i = 0; idle && i < model_tasks(); i++)
		if (model_waits(model_nth(i), &on) && on < 0 &&
		    model_now() - model_nth(i)->since > 3 * tick_ns + slice_ns)
			return model_nth(i);
	return NULL;
}

/* One that nobody would take for a long time; NULL: there is none. */
static struct task_struct *forgotten(void)
{
	s32 on;

	for (u32 i = 0; i < model_tasks(); i++)
		if (model_waits(model_nth(i), &on) &&
		    model_now() - model_nth(i)->since > FORGOTTEN_NS)
			return model_nth(i);
	return NULL;
}

static void run(const struct ways *w, u64 tick_ns, u64 seed)
{
	u64 end = model_now() + RUN_NS, next = 0;

	while (model_now() < end) {
		bool tick = model_now() >= next;

		next = tick ? model_now() + tick_ns : next;
		model_pass(STEP_NS);
		for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
			model_timers((s32)cpu);
			if (tick)
				model_tick((s32)cpu);
			model_look((s32)cpu);
			if (model_runs((s32)cpu))
				load_unknown(model_runs((s32)cpu));
			act((s32)cpu, w);
			if (below(64) < w->wake)
				model_wake(vm[0].vcpu[below(vm[0].n)], (s32)cpu, below(2));
		}
		lie();
		if (tick && left_waiting(tick_ns)) {
			fail("random", seed, "a vCPU waits beside a pCPU that idles");
			return;
		}
		if (tick && forgotten()) {
			fail("random", seed, "a vCPU has waited for %llu s",
			     FORGOTTEN_NS / 1000000000);
			return;
		}
	}
}

/* Beside what a pCPU is in the middle of: others wake vCPUs up. */
static void others_act(s32 cpu)
{
	s32 other = (s32)below(nr_cpus);

	if (other != cpu && !below(4))
		model_wake(vm[0].vcpu[below(vm[0].n)], other, below(2));
}

enum kind { HOSTILE, PEACEFUL, ALONE }; /* the first VM */

static struct ways any_ways(enum kind kind)
{
	struct ways w = { .wake = 1 + below(40) };

	if (kind == PEACEFUL)
		return w;
	w.spin = below(20);
	w.sleep = below(3) || kind == ALONE ? below(20) : 0;
	w.yield = below(4) ? 0 : below(10);
	return w;
}

static void set_policy(u64 seed, u32 ncpus, u32 nodes)
{
	SET(nr_cpus, ncpus);
	SET(nr_nodes, nodes);
	for (u32 i = 0; i < ncpus; i++)
		SET(cpu_node[i], (u8)(i * nodes / ncpus));
	SET(holder, seed % 3 != 0);
	SET(part, seed % 3 == 1);
	SET(grace_ns, seed % 3 ? 200000ull : 0);
	policy.cannot_kick = !below(3);
	policy.meanwhile = others_act;
	memset(vms, 0, sizeof(vms));
	vtime_now = 0;
}

static void wake_all(const struct vm *v)
{
	for (u32 i = 0; i < v->n; i++)
		model_wake(v->vcpu[i], (s32)below(nr_cpus), false);
}

/* The second VM has its part; and no more, if the first one wants its own all the time. */
static void judge(const char *name, u64 seed, u32 ncpus, enum kind kind)
{
	u32 share = (u32)(ran_of(&vm[1]) * 1000 / (RUN_NS * ncpus));
	u32 due = 1000 * vm[1].weight / (vm[0].weight + vm[1].weight);

	if (verbose)
		printf("seed %llu: %u pCPUs, VMs of %u and %u vCPUs, weights %u and %u: %u "
		       "thousandths, %u due\n",
		       seed, ncpus, vm[0].n, vm[1].n, vm[0].weight, vm[1].weight, share, due);
	if (share * 100 < due * 97 ||
	    (kind == PEACEFUL && (1000 - share) * 100 < (1000 - due) * 97))
		fail(name, seed, "%u thousandths of the pCPUs, and %u due", share, due);
}

static void random_world(u64 seed)
{
	static const u32 weights[] = { 1, 50, 100, 100, 200, 1000, 10000 };
	enum kind kind = seed % 8 == 3 ? PEACEFUL : seed % 8 == 7 ? ALONE : HOSTILE;
	u32 nodes = 1 + (seed % 3 == 2), ncpus = nodes * (1 + (seed % 5 > 1));
	struct ways w;

	seed_dice(seed);
	w = any_ways(kind);
	set_policy(seed, ncpus, nodes);
	model_start(&policy, ncpus);
	make_vm(0, kind == PEACEFUL ? ncpus + below(4) : 1 + below(VCPUS), weights[below(7)]);
	make_vm(1, ncpus + below(3), weights[below(7)]);
	make_page(vm[0].n);
	wake_all(&vm[0]);
	if (kind != ALONE)
		wake_all(&vm[1]);
	run(&w, seed % 5 ? 1000000 : 4000000, seed);
	if (kind != ALONE)
		judge("random", seed, ncpus, kind);
}

/* ---- cases ---- */

static void begin_on(const struct vm *v, s32 cpu)
{
	for (u32 i = 0; i < v->n; i++) {
		v->vcpu[i]->cpu = cpu;
		model_affinity(v->vcpu[i], 1ull << cpu);
		model_wake(v->vcpu[i], cpu, false);
		model_look(cpu);
	}
}

/* All that wait do so where they were: the first VM's on the last CPU, the second's on the first; and may go anywhere from then on. */
static void begin_apart(void)
{
	begin_on(&vm[1], 0);
	begin_on(&vm[0], (s32)nr_cpus - 1);
	for (u32 i = 0; i < model_tasks(); i++)
		model_affinity(model_nth(i), (1ull << nr_cpus) - 1);
}

static void one_case(const char *name, u32 ncpus, u32 n, u32 m, const struct ways *w)
{
	seed_dice(1);
	set_policy(3, ncpus, 2); /* ple-boost */
	policy.meanwhile = NULL;
	model_start(&policy, ncpus);
	make_vm(0, n, 100);
	make_vm(1, m, 10000);
	begin_apart();
	run(w, 4000000, 0);
	judge(name, 0, ncpus, HOSTILE);
}

/* The first vCPU spins until the others have answered an IPI, which is sent at that time; they only compute. */
static void spin_for_ipi(u64 since)
{
	slots[0] = (struct ks_lp_slot){ .cookie = 1, .ipi = 6, .wait = { { 0, since } } };
	for (u32 i = 0; i < 40; i++) {
		model_pass(1000000);
		model_tick(0);
		model_look(0);
		load_unknown(model_runs(0));
		if (model_runs(0) == vm[0].vcpu[0])
			spin(0, model_runs(0));
	}
}

/* One of them is boosted for it, or each once: who runs has answered. */
static void answers(void)
{
	seed_dice(1);
	set_policy(1, 1, 1); /* holder-boost */
	policy.meanwhile = NULL;
	model_start(&policy, 1);
	make_vm(0, 3, 100);
	make_page(3);
	wake_all(&vm[0]);
	for (u64 since = 1; since < 4; since++) {
		spin_for_ipi(since);
		if (other_cpu(0)->n.exact < since || other_cpu(0)->n.exact > 2 * since)
			fail("answers to IPIs", 0, "%llu boosts for them after %llu IPIs to two",
			     other_cpu(0)->n.exact, since);
	}
}

static void run_cases(void)
{
	static const struct ways spins = { .spin = 40 }, busy = { 0 };

	one_case("spinners on another node", 2, 3, 2, &spins);
	answers();
	one_case("one too many, on another node", 4, 1, 4, &busy);
}

int main(int argc, char **argv)
{
	run_cases();
	return run_worlds(argc, argv, 20, random_world);
}
