// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "args.h"
#include "trace.h"

#define SENTINEL 0x5e5e5e5e5e5e5e5eull

static struct ks_err err;

static void duration(const char *s, uint64_t unit, int ret, uint64_t want)
{
	uint64_t v = SENTINEL;

	memset(&err, 0, sizeof(err));
	assert_int_equal(ks_arg_duration("--hold-threshold", s, unit, &v, &err), ret);
	assert_int_equal(v, ret ? SENTINEL : want);
	assert_int_equal(!!err.msg[0], !!ret);
	if (ret) /* names the option and the value */
		assert_non_null(strstr(err.msg, "--hold-threshold"));
}

static void durations(void **state)
{
	(void)state;
	duration("10us", 0, 0, 10000);
	duration("1.5ms", 0, 0, 1500000);
	duration("2s", 0, 0, 2000000000);
	duration("1m", 0, 0, 60000000000);
	duration("1h", 0, 0, 3600000000000);
	duration("0.1ns", 0, 0, 0);
	duration("7ns", 0, 0, 7);
	duration("3", 1000000000, 0, 3000000000);
	duration("0.25", 1000000000, 0, 250000000);
	duration("0", 0, 0, 0);
	duration("0.000000000000000000000000001s", 0, 0, 0);
	duration("4611686018427387903ns", 0, 0, INT64_MAX / 2);
	duration("4611686018427387904ns", 0, -ERANGE, 0);
	duration("18446744073709551615ns", 0, -ERANGE, 0);
	duration("18446744073709551616ns", 0, -ERANGE, 0);
	duration("4611686018.427387903s", 0, 0, INT64_MAX / 2);
	duration("4611686018.427387904s", 0, -ERANGE, 0);
	duration("99999999999999h", 0, -ERANGE, 0);
	duration("3", 0, -EINVAL, 0); /* of what? */
	duration("", 1, -EINVAL, 0);
	duration("abc", 1, -EINVAL, 0);
	duration("10x", 1, -EINVAL, 0);
	duration("10 us", 1, -EINVAL, 0);
	duration("-1s", 1, -EINVAL, 0);
	duration("+1s", 1, -EINVAL, 0);
	duration("1.s", 1, -EINVAL, 0);
	duration(".5s", 1, -EINVAL, 0);
	duration("1.2.3s", 1, -EINVAL, 0);
	duration("1e3s", 1, -EINVAL, 0);
	duration("10usec", 1, -EINVAL, 0);
	assert_string_equal(err.msg, "--hold-threshold: bad duration '10usec'; use a number with "
				     "ns, us, ms, s, m or h");
}

static void size(const char *s, int ret, uint64_t want)
{
	uint64_t v = SENTINEL;

	assert_int_equal(ks_arg_size("--max-bytes", s, &v, &err), ret);
	assert_int_equal(v, ret ? SENTINEL : want);
}

static void sizes(void **state)
{
	(void)state;
	size("0", 0, 0);
	size("4096", 0, 4096);
	size("64K", 0, 65536);
	size("64k", 0, 65536);
	size("1.5M", 0, 1572864);
	size("2G", 0, 2ull << 30);
	size("2GiB", 0, 2ull << 30);
	size("1T", 0, 1ull << 40);
	size("16777215T", 0, 16777215ull << 40);
	size("16777216T", -ERANGE, 0);
	size("1X", -EINVAL, 0);
	size("K", -EINVAL, 0);
	size("1KK", -EINVAL, 0);
	size("-1", -EINVAL, 0);
	assert_non_null(strstr(err.msg, "--max-bytes: bad size '-1'"));
}

static void number(const char *s, uint64_t min, uint64_t max, int ret, uint64_t want)
{
	uint64_t v = SENTINEL;

	assert_int_equal(ks_arg_uint("--cpus", s, min, max, &v, &err), ret);
	assert_int_equal(v, ret ? SENTINEL : want);
}

static void numbers(void **state)
{
	(void)state;
	number("0", 0, 9, 0, 0);
	number("007", 0, 9, 0, 7);
	number("0x1f", 0, 100, 0, 31);
	number("0Xff", 0, 255, 0, 255);
	number("18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX);
	number("18446744073709551616", 0, UINT64_MAX, -ERANGE, 0);
	number("0x10000000000000000", 0, UINT64_MAX, -ERANGE, 0);
	number("10", 0, 9, -ERANGE, 0);
	number("0", 1, 9, -ERANGE, 0);
	assert_string_equal(err.msg, "--cpus: 0 is out of range; use 1 to 9");
	number("", 0, 9, -EINVAL, 0);
	number("0x", 0, 9, -EINVAL, 0);
	number("abc", 0, 9, -EINVAL, 0);
	number("1a", 0, 9, -EINVAL, 0);
	number(" 1", 0, 9, -EINVAL, 0);
	number("1 ", 0, 9, -EINVAL, 0);
	number("-1", 0, 9, -EINVAL, 0);
	number("1\033[2J", 0, 9, -EINVAL, 0);
	assert_string_equal(err.msg, "--cpus: bad number '1?[2J'");
}

static void lists(void **state)
{
	static const char *const bad[] = { "",	 ",", "1,",  ",1", "1,,2", "3-1", "1-",
					   "-1", "a", "1-b", "1 ", "1;2",  "0x1" };
	uint8_t *set = NULL;

	(void)state;
	assert_int_equal(ks_arg_list("--vcpu", "0,2-3,8", 9, &set, &err), 0);
	assert_memory_equal(set, "\1\0\1\1\0\0\0\0\1", 9);
	free(set);
	assert_int_equal(ks_arg_list("--vcpu", "1-1,0-2", 3, &set, &err), 0);
	assert_memory_equal(set, "\1\1\1", 3);
	free(set);
	set = NULL;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ks_arg_list("--vcpu", bad[i], 9, &set, &err), -EINVAL);
		assert_null(set);
	}
	assert_int_equal(ks_arg_list("--vcpu", "9", 9, &set, &err), -ERANGE);
	assert_string_equal(err.msg, "--vcpu: '9' has a number above 8");
	assert_int_equal(ks_arg_list("--vcpu", "0-99999999999999999999", 9, &set, &err), -ERANGE);
	assert_null(set);
}

static void choices(void **state)
{
	static const char *const modes[] = { "full", "contention", NULL };
	unsigned int v = 77;

	(void)state;
	assert_int_equal(ks_arg_choice("--mode", "contention", modes, &v, &err), 0);
	assert_int_equal(v, 1);
	assert_int_equal(ks_arg_choice("--mode", "Full", modes, &v, &err), -EINVAL);
	assert_int_equal(v, 1);
	assert_string_equal(err.msg, "--mode: 'Full' is not one of full, contention");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations), cmocka_unit_test(sizes),	cmocka_unit_test(numbers),
		cmocka_unit_test(lists),     cmocka_unit_test(choices),
	};

	return cmocka_run_group_tests_name("sys args", tests, NULL, NULL);
}
