// SPDX-License-Identifier: GPL-2.0
/* Files that are cut, bit-flipped, foreign or made to hurt: read as far as they are sound. */
#include <zlib.h>

#include "test_trace_util.h"

#define RECORDS 90u
#define SYMBOLS "ffffffff81000000 T _text\nffffffff81000100 t native_queued_spin_lock_slowpath\n"

/* A small trace with every kind of chunk; several RECORDS chunks on each of three rings. */
static uint8_t *small_trace(const struct dir *d, bool ended, size_t *len)
{
	struct ks_writer *w = must_write(d->file, KS_SIDE_GUEST, 3);
	const struct ks_exit_count count = { 2, 0x77, 5 };
	struct ks_rec clock = { .time = 1000, .type = KS_CLOCK, .a = 7, .b = 3 };
	char partial[160];
	uint8_t *data;

	snprintf(partial, sizeof(partial), "%s.partial", d->file);
	add_meta(w, "{\"side\":\"guest\",\"tasks\":{\"1\":\"init\"}}");
	assert_int_equal(ks_writer_add(w, 0, &clock, 1), 0);
	for (uint32_t i = 0; i < RECORDS; i++) {
		struct ks_rec rec = made_up(i);

		assert_int_equal(ks_writer_add(w, rec.cpu, &rec, 1), 0);
		if (i % 30 != 29)
			continue;
		assert_int_equal(ks_writer_flush(w), 0);
		assert_int_equal(ks_writer_flush(w), 0);
	}
	assert_int_equal(ks_writer_symbols(w, SYMBOLS, strlen(SYMBOLS)), 0);
	assert_int_equal(ks_writer_exit_counts(w, &count, 1), 0);
	clock.time = made_up(RECORDS).time;
	assert_int_equal(ks_writer_add(w, 0, &clock, 1), 0);
	assert_int_equal(ks_writer_flush(w), 0);
	data = ended ? NULL : load_file(partial, len);
	must_close(w);
	return ended ? load_file(d->file, len) : data;
}

/* Offset and size of every chunk, found without the reader. */
struct chunk {
	size_t at, end;
	struct ks_chunk_header h;
};

static size_t walk(const uint8_t *data, size_t len, struct chunk *c, size_t max)
{
	size_t at = sizeof(struct ks_file_header), n = 0;

	while (at < len) {
		assert_true(n < max);
		memcpy(&c[n].h, data + at, sizeof(c[n].h));
		c[n].at = at;
		at += sizeof(c[n].h) + (c[n].h.length + 7) / 8 * 8;
		c[n++].end = at;
	}
	assert_int_equal(at, len);
	return n;
}

struct seen {
	uint32_t records, control;
	uint64_t lost, bad;
	bool truncated, id[RECORDS];
	uint64_t loss_from, loss_to; /* around all KS_LOSS records */
};

static void note_loss(struct seen *s, const struct ks_rec *rec)
{
	s->loss_from = rec->a < s->loss_from ? rec->a : s->loss_from;
	s->loss_to = rec->time > s->loss_to ? rec->time : s->loss_to;
}

/* Read it all; every record that comes must be one that was written, once. */
static int read_all(const char *path, struct seen *s)
{
	struct ks_reader *r = NULL;
	const struct ks_rec *rec;
	struct ks_err err = { "" };
	uint64_t now = 0;
	int ret;

	*s = (struct seen){ .loss_from = UINT64_MAX };
	ret = ks_reader_open(&r, path, &err);
	if (ret) {
		assert_ptr_equal(strstr(err.msg, path), err.msg);
		assert_null(strchr(err.msg, '\n'));
		return ret;
	}
	ks_reader_symbols(r, NULL);
	while ((ret = ks_reader_next(r, &rec, &err)) > 0) {
		assert_true(rec->time >= now);
		now = rec->time;
		if (rec->type == KS_PAUSE) {
			assert_true(is_made_up(rec) && rec->id < RECORDS && !s->id[rec->id]);
			s->id[rec->id] = true;
			s->records++;
		} else if (rec->type == KS_LOSS) {
			note_loss(s, rec);
		} else {
			assert_int_equal(rec->type, KS_CLOCK);
			s->control++;
		}
	}
	assert_int_equal(ret, 0);
	s->lost = ks_reader_lost(r);
	s->bad = ks_reader_bad_bytes(r);
	s->truncated = ks_reader_truncated(r);
	ks_reader_close(r);
	return 0;
}

