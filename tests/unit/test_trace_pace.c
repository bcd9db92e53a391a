// SPDX-License-Identifier: GPL-2.0
/* What grows is written again less and less often, and a trace that is cut is not far behind. */
#include "pace.h"
#include "test_trace_util.h"

#define SECOND 1000000000ull
#define TICK (SECOND + SECOND / 1000) /* who looks once a second is a little late each time */
#define BEGIN (100 * SECOND)

/* As a recorder does once a second. */
static bool look(struct ks_pace *p, uint64_t now, uint64_t sum)
{
	return ks_pace_due(p, now) && ks_pace_changed(p, now, sum);
}

static void test_growing_intervals(void **state)
{
	static const unsigned int at[] = { 0, 1, 3, 7, 15, 31, 63, 123, 183, 243 };
	struct ks_pace p = { 0 };
	unsigned int i, n = 0;

	(void)state;
	for (i = 0; i < 300; i++) {
		if (!look(&p, BEGIN + i * TICK, i + 1))
			continue;
		assert_true(n < 10);
		assert_in_range(i, at[n] ? at[n] - 1 : 0, at[n]); /* 60 s are 59 or 60 ticks */
		n++;
	}
	assert_int_equal(n, 10);
}

static void test_unchanged(void **state)
{
	struct ks_pace p = { 0 };
	uint64_t i;

	(void)state;
	assert_false(look(&p, BEGIN, 0));
	for (i = 1; i < 1000; i++)
		assert_int_equal(look(&p, BEGIN + i * TICK, i < 500 ? 7 : 8), i == 1 || i == 500);
}

/* A day of a recording in which everything changes all the time. */
static void test_cut(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	const unsigned int seconds = 86400;
	struct ks_exit_count c[100] = { 0 };
	const struct ks_exit_count *last;
	struct ks_pace p = { 0 };
	struct ks_reader *r;
	char partial[160];
	uint64_t i;
	size_t n;

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	for (i = 0; i < seconds; i++) {
		for (n = 0; n < 100; n++)
			c[n] = (struct ks_exit_count){ .slot = n, .count = i + 1 };
		if (look(&p, BEGIN + i * TICK, 100 * (i + 1)))
			assert_int_equal(ks_writer_exit_counts(w, c, 100), 0);
	}
	assert_in_range(ks_writer_bytes(w), 1000 * sizeof(c), 1600 * sizeof(c));
	ks_writer_abort(w);
	r = must_read(partial);
	last = ks_reader_exit_counts(r, &n);
	assert_int_equal(n, 100);
	assert_in_range(last[99].count, seconds - 60, seconds);
	ks_reader_close(r);
}

/* What went unseen, over so many seconds of a recording; then it ends, if it ends. */
static void record_unseen(struct ks_writer *w, unsigned int seconds, bool ends)
{
	struct json_object *m = json_object_new_object();
	struct ks_pace p = { 0 };
	uint64_t i;

	for (i = 0; i <= seconds; i++) {
		bool last = i == seconds;

		json_object_object_add(m, "unseen_vcpus", json_object_new_int64(i > 1000 ? 3 : 0));
		json_object_object_add(m, "unseen_exits", json_object_new_int64(2 * i));
		if (!last || ends)
			assert_int_equal(ks_pace_meta(&p, w, m, BEGIN + i * TICK, last), 0);
	}
	json_object_put(m);
}

static uint64_t meta_number(const struct ks_reader *r, const char *key)
{
	struct json_object *number = NULL;

	assert_true(json_object_object_get_ex(ks_reader_meta(r), key, &number));
	return json_object_get_uint64(number);
}

/* A recorder that is killed: what it did not see is in the trace all the same. */
static void test_unseen_in_cut(void **state)
{
	static const unsigned int lives[] = { 2, 10, 1100, 100000 };
	struct dir *d = *state;
	struct ks_reader *r;
	char partial[160];
	size_t i;

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	for (i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);

		record_unseen(w, lives[i], false);
		ks_writer_abort(w);
		r = must_read(partial);
		assert_int_equal(meta_number(r, "unseen_vcpus"), lives[i] > 1060 ? 3 : 0);
		assert_in_range(meta_number(r, "unseen_exits"),
				lives[i] < 70 ? lives[i] : 2 * (lives[i] - 62), 2 * (lives[i] - 1));
		ks_reader_close(r);
		unlink(partial);
	}
}

/* However long it lasts, there is room for what comes at the end. */
static void test_unseen_without_end(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	const unsigned int seconds = 200 * 86400;
	struct ks_reader *r;

	record_unseen(w, seconds, true);
	must_close(w);
	r = must_read(d->file);
	assert_int_equal(ks_reader_bad_bytes(r), 0);
	assert_int_equal(meta_number(r, "unseen_exits"), 2ull * seconds);
	ks_reader_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growing_intervals),
		cmocka_unit_test(test_unchanged),
		cmocka_unit_test_setup_teardown(test_cut, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_unseen_in_cut, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_unseen_without_end, setup_dir, teardown_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
