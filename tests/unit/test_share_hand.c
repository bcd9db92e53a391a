// SPDX-License-Identifier: GPL-2.0
/*
 * Hand-overs in a made-up world, killed at every step: who uses which CPU is known there, so that "never
 * two" and "none lost" can be looked at after every single thing that happens.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "err.h"
#include "hand.h"
#include "test_sys_tree.h"

#define VMS 3
#define NCPUS 6u

static struct tree tree;

/* ---- the world ---- */

static struct world {
	struct ks_cpus uses[VMS]; /* what each VM really uses */
	bool dead[VMS];
	unsigned int ended[VMS];    /* times that what was made for it was taken away */
	bool exclusive;		    /* from the end of the first apply on */
	unsigned int acts, kill_at; /* 0: never */
	unsigned int saves;
	unsigned int dies; /* these VMs (a bit each) end ... */
	int dies_at;	   /* ... at this act */
	int refuses;	   /* this VM cannot be held; KS_NOBODY */
	bool at_all;	   /* ... nor given anything */
	unsigned int let_go;
	bool stuck; /* ... and it cannot be undone */
	int first;  /* who was given something first; KS_NOBODY: nobody yet */
	jmp_buf killed;
} world;

static void look_at_world(void)
{
	unsigned int i, k, cpu;

	for (i = 0; world.exclusive && i < VMS; i++)
		for (k = 0; k < i; k++) {
			cpu = ks_cpus_common(&world.uses[i], &world.uses[k]);
			if (!world.dead[i] && !world.dead[k] && cpu < KS_CPUS)
				fail_msg("CPU %u is used by VMs %u and %u", cpu, k, i);
		}
}

/* Something has happened; it may be the last thing that this process does. */
static void act(void)
{
	look_at_world();
	world.acts++;
	for (int vm = 0; (int)world.acts == world.dies_at && vm < VMS; vm++)
		if (world.dies >> vm & 1) {
			world.dead[vm] = true;
			memset(&world.uses[vm], 0, sizeof(world.uses[0]));
		}
	if (world.acts == world.kill_at)
		longjmp(world.killed, 1);
}

static int save(void *ctx, const struct ks_book *b, struct ks_err *err)
{
	int ret;

	(void)ctx, (void)err;
	act();
	ret = ks_book_save(b, tree.root);
	world.saves++;
	act();
	return ret;
}

/* Not all CPUs at once: a kill between two leaves the rest as it was. */
static int hold(struct ks_book *b, int vm, bool grow)
{
	struct ks_cpus may;
	unsigned int i;

	if (world.dead[vm])
		return -ESRCH;
	if (world.refuses == vm && (!grow || world.at_all))
		return -EIO;
	ks_book_may(b, vm, &may);
	assert_true(ks_cpus_count(&may) > 0);
	for (i = 0; i < NCPUS; i++) {
		if (ks_cpus_has(&world.uses[vm], i) && !ks_cpus_has(&may, i)) {
			ks_cpus_drop(&world.uses[vm], i);
			act();
		}
	}
	for (i = 0; i < NCPUS && !world.dead[vm]; i++) {
		if (!ks_cpus_has(&world.uses[vm], i) && ks_cpus_has(&may, i)) {
			ks_cpus_add(&world.uses[vm], i);
			act();
		}
	}
	return world.dead[vm] ? -ESRCH : 0;
}

static int take(void *ctx, struct ks_book *b, int vm, struct ks_err *err)
{
	(void)ctx, (void)err;
	return hold(b, vm, false);
}

static int give(void *ctx, struct ks_book *b, int vm, struct ks_err *err)
{
	(void)ctx, (void)err;
	if (world.first == KS_NOBODY)
		world.first = vm;
	return hold(b, vm, true);
}

/* Once for each, while it still stands in the book. */
static void end(void *ctx, struct ks_book *b, int vm)
{
	(void)ctx;
	assert_true(world.dead[vm]);
	assert_true(b->vm[vm].tgid);
	world.ended[vm]++;
	act();
}

