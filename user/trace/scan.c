// SPDX-License-Identifier: GPL-2.0
/* Finds the chunks of a trace, whole or not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "reader_priv.h"

#define MAX_CONTROL (8u << 20) /* records: more than a day of clock samples and losses of 64 CPUs */

static bool size_ok(const struct ks_chunk_header *h)
{
	switch (h->type) {
	case KS_CHUNK_RECORDS:
	case KS_CHUNK_CONTROL:
		return h->count && h->count <= KS_CHUNK_RECS &&
		       h->length == h->count * sizeof(struct ks_rec);
	case KS_CHUNK_META:
		return h->length <= KS_MAX_META;
	case KS_CHUNK_SYMBOLS:
		return h->length <= KS_MAX_SYMBOLS && h->raw_length <= KS_MAX_SYMBOLS_RAW;
	case KS_CHUNK_COUNTS:
		return h->count <= KS_MAX_COUNTS &&
		       h->length == h->count * sizeof(struct ks_exit_count);
	case KS_CHUNK_INDEX:
		return h->count <= KS_INDEX_ENTRIES &&
		       h->length == sizeof(struct ks_index_head) +
					    h->count * sizeof(struct ks_index_entry);
	case KS_CHUNK_END:
		return h->length == sizeof(struct ks_end_payload);
	default:
		return h->length <= KS_MAX_OTHER;
	}
}

static bool header_ok(const struct ks_chunk_header *h)
{
	return h->magic == KS_CHUNK_MAGIC &&
	       h->header_crc == ks_crc(0, h, offsetof(struct ks_chunk_header, header_crc)) &&
	       size_ok(h);
}

bool ks_chunk_ok(const struct ks_chunk_header *h, uint64_t offset, uint64_t size)
{
	return header_ok(h) && offset <= size && ks_chunk_size(h->length) <= size - offset;
}

static void widen_span(struct ks_reader *r, uint64_t first, uint64_t last)
{
	if (!r->spanned || first < r->first)
		r->first = first;
	if (!r->spanned || last > r->last)
		r->last = last;
	r->spanned = true;
}

static int take_records(struct ks_reader *r, const struct ks_chunk_header *h, uint64_t offset)
{
	struct ks_stream *s;

	if (h->ring >= r->header.rings) {
		r->bad += ks_chunk_size(h->length);
		return 0;
	}
	s = r->stream[h->ring];
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return -ENOMEM;
		s->r = r;
		s->ring = h->ring;
		r->stream[h->ring] = s;
	}
	widen_span(r, h->first, h->last);
	return ks_stream_add(s, offset, h->count);
}

static int add_control(struct ks_reader *r, const struct ks_rec *recs, size_t n)
{
	if (r->ncontrol + n > MAX_CONTROL)
		return -E2BIG;
	if (r->ncontrol + n > r->control_room) {
		size_t room = r->ncontrol + n + r->control_room / 2;
		struct ks_rec *control = realloc(r->control, room * sizeof(*control));

		if (!control)
			return -ENOMEM;
		r->control = control;
		r->control_room = room;
	}
	memcpy(r->control + r->ncontrol, recs, n * sizeof(*recs));
	r->ncontrol += n;
	for (size_t i = 0; i < n; i++) {
		if (recs[i].type == KS_LOSS && __builtin_add_overflow(r->lost, recs[i].b, &r->lost))
			r->lost = UINT64_MAX;
		widen_span(r, recs[i].time, recs[i].time);
	}
	return 0;
}

/* Records are missing, of which ring nobody knows. */
static int add_loss(struct ks_reader *r, uint64_t first, uint64_t last, uint64_t count)
{
	struct ks_rec rec = {
		.time = last, .type = KS_LOSS, .cpu = KS_RING_ANY, .a = first, .b = count,
	};

	return add_control(r, &rec, 1);
}

static int take_payload(struct ks_reader *r, const struct ks_chunk_header *h, void *payload)
{
	switch (h->type) {
	case KS_CHUNK_CONTROL:
		return add_control(r, payload, h->count);
	case KS_CHUNK_META:
		return ks_take_meta(r, payload, h->length);
	case KS_CHUNK_COUNTS:
		return ks_take_counts(r, payload, h->count);
	default:
		return 0;
	}
}

