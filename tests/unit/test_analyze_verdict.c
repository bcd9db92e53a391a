// SPDX-License-Identifier: GPL-2.0
/* The rules of docs/verdicts.md, one by one, on worlds whose verdict is plain to see. */
#include "test_analyze_util.h"

#define MS 1000000ull
#define US 1000ull

/* vCPU 0 holds from 1 ms to 9 ms, vCPU 1 waits from 2 ms until it has the lock. */
static void hold_and_wait(struct lab *l)
{
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_rel(l, 9 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 9 * MS + 100, 1, LOCK, 0, 2 * MS);
	lock_rel(l, 10 * MS, 1, LOCK, 0, 9 * MS + 100);
	guest_rec(l, 20 * MS, KS_IDLE_EXIT, 0);
	wake(l, 20 * MS, 0);
}

static void holder_runs(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	(void)state;
	hold_and_wait(l);
	lab_run(l);
	assert_int_equal(l->nwaits, 1);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_BUSY, 7 * MS);
	assert_share(w, KS_C_HANDOFF, 100);
	assert_int_equal(w->verdict, KS_C_BUSY);
	assert_int_equal(w->blame_vcpu, 0);
	assert_int_equal(w->blame_pid, 100);
	assert_int_equal(w->blame_ip, KERNEL_IP + 0x10);
	assert_int_equal(w->blame_off_ns, 0);
	assert_int_equal(w->pid, 101);
	assert_int_equal(w->ip, KERNEL_IP + 1);
	assert_int_equal(l->nholds, 2);
	assert_int_equal(l->hold[0].acq_time, 1 * MS);
	lab_free(l);
}

static void holder_preempted(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;
	unsigned int i;

	(void)state;
	hold_and_wait(l);
	out(l, 3 * MS, 0, 0, KS_OUT_RUNNABLE);
	in(l, 8 * MS, 0, 0);
	for (i = 0; i < 100; i++)
		pause_exit(l, 3 * MS + i * 40 * US, 1, 1);
	for (i = 0; i < 7; i++)
		pause_exit(l, 8500 * US + i * 40 * US, 1, 1);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_LHP, 5 * MS);
	assert_share(w, KS_C_BUSY, 2 * MS);
	assert_int_equal(w->verdict, KS_C_LHP);
	assert_int_equal(w->blame_vcpu, 0);
	assert_int_equal(w->blame_off_ns, 5 * MS);
	assert_int_equal(w->ple[KS_C_LHP], 100);
	assert_int_equal(w->ple[KS_C_BUSY], 7);
	assert_int_equal(w->ple_total, 107);
	assert_int_equal(l->ple[KS_C_LHP], 100);
	assert_int_equal(l->hold[0].off_ns, 5 * MS);
	assert_int_equal(vm_totals(l)->lost_ns[KS_C_LHP], 5 * MS);
	assert_int_equal(vm_totals(l)->ple_per_wait[2], 107);
	lab_free(l);
}

static void holder_halted(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	(void)state;
	hold_and_wait(l);
	out(l, 3 * MS, 0, 0, KS_OUT_BLOCKED);
	wake(l, 7 * MS, 0);
	in(l, 8 * MS, 0, 0);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_HALTED, 4 * MS);
	assert_share(w, KS_C_LHP, 1 * MS);
	assert_share(w, KS_C_BUSY, 2 * MS);
	assert_int_equal(w->verdict, KS_C_HALTED);
	lab_free(l);
}

/* The waiter being off-CPU comes before everything that the lock could say. */
static void waiter_off(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	(void)state;
	hold_and_wait(l);
	out(l, 3 * MS, 0, 0, KS_OUT_RUNNABLE);
	in(l, 8 * MS, 0, 0);
	out(l, 4 * MS, 1, 1, KS_OUT_RUNNABLE);
	in(l, 8 * MS, 1, 1);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_SELF, 4 * MS);
	assert_share(w, KS_C_LHP, 1 * MS);
	assert_share(w, KS_C_BUSY, 2 * MS);
	assert_int_equal(w->verdict, KS_C_SELF);
	assert_int_equal(w->blame_class, KS_C_BUSY);
	lab_free(l);
}

static void halted_waiter(bool spins, enum ks_class expected)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	l->opts.halted_spins = spins;
	hold_and_wait(l);
	out(l, 3 * MS, 0, 0, KS_OUT_RUNNABLE);
	in(l, 8 * MS, 0, 0);
	out(l, 4 * MS, 1, 1, KS_OUT_HALTED);
	wake(l, 7 * MS, 1);
	in(l, 7500 * US, 1, 1);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_int_equal(w->verdict, expected);
	assert_share(w, KS_C_SELF, spins ? 500 * US : 3500 * US);
	assert_share(w, KS_C_LHP, spins ? 4500 * US : 1500 * US);
	lab_free(l);
}