/* One that is new; as if nobody had ever held it. */
static int let_go(void *ctx, struct ks_book *b, int vm, struct ks_err *err)
{
	(void)ctx, (void)err;
	assert_int_equal(b->vm[vm].manner, KS_MANNER_UNKNOWN);
	world.let_go++;
	return world.stuck ? -EIO : 0;
}

static const struct ks_hand_ops ops = { save, take, give, end, let_go, NULL };

/* ---- what is tried in it ---- */

static void new_world(void)
{
	unsigned int i;

	memset(&world, 0, sizeof(world));
	world.refuses = world.first = KS_NOBODY;
	for (i = 0; i < VMS; i++)
		ks_cpus_first(&world.uses[i], NCPUS);
}

static struct ks_book *new_book(void)
{
	struct ks_book *b = ks_book_new();
	int i;

	assert_non_null(b);
	for (i = 0; i < VMS; i++) {
		assert_int_equal(ks_book_add(b, NCPUS), i);
		b->vm[i].tgid = 100 + (uint32_t)i;
		snprintf(b->vm[i].name, sizeof(b->vm[i].name), "vm%d", i);
		for (unsigned int k = 0; k < NCPUS; k++)
			b->vm[i].vcpu[k].tid = 1000 + (uint32_t)i * 100 + k;
	}
	return b;
}

/* vm0: 0-1, vm1: 2-3, vm2: 4-5 */
static void first_plan(struct ks_book *b)
{
	unsigned int i;

	for (i = 0; i < NCPUS; i++)
		b->cpu[i] = (struct ks_book_cpu){ KS_STEP_GIVING, (int8_t)(i / 2), KS_NOBODY,
						  (int8_t)(i / 2) };
}

enum { ROUND, ROUND_AND_FREE, TO_NOBODY, FROM_NOBODY, KINDS };

/* One CPU of each goes to the next, or the last one becomes free; or one alone goes to nobody, or comes from there. */
static void second_plan(struct ks_book *b, int kind)
{
	if (kind == ROUND || kind == ROUND_AND_FREE) {
		ks_book_move(b, 1, 1);
		ks_book_move(b, 3, 2);
	}
	ks_book_move(b, 5, kind == ROUND || kind == FROM_NOBODY ? 0 : KS_NOBODY);
}

static struct ks_book *load(void)
{
	struct ks_book *b;
	struct ks_err err;

	assert_int_equal(ks_book_load(&b, tree.root, &err), 0);
	return b;
}

/* What vm-share itself does when it finds that processes have ended. */
static void bury_dead(struct ks_book *b)
{
	int i;

	for (i = 0; i < VMS; i++)
		if (world.dead[i] && b->vm[i].tgid) {
			end(NULL, b, i);
			ks_book_bury(b, i);
		}
}

/* Every CPU is one living VM's, which uses it, or free, and nobody uses it. */
static void assert_settled(const struct ks_book *b)
{
	unsigned int cpu, vm, users;

	assert_true(ks_book_is_settled(b));
	for (vm = 0; vm < VMS; vm++)
		assert_true(world.dead[vm] == (world.ended[vm] > 0));
	for (cpu = 0; cpu < NCPUS; cpu++) {
		const struct ks_book_cpu *c = &b->cpu[cpu];

		assert_int_not_equal(c->step, KS_STEP_NONE);
		for (users = vm = 0; vm < VMS; vm++)
			users += !world.dead[vm] && ks_cpus_has(&world.uses[vm], cpu);
		if (c->owner == KS_NOBODY) {
			assert_int_equal(c->step, KS_STEP_FREE);
			assert_int_equal(users, 0);
			continue;
		}
		assert_false(world.dead[c->owner]);
		assert_int_equal(users, 1);
		assert_true(ks_cpus_has(&world.uses[c->owner], cpu));
	}
}

/* What stands in the file explains every CPU that is on its way. */
static void assert_explained(const struct ks_book *b)
{
	unsigned int cpu;
	char text[300];

	for (cpu = 0; cpu < NCPUS; cpu++) {
		ks_book_explain(b, cpu, text, sizeof(text));
		assert_int_equal(b->cpu[cpu].step > KS_STEP_OWNED, *text != 0);
	}
}

