// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "symbols.h"
#include "test_sys_tree.h"
#include "trace.h"

static const char kallsyms[] = "0000000000000000 A fixed_percpu_data\n"
			       "000000000001fa40 A cpu_tss_rw\n"
			       "ffffffff81000000 T _stext\n"
			       "ffffffff81000000 T _text\n"
			       "ffffffff81001000 t __start_it\n"
			       "ffffffff81001000 T start_it\n"
			       "ffffffff81001000 W weak_it\n"
			       "ffffffff81002000 T _raw_spin_lock\n"
			       "ffffffff81002040 t native_queued_spin_lock_slowpath\n"
			       "ffffffff81003000 t smp_call_function_many_cond.constprop.0\n"
			       "ffffffff81004000 t pv_native_safe_halt\n"
			       "ffffffff82000000 D init_task\n"
			       "ffffffff82100000 b big_table\n"
			       "ffffffff83000000 B _end\n"
			       "ffffffffc0201000 t ext4_fill_super\t[ext4]\n"
			       "ffffffffc0200000 t ext4_sync\t[ext4]\n"
			       "ffffffffc0300000 d kvm_usage_count\t[kvm]\n";

static struct ks_symbols *parse(const char *text)
{
	struct ks_symbols *s;
	struct ks_err err;

	assert_int_equal(ks_symbols_parse(&s, text, strlen(text), &err), 0);
	return s;
}

static void expect_name(const struct ks_symbols *s, uint64_t addr, const char *want)
{
	char buf[128];

	assert_string_equal(ks_symbols_name(s, addr, buf, sizeof(buf)), want);
}

static void names(void **state)
{
	struct ks_symbols *s = parse(kallsyms);
	struct ks_symbol sym;
	char small[8];

	(void)state;
	assert_int_equal(ks_symbols_count(s), 15);
	assert_int_equal(ks_symbols_bad_lines(s), 0);
	expect_name(s, 0xffffffff81002000, "_raw_spin_lock");
	expect_name(s, 0xffffffff8100201a, "_raw_spin_lock+0x1a");
	expect_name(s, 0xffffffff81001004, "start_it+0x4"); /* not the local, not the weak one */
	expect_name(s, 0xffffffff82000010, "init_task+0x10");
	expect_name(s, 0xffffffff82fffff8,
		    "big_table+0xefff"
		    "f8");
	expect_name(s, 0xffffffffc0200010, "ext4_sync+0x10 [ext4]");
	expect_name(s, 0xffffffffc0201008, "ext4_fill_super+0x8 [ext4]");
	expect_name(s, 0xffffffffc0300000, "kvm_usage_count [kvm]");
	assert_int_equal(ks_symbols_lookup(s, 0xffffffffc0300000, &sym), 0);
	assert_int_equal(sym.type, 'd');
	assert_string_equal(sym.module, "kvm");
	assert_string_equal(ks_symbols_name(s, 0xffffffff8100201a, small, sizeof(small)),
			    "_raw_sp");
	ks_symbols_free(s);
	ks_symbols_free(NULL);
}

static void nowhere(void **state)
{
	struct ks_symbols *s = parse(kallsyms);

	(void)state;
	expect_name(s, 0, "0x0");
	expect_name(s, 0x7f0012345678, "0x7f0012345678");	  /* user space */
	expect_name(s, 0xffff888100000000, "0xffff888100000000"); /* the heap */
	expect_name(s, 0xffffffff80ffffff, "0xffffffff80ffffff");
	expect_name(s, 0xffffffff83000000, "0xffffffff83000000"); /* behind the image */
	expect_name(s, 0xffffffff83000008, "0xffffffff83000008");
	expect_name(s, 0xffffffff81004000 + 0xfffff, "pv_native_safe_halt+0xfffff");
	expect_name(s, 0xffffffff81004000 + 0x100000, "0xffffffff81104000");
	expect_name(s, UINT64_MAX, "0xffffffffffffffff");
	expect_name(NULL, 0x12, "0x12");
	ks_symbols_free(s);
}

