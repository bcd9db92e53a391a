/* SPDX-License-Identifier: GPL-2.0 */
/* A small trace with one of everything, to be damaged, and files put together by hand. */
#ifndef KVMSCHED_TEST_TRACE_SMALL_H
#define KVMSCHED_TEST_TRACE_SMALL_H

#include <zlib.h>

#include "test_trace_util.h"

#define RECORDS 90u
#define SYMBOLS "ffffffff81000000 T _text\nffffffff81000100 t native_queued_spin_lock_slowpath\n"

/* A small trace with every kind of chunk; several RECORDS chunks on each of three rings. */
static inline uint8_t *small_trace(const struct dir *d, bool ended, size_t *len)
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

static inline size_t walk(const uint8_t *data, size_t len, struct chunk *c, size_t max)
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

static inline void note_loss(struct seen *s, const struct ks_rec *rec)
{
	s->loss_from = rec->a < s->loss_from ? rec->a : s->loss_from;
	s->loss_to = rec->time > s->loss_to ? rec->time : s->loss_to;
}

/* Read it all; every record that comes must be one that was written, once. */
static inline int read_all(const char *path, struct seen *s)
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
static inline void check_told(const struct seen *s)
{
	for (uint32_t i = 0; i < RECORDS; i++)
		if (!s->id[i])
			assert_true(made_up(i).time >= s->loss_from &&
				    made_up(i).time <= s->loss_to);
	assert_true(s->records + s->lost >= RECORDS);
}

static inline void put_header(uint8_t *data, const struct ks_file_header *h)
{
	struct ks_file_header out = *h;

	out.crc = (uint32_t)crc32(0, (const Bytef *)&out, offsetof(struct ks_file_header, crc));
	memcpy(data, &out, sizeof(out));
}

static inline size_t put_chunk(uint8_t *at, struct ks_chunk_header h, const void *payload)
{
	h.magic = KS_CHUNK_MAGIC;
	h.payload_crc = (uint32_t)crc32(0, payload, h.length);
	h.header_crc = (uint32_t)crc32(0, (const Bytef *)&h,
				       offsetof(struct ks_chunk_header, header_crc));
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), payload, h.length);
	return sizeof(h) + (h.length + 7) / 8 * 8;
}

static inline size_t put_start(uint8_t *at)
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

#endif /* KVMSCHED_TEST_TRACE_SMALL_H */
