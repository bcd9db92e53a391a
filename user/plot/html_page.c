// SPDX-License-Identifier: GPL-2.0
#include "html_page.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "esc.h"

void html_numbers(FILE *out, const char *name, const uint64_t *v, size_t n)
{
	fprintf(out, "\"%s\":[", name);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%" PRIu64, i ? "," : "", v[i]);
	fputs("]", out);
}

void html_string(FILE *out, const char *name, const char *text)
{
	fprintf(out, "\"%s\":", name);
	ks_esc_json(out, text);
	putc(',', out);
}

void html_paint(FILE *out, const struct ks_paint *p, const char *const *strip)
{
	fprintf(out,
		"{\"code\":\"%s\",\"words\":\"%s\",\"fill\":[\"%s\",\"%s\"],"
		"\"ink\":[\"%s\",\"%s\"],\"pattern\":%d",
		p->code, p->words, p->light, p->dark, p->ink_light, p->ink_dark, p->pattern);
	if (strip)
		fprintf(out, ",\"strip\":[\"%s\",\"%s\"]", strip[0], strip[1]);
	putc('}', out);
}

/* A page that is being written. */
struct writing {
	FILE *out;
	const struct html_page *page;
	const char *title;
	int (*data)(const void *scene, FILE *out);
	const void *scene;
};

/* What stands for @WORD@ in the page. */
static int fill_in(const struct writing *w, const char *word, size_t len)
{
	if (!strncmp(word, "TITLE", len)) {
		ks_esc_xml(w->out, w->title);
	} else if (!strncmp(word, "CSS", len)) {
		fputs(w->page->css, w->out);
	} else if (!strncmp(word, "JS", len)) {
		fputs(w->page->js, w->out);
	} else if (!strncmp(word, "POLICY", len)) {
		fprintf(w->out,
			"default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; "
			"base-uri 'none'; form-action 'none'",
			w->page->js_hash, w->page->css_hash);
	} else if (!strncmp(word, "DATA", len)) {
		return w->data(w->scene, w->out);
	}
	return 0;
}

int html_page(FILE *out, const struct html_page *page, const char *title,
	      int (*data)(const void *scene, FILE *out), const void *scene)
{
	const struct writing w = { out, page, title, data, scene };
	const char *p = page->html, *at;
	int err = 0;

	while (!err && (at = strchr(p, '@'))) {
		const char *close = strchr(at + 1, '@');

		if (!close)
			break;
		fwrite(p, 1, (size_t)(at - p), out);
		err = fill_in(&w, at + 1, (size_t)(close - at - 1));
		p = close + 1;
	}
	if (err)
		return err;
	fputs(p, out);
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
