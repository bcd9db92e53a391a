// SPDX-License-Identifier: GPL-2.0
/* Virtual NUMA: wake-ups that pass an idle vCPU over, and CPUs that are overloaded while a thread sleeps. */
#include "test_vnuma_util.h"

static void passed_over(void **state)
{
	struct lab *l = vnuma_lab();
	const struct ks_vnuma_disease *d;

	(void)state;
	all_idle(l, 5 * MS);
	in(l, 10 * MS, 0, 0);
	sw(l, 10 * MS, 0, 0, 100, 0);
	wakes(l, 20 * MS, 101, 0, ANY); /* CPUs 1 to 3 are free */
	sw(l, 25 * MS, 0, 100, 101, ANY);
	sw(l, 26 * MS, 0, 101, 100, 0);
	wakes(l, 30 * MS, 101, 0, ANY); /* too short to count */
	sw(l, 30 * MS + 99 * US, 0, 100, 101, ANY);
	end_at(l, 60 * MS);
	lab_run(l);
	d = &vm(l)->passed;
	assert_int_equal(d->count, 1);
	assert_int_equal(d->cost_ns, 5 * MS);
	assert_int_equal(d->nworst, 1);
	assert_int_equal(d->worst[0].time, 20 * MS);
	assert_int_equal(d->worst[0].pid, 101);
	assert_int_equal(d->worst[0].cpu, 0);
	assert_int_equal(d->worst[0].other, 1);
	assert_int_equal(vm(l)->passed_why[KS_PASSED_UNKNOWN], 1);
	lab_free(l);
}

/* The case is one of the CPU that the wake-up chose, whichever one came to take the thread away. */
static void passed_over_and_pulled(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	in(l, 10 * MS, 0, 0);
	sw(l, 10 * MS, 0, 0, 100, 0);
	wakes(l, 20 * MS, 101, 0, ANY);
	moves(l, 25 * MS, 101, 0, 1, KS_MOVE_NEWIDLE);
	sw(l, 25 * MS, 1, 0, 101, 0);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->passed.count, 1);
	assert_int_equal(vm(l)->passed.worst[0].cpu, 0);
	assert_int_equal(vm(l)->passed.worst[0].other, 1);
	lab_free(l);
}

/* Why: its flag, seen by the guest; or only vCPUs of the other node were free. */
static void passed_over_why(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	in(l, 10 * MS, 0, 0);
	in(l, 10 * MS, 1, 1);
	sw(l, 10 * MS, 0, 0, 100, 0);
	sw(l, 10 * MS, 1, 0, 110, 0);
	wakes(l, 20 * MS, 101, 0, ANY);
	sw(l, 25 * MS, 0, 100, 101, 0);
	wakes(l, 30 * MS, 102, 0, ANY);
	put_guest(l, (struct ks_rec){ .time = 30 * MS,
				      .type = KS_TASK_PASSED,
				      .cpu = 2,
				      .id = 102,
				      .a = 2ull << 32 | 2,
				      .b = 0,
				      .flags = KS_PASSED_FLAGS });
	sw(l, 37 * MS, 0, 101, 102, 0);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->passed.count, 2);
	assert_int_equal(vm(l)->passed.cost_ns, 12 * MS);
	assert_int_equal(vm(l)->passed_why[KS_PASSED_NODE], 1);
	assert_int_equal(vm(l)->passed_why[KS_PASSED_FLAGGED], 1);
	assert_int_equal(vm(l)->flags_looked, 2);
	assert_int_equal(vm(l)->flags_set, 2);
	lab_free(l);
}

/* The guest saw none that was idle: then none of them was flagged. */
static void passed_over_unseen(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	in(l, 10 * MS, 0, 0);
	sw(l, 10 * MS, 0, 0, 100, 0);
	wakes(l, 20 * MS, 101, 0, ANY);
	put_guest(l, (struct ks_rec){ .time = 20 * MS,
				      .type = KS_TASK_PASSED,
				      .cpu = 1,
				      .id = 101,
				      .flags = KS_PASSED_FLAGS });
	sw(l, 25 * MS, 0, 100, 101, 0);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->passed.count, 1);
	assert_int_equal(vm(l)->passed_why[KS_PASSED_UNKNOWN], 1);
	lab_free(l);
}

