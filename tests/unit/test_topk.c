// SPDX-License-Identifier: GPL-2.0
/* The heaviest keys of a stream, and their call sites. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "topk.h"

/* The most frequent one comes first, whenever it was seen first; what is not known is none. */
static void most_frequent_site_first(void **state)
{
	static const uint64_t seen[] = { 0, 0x10, 0x20, 0, 0x20, 0x30, 0x30, 0x30, 0x20, 0x30 };
	struct topk_entry e = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		topk_site(&e, seen[i]);
	assert_int_equal(e.site[0].ip, 0x30);
	assert_int_equal(e.site[0].count, 4);
	assert_int_equal(e.site[1].ip, 0x20);
	assert_int_equal(e.site[1].count, 3);
	assert_int_equal(e.site[2].ip, 0x10);
	assert_int_equal(e.site[3].count, 0);
}

/* More sites than places: a frequent one is found, if it comes late. */
static void more_sites_than_places(void **state)
{
	struct topk_entry e = { 0 };
	uint64_t i;

	(void)state;
	for (i = 1; i <= 40; i++)
		topk_site(&e, i);
	for (i = 0; i < 40; i++)
		topk_site(&e, 0x99);
	assert_int_equal(e.site[0].ip, 0x99);
	for (i = 1; i < TOPK_SITES; i++)
		assert_true(e.site[i].count <= e.site[i - 1].count);
}

/* A key that displaces another inherits its weight, as its error. */
static void displaced(void **state)
{
	struct topk t = { 0 };
	const struct topk_entry **v;
	uint32_t n, i;

	(void)state;
	for (i = 0; i < TOPK_PLACES; i++)
		assert_non_null(topk_add(&t, i, 10 + i));
	assert_int_equal(topk_add(&t, 5000, 1)->error, 10);
	assert_true(t.full);
	v = topk_sorted(&t, &n);
	assert_int_equal(n, TOPK_PLACES);
	assert_int_equal(v[0]->key, TOPK_PLACES - 1);
	assert_int_equal(v[n - 1]->weight, 11);
	free(v);
	topk_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(most_frequent_site_first),
		cmocka_unit_test(more_sites_than_places),
		cmocka_unit_test(displaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