static void addresses(void **state)
{
	struct ks_symbols *s = parse(kallsyms);
	uint64_t a = 7;

	(void)state;
	assert_int_equal(ks_symbols_addr(s, "ext4_sync", &a), 0);
	assert_int_equal(a, 0xffffffffc0200000);
	a = 7;
	assert_int_equal(ks_symbols_addr(s, "cpu_tss_rw", &a), -ENOENT);
	assert_int_equal(ks_symbols_addr(s, "", &a), -ENOENT);
	assert_int_equal(a, 7);
	ks_symbols_free(s);
}

static void sliding(void **state)
{
	struct ks_symbols *link = parse(kallsyms), *run, *none;
	uint64_t a;

	(void)state;
	run = parse("ffffffffa3000000 T _text\nffffffffa3002000 T _raw_spin_lock\n");
	none = parse("ffffffffa3002000 T _raw_spin_lock\n");
	assert_int_equal(ks_symbols_slide(link, none), -ENODATA);
	assert_int_equal(ks_symbols_slide(link, run), 0);
	expect_name(link, 0xffffffffa300201a, "_raw_spin_lock+0x1a");
	expect_name(link, 0xffffffff8100201a, "0xffffffff8100201a");
	expect_name(link, 0xffffffffa5000000, "0xffffffffa5000000"); /* _end has moved, too */
	assert_int_equal(ks_symbols_addr(link, "_stext", &a), 0);
	assert_int_equal(a, 0xffffffffa3000000);
	assert_int_equal(ks_symbols_slide(link, run), 0); /* again: no change */
	expect_name(link, 0xffffffffa3002000, "_raw_spin_lock");
	ks_symbols_slide_by(link, -0x22000000);
	expect_name(link, 0xffffffff81002000, "_raw_spin_lock");
	ks_symbols_free(link);
	ks_symbols_free(run);
	ks_symbols_free(none);
}

static void classes(void **state)
{
	struct ks_symbols *s = parse(kallsyms);

	(void)state;
	for (int i = 0; i < 2; i++) /* the second time from memory */
		assert_int_equal(ks_symbols_ip_class(s, 0xffffffff81002050), KS_IP_SPINLOCK);
	assert_int_equal(ks_symbols_ip_class(s, 0xffffffff81003010), KS_IP_IPI);
	assert_int_equal(ks_symbols_ip_class(s, 0xffffffff81004001), KS_IP_IDLE);
	assert_int_equal(ks_symbols_ip_class(s, 0xffffffff81001000), KS_IP_OTHER);
	assert_int_equal(ks_symbols_ip_class(s, 0xffffffff82000000), KS_IP_UNKNOWN); /* data */
	assert_int_equal(ks_symbols_ip_class(s, 0x400000), KS_IP_UNKNOWN);
	assert_int_equal(ks_symbols_ip_class(NULL, 0xffffffff81002050), KS_IP_UNKNOWN);
	assert_int_equal(ks_ipclass_of_name("osq_lock"), KS_IP_OPTSPIN);
	assert_int_equal(ks_ipclass_of_name("osq_lock.cold"), KS_IP_OPTSPIN);
	assert_int_equal(ks_ipclass_of_name("osq_locked"), KS_IP_OTHER);
	assert_int_equal(ks_ipclass_of_name("osq_loc"), KS_IP_OTHER);
	assert_int_equal(ks_ipclass_of_name(""), KS_IP_OTHER);
	assert_string_equal(ks_ipclass_name(KS_IP_IPI), "ipi");
	ks_symbols_free(s);
}

/* Every name once, and every class has one. */
static void class_table(void **state)
{
	const struct ks_ipclass_row *a, *b;
	unsigned int seen = 0;

	(void)state;
	for (size_t i = 0; (a = ks_ipclass_row(i)); i++) {
		seen |= 1u << a->class;
		assert_null(strchr(a->name, '.'));
		assert_int_equal(ks_ipclass_of_name(a->name), a->class);
		for (size_t k = 0; k < i && (b = ks_ipclass_row(k)); k++)
			assert_string_not_equal(a->name, b->name);
	}
	assert_int_equal(seen, 1u << KS_IP_SPINLOCK | 1u << KS_IP_OPTSPIN | 1u << KS_IP_IPI |
				       1u << KS_IP_IDLE);
}

