// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's clock on its host's: a host and a guest are simulated, the guest's TSC offset and ratio
 * change in mid-trace, and every mapped time is held against the truth.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "line.h"

#define SECOND 1000000000ull
#define MS 1000000ull
#define HOST_HZ 2600000000ull
#define START (3 * 86400 * SECOND) /* of the recording, host's clock */
#define LENGTH (20 * SECOND)
#define FRAC 32
#define MAX_CHANGES 8

static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return random_state >> 31;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

struct change {
	uint64_t at; /* host ns */
	uint64_t offset, ratio;
};

/* The VM is stopped for so long: its kvm-clock stands still, its TSC does not. < 0: it jumps ahead. */
struct pause {
	uint64_t at; /* host ns */
	int64_t ns;
};

/* The guest's clock is slewed for a while, on top of slew_ppm. */
struct slewing {
	uint64_t from, to; /* host ns */
	int64_t ppm;
};

struct world {
	struct change change[MAX_CHANGES];
	size_t nchanges;
	struct pause pause[MAX_CHANGES];
	size_t npauses;
	struct slewing slewing[MAX_CHANGES];
	size_t nslewings;
	bool tsc_clock; /* the guest's clock follows its TSC; else it is a kvm-clock */
	uint64_t guest_hz;
	int64_t slew_ppm; /* of the guest's clock against the host's */
	uint64_t b;
	struct ks_clockmap *host, *guest;
	struct ks_guestclock *clock;
};

static uint64_t host_tsc(uint64_t h)
{
	return (uint64_t)((ks_u128)h * HOST_HZ / SECOND);
}

static const struct change *change_at(const struct world *w, uint64_t h)
{
	size_t i = w->nchanges - 1;

	while (i && w->change[i].at > h)
		i--;
	return &w->change[i];
}

static uint64_t scale(uint64_t tsc, uint64_t ratio)
{
	return ratio ? (uint64_t)((ks_u128)tsc * ratio >> FRAC) : tsc;
}

static uint64_t guest_tsc(const struct world *w, uint64_t h)
{
	const struct change *c = change_at(w, h);

	return scale(host_tsc(h), c->ratio) + c->offset;
}

/* ns that the guest's clock has gained by pauses and slewing since it began. */
static int64_t gained(const struct world *w, uint64_t h)
{
	int64_t sum = 0;

	for (size_t i = 0; i < w->npauses; i++) {
		const struct pause *p = &w->pause[i];

		if (h < p->at)
			continue;
		if (p->ns > 0 && h - p->at < (uint64_t)p->ns)
			sum -= (int64_t)(h - p->at);
		else
			sum -= p->ns;
	}
	for (size_t i = 0; i < w->nslewings; i++) {
		const struct slewing *s = &w->slewing[i];
		uint64_t to = h < s->to ? h : s->to;

		if (to > s->from)
			sum += (int64_t)(to - s->from) * s->ppm / 1000000;
	}
	return sum;
}

/*
 * The guest's CLOCK_MONOTONIC. A kvm-clock runs with the host's; a TSC clock source counts what the
 * TSC has moved forwards, and stands still until it has made good a step backwards.
 */
static uint64_t guest_mono(const struct world *w, uint64_t h)
{
	uint64_t from = START - 50 * SECOND, top;
	uint64_t ns = h - from + (uint64_t)gained(w, h);

	if (w->tsc_clock) {
		top = guest_tsc(w, h);
		for (size_t i = 1; i < w->nchanges && w->change[i].at <= h; i++)
			if (guest_tsc(w, w->change[i].at - 1) > top)
				top = guest_tsc(w, w->change[i].at - 1);
		ns = (uint64_t)((ks_u128)(top - guest_tsc(w, from)) * SECOND / w->guest_hz);
	}
	return 77 * SECOND + ns + (uint64_t)((int64_t)ns * w->slew_ppm / 1000000);
}

