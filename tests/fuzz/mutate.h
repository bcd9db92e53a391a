/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mutation of trace files. Nearly every change of a byte breaks a checksum, and the reader stops
 * there; so after most mutations all checksums are made right again, chunk by chunk, as an
 * attacker would.
 */
#ifndef KVMSCHED_FUZZ_MUTATE_H
#define KVMSCHED_FUZZ_MUTATE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../trace/format.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static uint32_t fuzz_crc(const void *data, size_t len)
{
	return (uint32_t)crc32(0, data, (uInt)len);
}

static void fix_file_header(uint8_t *data)
{
	struct ks_file_header h;

	memcpy(&h, data, sizeof(h));
	h.crc = fuzz_crc(&h, offsetof(struct ks_file_header, crc));
	memcpy(data, &h, sizeof(h));
}

/* Returns the size of the chunk, 0 if what is left is not one. */
static size_t fix_chunk(uint8_t *data, size_t left, uint64_t seq)
{
	struct ks_chunk_header h;

	if (left < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	if (h.length > left - sizeof(h) || ks_chunk_size(h.length) > left)
		return 0;
	h.magic = KS_CHUNK_MAGIC;
	h.seq = seq;
	h.payload_crc = fuzz_crc(data + sizeof(h), h.length);
	h.header_crc = fuzz_crc(&h, offsetof(struct ks_chunk_header, header_crc));
	memcpy(data, &h, sizeof(h));
	return ks_chunk_size(h.length);
}

static void fix_checksums(uint8_t *data, size_t size)
{
	size_t at = sizeof(struct ks_file_header), step;
	uint64_t seq = 0;

	if (size < at)
		return;
	fix_file_header(data);
	while ((step = fix_chunk(data + at, size - at, seq++)))
		at += step;
}

/* Put one of the file's own chunks in a second time, somewhere between two chunks. */
static size_t copy_chunk(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t at = sizeof(struct ks_file_header), from[64], n = 0, len, to;
	struct ks_chunk_header h;

	while (n < 64 && at + sizeof(h) <= size) {
		memcpy(&h, data + at, sizeof(h));
		if (h.length > size - at - sizeof(h) || ks_chunk_size(h.length) > size - at)
			break;
		from[n++] = at;
		at += ks_chunk_size(h.length);
	}
	if (!n)
		return size;
	memcpy(&h, data + from[seed % n], sizeof(h));
	len = ks_chunk_size(h.length);
	to = from[seed / 64 % n];
	if (len > max_size - size || len > 4096)
		return size;
	uint8_t copy[4096];

	memcpy(copy, data + from[seed % n], len);
	memmove(data + to + len, data + to, size - to);
	memcpy(data + to, copy, len);
	return size + len;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	if (seed % 16 == 0)
		size = copy_chunk(data, size, max_size, seed / 16);
	else
		size = LLVMFuzzerMutate(data, size, max_size);
	if (seed % 8)
		fix_checksums(data, size);
	return size;
}

#endif /* KVMSCHED_FUZZ_MUTATE_H */
