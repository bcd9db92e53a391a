// SPDX-License-Identifier: GPL-2.0
/* HTTP's Accept header: which of the two formats a scraper wants. The header comes from anybody. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "metrics.h"

/* A piece of the header, without blanks around it. */
struct piece {
	const char *s;
	size_t len;
};

static struct piece trimmed(const char *s, const char *end)
{
	while (s < end && (*s == ' ' || *s == '\t'))
		s++;
	while (end > s && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	return (struct piece){ s, (size_t)(end - s) };
}

/* Cuts the next piece off *rest, up to sep or the end; quoted strings are not looked into. */
static struct piece next(struct piece *rest, char sep)
{
	const char *end = rest->s + rest->len, *p = rest->s;
	struct piece piece;

	for (bool quoted = false; p < end && (quoted || *p != sep); p++)
		if (*p == '"')
			quoted = !quoted;
	piece = trimmed(rest->s, p);
	rest->len = p < end ? (size_t)(end - p - 1) : 0;
	rest->s = p < end ? p + 1 : end;
	return piece;
}

static bool is(struct piece p, const char *text)
{
	return p.len == strlen(text) && !strncasecmp(p.s, text, p.len);
}

/* Weight in thousandths; nonsense counts as not wanted. */
static int weight(struct piece v)
{
	int w = 0, scale = 100;
	size_t i;

	if (!v.len || (v.s[0] != '0' && v.s[0] != '1') || (v.len > 1 && v.s[1] != '.') || v.len > 5)
		return 0;
	for (i = 2; i < v.len; i++, scale /= 10) {
		if (v.s[i] < '0' || v.s[i] > '9')
			return 0;
		w += (v.s[i] - '0') * scale;
	}
	return v.s[0] == '1' ? 1000 : w;
}

struct range {
	struct piece type, version;
	int q;
};

static struct range parse_range(struct piece text)
{
	struct range r = { .type = next(&text, ';'), .q = 1000 };

	while (text.len) {
		struct piece param = next(&text, ';'), name = next(&param, '=');

		if (is(name, "version"))
			r.version = trimmed(param.s, param.s + param.len);
		else if (is(name, "q"))
			r.q = weight(trimmed(param.s, param.s + param.len));
	}
	return r;
}

static bool version_is(const struct range *r, const char *version)
{
	struct piece v = r->version;

	if (v.len >= 2 && v.s[0] == '"' && v.s[v.len - 1] == '"')
		v = (struct piece){ v.s + 1, v.len - 2 };
	return !v.len || is(v, version);
}

enum ks_metrics_format ks_metrics_negotiate(const char *accept)
{
	struct piece rest = { accept ? accept : "", accept ? strlen(accept) : 0 };
	int open = 0, text = 0, any = 0;

	while (rest.len) {
		struct range r = parse_range(next(&rest, ','));

		if (is(r.type, "application/openmetrics-text") && version_is(&r, "1.0.0") &&
		    r.q > open)
			open = r.q;
		else if (is(r.type, "text/plain") && version_is(&r, "0.0.4") && r.q > text)
			text = r.q;
		else if ((is(r.type, "text/*") || is(r.type, "*/*")) && r.q > any)
			any = r.q;
	}
	if (!text)
		text = any;
	return open && open >= text ? KS_METRICS_OPENMETRICS : KS_METRICS_TEXT;
}
