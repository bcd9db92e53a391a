// SPDX-License-Identifier: GPL-2.0
/*
 * vnuma-wake in the model: random worlds, in which no thread may wait for long beside a CPU that idles, and cases whose
 * outcome is known.
 *
 * usage: wake-model [--seeds A-B] [-v] [-x]
 */
#include "vnuma_wake.bpf.c"

#include "glue.h"

static struct model_policy policy = {
	MODEL_POLICY(vnuma_wake),
};

static struct cgroup *root;

static void start(u32 ncpus, u32 nodes)
{
	u32 per = (ncpus + nodes - 1) / nodes;

	SET(nr_cpus, ncpus);
	SET(nr_nodes, nodes);
	for (u32 n = 0; n < nodes; n++)
		SET(node_cpus[n][0], ((1ull << per) - 1) << (n * per) & ((1ull << ncpus) - 1));
	for (u32 i = 0; i < ncpus; i++) {
		SET(cpu_node[i], (u8)(i / per));
		SET(sibling[i], (u16)i);
	}
	memset(idle_cpus, 0, sizeof(idle_cpus));
	memset(online_cpus, 0, sizeof(online_cpus));
	memset(stolen_cpus, 0, sizeof(stolen_cpus));
	memset(nobody_until, 0, sizeof(nobody_until));
	vtime_now = crowd = 0;
	model_start(&policy, ncpus);
	root = model_cgroup(NULL, 100);
}

static void waits_awake(u64 ns)
{
	SET(poll_ns, ns);
	hooked = ns;
	policy.idle_enter = ns ? wake_poll : NULL;
}

/* ---- what must be ---- */

static bool idles_really(s32 cpu)
{
	return !model_runs(cpu) && !model_is_away(cpu);
}

/*
 * So long it may take until somebody looks for it: rescue() does not for NOBODY_NS, and then with the next tick. Behind others
 * that a CPU was sent before it came to look, each may have its slice first.
 */
static u64 patience(s32 on)
{
	return on < 0 ? NOBODY_NS + 2000000 : 8 * slice_ns;
}

/* A thread that has waited for long though a CPU idles on which it may run; NULL: there is none. */
static struct task_struct *left_waiting(void)
{
	s32 on;

	for (u32 i = 0; i < model_tasks(); i++) {
		struct task_struct *p = model_nth(i);

		if (!model_waits(p, &on) || model_now() - p->since < patience(on))
			continue;
		for (u32 cpu = 0; cpu < nr_cpus; cpu++)
			if (model_may(p, (s32)cpu) && idles_really((s32)cpu))
				return p;
	}
	return NULL;
}

/* A CPU that idles, and would not be found; -1: there is none. */
static s32 lost_cpu(void)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		if (idles_really((s32)cpu) && !is_in(idle_cpus, (s32)cpu))
			return (s32)cpu;
	return -1;
}

/* A CPU that others would take for idle, though a thread runs there; -1: there is none. */
static s32 false_idle(void)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		if (model_runs((s32)cpu) && is_in(idle_cpus, (s32)cpu))
			return (s32)cpu;
	return -1;
}

/* With a tick on each CPU. */
static void pass_ms(void)
{
	model_pass(1000000);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		model_tick((s32)cpu);
		model_look((s32)cpu);
	}
}

static void pass_many_ms(u64 ms)
{
	while (ms--)
		pass_ms();
}

/* So much time passes in which nobody sleeps, wakes up or is interfered with. */
static void calm(u64 ms)
{
	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		model_steal((s32)cpu, false);
	pass_many_ms(ms);
	/* What one of the last ones to look has sent to one of the first. */
	for (u32 i = 0; i < 2 * nr_cpus; i++)
		model_look((s32)(i % nr_cpus));
}

/* ---- random worlds ---- */

static bool crowded; /* the host keeps all vCPUs waiting, and threads run for moments only */

static u64 random_mask(void)
{
	u64 all = (1ull << nr_cpus) - 1, mask;

	switch (below(4)) {
	case 0:
		return 1ull << below(nr_cpus);
	case 1:
		mask = (below(1u << 16) | 1ull << below(nr_cpus)) & all;
		return mask;
	default:
		return all;
	}
}

