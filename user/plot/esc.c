// SPDX-License-Identifier: GPL-2.0
#include "esc.h"

#include <stdbool.h>
#include <stdint.h>

#define REPLACEMENT 0xfffdu

/* Length of the sequence that starts with c, 0 if none can; its payload bits into *cp. */
static int lead(unsigned char c, uint32_t *cp)
{
	if (c < 0x80) {
		*cp = c;
		return 1;
	}
	if (c >= 0xc2 && c <= 0xdf) {
		*cp = c & 0x1f;
		return 2;
	}
	if (c >= 0xe0 && c <= 0xef) {
		*cp = c & 0x0f;
		return 3;
	}
	if (c >= 0xf0 && c <= 0xf4) {
		*cp = c & 0x07;
		return 4;
	}
	return 0;
}

/* What must not reach a reader's screen or an XML parser. */
static bool forbidden(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || /* controls */
	       (cp >= 0xd800 && cp < 0xe000) ||		 /* surrogates */
	       (cp >= 0x200e && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069) || /* line breaks, directions */
	       (cp & 0xfffe) == 0xfffe || cp > 0x10ffff;
}

/* The next code point; *p is moved on by at least one byte. */
static uint32_t next(const char **p)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t cp;
	int n = lead((unsigned char)*(*p)++, &cp), i;

	for (i = 1; i < n; i++) {
		unsigned char c = (unsigned char)**p;

		if ((c & 0xc0) != 0x80)
			return REPLACEMENT;
		cp = cp << 6 | (c & 0x3f);
		(*p)++;
	}
	return !n || cp < least[n] || forbidden(cp) ? REPLACEMENT : cp;
}

static void put_utf8(FILE *out, uint32_t cp)
{
	if (cp < 0x80) {
		putc((int)cp, out);
	} else if (cp < 0x800) {
		putc((int)(0xc0 | cp >> 6), out);
		putc((int)(0x80 | (cp & 0x3f)), out);
	} else if (cp < 0x10000) {
		putc((int)(0xe0 | cp >> 12), out);
		putc((int)(0x80 | (cp >> 6 & 0x3f)), out);
		putc((int)(0x80 | (cp & 0x3f)), out);
	} else {
		putc((int)(0xf0 | cp >> 18), out);
		putc((int)(0x80 | (cp >> 12 & 0x3f)), out);
		putc((int)(0x80 | (cp >> 6 & 0x3f)), out);
		putc((int)(0x80 | (cp & 0x3f)), out);
	}
}

void ks_esc_xml(FILE *out, const char *text)
{
	while (*text) {
		uint32_t cp = next(&text);

		switch (cp) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			put_utf8(out, cp);
		}
	}
}

static bool plain_json(uint32_t cp)
{
	return cp < 0x7f && cp != '"' && cp != '\\' && cp != '<' && cp != '>' && cp != '&' &&
	       cp != '\'';
}

void ks_esc_json(FILE *out, const char *text)
{
	putc('"', out);
	while (*text) {
		uint32_t cp = next(&text);

		if (plain_json(cp))
			putc((int)cp, out);
		else if (cp < 0x10000)
			fprintf(out, "\\u%04x", cp);
		else
			fprintf(out, "\\u%04x\\u%04x", 0xd7c0 + (cp >> 10), 0xdc00 | (cp & 0x3ff));
	}
	putc('"', out);
}
