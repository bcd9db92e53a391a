// SPDX-License-Identifier: GPL-2.0
/* Cuts a hostile stream of bytes into the units of a trace (docs/trace-format.md). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect.h"
#include "err.h"
#include "../trace/format.h"
#include "reader_priv.h"

#define BIG (1u << 20)

enum state { FILE_HEADER, CHUNK_HEADER, CHUNK_BODY, ENDED, DEAD };

struct ks_framing {
	ks_framing_fn fn;
	void *ctx;
	unsigned int side;
	enum state state;
	int dead; /* what made it so */
	struct ks_file_header file;
	char *buf; /* the unit in hand */
	size_t have, need, room;
	uint64_t chunks;
};

int ks_framing_new(struct ks_framing **out, unsigned int side, ks_framing_fn fn, void *ctx)
{
	struct ks_framing *f = calloc(1, sizeof(*f));

	*out = f;
	if (!f)
		return -ENOMEM;
	f->fn = fn;
	f->ctx = ctx;
	f->side = side;
	f->need = sizeof(f->file);
	return 0;
}

void ks_framing_free(struct ks_framing *f)
{
	if (f)
		free(f->buf);
	free(f);
}

bool ks_framing_clean(const struct ks_framing *f)
{
	return f->state == ENDED;
}

uint64_t ks_framing_chunks(const struct ks_framing *f)
{
	return f->chunks;
}

/* The fixed part of the file header is in hand. */
static int check_file(struct ks_framing *f, struct ks_err *err)
{
	struct ks_file_header *h = &f->file;

	memcpy(h, f->buf, sizeof(*h));
	if (memcmp(h->magic, KS_FILE_MAGIC, sizeof(h->magic)))
		return ks_fail(err, -EPROTO, "what it sends is no trace");
	if (h->crc != ks_crc(0, h, offsetof(struct ks_file_header, crc)))
		return ks_fail(err, -EPROTO, "the trace's header is damaged");
	if (h->major != KS_MAJOR)
		return ks_fail(err, -EPROTO,
			       "it sends trace format %u.%u, this program takes %u.x: "
			       "use the same version on both sides",
			       h->major, h->minor, KS_MAJOR);
	if (h->size < sizeof(*h) || h->size > 4096 || h->size % 8 ||
	    h->byte_order != KS_BYTE_ORDER || h->record_size != sizeof(struct ks_rec) ||
	    !h->rings || h->rings > KS_MAX_RINGS)
		return ks_fail(err, -EPROTO, "the trace's header makes no sense");
	if (f->side && h->side != f->side)
		return ks_fail(err, -EPROTO, "it sends the trace of a %s",
			       h->side == KS_SIDE_HOST ? "host" : "machine of unknown kind");
	return 0;
}

static int check_chunk(const struct ks_framing *f, const struct ks_chunk_header *h,
		       struct ks_err *err)
{
	unsigned long long n = f->chunks;

	if (!ks_chunk_ok(h, 0, UINT64_MAX))
		return ks_fail(err, -EPROTO, "damaged header of chunk %llu", n);
	if (h->length > KS_FRAMING_MAX)
		return ks_fail(err, -EPROTO, "chunk %llu is too large", n);
	if (h->seq != f->chunks)
		return ks_fail(err, -EPROTO, "chunk %llu comes in place of %llu",
			       (unsigned long long)h->seq, n);
	if (h->type == KS_CHUNK_RECORDS && h->ring >= f->file.rings)
		return ks_fail(err, -EPROTO, "chunk %llu is of a ring that there is not", n);
	return 0;
}

/* A whole chunk is in hand. */
static int check_payload(const struct ks_framing *f, const struct ks_chunk_header *h,
			 struct ks_err *err)
{
	if (ks_crc(0, f->buf + sizeof(*h), h->length) != h->payload_crc)
		return ks_fail(err, -EPROTO, "damaged payload of chunk %llu",
			       (unsigned long long)f->chunks);
	return 0;
}

/* Hand the unit out and wait for the next chunk's header. */
static int unit_done(struct ks_framing *f)
{
	int ret = f->fn(f->ctx, f->buf, f->need);

	if (ret)
		return ret;
	if (f->room > BIG) { /* the symbols are past: do not hold on to their memory */
		free(f->buf);
		f->buf = NULL;
		f->room = 0;
	}
	f->have = 0;
	f->need = sizeof(struct ks_chunk_header);
	f->state = CHUNK_HEADER;
	return 0;
}

static int chunk_done(struct ks_framing *f, const struct ks_chunk_header *h, struct ks_err *err)
{
	int ret = check_payload(f, h, err);

	if (!ret)
		ret = unit_done(f);
	if (ret)
		return ret;
	f->chunks++;
	if (h->type == KS_CHUNK_END)
		f->state = ENDED;
	return 0;
}

/* f->need bytes are there: look at them. */
static int step(struct ks_framing *f, struct ks_err *err)
{
	struct ks_chunk_header h;
	int ret;

	if (f->state == FILE_HEADER) {
		if (f->need == sizeof(f->file)) {
			ret = check_file(f, err);
			if (ret || f->file.size > f->need) {
				f->need = f->file.size;
				return ret;
			}
		}
		return unit_done(f);
	}
	memcpy(&h, f->buf, sizeof(h));
	if (f->state == CHUNK_HEADER) {
		ret = check_chunk(f, &h, err);
		if (ret)
			return ret;
		f->need = ks_chunk_size(h.length);
		f->state = CHUNK_BODY;
		if (f->have < f->need)
			return 0;
	}
	return chunk_done(f, &h, err);
}

/* Room for what has come, not for what a header claims will come. */
static int make_room(struct ks_framing *f, size_t bytes)
{
	size_t room = f->room ? f->room : 4096;
	char *buf;

	if (bytes <= f->room)
		return 0;
	while (room < bytes)
		room *= 2;
	buf = realloc(f->buf, room);
	if (!buf)
		return -ENOMEM;
	f->buf = buf;
	f->room = room;
	return 0;
}

static int feed_some(struct ks_framing *f, const char **p, size_t *n, struct ks_err *err)
{
	size_t take = f->need - f->have < *n ? f->need - f->have : *n;

	if (make_room(f, f->have + take))
		return ks_fail(err, -ENOMEM, "out of memory");
	memcpy(f->buf + f->have, *p, take);
	f->have += take;
	*p += take;
	*n -= take;
	return f->have == f->need ? step(f, err) : 0;
}

int ks_framing_feed(struct ks_framing *f, const void *buf, size_t n, struct ks_err *err)
{
	const char *p = buf;

	if (f->state == DEAD)
		return ks_fail(err, f->dead, "the stream is broken");
	while (n && f->state != ENDED) {
		int ret = feed_some(f, &p, &n, err);

		if (ret) {
			f->state = DEAD;
			f->dead = ret;
			free(f->buf);
			f->buf = NULL;
			f->room = 0;
			return ret;
		}
	}
	return 0;
}