/* The only idle vCPU wants a pCPU: nobody was passed over. */
static void not_passed_over(void **state)
{
	struct lab *l = vnuma_lab();
	uint16_t i;

	(void)state;
	all_idle(l, 5 * MS);
	for (i = 0; i < 3; i++) {
		in(l, 10 * MS, i, i);
		sw(l, 10 * MS, i, 0, 100 + i, 0);
	}
	wake(l, 10 * MS, 3);
	wakes(l, 20 * MS, 110, 0, ANY);
	sw(l, 25 * MS, 0, 100, 110, 0);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->passed.count, 0);
	assert_int_equal(vm(l)->wait_ns, 5 * MS);
	lab_free(l);
}

/* 100 sleeps for `slept` from t on, while 200 runs; it waits for its CPU for 3 ms. */
static void sleeps_beside(struct lab *l, uint64_t t, uint64_t slept)
{
	sw(l, t, 0, 100, 200, 0);
	wakes(l, t + slept, 100, 0, ONE);
	sw(l, t + slept + 3 * MS, 0, 200, 100, 0);
}

/* The same, and 200 was pulled: on 100's way through schedule(), before the switch that leaves it. */
static void pulled(struct lab *l, uint64_t t, uint64_t slept, uint8_t by)
{
	moves(l, t - 30 * US, 200, 1, 0, by);
	sleeps_beside(l, t, slept);
}

static void overloaded(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	in(l, 10 * MS, 0, 0);
	sw(l, 10 * MS, 0, 0, 100, 0);
	pulled(l, 20 * MS, 300 * US, KS_MOVE_NEWIDLE);
	pulled(l, 40 * MS, 300 * US, KS_MOVE_PERIODIC); /* not by newly idle balancing */
	pulled(l, 60 * MS, 2 * MS, KS_MOVE_NEWIDLE);	/* no short sleep */
	end_at(l, 100 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->overloaded.count, 1);
	assert_int_equal(vm(l)->overloaded.cost_ns, 3 * MS);
	assert_int_equal(vm(l)->overloaded.worst[0].other, 200);
	assert_int_equal(vm(l)->overloaded.worst[0].time, 20 * MS + 300 * US);
	assert_int_equal(vm(l)->moves_by[KS_MOVE_NEWIDLE], 2);
	assert_int_equal(vm(l)->moves_by[KS_MOVE_PERIODIC], 1);
	assert_int_equal(vm(l)->node_moves_by[KS_MOVE_NEWIDLE], 0);
	assert_int_equal(vm(l)->nsleeps, 3);
	assert_int_equal(vm(l)->short_sleeps, 2);
	lab_free(l);
}

/* 100 sleeps, and while it does another thread comes and goes, for which 200 is pulled. */
static void overloaded_later(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	in(l, 10 * MS, 0, 0);
	sw(l, 10 * MS, 0, 0, 100, 0);
	sw(l, 20 * MS, 0, 100, 300, 0);
	moves(l, 20 * MS + 100 * US, 200, 1, 0, KS_MOVE_NEWIDLE);
	sw(l, 20 * MS + 110 * US, 0, 300, 200, 0);
	wakes(l, 20 * MS + 300 * US, 100, 0, ONE);
	sw(l, 23 * MS, 0, 200, 100, 0);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->overloaded.count, 1);
	assert_int_equal(vm(l)->overloaded.worst[0].other, 200);
	lab_free(l);
}

/* What was pulled for another sleep than the one that is over. */
static void pulled_before(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	in(l, 10 * MS, 0, 0);
	sw(l, 10 * MS, 0, 0, 300, 0);
	moves(l, 15 * MS, 200, 1, 0, KS_MOVE_NEWIDLE); /* of 300's, before 100 ran */
	sw(l, 15 * MS, 0, 300, 100, 0);
	sleeps_beside(l, 20 * MS, 300 * US);
	moves(l, 30 * MS, 200, 1, 0, KS_MOVE_NEWIDLE);
	wakes(l, 30 * MS + 1, 100, 0, ONE); /* on its way to sleep: it stays */
	sleeps_beside(l, 30 * MS + 500 * US, 300 * US);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->short_sleeps, 2);
	assert_int_equal(vm(l)->overloaded.count, 0);
	lab_free(l);
}

