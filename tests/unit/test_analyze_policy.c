// SPDX-License-Identifier: GPL-2.0
/* Boosts and looks at lock pages: what came of the former, and whether the latter are right. */
#include "test_analyze_util.h"

#define MS 1000000ull
#define US 1000ull

static const struct ks_policy_totals *policy(const struct lab *l)
{
	return &vm_totals(l)->policy;
}

static void boost(struct lab *l, uint64_t t, uint16_t pcpu, uint32_t from, uint32_t to,
		  uint8_t flags)
{
	put_host(l, (struct ks_rec){ .time = t,
				     .type = KS_BOOST,
				     .cpu = pcpu,
				     .id = from,
				     .flags = flags,
				     .a = to,
				     .b = TGID });
}

static void look(struct lab *l, uint64_t t, uint32_t vcpu, uint8_t says, uint32_t named,
		 uint64_t holders)
{
	put_host(l, (struct ks_rec){ .time = t,
				     .type = KS_LOOK,
				     .cpu = vcpu,
				     .id = vcpu,
				     .flags = says,
				     .a = LOCK,
				     .b = named | holders << 32 });
}

/* The vCPU spins for the last time, and looks 10 us later. */
static void spin_and_look(struct lab *l, uint64_t t, uint32_t vcpu, uint8_t says, uint32_t named,
			  uint64_t holders)
{
	pause_exit(l, t, vcpu, vcpu);
	look(l, t + 10 * US, vcpu, says, named, holders);
}

static void kinds(void **state)
{
	struct lab *l = lab_new(3);

	(void)state;
	boost(l, 1 * MS, 0, 0, 1, KS_BOOST_HERE | KS_BOOST_EXACT | KS_BOOST_NO_SPIN);
	boost(l, 2 * MS, 0, 0, 1, KS_BOOST_HERE | KS_BOOST_KERNEL | KS_BOOST_NO_SPIN);
	boost(l, 3 * MS, 0, 0, 1, KS_BOOST_REMOTE | KS_BOOST_NO_SPIN);
	boost(l, 4 * MS, 0, 0, 1, KS_BOOST_HERE);
	boost(l, 5 * MS, 0, 0, 1, KS_BOOST_FAILED | KS_BOOST_EXACT);
	boost(l, 6 * MS, 0, KS_NO_SLOT, KS_NO_SLOT, KS_BOOST_NONE);
	boost(l, 8 * MS, 0, 0, 1, KS_BOOST_OUTS); /* of a later version */
	lab_run(l);
	assert_int_equal(policy(l)->boosts[KS_BOOST_HERE], 3);
	assert_int_equal(policy(l)->boosts[KS_BOOST_REMOTE], 1);
	assert_int_equal(policy(l)->boosts[KS_BOOST_FAILED], 1);
	assert_int_equal(policy(l)->boosts[KS_BOOST_NONE], 1);
	assert_int_equal(policy(l)->why[KS_BW_EXACT], 1);
	assert_int_equal(policy(l)->why[KS_BW_KERNEL], 1);
	assert_int_equal(policy(l)->why[KS_BW_NO_SPIN], 1);
	assert_int_equal(policy(l)->why[KS_BW_LONGEST], 1);
	/* None of them was seen to run after. */
	assert_int_equal(policy(l)->ran_next[KS_NOT_KNOWN], 4);
	assert_int_equal(policy(l)->let_go[KS_NOT_KNOWN], 4);
	assert_int_equal(ks_analysis_ignored(l->a), 1);
	lab_free(l);
}

/* vCPU 1 waits for the lock that vCPU 0 holds, and gives its slice to `to`. */
static void give_slice(struct lab *l, uint32_t to)
{
	lock_try(l, 2 * MS, 1, LOCK, 0);
	out(l, 3 * MS, to, to, KS_OUT_RUNNABLE);
	pause_exit(l, 4 * MS, 1, 1);
	boost(l, 4 * MS + 20 * US, 1, 1, to, KS_BOOST_HERE);
	out(l, 4 * MS + 22 * US, 1, 1, KS_OUT_RUNNABLE);
}

static void guest_goes_on(struct lab *l)
{
	guest_rec(l, 20 * MS, KS_IDLE_EXIT, 0);
	wake(l, 20 * MS, 0);
}

