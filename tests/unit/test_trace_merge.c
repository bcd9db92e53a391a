// SPDX-License-Identifier: GPL-2.0
/* Several traces as one stream on one clock. */
#include "test_trace_util.h"

#define SOURCES 3
#define RINGS 5
#define RECORDS 20000u

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

/* Own clock to common clock: shifted and a little faster, as a guest's is. */
struct shift {
	uint64_t from, to;
	uint64_t ppm;
};

static uint64_t map_shift(void *ctx, uint64_t own)
{
	const struct shift *s = ctx;

	return s->to + (own - s->from) + (own - s->from) * s->ppm / 1000000;
}

static const struct shift shifts[SOURCES] = {
	{ 0, 0, 0 },
	{ 5000000000, 1000, 300 },
	{ 77, 2000000, 40 },
};

struct truth {
	uint64_t time; /* common clock */
	uint32_t src, id;
};

static int by_time(const void *a, const void *b)
{
	const struct truth *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return x->src != y->src ? (x->src < y->src ? -1 : 1) : x->id < y->id ? -1 : 1;
}

/* Runs of records from one ring, times that repeat; the rings' order never decides (id does). */
static void write_source(const char *path, unsigned int src, uint64_t seed, struct truth *t)
{
	struct ks_writer *w = must_write(path, src ? KS_SIDE_GUEST : KS_SIDE_HOST, RINGS);
	uint64_t time = shifts[src].from;

	for (uint32_t i = 0; i < RECORDS; i++) {
		struct ks_rec rec = { .type = KS_PAUSE, .id = i, .a = src };

		time += 1 + next_random(&seed) % (i % 1000 < 500 ? 3 : 900);
		rec.time = time;
		assert_int_equal(ks_writer_add(w, next_random(&seed) % (src + 2), &rec, 1), 0);
		if (next_random(&seed) % 4000 == 0)
			assert_int_equal(ks_writer_flush(w), 0);
		t[i] = (struct truth){ map_shift((void *)&shifts[src], time), src, i };
	}
	must_close(w);
}

static void test_three_sources(void **state)
{
	struct dir *d = *state;
	struct truth *t = calloc(SOURCES * RECORDS, sizeof(*t));
	struct ks_reader *r[SOURCES];
	struct ks_merge *m;
	struct ks_event ev;
	struct ks_err err;
	char path[128];

	assert_int_equal(ks_merge_new(&m), 0);
	for (unsigned int i = 0; i < SOURCES; i++) {
		snprintf(path, sizeof(path), "%s/%u.kvs", d->path, i);
		write_source(path, i, 997 + i, t + i * RECORDS);
		r[i] = must_read(path);
		assert_int_equal(ks_merge_add(m, r[i], i ? map_shift : NULL, (void *)&shifts[i]),
				 i);
	}
	qsort(t, SOURCES * RECORDS, sizeof(*t), by_time);
	for (uint32_t i = 0; i < SOURCES * RECORDS; i++) {
		assert_int_equal(ks_merge_next(m, &ev, &err), 1);
		assert_int_equal(ev.time, t[i].time);
		assert_int_equal(ev.src, t[i].src);
		assert_int_equal(ev.rec->a, t[i].src);
		assert_int_equal(ev.rec->id, t[i].id);
	}
	assert_int_equal(ks_merge_next(m, &ev, &err), 0);
	assert_int_equal(ks_merge_next(m, &ev, &err), 0);
	ks_merge_free(m);
	for (unsigned int i = 0; i < SOURCES; i++)
		ks_reader_close(r[i]);
	free(t);
}

