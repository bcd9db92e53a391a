// SPDX-License-Identifier: GPL-2.0
/* Files that are cut, bit-flipped, of another version or foreign: read as far as they are sound. */
#include "test_trace_small.h"

static void test_cut_everywhere(void **state)
{
	struct dir *d = *state;
	struct chunk c[64];
	struct seen s;
	size_t len, n;
	uint8_t *data = small_trace(d, true, &len);

	n = walk(data, len, c, 64);
	assert_int_equal(read_all(d->file, &s), 0);
	assert_int_equal(s.records, RECORDS);
	assert_int_equal(s.control, 2);
	assert_false(s.truncated);
	for (size_t cut = len - 1; cut; cut--) {
		size_t whole = sizeof(struct ks_file_header);
		uint32_t records = 0;

		assert_int_equal(truncate(d->file, (off_t)cut), 0);
		for (size_t i = 0; i < n && c[i].end <= cut; i++) {
			records += c[i].h.type == KS_CHUNK_RECORDS ? c[i].h.count : 0;
			whole = c[i].end;
		}
		if (cut < sizeof(struct ks_file_header)) {
			assert_int_equal(read_all(d->file, &s), -ENODATA);
			continue;
		}
		assert_int_equal(read_all(d->file, &s), 0);
		assert_int_equal(s.records, records);
		assert_int_equal(s.bad, cut - whole);
		assert_true(s.truncated);
	}
	free(data);
}

static bool in_padding(const struct chunk *c, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++)
		if (at >= c[i].at + sizeof(c[i].h) + c[i].h.length && at < c[i].end)
			return true;
	return false;
}

static void poke(int fd, const uint8_t *data, size_t at, uint8_t flip)
{
	uint8_t byte = data[at] ^ flip;

	assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
}

static void flip_everywhere(const struct dir *d, bool ended)
{
	size_t len, n;
	uint8_t *data = small_trace(d, ended, &len);
	struct chunk c[64];
	struct seen s;
	int fd;

	n = walk(data, len, c, 64);
	save_file(d->file, data, len);
	fd = open(d->file, O_WRONLY);
	assert_true(fd >= 0);
	for (size_t bit = 0; bit < len * 8; bit += 3) { /* two or three of each byte */
		if (bit)
			poke(fd, data, (bit - 3) / 8, 0);
		poke(fd, data, bit / 8, (uint8_t)(1u << bit % 8));
		if (bit / 8 < sizeof(struct ks_file_header)) {
			assert_true(read_all(d->file, &s) < 0);
			continue;
		}
		assert_int_equal(read_all(d->file, &s), 0);
		check_told(&s);
		if (!in_padding(c, n, bit / 8) && bit / 8 < c[n - 1].at)
			assert_true(s.bad > 0 || (s.records == RECORDS && s.control == 2));
		if (ended && s.records < RECORDS) /* with an index the number is exact */
			assert_int_equal(s.records + s.lost, RECORDS);
	}
	close(fd);
	free(data);
}

static void test_flip_everywhere(void **state)
{
	flip_everywhere(*state, true);
}

static void test_flip_everywhere_without_index(void **state)
{
	flip_everywhere(*state, false);
}

static void read_again(struct ks_reader *r, uint64_t from, uint64_t lost)
{
	const struct ks_rec *rec;
	struct ks_err err;
	uint64_t told = 0;

	assert_int_equal(ks_reader_seek(r, from, &err), 0);
	while (ks_reader_next(r, &rec, &err) > 0)
		told += rec->type == KS_LOSS ? rec->b : 0;
	assert_int_equal(told, lost);
}

