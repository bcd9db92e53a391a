// SPDX-License-Identifier: GPL-2.0
/* Where a cause seems to be known and is not: small worlds in which the likely one would be wrong. */
#include "test_analyze_util.h"

#define MS 1000000ull
#define US 1000ull

static const struct ks_wait *wait_of(const struct lab *l, uint32_t vcpu)
{
	unsigned int i;

	for (i = 0; i < l->nwaits; i++)
		if (l->wait[i].vcpu == vcpu)
			return &l->wait[i];
	fail_msg("vCPU %u did not wait", vcpu);
	return NULL;
}

/*
 * The guest's clock is placed 60 us early. vCPU 1, next in order, spins until the lock is let go; the one that lets it
 * go loses its pCPU after that. Its exits are of before, and no proof that the lock was still held.
 */
static void exits_of_before_it_left(void **state)
{
	struct lab *l = lab_new(4);
	const uint64_t early = 60 * US;
	const struct ks_wait *w;

	(void)state;
	l->error = 100 * US;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_try(l, 3 * MS, 2, LOCK, 0);
	pause_exit(l, 4950 * US, 1, 1);
	pause_exit(l, 4970 * US, 1, 1);
	out(l, 4999 * US, 1, 1, KS_OUT_RUNNABLE);
	lock_rel(l, 5000 * US - early, 0, LOCK, 0, 1 * MS);
	out(l, 5020 * US, 0, 0, KS_OUT_RUNNABLE);
	in(l, 9 * MS, 0, 0);
	in(l, 9500 * US, 1, 1);
	lock_acq(l, 9501 * US - early, 1, LOCK, 0, 2 * MS);
	lock_rel(l, 9600 * US - early, 1, LOCK, 0, 9501 * US - early);
	lock_acq(l, 9601 * US - early, 2, LOCK, 0, 3 * MS);
	end_at(l, 100 * MS);
	lab_run(l);
	w = wait_of(l, 2);
	assert_int_equal(w->share[KS_C_LHP], 0);
	assert_int_equal(w->verdict, KS_C_UNKNOWN);
	lab_free(l);
}

/* Exits that were folded into one record may all lie where the waiter ran, which is not where the lock seems free. */
static void folded_exits_reach_over_its_absence(void **state)
{
	struct lab *l = lab_new(4);

	(void)state;
	l->host_meta = "{\"mode\":\"bursts\",\"vms\":{\"77\":{\"name\":\"vm\"}}}";
	lock_try(l, 4 * MS, 1, LOCK, 0);
	lock_try(l, 4100 * US, 2, LOCK, 0);
	out(l, 4990 * US, 1, 1, KS_OUT_RUNNABLE);
	lock_rel(l, 5000 * US, 0, LOCK, 0, 1 * MS);
	out(l, 5001 * US, 0, 0, KS_OUT_RUNNABLE);
	in(l, 5550 * US, 0, 0);
	in(l, 5600 * US, 1, 1);
	lock_acq(l, 5601 * US, 1, LOCK, 0, 4 * MS);
	lock_try(l, 5602 * US, 1, LOCK2, 1);
	put_host(l, (struct ks_rec){ .time = 5840 * US,
				     .type = KS_BURST,
				     .id = 1,
				     .cpu = 1,
				     .flags = KS_F_IP,
				     .a = KERNEL_IP,
				     .b = (5840 - 4001) * US << 32 | 110 });
	lock_acq(l, 5850 * US, 1, LOCK2, 1, 5602 * US);
	lock_rel(l, 5860 * US, 1, LOCK2, 1, 5850 * US);
	lock_rel(l, 5900 * US, 1, LOCK, 0, 5601 * US);
	lock_acq(l, 5901 * US, 2, LOCK, 0, 4100 * US);
	end_at(l, 100 * MS);
	lab_run(l);
	assert_int_equal(wait_of(l, 2)->share[KS_C_LHP], 0);
	assert_in_range(wait_of(l, 2)->share[KS_C_LWP], 590 * US, 610 * US);
	lab_free(l);
}