static void lets_go(void **state)
{
	struct lab *l = lab_new(3);

	(void)state;
	give_slice(l, 0);
	in(l, 4 * MS + 23 * US, 0, 1);
	lock_rel(l, 5 * MS, 0, LOCK, 0, 1 * MS);
	out(l, 6 * MS, 0, 1, KS_OUT_RUNNABLE);
	guest_goes_on(l);
	lab_run(l);
	assert_int_equal(policy(l)->ran_next[KS_YES], 1);
	assert_int_equal(policy(l)->let_go[KS_YES], 1);
	assert_int_equal(policy(l)->let_go[KS_NO] + policy(l)->let_go[KS_NOT_KNOWN], 0);
	lab_free(l);
}

/* Where the guest's clock broke nobody knows whether it was in that turn, or which lock was wanted. */
static void clock_breaks(void **state)
{
	static const uint64_t from[] = { 4500 * US, 3900 * US }, to[] = { 5500 * US, 4100 * US };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct lab *l = lab_new(3);

		give_slice(l, 0);
		in(l, 4 * MS + 23 * US, 0, 1);
		lock_rel(l, 5 * MS, 0, LOCK, 0, 1 * MS);
		out(l, 6 * MS, 0, 1, KS_OUT_RUNNABLE);
		guest_goes_on(l);
		clock_break(l, from[i], to[i]);
		lab_run(l);
		assert_int_equal(policy(l)->ran_next[KS_YES], 1);
		assert_int_equal(policy(l)->let_go[KS_NOT_KNOWN], 1);
		lab_free(l);
	}
}

/* The turn is over when the lock is let go: in another one. */
static void lets_go_later(void **state)
{
	struct lab *l = lab_new(3);

	(void)state;
	give_slice(l, 0);
	in(l, 4 * MS + 23 * US, 0, 1);
	out(l, 5 * MS, 0, 1, KS_OUT_RUNNABLE);
	in(l, 6 * MS, 0, 1);
	lock_rel(l, 7 * MS, 0, LOCK, 0, 1 * MS);
	guest_goes_on(l);
	lab_run(l);
	assert_int_equal(policy(l)->ran_next[KS_YES], 1);
	assert_int_equal(policy(l)->let_go[KS_NO], 1);
	lab_free(l);
}

static void another_comes_first(void **state)
{
	struct lab *l = lab_new(3);

	(void)state;
	out(l, 1 * MS, 2, 2, KS_OUT_RUNNABLE);
	give_slice(l, 0);
	in(l, 4 * MS + 23 * US, 2, 1);
	out(l, 5 * MS, 2, 1, KS_OUT_RUNNABLE);
	in(l, 5 * MS + 1 * US, 0, 1);
	out(l, 6 * MS, 0, 1, KS_OUT_RUNNABLE);
	guest_goes_on(l);
	lab_run(l);
	assert_int_equal(policy(l)->ran_next[KS_NO], 1);
	assert_int_equal(policy(l)->let_go[KS_NO], 1);
	lab_free(l);
}

/* Where arrivals or releases were lost, nothing is claimed. */
static void losses(void **state)
{
	struct lab *l = lab_new(3);

	(void)state;
	give_slice(l, 0);
	host_loss(l, 4 * MS, 5 * MS, 1, KS_VCPU_IN);
	in(l, 5 * MS + 1 * US, 0, 1);
	guest_loss(l, 5 * MS + 100 * US, 5 * MS + 200 * US, 0, KS_LOCK_REL);
	out(l, 6 * MS, 0, 1, KS_OUT_RUNNABLE);
	guest_goes_on(l);
	lab_run(l);
	assert_int_equal(policy(l)->ran_next[KS_NOT_KNOWN], 1);
	assert_int_equal(policy(l)->let_go[KS_NOT_KNOWN], 1);
	lab_free(l);
}

/* vCPU 0 holds from 1 ms to 9 ms, then vCPU 2 from 9.5 ms to 10 ms; vCPU 1 waits from 2 ms to 11 ms. */
static void two_holders(struct lab *l)
{
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_try(l, 3 * MS, 2, LOCK, 0);
	lock_rel(l, 9 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 9500 * US, 2, LOCK, 0, 3 * MS);
	lock_rel(l, 10 * MS, 2, LOCK, 0, 9500 * US);
	lock_acq(l, 11 * MS, 1, LOCK, 0, 2 * MS);
	lock_rel(l, 12 * MS, 1, LOCK, 0, 11 * MS);
	guest_goes_on(l);
}

