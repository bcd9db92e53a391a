// SPDX-License-Identifier: GPL-2.0
/* Clock samples, and the map through them: exact where it can be, bounded where it cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

#include "clock.h"
#include "clockmap_priv.h"

#define SECOND 1000000000ull
#define DAY (86400 * SECOND)

static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return random_state >> 31;
}

static struct ks_rec sample(uint64_t mono, uint64_t tsc, uint64_t b)
{
	return (struct ks_rec){ .time = mono, .type = KS_CLOCK, .a = tsc, .b = b };
}

static struct ks_clockmap *must_map(const struct ks_rec *recs, size_t n)
{
	struct ks_clockmap *m = NULL;

	assert_int_equal(ks_clockmap_new(&m, recs, n), 0);
	return m;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* A line against long division, over everything that 64 bits can hold. */
static void test_line(void **state)
{
	(void)state;
	random_state = 1;
	for (int i = 0; i < 200000; i++) {
		uint64_t num = next_random() << 31 | next_random(), den = next_random() << 31;
		uint64_t d, got;
		struct ks_line l;
		ks_u128 want;

		den = (den | next_random()) >> next_random() % 64;
		num >>= next_random() % 64;
		d = (next_random() << 31 | next_random()) >> next_random() % 64;
		den += !den;
		l = ks_line_make(1000, 5, num, den);
		want = (ks_u128)d * num / den;
		got = ks_line_at(&l, d > UINT64_MAX - 1000 ? UINT64_MAX : 1000 + d);
		if (d > UINT64_MAX - 1000 || want > UINT64_MAX - 5)
			continue;
		/* 63 bits of slope: exact below 2^62, then off by parts in 2^62. */
		assert_true(got <= want + 5 + 1);
		assert_true(want + 5 <= got + 1 + (want >> 61));
	}
}

static void test_line_clamps(void **state)
{
	struct ks_line up = ks_line_make(100, 50, UINT64_MAX, 1);
	struct ks_line flat = ks_line_make(100, 50, 0, 7);
	struct ks_line slow = ks_line_make(100, 50, 1, UINT64_MAX);

	(void)state;
	assert_int_equal(ks_line_at(&up, 102), UINT64_MAX);
	assert_int_equal(ks_line_at(&up, UINT64_MAX), UINT64_MAX);
	assert_int_equal(ks_line_at(&up, 99), 0);
	assert_int_equal(ks_line_at(&up, 100), 50);
	assert_int_equal(ks_line_at(&flat, UINT64_MAX), 50);
	assert_int_equal(ks_line_at(&flat, 0), 50);
	assert_int_equal(ks_line_at(&slow, UINT64_MAX), 51); /* 0.99... */
}

static void test_two_samples(void **state)
{
	/* 100 days of uptime, 5 GHz */
	const struct ks_rec recs[] = { sample(100 * DAY, 500 * DAY, 10),
				       { .type = KS_LOSS, .time = 100 * DAY + 5 },
				       sample(100 * DAY + 10 * SECOND, 500 * DAY + 50 * SECOND,
					      12) };
	struct ks_clockmap *m = must_map(recs, 3);

	(void)state;
	assert_int_equal(ks_clockmap_tsc(m, 100 * DAY), 500 * DAY);
	assert_int_equal(ks_clockmap_tsc(m, 100 * DAY + 7), 500 * DAY + 35);
	assert_int_equal(ks_clockmap_mono(m, 500 * DAY + 35), 100 * DAY + 7);
	assert_int_equal(ks_clockmap_tsc(m, 100 * DAY + 10 * SECOND), 500 * DAY + 50 * SECOND);
	/* beyond the ends, to the beginning of time and a hundred days on */
	assert_in_range(ks_clockmap_tsc(m, DAY), 5 * DAY - 1, 5 * DAY + 1);
	assert_in_range(ks_clockmap_mono(m, 1000 * DAY), 200 * DAY - 1, 200 * DAY + 1);
	assert_int_equal(ks_clockmap_tsc(m, UINT64_MAX), UINT64_MAX);
	assert_int_equal(ks_clockmap_error(m), 13);
	assert_true(fabs(ks_clockmap_hz(m, 0) - 5e9) < 1);
	assert_true(fabs(ks_clockmap_hz(m, UINT64_MAX) - 5e9) < 1);
	ks_clockmap_free(m);
	ks_clockmap_free(NULL);
}

