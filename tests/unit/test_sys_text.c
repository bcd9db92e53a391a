// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "test_sys_tree.h"
#include "text.h"

static void expect_printable(const char *in, size_t len, const char *out)
{
	char buf[64];

	assert_ptr_equal(ks_printable(buf, sizeof(buf), in, len), buf);
	assert_string_equal(buf, out);
}

#define P(in, out) expect_printable(in, sizeof(in) - 1, out)

static void printable(void **state)
{
	(void)state;
	P("web-3", "web-3");
	P("", "");
	P("a\033[2Jb\r\n\tc\x7f", "a?[2Jb???c?");
	P("before\0behind", "before");
	P("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
	P("\xe6\x97\xa5\xf0\x9f\x90\xa7", "\xe6\x97\xa5\xf0\x9f\x90\xa7");
	P("a\xe2\x80\xae"
	  "b",
	  "a?b"); /* right-to-left override */
	P("a\xc2\x9b"
	  "2J",
	  "a?2J");			       /* C1 control: CSI */
	P("\xef\xbb\xbfx\xe2\x80\x8b", "?x?"); /* byte order mark, zero width space */
	P("\xc0\xaf", "??");		       /* too long a form of '/' */
	P("\xed\xa0\x80", "?");		       /* a surrogate */
	P("\xe6\x97", "??");		       /* cut off */
	P("\xff\xfe", "??");
	P("\xf4\x90\x80\x80", "?"); /* above U+10FFFF */
}

static void columns(void **state)
{
	char buf[4 * 5 + 1];

	(void)state;
	assert_string_equal(ks_column(buf, sizeof(buf), "web", 5), "web  ");
	assert_string_equal(ks_column(buf, sizeof(buf), "web-17", 5), "web-1");
	assert_string_equal(ks_column(buf, sizeof(buf),
				      "b\xc3\xbc"
				      "cher",
				      5),
			    "b\xc3\xbc"
			    "che");
	assert_string_equal(ks_column(buf, sizeof(buf), "\xc3\xbc\xe2\x82\xac", 5),
			    "\xc3\xbc\xe2\x82\xac   ");
	assert_string_equal(ks_column(buf, sizeof(buf), "", 5), "     ");
}

static void printable_cuts(void **state)
{
	char buf[5] = "zzzz";

	(void)state;
	ks_printable(buf, 5, "abcdefgh", 8);
	assert_string_equal(buf, "abcd");
	ks_printable(buf, 5, "abc\xc3\xbc", 5); /* no half character */
	assert_string_equal(buf, "abc");
	ks_printable(buf, 1, "abc", 3);
	assert_string_equal(buf, "");
	buf[0] = 'q';
	ks_printable(buf, 0, "abc", 3);
	assert_int_equal(buf[0], 'q');
}

static void files(void **state)
{
	char line[16], *text, big[10000];
	struct tree t;
	size_t len;

	(void)state;
	tree_new(&t);
	memset(big, 'x', sizeof(big));
	tree_put(&t, "/proc/big", big, sizeof(big));
	tree_put(&t, "/proc/bin", "a\0b", 3);
	tree_text(&t, "/proc/7/comm", "CPU 3/KVM\nmore\n");
	assert_int_equal(ks_read_at(t.root, sizeof(big), &text, &len, "/proc/%s", "big"), 0);
	assert_int_equal(len, sizeof(big));
	assert_memory_equal(text, big, len);
	assert_int_equal(text[len], 0);
	free(text);
	assert_int_equal(ks_read_at(t.root, sizeof(big) - 1, &text, &len, "/proc/big"), -EFBIG);
	assert_null(text);
	assert_int_equal(ks_read_at(t.root, 100, &text, &len, "/proc/bin"), 0);
	assert_memory_equal(text, "a\0b\0", 4);
	free(text);
	assert_int_equal(ks_read_at(t.root, 100, &text, NULL, "/proc/none"), -ENOENT);
	assert_int_equal(ks_read_at(t.root, 100, &text, NULL, "/proc"), -EISDIR);
	assert_int_equal(ks_read_line(t.root, line, sizeof(line), "/proc/%d/comm", 7), 0);
	assert_string_equal(line, "CPU 3/KVM");
	assert_int_equal(ks_read_line(t.root, line, sizeof(line), "/proc/8/comm"), -ENOENT);
	assert_string_equal(line, "");
	assert_true(ks_exists(t.root, "/proc/%d", 7));
	assert_false(ks_exists(t.root, "/proc/8"));
	tree_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printable),
		cmocka_unit_test(printable_cuts),
		cmocka_unit_test(columns),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests_name("sys text", tests, NULL, NULL);
}
