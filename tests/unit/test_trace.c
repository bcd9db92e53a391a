// SPDX-License-Identifier: GPL-2.0
/* What is written is what is read: records in order, control records, metadata, names of files. */
#include <zlib.h>

#include "test_trace_util.h"

/* Of every length, from every alignment, in one go and in two: what zlib says. */
static void test_crc(void **state)
{
	static uint8_t data[1100];
	uint64_t seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		data[i] = (uint8_t)(seed >> 40);
	}
	for (size_t len = 0; len <= 1024; len++) {
		const uint8_t *p = data + len % 67;
		uint32_t want = (uint32_t)crc32(0, p, (uInt)len), half;

		assert_int_equal(ks_crc(0, p, len), want);
		half = ks_crc(0, p, len / 3);
		assert_int_equal(ks_crc(half, p + len / 3, len - len / 3), want);
	}
	memset(data, 0, sizeof(data));
	assert_int_equal(ks_crc(0, data, 1024), crc32(0, data, 1024));
}

static void test_round_trip(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 3);
	const uint32_t n = 20011; /* several chunks on each ring, the last ones not full */
	const struct ks_rec *rec;
	struct ks_reader *r;
	struct ks_err err;

	for (uint32_t i = 0; i < n; i++) {
		struct ks_rec in = made_up(i);

		assert_int_equal(ks_writer_add(w, in.cpu, &in, 1), 0);
		if (i % 3001 == 0)
			assert_int_equal(ks_writer_flush(w), 0);
	}
	must_close(w);
	r = must_read(d->file);
	assert_int_equal(ks_reader_side(r), KS_SIDE_HOST);
	assert_string_equal(ks_reader_path(r), d->file);
	for (uint32_t i = 0; i < n; i++) {
		struct ks_rec want = made_up(i);

		assert_int_equal(ks_reader_next(r, &rec, &err), 1);
		assert_memory_equal(rec, &want, sizeof(want));
	}
	assert_int_equal(ks_reader_next(r, &rec, &err), 0);
	assert_int_equal(ks_reader_next(r, &rec, &err), 0);
	assert_false(ks_reader_truncated(r));
	assert_int_equal(ks_reader_bad_bytes(r), 0);
	assert_int_equal(ks_reader_lost(r), 0);
	ks_reader_close(r);
}

static void test_nothing_recorded(void **state)
{
	struct dir *d = *state;
	const struct ks_rec *rec;
	uint64_t first, last;
	struct ks_reader *r;
	struct ks_err err;
	size_t n;

	must_close(must_write(d->file, KS_SIDE_GUEST, 1));
	r = must_read(d->file);
	assert_int_equal(ks_reader_side(r), KS_SIDE_GUEST);
	assert_int_equal(ks_reader_next(r, &rec, &err), 0);
	assert_false(ks_reader_span(r, &first, &last));
	assert_int_equal(ks_reader_whole_until(r), 0);
	assert_false(ks_reader_truncated(r));
	assert_null(ks_reader_symbols(r, &n));
	ks_reader_control(r, &n);
	assert_int_equal(n, 0);
	ks_reader_exit_counts(r, &n);
	assert_int_equal(n, 0);
	assert_int_equal(json_object_object_length(ks_reader_meta(r)), 0);
	ks_reader_close(r);
}

/* An interrupt's record overtakes that of what it interrupted: put right, over flushes as well. */
static void test_swapped_neighbours(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	const uint32_t n = 10000;
	const struct ks_rec *rec;
	struct ks_reader *r;
	struct ks_err err;

	for (uint32_t i = 0; i < n; i += 2) {
		struct ks_rec newer = made_up(i + 1), older = made_up(i);

		assert_int_equal(ks_writer_add(w, 0, &newer, 1), 0);
		if (i % 100 == 0)
			assert_int_equal(ks_writer_flush(w), 0);
		assert_int_equal(ks_writer_add(w, 0, &older, 1), 0);
	}
	must_close(w);
	r = must_read(d->file);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(ks_reader_next(r, &rec, &err), 1);
		assert_int_equal(rec->id, i);
	}
	ks_reader_close(r);
}