/* A departure is lost. The holder's record seems to come after the loss, by a clock that is off, and was of before. */
static void it_ran_before_the_loss(void **state)
{
	struct lab *l = lab_new(4);
	const uint64_t late = 80 * US;
	const struct ks_wait *w;

	(void)state;
	l->error = 100 * US;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	host_loss(l, 3990 * US, 4050 * US, 0, KS_VCPU_OUT);
	guest_rec(l, 4000 * US + late, KS_TASK_SWITCH, 3);
	lock_rel(l, 4000 * US + late, 0, LOCK2, 1, 3900 * US);
	in(l, 30 * MS, 0, 0);
	lock_rel(l, 31 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 31 * MS + 100, 1, LOCK, 0, 2 * MS);
	end_at(l, 100 * MS);
	lab_run(l);
	w = wait_of(l, 1);
	assert_int_equal(w->verdict, KS_C_UNKNOWN);
	assert_true(w->share[KS_C_BUSY] < 4 * MS);
	lab_free(l);
}

/* The holder arrives on another pCPU, and never left the one on which it was. */
static void its_departure_was_not_seen(void **state)
{
	struct lab *l = lab_new(4);

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	in(l, 30 * MS, 0, 3);
	lock_rel(l, 31 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 31 * MS + 100, 1, LOCK, 0, 2 * MS);
	end_at(l, 100 * MS);
	lab_run(l);
	assert_int_equal(wait_of(l, 1)->verdict, KS_C_UNKNOWN);
	assert_int_equal(wait_of(l, 1)->share[KS_C_UNKNOWN], 28 * MS);
	assert_int_equal(wait_of(l, 1)->share[KS_C_BUSY], 1 * MS);
	lab_free(l);
}

/*
 * More holds than are kept, each of 98 us, 2 us apart; two exits in the first pause that is kept tell of a hold that
 * was not seen there. It takes a place, and what it drops is not taken for a lock that is free.
 */
static void more_holds_than_are_kept(void **state)
{
	struct lab *l = lab_new(4);
	uint64_t t = 10 * MS, pause = 0;
	const struct ks_wait *w;
	unsigned int i;

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	out(l, 3 * MS, 1, 1, KS_OUT_RUNNABLE);
	for (i = 0; i < 4096 + 10; i++) {
		lock_rel(l, t + 98 * US, 2, LOCK, 0, t);
		if (i == 9)
			pause = t + 98 * US;
		t += 100 * US;
	}
	in(l, pause - 1000, 1, 1);
	pause_exit(l, pause + 500, 1, 1);
	pause_exit(l, pause + 1500, 1, 1);
	lock_acq(l, t + 1000, 1, LOCK, 0, 2 * MS);
	end_at(l, t + 10 * MS);
	lab_run(l);
	w = wait_of(l, 1);
	assert_int_equal(w->verdict, KS_C_BUSY);
	assert_true(w->share[KS_C_BUSY] > 4090 * 98 * US);
	assert_true(w->share[KS_C_HANDOFF] < 4110 * 2 * US);
	lab_free(l);
}