static uint64_t jitter(const struct world *w, uint64_t v)
{
	return v - w->b + next_random() % (2 * w->b + 1);
}

/* Is the VM stopped? */
static bool stands(const struct world *w, uint64_t h)
{
	for (size_t i = 0; i < w->npauses; i++)
		if (w->pause[i].ns > 0 && h >= w->pause[i].at &&
		    h - w->pause[i].at <= (uint64_t)w->pause[i].ns)
			return true;
	return false;
}

/* Guest's samples one a second, the host's as well, at other moments. */
static int start_clock(struct world *w)
{
	struct ks_rec host[32], guest[32], offset[MAX_CHANGES];
	size_t n = 0, ng = 0;

	for (uint64_t h = START; h <= START + LENGTH; h += SECOND) {
		host[n++] = (struct ks_rec){
			.time = jitter(w, h), .type = KS_CLOCK, .a = host_tsc(h), .b = w->b + 1
		};
		if (stands(w, h + 300 * MS))
			continue;
		guest[ng++] = (struct ks_rec){ .time = jitter(w, guest_mono(w, h + 300 * MS)),
					       .type = KS_CLOCK,
					       .a = guest_tsc(w, h + 300 * MS),
					       .b = w->b + 1 };
	}
	for (size_t i = 0; i < w->nchanges; i++)
		offset[i] = (struct ks_rec){ .time = w->change[i].at,
					     .type = KS_TSC_OFFSET,
					     .a = w->change[i].offset,
					     .b = w->change[i].ratio };
	assert_int_equal(ks_clockmap_new(&w->host, host, n), 0);
	assert_int_equal(ks_clockmap_new(&w->guest, guest, ng), 0);
	return ks_guestclock_new(&w->clock, w->guest, w->host, offset, w->nchanges, FRAC);
}

static void end_clock(struct world *w)
{
	ks_guestclock_free(w->clock);
	ks_clockmap_free(w->guest);
	ks_clockmap_free(w->host);
}

/*
 * A TSC that is stepped backwards stops a clock that follows it: there is no bound then until the
 * second sample behind the stop, as ks_guestclock_steps() says.
 */
static bool stopped(const struct world *w, uint64_t h)
{
	for (size_t i = 1; i < w->nchanges && w->tsc_clock; i++) {
		const struct change *c = &w->change[i];
		int64_t back = (int64_t)(c[-1].offset - c->offset);

		if (back > 0 && h >= c->at &&
		    h < c->at + (uint64_t)back / (HOST_HZ / SECOND) + 2 * SECOND)
			return true;
		/* nor between two steps of any kind with no sample between them */
		if (h >= c->at && i + 1 < w->nchanges && h <= c[1].at && c[1].at - c->at < SECOND)
			return true;
	}
	return false;
}

/* Between the two samples that a break lies between. */
static bool broken(const struct world *w, uint64_t h)
{
	uint64_t e = ks_guestclock_error(w->clock);
	size_t n;
	const struct ks_clockbreak *b = ks_guestclock_breaks(w->clock, &n);

	for (size_t i = 0; i < n; i++)
		if (h + e >= b[i].from && h <= b[i].to + e)
			return true;
	return false;
}

/* Every moment of the recording: mapped within the bound, and never backwards. */
static void check_map(const struct world *w, unsigned int seed)
{
	uint64_t last = 0;

	for (uint64_t h = START + 300 * MS; h < START + LENGTH; h += 997 * 1009) {
		uint64_t got = ks_guestclock_map(w->clock, guest_mono(w, h));

		if (got < last)
			fail_msg("seed %u: runs backwards", seed);
		last = got;
		if (!stopped(w, h) && !broken(w, h) &&
		    distance(got, h) > ks_guestclock_error(w->clock))
			fail_msg("seed %u: off by %ld ns at %lu, bound %lu", seed, (long)(got - h),
				 (unsigned long)(h - START),
				 (unsigned long)ks_guestclock_error(w->clock));
	}
}

