/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The items of a scene as the page's script reads them: rows of unsigned LEB128 numbers, in the
 * order of the scene's arrays, base64. The first number of a row is the start, as the zigzag
 * difference from the row before (in each lane anew from the start of the picture), the second
 * the length. page.js holds the reader; the two must agree.
 */
#ifndef KVMSCHED_HTML_DATA_H
#define KVMSCHED_HTML_DATA_H

#include "scene.h"

/* A set of numbers that remembers the order they came in. */
struct html_intern {
	uint64_t *key;
	uint32_t *slot; /* hash table of index + 1 */
	size_t n, cap, nslots;
};

/* The index of a key, added if it is new; SIZE_MAX without memory. */
size_t html_intern(struct html_intern *t, uint64_t key);
void html_intern_free(struct html_intern *t);

struct html_data {
	const struct ks_scene *s;
	FILE *out;
	struct html_intern syms, locks, tasks; /* filled by the writers; 0 is index 0 in each */
	uint8_t rest[3];		       /* of the base64 */
	unsigned int nrest;
	int err;
};

/* Each writes one string of base64, without quotes. */
void html_waits(struct html_data *d);
void html_holds(struct html_data *d);
void html_segs(struct html_data *d);
void html_ples(struct html_data *d);
void html_cells(struct html_data *d, const struct sc_vec *cells);

#endif /* KVMSCHED_HTML_DATA_H */
