// SPDX-License-Identifier: GPL-2.0
/*
 * A histogram of counts: exact below 4096, above it 64 buckets per power of two, so that a
 * quantile is at most 1/64 too large. The maximum is exact.
 */
#include <errno.h>
#include <stdlib.h>

#include "internal.h"

#define EXACT_BITS 12u
#define EXACT (1u << EXACT_BITS)
#define SUB_BITS 6u
#define SUB (1u << SUB_BITS)
#define BUCKETS (EXACT + (64 - EXACT_BITS) * SUB)

static size_t bucket_of(uint64_t v)
{
	unsigned int top;

	if (v < EXACT)
		return v;
	top = 63 - __builtin_clzll(v);
	return EXACT + (top - EXACT_BITS) * SUB + ((v >> (top - SUB_BITS)) & (SUB - 1));
}

/* The largest value that falls into the bucket. */
static uint64_t bucket_top(size_t b)
{
	unsigned int top;
	uint64_t sub;

	if (b < EXACT)
		return b;
	b -= EXACT;
	top = EXACT_BITS + b / SUB;
	sub = b % SUB + SUB;
	return (sub << (top - SUB_BITS)) + ((1ull << (top - SUB_BITS)) - 1);
}

int an_hist_add(struct an_hist *h, uint64_t value)
{
	if (!h->bucket) {
		h->bucket = calloc(BUCKETS, sizeof(*h->bucket));
		if (!h->bucket)
			return -ENOMEM;
	}
	h->bucket[bucket_of(value)]++;
	h->n++;
	if (value > h->max)
		h->max = value;
	return 0;
}

uint64_t an_hist_quantile(const struct an_hist *h, uint64_t num, uint64_t den)
{
	uint64_t need, seen = 0, top;
	size_t b;

	if (!h->n)
		return 0;
	need = (uint64_t)(((unsigned __int128)h->n * num + den - 1) / den);
	if (!need)
		need = 1;
	for (b = 0; b < BUCKETS; b++) {
		seen += h->bucket[b];
		if (seen >= need) {
			top = bucket_top(b);
			return top < h->max ? top : h->max;
		}
	}
	return h->max;
}
