// SPDX-License-Identifier: GPL-2.0
/* The small parts of the picture: numbers for people, lists of vCPUs, escaping, path data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esc.h"
#include "html_pack.h"
#include "palette.h"
#include "scale.h"
#include "svg_path.h"
#include "vcpulist.h"

#define MS 1000000ull
#define S 1000000000ull

static void steps_are_nice_and_few(void **state)
{
	(void)state;
	assert_int_equal(ks_scale_step(0, 10), 1);
	assert_int_equal(ks_scale_step(100, 10), 10);
	assert_int_equal(ks_scale_step(101 * MS, 10), 10 * MS); /* 10 steps, rounded down */
	assert_int_equal(ks_scale_step(111 * MS, 10), 20 * MS);
	assert_int_equal(ks_scale_step(48 * MS, 12), 5 * MS);
	assert_int_equal(ks_scale_step(100, 0), 100);
	for (uint64_t span = 1; span < UINT64_MAX / 8; span = span * 7 / 2 + 1) {
		uint64_t step = ks_scale_step(span, 12);

		assert_true(step >= 1 && span / step <= 12);
		assert_true(step == 1 || span / step >= 4);
	}
}

static void ticks_have_the_digits_they_need(void **state)
{
	char b[32];

	(void)state;
	assert_string_equal(ks_scale_tick(0, MS, b, sizeof(b)), "0");
	assert_string_equal(ks_scale_tick(20 * MS, 10 * MS, b, sizeof(b)), "20 ms");
	assert_string_equal(ks_scale_tick(1250 * MS, 50 * MS, b, sizeof(b)), "1.25 s");
	assert_string_equal(ks_scale_tick(2 * S, 1 * S, b, sizeof(b)), "2 s");
	assert_string_equal(ks_scale_tick(1500, 500, b, sizeof(b)), "1.5 us");
	assert_string_equal(ks_scale_tick(7, 1, b, sizeof(b)), "7 ns");
	/* Two ticks must never read the same, however far in they are. */
	assert_string_equal(ks_scale_tick(80365205000, 5, b, sizeof(b)), "80.365205000 s");
}

static void times_have_three_digits(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} t[] = {
		{ 0, "0 ns" },		 { 412, "412 ns" },	   { 999, "999 ns" },
		{ 1000, "1.00 us" },	 { 9994, "9.99 us" },	   { 9996, "10.0 us" },
		{ 48200000, "48.2 ms" }, { 999600, "1.00 ms" },	   { 999400, "999 us" },
		{ 1300 * MS, "1.30 s" }, { 123456 * MS, "123 s" },
	};
	char b[32];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_string_equal(ks_scale_time(t[i].ns, b, sizeof(b)), t[i].text);
}

static void counts_have_separators(void **state)
{
	char b[32], small[6];

	(void)state;
	assert_string_equal(ks_scale_count(0, b, sizeof(b)), "0");
	assert_string_equal(ks_scale_count(999, b, sizeof(b)), "999");
	assert_string_equal(ks_scale_count(1000, b, sizeof(b)), "1,000");
	assert_string_equal(ks_scale_count(26632, b, sizeof(b)), "26,632");
	assert_string_equal(ks_scale_count(UINT64_MAX, b, sizeof(b)), "18,446,744,073,709,551,615");
	/* Too little room cuts, and does not write behind the end. */
	assert_true(strlen(ks_scale_count(1234567, small, sizeof(small))) < sizeof(small));
}

static void nothing_is_before_the_clock(void **state)
{
	(void)state;
	assert_int_equal(ks_scale_before(1000, 400), 600);
	assert_int_equal(ks_scale_before(1000, 1000), 0);
	assert_int_equal(ks_scale_before(1000, 3000), 0);
}

static void lists_are_read(void **state)
{
	struct ks_vcpulist l;

	(void)state;
	assert_int_equal(ks_vcpulist_parse(&l, "0,2-3,65535", NULL), 0);
	assert_int_equal(l.n, 3);
	assert_true(ks_vcpulist_has(&l, 0) && ks_vcpulist_has(&l, 3) && ks_vcpulist_has(&l, 65535));
	assert_false(ks_vcpulist_has(&l, 1) || ks_vcpulist_has(&l, 4));
	ks_vcpulist_free(&l);
	assert_int_equal(ks_vcpulist_parse(&l, NULL, NULL), 0);
	assert_true(ks_vcpulist_has(&l, 12345));
	ks_vcpulist_free(&l);
}

