/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text for Prometheus and its kin, in the two formats that they speak: OpenMetrics 1.0 and the older
 * Prometheus text format 0.0.4. No transport: a caller fills a page and sends it as it likes.
 *
 * Sources: the OpenMetrics specification 1.0 (github.com/OpenObservability/OpenMetrics, sections
 * "Text format" and "Metric types"), and "Exposition formats" of Prometheus' documentation.
 *
 * A page is a list of families; the samples of a family follow its head, before the next head.
 */
#ifndef KVMSCHED_METRICS_H
#define KVMSCHED_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ks_metrics_format {
	KS_METRICS_TEXT,	/* text/plain; version=0.0.4 */
	KS_METRICS_OPENMETRICS, /* application/openmetrics-text; version=1.0.0 */
};

enum ks_metric_type {
	KS_METRIC_COUNTER,
	KS_METRIC_GAUGE,
	KS_METRIC_HISTOGRAM,
	KS_METRIC_SUMMARY, /* sum and count alone */
	KS_METRIC_INFO,
};

struct ks_metric_family {
	const char *name; /* without _total, _info, _bucket ...: these come with the type */
	enum ks_metric_type type;
	const char *unit; /* "seconds", "bytes": the name ends with it; NULL = none */
	const char *help;
};

/* ---- labels ---- */

#define KS_LABEL_VALUE_MAX 128 /* bytes of a value; longer ones are cut, between two characters */
#define KS_LABELS_MAX 1024     /* bytes of all labels of a sample, as written */

/* Labels of a sample, as written: name="value",name="value" */
struct ks_labels {
	char text[KS_LABELS_MAX];
	size_t len;
};

/*
 * Add a label. The value may hold any bytes: control characters, broken UTF-8 and characters that
 * change how a line looks become '?' (see ks_printable()), what the format wants escaped is. A
 * label for which there is no room is left out whole.
 */
void ks_labels_add(struct ks_labels *l, const char *name, const char *value);
void ks_labels_add_uint(struct ks_labels *l, const char *name, uint64_t value);

/* ---- the page ---- */

struct ks_metrics {
	enum ks_metrics_format format;
	char *buf; /* the text, not NUL-terminated */
	size_t len, cap;
	const struct ks_metric_family *family;
	bool failed; /* out of memory: the page is not whole */
};

/* Content-Type of a format. */
const char *ks_metrics_content_type(enum ks_metrics_format format);

/* Begin a page in m, which was zeroed or holds an earlier page, whose memory is used again. */
void ks_metrics_begin(struct ks_metrics *m, enum ks_metrics_format format);

/* Head of a family: f is kept until the next one. */
void ks_metrics_family(struct ks_metrics *m, const struct ks_metric_family *f);

/* A sample of a counter, a gauge or an info (then value is 1). l may be NULL: no labels. */
void ks_metrics_uint(struct ks_metrics *m, const struct ks_labels *l, uint64_t value);
/* The same, written in seconds, exactly. */
void ks_metrics_ns(struct ks_metrics *m, const struct ks_labels *l, uint64_t ns);

/*
 * A histogram of whole numbers: n buckets, not cumulative; bounds: the n - 1 upper bounds
 * (inclusive) of all but the last, growing. sum: of all that was observed. l is as before in the
 * end, and must not be NULL.
 */
void ks_metrics_histogram(struct ks_metrics *m, struct ks_labels *l, const uint64_t *bounds,
			  const uint64_t *buckets, unsigned int n, uint64_t sum);

/* A summary of durations. */
void ks_metrics_summary_ns(struct ks_metrics *m, const struct ks_labels *l, uint64_t count,
			   uint64_t sum_ns);

/* End the page. 0, or -ENOMEM: it must not be sent. */
int ks_metrics_end(struct ks_metrics *m);

void ks_metrics_free(struct ks_metrics *m);

/* ---- which format ---- */

/*
 * The format for an HTTP Accept header, by RFC 9110, section 12.5.1: OpenMetrics if a version 1.0.0
 * (or none) of it is wanted at least as much as the text format. NULL, nonsense, or neither of
 * them: the text format, which everybody reads.
 */
enum ks_metrics_format ks_metrics_negotiate(const char *accept);

#endif /* KVMSCHED_METRICS_H */
