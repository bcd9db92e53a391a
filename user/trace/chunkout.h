/* SPDX-License-Identifier: GPL-2.0 */
/* Writes chunks: checksums, numbers, the index. Internal to user/trace. */
#ifndef KVMSCHED_TRACE_CHUNKOUT_H
#define KVMSCHED_TRACE_CHUNKOUT_H

#include <stddef.h>
#include <unistd.h>

#include "format.h"
#include "sink.h"

struct ks_chunkout {
	struct ks_sink sink;
	int error; /* the first failure; nothing is written after it */
	uint64_t seq, records, control;
	uint64_t prev_index, index_from;
	uint32_t nindex;
	struct ks_index_entry index[KS_INDEX_ENTRIES];
};

/* Write the file header. */
int ks_chunkout_begin(struct ks_chunkout *o, struct iovec *header);
/*
 * Write one chunk: the caller has filled in type, ring, count, length (of head and body together),
 * raw_length and times. head may be NULL. 0 or -errno.
 */
int ks_chunkout_write(struct ks_chunkout *o, struct ks_chunk_header *h, const void *head,
		      size_t head_len, const void *body);
/* Write the last index and the END chunk. */
int ks_chunkout_end(struct ks_chunkout *o);
void ks_chunkout_drop(struct ks_chunkout *o);

static inline int ks_chunkout_error(const struct ks_chunkout *o)
{
	return o->error;
}

#endif /* KVMSCHED_TRACE_CHUNKOUT_H */