static void step(u32 kinds)
{
	s32 cpu = (s32)below(nr_cpus);
	struct task_struct *p = model_nth(below(model_tasks()));

	switch (below(kinds)) {
	case 0 ... 3:
		if (!model_is_away(cpu))
			model_wake(p, cpu, below(2));
		break;
	case 4 ... 5:
		model_sleep(cpu);
		break;
	case 6 ... 11:
		model_look(cpu);
		break;
	case 12 ... 13:
		model_pass(crowded ? below(20000) : below(4) ? below(100000) : below(4000000));
		break;
	case 14:
		model_tick(cpu);
		break;
	case 15:
		model_yield(cpu, NULL);
		break;
	case 16:
		model_affinity(p, random_mask());
		break;
	case 17:
		model_weight(p, 1 + below(1000));
		break;
	default:
		model_steal(cpu, below(2));
		break;
	}
}

/* Beside what one CPU is in the middle of. */
static void others_act(s32 cpu)
{
	(void)cpu;
	if (below(4))
		return;
	for (u32 n = 1 + below(3); n; n--)
		step(15);
}

static bool too_late(void)
{
	return !below(8);
}

static void check_world(u64 seed, u32 at)
{
	struct task_struct *p = left_waiting();
	s32 cpu = lost_cpu(), busy = false_idle();

	if (p)
		fail("random", seed, "step %u: thread %d waits beside an idle CPU", at, p->pid);
	if (cpu >= 0)
		fail("random", seed, "step %u: CPU %d idles, and nobody would find it", at, cpu);
	if (busy >= 0)
		fail("random", seed, "step %u: CPU %d runs a thread, and is taken for idle", at,
		     busy);
}

static void random_world(u64 seed)
{
	u32 ncpus = 2 + seed % 5, kinds = 16 + seed % 4, before = failures, n;
	struct cgroup *group;

	policy.meanwhile = others_act;
	crowded = seed % 6 == 0;
	waits_awake(seed % 3 ? 0 : 200000);
	start(ncpus, 1 + seed % 2);
	group = model_cgroup(root, 100);
	n = 1 + below(seed % 7 ? 3 * ncpus : 60);
	for (u32 i = 0; i < n; i++)
		model_task(below(2) ? root : group, 0, 100, random_mask());
	for (u32 i = 1; i <= 4000 && failures == before; i++) {
		step(kinds);
		if (crowded) {
			crowd = CROWD_ONE;
			stolen_cpus[0] = ~0ull;
		}
		if (i % (crowded ? 1000 : 100))
			continue;
		policy.meanwhile = NULL;
		policy.too_late = NULL;
		calm(8);
		policy.meanwhile = others_act;
		policy.too_late = too_late;
		check_world(seed, i);
	}
	if (verbose)
		printf("seed %llu: %u CPUs, %u threads\n", seed, ncpus, model_tasks());
}

/* ---- cases whose outcome is known ---- */

static void expect(const char *name, const char *what, u64 got, u64 least, u64 most)
{
	if (got < least || got > most)
		fail(name, 0, "%s: %llu, and not %llu to %llu", what, got, least, most);
}

static u64 sum_of(size_t member)
{
	u64 sum = 0;

	for (u32 cpu = 0; cpu < nr_cpus; cpu++)
		sum += *(u64 *)((char *)&other_cpu((s32)cpu)->n + member);
	return sum;
}

#define SUM(member) sum_of(offsetof(struct wake_counts, member))

static struct task_struct *busy_on(s32 cpu, struct cgroup *cgrp, u32 weight)
{
	struct task_struct *p = model_task(cgrp, 0, weight, 1ull << cpu);

	model_wake(p, cpu, false);
	model_look(cpu);
	return p;
}