/* A damaged chunk is told where it begins and where it ends, with its ring and exact number. */
static void test_damaged_payload_is_a_loss(void **state)
{
	struct dir *d = *state;
	struct chunk c[64];
	size_t len, n, k = 0;
	uint8_t *data = small_trace(d, true, &len);
	const struct ks_rec *rec;
	struct ks_reader *r;
	struct ks_err err;
	uint64_t lost = 0;

	n = walk(data, len, c, 64);
	while (k < n && (c[k].h.type != KS_CHUNK_RECORDS || c[k].h.ring != 1))
		k++;
	assert_true(k < n);
	data[c[k].at + 100] ^= 4;
	save_file(d->file, data, len);
	free(data);
	r = must_read(d->file);
	while (ks_reader_next(r, &rec, &err) > 0) {
		if (rec->type != KS_LOSS)
			continue;
		assert_int_equal(rec->cpu, 1);
		assert_int_equal(rec->time, lost ? c[k].h.last : c[k].h.first);
		assert_int_equal(ks_loss_from(rec), c[k].h.first);
		assert_int_equal(ks_loss_to(rec), c[k].h.last);
		lost += rec->b;
	}
	assert_int_equal(lost, c[k].h.count);
	assert_int_equal(ks_reader_lost(r), lost);
	assert_int_equal(ks_reader_bad_bytes(r), c[k].end - c[k].at);
	read_again(r, 0, c[k].h.count); /* it is told anew, and counted once */
	read_again(r, c[k].h.first + 1, c[k].h.count - 1);
	assert_int_equal(ks_reader_lost(r), lost);
	assert_int_equal(ks_reader_bad_bytes(r), c[k].end - c[k].at);
	ks_reader_close(r);
}

/* With its header gone, the index tells the same; here the first of three INDEX chunks. */
static void test_damaged_header_is_in_the_index(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 2);
	const uint32_t n = 2 * KS_INDEX_ENTRIES + 100, at = 1000;
	const struct ks_rec *rec;
	uint32_t losses = 0, got = 0;
	struct ks_reader *r;
	struct ks_err err;
	size_t len;
	uint8_t *data;

	for (uint32_t i = 0; i < n; i++) {
		struct ks_rec in = made_up(i);

		assert_int_equal(ks_writer_add(w, i % 2, &in, 1), 0);
		assert_int_equal(ks_writer_flush(w) | ks_writer_flush(w), 0);
	}
	must_close(w);
	data = load_file(d->file, &len);
	data[sizeof(struct ks_file_header) + at * ks_chunk_size(32) + 8] ^= 1;
	save_file(d->file, data, len);
	free(data);
	r = must_read(d->file);
	while (ks_reader_next(r, &rec, &err) > 0) {
		got += rec->type == KS_PAUSE;
		if (rec->type != KS_LOSS)
			continue;
		losses++;
		assert_int_equal(rec->cpu, at % 2);
		assert_int_equal(rec->time, made_up(at).time);
		assert_int_equal(rec->a, made_up(at).time);
		assert_int_equal(rec->b, 1);
	}
	assert_int_equal(losses, 1);
	assert_int_equal(got, n - 1);
	ks_reader_close(r);
}

static void damage_byte(const char *path, size_t at)
{
	size_t len;
	uint8_t *data = load_file(path, &len);

	assert_true(at < len);
	data[at] ^= 1;
	save_file(path, data, len);
	free(data);
}

/* Going to a time within a chunk whose header is gone does not pass it over. */
static void test_seek_into_damage(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	const uint32_t n = 8 * KS_CHUNK_RECS, at = 4 * KS_CHUNK_RECS + 100;
	size_t chunk = ks_chunk_size(KS_CHUNK_RECS * sizeof(struct ks_rec));
	const struct ks_rec *rec;
	struct ks_reader *r;
	struct ks_err err;

	for (uint32_t i = 0; i < n; i++) {
		struct ks_rec in = made_up(i);

		assert_int_equal(ks_writer_add(w, 0, &in, 1), 0);
	}
	must_close(w);
	damage_byte(d->file, sizeof(struct ks_file_header) + 4 * chunk + 8);
	r = must_read(d->file);
	assert_int_equal(ks_reader_seek(r, made_up(at).time, &err), 0);
	assert_int_equal(ks_reader_next(r, &rec, &err), 1);
	assert_int_equal(rec->type, KS_LOSS);
	assert_int_equal(ks_loss_from(rec), made_up(4 * KS_CHUNK_RECS).time);
	assert_int_equal(ks_loss_to(rec), made_up(5 * KS_CHUNK_RECS - 1).time);
	assert_int_equal(ks_reader_next(r, &rec, &err), 1);
	assert_int_equal(rec->id, 5 * KS_CHUNK_RECS);
	ks_reader_close(r);
}