static int read_payload(struct ks_reader *r, const struct ks_chunk_header *h, uint64_t offset)
{
	void *payload = malloc(h->length + 1);
	int ret;

	if (!payload)
		return -ENOMEM;
	ret = ks_pread(r->fd, payload, h->length, offset + sizeof(*h));
	if (!ret && ks_crc(0, payload, h->length) == h->payload_crc) {
		ret = take_payload(r, h, payload);
	} else if (!ret) {
		r->bad += ks_chunk_size(h->length);
		if (h->type == KS_CHUNK_CONTROL)
			ret = add_loss(r, h->first, h->last, h->count);
	}
	free(payload);
	return ret;
}

static int take_chunk(struct ks_reader *r, const struct ks_chunk_header *h, uint64_t offset)
{
	switch (h->type) {
	case KS_CHUNK_RECORDS:
		return take_records(r, h, offset);
	case KS_CHUNK_CONTROL:
	case KS_CHUNK_META:
	case KS_CHUNK_COUNTS:
		return read_payload(r, h, offset);
	case KS_CHUNK_SYMBOLS:
		r->sym.offset = offset + sizeof(*h);
		r->sym.length = h->length;
		r->sym.raw_length = h->raw_length;
		r->sym.crc = h->payload_crc;
		return 0;
	case KS_CHUNK_END:
		r->ended = offset + ks_chunk_size(h->length) == r->size;
		return 0;
	default:
		return 0;
	}
}

/* The next chunk header at or after offset; r->size if there is none. */
static int find_chunk(struct ks_reader *r, uint64_t offset, uint64_t *found)
{
	enum { WINDOW = 1 << 16 };
	char *win = malloc(WINDOW);
	int ret = win ? 0 : -ENOMEM;

	*found = r->size;
	while (!ret && offset < r->size && r->size - offset >= sizeof(struct ks_chunk_header)) {
		size_t len = r->size - offset < WINDOW ? r->size - offset : WINDOW;
		size_t at = 0;

		ret = ks_pread(r->fd, win, len, offset);
		for (; !ret && at + sizeof(struct ks_chunk_header) <= len; at += 8) {
			struct ks_chunk_header h;

			memcpy(&h, win + at, sizeof(h));
			if (h.magic == KS_CHUNK_MAGIC && ks_chunk_ok(&h, offset + at, r->size)) {
				*found = offset + at;
				free(win);
				return 0;
			}
		}
		offset += at;
	}
	free(win);
	return ret;
}

/* A hole from `from` to `to`. What was in it is not known; more records than this were not. */
static int take_hole(struct ks_reader *r, uint64_t from, uint64_t to)
{
	uint64_t most = (to - from) / sizeof(struct ks_rec);

	r->bad += to - from;
	return most ? add_loss(r, r->spanned ? r->first : 0, r->last, most) : 0;
}

static int scan_from(struct ks_reader *r, uint64_t offset)
{
	while (offset < r->size) {
		struct ks_chunk_header h;
		uint64_t next;
		int ret = -ENODATA;

		if (r->size - offset >= sizeof(h))
			ret = ks_pread(r->fd, &h, sizeof(h), offset);
		if (ret && ret != -ENODATA)
			return ret;
		if (!ret && ks_chunk_ok(&h, offset, r->size)) {
			ret = take_chunk(r, &h, offset);
			next = offset + ks_chunk_size(h.length);
		} else {
			ret = find_chunk(r, offset + 8, &next);
			if (!ret && next < r->size)
				ret = take_hole(r, offset, next);
			else
				r->bad += r->size - offset; /* cut: the tail is no loss inside */
		}
		if (ret)
			return ret;
		offset = next;
	}
	return 0;
}

int ks_scan(struct ks_reader *r, struct ks_err *err)
{
	int ret = scan_from(r, r->header.size);

	if (!ret)
		ret = ks_sort_recs(r->control, r->ncontrol);
	if (ret == -E2BIG)
		return ks_fail(err, ret, "%s: more than %u control records: not a real trace",
			       r->path, MAX_CONTROL);
	if (ret)
		return ks_fail(err, ret, "%s: cannot read: %s", r->path, strerror(-ret));
	return 0;
}