/* Somebody who has slept for long takes a CPU over; the next one does not, until the first one runs. */
static void case_takes_over(const char *name)
{
	struct task_struct *a, *b;

	start(1, 1);
	busy_on(0, root, 100);
	a = model_task(root, 0, 100, 1);
	b = model_task(root, 0, 100, 1);
	calm(50);
	model_wake(a, 0, false);
	expect(name, "taken over", SUM(preempted), 1, 1);
	model_wake(b, 0, false);
	expect(name, "taken over by a second one", SUM(preempted), 1, 1);
	model_look(0);
	expect(name, "the first one runs", model_runs(0) == a, 1, 1);
	model_sleep(0);
	expect(name, "then the second one", model_runs(0) == b, 1, 1);
}

/* Nobody is bound to a vCPU that the host has taken away, nor is one that is bound to it left there for the host. */
static void case_host_away(const char *name)
{
	struct task_struct *a;

	start(2, 1);
	busy_on(0, root, 100);
	busy_on(1, root, 100);
	a = model_task(root, 0, 100, 3);
	calm(50);
	model_steal(0, true);
	a->cpu = task_of(a)->home = 0;
	model_set_cpu(1);
	expect(name, "whose queue it is put into", (u64)vnuma_wake.select_cpu(a, 0, 0), 1, 1);
	model_wake(a, 1, false);
	expect(name, "taken over", SUM(preempted), 0, 0);
	calm(0);
	model_steal(0, true);
	for (u32 i = 0; i < 8 && !a->running; i++) {
		model_pass(1000000);
		model_tick(1);
		model_look(1);
	}
	expect(name, "it runs where the host lets it", (u64)a->cpu, 1, 1);
}

static void run_and_nap(struct task_struct *p)
{
	model_wake(p, 0, false);
	model_look(p->cpu);
	model_pass(100000);
	model_sleep(p->cpu);
	model_pass(100000);
}

/* A short sleeper comes back to where it is at home, and stays away only if it always finds that taken. */
static void case_home(const char *name)
{
	struct task_struct *a;
	struct wake_task *t;

	start(3, 1);
	a = model_task(root, 0, 100, 7);
	t = task_of(a);
	for (u32 i = 0; i < 6; i++)
		run_and_nap(a);
	expect(name, "its home", (u64)t->home, 0, 0);
	busy_on(0, root, 100);
	for (u32 i = 0; i < AWAY_MAX; i++) {
		expect(name, "still its home", (u64)t->home, 0, 0);
		run_and_nap(a);
	}
	expect(name, "a new home", (u64)t->home, 1, 2);
}

static u64 thousandths(const struct task_struct *p, u64 of_ns)
{
	return p->se.sum_exec_runtime * 1000 / of_ns;
}

static void case_weights(const char *name)
{
	struct task_struct *p[3];

	start(1, 1);
	for (u32 i = 0; i < 3; i++)
		p[i] = busy_on(0, root, 100 * (i + 1));
	pass_many_ms(12000);
	for (u32 i = 0; i < 3; i++)
		expect(name, "share of weight 1, 2, 3 of 6", thousandths(p[i], 12000000000),
		       167 * (i + 1) - 10, 167 * (i + 1) + 10);
}

static void case_cgroups(const char *name)
{
	struct cgroup *a, *b, *in;
	struct task_struct *p[4];

	start(1, 1);
	a = model_cgroup(root, 100);
	b = model_cgroup(root, 300);
	in = model_cgroup(b, 100);
	p[0] = busy_on(0, a, 100);
	p[1] = busy_on(0, a, 100);
	p[2] = busy_on(0, b, 100);
	p[3] = busy_on(0, in, 100);
	pass_many_ms(16000);
	for (u32 i = 0; i < 4; i++)
		expect(name, "share of two in 100, and two in 300", thousandths(p[i], 16000000000),
		       (i < 2 ? 125 : 375) - 10, (i < 2 ? 125 : 375) + 10);
}

/* For how long has this one waited by now? *longest: the most so far. */
static void note_wait(const struct task_struct *p, u64 *longest)
{
	s32 on;

	if (model_waits(p, &on) && model_now() - p->since > *longest)
		*longest = model_now() - p->since;
}