/* The index damaged as well: the END chunk still tells how many records there should be. */
static void test_end_tells_the_number(void **state)
{
	struct dir *d = *state;
	struct chunk c[64];
	size_t len, n, k = 0;
	uint8_t *data = small_trace(d, true, &len);
	struct seen s;

	n = walk(data, len, c, 64);
	while (c[k].h.type != KS_CHUNK_RECORDS)
		k++;
	data[c[n - 2].at + 70] ^= 1; /* INDEX */
	save_file(d->file, data, len);
	assert_int_equal(read_all(d->file, &s), 0);
	assert_int_equal(s.records, RECORDS);
	assert_int_equal(s.lost, 0);
	data[c[n - 2].at + 20] ^= 1; /* its header, too: a hole, but without records */
	save_file(d->file, data, len);
	assert_int_equal(read_all(d->file, &s), 0);
	assert_int_equal(s.records, RECORDS);
	assert_int_equal(s.lost, 0);
	data[c[k].at + 20] ^= 1; /* and one with records */
	save_file(d->file, data, len);
	assert_int_equal(read_all(d->file, &s), 0);
	assert_int_equal(s.records, RECORDS - c[k].h.count);
	assert_true(s.lost >= c[k].h.count); /* nobody knows which of the holes they were in */
	assert_true(s.lost <= 2 * c[k].h.count);
	check_told(&s);
	free(data);
}

/* Bytes that somebody put between two chunks: as few as 8, and what follows is found. */
static void test_small_hole(void **state)
{
	struct dir *d = *state;
	struct chunk c[64];
	size_t len, n;
	uint8_t *data = small_trace(d, true, &len), *longer = calloc(1, len + 64);
	struct seen s;

	n = walk(data, len, c, 64);
	for (size_t i = 0; i < n; i++) {
		for (size_t hole = 8; hole <= 64; hole += 8) {
			memset(longer, 0x5a, len + 64);
			memcpy(longer, data, c[i].at);
			memcpy(longer + c[i].at + hole, data + c[i].at, len - c[i].at);
			save_file(d->file, longer, len + hole);
			assert_int_equal(read_all(d->file, &s), 0);
			assert_int_equal(s.records, RECORDS);
			assert_int_equal(s.lost, 0);
			assert_int_equal(s.bad, hole);
		}
	}
	free(longer);
	free(data);
}

static void add_and_flush(struct ks_writer *w, unsigned int ring, uint64_t from, uint64_t to)
{
	for (uint64_t t = from; t <= to; t += (to - from) / 5) { /* six: one chunk */
		struct ks_rec rec = { .time = t, .type = KS_PAUSE };

		assert_int_equal(ks_writer_add(w, ring, &rec, 1), 0);
	}
	assert_int_equal(ks_writer_flush(w) | ks_writer_flush(w), 0);
}

/*
 * A header that is gone without an index: nobody knows which ring it was, so it may be any; but a
 * recorder flushes every second, so it is only a few seconds of a long trace.
 */
static void test_hole_is_a_short_loss(void **state)
{
	const uint64_t second = 1000000000;
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 200);
	const struct ks_rec *control;
	size_t n, at[2] = { 0 };
	struct ks_reader *r;
	char partial[160];

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	for (uint64_t i = 0; i < 60; i++) {
		uint64_t t = (100 + i) * second;

		if (i == 30 || i == 31)
			at[i - 30] = ks_writer_bytes(w);
		add_and_flush(w, i % 2, t, t + 1000);
	}
	ks_writer_abort(w);
	damage_byte(partial, at[0] + 20);
	damage_byte(partial, at[1] + 20);
	r = must_read(partial);
	control = ks_reader_control(r, &n);
	assert_int_equal(n, 2); /* one hole, and the end that is missing */
	assert_int_equal(control[0].type, KS_LOSS);
	assert_int_equal(control[0].cpu, KS_RING_ANY);
	assert_in_range(control[0].a, 126 * second, 130 * second);
	assert_in_range(control[0].time, 131 * second + 1000, 136 * second);
	assert_true(control[0].b >= 12);
	ks_reader_close(r);
}