static void test_too_few(void **state)
{
	const struct ks_rec recs[] = { sample(5, 5, 1),
				       { .type = KS_PAUSE, .time = 6 },
				       sample(5, 9, 1) };
	const struct ks_rec stuck[] = { sample(5, 5, 1), sample(6, 5, 1), sample(7, 4, 1) };
	struct ks_clockmap *m;

	(void)state;
	assert_int_equal(ks_clockmap_new(&m, recs, 0), -ENODATA);
	assert_int_equal(ks_clockmap_new(&m, recs, 1), -ENODATA);
	assert_int_equal(ks_clockmap_new(&m, recs, 3), -ENODATA); /* twice the same moment */
	assert_int_equal(ks_clockmap_new(&m, stuck, 3), -ENODATA);
}

/* Whatever a hostile trace has as samples: no trap, and both ways monotonic. */
/* A guest is put back right after its first sample: what comes after that is its clock. */
static void test_set_back_at_once(void **state)
{
	const struct ks_rec recs[] = { sample(1 * SECOND, 9000000000000, 100),
				       sample(2 * SECOND, 1000000000, 100),
				       sample(3 * SECOND, 3000000000, 100),
				       sample(4 * SECOND, 5000000000, 100) };
	struct ks_clockmap *m = must_map(recs, 4);

	(void)state;
	assert_in_range(ks_clockmap_tsc(m, 3 * SECOND + SECOND / 2), 3999999900, 4000000100);
	ks_clockmap_free(m);
}

static void test_hostile_samples(void **state)
{
	struct ks_rec recs[20];

	(void)state;
	random_state = 3;
	for (int round = 0; round < 5000; round++) {
		struct ks_clockmap *m;
		uint64_t x = 0, y = 0, step;

		for (int i = 0; i < 20; i++)
			recs[i] = sample((next_random() << 31) >> next_random() % 64,
					 (next_random() << 33) >> next_random() % 64,
					 (next_random() << 33) >> next_random() % 64);
		if (ks_clockmap_new(&m, recs, 20))
			continue;
		step = UINT64_MAX >> next_random() % 40;
		for (uint64_t v = 0, n = 0;
		     n<50; n++, v = v> UINT64_MAX - step ? UINT64_MAX : v + step) {
			assert_true(ks_clockmap_tsc(m, v) >= x);
			assert_true(ks_clockmap_mono(m, v) >= y);
			x = ks_clockmap_tsc(m, v);
			y = ks_clockmap_mono(m, v);
		}
		ks_clockmap_hz(m, step);
		ks_clockmap_free(m);
	}
}

/*
 * A machine with a TSC of `hz` whose CLOCK_MONOTONIC is slewed: every `hold` samples or more the
 * rate changes by up to `ppm`, somewhere between two samples. Samples are off by up to b.
 */
#define SAMPLES 120

struct machine {
	struct ks_rec rec[SAMPLES];
	uint64_t mono[4 * SAMPLES + 4], tsc[4 * SAMPLES + 4]; /* the truth, four to a sample */
	size_t n;
};

static uint64_t jitter(uint64_t v, uint64_t by)
{
	return v - by + next_random() % (2 * by + 1);
}

static void run_machine(struct machine *mc, double hz, unsigned int hold, double ppm, uint64_t b)
{
	double rate = 1.0, mono = 5e12;
	uint64_t tsc = 123456789;
	unsigned int since = 0;

	mc->n = 0;
	for (int i = 0; i < SAMPLES; i++) {
		unsigned int change = since >= hold && next_random() % 3 == 0 ?
					      1 + (unsigned int)next_random() % 3 :
					      0;

		mc->rec[i] = sample(jitter((uint64_t)mono, b), tsc, b + 1);
		for (unsigned int k = 0; k < 4; k++) {
			uint64_t step = (uint64_t)(hz / 4);

			mc->mono[mc->n] = (uint64_t)mono;
			mc->tsc[mc->n++] = tsc;
			if (change && k == change) {
				double part = (double)(next_random() % 2001) / 1000 - 1;

				rate = 1.0 + ppm * 1e-6 * part;
				since = 0;
			}
			tsc += step;
			mono += (double)step / hz * 1e9 * rate;
		}
		since++;
	}
	mc->n -= 3; /* the truth ends with the last sample */
}

static uint64_t worst_error(const struct machine *mc, const struct ks_clockmap *m, double hz)
{
	uint64_t worst = 0;

	for (size_t i = 0; i < mc->n; i++) {
		uint64_t e = distance(ks_clockmap_mono(m, mc->tsc[i]), mc->mono[i]);
		uint64_t back = distance(ks_clockmap_tsc(m, mc->mono[i]), mc->tsc[i]);

		worst = e > worst ? e : worst;
		back = (uint64_t)((double)back / hz * 1e9);
		worst = back > worst ? back : worst;
	}
	return worst;
}