/* Where a vCPU was waited for twice, as the next and as the holder: the place is that of the cause which is named. */
static void place_is_of_the_cause(void **state)
{
	struct lab *l = lab_new(4);
	const struct ks_wait *w;

	(void)state;
	lock_try(l, 1 * MS, 1, LOCK, 0);
	lock_try(l, 1001 * US, 2, LOCK, 0);
	out(l, 1900 * US, 1, 1, KS_OUT_RUNNABLE);
	lock_rel(l, 2 * MS, 0, LOCK, 0, 500 * US);
	in(l, 7 * MS, 1, 1);
	lock_acq(l, 7 * MS, 1, LOCK, 0, 1 * MS);
	out(l, 7500 * US, 1, 1, KS_OUT_RUNNABLE);
	in(l, 10500 * US, 1, 1);
	out(l, 11 * MS, 1, 1, KS_OUT_RUNNABLE);
	in(l, 14 * MS, 1, 1);
	lock_rel(l, 14 * MS, 1, LOCK, 0, 7 * MS);
	lock_acq(l, 14 * MS, 2, LOCK, 0, 1001 * US);
	lock_rel(l, 15 * MS, 2, LOCK, 0, 14 * MS);
	end_at(l, 100 * MS);
	lab_run(l);
	w = wait_of(l, 2);
	assert_int_equal(w->verdict, KS_C_LHP);
	assert_int_equal(w->blame_vcpu, 1);
	/* Of the hold, not of the wait for it. */
	assert_int_equal(w->blame_ip, l->hold[1].ip);
	assert_int_not_equal(w->blame_ip, wait_of(l, 1)->ip);
	lab_free(l);
}

/* The next in order sleeps on in a lock that looks free: whoever lets it go would have woken it. */
static void asleep_before_a_free_lock(void **state)
{
	struct lab *l = lab_new(4);
	const struct ks_wait *w;

	(void)state;
	l->opts.halted_spins = true;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	pause_exit(l, 2010 * US, 1, 1);
	out(l, 2100 * US, 1, 1, KS_OUT_HALTED);
	wake(l, 30 * MS, 1);
	in(l, 30005 * US, 1, 1);
	lock_acq(l, 30006 * US, 1, LOCK, 0, 2 * MS);
	end_at(l, 100 * MS);
	lab_run(l);
	w = wait_of(l, 1);
	assert_int_equal(w->verdict, KS_C_UNKNOWN);
	assert_int_equal(w->share[KS_C_UNKNOWN], 27900 * US);
	lab_free(l);
}

/* A guest's record of the end of all time is none. */
static void end_of_all_time(void **state)
{
	struct lab *l = lab_new(4);

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	put_host(l, (struct ks_rec){ .time = 10 * MS, .type = KS_PLE_WINDOW });
	put_guest(l, (struct ks_rec){ .time = UINT64_MAX,
				      .type = KS_LOCK_ACQ,
				      .cpu = 1,
				      .id = 101,
				      .a = LOCK,
				      .b = UINT64_MAX - 2 * MS });
	lab_run(l);
	assert_int_equal(ks_analysis_ignored(l->a), 1);
	lab_free(l);
}

/* What vnuma-trace reads is neither nonsense, nor proof that the CPU runs which it is about. */
static void records_of_others(void **state)
{
	struct lab *l = lab_new(4);
	unsigned int i;

	(void)state;
	guest_rec(l, 2 * MS, KS_TASK_CPUS, 1);
	guest_rec(l, 3 * MS, KS_TASK_PASSED, 2);
	host_loss(l, 5 * MS, 6 * MS, 3, KS_VCPU_OUT);
	guest_rec(l, 7 * MS, KS_CPU_ONLINE, 3);
	end_at(l, 100 * MS);
	lab_run(l);
	assert_int_equal(ks_analysis_ignored(l->a), 0);
	for (i = 0; i < l->nsegs; i++)
		if (l->seg[i].vcpu == 3 && l->seg[i].from >= 7 * MS)
			assert_int_equal(l->seg[i].state, KS_V_UNKNOWN);
	lab_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exits_of_before_it_left),
		cmocka_unit_test(folded_exits_reach_over_its_absence),
		cmocka_unit_test(it_ran_before_the_loss),
		cmocka_unit_test(its_departure_was_not_seen),
		cmocka_unit_test(more_holds_than_are_kept),
		cmocka_unit_test(place_is_of_the_cause),
		cmocka_unit_test(asleep_before_a_free_lock),
		cmocka_unit_test(end_of_all_time),
		cmocka_unit_test(records_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
