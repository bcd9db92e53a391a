/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text on its way to a file: numbers and strings are formatted straight into a buffer, without
 * printf, since there are a million rows in a second.
 */
#ifndef KVMSCHED_ROWS_BUF_H
#define KVMSCHED_ROWS_BUF_H

#include <string.h>

#include "outfile.h"

#define ROWS_BUF (256u << 10)
#define ROWS_NUMBER 24u /* a number of 64 bits in any form needs no more */

struct rows_buf {
	struct ks_outfile *out; /* not owned */
	char *p;
	size_t n;
};

/* 0 or -ENOMEM. */
int rows_buf_init(struct rows_buf *b, struct ks_outfile *out);
/* Hand over what is in it; errors stay in the outfile. */
void rows_buf_flush(struct rows_buf *b);
void rows_buf_free(struct rows_buf *b);

/* Make room for len bytes, at most ROWS_BUF. */
static inline void rows_room(struct rows_buf *b, size_t len)
{
	if (ROWS_BUF - b->n < len)
		rows_buf_flush(b);
}

/* The following want room made before. */

static inline void rows_char(struct rows_buf *b, char c)
{
	b->p[b->n++] = c;
}

static inline void rows_text(struct rows_buf *b, const char *s, size_t len)
{
	memcpy(b->p + b->n, s, len);
	b->n += len;
}

void rows_u64(struct rows_buf *b, uint64_t v);
void rows_s64(struct rows_buf *b, int64_t v);
/* 0x... */
void rows_hex(struct rows_buf *b, uint64_t v);

/* These make room for themselves. */

/* A JSON string with its quotes; s is well-formed UTF-8. */
void rows_json_string(struct rows_buf *b, const char *s);
/* A CSV field, quoted if it must be (RFC 4180). */
void rows_csv_string(struct rows_buf *b, const char *s);

#endif /* KVMSCHED_ROWS_BUF_H */