static void test_equal_times(void **state)
{
	struct dir *d = *state;
	const struct ks_rec host[] = { { .time = 10, .type = KS_PAUSE, .id = 1 },
				       { .time = 10, .type = KS_PAUSE, .id = 2 } };
	const struct ks_rec guest[] = { { .time = 10, .type = KS_CLOCK, .id = 3 },
					{ .time = 10, .type = KS_LOCK_ACQ, .id = 4 } };
	char path[128];
	struct ks_writer *w;
	struct ks_reader *r[2];
	struct ks_merge *m;
	struct ks_event ev;
	struct ks_err err;

	w = must_write(d->file, KS_SIDE_HOST, 1);
	assert_int_equal(ks_writer_add(w, 0, host, 2), 0);
	must_close(w);
	snprintf(path, sizeof(path), "%s/guest.kvs", d->path);
	w = must_write(path, KS_SIDE_GUEST, 1);
	assert_int_equal(ks_writer_add(w, 0, guest, 2), 0);
	must_close(w);
	r[0] = must_read(d->file);
	r[1] = must_read(path);
	assert_int_equal(ks_merge_new(&m), 0);
	assert_int_equal(ks_merge_add(m, r[0], NULL, NULL), 0);
	assert_int_equal(ks_merge_add(m, r[1], NULL, NULL), 1);
	for (uint32_t i = 1; i <= 4; i++) {
		assert_int_equal(ks_merge_next(m, &ev, &err), 1);
		assert_int_equal(ev.rec->id, i);
	}
	ks_merge_free(m);
	ks_reader_close(r[0]);
	ks_reader_close(r[1]);
}

/* From the middle: seek each reader, then merge. */
static void test_seek_then_merge(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 2);
	struct ks_reader *r;
	struct ks_merge *m;
	struct ks_event ev;
	struct ks_err err;

	for (uint32_t i = 0; i < 10000; i++) {
		struct ks_rec rec = made_up(i);

		assert_int_equal(ks_writer_add(w, i % 2, &rec, 1), 0);
	}
	must_close(w);
	r = must_read(d->file);
	assert_int_equal(ks_reader_seek(r, made_up(9000).time, &err), 0);
	assert_int_equal(ks_merge_new(&m), 0);
	assert_int_equal(ks_merge_add(m, r, NULL, NULL), 0);
	for (uint32_t i = 9000; i < 10000; i++) {
		assert_int_equal(ks_merge_next(m, &ev, &err), 1);
		assert_int_equal(ev.rec->id, i);
	}
	assert_int_equal(ks_merge_next(m, &ev, &err), 0);
	ks_merge_free(m);
	ks_reader_close(r);
}

static void test_nothing_to_merge(void **state)
{
	struct dir *d = *state;
	struct ks_reader *r;
	struct ks_merge *m;
	struct ks_event ev;
	struct ks_err err;

	assert_int_equal(ks_merge_new(&m), 0);
	assert_int_equal(ks_merge_next(m, &ev, &err), 0);
	must_close(must_write(d->file, KS_SIDE_HOST, 4));
	r = must_read(d->file);
	assert_int_equal(ks_merge_add(m, r, NULL, NULL), 0);
	assert_int_equal(ks_merge_next(m, &ev, &err), 0);
	ks_merge_free(m);
	ks_merge_free(NULL);
	ks_reader_close(r);
}

/* As on a big host: 300 rings; what the reader holds is bounded by one chunk per ring. */
static void test_many_rings(void **state)
{
	struct dir *d = *state;
	const uint32_t rings = 300, n = 200000;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, rings);
	const struct ks_rec *rec;
	struct ks_reader *r;
	struct ks_err err;
	uint64_t seed = 7;

	for (uint32_t i = 0; i < n; i++) {
		struct ks_rec in = made_up(i);

		assert_int_equal(ks_writer_add(w, next_random(&seed) % rings, &in, 1), 0);
	}
	must_close(w);
	r = must_read(d->file);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(ks_reader_next(r, &rec, &err), 1);
		assert_int_equal(rec->id, i);
	}
	assert_int_equal(ks_reader_next(r, &rec, &err), 0);
	ks_reader_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_three_sources, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_equal_times, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_seek_then_merge, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_nothing_to_merge, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_many_rings, setup_dir, teardown_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