/* Whatever is missing lies inside a loss that is told. */
static void check_told(const struct seen *s)
{
	for (uint32_t i = 0; i < RECORDS; i++)
		if (!s->id[i])
			assert_true(made_up(i).time >= s->loss_from &&
				    made_up(i).time <= s->loss_to);
	assert_true(s->records + s->lost >= RECORDS);
}

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
	for (size_t bit = 0; bit < len * 8; bit++) {
		if (bit)
			poke(fd, data, (bit - 1) / 8, 0);
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
		assert_int_equal(rec->a, c[k].h.first);
		assert_int_equal(rec->time, lost ? c[k].h.last : c[k].h.first);
		lost += rec->b;
	}
	assert_int_equal(lost, c[k].h.count);
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

static void put_header(uint8_t *data, const struct ks_file_header *h)
{
	struct ks_file_header out = *h;

	out.crc = (uint32_t)crc32(0, (const Bytef *)&out, offsetof(struct ks_file_header, crc));
	memcpy(data, &out, sizeof(out));
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

static size_t put_chunk(uint8_t *at, struct ks_chunk_header h, const void *payload)
{
	h.magic = KS_CHUNK_MAGIC;
	h.payload_crc = (uint32_t)crc32(0, payload, h.length);
	h.header_crc = (uint32_t)crc32(0, (const Bytef *)&h,
				       offsetof(struct ks_chunk_header, header_crc));
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), payload, h.length);
	return sizeof(h) + (h.length + 7) / 8 * 8;
}

static size_t put_start(uint8_t *at)
{
	struct ks_file_header h = {
		.major = KS_MAJOR,
		.byte_order = KS_BYTE_ORDER,
		.size = sizeof(h),
		.side = KS_SIDE_GUEST,
		.rings = 2,
		.record_size = sizeof(struct ks_rec),
	};

	memcpy(h.magic, KS_FILE_MAGIC, 8);
	put_header(at, &h);
	return sizeof(h);
}

/* Metadata as a hostile guest would send it: dropped and counted, and the rest is read. */
static void test_hostile_meta(void **state)
{
	struct dir *d = *state;
	static const char *const bad[] = { "", "[1]", "{", "{\"a\":", "nonsense", "1", "\"{\"" };
	size_t room = 1 << 20, len;
	uint8_t *data = calloc(1, room);
	char *deep = malloc(100001);
	struct ks_reader *r;

	len = put_start(data);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct ks_chunk_header h = { .type = KS_CHUNK_META,
					     .length = (uint32_t)strlen(bad[i]) };

		len += put_chunk(data + len, h, bad[i]);
	}
	for (size_t i = 0; i < 100000; i++)
		deep[i] = "{\"a\":"[i % 5];
	len += put_chunk(data + len,
			 (struct ks_chunk_header){ .type = KS_CHUNK_META, .length = 100000 }, deep);
	len += put_chunk(data + len,
			 (struct ks_chunk_header){ .type = KS_CHUNK_META, .length = 9 },
			 "{\"ok\":42}");
	save_file(d->file, data, len);
	r = must_read(d->file);
	assert_int_equal(json_object_object_length(ks_reader_meta(r)), 1);
	assert_int_equal(ks_reader_bad_bytes(r),
			 len - sizeof(struct ks_file_header) - ks_chunk_size(9));
	ks_reader_close(r);
	free(deep);
	free(data);
}

/* Sizes that lie: of symbols, of rings, of chunks that end behind the file. */
static void test_hostile_sizes(void **state)
{
	struct dir *d = *state;
	const struct ks_rec rec = made_up(1);
	uint8_t data[4096] = { 0 };
	const struct ks_rec *out;
	struct ks_reader *r;
	struct ks_err err;
	size_t len;

	len = put_start(data);
	len += put_chunk(data + len,
			 (struct ks_chunk_header){ .type = KS_CHUNK_SYMBOLS, .length = 8,
						   .raw_length = KS_MAX_SYMBOLS_RAW }, "bombbomb");
	len += put_chunk(data + len,
			 (struct ks_chunk_header){ .type = KS_CHUNK_RECORDS, .ring = 2,
						   .count = 1, .length = 32 }, &rec);
	len += put_chunk(data + len,
			 (struct ks_chunk_header){ .type = KS_CHUNK_RECORDS, .ring = 1,
						   .count = 1, .length = 32, .first = UINT64_MAX,
						   .last = 3 }, &rec);
	len += put_chunk(data + len,
			 (struct ks_chunk_header){ .type = KS_CHUNK_CONTROL, .count = 1,
						   .length = 32 }, &rec);
	len += put_chunk(data + len,
			 (struct ks_chunk_header){ .type = 999, .length = 1 }, "x");
	put_chunk(data + len,
		  (struct ks_chunk_header){ .type = KS_CHUNK_RECORDS, .ring = 1, .count = 2048,
					    .length = 64 }, data);
	save_file(d->file, data, len + 128);
	r = must_read(d->file);
	assert_null(ks_reader_symbols(r, NULL));
	assert_int_equal(ks_reader_next(r, &out, &err), 1);
	assert_true(is_made_up(out));
	while (ks_reader_next(r, &out, &err) > 0)
		assert_int_equal(out->type, KS_LOSS);
	assert_true(ks_reader_truncated(r));
	assert_int_equal(ks_reader_bad_bytes(r), 72 + 96 + 32 + 128);
	ks_reader_close(r);
}