static void waiter_halts(void **state)
{
	(void)state;
	halted_waiter(false, KS_C_SELF);
	halted_waiter(true, KS_C_LHP);
}

/* Lock free, the next in order preempted: everybody behind it spins for nothing. */
static void next_preempted(void **state)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_try(l, 3 * MS, 2, LOCK, 0);
	out(l, 4 * MS, 1, 1, KS_OUT_RUNNABLE);
	lock_rel(l, 5 * MS, 0, LOCK, 0, 1 * MS);
	in(l, 9 * MS, 1, 1);
	lock_acq(l, 9 * MS + 200, 1, LOCK, 0, 2 * MS);
	lock_rel(l, 10 * MS, 1, LOCK, 0, 9 * MS + 200);
	lock_acq(l, 10 * MS + 100, 2, LOCK, 0, 3 * MS);
	guest_rec(l, 20 * MS, KS_IDLE_EXIT, 0);
	wake(l, 20 * MS, 0);
	lab_run(l);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_BUSY, 2 * MS + (1 * MS - 200));
	assert_share(w, KS_C_LWP, 4 * MS);
	assert_share(w, KS_C_HANDOFF, 300);
	assert_int_equal(w->verdict, KS_C_LWP);
	assert_int_equal(w->blame_vcpu, 1);
	assert_int_equal(w->blame_ip, KERNEL_IP + 1);
	assert_int_equal(w->blame_off_ns, 5 * MS);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_SELF, 5 * MS);
	assert_share(w, KS_C_BUSY, 2 * MS);
	assert_share(w, KS_C_HANDOFF, 200);
	lab_free(l);
}

/* An unfair lock: a newcomer takes it before the first in order, which stays the first. */
static void unfair_lock(void **state)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_try(l, 3 * MS, 2, LOCK, 0);
	out(l, 3 * MS, 1, 1, KS_OUT_RUNNABLE);
	lock_rel(l, 5 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 6 * MS, 2, LOCK, 0, 3 * MS);
	lock_rel(l, 7 * MS, 2, LOCK, 0, 6 * MS);
	in(l, 8 * MS, 1, 1);
	lock_acq(l, 8 * MS + 50, 1, LOCK, 0, 2 * MS);
	guest_rec(l, 20 * MS, KS_IDLE_EXIT, 0);
	wake(l, 20 * MS, 0);
	lab_run(l);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_BUSY, 2 * MS);
	assert_share(w, KS_C_LWP, 1 * MS);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_SELF, 5 * MS);
	assert_share(w, KS_C_BUSY, 1 * MS);
	assert_share(w, KS_C_HANDOFF, 50);
	lab_free(l);
}

/* Two wait in turn, the first one is preempted: with a queue that holds up the second one. */
static void behind_a_waiter(const char *meta, enum ks_class expected)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	l->guest_meta = meta;
	lock_try(l, 1500 * US, 1, LOCK, 0);
	out(l, 1600 * US, 1, 1, KS_OUT_RUNNABLE);
	lock_try(l, 1700 * US, 2, LOCK, 0);
	lock_rel(l, 2 * MS, 0, LOCK, 0, 1 * MS);
	in(l, 8 * MS, 1, 1);
	lock_acq(l, 9 * MS, 2, LOCK, 0, 1700 * US);
	lock_acq(l, 9500 * US, 1, LOCK, 0, 1500 * US);
	guest_rec(l, 20 * MS, KS_IDLE_EXIT, 0);
	wake(l, 20 * MS, 0);
	lab_run(l);
	w = wait_at(l, 1700 * US);
	assert_int_equal(w->verdict, expected);
	assert_share(w, KS_C_BUSY, 300 * US);
	lab_free(l);
}

/* Who takes locks by test and set stands in no queue: there is no next, and short holds leave no record. */
static void test_and_set(void **state)
{
	(void)state;
	behind_a_waiter("{\"mode\":\"full\",\"spinlocks\":\"queued\"}", KS_C_LWP);
	behind_a_waiter("{\"mode\":\"full\",\"spinlocks\":\"test_and_set\"}", KS_C_UNKNOWN);
}

