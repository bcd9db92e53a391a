// SPDX-License-Identifier: GPL-2.0
/* Records that come CPU by CPU, for those who show them live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "drain.h"
#include "now.h"

#define MS 1000000ull

/* What the probe's rings have. */
struct rings {
	struct ks_rec rec[2];
	size_t n;
};

static int pull(void *probe, ks_rings_fn fn, void *ctx)
{
	struct rings *r = probe;
	size_t i;
	int ret = 0;

	for (i = 0; i < r->n && !ret; i++)
		ret = fn(ctx, r->rec[i].cpu, &r->rec[i], 1);
	r->n = 0;
	return ret;
}

/*
 * A vCPU leaves CPU 0, whose ring has been emptied by then, for CPU 1, whose ring has not: that it has arrived is known
 * a drain before it has left, and is not to be told before.
 */
static void arrival_waits_for_departure(void **state)
{
	struct drain d = { 0 };
	uint64_t now = ks_now_ns();
	struct rings r = { .rec = { { .time = now - 10 * MS, .cpu = 0 },
				    { .time = now + 50 * MS, .cpu = 1 } },
			   .n = 2 };

	(void)state;
	assert_int_equal(drain_all(&d, pull, &r), 0);
	assert_int_equal(d.n, 1);
	assert_int_equal(d.recs[0].cpu, 0);
	assert_true(d.until >= now - 10 * MS && d.until < now + 50 * MS);
	r = (struct rings){ .rec = { { .time = now + 40 * MS, .cpu = 0 } }, .n = 1 };
	while (ks_now_ns() < now + 60 * MS)
		;
	assert_int_equal(drain_all(&d, pull, &r), 0);
	assert_int_equal(d.n, 2);
	assert_int_equal(d.recs[0].cpu, 0);
	assert_int_equal(d.recs[1].cpu, 1);
	assert_int_equal(drain_all(&d, pull, &r), 0);
	assert_int_equal(d.n, 0);
	drain_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrival_waits_for_departure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