/* One that had a CPU for itself, beside cgroups that share another, does not pay as if all those had been there that come then. */
static void case_stretch(const char *name)
{
	struct task_struct *first, *later[32];
	struct cgroup *heavy, *others;
	u64 longest = 0;

	start(2, 2);
	heavy = model_cgroup(root, 200);
	others = model_cgroup(root, 100);
	for (u32 i = 0; i < 4; i++)
		busy_on(0, others, 100);
	first = busy_on(1, heavy, 100);
	for (u32 i = 0; i < 32; i++)
		later[i] = model_task(heavy, 0, 100, 2);
	pass_many_ms(1000);
	for (u32 i = 0; i < 32; i++)
		model_wake(later[i], 1, false);
	for (u32 ms = 0; ms < 19000; ms++) {
		pass_ms();
		note_wait(first, &longest);
	}
	expect(name, "ms that it waited at most", longest / 1000000, 0, 1000);
}

/* Sixteen in a cgroup of the least weight, beside as many of the root: nobody is forgotten. */
static void case_light(const char *name)
{
	struct task_struct *light[16], *p;
	struct cgroup *least;
	u64 longest = 0;

	start(2, 1);
	least = model_cgroup(root, 1);
	for (u32 i = 0; i < 16; i++) {
		p = model_task(root, 0, 100, 3);
		model_wake(p, 0, false);
		light[i] = model_task(least, 0, 100, 3);
		model_wake(light[i], 0, false);
	}
	for (u32 ms = 0; ms < 60000; ms++) {
		pass_ms();
		for (u32 i = 0; i < 16; i++)
			note_wait(light[i], &longest);
	}
	expect(name, "ms that one of them waited at most", longest / 1000000, 0, 6000);
}

/* 450 in a cgroup of the least weight: they all run now and then, and do not have a heavy one's part for it. */
static void case_many_light(const char *name)
{
	struct task_struct *heavy, *light[450];
	struct cgroup *least;
	u64 longest = 0;

	start(1, 1);
	least = model_cgroup(root, 1);
	heavy = busy_on(0, model_cgroup(root, 10000), 100);
	for (u32 i = 0; i < 450; i++) {
		light[i] = model_task(least, 0, 100, 1);
		model_wake(light[i], 0, false);
	}
	for (u32 ms = 0; ms < 30000; ms++) {
		pass_ms();
		for (u32 i = 0; i < 450; i++)
			note_wait(light[i], &longest);
	}
	expect(name, "ms that a light one waited at most", longest / 1000000, 0, 8000);
	expect(name, "share of the heavy one", thousandths(heavy, 30000000000), 450, 1000);
}

/* Where a thread goes that belongs to this CPU, and may use all. */
static s32 woken_of(s32 home)
{
	struct task_struct *p = model_task(root, 0, 100, (1ull << nr_cpus) - 1);

	p->cpu = home;
	model_wake(p, home, false);
	return p->cpu;
}

static void case_where(const char *name)
{
	start(4, 2);
	expect(name, "its own", (u64)woken_of(1), 1, 1);
	expect(name, "its own is taken, though nobody runs there yet", (u64)woken_of(1), 0, 0);
	start(4, 2);
	busy_on(3, root, 100);
	expect(name, "one of its node", (u64)woken_of(3), 2, 2);
	expect(name, "then one of another", (u64)woken_of(3), 0, 1);
	start(4, 2);
	put_in(stolen_cpus, 3, true);
	expect(name, "not one that the host keeps waiting", (u64)woken_of(3), 2, 2);
	expect(name, "avoided", SUM(avoided), 1, 1);
}

/* Eight that hand a CPU on, beside one busy thread in a cgroup of the same weight. */
static void case_turns(const char *name)
{
	struct task_struct *turn[8], *busy;
	struct cgroup *many;
	u32 at = 0;
	u64 ran;

	start(1, 1);
	many = model_cgroup(root, 100);
	busy = busy_on(0, model_cgroup(root, 100), 100);
	for (u32 i = 0; i < 8; i++)
		turn[i] = model_task(many, 0, 100, 1);
	model_wake(turn[0], 0, false);
	ran = 0;
	for (u64 t = 0; t < 60000; t++) {
		model_pass(100000);
		if (t % 10 == 9)
			model_tick(0);
		ran += turn[at]->running ? 100000 : 0;
		if (turn[at]->running && ran >= 300000) {
			model_wake(turn[(at + 1) % 8], 0, false);
			model_sleep(0);
			at = (at + 1) % 8;
			ran = 0;
		}
		model_look(0);
	}
	expect(name, "share of the busy one", thousandths(busy, 6000000000), 470, 530);
}