static void mend(void)
{
	struct ks_book *b = load();
	struct ks_err err;

	assert_explained(b);
	world.kill_at = 0;
	bury_dead(b);
	assert_int_equal(ks_hand_mend(b, &ops, &err), 0);
	bury_dead(b);
	assert_settled(b);
	ks_book_free(b);
	b = load();
	bury_dead(b);
	assert_settled(b);
	ks_book_free(b);
}

/* As it is before second_plan(). */
static void begin(int kind)
{
	struct ks_book *b;
	struct ks_err err;

	new_world();
	b = new_book();
	first_plan(b);
	assert_int_equal(ks_hand_over(b, &ops, true, &err), 0);
	assert_settled(b);
	world.exclusive = true;
	if (kind == FROM_NOBODY) {
		second_plan(b, TO_NOBODY);
		assert_int_equal(ks_hand_over(b, &ops, false, &err), 0);
		assert_settled(b);
	}
	ks_book_free(b);
	world.acts = world.saves = 0;
}

/* true: it came to its end before it was to be killed. */
static bool hand_over_killed(int kind, unsigned int kill_at, unsigned int dies, int dies_at)
{
	struct ks_book *volatile b;
	struct ks_err err;

	begin(kind);
	world.kill_at = kill_at;
	world.dies = dies;
	world.dies_at = dies_at;
	b = load();
	second_plan(b, kind);
	if (setjmp(world.killed)) {
		ks_book_free(b);
		mend();
		return false;
	}
	assert_int_equal(ks_hand_over(b, &ops, false, &err), 0);
	bury_dead(b);
	assert_settled(b);
	ks_book_free(b);
	return true;
}

static void test_killed_everywhere(void **state)
{
	unsigned int at;
	int kind;

	(void)state;
	for (kind = 0; kind < KINDS; kind++) {
		for (at = 1; !hand_over_killed(kind, at, 0, 0); at++)
			;
		assert_true(at > (kind < TO_NOBODY ? 10 : 5));
	}
}

/* Before anything is done and after it, and not more often: each takes time that the CPU is nobody's. */
static void test_saves(void **state)
{
	static const unsigned int saves[KINDS] = { 3, 3, 2, 2 };
	int kind;

	(void)state;
	for (kind = 0; kind < KINDS; kind++) {
		assert_true(hand_over_killed(kind, 0, 0, 0));
		assert_int_equal(world.saves, saves[kind]);
	}
}

/* All of it at once cannot be taken and verified: nothing is begun. */
static void test_all_at_once(void **state)
{
	struct ks_err err = { "" };
	struct ks_book *b;
	unsigned int i;

	(void)state;
	begin(ROUND);
	b = load();
	for (i = 0; i < 4; i++)
		ks_book_move(b, i, i < 2);
	assert_int_equal(ks_hand_over(b, &ops, true, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "vm0 would be left without a CPU"));
	assert_int_equal(world.saves, 0);
	assert_int_equal(world.acts, 0);
	ks_book_free(b);
	b = load();
	assert_settled(b);
	ks_book_free(b);
}

static void test_vm_ends_everywhere(void **state)
{
	int kind, vm, at;

	(void)state;
	for (kind = 0; kind < KINDS; kind++)
		for (vm = 0; vm < VMS; vm++)
			for (at = 1; at < 25; at++)
				hand_over_killed(kind, 0, 1u << vm, at);
}

static void test_both_end_everywhere(void **state)
{
	int vm, at;
	unsigned int kill;

	(void)state;
	for (vm = 0; vm < VMS; vm++)
		for (at = 1; at < 25; at++)
			for (kill = 1 + (unsigned int)at % 3; kill < 25; kill += 3)
				hand_over_killed(0, kill, 1u << vm, at);
}