/* A ring that was silent for long did not lose all that time when the end was cut off. */
static void test_cut_end_is_a_short_loss(void **state)
{
	const uint64_t second = 1000000000;
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 2);
	const struct ks_rec *control;
	struct ks_reader *r;
	char partial[160];
	size_t n;

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	add_and_flush(w, 0, second, second + 1000);
	add_and_flush(w, 1, 20 * second, 20 * second + 1000);
	ks_writer_abort(w);
	r = must_read(partial);
	control = ks_reader_control(r, &n);
	assert_int_equal(n, 1);
	assert_int_equal(control->a, 17 * second + 1000);
	assert_int_equal(control->time, 20 * second + 1000);
	ks_reader_close(r);
}

/* All that a ring had may have been held back: of the last seconds nobody knows. */
static void test_cut_end_of_unseen_ring(void **state)
{
	const uint64_t second = 1000000000;
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 3);
	struct ks_rec rec = { .time = 19 * second + 500, .type = KS_VCPU_OUT };
	const struct ks_rec *control;
	struct ks_reader *r;
	char partial[160];
	size_t n;

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	add_and_flush(w, 0, 10 * second, 19 * second);
	add_and_flush(w, 1, 10 * second, 20 * second);
	assert_int_equal(ks_writer_add(w, 2, &rec, 1), 0);
	assert_int_equal(ks_writer_flush(w), 0);
	ks_writer_abort(w);
	r = must_read(partial);
	control = ks_reader_control(r, &n);
	assert_int_equal(n, 1);
	assert_int_equal(control->a, 17 * second);
	assert_int_equal(control->time, 20 * second);
	ks_reader_close(r);
}

/* A recording that did not end: what came after the flush may be there of one ring alone. */
static void test_cut_end_is_a_loss(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 2);
	const struct ks_rec *control;
	struct ks_reader *r;
	char partial[160];
	size_t n;

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	for (uint32_t i = 0; i < 3000; i++) {
		struct ks_rec rec = made_up(i);

		assert_int_equal(ks_writer_add(w, i > 10, &rec, 1), 0);
		if (i == 10)
			assert_int_equal(ks_writer_flush(w) | ks_writer_flush(w), 0);
	}
	ks_writer_abort(w); /* one full chunk of ring 1 is there, then nothing */
	r = must_read(partial);
	control = ks_reader_control(r, &n);
	assert_int_equal(n, 1);
	assert_int_equal(control->type, KS_LOSS);
	assert_int_equal(control->cpu, KS_RING_ANY);
	assert_int_equal(control->a, made_up(10).time);
	assert_int_equal(control->b, 1); /* at least: how many, nobody knows */
	ks_reader_close(r);
}

static void test_versions(void **state)
{
	struct dir *d = *state;
	struct ks_file_header h;
	struct seen s;
	size_t len;
	uint8_t *data = small_trace(d, true, &len);

	memcpy(&h, data, sizeof(h));
	h.minor = 77;
	put_header(data, &h);
	save_file(d->file, data, len);
	assert_int_equal(read_all(d->file, &s), 0);
	assert_int_equal(s.records, RECORDS);
	h.major = 2;
	put_header(data, &h);
	save_file(d->file, data, len);
	must_refuse(d->file, -EPROTO, "use a newer");
	h.major = 0;
	put_header(data, &h);
	save_file(d->file, data, len);
	must_refuse(d->file, -EPROTO, "use an older");
	h.major = KS_MAJOR;
	h.byte_order = __builtin_bswap32(KS_BYTE_ORDER);
	put_header(data, &h);
	save_file(d->file, data, len);
	must_refuse(d->file, -EINVAL, "big endian");
	h.byte_order = KS_BYTE_ORDER;
	h.side = 3;
	put_header(data, &h);
	save_file(d->file, data, len);
	must_refuse(d->file, -EBADMSG, "record it again");
	h.side = KS_SIDE_HOST;
	h.rings = 0x7fffffff;
	put_header(data, &h);
	save_file(d->file, data, len);
	must_refuse(d->file, -EBADMSG, "record it again");
	free(data);
}