static void check_tsc(const struct world *w)
{
	uint64_t bound = ks_clockmap_error(w->host) + 2;

	for (uint64_t h = START + 300 * MS; h < START + LENGTH; h += 997 * 1009 * 7) {
		uint64_t near = ks_guestclock_from_tsc_after(w->clock, guest_tsc(w, h), h - 50);

		assert_true(distance(near, h) <= bound + 50);
	}
}

static void test_one_offset(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 60; seed++) {
		struct world w = { .change = { { .offset = -host_tsc(START - 40 * SECOND) } },
				   .nchanges = 1,
				   .tsc_clock = seed % 2,
				   .guest_hz = HOST_HZ,
				   .slew_ppm = (int64_t)(seed % 7) * 60 - 180,
				   .b = seed % 40 };
		uint64_t step, start;

		random_state = seed;
		assert_int_equal(start_clock(&w), 0);
		check_map(&w, seed);
		check_tsc(&w);
		start = ks_guestclock_from_tsc(w.clock, guest_tsc(&w, START));
		assert_true(distance(start, START) <= ks_clockmap_error(w.host) + 1);
		assert_int_equal(ks_guestclock_steps(w.clock, &step), 0);
		assert_int_equal(step, 0);
		assert_true(ks_guestclock_error(w.clock) < 60 + 10 * w.b);
		end_clock(&w);
	}
}

/* Scaled TSCs of both vendors' kinds, 1.0 to 4.1 GHz seen by the guest. */
static void test_ratio(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 60; seed++) {
		uint64_t hz = 1000000000ull + seed * 52000000ull;
		uint64_t ratio = (uint64_t)(((ks_u128)hz << FRAC) / HOST_HZ);
		struct world w = { .change = { { .offset = 12345 - scale(host_tsc(START), ratio),
						 .ratio = ratio } },
				   .nchanges = 1,
				   .tsc_clock = seed % 2,
				   .guest_hz = hz,
				   .b = 15 };

		random_state = seed;
		/* the guest's TSC began at the recording's start: its clock is older, no matter */
		w.change[0].offset += hz * 100;
		assert_int_equal(start_clock(&w), 0);
		check_map(&w, seed);
		check_tsc(&w);
		end_clock(&w);
	}
}

/* The offset steps in mid-trace: forwards, backwards, several times, twice within a second. */
static void test_offset_steps(void **state)
{
	static const int64_t step[] = { 1, -1, 40, -40, 3000, -3000, 900000, -900000 };

	(void)state;
	for (unsigned int seed = 1; seed <= 400; seed++) {
		struct world w = { .change = { { .offset = -host_tsc(START - 90 * SECOND) } },
				   .nchanges = 1,
				   .tsc_clock = seed % 2,
				   .guest_hz = HOST_HZ,
				   .slew_ppm = 20,
				   .b = 20 };
		size_t n;

		random_state = seed;
		w.nchanges += 1 + next_random() % 3;
		for (size_t i = 1; i < w.nchanges; i++) {
			int64_t us = step[next_random() % 8];

			/* close together, two may fall between two samples */
			w.change[i].at = w.change[i - 1].at + 450 * MS;
			w.change[i].at += next_random() % (5 * SECOND);
			if (i == 1)
				w.change[i].at = START + SECOND + next_random() % (8 * SECOND);
			w.change[i].offset = w.change[i - 1].offset +
					     (uint64_t)(us * (int64_t)(HOST_HZ / 1000000));
		}
		assert_int_equal(start_clock(&w), 0);
		ks_guestclock_breaks(w.clock, &n);
		assert_int_equal(n, 0);
		check_map(&w, seed);
		check_tsc(&w);
		end_clock(&w);
	}
}