static void refused(const char *text, size_t len, int ret, const char *part)
{
	struct ks_symbols *s = (void *)1;
	struct ks_err err = { "" };

	assert_int_equal(ks_symbols_parse(&s, text, len, &err), ret);
	assert_null(s);
	assert_non_null(strstr(err.msg, part));
}

static void bad_text(void **state)
{
	struct ks_symbols *s;

	(void)state;
	refused("", 0, -ENODATA, "empty");
	refused("\n\n\n", 3, -ENODATA, "no line");
	refused("hello world\n", 12, -ENODATA, "no line");
	refused("\0\0\0\0", 4, -ENODATA, "no line");
	refused("0000000000000000 T a\n0000000000000000 d b\n", 42, -ENODATA, "kptr_restrict");
	refused("0000000000000000 A a\n", 21, -ENODATA, "no line");
	/* What is broken is counted, what is whole is used; no newline at the end. */
	s = parse("zzz\nffffffff81000000 T good\n"
		  "fffffffff81000000 T too_many_digits\n"
		  "ffffffff81000000T no_space\nffffffff81000000  t\nffffffff81000000 T \n"
		  "ffffffff81000000 TT x\nffffffff81000000 1 x\n"
		  "ffffffff81000100 t mod\t[broken\nffffffff81000200 t mod2 []\n"
		  "ffffffff81000300 T crlf\r\nffffffff81000400 T last");
	assert_int_equal(ks_symbols_count(s), 3);
	assert_int_equal(ks_symbols_bad_lines(s), 9);
	expect_name(s, 0xffffffff81000300, "crlf");
	expect_name(s, 0xffffffff81000400, "last");
	ks_symbols_free(s);
}

static void hostile_names(void **state)
{
	char text[2048], buf[1024];
	struct ks_symbols *s;
	struct ks_err err;
	size_t n;

	(void)state;
	s = parse("ffffffff81000000 T a\033[31mb\nffffffff81001000 t x [m\xe2\x80\xaen]\n");
	expect_name(s, 0xffffffff81000000, "a?[31mb");
	expect_name(s, 0xffffffff81001000, "x [m?n]");
	ks_symbols_free(s);
	/* A NUL ends no text, but a word. */
	n = (size_t)sprintf(text, "ffffffff81000000 T ab%cc\nffffffff81001000 T d\n", 0);
	assert_int_equal(ks_symbols_parse(&s, text, n, &err), 0);
	assert_int_equal(ks_symbols_count(s), 2);
	expect_name(s, 0xffffffff81000000, "ab");
	ks_symbols_free(s);
	/* A name of 1,000 bytes is cut. */
	n = (size_t)sprintf(text, "ffffffff81000000 T ");
	memset(text + n, 'y', 1000);
	text[n + 1000] = '\0';
	s = parse(text);
	ks_symbols_name(s, 0xffffffff81000000, buf, sizeof(buf));
	assert_int_equal(strlen(buf), 511);
	ks_symbols_free(s);
}

/* Random bytes that look a little like kallsyms: nothing but no crash is promised. */
static void noise(void **state)
{
	static const char alphabet[] = "0123456789abcdef  \t\n\nTtdDA[]xyz\0\377\r";
	unsigned int seed = 42, parsed = 0;
	char text[512], buf[64];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)(rand_r(&seed) % (int)sizeof(text));
		struct ks_symbols *s;

		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[rand_r(&seed) % (int)(sizeof(alphabet) - 1)];
		if (ks_symbols_parse(&s, text, len, NULL))
			continue;
		parsed++;
		for (int i = 0; i < 8; i++)
			ks_symbols_name(s, (uint64_t)rand_r(&seed) << (i * 8), buf, sizeof(buf));
		ks_symbols_free(s);
	}
	assert_true(parsed > 0);
}