/* In the node's queue the first eight may not run here, nor the others; on another node one may. */
static void case_nobody_here(const char *name)
{
	struct task_struct *p;

	start(4, 2);
	for (s32 cpu = 0; cpu < 4; cpu++)
		busy_on(cpu, root, 100);
	for (u32 i = 0; i < 9; i++) {
		p = model_task(root, 0, 100, 6);
		task_of(p)->home = 1;
		model_wake(p, 1, false);
	}
	p = model_task(root, 0, 100, 9);
	task_of(p)->home = 3;
	model_wake(p, 3, false);
	expect(name, "queued", SUM(queued), 10, 10);
	model_sleep(0);
	expect(name, "the one of the other node runs", model_runs(0) == p, 1, 1);
}

static const struct {
	const char *name;
	void (*run)(const char *name);
} cases[] = {
	{ "takes-over", case_takes_over },
	{ "host-away", case_host_away },
	{ "home", case_home },
	{ "nobody-here", case_nobody_here },
	{ "weights", case_weights },
	{ "cgroups", case_cgroups },
	{ "turns", case_turns },
	{ "stretch", case_stretch },
	{ "light", case_light },
	{ "where", case_where },
	{ "many-light", case_many_light },
};

static void run_cases(void)
{
	waits_awake(0);
	policy.meanwhile = NULL;
	policy.too_late = NULL;
	for (u32 i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cases[i].run(cases[i].name);
}

/* ---- worlds of any weights ---- */

static u32 any_of(const u32 *of, u32 n)
{
	return of[below(n)];
}

/* Busy threads, some of which sleep now and then, of all weights, in cgroups in each other. */
static void make_threads(u32 n)
{
	static const u32 cgroups[] = { 1, 10, 100, 100, 1000, 10000 };
	static const u32 nices[] = { 15, 50, 100, 100, 300, 1000, 8876 };
	struct cgroup *group[6] = { root };
	struct task_struct *p;

	for (u32 i = 1; i < 6; i++)
		group[i] = model_cgroup(group[below(i)], any_of(cgroups, 6));
	for (u32 i = 0; i < n; i++) {
		p = model_task(group[below(6)], 0, any_of(nices, 7), random_mask());
		if (below(2))
			model_wake(p, (s32)below(nr_cpus), false);
	}
}

static void pass_ms_with(u32 ms, u32 changes)
{
	model_pass(1000000);
	for (u32 cpu = 0; cpu < nr_cpus; cpu++) {
		if (ms % 4 == cpu % 4)
			model_tick((s32)cpu);
		model_look((s32)cpu);
		if (below(1000) < changes)
			model_sleep((s32)cpu);
		if (below(1000) < changes)
			model_wake(model_nth(below(model_tasks())), (s32)cpu, below(2));
	}
}

/* Nobody is forgotten, whatever the weights. */
static void weights_world(u64 seed)
{
	u32 ncpus = 1 + seed % 6, changes;
	u64 longest = 0;

	policy.meanwhile = NULL;
	policy.too_late = NULL;
	waits_awake(0);
	start(ncpus, 1 + (ncpus > 1 && below(2)));
	make_threads(2 + below(40));
	changes = below(3) ? below(20) : 0;
	for (u32 ms = 0; ms < 40000; ms++) {
		pass_ms_with(ms, changes);
		for (u32 i = 0; i < model_tasks(); i++)
			note_wait(model_nth(i), &longest);
	}
	if (longest > FORGOTTEN_NS)
		fail("weights", seed, "a thread waited for %llu ms", longest / 1000000);
}

static void any_world(u64 seed)
{
	seed_dice(seed);
	if (seed % 64)
		random_world(seed);
	else
		weights_world(seed);
}

int main(int argc, char **argv)
{
	run_cases();
	return run_worlds(argc, argv, 100, any_world);
}
