// SPDX-License-Identifier: GPL-2.0
/* The two exposition formats, to the byte; what hostile labels become; which format is wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "metrics.h"

static const struct ks_metric_family exits = { "vm_exits", KS_METRIC_COUNTER, NULL,
					       "Exits, a \"lot\"\\of them." };
static const struct ks_metric_family spent = { "vm_spent_seconds", KS_METRIC_COUNTER, "seconds",
					       "Time." };
static const struct ks_metric_family level = { "level_bytes", KS_METRIC_GAUGE, "bytes", "Now." };
static const struct ks_metric_family build = { "build", KS_METRIC_INFO, NULL, "Which." };
static const struct ks_metric_family bursts = { "bursts", KS_METRIC_HISTOGRAM, NULL, "Bursts." };
static const struct ks_metric_family made = { "made_seconds", KS_METRIC_SUMMARY, "seconds", "M." };

static void fill(struct ks_metrics *m, enum ks_metrics_format format)
{
	static const uint64_t bounds[] = { 1, 2, 16384 }, buckets[] = { 3, 0, 4, 1 };
	struct ks_labels l = { .len = 0 };

	ks_labels_add(&l, "vm", "web-3");
	ks_labels_add_uint(&l, "pid", 4711);
	ks_metrics_begin(m, format);
	ks_metrics_family(m, &exits);
	ks_metrics_uint(m, &l, UINT64_MAX);
	ks_metrics_family(m, &spent);
	ks_metrics_ns(m, &l, 12000000034ull);
	ks_metrics_family(m, &level);
	ks_metrics_uint(m, NULL, 0);
	ks_metrics_family(m, &build);
	ks_metrics_uint(m, &l, 1);
	ks_metrics_family(m, &bursts);
	ks_metrics_histogram(m, &l, bounds, buckets, 4, 99);
	ks_metrics_family(m, &made);
	ks_metrics_summary_ns(m, NULL, 2, 1);
	assert_int_equal(ks_metrics_end(m), 0);
}

static void page_is(enum ks_metrics_format format, const char *want)
{
	struct ks_metrics m = { .len = 0 };

	fill(&m, format);
	fill(&m, format); /* in the memory of the first one */
	assert_int_equal(m.len, strlen(want));
	assert_memory_equal(m.buf, want, m.len);
	ks_metrics_free(&m);
}

#define WEB "{vm=\"web-3\",pid=\"4711\"}"
#define BUCKET "bursts_bucket{vm=\"web-3\",pid=\"4711\",le="
#define BURSTS                                                                                     \
	BUCKET "\"1.0\"} 3\n" BUCKET "\"2.0\"} 3\n" BUCKET "\"16384.0\"} 7\n" BUCKET               \
	       "\"+Inf\"} 8\n"                                                                     \
	       "bursts_count" WEB " 8\n"                                                           \
	       "bursts_sum" WEB " 99\n"