static void no_lists_are_refused_where_they_go_wrong(void **state)
{
	static const struct {
		const char *text;
		size_t at;
	} t[] = { { "", 0 },
		  { "abc", 0 },
		  { "1,", 2 },
		  { ",1", 0 },
		  { "1-", 2 },
		  { "3-2", 3 },
		  { "1 2", 1 },
		  { " 1", 0 },
		  { "-1", 0 },
		  { "+1", 0 },
		  { "0x2", 1 },
		  { "65536", 4 },
		  { "99999999999999999999", 4 },
		  { "1--2", 2 },
		  { "1-2-3", 3 } };
	struct ks_vcpulist l;
	struct ks_err err;
	char where[64];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		assert_int_equal(ks_vcpulist_parse(&l, t[i].text, &err), -EINVAL);
		snprintf(where, sizeof(where), " at \"%s\":", t[i].text + t[i].at);
		assert_non_null(strstr(err.msg, where));
		assert_null(l.v);
	}
}

static char *escaped(void (*fn)(FILE *, const char *), const char *text)
{
	static char *buf;
	size_t len;
	FILE *f;

	free(buf);
	buf = NULL;
	f = open_memstream(&buf, &len);
	assert_non_null(f);
	fn(f, text);
	fclose(f);
	return buf;
}

