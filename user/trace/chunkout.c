// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "chunkout.h"

int ks_chunkout_begin(struct ks_chunkout *o, struct iovec *header)
{
	o->error = ks_sink_write(&o->sink, header, 1);
	o->index_from = o->sink.bytes;
	return o->error;
}

static void note_in_index(struct ks_chunkout *o, const struct ks_chunk_header *h)
{
	o->index[o->nindex++] = (struct ks_index_entry){
		.first = h->first,
		.last = h->last,
		.length = h->length,
		.ring = h->ring,
		.count = h->count,
		.type = h->type,
	};
}

static int put_chunk(struct ks_chunkout *o, struct ks_chunk_header *h, const void *head,
		     size_t head_len, const void *body)
{
	static const char zeros[8];
	size_t body_len = h->length - head_len;
	struct iovec iov[] = {
		{ h, sizeof(*h) },
		{ (void *)head, head_len },
		{ (void *)body, body_len },
		{ (void *)zeros, ks_chunk_size(h->length) - sizeof(*h) - h->length },
	};

	if (o->error)
		return o->error;
	h->magic = KS_CHUNK_MAGIC;
	h->seq = o->seq++;
	h->payload_crc = head_len ? ks_crc(0, head, head_len) : 0;
	if (body_len)
		h->payload_crc = ks_crc(h->payload_crc, body, body_len);
	h->header_crc = ks_crc(0, h, offsetof(struct ks_chunk_header, header_crc));
	o->error = ks_sink_write(&o->sink, iov, 4);
	return o->error;
}

static int put_index(struct ks_chunkout *o)
{
	struct ks_index_head head = { .prev = o->prev_index, .from = o->index_from };
	struct ks_chunk_header h = {
		.type = KS_CHUNK_INDEX,
		.count = o->nindex,
		.length = (uint32_t)(sizeof(head) + o->nindex * sizeof(o->index[0])),
	};
	uint64_t at = o->sink.bytes;
	int ret = put_chunk(o, &h, &head, sizeof(head), o->index);

	o->prev_index = at;
	o->index_from = o->sink.bytes;
	o->nindex = 0;
	return ret;
}

int ks_chunkout_write(struct ks_chunkout *o, struct ks_chunk_header *h, const void *head,
		      size_t head_len, const void *body)
{
	int ret = put_chunk(o, h, head, head_len, body);

	if (ret)
		return ret;
	if (h->type == KS_CHUNK_RECORDS)
		o->records += h->count;
	if (h->type == KS_CHUNK_CONTROL)
		o->control += h->count;
	note_in_index(o, h);
	return o->nindex == KS_INDEX_ENTRIES ? put_index(o) : 0;
}

int ks_chunkout_end(struct ks_chunkout *o)
{
	struct ks_end_payload end = { 0 };
	struct ks_chunk_header h = { .type = KS_CHUNK_END, .length = sizeof(end) };
	int ret = put_index(o);

	if (ret)
		return ret;
	end.index = o->prev_index;
	end.chunks = o->seq + 1;
	end.records = o->records;
	end.control = o->control;
	return put_chunk(o, &h, NULL, 0, &end);
}

void ks_chunkout_drop(struct ks_chunkout *o)
{
	ks_sink_drop(&o->sink);
}
