// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "reader_priv.h"

/* An entry of ks_stream.chunk: the chunk's offset, TOLD, its number of records. */
#define COUNT_BITS 16
#define COUNT_MASK 0x7fffu
#define TOLD 0x8000u /* what is unreadable in it is counted already */
_Static_assert(KS_CHUNK_RECS <= COUNT_MASK, "a chunk's count fits");

int ks_pread(int fd, void *buf, size_t len, uint64_t offset)
{
	while (len) {
		ssize_t ret = pread(fd, buf, len, (off_t)offset);

		if (ret < 0 && errno == EINTR)
			continue;
		if (ret <= 0)
			return ret ? -errno : -ENODATA;
		buf = (char *)buf + ret;
		len -= (size_t)ret;
		offset += (uint64_t)ret;
	}
	return 0;
}

int ks_stream_add(struct ks_stream *s, uint64_t offset, uint32_t count)
{
	if (s->nchunks == s->room) {
		size_t room = s->room ? s->room + s->room / 2 : 16;
		uint64_t *chunk = realloc(s->chunk, room * sizeof(*chunk));

		if (!chunk)
			return -ENOMEM;
		s->chunk = chunk;
		s->room = room;
	}
	s->chunk[s->nchunks++] = offset << COUNT_BITS | count;
	if (count > s->buf_recs)
		s->buf_recs = count;
	return 0;
}

void ks_stream_free(struct ks_stream *s)
{
	free(s->chunk);
	free(s->buf);
	s->chunk = NULL;
	s->buf = NULL;
}

/* A trace is read more than once, but what is missing in the chunk in hand is missing once. */
static void count_damage(struct ks_stream *s, uint64_t lost, uint64_t bad)
{
	uint64_t *entry = &s->chunk[s->next - 1];

	if (*entry & TOLD)
		return;
	*entry |= TOLD;
	s->r->lost += lost;
	s->r->bad += bad;
}

/*
 * A chunk that cannot be read becomes two KS_LOSS records, one where the hole begins, which says how
 * far it goes, so that nothing is concluded from what is not there; and one where it ends.
 */
static void lose(struct ks_stream *s, uint64_t first, uint64_t last, uint32_t count)
{
	last = last > first ? last : first;

	struct ks_rec at_first = { .time = first, .type = KS_LOSS, .a = last, .b = 1 };
	struct ks_rec at_last = { .time = last, .type = KS_LOSS, .a = first, .b = count - 1 };

	at_first.cpu = at_last.cpu = (uint16_t)s->ring;
	s->loss[0] = at_first;
	s->loss[1] = at_last;
	s->pos = s->loss;
	s->end = s->loss + (count > 1 ? 2 : 1);
	count_damage(s, count, ks_chunk_size(count * (uint32_t)sizeof(struct ks_rec)));
}

static struct ks_rec *payload(struct ks_stream *s)
{
	return (struct ks_rec *)(s->buf + 1);
}

