// SPDX-License-Identifier: GPL-2.0
/* The filter that leaves short waits out of a guest's recording. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lockfilter.h"

#define US 1000ull
#define A 0xffff888000001000ull
#define B 0xffff888000002000ull

static struct ks_rec got[10000];
static size_t ngot;

static int keep(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	(void)ctx;
	(void)ring;
	assert_true(ngot + n <= sizeof(got) / sizeof(got[0]));
	memcpy(&got[ngot], recs, n * sizeof(*recs));
	ngot += n;
	return 0;
}

static struct ks_lockfilter *filter(void)
{
	struct ks_lockfilter *f;

	ngot = 0;
	assert_int_equal(ks_lockfilter_new(&f, 10 * US, 10 * US, keep, NULL), 0);
	return f;
}

static struct ks_rec rec(uint8_t type, uint64_t time, uint64_t lock, uint64_t b, uint8_t flags)
{
	return (struct ks_rec){ .time = time, .type = type, .flags = flags, .a = lock, .b = b };
}

static void feed(struct ks_lockfilter *f, struct ks_rec r)
{
	assert_int_equal(ks_lockfilter_feed(f, 0, &r, 1), 0);
}

static uint64_t hold(uint64_t ns)
{
	return ns << 32 | 0x81000000;
}

static void types(const uint8_t *want, size_t n)
{
	size_t i;

	assert_int_equal(ngot, n);
	for (i = 0; i < n; i++)
		assert_int_equal(got[i].type, want[i]);
}

static void short_wait_goes(void **state)
{
	struct ks_lockfilter *f = filter();

	(void)state;
	feed(f, rec(KS_LOCK_TRY, 100 * US, A, 0, 0));
	feed(f, rec(KS_LOCK_ACQ, 105 * US, A, 5 * US, 0));
	feed(f, rec(KS_LOCK_REL, 106 * US, A, hold(1 * US), 0));
	assert_int_equal(ngot, 0);
	assert_int_equal(ks_lockfilter_dropped(f), 1);
	ks_lockfilter_free(f);
}

static void long_wait_stays(void **state)
{
	const uint8_t want[] = { KS_LOCK_TRY, KS_LOCK_ACQ, KS_LOCK_REL };
	struct ks_lockfilter *f = filter();

	(void)state;
	feed(f, rec(KS_LOCK_TRY, 100 * US, A, 0, 0));
	assert_int_equal(ngot, 0);
	feed(f, rec(KS_LOCK_ACQ, 110 * US, A, 10 * US, 0));
	feed(f, rec(KS_LOCK_REL, 111 * US, A, hold(1 * US), KS_F_WAITERS));
	types(want, 3);
	assert_int_equal(ks_lockfilter_dropped(f), 0);
	ks_lockfilter_free(f);
}

/* Records behind an open try wait for it, and come out in their order. */
static void order_is_kept(void **state)
{
	const uint8_t want[] = { KS_LOCK_TRY, KS_IDLE_EXIT, KS_TASK_WAKE, KS_LOCK_ACQ };
	struct ks_lockfilter *f = filter();
	size_t i;

	(void)state;
	feed(f, rec(KS_LOCK_TRY, 100 * US, A, 0, 0));
	feed(f, rec(KS_IDLE_EXIT, 101 * US, 0, 0, 0));
	feed(f, rec(KS_TASK_WAKE, 102 * US, 0, 0, 0));
	assert_int_equal(ngot, 0);
	feed(f, rec(KS_LOCK_ACQ, 150 * US, A, 50 * US, 0));
	types(want, 4);
	for (i = 1; i < ngot; i++)
		assert_true(got[i].time > got[i - 1].time);
	ks_lockfilter_free(f);
}

/* A short wait of an interrupt inside a long one of the thread: only the short one goes. */
static void nested(void **state)
{
	const uint8_t want[] = { KS_LOCK_TRY, KS_LOCK_ACQ };
	struct ks_lockfilter *f = filter();

	(void)state;
	feed(f, rec(KS_LOCK_TRY, 100 * US, A, 0, 0));
	feed(f, rec(KS_LOCK_TRY, 110 * US, B, 0, KS_F_CTX_HARDIRQ | 1));
	feed(f, rec(KS_LOCK_ACQ, 111 * US, B, 1 * US, KS_F_CTX_HARDIRQ | 1));
	feed(f, rec(KS_LOCK_ACQ, 150 * US, A, 50 * US, 0));
	types(want, 2);
	assert_int_equal(got[0].a, A);
	assert_int_equal(got[1].a, A);
	assert_int_equal(ks_lockfilter_dropped(f), 1);
	ks_lockfilter_free(f);
}