/* A ring with a record now and then holds none back for long: a cut trace lacks a second of it. */
static void test_held_back_for_a_second(void **state)
{
	const uint64_t ms = 1000000;
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	struct ks_rec rec = { .type = KS_PAUSE }, clock = { .type = KS_CLOCK };
	const struct ks_rec *got;
	struct ks_reader *r;
	struct ks_err err;
	char partial[160];
	uint64_t newest = 0;

	for (uint32_t i = 0; i < 20; i++) { /* the last one that is a second old is 17 */
		rec.time = clock.time = (10000 + i * 900) * ms;
		assert_int_equal(ks_writer_add(w, 0, &rec, 1), 0);
		assert_int_equal(ks_writer_add(w, 0, &clock, 1), 0);
		assert_int_equal(ks_writer_flush(w), 0);
	}
	ks_writer_abort(w);
	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	r = must_read(partial);
	while (ks_reader_next(r, &got, &err) > 0)
		if (got->type == KS_PAUSE)
			newest = got->time;
	assert_int_equal(newest, (10000 + 17 * 900) * ms);
	ks_reader_close(r);
}

/* What is not so old stays back and is put in order. */
static void test_held_back_meanwhile(void **state)
{
	const uint64_t ms = 1000000;
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 2);
	struct ks_rec rec = { .type = KS_PAUSE };
	const struct ks_rec *got;
	struct ks_reader *r;
	struct ks_err err;
	uint64_t now = 0;

	for (uint32_t i = 0; i < 100; i++) {
		rec.time = (10000 + i * 300 + 50) * ms;
		assert_int_equal(ks_writer_add(w, i % 2, &rec, 1), 0);
		rec.time -= 50 * ms;
		assert_int_equal(ks_writer_flush(w), 0);
		assert_int_equal(ks_writer_add(w, i % 2, &rec, 1), 0);
	}
	must_close(w);
	r = must_read(d->file);
	for (uint32_t i = 0; i < 200; i++) {
		assert_int_equal(ks_reader_next(r, &got, &err), 1);
		assert_true(got->time > now);
		now = got->time;
	}
	ks_reader_close(r);
}

/* Two flushes with nothing in between write out what the first one held back. */
static void test_second_flush_writes_all(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	char partial[160];
	const struct ks_rec *rec;
	struct ks_reader *r;
	struct ks_err err;

	for (uint32_t i = 0; i < 5; i++) {
		struct ks_rec in = made_up(i);

		assert_int_equal(ks_writer_add(w, 0, &in, 1), 0);
	}
	assert_int_equal(ks_writer_flush(w), 0);
	assert_int_equal(ks_writer_flush(w), 0);
	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	must_refuse(d->file, -ENOENT, ".partial");
	r = must_read(partial); /* a recording can be read while it goes on */
	assert_true(ks_reader_truncated(r));
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(ks_reader_next(r, &rec, &err), 1);
	assert_int_equal(ks_reader_next(r, &rec, &err), 0);
	ks_reader_close(r);
	must_close(w);
}

/* Far too late to be put right: it comes late, as recorded, and time does not run backwards. */
static void test_late_record(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	const uint32_t n = 6000;
	struct ks_rec late = made_up(n);
	uint64_t now = 0;
	bool seen = false;
	struct ks_reader *r;
	struct ks_merge *m;
	struct ks_event ev;
	struct ks_err err;
	int ret;

	late.time = 5;
	for (uint32_t i = 0; i < n; i++) {
		struct ks_rec in = made_up(i);

		assert_int_equal(ks_writer_add(w, 0, &in, 1), 0);
	}
	assert_int_equal(ks_writer_add(w, 0, &late, 1), 0);
	must_close(w);
	r = must_read(d->file);
	assert_int_equal(ks_merge_new(&m), 0);
	assert_int_equal(ks_merge_add(m, r, NULL, NULL), 0);
	for (uint32_t i = 0; i < n + 1; i++) {
		assert_int_equal(ks_merge_next(m, &ev, &err), 1);
		assert_true(ev.time >= now);
		now = ev.time;
		seen |= ev.rec->id == n && ev.rec->time == 5 && ev.time > 5;
	}
	ret = ks_merge_next(m, &ev, &err);
	assert_int_equal(ret, 0);
	assert_true(seen);
	ks_merge_free(m);
	ks_reader_close(r);
}