/* A step is told, with its size, if the guest's clock went with it, and not if it did not. */
static void test_steps_are_reported(void **state)
{
	(void)state;
	for (int tsc_clock = 0; tsc_clock < 2; tsc_clock++) {
		struct world w = { .change = { { .offset = -host_tsc(START - 90 * SECOND) } },
				   .nchanges = 2,
				   .tsc_clock = tsc_clock,
				   .guest_hz = HOST_HZ,
				   .b = 20 };
		uint64_t largest;

		random_state = 1;
		w.change[1] = w.change[0];
		w.change[1].at = START + 7700 * MS;
		w.change[1].offset += HOST_HZ / 10;
		assert_int_equal(start_clock(&w), 0);
		assert_int_equal(ks_guestclock_steps(w.clock, &largest), 1);
		if (tsc_clock)
			assert_true(distance(largest, 100 * MS) < 1000);
		else
			assert_true(largest < 1000);
		end_clock(&w);
	}
}

static struct world plain_world(unsigned int seed)
{
	random_state = seed;
	return (struct world){ .change = { { .offset = -host_tsc(START - 40 * SECOND) } },
			       .nchanges = 1,
			       .guest_hz = HOST_HZ,
			       .slew_ppm = (int64_t)(seed % 11) * 40 - 200,
			       .b = seed % 40 };
}

/* One pause in a piece of its own, each: between the sample at `second` and the next one. */
static void add_pause(struct world *w, uint64_t second, int64_t ns)
{
	uint64_t room = ns > 0 && ns < (int64_t)SECOND ? SECOND - (uint64_t)ns : SECOND;

	w->pause[w->npauses++] =
		(struct pause){ START + second * SECOND + 300 * MS + next_random() % room, ns };
}

static void check_breaks(const struct world *w, unsigned int seed)
{
	size_t n;
	const struct ks_clockbreak *b = ks_guestclock_breaks(w->clock, &n);

	if (n != w->npauses)
		fail_msg("seed %u: %zu breaks for %zu pauses", seed, n, w->npauses);
	for (size_t i = 0; i < n; i++) {
		const struct pause *p = &w->pause[i];
		uint64_t end = p->at + (p->ns > 0 ? (uint64_t)p->ns : 0);

		assert_true(b[i].from <= p->at + 100 && end <= b[i].to + 100);
		assert_true(b[i].own_from < b[i].own_to);
		/* but for what was slewed in the same time */
		if (distance((uint64_t)b[i].behind_ns, (uint64_t)p->ns) >
		    400 + (end - p->at) / 1000)
			fail_msg("seed %u: %ld ns instead of %ld", seed, (long)b[i].behind_ns,
				 (long)p->ns);
	}
}

/* What is not broken keeps its bound, however long the VM was stopped. */
static void test_pauses(void **state)
{
	static const int64_t length[] = { 2 * MS,
					  5 * MS,
					  50 * MS,
					  950 * MS,
					  3 * SECOND,
					  -(int64_t)(4 * MS),
					  -(int64_t)(700 * MS) };

	(void)state;
	for (unsigned int seed = 1; seed <= 400; seed++) {
		struct world w = plain_world(seed);
		uint64_t at = next_random() % 3;

		/* of 20 pieces up to three, the first one and neighbours among them */
		for (unsigned int k = next_random() % 3 + 1; k; k--) {
			int64_t ns = length[next_random() % 7];

			add_pause(&w, at, ns);
			at += 1 + next_random() % 4 + (ns > 0 ? (uint64_t)ns / SECOND : 0);
		}
		assert_int_equal(start_clock(&w), 0);
		check_breaks(&w, seed);
		check_map(&w, seed);
		if (ks_guestclock_error(w.clock) >= 60 + 12 * w.b)
			fail_msg("seed %u: bound %lu with %lu", seed,
				 (unsigned long)ks_guestclock_error(w.clock), (unsigned long)w.b);
		end_clock(&w);
	}
}