/* The same, but the interrupt has ceased to count as one: depth tells, not the level. */
static void nested_at_task_level(void **state)
{
	const uint8_t want[] = { KS_LOCK_TRY, KS_LOCK_TRY, KS_LOCK_ACQ, KS_LOCK_ACQ };
	struct ks_lockfilter *f = filter();

	(void)state;
	feed(f, rec(KS_LOCK_TRY, 100 * US, A, 0, 0));
	feed(f, rec(KS_LOCK_TRY, 110 * US, B, 0, 1));
	feed(f, rec(KS_LOCK_ACQ, 130 * US, B, 20 * US, 1));
	feed(f, rec(KS_LOCK_ACQ, 150 * US, A, 50 * US, 0));
	types(want, 4);
	ks_lockfilter_free(f);
}

/* A try that never led to a wait is taken back when its CPU tries anew at the same depth. */
static void stale_try_goes(void **state)
{
	const uint8_t want[] = { KS_LOCK_TRY, KS_LOCK_ACQ };
	struct ks_lockfilter *f = filter();

	(void)state;
	feed(f, rec(KS_LOCK_TRY, 100 * US, A, 0, 0));
	feed(f, rec(KS_LOCK_TRY, 200 * US, B, 0, 0));
	feed(f, rec(KS_LOCK_ACQ, 250 * US, B, 50 * US, 0));
	types(want, 2);
	assert_int_equal(got[0].a, B);
	ks_lockfilter_free(f);
}

/* ... unless its acquire may have been lost. */
static void try_before_a_loss(void **state)
{
	static const uint8_t want[] = { KS_LOCK_TRY, KS_LOSS, KS_LOCK_TRY, KS_LOCK_ACQ };
	struct ks_lockfilter *f = filter();

	(void)state;
	feed(f, rec(KS_LOCK_TRY, 100 * US, A, 0, 0));
	feed(f, rec(KS_LOSS, 150 * US, 110 * US, 1, KS_LOCK_ACQ));
	feed(f, rec(KS_LOCK_TRY, 200 * US, B, 0, 0));
	feed(f, rec(KS_LOCK_ACQ, 250 * US, B, 50 * US, 0));
	types(want, 4);
	assert_int_equal(got[0].a, A);
	ks_lockfilter_free(f);
}

static void short_holds(void **state)
{
	const uint8_t want[] = { KS_LOCK_REL, KS_LOCK_REL, KS_LOCK_REL };
	struct ks_lockfilter *f = filter();

	(void)state;
	feed(f, rec(KS_LOCK_REL, 1, A, hold(9 * US), 0)); /* goes */
	feed(f, rec(KS_LOCK_REL, 2, A, hold(10 * US), 0));
	feed(f, rec(KS_LOCK_REL, 3, A, hold(1), KS_F_WAITERS));
	feed(f, rec(KS_LOCK_REL, 4, A, hold(1), KS_F_COARSE));
	types(want, 3);
	ks_lockfilter_free(f);
}

/* A wait that does not end does not hold everything up for ever, and loses nothing. */
static void overflow(void **state)
{
	struct ks_lockfilter *f = filter();
	unsigned int i;

	(void)state;
	feed(f, rec(KS_LOCK_TRY, 0, A, 0, 0));
	for (i = 1; i < 5000; i++)
		feed(f, rec(KS_TASK_WAKE, i, 0, 0, 0));
	assert_int_equal(ngot, 5000);
	assert_int_equal(got[0].type, KS_LOCK_TRY);
	feed(f, rec(KS_LOCK_ACQ, 5000, A, 5 * US, 0)); /* its try is out: it must follow */
	assert_int_equal(ngot, 5001);
	ks_lockfilter_free(f);
}

static void flush(void **state)
{
	struct ks_lockfilter *f = filter();

	(void)state;
	feed(f, rec(KS_LOCK_TRY, 100 * US, A, 0, 0));
	feed(f, rec(KS_TASK_WAKE, 101 * US, 0, 0, 0));
	assert_int_equal(ks_lockfilter_flush(f), 0);
	assert_int_equal(ngot, 2);
	ks_lockfilter_free(f);
}

/* A try whose acquire was lost holds back what follows for no longer than asked for. */
static void old_ones_go(void **state)
{
	struct ks_lockfilter *f = filter();

	(void)state;
	feed(f, rec(KS_LOCK_TRY, 100 * US, A, 0, 0));
	feed(f, rec(KS_TASK_WAKE, 300 * US, 0, 0, 0));
	assert_int_equal(ks_lockfilter_tick(f, 100 * US), 0);
	assert_int_equal(ngot, 0);
	assert_int_equal(ks_lockfilter_tick(f, 101 * US), 0);
	assert_int_equal(ngot, 2);
	feed(f, rec(KS_TASK_WAKE, 301 * US, 0, 0, 0));
	assert_int_equal(ngot, 3);
	ks_lockfilter_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_wait_goes),
		cmocka_unit_test(long_wait_stays),
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(nested),
		cmocka_unit_test(nested_at_task_level),
		cmocka_unit_test(stale_try_goes),
		cmocka_unit_test(try_before_a_loss),
		cmocka_unit_test(short_holds),
		cmocka_unit_test(overflow),
		cmocka_unit_test(flush),
		cmocka_unit_test(old_ones_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
