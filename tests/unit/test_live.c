// SPDX-License-Identifier: GPL-2.0
/* What `top` shows of an interval. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "live.h"

#define MS 1000000ull

static int setup(void **state)
{
	static struct ks_live l;

	assert_int_equal(ks_live_init(&l, 4, MS), 0);
	*state = &l;
	return 0;
}

static int teardown(void **state)
{
	ks_live_free(*state);
	return 0;
}

static void feed(struct ks_live *l, uint64_t time, uint8_t type, uint8_t flags, uint64_t a,
		 uint64_t b)
{
	struct ks_rec r = { .time = time, .type = type, .flags = flags, .id = 1, .a = a, .b = b };

	ks_live_feed(l, &r);
}

static uint64_t burst(uint64_t ns, uint64_t count)
{
	return ns << 32 | count;
}

static void states_add_up(void **state)
{
	struct ks_live *l = *state;
	struct ks_live_vcpu *v = &l->vcpu[1];

	feed(l, 10 * MS, KS_VCPU_NEW, 0, 7ull << 32 | 8, 3);
	assert_int_equal(v->tgid, 7);
	assert_int_equal(v->tid, 8);
	assert_int_equal(v->vcpu_id, 3);
	feed(l, 12 * MS, KS_VCPU_OUT, KS_OUT_RUNNABLE, 0, 0);
	feed(l, 15 * MS, KS_VCPU_IN, 0, 0, 0);
	feed(l, 16 * MS, KS_VCPU_OUT, KS_OUT_HALTED, 0, 0);
	feed(l, 20 * MS, KS_VCPU_WAKE, 0, 0, 0);
	feed(l, 21 * MS, KS_VCPU_IN, 0, 0, 0);
	ks_live_settle(l, 30 * MS);
	assert_int_equal(v->state_ns[KS_V_RUNNING], 12 * MS);
	assert_int_equal(v->state_ns[KS_V_RUNNABLE], 4 * MS);
	assert_int_equal(v->state_ns[KS_V_HALTED], 4 * MS);
	ks_live_next(l);
	ks_live_settle(l, 31 * MS);
	assert_int_equal(v->state_ns[KS_V_RUNNING], 1 * MS);
	assert_int_equal(v->state_ns[KS_V_HALTED], 0);
}

/* The kernel cuts a burst where the vCPU is switched out; closer than the gap it is one. */
static void bursts_are_joined(void **state)
{
	struct ks_live *l = *state;
	struct ks_live_vcpu *v = &l->vcpu[1];

	feed(l, 10 * MS, KS_VCPU_NEW, 0, 0, 0);
	feed(l, 12 * MS, KS_BURST, 0, 0, burst(MS / 2, 100));
	feed(l, 13 * MS, KS_BURST, KS_F_IP, 0x42, burst(MS / 2, 50));
	feed(l, 20 * MS, KS_BURST, 0, 0, burst(0, 1));
	assert_int_equal(v->bursts, 2);
	assert_int_equal(v->longest_burst, 150);
	assert_int_equal(v->burst_exits, 151);
	assert_int_equal(v->ip, 0x42);
}

/* A burst that crosses into the next interval is not counted twice, and keeps its length. */
static void burst_across_intervals(void **state)
{
	struct ks_live *l = *state;
	struct ks_live_vcpu *v = &l->vcpu[1];

	feed(l, 10 * MS, KS_VCPU_NEW, 0, 0, 0);
	feed(l, 12 * MS, KS_BURST, 0, 0, burst(MS / 2, 100));
	ks_live_next(l);
	feed(l, 13 * MS, KS_BURST, 0, 0, burst(MS / 2, 10));
	assert_int_equal(v->bursts, 0);
	assert_int_equal(v->longest_burst, 110);
}

static void gone_and_lost(void **state)
{
	struct ks_live *l = *state;

	feed(l, 10 * MS, KS_VCPU_NEW, 0, 0, 0);
	feed(l, 11 * MS, KS_LOSS, KS_PAUSE, 0, 17);
	feed(l, 12 * MS, KS_VCPU_GONE, 0, 0, 0);
	assert_int_equal(l->lost, 17);
	assert_true(l->vcpu[1].used);
	ks_live_next(l);
	assert_false(l->vcpu[1].used);
	assert_int_equal(l->lost, 0);
}

/* Slots beyond the table are somebody's mistake, not a crash. */
static void wild_slot(void **state)
{
	struct ks_rec r = { .type = KS_VCPU_NEW, .id = 4000000000u };

	ks_live_feed(*state, &r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(states_add_up, setup, teardown),
		cmocka_unit_test_setup_teardown(bursts_are_joined, setup, teardown),
		cmocka_unit_test_setup_teardown(burst_across_intervals, setup, teardown),
		cmocka_unit_test_setup_teardown(gone_and_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(wild_slot, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