/* Two at once: the receiver of what was to go back to its giver, too. */
static void test_two_vms_end_everywhere(void **state)
{
	static const unsigned int two[] = { 3, 5, 6 };
	unsigned int i, kill;
	int kind, at;

	(void)state;
	for (kind = 0; kind < KINDS; kind++)
		for (i = 0; i < 3; i++)
			for (at = 1; at < 20; at++) {
				hand_over_killed(kind, 0, two[i], at);
				for (kill = (unsigned int)at; kill < (unsigned int)at + 3; kill++)
					hand_over_killed(kind, kill, two[i], at);
			}
}

/* `restore' itself is killed, again and again, one act later each time. */
static void test_mend_killed_everywhere(void **state)
{
	struct ks_book *volatile b;
	volatile unsigned int first, again;
	struct ks_err err;

	(void)state;
	for (first = 2; first < 16; first++) {
		begin(ROUND);
		world.kill_at = first;
		b = load();
		second_plan(b, 0);
		if (!setjmp(world.killed))
			ks_hand_over(b, &ops, false, &err);
		ks_book_free(b);
		for (again = 1; again < 16; again++) {
			b = load();
			world.acts = 0;
			world.kill_at = again;
			if (!setjmp(world.killed))
				ks_hand_mend(b, &ops, &err);
			ks_book_free(b);
		}
		mend();
	}
}

/* The first plan: killed anywhere, restore completes it. */
static void test_first_killed(void **state)
{
	struct ks_book *volatile b;
	volatile unsigned int at;
	struct ks_err err;

	(void)state;
	for (at = 3; at < 22; at++) {
		new_world();
		world.kill_at = at;
		b = new_book();
		first_plan(b);
		if (!setjmp(world.killed))
			ks_hand_over(b, &ops, true, &err);
		ks_book_free(b);
		mend();
	}
}

/* Who cannot be held keeps what it has; nobody gets it. */
static void test_refused(void **state)
{
	struct ks_book *b;
	struct ks_err err;

	(void)state;
	begin(ROUND);
	world.refuses = 1;
	b = load();
	ks_book_move(b, 3, 2);
	assert_int_equal(ks_hand_over(b, &ops, false, &err), -EIO);
	assert_settled(b);
	assert_int_equal(b->cpu[3].owner, 1);
	ks_book_free(b);
}

/* Nor does somebody new who was to get it stay in the book, with nothing. */
static void test_refused_to_new(void **state)
{
	struct ks_book *b;
	struct ks_err err;
	int vm;

	(void)state;
	begin(ROUND);
	world.refuses = 1;
	b = load();
	for (vm = 0; vm < VMS; vm++)
		b->vm[vm].manner = KS_MANNER_AGENT;
	vm = ks_book_add(b, NCPUS);
	b->vm[vm].tgid = 200;
	ks_book_move(b, 3, vm);
	assert_int_equal(ks_hand_over(b, &ops, true, &err), -EIO);
	assert_settled(b);
	assert_int_equal(b->cpu[3].owner, 1);
	assert_int_equal(b->vm[vm].tgid, 0);
	assert_int_equal(b->vm[1].tgid, 101);
	ks_book_free(b);
}

/* Nor somebody new who cannot be held to what it gets: its CPUs are free, or whose they were. */
static void refused_by_new(bool stuck)
{
	struct ks_book *b;
	struct ks_err err;
	int vm;

	begin(TO_NOBODY);
	b = load();
	for (vm = 0; vm < 2; vm++)
		b->vm[vm].manner = KS_MANNER_AGENT;
	b->cpu[4] = b->cpu[5]; /* the third one has nothing */
	memset(&world.uses[2], 0, sizeof(world.uses[2]));
	b->vm[2].vcpu[0].affinity = strdup("0-5");
	world.refuses = 2;
	world.at_all = true;
	world.stuck = stuck;
	ks_book_move(b, 3, 2);
	ks_book_move(b, 5, 2);
	assert_int_equal(ks_hand_over(b, &ops, false, &err), -EIO);
	assert_settled(b);
	assert_int_equal(world.let_go, 1);
	assert_int_equal(b->cpu[3].owner, 1);
	assert_int_equal(b->cpu[5].owner, KS_NOBODY);
	ks_book_free(b);
}