/* Times in any order: they come out in order, a chunk that is early is late. */
static void test_insane_times(void **state)
{
	struct dir *d = *state;
	static struct ks_rec recs[4][KS_CHUNK_RECS];
	uint8_t *data = calloc(1, 1 << 20);
	uint64_t seed = 42, now = 0;
	size_t len = put_start(data), n = 0;
	struct ks_reader *r;
	struct ks_merge *m;
	struct ks_event ev;
	struct ks_err err;

	for (int k = 0; k < 4; k++) {
		for (size_t i = 0; i < KS_CHUNK_RECS; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			recs[k][i].time = i == 7 ? UINT64_MAX : seed;
			recs[k][i].type = (uint8_t)(seed >> 56);
		}
		len += put_chunk(data + len,
				 (struct ks_chunk_header){ .type = KS_CHUNK_RECORDS,
							   .ring = k % 2, .count = KS_CHUNK_RECS,
							   .length = sizeof(recs[k]) }, recs[k]);
	}
	save_file(d->file, data, len);
	free(data);
	r = must_read(d->file);
	assert_int_equal(ks_merge_new(&m), 0);
	assert_int_equal(ks_merge_add(m, r, NULL, NULL), 0);
	while (ks_merge_next(m, &ev, &err) > 0) {
		assert_true(ev.time >= now);
		now = ev.time;
		n++;
	}
	assert_true(n >= 4 * KS_CHUNK_RECS);
	ks_merge_free(m);
	ks_reader_close(r);
}

/* A chunk that is not in order, as no writer of ours makes it, is put in order, stably. */
static void test_unsorted_chunk(void **state)
{
	struct dir *d = *state;
	struct ks_rec recs[50];
	uint8_t data[4096] = { 0 };
	const struct ks_rec *rec;
	size_t len = put_start(data);
	struct ks_reader *r;
	struct ks_err err;

	for (uint32_t i = 0; i < 50; i++)
		recs[i] = (struct ks_rec){ .time = 900 - i * 7 % 25, .type = KS_PAUSE, .id = i };
	len += put_chunk(data + len,
			 (struct ks_chunk_header){ .type = KS_CHUNK_RECORDS, .count = 50,
						   .length = sizeof(recs) }, recs);
	save_file(d->file, data, len);
	r = must_read(d->file);
	for (uint32_t i = 0; i < 50; i++) { /* 7 * 18 = 126 = 1 modulo 25 */
		uint32_t first = (24 - i / 2) * 18 % 25;

		assert_int_equal(ks_reader_next(r, &rec, &err), 1);
		if (rec->type == KS_LOSS) /* the end is missing */
			assert_int_equal(ks_reader_next(r, &rec, &err), 1);
		assert_int_equal(rec->time, 876 + i / 2);
		assert_int_equal(rec->id, first + i % 2 * 25);
	}
	ks_reader_close(r);
}

/* An index that lies is not believed; the chunks are found one by one. */
static void test_lying_index(void **state)
{
	struct dir *d = *state;
	struct chunk c[64];
	struct ks_index_entry *entry;
	size_t len, n;
	uint8_t *data = small_trace(d, true, &len), payload[4096];
	struct seen s;

	n = walk(data, len, c, 64);
	assert_int_equal(c[n - 2].h.type, KS_CHUNK_INDEX);
	memcpy(payload, data + c[n - 2].at + sizeof(c->h), c[n - 2].h.length);
	entry = (struct ks_index_entry *)(payload + sizeof(struct ks_index_head));
	for (uint32_t i = 0; i < c[n - 2].h.count; i++) {
		struct ks_index_entry good = entry[i];

		entry[i].length += 8;
		put_chunk(data + c[n - 2].at, c[n - 2].h, payload);
		entry[i] = good;
		save_file(d->file, data, len);
		assert_int_equal(read_all(d->file, &s), 0);
		assert_int_equal(s.records, RECORDS);
		assert_int_equal(s.control, 2);
		assert_int_equal(s.lost, 0);
	}
	free(data);
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
		cmocka_unit_test_setup_teardown(test_end_tells_the_number, setup_dir,
						teardown_dir),
		cmocka_unit_test_setup_teardown(test_unsorted_chunk, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_cut_end_is_a_loss, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_versions, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_foreign_files, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_hostile_meta, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_hostile_sizes, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_insane_times, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_lying_index, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(test_shrinks_while_read, setup_dir, teardown_dir),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
