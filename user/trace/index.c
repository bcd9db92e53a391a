// SPDX-License-Identifier: GPL-2.0
/*
 * The index: where the chunks are, told a second time. It saves reading every chunk's header to
 * open a trace, and tells what was in a chunk whose header is damaged. It is believed only if its
 * entries tile the file without gap or overlap.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader_priv.h"

struct index_chunk {
	struct ks_chunk_header h;
	struct ks_index_head head;
	struct ks_index_entry entry[KS_INDEX_ENTRIES];
};

/* 0, -EBADMSG if there is no sound INDEX chunk at offset, -errno. */
static int read_index(const struct ks_reader *r, uint64_t offset, struct index_chunk *c)
{
	int ret;

	if (offset % 8 || offset < r->header.size || offset >= r->size)
		return -EBADMSG;
	ret = ks_pread(r->fd, &c->h, sizeof(c->h), offset);
	if (!ret && (!ks_chunk_ok(&c->h, offset, r->size) || c->h.type != KS_CHUNK_INDEX))
		return -EBADMSG;
	if (!ret)
		ret = ks_pread(r->fd, &c->head, c->h.length, offset + sizeof(c->h));
	if (!ret && ks_crc(0, &c->head, c->h.length) != c->h.payload_crc)
		return -EBADMSG;
	return ret == -ENODATA ? -EBADMSG : ret;
}

/* Offset of the last INDEX chunk from the END chunk, which must be the last thing in the file. */
static int find_end(const struct ks_reader *r, uint64_t *index, uint64_t *end)
{
	struct {
		struct ks_chunk_header h;
		struct ks_end_payload p;
	} c;
	int ret;

	if (r->size < r->header.size + sizeof(c))
		return -EBADMSG;
	*end = r->size - sizeof(c);
	ret = ks_pread(r->fd, &c, sizeof(c), *end);
	if (ret)
		return ret;
	if (!ks_chunk_ok(&c.h, *end, r->size) || c.h.type != KS_CHUNK_END ||
	    ks_crc(0, &c.p, sizeof(c.p)) != c.h.payload_crc)
		return -EBADMSG;
	*index = c.p.index;
	return 0;
}

struct offsets {
	uint64_t *at;
	size_t n, room;
};

static int push_offset(struct offsets *o, uint64_t offset)
{
	if (o->n == o->room) {
		size_t room = o->room ? 2 * o->room : 16;
		uint64_t *at = realloc(o->at, room * sizeof(*at));

		if (!at)
			return -ENOMEM;
		o->at = at;
		o->room = room;
	}
	o->at[o->n++] = offset;
	return 0;
}

/* All INDEX chunks, newest first. Their offsets fall strictly, so this ends. */
static int collect(const struct ks_reader *r, uint64_t index, uint64_t end, struct offsets *o,
		   struct index_chunk *c)
{
	uint64_t next = end;

	for (;;) {
		int ret = read_index(r, index, c);

		if (ret)
			return ret;
		if (c->head.from > index || c->head.prev >= index ||
		    index + ks_chunk_size(c->h.length) != next)
			return -EBADMSG;
		ret = push_offset(o, index);
		if (ret)
			return ret;
		next = c->head.from;
		if (!c->head.prev)
			return c->head.from == r->header.size ? 0 : -EBADMSG;
		index = c->head.prev;
	}
}

static struct ks_chunk_header header_of(const struct ks_index_entry *e)
{
	return (struct ks_chunk_header){
		.type = e->type,
		.ring = e->ring,
		.count = e->count,
		.length = e->length,
		.first = e->first,
		.last = e->last,
	};
}

static int take_entries(struct ks_reader *r, const struct index_chunk *c, uint64_t index)
{
	uint64_t offset = c->head.from;

	for (uint32_t i = 0; i < c->h.count; i++) {
		struct ks_chunk_header h = header_of(&c->entry[i]);
		uint64_t size = ks_chunk_size(h.length);
		int ret;

		if (!ks_chunk_size_ok(&h) || size > index - offset)
			return -EBADMSG;
		ret = ks_take_indexed(r, &h, offset);
		if (ret)
			return ret;
		offset += size;
	}
	return offset == index ? 0 : -EBADMSG;
}

int ks_read_index(struct ks_reader *r)
{
	struct index_chunk *c = malloc(sizeof(*c));
	struct offsets o = { 0 };
	uint64_t index = 0, end = 0;
	int ret = c ? find_end(r, &index, &end) : -ENOMEM;

	if (!ret)
		ret = collect(r, index, end, &o, c);
	for (size_t i = o.n; i-- > 0 && !ret;) {
		ret = read_index(r, o.at[i], c);
		if (!ret)
			ret = take_entries(r, c, o.at[i]);
	}
	if (!ret) {
		r->index = index;
		r->ended = true;
	}
	free(o.at);
	free(c);
	return ret;
}

/* The entry of the chunk at offset in this index chunk, if it covers it. */
static int lookup(const struct index_chunk *c, uint64_t offset, struct ks_chunk_header *h)
{
	uint64_t at = c->head.from;

	for (uint32_t i = 0; i < c->h.count && at <= offset; i++) {
		if (at == offset) {
			*h = header_of(&c->entry[i]);
			return 0;
		}
		at += ks_chunk_size(c->entry[i].length);
	}
	return -ENOENT;
}

/* Index chunks read to look chunks up, in all: a file made of damage must not cost for ever. */
#define MAX_LOOKUPS 4096

int ks_index_find(struct ks_reader *r, uint64_t offset, struct ks_chunk_header *h)
{
	struct index_chunk *c = malloc(sizeof(*c));
	uint64_t index = r->index;
	int ret = c ? -ENOENT : -ENOMEM;

	while (ret == -ENOENT && index > offset && r->lookups++ < MAX_LOOKUPS) {
		ret = read_index(r, index, c);
		if (ret)
			break;
		ret = lookup(c, offset, h);
		if (ret && c->head.prev >= index)
			break;
		index = c->head.prev;
	}
	free(c);
	return ret;
}
