// SPDX-License-Identifier: GPL-2.0
/* Finds the chunks of a trace, whole or not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "reader_priv.h"

#define MAX_CONTROL (8u << 20) /* records besides losses: three months of clock samples */

bool ks_chunk_size_ok(const struct ks_chunk_header *h)
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
	       ks_chunk_size_ok(h);
}

bool ks_chunk_ok(const struct ks_chunk_header *h, uint64_t offset, uint64_t size)
{
	return header_ok(h) && offset <= size && ks_chunk_size(h->length) <= size - offset;
}

void ks_widen_span(struct ks_reader *r, uint64_t first, uint64_t last)
{
	if (!r->spanned || first < r->first)
		r->first = first;
	if (!r->spanned || last > r->last)
		r->last = last;
	r->spanned = true;
}

static int new_stream(struct ks_reader *r, uint32_t ring)
{
	struct ks_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->r = r;
	s->ring = ring;
	r->stream[ring] = s;
	return 0;
}

static int take_records(struct ks_reader *r, const struct ks_chunk_header *h, uint64_t offset)
{
	int ret = 0;

	if (h->ring >= r->header.rings) {
		r->bad += ks_chunk_size(h->length);
		return 0;
	}
	if (!r->stream[h->ring])
		ret = new_stream(r, h->ring);
	if (ret)
		return ret;
	ks_widen_span(r, h->first, h->last);
	if (h->last > r->rings_last)
		r->rings_last = h->last;
	r->found += h->count;
	if (h->last > r->stream[h->ring]->newest)
		r->stream[h->ring]->newest = h->last;
	return ks_stream_add(r->stream[h->ring], offset, h->count);
}

static int room_for_control(struct ks_reader *r, size_t n)
{
	size_t room = r->ncontrol + n + r->control_room / 2;
	struct ks_rec *control;

	if (r->ncontrol + n <= r->control_room)
		return 0;
	control = realloc(r->control, room * sizeof(*control));
	if (!control)
		return -ENOMEM;
	r->control = control;
	r->control_room = room;
	return 0;
}

static int take_loss(struct ks_reader *r, const struct ks_rec *loss)
{
	if (__builtin_add_overflow(r->lost, loss->b, &r->lost))
		r->lost = UINT64_MAX;
	if (loss->time > r->newest_loss)
		r->newest_loss = loss->time;
	return ks_lossin_add(&r->losses, loss);
}

static int take_other(struct ks_reader *r, const struct ks_rec *rec)
{
	if (r->ncontrol == MAX_CONTROL)
		return -E2BIG;
	r->control[r->ncontrol++] = *rec;
	return 0;
}

int ks_take_control(struct ks_reader *r, const struct ks_rec *recs, size_t n)
{
	int ret = room_for_control(r, n);

	for (size_t i = 0; i < n && !ret; i++) {
		if (!ks_is_control(recs[i].type)) {
			r->bad += sizeof(recs[i]);
			continue;
		}
		ret = recs[i].type == KS_LOSS ? take_loss(r, &recs[i]) : take_other(r, &recs[i]);
		ks_widen_span(r, recs[i].time, recs[i].time);
	}
	return ret;
}

/* All chunks were seen: the losses are as few as they will be. */
static int take_losses(struct ks_reader *r)
{
	int ret = room_for_control(r, r->losses.n);

	if (ret || !r->losses.n)
		return ret;
	memcpy(r->control + r->ncontrol, r->losses.v, r->losses.n * sizeof(*r->control));
	r->ncontrol += r->losses.n;
	ks_lossin_release(&r->losses);
	return 0;
}

int ks_take_loss(struct ks_reader *r, uint64_t first, uint64_t last, uint64_t count)
{
	struct ks_rec rec = {
		.time = last,
		.type = KS_LOSS,
		.cpu = KS_RING_ANY,
		.a = first,
		.b = count,
	};

	return ks_take_control(r, &rec, 1);
}

static void take_end(struct ks_reader *r, const struct ks_end_payload *end)
{
	r->ended = !__builtin_add_overflow(end->records, end->control, &r->promised);
}

