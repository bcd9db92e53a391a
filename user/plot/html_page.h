/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A picture as one HTML file: a page's own files, and the scene as JSON. Nothing in it comes from, or
 * goes to, anywhere else.
 */
#ifndef KVMSCHED_HTML_PAGE_H
#define KVMSCHED_HTML_PAGE_H

#include <stdint.h>
#include <stdio.h>

#include "palette.h"

/* Made by embed. In the HTML, @TITLE@, @CSS@, @JS@, @POLICY@ and @DATA@ are filled in. */
struct html_page {
	const char *html, *css, *js;
	const char *css_hash, *js_hash; /* as the content security policy wants them */
};

/* 0 or -errno, of the stream or from data, which writes the scene. */
int html_page(FILE *out, const struct html_page *page, const char *title,
	      int (*data)(const void *scene, FILE *out), const void *scene);

/* Members of a JSON object; name is one of ours. A string has a comma behind it. */
void html_string(FILE *out, const char *name, const char *text);
void html_numbers(FILE *out, const char *name, const uint64_t *v, size_t n);
/* An object with a paint, strip may be NULL. */
void html_paint(FILE *out, const struct ks_paint *p, const char *const *strip);

#endif /* KVMSCHED_HTML_PAGE_H */