static void hostile_strings_are_tamed(void **state)
{
	(void)state;
	assert_string_equal(escaped(ks_esc_xml, "a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
	assert_string_equal(escaped(ks_esc_json, "</script>\"\\"),
			    "\"\\u003c/script\\u003e\\u0022\\u005c\"");
	/* Good UTF-8 passes, in JSON as ASCII, beyond the BMP as a surrogate pair. */
	assert_string_equal(escaped(ks_esc_xml, "µ→\xf0\x9f\x94\x92"), "µ→\xf0\x9f\x94\x92");
	assert_string_equal(escaped(ks_esc_json, "µ\xf0\x9f\x94\x92"), "\"\\u00b5\\ud83d\\udd12\"");
}

#define R "\xef\xbf\xbd" /* U+FFFD */

static void what_is_no_text_is_replaced(void **state)
{
	static const char *const t[][2] = {
		{ "\x01\x1b[31m", R R "[31m" }, /* controls */
		{ "a\xff"
		  "b",
		  "a" R "b" }, /* no lead byte */
		{ "\xc3", R }, /* cut off by the end */
		{ "\xe2\x82"
		  "x",
		  R "x" },		   /* cut off by a letter, which stays */
		{ "\xc0\xaf", R R },	   /* overlong slash */
		{ "\xe0\x80\xaf", R },	   /* overlong in three */
		{ "\xed\xa0\x80", R },	   /* surrogate */
		{ "\xf4\x90\x80\x80", R }, /* beyond Unicode */
		{ "\xe2\x80\xae"
		  "abc",
		  R "abc" },	       /* right-to-left override */
		{ "\xef\xbf\xbe", R }, /* no character */
		{ "\xc2\x85", R },     /* next line */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++)
		assert_string_equal(escaped(ks_esc_xml, t[i][0]), t[i][1]);
}

static void paths_are_relative_and_short(void **state)
{
	struct svg_path p = { 0 };
	char *buf = NULL;
	size_t len;
	FILE *f = open_memstream(&buf, &len);

	(void)state;
	assert_non_null(f);
	assert_int_equal(svg_path_flush(&p, f, "x"), 0); /* nothing drawn, nothing written */
	svg_path_rect(&p, 10, 20, 5.25, 3);
	svg_path_rect(&p, 12, 20, 0.01, 3); /* too narrow for a tenth of a pixel */
	svg_path_vline(&p, 12.5, 19, 4);
	svg_path_vline(&p, 13, 19, 4);
	assert_int_equal(svg_path_flush(&p, f, "class=\"k\""), 0);
	fclose(f);
	assert_string_equal(buf, "<path class=\"k\" d=\"m10 20h5.3v3h-5.3zm2.5-1v4m0.5-4v4\"/>\n");
	free(buf);
}

/* Readers who see no colour need the pattern or the code; no two classes may share all. */
static void classes_can_be_told_apart(void **state)
{
	(void)state;
	for (int a = 0; a < KS_C_MAX; a++) {
		assert_non_null(ks_class_paint[a].code);
		assert_int_equal(strlen(ks_class_paint[a].light), 7);
		assert_int_equal(strlen(ks_class_paint[a].dark), 7);
		for (int b = 0; b < a; b++) {
			assert_string_not_equal(ks_class_paint[a].code, ks_class_paint[b].code);
			assert_string_not_equal(ks_class_paint[a].light, ks_class_paint[b].light);
			assert_true(a >= KS_C_WAIT_MAX || b >= KS_C_WAIT_MAX ||
				    ks_class_paint[a].pattern != ks_class_paint[b].pattern);
		}
	}
	for (int k = 0; k < KS_V_GONE; k++)
		assert_non_null(ks_state_paint[k].words);
}

/* ---- colour blindness ---- */

/*
 * What is left of linear RGB without one kind of cone: Machado, Oliveira and Fernandes, "A
 * physiologically-based model for simulation of color vision deficiency" (2009), severity 1.
 */
static const double eyes[4][3][3] = {
	{ { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
	{ { 0.152286, 1.052583, -0.204868 },
	  { 0.114503, 0.786281, 0.099216 },
	  { -0.003882, -0.048116, 1.051998 } },
	{ { 0.367322, 0.860646, -0.227968 },
	  { 0.280085, 0.672501, 0.047413 },
	  { -0.011820, 0.042940, 0.968881 } },
	{ { 1.255528, -0.076749, -0.178779 },
	  { -0.078411, 0.930809, 0.147602 },
	  { 0.004733, 0.691367, 0.303900 } },
};

static void linear_rgb(const char *hex, double *rgb)
{
	unsigned int v[3];

	assert_int_equal(sscanf(hex, "#%2x%2x%2x", &v[0], &v[1], &v[2]), 3);
	for (int i = 0; i < 3; i++) {
		double c = v[i] / 255.0;

		rgb[i] = c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
	}
}

static double lab_part(double t)
{
	return t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116;
}

/* CIE L*a*b* under D65 of a colour as an eye sees it. */
static void seen(const char *hex, const double eye[3][3], double *lab)
{
	double rgb[3], o[3], x, y, z;

	linear_rgb(hex, rgb);
	for (int i = 0; i < 3; i++)
		o[i] = fmin(1,
			    fmax(0, eye[i][0] * rgb[0] + eye[i][1] * rgb[1] + eye[i][2] * rgb[2]));
	x = lab_part((0.4124 * o[0] + 0.3576 * o[1] + 0.1805 * o[2]) / 0.9505);
	y = lab_part(0.2126 * o[0] + 0.7152 * o[1] + 0.0722 * o[2]);
	z = lab_part((0.0193 * o[0] + 0.1192 * o[1] + 0.9505 * o[2]) / 1.089);
	lab[0] = 116 * y - 16;
	lab[1] = 500 * (x - y);
	lab[2] = 200 * (y - z);
}

static double apart(const char *a, const char *b, const double eye[3][3])
{
	double p[3], q[3];

	seen(a, eye, p);
	seen(b, eye, q);
	return sqrt(pow(p[0] - q[0], 2) + pow(p[1] - q[1], 2) + pow(p[2] - q[2], 2));
}

/* A difference of 2.3 is just noticeable; thin strokes need many times that. */
static void every_eye_tells_the_classes_apart(void **state)
{
	(void)state;
	for (int e = 0; e < 4; e++)
		for (int a = 0; a < KS_C_MAX; a++)
			for (int b = 0; b < a; b++) {
				const struct ks_paint *p = &ks_class_paint[a];
				const struct ks_paint *q = &ks_class_paint[b];
				double least = a < KS_C_WAIT_MAX ? 18 : 13;

				assert_true(apart(p->light, q->light, eyes[e]) > least);
				assert_true(apart(p->dark, q->dark, eyes[e]) > least);
			}
}

/* An item at time 0 is an item, and the next one counts from it. */
static void rows_may_begin_at_zero(void **state)
{
	char *got, *want;
	size_t len;
	struct html_pack p = { .out = open_memstream(&got, &len), .t0 = 100 };
	struct html_pack q = { .out = open_memstream(&want, &len) };
	struct html_row r = { 0 };

	(void)state;
	html_put_span(&p, &r, 0, 0, 10);
	html_put_span(&p, &r, 0, 50, 55);
	html_put_span(&p, &r, 1, 103, 104);
	html_put_end(&p);
	fclose(p.out);
	html_put(&q, 199); /* -100 from the start of the picture */
	html_put(&q, 10);
	html_put(&q, 100); /* 50 */
	html_put(&q, 5);
	html_put(&q, 6); /* 3 */
	html_put(&q, 1);
	html_put_end(&q);
	fclose(q.out);
	assert_string_equal(got, want);
	free(got);
	free(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_nice_and_few),
		cmocka_unit_test(ticks_have_the_digits_they_need),
		cmocka_unit_test(times_have_three_digits),
		cmocka_unit_test(counts_have_separators),
		cmocka_unit_test(nothing_is_before_the_clock),
		cmocka_unit_test(lists_are_read),
		cmocka_unit_test(no_lists_are_refused_where_they_go_wrong),
		cmocka_unit_test(hostile_strings_are_tamed),
		cmocka_unit_test(what_is_no_text_is_replaced),
		cmocka_unit_test(paths_are_relative_and_short),
		cmocka_unit_test(classes_can_be_told_apart),
		cmocka_unit_test(every_eye_tells_the_classes_apart),
		cmocka_unit_test(rows_may_begin_at_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