static void test_control(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 2);
	const struct ks_rec in[] = {
		{ .time = 50, .type = KS_PAUSE },
		{ .time = 40, .type = KS_CLOCK, .a = 100, .b = 3 },
		{ .time = 60, .type = KS_LOSS, .cpu = 1, .a = 55, .b = 997 },
		{ .time = 50, .type = KS_VCPU_NEW, .id = 1 },
		{ .time = 10, .type = KS_TSC_OFFSET, .id = 1 },
		{ .time = 90, .type = KS_VCPU_GONE, .id = 1 },
	};
	const uint64_t times[] = { 10, 40, 50, 60, 90 };
	const uint8_t types[] = { KS_TSC_OFFSET, KS_CLOCK, KS_VCPU_NEW,
				  KS_PAUSE,	 KS_LOSS,  KS_VCPU_GONE };
	const struct ks_rec *control, *rec;
	uint64_t first, last;
	struct ks_reader *r;
	struct ks_err err;
	size_t n;

	assert_int_equal(ks_writer_add(w, 1, in, 6), 0);
	must_close(w);
	r = must_read(d->file);
	control = ks_reader_control(r, &n);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(control[i].time, times[i]);
	assert_int_equal(ks_reader_lost(r), 997);
	assert_true(ks_reader_span(r, &first, &last));
	assert_int_equal(first, 10);
	assert_int_equal(last, 90);
	assert_int_equal(ks_reader_whole_until(r), 50);
	/* They are in the stream as well, ahead of other records of their time. */
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(ks_reader_next(r, &rec, &err), 1);
		assert_int_equal(rec->type, types[i]);
	}
	ks_reader_close(r);
}

/* What was recorded while the probes were taken away, and control records after it, prove nothing of the others. */
static void whole_until(const struct dir *d, struct json_object *told, uint64_t want)
{
	struct ks_writer *w = must_write(d->file, KS_SIDE_GUEST, 2);
	struct json_object *end = json_object_new_object();
	const struct ks_rec in[] = {
		{ .time = 40, .type = KS_TASK_WAKE },
		{ .time = 50, .type = KS_TASK_WAKE },
		{ .time = 90, .type = KS_CLOCK },
	};
	uint64_t first, last;
	struct ks_reader *r;

	json_object_object_add(end, "end_mono_ns", told);
	assert_int_equal(ks_writer_add(w, 1, in, 3), 0);
	assert_int_equal(ks_writer_meta(w, end), 0);
	json_object_put(end);
	must_close(w);
	r = must_read(d->file);
	assert_true(ks_reader_span(r, &first, &last));
	assert_int_equal(last, 90);
	assert_int_equal(ks_reader_whole_until(r), want);
	ks_reader_close(r);
}

static void test_whole_until(void **state)
{
	const struct dir *d = *state;

	whole_until(d, json_object_new_int64(45), 45);
	whole_until(d, json_object_new_int64(70), 50);
	whole_until(d, json_object_new_int64(0), 50);
	whole_until(d, json_object_new_int64(-1), 50);
	whole_until(d, json_object_new_string("45"), 50);
	whole_until(d, NULL, 50);
}

/* However many names there are, what comes at the end is read. */
static void test_names_leave_room(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_GUEST, 1);
	struct json_object *names = json_object_new_object(), *end = json_object_new_object();
	struct ks_reader *r;
	char *long_name = calloc(1, 500001);
	int written = 0, ret;

	memset(long_name, 'x', 500000);
	json_object_object_add(names, "tasks", json_object_new_string(long_name));
	while ((ret = ks_writer_names(w, names)) == 0 && written < 100)
		written++;
	assert_int_equal(ret, 1);
	assert_in_range(written, 10, 13);
	json_object_object_add(end, "end", json_object_new_int(4711));
	assert_int_equal(ks_writer_meta(w, end), 0);
	must_close(w);
	r = must_read(d->file);
	assert_int_equal(ks_reader_bad_bytes(r), 0);
	assert_true(json_object_object_get_ex(ks_reader_meta(r), "end", NULL));
	ks_reader_close(r);
	json_object_put(names);
	json_object_put(end);
	free(long_name);
}