/* Jitter, rates that drift and whatever NTP slews are no breaks, and stay within the bound. */
static void test_no_breaks(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 600; seed++) {
		struct world w = plain_world(seed);
		size_t n;

		if (seed % 3 == 0) /* readings that were interrupted now and then */
			w.b = 20000;
		for (w.nslewings = 0; w.nslewings < seed % 5; w.nslewings++) {
			uint64_t from = START + next_random() % LENGTH;
			uint64_t ns = next_random() % SECOND + (seed % 2 ? 0 : 2 * SECOND);
			int64_t ppm = seed % 2 ? 500 : (int64_t)(next_random() % 1000) - 500;

			w.slewing[w.nslewings] = (struct slewing){ from, from + ns, ppm };
			if (w.nslewings) /* one after the other */
				break;
		}
		assert_int_equal(start_clock(&w), 0);
		ks_guestclock_breaks(w.clock, &n);
		if (n)
			fail_msg("seed %u: %zu breaks", seed, n);
		/* A rate that changes twice in a piece is more than the bound is good for. */
		if (seed % 2 == 0 || !w.nslewings)
			check_map(&w, seed);
		end_clock(&w);
	}
}

/* A VM that is stopped in nearly every second: what a break is nobody can tell, and nothing is claimed. */
static void test_broken_everywhere(void **state)
{
	struct world w = plain_world(1);

	(void)state;
	for (uint64_t i = 0; i < MAX_CHANGES; i++)
		add_pause(&w, 2 * i + 1, (int64_t)((7 + 13 * i) * MS));
	assert_int_equal(start_clock(&w), 0);
	check_map(&w, 0);
	end_clock(&w);
}

/* As many breaks as samples will give, in a recording of a week: memory and time for each, no more. */
static void test_many_breaks(void **state)
{
	const size_t n = 600000;
	struct ks_rec *s = calloc(n, sizeof(*s)), host[2], offset = { .type = KS_TSC_OFFSET };
	struct ks_clockmap *hm, *gm;
	struct ks_guestclock *g;
	uint64_t t = START, own = SECOND, last = 0;
	size_t found;

	(void)state;
	random_state = 3;
	for (size_t i = 0; i < n; i++) {
		s[i] = (struct ks_rec){ .time = own, .type = KS_CLOCK, .a = host_tsc(t), .b = 20 };
		t += SECOND;
		own += SECOND - (i % 3 ? 0 : 10 * MS + next_random() % (400 * MS));
	}
	for (size_t i = 0; i < 2; i++) {
		uint64_t at = i ? t : START;

		host[i] =
			(struct ks_rec){ .time = at, .type = KS_CLOCK, .a = host_tsc(at), .b = 20 };
	}
	assert_int_equal(ks_clockmap_new(&hm, host, 2), 0);
	assert_int_equal(ks_clockmap_new(&gm, s, n), 0);
	assert_int_equal(ks_guestclock_new(&g, gm, hm, &offset, 1, FRAC), 0);
	ks_guestclock_breaks(g, &found);
	assert_true(found > n / 3 - 10 && found <= n / 3 + 1);
	assert_true(ks_guestclock_error(g) < 1000);
	for (size_t i = 0; i + 1 < n; i++) {
		uint64_t got = ks_guestclock_map(g, (s[i].time + s[i + 1].time) / 2);

		assert_true(got >= last);
		last = got;
	}
	ks_guestclock_free(g);
	ks_clockmap_free(gm);
	ks_clockmap_free(hm);
	free(s);
}