static int take_payload(struct ks_reader *r, const struct ks_chunk_header *h, void *payload)
{
	switch (h->type) {
	case KS_CHUNK_CONTROL:
		return ks_take_control(r, payload, h->count);
	case KS_CHUNK_END:
		take_end(r, payload);
		return 0;
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
	if (h->type == KS_CHUNK_CONTROL)
		r->found += h->count; /* or is made a loss below */
	ret = ks_pread(r->fd, payload, h->length, offset + sizeof(*h));
	if (!ret && ks_crc(0, payload, h->length) == h->payload_crc) {
		ret = take_payload(r, h, payload);
	} else if (!ret) {
		r->bad += ks_chunk_size(h->length);
		if (h->type == KS_CHUNK_CONTROL)
			ret = ks_lose_control(r, h);
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
	case KS_CHUNK_END:
		return read_payload(r, h, offset);
	case KS_CHUNK_SYMBOLS:
		r->sym.offset = offset + sizeof(*h);
		r->sym.length = h->length;
		r->sym.raw_length = h->raw_length;
		r->sym.crc = h->payload_crc;
		return 0;
	default:
		return 0;
	}
}

/* The next chunk header at or after offset; r->size if there is none. */
static int find_chunk(struct ks_reader *r, uint64_t offset, uint64_t *found)
{
	enum { WINDOW = 1 << 16 };
	size_t want = 512; /* at first: a file may be full of small holes */
	char *win = malloc(WINDOW);
	int ret = win ? 0 : -ENOMEM;

	*found = r->size;
	while (!ret && offset < r->size && r->size - offset >= sizeof(struct ks_chunk_header)) {
		size_t len = r->size - offset < want ? r->size - offset : want;
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
		want = WINDOW;
	}
	free(win);
	return ret;
}

/* What the index says of a RECORDS chunk is enough to go on; the others are read now. */
int ks_take_indexed(struct ks_reader *r, const struct ks_chunk_header *said, uint64_t offset)
{
	struct ks_chunk_header h;
	int ret;

	if (said->type == KS_CHUNK_RECORDS)
		return take_records(r, said, offset);
	ret = ks_pread(r->fd, &h, sizeof(h), offset);
	if (ret)
		return ret;
	if (ks_chunk_ok(&h, offset, r->size) && h.type == said->type && h.length == said->length)
		return take_chunk(r, &h, offset);
	r->bad += ks_chunk_size(said->length);
	if (said->type == KS_CHUNK_CONTROL)
		return ks_lose_control(r, said);
	return 0;
}

/* No chunk begins here: go on behind the hole. A cut end is no hole. */
static int skip_hole(struct ks_reader *r, struct ks_holes *holes, uint64_t offset, uint64_t *next)
{
	int ret = find_chunk(r, offset + 8, next);

	if (ret)
		return ret;
	r->bad += *next - offset;
	if (*next < r->size)
		ks_hole_begin(r, holes, *next - offset);
	return 0;
}

static int scan_chunk(struct ks_reader *r, struct ks_holes *holes, uint64_t offset, uint64_t *next)
{
	struct ks_chunk_header h = { 0 };
	int ret = -ENODATA;

	if (r->size - offset >= sizeof(h))
		ret = ks_pread(r->fd, &h, sizeof(h), offset);
	if (ret == -ENODATA || (!ret && !ks_chunk_ok(&h, offset, r->size)))
		return skip_hole(r, holes, offset, next);
	if (!ret)
		ret = take_chunk(r, &h, offset);
	if (!ret && h.type == KS_CHUNK_RECORDS && h.ring < r->header.rings)
		ks_hole_pass(holes, h.first);
	*next = offset + ks_chunk_size(h.length);
	return ret;
}

static int scan_all(struct ks_reader *r)
{
	struct ks_holes *holes = calloc(1, sizeof(*holes));
	uint64_t offset = r->header.size;
	int ret = holes ? 0 : -ENOMEM;

	while (!ret && offset < r->size)
		ret = scan_chunk(r, holes, offset, &offset);
	if (!ret)
		ret = ks_hole_finish(r, holes);
	free(holes);
	return ret;
}

/* From here on it is what has been read. */
static void forget_newest(struct ks_reader *r)
{
	for (uint32_t i = 0; i < r->header.rings; i++)
		if (r->stream[i])
			r->stream[i]->newest = 0;
}

int ks_scan(struct ks_reader *r, struct ks_err *err)
{
	int ret = ks_read_index(r);

	if (ret == -EBADMSG || ret == -ENODATA) {
		ks_reader_reset(r);
		ret = r->meta ? scan_all(r) : -ENOMEM;
	}
	forget_newest(r);
	if (!ret)
		ret = take_losses(r);
	if (!ret)
		ret = ks_sort_recs(r->control, r->ncontrol);
	if (ret == -E2BIG)
		return ks_fail(err, ret,
			       "%s: more than %u control records besides losses: not a real trace",
			       r->path, MAX_CONTROL);
	if (ret)
		return ks_fail(err, ret, "%s: cannot read: %s", r->path, strerror(-ret));
	return 0;
}