static void test_foreign_files(void **state)
{
	struct dir *d = *state;
	static const char text[] = "# ID  vCPU  exits\n";
	static const char perf[] = "PERFILE2\x68\0\0\0\0\0\0\0";
	static const char dat[] = "\x17\x08\x44tracing6\0";
	static const char mangled[] = "\x89KVS\n\x1a\n";
	uint8_t noise[5000];

	must_refuse(d->file, -ENOENT, "No such file");
	must_refuse(d->path, -EISDIR, "directory");
	must_refuse("/dev/null", -EINVAL, "regular file");
	save_file(d->file, "", 0);
	must_refuse(d->file, -ENODATA, "empty");
	save_file(d->file, KS_FILE_MAGIC, 8);
	must_refuse(d->file, -ENODATA, "cut off");
	save_file(d->file, KS_FILE_MAGIC, 1);
	must_refuse(d->file, -ENODATA, "cut off");
	save_file(d->file, text, sizeof(text));
	must_refuse(d->file, -EINVAL, "not a trace");
	save_file(d->file, perf, sizeof(perf));
	must_refuse(d->file, -EINVAL, "perf.data");
	save_file(d->file, dat, sizeof(dat));
	must_refuse(d->file, -EINVAL, "trace-cmd");
	save_file(d->file, mangled, sizeof(mangled));
	must_refuse(d->file, -EINVAL, "text mode");
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)(i * i >> 3);
	save_file(d->file, noise, sizeof(noise));
	must_refuse(d->file, -EINVAL, "not a trace");
}

/* Cut while it is being read: no SIGBUS, a loss. */
static void test_shrinks_while_read(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, 1);
	const uint32_t n = 5 * KS_CHUNK_RECS;
	const struct ks_rec *rec;
	struct ks_reader *r;
	struct ks_err err;
	uint32_t got = 0;
	int ret;

	for (uint32_t i = 0; i < n; i++) {
		struct ks_rec in = made_up(i);

		assert_int_equal(ks_writer_add(w, 0, &in, 1), 0);
	}
	must_close(w);
	r = must_read(d->file);
	while ((ret = ks_reader_next(r, &rec, &err)) > 0) {
		got += rec->type == KS_PAUSE;
		if (got == 100)
			assert_int_equal(truncate(d->file, 70000), 0);
		if (rec->type != KS_LOSS)
			continue;
		assert_int_equal(ks_loss_from(rec), made_up(KS_CHUNK_RECS - 1).time);
		assert_int_equal(ks_loss_to(rec), made_up(n - 1).time);
	}
	assert_int_equal(ret, 0);
	assert_int_equal(got, KS_CHUNK_RECS);
	assert_int_equal(ks_reader_lost(r), n - KS_CHUNK_RECS);
	ks_reader_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cut_everywhere, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_flip_everywhere, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_flip_everywhere_without_index, setup_dir,
						teardown_dir),
		cmocka_unit_test_setup_teardown(test_damaged_payload_is_a_loss, setup_dir,
						teardown_dir),
		cmocka_unit_test_setup_teardown(test_damaged_header_is_in_the_index, setup_dir,
						teardown_dir),
		cmocka_unit_test_setup_teardown(test_seek_into_damage, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_end_tells_the_number, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_cut_end_is_a_loss, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_cut_end_of_unseen_ring, setup_dir,
						teardown_dir),
		cmocka_unit_test_setup_teardown(test_versions, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_foreign_files, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_small_hole, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_hole_is_a_short_loss, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_cut_end_is_a_short_loss, setup_dir,
						teardown_dir),
		cmocka_unit_test_setup_teardown(test_shrinks_while_read, setup_dir, teardown_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