/* Without releases nobody knows who held it; what is the waiter's own fault is known still. */
static void contention_mode(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	(void)state;
	l->guest_meta = "{\"mode\":\"contention\"}";
	lock_try(l, 2 * MS, 1, LOCK, 0);
	out(l, 4 * MS, 1, 1, KS_OUT_RUNNABLE);
	in(l, 5 * MS, 1, 1);
	lock_acq(l, 9 * MS, 1, LOCK, 0, 2 * MS);
	guest_rec(l, 20 * MS, KS_IDLE_EXIT, 0);
	wake(l, 20 * MS, 0);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_SELF, 1 * MS);
	assert_share(w, KS_C_UNKNOWN, 6 * MS);
	assert_int_equal(w->verdict, KS_C_UNKNOWN);
	assert_int_equal(w->blame_vcpu, KS_NO_VCPU);
	lab_free(l);
}

/* An interrupt spins on another lock within the wait: its exits are its own, the time is both's. */
static void nested_waits(void **state)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, KS_F_CTX_TASK);
	pause_exit(l, 2500 * US, 1, 1);
	lock_try(l, 3 * MS, 1, LOCK2, KS_F_CTX_HARDIRQ | 1);
	pause_exit(l, 3500 * US, 1, 1);
	pause_exit(l, 3600 * US, 1, 1);
	lock_rel(l, 4 * MS, 2, LOCK2, 0, 1 * MS);
	lock_acq(l, 4 * MS, 1, LOCK2, KS_F_CTX_HARDIRQ | 1, 3 * MS);
	lock_rel(l, 4500 * US, 1, LOCK2, KS_F_CTX_HARDIRQ | 1, 4 * MS);
	lock_rel(l, 6 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 6 * MS, 1, LOCK, KS_F_CTX_TASK, 2 * MS);
	guest_rec(l, 20 * MS, KS_IDLE_EXIT, 0);
	wake(l, 20 * MS, 0);
	lab_run(l);
	assert_int_equal(l->nwaits, 2);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_BUSY, 4 * MS);
	assert_int_equal(w->ple_total, 1);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_BUSY, 1 * MS);
	assert_int_equal(w->ple_total, 2);
	assert_int_equal(ks_analysis_ignored(l->a), 0);
	lab_free(l);
}

/* A try at the same level without an acquire: the first one never waited. */
static void stray_try(void **state)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0); /* its thread is switched out before it waits */
	lock_try(l, 3 * MS, 1, LOCK2, 0);
	lock_rel(l, 4 * MS, 2, LOCK2, 0, 1 * MS);
	lock_acq(l, 4 * MS, 1, LOCK2, 0, 3 * MS);
	guest_rec(l, 20 * MS, KS_IDLE_EXIT, 0);
	wake(l, 20 * MS, 0);
	lab_run(l);
	assert_int_equal(l->nwaits, 1);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_BUSY, 1 * MS);
	assert_int_equal(ks_analysis_ignored(l->a), 1);
	lab_free(l);
}

/* The trace ends while the lock is wanted. */
static void still_waiting(void **state)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_try(l, 3 * MS, 2, LOCK, 0);
	lock_rel(l, 4 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 4 * MS, 1, LOCK, 0, 2 * MS); /* within the other's wait: it holds to the end */
	out(l, 5 * MS, 1, 1, KS_OUT_RUNNABLE);
	guest_rec(l, 8 * MS, KS_IDLE_EXIT, 0);
	wake(l, 8 * MS, 0);
	lab_run(l);
	w = wait_at(l, 3 * MS);
	assert_false(w->acquired);
	assert_share(w, KS_C_BUSY, 2 * MS);
	assert_share(w, KS_C_LHP, 3 * MS);
	assert_int_equal(vm_totals(l)->waits, 2);
	lab_free(l);
}

/* The holder at the end may be anybody if none that is known acquired it within the wait. */
static void unknown_holder_at_the_end(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	guest_rec(l, 8 * MS, KS_IDLE_EXIT, 0);
	wake(l, 8 * MS, 0);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_UNKNOWN, 6 * MS);
	lab_free(l);
}

/* Preempted after the stamp of its release and before it lets go: it still holds the lock. */
static void release_race(uint64_t acquired, bool folded, enum ks_class expected)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_rel(l, 5 * MS, 0, LOCK, 0, 1 * MS);
	out(l, 5 * MS + 300, 0, 0, KS_OUT_RUNNABLE);
	in(l, 9 * MS, 0, 0);
	if (folded) { /* from 2.1 ms on */
		put_host(l, (struct ks_rec){ .time = 8800 * US,
					     .type = KS_BURST,
					     .id = 1,
					     .cpu = 1,
					     .flags = KS_F_IP,
					     .a = KERNEL_IP,
					     .b = (6700 * US) << 32 | 134 });
	} else {
		pause_exit(l, 6 * MS, 1, 1);
		pause_exit(l, 7 * MS, 1, 1);
	}
	lock_acq(l, acquired, 1, LOCK, 0, 2 * MS);
	guest_rec(l, 20 * MS, KS_IDLE_EXIT, 0);
	wake(l, 20 * MS, 0);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_int_equal(w->verdict, expected);
	if (expected == KS_C_LHP) {
		assert_share(w, KS_C_BUSY, 3 * MS + 300);
		assert_share(w, KS_C_LHP, 4 * MS - 300);
		assert_share(w, KS_C_HANDOFF, 1000);
		assert_int_equal(w->blame_vcpu, 0);
	}
	lab_free(l);
}