static bool is_mine(const struct ks_stream *s, const struct ks_chunk_header *h, uint32_t count)
{
	return h->type == KS_CHUNK_RECORDS && h->ring == s->ring && h->count == count;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*
 * From here to nobody knows when: at most to the end of the trace. Where it begins all is said: a
 * record at its end would keep the ring's next ones back until then.
 */
static void lose_on(struct ks_stream *s, uint32_t count)
{
	uint64_t from = later(s->newest, later(s->skip_before, s->r->first));

	lose(s, from, s->r->last, count);
	s->loss[0].b = count;
	s->end = s->loss + 1;
}

/* The chunk's header is gone: the index still knows its times. */
static void lose_headless(struct ks_stream *s, uint64_t offset, uint32_t count)
{
	struct ks_chunk_header h;

	if (s->r->index && !ks_index_find(s->r, offset, &h))
		lose(s, h.first, h.last, count);
	else
		lose_on(s, count);
}

/* Control records do not lie in chunks: what says so there is damage, or meant ill. */
static void drop_control(struct ks_stream *s, struct ks_rec *recs, uint32_t count)
{
	uint32_t i, dropped = 0;

	for (i = 0; i < count; i++) {
		if (!ks_is_control(recs[i].type))
			continue;
		recs[i].type = KS_NONE;
		dropped++;
	}
	if (dropped)
		count_damage(s, 0, dropped * sizeof(*recs));
}

/* What the chunk in hand is good for: its records, or a loss. */
static int open_chunk(struct ks_stream *s, uint64_t offset, uint32_t count)
{
	struct ks_chunk_header *h = s->buf;
	struct ks_rec *recs = payload(s);
	int ret;

	if (!ks_chunk_ok(h, offset, s->r->size) || !is_mine(s, h, count)) {
		lose_headless(s, offset, count);
		return 0;
	}
	if (ks_crc(0, recs, h->length) != h->payload_crc) {
		lose(s, h->first, h->last, count);
		return 0;
	}
	drop_control(s, recs, count);
	ret = ks_sort_recs(recs, count);
	s->pos = recs;
	s->end = recs + count;
	s->newest = s->end[-1].time;
	return ret;
}

static int load(struct ks_stream *s, uint64_t entry, struct ks_err *err)
{
	uint64_t offset = entry >> COUNT_BITS;
	uint32_t count = entry & COUNT_MASK;
	int ret;

	if (!s->buf)
		s->buf = malloc(sizeof(*s->buf) + s->buf_recs * sizeof(struct ks_rec));
	if (!s->buf)
		return ks_fail(err, -ENOMEM, "out of memory");
	ret = ks_pread(s->r->fd, s->buf, sizeof(*s->buf) + count * sizeof(struct ks_rec), offset);
	if (ret == -ENODATA) { /* somebody cut the file under us */
		lose_headless(s, offset, count);
		return 0;
	}
	if (ret)
		return ks_fail(err, ret, "%s: cannot read: %s", s->r->path, strerror(-ret));
	ret = open_chunk(s, offset, count);
	return ret ? ks_fail(err, ret, "out of memory") : 0;
}

int ks_stream_fill(struct ks_stream *s, struct ks_err *err)
{
	while (s->next < s->nchunks) {
		int ret = load(s, s->chunk[s->next++], err);

		if (ret)
			return ret;
		while (s->pos < s->end && s->pos->time < s->skip_before)
			s->pos++;
		if (s->pos < s->end)
			return 1;
	}
	free(s->buf);
	s->buf = NULL;
	s->pos = s->end = NULL;
	return 0;
}

/* The newest time of a chunk; one of which nobody knows it counts as new: it is read then. */
static int last_of(const struct ks_stream *s, size_t i, uint64_t *last, struct ks_err *err)
{
	uint64_t offset = s->chunk[i] >> COUNT_BITS;
	struct ks_chunk_header h;
	int ret = ks_pread(s->r->fd, &h, sizeof(h), offset);

	if (ret && ret != -ENODATA)
		return ks_fail(err, ret, "%s: cannot read: %s", s->r->path, strerror(-ret));
	if (!ret && ks_chunk_ok(&h, offset, s->r->size))
		*last = h.last;
	else
		*last = s->r->index && !ks_index_find(s->r, offset, &h) ? h.last : UINT64_MAX;
	return 0;
}

int ks_stream_seek(struct ks_stream *s, uint64_t time, struct ks_err *err)
{
	size_t lo = 0, hi = s->nchunks;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		uint64_t last = 0;
		int ret = last_of(s, mid, &last, err);

		if (ret)
			return ret;
		if (last < time)
			lo = mid + 1;
		else
			hi = mid;
	}
	s->next = lo;
	s->pos = s->end = NULL;
	s->newest = 0;
	s->skip_before = time;
	return 0;
}