static void page_names_holder(void **state)
{
	struct lab *l = lab_new(3);

	(void)state;
	spin_and_look(l, 4 * MS, 1, KS_LOOK_HOLDER, 0, 1);
	spin_and_look(l, 5 * MS, 1, KS_LOOK_HOLDER, 2, 1);
	spin_and_look(l, 6 * MS, 1, KS_LOOK_HOLDER, 2, 2);
	spin_and_look(l, 7 * MS, 1, KS_LOOK_WAITER, KS_NO_SLOT, 0);
	spin_and_look(l, 9700 * US, 1, KS_LOOK_HOLDER, 2, 1);
	two_holders(l);
	lab_run(l);
	assert_int_equal(policy(l)->looks[KS_LOOK_HOLDER], 4);
	assert_int_equal(policy(l)->looks[KS_LOOK_WAITER], 1);
	assert_int_equal(policy(l)->held[KS_LM_RIGHT], 2);
	assert_int_equal(policy(l)->held[KS_LM_WRONG], 2);
	assert_int_equal(policy(l)->held[KS_LM_SEVERAL], 1);
	assert_int_equal(policy(l)->unsure, 0);
	lab_free(l);
}

/* The lock is free: right is who takes it next, vCPU 2 after the first hold, vCPU 1 after the second. */
static void page_names_next(void **state)
{
	struct lab *l = lab_new(3);

	(void)state;
	out(l, 8 * MS, 2, 2, KS_OUT_RUNNABLE); /* so that nobody spins in vain for a free lock */
	spin_and_look(l, 9100 * US, 1, KS_LOOK_WAITER, 2, 0);
	in(l, 9400 * US, 2, 2);
	spin_and_look(l, 10500 * US, 1, KS_LOOK_SELF, 1, 0);
	two_holders(l);
	lab_run(l);
	assert_int_equal(policy(l)->free[KS_LM_RIGHT], 2);
	assert_int_equal(policy(l)->unsure, 0);
	lab_free(l);
}

static void page_names_last(void **state)
{
	struct lab *l = lab_new(3);

	(void)state;
	spin_and_look(l, 10100 * US, 1, KS_LOOK_HOLDER, 2, 1);
	two_holders(l);
	lab_run(l);
	assert_int_equal(policy(l)->free[KS_LM_LAST], 1);
	lab_free(l);
}

/* The exit was when vCPU 0 held the lock, the look when vCPU 2 did; and a look outside of any wait. */
static void things_change(void **state)
{
	struct lab *l = lab_new(3);

	(void)state;
	look(l, 1500 * US, 1, KS_LOOK_HOLDER, 0, 1);
	pause_exit(l, 8 * MS, 1, 1);
	look(l, 9700 * US, 1, KS_LOOK_HOLDER, 2, 1);
	look(l, 9710 * US, 1, KS_LOOK_NOTHING, KS_NO_SLOT, 0);
	look(l, 9720 * US, 1, KS_LOOK_MAX, KS_NO_SLOT, 0); /* of a later version */
	two_holders(l);
	lab_run(l);
	assert_int_equal(policy(l)->looks[KS_LOOK_HOLDER], 2);
	assert_int_equal(policy(l)->looks[KS_LOOK_NOTHING], 1);
	assert_int_equal(policy(l)->unsure, 2);
	assert_int_equal(policy(l)->held[KS_LM_RIGHT] + policy(l)->held[KS_LM_WRONG], 0);
	assert_int_equal(ks_analysis_ignored(l->a), 1);
	lab_free(l);
}

/* What is nearer to a change of hands than the clock is exact. */
static void clock_error(void **state)
{
	struct lab *l = lab_new(3);

	(void)state;
	l->error = 50 * US;
	out(l, 3 * MS, 0, 0, KS_OUT_RUNNABLE);
	spin_and_look(l, 4 * MS, 1, KS_LOOK_HOLDER, 0, 1);
	in(l, 8 * MS, 0, 0);
	spin_and_look(l, 9 * MS - 20 * US, 1, KS_LOOK_HOLDER, 0, 1);
	two_holders(l);
	lab_run(l);
	assert_int_equal(policy(l)->held[KS_LM_RIGHT], 1);
	assert_int_equal(policy(l)->unsure, 1);
	lab_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(lets_go),
		cmocka_unit_test(clock_breaks),
		cmocka_unit_test(lets_go_later),
		cmocka_unit_test(another_comes_first),
		cmocka_unit_test(losses),
		cmocka_unit_test(page_names_holder),
		cmocka_unit_test(page_names_next),
		cmocka_unit_test(page_names_last),
		cmocka_unit_test(things_change),
		cmocka_unit_test(clock_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
