// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "rows_buf.h"

static const char digits2[] = "00010203040506070809101112131415161718192021222324"
			      "25262728293031323334353637383940414243444546474849"
			      "50515253545556575859606162636465666768697071727374"
			      "75767778798081828384858687888990919293949596979899";
static const char hex[] = "0123456789abcdef";

int rows_buf_init(struct rows_buf *b, struct ks_outfile *out)
{
	*b = (struct rows_buf){ .out = out, .p = malloc(ROWS_BUF) };
	return b->p ? 0 : -ENOMEM;
}

void rows_buf_flush(struct rows_buf *b)
{
	if (b->n)
		ks_outfile_write(b->out, b->p, b->n);
	b->n = 0;
}

void rows_buf_free(struct rows_buf *b)
{
	free(b->p);
	b->p = NULL;
}

void rows_u64(struct rows_buf *b, uint64_t v)
{
	char t[ROWS_NUMBER];
	size_t at = sizeof(t);

	while (v >= 100) {
		at -= 2;
		memcpy(t + at, digits2 + 2 * (v % 100), 2);
		v /= 100;
	}
	if (v >= 10) {
		at -= 2;
		memcpy(t + at, digits2 + 2 * v, 2);
	} else {
		t[--at] = (char)('0' + v);
	}
	rows_text(b, t + at, sizeof(t) - at);
}

void rows_s64(struct rows_buf *b, int64_t v)
{
	if (v < 0)
		rows_char(b, '-');
	rows_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void rows_hex(struct rows_buf *b, uint64_t v)
{
	int shift = v ? (63 - __builtin_clzll(v)) & ~3 : 0;

	rows_text(b, "0x", 2);
	for (; shift >= 0; shift -= 4)
		rows_char(b, hex[v >> shift & 15]);
}

static void json_escaped(struct rows_buf *b, unsigned char c)
{
	rows_char(b, '\\');
	if (c == '"' || c == '\\') {
		rows_char(b, (char)c);
		return;
	}
	rows_text(b, "u00", 3);
	rows_char(b, hex[c >> 4]);
	rows_char(b, hex[c & 15]);
}

/* The longest beginning of s whose six-fold fits; strings here are names and paths. */
static size_t fitting(const char *s)
{
	return strnlen(s, (ROWS_BUF - 2) / 6);
}

void rows_json_string(struct rows_buf *b, const char *s)
{
	size_t i, len = fitting(s);
	unsigned char c;

	rows_room(b, 6 * len + 2);
	rows_char(b, '"');
	for (i = 0; i < len; i++) {
		c = (unsigned char)s[i];
		if (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)
			json_escaped(b, c);
		else
			rows_char(b, (char)c);
	}
	rows_char(b, '"');
}

void rows_csv_string(struct rows_buf *b, const char *s)
{
	size_t i, len = fitting(s);

	rows_room(b, 2 * len + 2);
	/* An empty string is not the same as nothing. */
	if (len && !strpbrk(s, ",\"\r\n")) {
		rows_text(b, s, len);
		return;
	}
	rows_char(b, '"');
	for (i = 0; i < len; i++) {
		if (s[i] == '"')
			rows_char(b, '"');
		rows_char(b, s[i]);
	}
	rows_char(b, '"');
}
