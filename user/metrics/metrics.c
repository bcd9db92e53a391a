// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "text.h"

/* ---- text ---- */

static void put(struct ks_metrics *m, const char *s, size_t len)
{
	if (m->failed)
		return;
	if (m->len + len > m->cap) {
		size_t cap = 2 * (m->len + len) + 4096;
		char *more = realloc(m->buf, cap);

		if (!more) {
			m->failed = true;
			return;
		}
		m->buf = more;
		m->cap = cap;
	}
	memcpy(m->buf + m->len, s, len);
	m->len += len;
}

static void put_str(struct ks_metrics *m, const char *s)
{
	put(m, s, strlen(s));
}

/* Decimal digits before `end`, 20 at most; returns the first. */
static char *uint_text(char *end, uint64_t v)
{
	do
		*--end = '0' + v % 10;
	while (v /= 10);
	return end;
}

static void put_uint(struct ks_metrics *m, uint64_t v)
{
	char digits[20], *end = digits + sizeof(digits), *p = uint_text(end, v);

	put(m, p, end - p);
}

static void put_seconds(struct ks_metrics *m, uint64_t ns)
{
	char digits[20], *end = digits + sizeof(digits);

	put_uint(m, ns / 1000000000u);
	/* With a 1 in front nine digits are nine, whatever they begin with. */
	uint_text(end, 1000000000u + ns % 1000000000u);
	end[-10] = '.';
	put(m, end - 10, 10);
}

/* ---- labels ---- */

/* What stands for a byte between quotes; 0 = itself. */
static char escape_of(char c)
{
	switch (c) {
	case '\\':
	case '"':
		return c;
	case '\n':
		return 'n';
	default:
		return 0;
	}
}

static bool add_char(char *text, size_t *len, char c)
{
	char e = escape_of(c);

	if (*len + 3 > KS_LABELS_MAX)
		return false;
	if (e)
		text[(*len)++] = '\\';
	text[(*len)++] = e ? e : c;
	return true;
}

static bool add_text(char *text, size_t *len, const char *s, size_t n)
{
	if (*len + n > KS_LABELS_MAX)
		return false;
	memcpy(text + *len, s, n);
	*len += n;
	return true;
}

/* The same without a look at the value, which is fit for it. */
static void add_clean(struct ks_labels *l, const char *name, const char *value)
{
	size_t len = l->len;

	if (len && !add_text(l->text, &len, ",", 1))
		return;
	if (!add_text(l->text, &len, name, strlen(name)) || !add_text(l->text, &len, "=\"", 2))
		return;
	for (; *value; value++)
		if (!add_char(l->text, &len, *value))
			return;
	if (add_text(l->text, &len, "\"", 1))
		l->len = len;
}

void ks_labels_add(struct ks_labels *l, const char *name, const char *value)
{
	char clean[KS_LABEL_VALUE_MAX + 1];

	add_clean(l, name, ks_printable(clean, sizeof(clean), value, strlen(value)));
}

void ks_labels_add_uint(struct ks_labels *l, const char *name, uint64_t value)
{
	char digits[21];

	digits[20] = '\0';
	add_clean(l, name, uint_text(digits + 20, value));
}

/* ---- families ---- */

const char *ks_metrics_content_type(enum ks_metrics_format format)
{
	return format == KS_METRICS_OPENMETRICS ?
		       "application/openmetrics-text; version=1.0.0; charset=utf-8" :
		       "text/plain; version=0.0.4; charset=utf-8";
}

void ks_metrics_begin(struct ks_metrics *m, enum ks_metrics_format format)
{
	m->format = format;
	m->len = 0;
	m->family = NULL;
	m->failed = false;
}

static const char *type_name(const struct ks_metrics *m, enum ks_metric_type type)
{
	static const char *const names[] = {
		[KS_METRIC_COUNTER] = "counter",     [KS_METRIC_GAUGE] = "gauge",
		[KS_METRIC_HISTOGRAM] = "histogram", [KS_METRIC_SUMMARY] = "summary",
		[KS_METRIC_INFO] = "info",
	};

	/* The older format knows no info. */
	if (type == KS_METRIC_INFO && m->format == KS_METRICS_TEXT)
		return "gauge";
	return names[type];
}

static const char *sample_suffix(enum ks_metric_type type)
{
	switch (type) {
	case KS_METRIC_COUNTER:
		return "_total";
	case KS_METRIC_INFO:
		return "_info";
	default:
		return "";
	}
}