/* 200,000 symbols in random order: sorted right, and found again. */
static void many(void **state)
{
	enum { N = 200000 };
	char *text = malloc(N * 32), *p = text;
	struct ks_symbols *s;
	struct ks_symbol sym;
	struct ks_err err;
	unsigned int i;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < N; i++) {
		unsigned int k = (unsigned int)((uint64_t)i * 104729 % N); /* a permutation */

		p += sprintf(p, "%016llx t f%u\n", 0xffffffff81000000ull + k * 16ull, k);
	}
	assert_int_equal(ks_symbols_parse(&s, text, (size_t)(p - text), &err), 0);
	free(text);
	assert_int_equal(ks_symbols_count(s), N);
	for (i = 0; i < N; i++) {
		char want[16];

		assert_int_equal(ks_symbols_lookup(s, 0xffffffff81000000ull + i * 16ull + 15, &sym),
				 0);
		snprintf(want, sizeof(want), "f%u", i);
		assert_string_equal(sym.name, want);
	}
	ks_symbols_free(s);
}

static void running_kernel(void **state)
{
	struct ks_symbols *s;
	struct ks_err err;
	struct tree t;
	char *text;
	size_t len;

	(void)state;
	tree_new(&t);
	assert_int_equal(ks_symbols_running(t.root, &text, &len, &err), -ENOENT);
	tree_text(&t, "/proc/kallsyms", kallsyms);
	assert_int_equal(ks_symbols_running(t.root, &text, &len, &err), 0);
	assert_int_equal(strlen(text), len);
	assert_null(strstr(text, " A ")); /* per-CPU offsets are no addresses */
	assert_non_null(strstr(text, "ffffffffc0300000 d kvm_usage_count\t[kvm]\n"));
	s = parse(text);
	assert_int_equal(ks_symbols_count(s), 15);
	ks_symbols_free(s);
	free(text);
	tree_text(&t, "/proc/kallsyms",
		  "ffffffff81000000 T f\nffffffff81000010 r __ksymtab_f\n"
		  "ffffffff81000020 t __pfx_g\nffffffff81000030 t g\n"
		  "ffffffff81000040 t ?\nffffffff81000050 N h");
	assert_int_equal(ks_symbols_running(t.root, &text, &len, &err), 0);
	assert_string_equal(text, "ffffffff81000000 T f\nffffffff81000030 t g\n"
				  "ffffffff81000040 t ?\n");
	free(text);
	tree_free(&t);
}

static void hidden_kernel(void **state)
{
	struct ks_err err;
	struct tree t;
	char *text;
	size_t len;

	(void)state;
	tree_new(&t);
	tree_text(&t, "/proc/kallsyms", "0000000000000000 T f\n0000000000000000 d g\n");
	tree_text(&t, "/proc/sys/kernel/kptr_restrict", "2\n");
	assert_int_equal(ks_symbols_running(t.root, &text, &len, &err), -EPERM);
	assert_null(text);
	assert_string_equal(err.msg,
			    "the kernel hides its symbols (kernel.kptr_restrict = 2): run as "
			    "root, after sysctl kernel.kptr_restrict=1");
	tree_text(&t, "/proc/kallsyms", "\n");
	assert_int_equal(ks_symbols_running(t.root, &text, &len, &err), -ENODATA);
	tree_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),	  cmocka_unit_test(nowhere),
		cmocka_unit_test(addresses),	  cmocka_unit_test(sliding),
		cmocka_unit_test(classes),	  cmocka_unit_test(class_table),
		cmocka_unit_test(bad_text),	  cmocka_unit_test(hostile_names),
		cmocka_unit_test(noise),	  cmocka_unit_test(many),
		cmocka_unit_test(running_kernel), cmocka_unit_test(hidden_kernel),
	};

	return cmocka_run_group_tests_name("symbols", tests, NULL, NULL);
}