static void test_meta_grows(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	struct json_object *want, *bad = json_object_new_array();
	struct ks_reader *r;

	add_meta(w, "{\"side\":\"host\",\"ncpus\":4,\"vms\":{\"7\":{\"name\":\"a\",\"cid\":3}}}");
	add_meta(w, "{\"ncpus\":8,\"vms\":{\"9\":{\"name\":\"b\"},\"7\":{\"cid\":5}}}");
	add_meta(w, "{\"cpu_node\":[0,0,1],\"exit_code\":0}");
	add_meta(w, "{\"cpu_node\":[1]}");
	assert_int_equal(ks_writer_meta(w, bad), -EINVAL);
	json_object_put(bad);
	must_close(w);
	r = must_read(d->file);
	want = json_tokener_parse("{\"side\":\"host\",\"ncpus\":8,\"vms\":{\"7\":{\"name\":\"a\","
				  "\"cid\":5},\"9\":{\"name\":\"b\"}},\"cpu_node\":[1],"
				  "\"exit_code\":0}");
	assert_true(json_object_equal(ks_reader_meta(r), want));
	json_object_put(want);
	ks_reader_close(r);
}

static void test_symbols_and_counts(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	const struct ks_exit_count old[] = { { 0, 0x77, 1 } };
	const struct ks_exit_count now[] = { { 0, 0x77, 10 }, { 1, 0x78, 1ull << 40 } };
	const struct ks_exit_count *counts;
	size_t len = 300000, n;
	char *text = malloc(len + 1);
	struct ks_reader *r;

	for (size_t i = 0; i < len; i++)
		text[i] = i % 20 == 19 ? '\n' : "0123456789abcdef T_x"[(i * 7 + i / 20) % 20];
	text[len] = '\0';
	assert_int_equal(ks_writer_symbols(w, text, len), 0);
	assert_int_equal(ks_writer_exit_counts(w, old, 1), 0);
	assert_int_equal(ks_writer_exit_counts(w, now, 2), 0);
	assert_true(ks_writer_bytes(w) < len / 2);
	must_close(w);
	r = must_read(d->file);
	assert_string_equal(ks_reader_symbols(r, &n), text);
	assert_int_equal(n, len);
	assert_ptr_equal(ks_reader_symbols(r, NULL), ks_reader_symbols(r, NULL));
	counts = ks_reader_exit_counts(r, &n);
	assert_int_equal(n, 2);
	assert_memory_equal(counts, now, sizeof(now));
	ks_reader_close(r);
	free(text);
}

static void test_seek(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 3);
	const uint32_t n = 30000;
	const uint32_t targets[] = { 0, 1, 6143, 6144, 6145, 17777, 29998, 29999, 5 };
	struct ks_rec clock = { .time = made_up(17777).time, .type = KS_CLOCK };
	const struct ks_rec *rec;
	struct ks_reader *r;
	struct ks_err err;

	for (uint32_t i = 0; i < n; i++) {
		struct ks_rec in = made_up(i);

		assert_int_equal(ks_writer_add(w, in.cpu, &in, 1), 0);
	}
	assert_int_equal(ks_writer_add(w, 0, &clock, 1), 0);
	must_close(w);
	r = must_read(d->file);
	for (size_t k = 0; k < sizeof(targets) / sizeof(*targets); k++) {
		uint32_t want = targets[k];

		assert_int_equal(ks_reader_seek(r, made_up(want).time - k % 2, &err), 0);
		for (uint32_t i = want; i < n; i++) {
			assert_int_equal(ks_reader_next(r, &rec, &err), 1);
			if (rec->type == KS_CLOCK)
				assert_int_equal(ks_reader_next(r, &rec, &err), 1);
			assert_int_equal(rec->id, i);
		}
		assert_int_equal(ks_reader_next(r, &rec, &err), 0);
	}
	assert_int_equal(ks_reader_seek(r, UINT64_MAX, &err), 0);
	assert_int_equal(ks_reader_next(r, &rec, &err), 0);
	ks_reader_close(r);
}

/* More chunks than one INDEX chunk tells. */
static void test_many_chunks(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 2);
	const uint32_t n = 3 * KS_INDEX_ENTRIES + 5;
	const struct ks_rec *rec;
	struct ks_reader *r;
	struct ks_err err;

	for (uint32_t i = 0; i < n; i++) {
		struct ks_rec in = made_up(i);

		assert_int_equal(ks_writer_add(w, i % 2, &in, 1), 0);
		assert_int_equal(ks_writer_flush(w), 0);
		assert_int_equal(ks_writer_flush(w), 0);
	}
	must_close(w);
	r = must_read(d->file);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(ks_reader_next(r, &rec, &err), 1);
		assert_int_equal(rec->id, i);
	}
	assert_int_equal(ks_reader_next(r, &rec, &err), 0);
	assert_int_equal(ks_reader_bad_bytes(r), 0);
	assert_false(ks_reader_truncated(r));
	ks_reader_close(r);
}