/* Of four samples nobody can tell which piece is the odd one: the bound says so. */
static void test_too_short_to_tell(void **state)
{
	struct ks_rec s[4], offset = { .type = KS_TSC_OFFSET };
	struct ks_clockmap *hm, *gm;
	struct ks_guestclock *g;
	size_t n;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		s[i] = (struct ks_rec){ .time = START + i * SECOND,
					.type = KS_CLOCK,
					.a = host_tsc(START + i * SECOND),
					.b = 20 };
	assert_int_equal(ks_clockmap_new(&hm, s, 4), 0);
	s[2].time -= 50 * MS;
	s[3].time -= 50 * MS;
	assert_int_equal(ks_clockmap_new(&gm, s, 4), 0);
	assert_int_equal(ks_guestclock_new(&g, gm, hm, &offset, 1, FRAC), 0);
	ks_guestclock_breaks(g, &n);
	assert_int_equal(n, 0);
	assert_true(ks_guestclock_error(g) >= 50 * MS);
	ks_guestclock_free(g);
	ks_clockmap_free(gm);
	ks_clockmap_free(hm);
}

/*
 * A recording of a second or two has no piece to hold the one against in which the VM was stopped for 50 ms: `last` is when
 * the last sample was taken, `middle` one before it, 0: none.
 */
static void check_short(uint64_t middle, uint64_t last)
{
	const uint64_t at[] = { 0, middle, last };
	struct ks_rec host[4], guest[3], offset = { .type = KS_TSC_OFFSET };
	struct ks_clockmap *hm, *gm;
	struct ks_guestclock *g;
	size_t n = 0;

	for (size_t i = 0; i < 4; i++)
		host[i] = (struct ks_rec){ .time = START + i * SECOND,
					   .type = KS_CLOCK,
					   .a = host_tsc(START + i * SECOND),
					   .b = 20 };
	for (size_t i = 0; i < 3; i++)
		if (!i || at[i])
			guest[n++] = (struct ks_rec){ .time = START + at[i] - (i ? 50 * MS : 0),
						      .type = KS_CLOCK,
						      .a = host_tsc(START + at[i]),
						      .b = 20 };
	assert_int_equal(ks_clockmap_new(&hm, host, 4), 0);
	assert_int_equal(ks_clockmap_new(&gm, guest, n), 0);
	assert_int_equal(ks_guestclock_new(&g, gm, hm, &offset, 1, FRAC), 0);
	/* Just before the stop, had it been at the very end, the line is off by all of it. */
	assert_true(ks_guestclock_error(g) >= 49900000);
	assert_true(ks_guestclock_error(g) < 51 * MS);
	ks_guestclock_free(g);
	ks_clockmap_free(gm);
	ks_clockmap_free(hm);
}

static void test_nothing_to_hold_it_against(void **state)
{
	(void)state;
	check_short(0, 900 * MS);
	check_short(SECOND, SECOND + 5 * MS);
}

/* A TSC value that the guest had twice, and one that it never had. */
static void test_from_tsc_is_told_apart(void **state)
{
	struct world w = {
		.change = { { .offset = 0 } }, .nchanges = 3, .guest_hz = HOST_HZ, .b = 5
	};
	uint64_t back = START + 5 * SECOND, forth = START + 10 * SECOND, tsc, bound, late;

	(void)state;
	random_state = 1;
	w.change[1] = (struct change){ .at = back, .offset = -HOST_HZ };
	w.change[2] = (struct change){ .at = forth, .offset = HOST_HZ };
	assert_int_equal(start_clock(&w), 0);
	bound = ks_clockmap_error(w.host) + 2;
	tsc = guest_tsc(&w, back - 500 * MS); /* again half a second behind the step */
	assert_true(distance(ks_guestclock_from_tsc(w.clock, tsc), back - 500 * MS) <= bound);
	assert_true(distance(ks_guestclock_from_tsc_after(w.clock, tsc, back), back + 500 * MS) <=
		    bound);
	/* "after" a moment later by no more than the map's error: the first time is meant */
	late = ks_guestclock_from_tsc(w.clock, tsc) + ks_clockmap_error(w.host);
	assert_int_equal(ks_guestclock_from_tsc_after(w.clock, tsc, late), late);
	tsc = guest_tsc(&w, forth) - HOST_HZ; /* skipped when it stepped by two seconds */
	assert_int_equal(ks_guestclock_from_tsc(w.clock, tsc), forth);
	end_clock(&w);
}