static void openmetrics(void **state)
{
	(void)state;
	page_is(KS_METRICS_OPENMETRICS,
		"# TYPE vm_exits counter\n"
		"# HELP vm_exits Exits, a \\\"lot\\\"\\\\of them.\n"
		"vm_exits_total" WEB " 18446744073709551615\n"
		"# TYPE vm_spent_seconds counter\n"
		"# UNIT vm_spent_seconds seconds\n"
		"# HELP vm_spent_seconds Time.\n"
		"vm_spent_seconds_total" WEB " 12.000000034\n"
		"# TYPE level_bytes gauge\n"
		"# UNIT level_bytes bytes\n"
		"# HELP level_bytes Now.\n"
		"level_bytes 0\n"
		"# TYPE build info\n"
		"# HELP build Which.\n"
		"build_info" WEB " 1\n"
		"# TYPE bursts histogram\n"
		"# HELP bursts Bursts.\n" BURSTS "# TYPE made_seconds summary\n"
		"# UNIT made_seconds seconds\n"
		"# HELP made_seconds M.\n"
		"made_seconds_count 2\n"
		"made_seconds_sum 0.000000001\n"
		"# EOF\n");
	assert_string_equal(ks_metrics_content_type(KS_METRICS_OPENMETRICS),
			    "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

/* The older format: names of families as in the samples, no info, no unit, no end. */
static void text(void **state)
{
	(void)state;
	page_is(KS_METRICS_TEXT, "# TYPE vm_exits_total counter\n"
				 "# HELP vm_exits_total Exits, a \"lot\"\\\\of them.\n"
				 "vm_exits_total" WEB " 18446744073709551615\n"
				 "# TYPE vm_spent_seconds_total counter\n"
				 "# HELP vm_spent_seconds_total Time.\n"
				 "vm_spent_seconds_total" WEB " 12.000000034\n"
				 "# TYPE level_bytes gauge\n"
				 "# HELP level_bytes Now.\n"
				 "level_bytes 0\n"
				 "# TYPE build_info gauge\n"
				 "# HELP build_info Which.\n"
				 "build_info" WEB " 1\n"
				 "# TYPE bursts histogram\n"
				 "# HELP bursts Bursts.\n" BURSTS "# TYPE made_seconds summary\n"
				 "# HELP made_seconds M.\n"
				 "made_seconds_count 2\n"
				 "made_seconds_sum 0.000000001\n");
	assert_string_equal(ks_metrics_content_type(KS_METRICS_TEXT),
			    "text/plain; version=0.0.4; charset=utf-8");
}

static void label_is(const char *value, const char *want)
{
	struct ks_labels l = { .len = 0 };

	ks_labels_add(&l, "a", value);
	assert_int_equal(l.len, strlen(want));
	assert_memory_equal(l.text, want, l.len);
}

static void hostile_labels(void **state)
{
	(void)state;
	label_is("", "a=\"\"");
	label_is("a\"b\\c", "a=\"a\\\"b\\\\c\"");
	label_is("x\"} 1\n# EOF\n", "a=\"x\\\"} 1?# EOF?\"");
	label_is("caf\303\251", "a=\"caf\303\251\"");
	label_is("\377\300\200\r\t\033[31m", "a=\"?????"
					     "?[31m\"");
	label_is("\342\200\256gpj.exe", "a=\"?gpj.exe\""); /* turns the direction around */
}

/* Long values are cut, between two characters; what finds no room is left out whole. */
static void long_labels(void **state)
{
	struct ks_labels l = { .len = 0 };
	char value[1000], quotes[1000];
	int i;

	(void)state;
	value[0] = 'x';
	for (i = 1; i + 2 < (int)sizeof(value); i += 2)
		memcpy(value + i, "\303\251", 2);
	value[i] = '\0';
	ks_labels_add(&l, "a", value);
	assert_int_equal(l.len, strlen("a=\"\"") + KS_LABEL_VALUE_MAX - 1);
	memset(quotes, '"', sizeof(quotes) - 1);
	quotes[sizeof(quotes) - 1] = '\0';
	for (i = 0; i < 20; i++) {
		size_t before = l.len;

		ks_labels_add(&l, "b", quotes);
		assert_true(l.len == before || l.text[l.len - 1] == '"');
		assert_true(l.len <= sizeof(l.text));
	}
	assert_true(l.len > sizeof(l.text) - 2 * KS_LABEL_VALUE_MAX - 8);
	for (i = 0; i < 300; i++)
		ks_labels_add(&l, "c", "");
	assert_true(l.len <= sizeof(l.text));
}

static void wants(const char *accept, enum ks_metrics_format want)
{
	if (ks_metrics_negotiate(accept) != want)
		fail_msg("Accept: %s", accept ? accept : "(none)");
}

static void negotiation(void **state)
{
	static const char *const open[] = {
		/* Prometheus 2.53 and 3 */
		"application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;"
		"version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		"application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
		"text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
		"application/openmetrics-text",
		"Application/OpenMetrics-Text; Version=\"1.0.0\" ; Q=1.000",
		"text/html, application/openmetrics-text ;q=0.001",
		"application/openmetrics-text;q=0.3, text/plain;q=0.3",
		"text/plain;q=0.2,*/*;q=0.9,application/openmetrics-text;version=1.0.0;q=0.3",
	};
	static const char *const plain[] = {
		NULL,
		"",
		"*/*",
		"text/plain",
		"text/html,application/xhtml+xml,*/*;q=0.8",
		"application/openmetrics-text;version=2.0.0",
		"application/openmetrics-text;q=0",
		"application/openmetrics-text;q=0.3,text/plain;version=0.0.4;q=0.5",
		"application/openmetrics-text;q=2",
		"application/openmetrics-text;q=",
		"application/openmetrics-text;q=-1",
		"application/openmetrics-text;q=0.0.1",
		"application/openmetrics-textual",
		"x=\"application/openmetrics-text,\"",
		";;;,,,;q=;=,\"",
		"application/openmetrics-text;q=0.5,*/*",
		"application/openmetrics-protobuf;version=1.0.0",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		wants(open[i], KS_METRICS_OPENMETRICS);
	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		wants(plain[i], KS_METRICS_TEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openmetrics),	  cmocka_unit_test(text),
		cmocka_unit_test(hostile_labels), cmocka_unit_test(long_labels),
		cmocka_unit_test(negotiation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
