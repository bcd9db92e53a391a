/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The heaviest keys of a stream in bounded memory: space-saving (Metwally, Agrawal, El Abbadi,
 * "Efficient computation of frequent and top-k elements in data streams", 2005). As long as there
 * were no more different keys than places, everything is exact. When it is full, a new key takes
 * the place of the lightest and inherits its weight as its possible error.
 */
#ifndef KVMSCHED_TOPK_H
#define KVMSCHED_TOPK_H

#include <stdint.h>

#include "analyze.h"

#define TOPK_PLACES 1024u
#define TOPK_SITES 4u

struct topk_entry {
	uint64_t key;
	uint64_t weight; /* at most `error` too large */
	uint64_t error;
	/* From here on only what came since the key got its place. */
	uint64_t count, ns, max_ns, ple;
	uint64_t class_ns[KS_C_WAIT_MAX];
	struct {
		uint64_t ip, count;
	} site[TOPK_SITES]; /* most frequent call sites, the most frequent first */
	uint16_t next;	    /* in its hash chain, 0 = end, else place + 1 */
};

struct topk {
	struct topk_entry *e;
	uint32_t n;
	bool full; /* a key was displaced */
	uint16_t chain[TOPK_PLACES];
};

/* The key's entry, its weight raised; NULL without memory. */
struct topk_entry *topk_add(struct topk *t, uint64_t key, uint64_t weight);
/* Count a call site of the entry; 0: it is not known. */
void topk_site(struct topk_entry *e, uint64_t ip);
/* Entries by weight, heaviest first; malloc()ed, the caller's; *n of them. NULL if none. */
const struct topk_entry **topk_sorted(const struct topk *t, uint32_t *n);
void topk_free(struct topk *t);

#endif /* KVMSCHED_TOPK_H */