static void test_new_refuses(void **state)
{
	struct ks_book *b;

	(void)state;
	refused_by_new(false);
	b = load();
	assert_int_equal(b->vm[2].tgid, 0);
	ks_book_free(b);
}

/* What was done to it cannot be undone: it stays in the book, with nothing, until it can. */
static void test_new_stuck(void **state)
{
	struct ks_book *b;
	struct ks_err err;

	(void)state;
	refused_by_new(true);
	b = load();
	assert_int_equal(b->vm[2].tgid, 102);
	assert_string_equal(b->vm[2].vcpu[0].affinity, "0-5");
	assert_int_equal(ks_hand_mend(b, &ops, &err), 0);
	assert_int_equal(b->vm[2].tgid, 102);
	world.stuck = false;
	assert_int_equal(ks_hand_mend(b, &ops, &err), 0);
	assert_int_equal(b->vm[2].tgid, 0);
	assert_settled(b);
	ks_book_free(b);
}

/* Until one that is new is held it may be on what an old one gets. */
static void test_new_first(void **state)
{
	struct ks_book *b;
	struct ks_err err;

	(void)state;
	begin(TO_NOBODY);
	b = load();
	for (int vm = 0; vm < 2; vm++)
		b->vm[vm].manner = KS_MANNER_AGENT;
	ks_book_move(b, 5, 0);
	ks_book_move(b, 3, 2);
	world.first = KS_NOBODY;
	assert_int_equal(ks_hand_over(b, &ops, false, &err), 0);
	assert_int_equal(world.first, 2);
	assert_settled(b);
	ks_book_free(b);
}

/* How often its CPU has become a vCPU's VM's. */
static void test_got(void **state)
{
	struct ks_book *b, *c;
	struct ks_err err;
	unsigned int got;

	(void)state;
	begin(ROUND);
	b = load();
	got = b->vm[2].vcpu[3].got;
	ks_book_move(b, 3, 2);
	assert_int_equal(ks_hand_over(b, &ops, false, &err), 0);
	assert_int_equal(b->vm[2].vcpu[3].got, got + 1);
	ks_book_move(b, 3, 1);
	assert_int_equal(ks_hand_over(b, &ops, false, &err), 0);
	c = load();
	assert_int_equal(c->vm[2].vcpu[3].got, got + 1);
	ks_book_free(b);
	ks_book_free(c);
}

static void test_move_where_it_is(void **state)
{
	struct ks_book *b;

	(void)state;
	begin(ROUND);
	b = load();
	ks_book_move(b, 0, 0);
	assert_true(ks_book_is_settled(b));
	ks_book_move(b, 0, KS_NOBODY);
	assert_int_equal(b->cpu[0].step, KS_STEP_TAKING);
	ks_book_free(b);
}

/* ---- the file ---- */

static void test_file_keeps_all(void **state)
{
	struct ks_book *b, *c;
	struct ks_err err;

	(void)state;
	b = new_book();
	first_plan(b);
	b->no_pin = true;
	b->vm[1].first = 3;
	b->vm[1].cid = 7;
	b->vm[1].manner = KS_MANNER_FORCED;
	b->vm[1].confined = true;
	b->vm[2].manner = KS_MANNER_AGENT;
	b->vm[1].mem[2] = 5u << 20;
	snprintf(b->vm[1].why, sizeof(b->vm[1].why), "no agent \"there\"");
	b->vm[1].vcpu[2].home = strdup("/a");
	b->vm[1].vcpu[2].group = strdup("/a/b");
	b->vm[1].vcpu[2].max = strdup("max 100000");
	b->vm[1].vcpu[3].affinity = strdup("0-3");
	assert_int_equal(ks_book_save(b, tree.root), 0);
	c = load();
	assert_true(c->no_pin);
	assert_memory_equal(b->cpu, c->cpu, sizeof(b->cpu));
	assert_string_equal(c->vm[1].name, "vm1");
	assert_int_equal(c->vm[1].first, 3);
	assert_int_equal(c->vm[1].cid, 7);
	assert_int_equal(c->vm[1].manner, KS_MANNER_FORCED);
	assert_true(c->vm[1].confined);
	assert_false(c->vm[2].confined);
	assert_string_equal(c->vm[1].why, "no agent \"there\"");
	assert_int_equal(c->vm[1].mem[2], 5u << 20);
	assert_true(c->vm[1].mem[1] == UINT64_MAX);
	assert_string_equal(c->vm[1].vcpu[2].group, "/a/b");
	assert_string_equal(c->vm[1].vcpu[3].affinity, "0-3");
	assert_null(c->vm[1].vcpu[1].home);
	ks_book_free(b);
	ks_book_free(c);
	assert_int_equal(ks_book_remove(tree.root), 0);
	assert_int_equal(ks_book_load(&b, tree.root, &err), -ENOENT);
}