/* "# TYPE name value"; the older format wants the name that counters and infos have in samples. */
static void put_head(struct ks_metrics *m, const char *what, const char *value)
{
	put_str(m, "# ");
	put_str(m, what);
	put_str(m, m->family->name);
	if (m->format == KS_METRICS_TEXT)
		put_str(m, sample_suffix(m->family->type));
	put(m, " ", 1);
	put_str(m, value);
	put(m, "\n", 1);
}

/* OpenMetrics escapes help as it does values; the older format leaves quotes as they are. */
static void put_help(struct ks_metrics *m, const char *help)
{
	char text[KS_LABELS_MAX];
	size_t len = 0;

	for (; *help; help++) {
		if (*help == '"' && m->format == KS_METRICS_TEXT && len + 3 <= sizeof(text))
			text[len++] = '"';
		else if (!add_char(text, &len, *help))
			break;
	}
	text[len < sizeof(text) ? len : sizeof(text) - 1] = '\0';
	put_head(m, "HELP ", text);
}

void ks_metrics_family(struct ks_metrics *m, const struct ks_metric_family *f)
{
	m->family = f;
	put_head(m, "TYPE ", type_name(m, f->type));
	if (f->unit && m->format == KS_METRICS_OPENMETRICS)
		put_head(m, "UNIT ", f->unit);
	put_help(m, f->help);
}

/* ---- samples ---- */

static void put_sample(struct ks_metrics *m, const char *suffix, const struct ks_labels *l)
{
	put_str(m, m->family->name);
	put_str(m, suffix);
	if (l && l->len) {
		put(m, "{", 1);
		put(m, l->text, l->len);
		put(m, "}", 1);
	}
	put(m, " ", 1);
}

void ks_metrics_uint(struct ks_metrics *m, const struct ks_labels *l, uint64_t value)
{
	put_sample(m, sample_suffix(m->family->type), l);
	put_uint(m, value);
	put(m, "\n", 1);
}

void ks_metrics_ns(struct ks_metrics *m, const struct ks_labels *l, uint64_t ns)
{
	put_sample(m, sample_suffix(m->family->type), l);
	put_seconds(m, ns);
	put(m, "\n", 1);
}

/*
 * Bounds are written as OpenMetrics' canonical numbers want it, like Go's %g with ".0" behind whole
 * ones; from 1e+06 on, which would be written in another way, none is used here. The same in both
 * formats: a scraper that changes the format goes on with the same series.
 */
static void put_bucket(struct ks_metrics *m, struct ks_labels *l, const char *le, uint64_t count)
{
	size_t len = l->len;

	add_clean(l, "le", le);
	put_sample(m, "_bucket", l);
	l->len = len;
	put_uint(m, count);
	put(m, "\n", 1);
}

/* "16384.0" before `end`. */
static char *bound_text(char *end, uint64_t bound)
{
	*--end = '\0';
	*--end = '0';
	*--end = '.';
	return uint_text(end, bound);
}

void ks_metrics_histogram(struct ks_metrics *m, struct ks_labels *l, const uint64_t *bounds,
			  const uint64_t *buckets, unsigned int n, uint64_t sum)
{
	uint64_t count = 0;
	unsigned int i;
	char le[24];

	for (i = 0; i < n; i++) {
		count += buckets[i];
		put_bucket(m, l, i + 1 < n ? bound_text(le + sizeof(le), bounds[i]) : "+Inf",
			   count);
	}
	put_sample(m, "_count", l);
	put_uint(m, count);
	put(m, "\n", 1);
	put_sample(m, "_sum", l);
	put_uint(m, sum);
	put(m, "\n", 1);
}

void ks_metrics_summary_ns(struct ks_metrics *m, const struct ks_labels *l, uint64_t count,
			   uint64_t sum_ns)
{
	put_sample(m, "_count", l);
	put_uint(m, count);
	put(m, "\n", 1);
	put_sample(m, "_sum", l);
	put_seconds(m, sum_ns);
	put(m, "\n", 1);
}

int ks_metrics_end(struct ks_metrics *m)
{
	if (m->format == KS_METRICS_OPENMETRICS)
		put_str(m, "# EOF\n");
	return m->failed ? -ENOMEM : 0;
}

void ks_metrics_free(struct ks_metrics *m)
{
	free(m->buf);
	memset(m, 0, sizeof(*m));
}