static void write_one(const char *path, uint32_t i)
{
	struct ks_writer *w = must_write(path, KS_SIDE_HOST, 1);
	struct ks_rec rec = made_up(i);

	assert_int_equal(ks_writer_add(w, 0, &rec, 1), 0);
	must_close(w);
}

static uint32_t read_one(const char *path)
{
	struct ks_reader *r = must_read(path);
	const struct ks_rec *rec;
	struct ks_err err;
	uint32_t id;

	assert_int_equal(ks_reader_next(r, &rec, &err), 1);
	id = rec->id;
	ks_reader_close(r);
	return id;
}

static void test_names(void **state)
{
	struct dir *d = *state;
	char old[160], partial[160];
	struct stat st;

	snprintf(old, sizeof(old), "%s.old", d->file);
	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	write_one(d->file, 1);
	assert_int_equal(read_one(d->file), 1);
	assert_int_equal(access(old, F_OK), -1);
	write_one(d->file, 2);
	assert_int_equal(read_one(d->file), 2);
	assert_int_equal(read_one(old), 1);
	assert_int_equal(access(partial, F_OK), -1);
	assert_int_equal(stat(d->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void must_not_open(const char *path, int code, const char *word)
{
	struct ks_writer *w = NULL;
	struct ks_err err = { "" };

	assert_int_equal(ks_writer_open(&w, path, KS_SIDE_HOST, 1, &err), code);
	assert_null(w);
	assert_null(strchr(err.msg, '\n'));
	if (!strstr(err.msg, word))
		fail_msg("\"%s\" does not say \"%s\"", err.msg, word);
}

static void test_second_writer(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	struct ks_rec rec = made_up(3);
	char partial[160];

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	must_not_open(d->file, -EBUSY, "another recording");
	assert_int_equal(ks_writer_add(w, 0, &rec, 1), 0);
	assert_int_equal(ks_writer_flush(w), 0);
	assert_int_equal(ks_writer_flush(w), 0);
	ks_writer_abort(w);
	/* What a dead recorder left is not lost silently either. */
	must_not_open(d->file, -EEXIST, "move or remove");
	assert_int_equal(read_one(partial), 3);
	assert_int_equal(unlink(partial), 0);
	write_one(d->file, 4);
}

static void test_bad_arguments(void **state)
{
	struct dir *d = *state;
	struct ks_rec rec = made_up(0);
	struct ks_writer *w;
	struct ks_err err;

	must_not_open(d->path, -EISDIR, "directory");
	must_not_open("/dev/null", -EINVAL, "regular");
	must_not_open("/nonexistent/x", -ENOENT, "/nonexistent/x");
	must_not_open("", -EINVAL, "name");
	assert_int_equal(ks_writer_open(&w, d->file, KS_SIDE_HOST, 0, &err), -EINVAL);
	assert_int_equal(ks_writer_open(&w, d->file, 7, 1, &err), -EINVAL);
	assert_int_equal(ks_writer_open(&w, d->file, KS_SIDE_HOST, 1u << 20, NULL), -EINVAL);
	w = must_write(d->file, KS_SIDE_HOST, 2);
	assert_int_equal(ks_writer_add(w, 2, &rec, 1), -EINVAL);
	ks_writer_abort(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc),
		cmocka_unit_test_setup_teardown(test_round_trip, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_nothing_recorded, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_swapped_neighbours, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_held_back_for_a_second, setup_dir,
						teardown_dir),
		cmocka_unit_test_setup_teardown(test_held_back_meanwhile, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_second_flush_writes_all, setup_dir,
						teardown_dir),
		cmocka_unit_test_setup_teardown(test_late_record, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_control, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_whole_until, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_meta_grows, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_names_leave_room, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_symbols_and_counts, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_seek, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_many_chunks, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_names, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_second_writer, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_bad_arguments, setup_dir, teardown_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