static void preempted_in_its_release(void **state)
{
	(void)state;
	release_race(9 * MS + 1000, false, KS_C_LHP);
	release_race(9 * MS + 1000, true, KS_C_LHP);
	/* It was let go before that vCPU was back, and not free either: somebody unseen held it. */
	release_race(8900 * US, false, KS_C_UNKNOWN);
	release_race(8900 * US, true, KS_C_UNKNOWN);
}

/* ---- the clock's error ---- */

/* What happens well inside a piece is certain, however often it changes. */
static void error_inside(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;
	unsigned int i;

	(void)state;
	l->error = 500;
	hold_and_wait(l);
	for (i = 0; i < 50; i++) {
		out(l, 3 * MS + i * 100 * US, 0, 0, KS_OUT_RUNNABLE);
		in(l, 3 * MS + i * 100 * US + 50 * US, 0, 0);
	}
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_LHP, 50 * 50 * US);
	assert_share(w, KS_C_UNKNOWN, 0);
	lab_free(l);
}

/* Preempted at one end and not at the other: both ends are uncertain. */
static void error_at_ends(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	(void)state;
	l->error = 500;
	hold_and_wait(l);
	out(l, 1500 * US, 0, 0, KS_OUT_RUNNABLE);
	in(l, 8 * MS, 0, 0);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_LHP, 6 * MS - 500);
	assert_share(w, KS_C_BUSY, 1 * MS - 500);
	assert_share(w, KS_C_UNKNOWN, 1000);
	lab_free(l);
}

/* A change within the error of the try: it may lie before it or after it. */
static void error_at_the_try(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	(void)state;
	l->error = 500;
	hold_and_wait(l);
	out(l, 1 * MS + 200 * US, 0, 0, KS_OUT_RUNNABLE);
	in(l, 2 * MS - 300, 0, 0);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_BUSY, 7 * MS - 1000);
	assert_share(w, KS_C_LHP, 0);
	assert_share(w, KS_C_UNKNOWN, 1000);
	lab_free(l);
}

/* Nobody saw who holds the lock. The next in order sleeps, and holds up nobody: it would have been woken. */
static void next_sleeps(void **state)
{
	struct lab *l = lab_new(3);

	(void)state;
	l->opts.halted_spins = true;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_try(l, 3 * MS, 2, LOCK, 0);
	out(l, 4 * MS, 1, 1, KS_OUT_HALTED);
	wake(l, 20 * MS, 1);
	in(l, 20 * MS + 5000, 1, 1);
	lock_acq(l, 20 * MS + 10000, 1, LOCK, 0, 2 * MS);
	lock_rel(l, 21 * MS, 1, LOCK, 0, 20 * MS + 10000);
	lock_acq(l, 21 * MS, 2, LOCK, 0, 3 * MS);
	end_at(l, 100 * MS);
	lab_run(l);
	assert_int_equal(l->nwaits, 2);
	for (unsigned int i = 0; i < 2; i++) {
		assert_true(l->wait[i].share[KS_C_LWP] <= 5000); /* on its way to its pCPU */
		assert_true(l->wait[i].share[KS_C_UNKNOWN] >= 16 * MS);
	}
	lab_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holder_runs),
		cmocka_unit_test(holder_preempted),
		cmocka_unit_test(holder_halted),
		cmocka_unit_test(waiter_off),
		cmocka_unit_test(waiter_halts),
		cmocka_unit_test(next_preempted),
		cmocka_unit_test(unfair_lock),
		cmocka_unit_test(test_and_set),
		cmocka_unit_test(contention_mode),
		cmocka_unit_test(nested_waits),
		cmocka_unit_test(stray_try),
		cmocka_unit_test(still_waiting),
		cmocka_unit_test(unknown_holder_at_the_end),
		cmocka_unit_test(preempted_in_its_release),
		cmocka_unit_test(error_inside),
		cmocka_unit_test(error_at_ends),
		cmocka_unit_test(error_at_the_try),
		cmocka_unit_test(next_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