/* A sleep, a move, and a wait for a thread that was pulled, from t on, in 4 ms. */
static void all_kinds(struct lab *l, uint64_t t)
{
	pulled(l, t, 300 * US, KS_MOVE_NEWIDLE);
	put_guest(l, (struct ks_rec){ .time = t + 300 * US,
				      .type = KS_TASK_PASSED,
				      .cpu = 2,
				      .id = 100,
				      .a = 2ull << 32 | 2,
				      .flags = KS_PASSED_FLAGS });
}

/* The guest is recorded from 3 ns to 200 ms, the host from 41 ms to 120 ms. */
static void counted_on_both_sides(void **state)
{
	struct lab *l = vnuma_lab();
	unsigned int i;

	(void)state;
	for (i = 0; i < l->nhost; i++)
		l->host[i].time = 41 * MS + i;
	sw(l, 10 * MS, 0, 0, 100, 0);
	all_kinds(l, 20 * MS);
	all_kinds(l, 39 * MS); /* half of it; it ends at 42.3 ms */
	all_kinds(l, 60 * MS);
	all_kinds(l, 118 * MS); /* to 121.3 ms */
	all_kinds(l, 140 * MS);
	guest_rec(l, 200 * MS, KS_RQ_CALM, 0);
	put_host(l, (struct ks_rec){ .time = 120 * MS, .type = KS_PLE_WINDOW });
	lab_run(l);
	assert_int_equal(vm(l)->span_ns, 79 * MS);
	assert_int_equal(vm(l)->moves_by[KS_MOVE_NEWIDLE], 2);
	assert_int_equal(vm(l)->nsleeps, 2);
	assert_int_equal(vm(l)->short_sleeps, 2);
	assert_int_equal(vm(l)->flags_looked, 2 * 2);
	assert_int_equal(vm(l)->overloaded.count, 1);
	assert_int_equal(vm(l)->overloaded.cost_ns, 3 * MS);
	assert_int_equal(vm(l)->overloaded.worst[0].time, 60 * MS + 300 * US);
	lab_free(l);
}

/* The guest's recording was over before the host's began. */
static void never_on_both_sides(void **state)
{
	struct lab *l = vnuma_lab();
	unsigned int i;

	(void)state;
	for (i = 0; i < l->nhost; i++)
		l->host[i].time = 300 * MS + i;
	sw(l, 10 * MS, 0, 0, 100, 0);
	all_kinds(l, 20 * MS);
	put_host(l, (struct ks_rec){ .time = 400 * MS, .type = KS_PLE_WINDOW });
	lab_run(l);
	assert_int_equal(vm(l)->span_ns, 0);
	assert_int_equal(vm(l)->wait_ns, 0);
	assert_int_equal(vm(l)->nsleeps, 0);
	assert_int_equal(vm(l)->overloaded.count, 0);
	lab_free(l);
}

/* A waiting thread that is moved waits where it was moved to. */
static void moved_while_waiting(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	two_wait(l, ANY);
	moves(l, 30 * MS, 101, 0, 3, KS_MOVE_NEWIDLE);
	moves(l, 30 * MS, 102, 0, 9, KS_MOVE_NEWIDLE); /* no such CPU */
	end_at(l, 60 * MS);
	lab_run(l);
	/* From then on CPU 3 is about to run 101; 102 could have CPU 1 or 2. */
	assert_int_equal(vm(l)->wasted_ns, 10 * MS * 2 + 30 * MS);
	assert_int_equal(vm(l)->node_moves_by[KS_MOVE_NEWIDLE], 1);
	lab_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passed_over),		 cmocka_unit_test(passed_over_and_pulled),
		cmocka_unit_test(passed_over_why),	 cmocka_unit_test(passed_over_unseen),
		cmocka_unit_test(not_passed_over),	 cmocka_unit_test(overloaded),
		cmocka_unit_test(overloaded_later),	 cmocka_unit_test(pulled_before),
		cmocka_unit_test(counted_on_both_sides), cmocka_unit_test(never_on_both_sides),
		cmocka_unit_test(moved_while_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