static void test_refusals(void **state)
{
	const struct ks_rec samples[] = { { .time = 1000, .type = KS_CLOCK, .a = 1000 },
					  { .time = 2000, .type = KS_CLOCK, .a = 2000 } };
	const struct ks_rec pause = { .type = KS_PAUSE };
	const struct ks_rec offset = { .time = 1000, .type = KS_TSC_OFFSET };
	struct ks_guestclock *g = NULL;
	struct ks_clockmap *m;

	(void)state;
	assert_int_equal(ks_clockmap_new(&m, samples, 2), 0);
	assert_int_equal(ks_guestclock_new(&g, m, m, NULL, 0, 32), -ENOENT);
	assert_int_equal(ks_guestclock_new(&g, m, m, &pause, 1, 32), -ENOENT);
	assert_int_equal(ks_guestclock_new(&g, m, m, &offset, 1, 64), -EINVAL);
	assert_null(g);
	assert_int_equal(ks_guestclock_new(&g, m, m, &offset, 1, 48), 0);
	assert_int_equal(ks_guestclock_map(g, 1500), 1500);
	ks_guestclock_free(g);
	ks_guestclock_free(NULL);
	ks_clockmap_free(m);
}

/* Samples and offsets of any value: no trap, and the map is monotonic all the same. */
static void test_hostile(void **state)
{
	struct ks_rec h[8], s[24], offset[24];

	(void)state;
	random_state = 9;
	for (int round = 0; round < 4000; round++) {
		struct ks_clockmap *host, *guest;
		struct ks_guestclock *g;
		uint64_t last = 0, t = 0;

		for (int i = 0; i < 8; i++)
			h[i] = (struct ks_rec){ .time = START + i * SECOND,
						.type = KS_CLOCK,
						.a = host_tsc(START + i * SECOND),
						.b = 20 };
		for (int i = 0; i < 24; i++) {
			t += next_random() << 33 >> next_random() % 64;
			s[i] = (struct ks_rec){ .time = t,
						.type = KS_CLOCK,
						.a = next_random() << 33 >> next_random() % 64,
						.b = next_random() << 33 >> next_random() % 64 };
			offset[i] = (struct ks_rec){ .time = START + next_random() * 3,
						     .type = KS_TSC_OFFSET,
						     .a = next_random() << 33 >> next_random() % 64,
						     .b = next_random() >> next_random() % 64 };
		}
		assert_int_equal(ks_clockmap_new(&host, h, 8), 0);
		if (ks_clockmap_new(&guest, s, 24)) {
			ks_clockmap_free(host);
			continue;
		}
		if (!ks_guestclock_new(&g, guest, host, offset, 24, next_random() % 64)) {
			uint64_t step = UINT64_MAX >> next_random() % 50;
			size_t breaks;

			ks_guestclock_breaks(g, &breaks);
			assert_true(breaks < 24);
			for (uint64_t v = 0, n = 0; n < 64; n++, v += step) {
				if (n && v < step)
					break;
				assert_true(ks_guestclock_map(g, v) >= last);
				last = ks_guestclock_map(g, v);
				ks_guestclock_from_tsc_after(g, v, v);
			}
			ks_guestclock_free(g);
		}
		ks_clockmap_free(guest);
		ks_clockmap_free(host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_offset),
		cmocka_unit_test(test_ratio),
		cmocka_unit_test(test_offset_steps),
		cmocka_unit_test(test_steps_are_reported),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_no_breaks),
		cmocka_unit_test(test_broken_everywhere),
		cmocka_unit_test(test_many_breaks),
		cmocka_unit_test(test_too_short_to_tell),
		cmocka_unit_test(test_nothing_to_hold_it_against),
		cmocka_unit_test(test_from_tsc_is_told_apart),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
