/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The items of a scene as a page's script reads them: rows of unsigned LEB128 numbers, in the order
 * of the scene's arrays, base64. The first number of a row is the start, as the zigzag difference
 * from the row before (in each lane anew from the start of the picture), the second the length.
 * both-1-base.js holds the reader; the two must agree.
 */
#ifndef KVMSCHED_HTML_PACK_H
#define KVMSCHED_HTML_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A set of numbers that remembers the order they came in. */
struct html_intern {
	uint64_t *key;
	uint32_t *slot; /* hash table of index + 1 */
	uint64_t seed;
	size_t n, cap, nslots;
};

/* The index of a key, added if it is new; SIZE_MAX without memory. */
size_t html_intern(struct html_intern *t, uint64_t key);
void html_intern_free(struct html_intern *t);

struct html_pack {
	FILE *out;
	uint64_t t0;	 /* start of the picture */
	uint8_t rest[3]; /* of the base64 */
	unsigned int nrest;
	int err;
};

/* Where the row before was. */
struct html_row {
	bool begun; /* there is one */
	uint32_t lane;
	uint64_t last;
};

void html_put(struct html_pack *p, uint64_t v);
/* The key's place among all; without memory p->err. */
void html_put_key(struct html_pack *p, struct html_intern *t, uint64_t key);
void html_put_span(struct html_pack *p, struct html_row *r, uint32_t lane, uint64_t from,
		   uint64_t to);
/* Sums of folded times are floats, and a guest may have claimed anything. */
uint64_t html_whole_ns(float ns);
/* The end of a string of base64. */
void html_put_end(struct html_pack *p);

#endif /* KVMSCHED_HTML_PACK_H */