static void test_bound_holds(void **state)
{
	static const double hz[] = { 2.6e9, 1e9, 5e9, 99999999 };
	static struct machine mc;

	(void)state;
	for (unsigned int seed = 1; seed <= 400; seed++) {
		double ppm = seed % 4 * seed % 4 * 50, f = hz[seed % 4];
		struct ks_clockmap *m;

		random_state = seed;
		run_machine(&mc, f, 4, ppm, seed % 60);
		m = must_map(mc.rec, SAMPLES);
		if (worst_error(&mc, m, f) > ks_clockmap_error(m))
			fail_msg("seed %u: off by %lu ns, bound %lu", seed,
				 (unsigned long)worst_error(&mc, m, f),
				 (unsigned long)ks_clockmap_error(m));
		ks_clockmap_free(m);
	}
}

/* And is not so wide that it says nothing: an unslewed clock, brackets of 40 ns. */
static void test_bound_is_tight(void **state)
{
	static struct machine mc;

	(void)state;
	for (unsigned int seed = 1; seed <= 100; seed++) {
		struct ks_clockmap *m;

		random_state = seed;
		run_machine(&mc, 2.6e9, 4, 0, 20);
		m = must_map(mc.rec, SAMPLES);
		assert_true(ks_clockmap_error(m) < 120);
		ks_clockmap_free(m);
	}
}

/* One sample that was interrupted in every try must not spoil the whole map. */
static void test_wide_bracket_is_dropped(void **state)
{
	static struct machine mc;
	struct ks_clockmap *m;

	(void)state;
	random_state = 5;
	run_machine(&mc, 2.6e9, 4, 0, 20);
	mc.rec[60].time += 900000;
	mc.rec[60].b = 1000000;
	m = must_map(mc.rec, SAMPLES);
	assert_true(ks_clockmap_error(m) < 120);
	assert_true(worst_error(&mc, m, 2.6e9) <= ks_clockmap_error(m));
	ks_clockmap_free(m);
}

/*
 * An emulated machine: TSC and CLOCK_MONOTONIC come from different clocks and wobble against each
 * other at every reading, by far more than the brackets tell.
 */
static void test_wobble_shows_in_bound(void **state)
{
	static struct machine mc;

	(void)state;
	for (unsigned int seed = 1; seed <= 100; seed++) {
		struct ks_clockmap *m;

		random_state = seed;
		run_machine(&mc, 1e9, 4, 0, 20);
		for (int i = 0; i < SAMPLES; i++)
			mc.rec[i].time = jitter(mc.rec[i].time, 3000);
		for (size_t i = 0; i < mc.n; i++)
			mc.mono[i] = jitter(mc.mono[i], 3000);
		m = must_map(mc.rec, SAMPLES);
		assert_true(worst_error(&mc, m, 1e9) <= ks_clockmap_error(m));
		ks_clockmap_free(m);
	}
}

/* This machine's own clocks: samples are honest, and the map foretells other readings. */
static void test_real_clock(void **state)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	struct ks_rec recs[12], probe[11];
	struct ks_clockmap *m;

	(void)state;
	assert_int_equal(ks_clock_sample(recs, 0), -EINVAL);
	for (int i = 0; i < 12; i++) {
		uint64_t t0 = __rdtsc();

		assert_int_equal(ks_clock_sample(&recs[i], 50), 0);
		assert_in_range(recs[i].a, t0, __rdtsc());
		assert_int_equal(recs[i].type, KS_CLOCK);
		assert_true(recs[i].b > 0 && recs[i].b < 1000000);
		nanosleep(&pause, NULL);
		if (i < 11)
			assert_int_equal(ks_clock_sample(&probe[i], 50), 0);
		nanosleep(&pause, NULL);
	}
	m = must_map(recs, 12);
	for (int i = 0; i < 11; i++)
		assert_true(distance(ks_clockmap_mono(m, probe[i].a), probe[i].time) <=
			    ks_clockmap_error(m) + probe[i].b);
	ks_clockmap_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_line_clamps),
		cmocka_unit_test(test_two_samples),
		cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_hostile_samples),
		cmocka_unit_test(test_set_back_at_once),
		cmocka_unit_test(test_bound_holds),
		cmocka_unit_test(test_bound_is_tight),
		cmocka_unit_test(test_wide_bracket_is_dropped),
		cmocka_unit_test(test_wobble_shows_in_bound),
		cmocka_unit_test(test_real_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