/* A book with a hole in it, or that contradicts itself, is refused; it never crashes anybody. */
static void test_file_damaged(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{",
		"{\"schema\":2,\"vms\":[],\"cpus\":[]}",
		"{\"schema\":1,\"vms\":[{}],\"cpus\":[]}",
		"{\"schema\":1,\"vms\":[7],\"cpus\":[]}",
		"{\"schema\":1,\"vms\":[],\"cpus\":[{\"cpu\":0,\"step\":\"owned\",\"owner\":0,"
		"\"from\":-1,\"to\":-1}]}",
		"{\"schema\":1,\"vms\":[],\"cpus\":[{\"cpu\":0,\"step\":\"owned\",\"owner\":-1,"
		"\"from\":-1,\"to\":-1}]}",
		"{\"schema\":1,\"vms\":[],\"cpus\":[{\"cpu\":5000,\"step\":\"free\",\"owner\":-1,"
		"\"from\":-1,\"to\":-1}]}",
		"{\"schema\":1,\"vms\":[],\"cpus\":[{\"cpu\":1,\"step\":\"lost\",\"owner\":-1,"
		"\"from\":-1,\"to\":-1}]}",
		"{\"schema\":1,\"vms\":[],\"cpus\":[null]}",
	};
	struct ks_book *b;
	struct ks_err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tree_text(&tree, "/share.json", bad[i]);
		if (ks_book_load(&b, tree.root, &err) != -EPROTO)
			fail_msg("taken: %s", bad[i]);
		assert_null(b);
	}
}

/* A book that another PID namespace has written: its processes are not gone because they are not seen. */
static void test_file_of_another_namespace(void **state)
{
	const char *book = "{\"schema\":1,\"pid_ns\":%u,\"pin\":true,\"vms\":[],\"cpus\":[]}";
	char text[128];
	struct ks_book *b;
	struct ks_err err;

	(void)state;
	snprintf(text, sizeof(text), book, 4026532999u);
	tree_text(&tree, "/share.json", text);
	assert_int_equal(ks_book_load(&b, tree.root, &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, "PID namespace"));
	assert_null(b);
	snprintf(text, sizeof(text), book, 0u); /* not known */
	tree_text(&tree, "/share.json", text);
	assert_int_equal(ks_book_load(&b, tree.root, &err), 0);
	ks_book_free(b);
}

static int make_tree(void **state)
{
	(void)state;
	tree_new(&tree);
	return 0;
}

static int drop_tree(void **state)
{
	(void)state;
	tree_free(&tree);
	return 0;
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, make_tree, drop_tree)
	const struct CMUnitTest tests[] = {
		TEST(test_killed_everywhere),
		TEST(test_vm_ends_everywhere),
		TEST(test_both_end_everywhere),
		TEST(test_two_vms_end_everywhere),
		TEST(test_mend_killed_everywhere),
		TEST(test_first_killed),
		TEST(test_refused),
		TEST(test_refused_to_new),
		TEST(test_new_refuses),
		TEST(test_new_stuck),
		TEST(test_new_first),
		TEST(test_got),
		TEST(test_move_where_it_is),
		TEST(test_file_keeps_all),
		TEST(test_file_damaged),
		TEST(test_file_of_another_namespace),
		TEST(test_saves),
		TEST(test_all_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
