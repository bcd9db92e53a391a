/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace file as it lies on disk: docs/trace-format.md. Internal to user/trace.
 * All numbers are little endian; the programs run on x86-64 alone, so the structs are the format.
 */
#ifndef KVMSCHED_TRACE_FORMAT_H
#define KVMSCHED_TRACE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "records.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "traces are little endian");

/* As PNG's: not text, and mangled visibly by a transfer in text mode. */
#define KS_FILE_MAGIC "\x89KVS\r\n\x1a\n"
#define KS_MAJOR 1
#define KS_MINOR 0
#define KS_BYTE_ORDER 0x01020304u

struct ks_file_header {
	char magic[8];
	uint16_t major, minor;
	uint32_t byte_order;
	uint32_t size; /* of this header: chunks begin here */
	uint32_t side; /* enum ks_side */
	uint32_t rings;
	uint32_t record_size;
	uint8_t reserved[28];
	uint32_t crc; /* of the bytes before it */
};
_Static_assert(sizeof(struct ks_file_header) == 64, "file header");

#define KS_CHUNK_MAGIC 0x4b43534bu /* "KSCK" */

enum ks_chunk_type {
	KS_CHUNK_RECORDS = 1,
	KS_CHUNK_CONTROL = 2,
	KS_CHUNK_META = 3,
	KS_CHUNK_SYMBOLS = 4,
	KS_CHUNK_COUNTS = 5,
	KS_CHUNK_INDEX = 6,
	KS_CHUNK_END = 7,
};

struct ks_chunk_header {
	uint32_t magic;
	uint16_t type; /* enum ks_chunk_type */
	uint16_t reserved0;
	uint32_t ring;
	uint32_t count;	      /* records or entries */
	uint32_t length;      /* bytes of payload, without the padding */
	uint32_t raw_length;  /* SYMBOLS: bytes after inflating */
	uint64_t first, last; /* RECORDS, CONTROL: times of the oldest and newest record */
	uint64_t seq;	      /* number of the chunk in the file, from 0 */
	uint32_t reserved1;
	uint32_t payload_crc;
	uint32_t reserved2;
	uint32_t header_crc; /* of the bytes before it */
};
_Static_assert(sizeof(struct ks_chunk_header) == 64, "chunk header");

/* What an INDEX chunk begins with; `count` entries follow. It covers the bytes up to itself. */
struct ks_index_head {
	uint64_t prev; /* offset of the INDEX chunk before, 0 if there is none */
	uint64_t from; /* offset of the first chunk that this one covers */
	uint64_t reserved[2];
};
_Static_assert(sizeof(struct ks_index_head) == 32, "index head");

struct ks_index_entry {
	uint64_t first, last;
	uint32_t length;
	uint32_t ring;
	uint32_t count;
	uint16_t type;
	uint16_t reserved;
};
_Static_assert(sizeof(struct ks_index_entry) == 32, "index entry");

struct ks_end_payload {
	uint64_t index;	  /* offset of the last INDEX chunk */
	uint64_t chunks;  /* in the file, this one included */
	uint64_t records; /* in RECORDS chunks */
	uint64_t control; /* in CONTROL chunks */
};
_Static_assert(sizeof(struct ks_end_payload) == 32, "end");

#define KS_CHUNK_RECS 2048u /* most records of a RECORDS or CONTROL chunk: 64 KiB */
#define KS_INDEX_ENTRIES 2047u
#define KS_MAX_RINGS 65536u
#define KS_MAX_META (1u << 20)	      /* bytes of one META chunk */
#define KS_MAX_META_ALL (8u << 20)    /* of all of them in one file */
#define KS_MAX_META_VALUES (1u << 20) /* of what is kept of them; content.c: what counts how much */
#define KS_MAX_META_DEPTH 16
#define KS_MAX_SYMBOLS (32u << 20) /* deflated */
#define KS_MAX_SYMBOLS_RAW (128u << 20)
#define KS_MAX_COUNTS (1u << 20) /* entries of a COUNTS chunk */
#define KS_MAX_OTHER (64u << 20) /* payload of a type that this version does not know */

/* Chunks begin at multiples of 8. */
static inline uint64_t ks_chunk_size(uint32_t length)
{
	return sizeof(struct ks_chunk_header) + (((uint64_t)length + 7) & ~7ull);
}

/* Records that go to CONTROL chunks. */
static inline bool ks_is_control(uint8_t type)
{
	return type == KS_CLOCK || type == KS_LOSS || type == KS_VCPU_NEW || type == KS_VCPU_GONE ||
	       type == KS_TSC_OFFSET;
}

uint32_t ks_crc(uint32_t crc, const void *data, size_t len);

/* Make a KS_LOSS one with another: from the earlier beginning to the later end. */
void ks_loss_join(struct ks_rec *to, const struct ks_rec *loss);

#endif /* KVMSCHED_TRACE_FORMAT_H */
