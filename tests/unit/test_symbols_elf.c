// SPDX-License-Identifier: GPL-2.0
/* ELF and DWARF, on the one file that is surely there: this test itself, built with -g. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "symbols.h"
#include "test_sys_tree.h"
#include "trace.h"

/* What a vmlinux is anchored by. */
__attribute__((noinline, used)) void _stext(void)
{
	__asm__ volatile("");
}

enum { LINE = __LINE__ + 1 };
__attribute__((noinline, used)) static int somewhere(int x)
{
	__asm__ volatile("");
	return x + 1;
}

int a_global_object = 7;

static struct ks_symbols *open_self(void)
{
	struct ks_symbols *s;
	struct ks_err err = { "" };

	assert_int_equal(ks_symbols_vmlinux(&s, "/proc/self/exe", &err), 0);
	return s;
}

/* Where this process's copy was put: what KASLR is to a kernel. */
static void slide_to_me(struct ks_symbols *s)
{
	struct ks_symbols *me;
	char text[64];
	int n = snprintf(text, sizeof(text), "%016lx T _stext\n", (unsigned long)_stext);

	assert_int_equal(ks_symbols_parse(&me, text, (size_t)n, NULL), 0);
	assert_int_equal(ks_symbols_slide(s, me), 0);
	ks_symbols_free(me);
}

static void symbols(void **state)
{
	struct ks_symbols *s = open_self();
	struct ks_symbol sym;

	(void)state;
	slide_to_me(s);
	assert_int_equal(ks_symbols_lookup(s, (uintptr_t)somewhere + 1, &sym), 0);
	assert_string_equal(sym.name, "somewhere");
	assert_int_equal(sym.addr, (uintptr_t)somewhere);
	assert_int_equal(sym.type, 't');
	assert_null(sym.module);
	assert_int_equal(ks_symbols_lookup(s, (uintptr_t)&a_global_object, &sym), 0);
	assert_string_equal(sym.name, "a_global_object");
	assert_int_equal(sym.type, 'D');
	ks_symbols_free(s);
}

static void lines(void **state)
{
	struct ks_symbols *s = open_self();
	const char file[] = "test_symbols_elf.c:", *at;
	char buf[256];

	(void)state;
	slide_to_me(s);
	assert_int_equal(ks_symbols_source(s, (uintptr_t)somewhere, buf, sizeof(buf)), 0);
	at = strstr(buf, file);
	assert_non_null(at);
	/* Which of its lines its first instruction belongs to differs with compilers. */
	assert_in_range(strtoul(at + sizeof(file) - 1, NULL, 10), LINE, LINE + 4);
	assert_int_not_equal(buf[0], '/'); /* not where it was built */
	assert_int_equal(ks_symbols_source(s, 0x10, buf, sizeof(buf)), -ENOENT);
	ks_symbols_free(s);
}

static void no_lines(void **state)
{
	static const char text[] = "ffffffff81000000 T f\n";
	struct ks_symbols *s;
	char buf[64];

	(void)state;
	assert_int_equal(ks_symbols_parse(&s, text, sizeof(text) - 1, NULL), 0);
	assert_int_equal(ks_symbols_source(s, 0xffffffff81000000, buf, sizeof(buf)), -ENODATA);
	ks_symbols_free(s);
}

static void refused(const struct tree *t, const char *name, int ret, const char *part)
{
	struct ks_symbols *s = (void *)1;
	struct ks_err err = { "" };
	char path[128];

	snprintf(path, sizeof(path), "%s%s", t->root, name);
	assert_int_equal(ks_symbols_vmlinux(&s, path, &err), ret);
	assert_null(s);
	assert_non_null(strstr(err.msg, part));
	assert_non_null(strstr(err.msg, name));
}

/* The head of a boot image, a damaged file, one without symbols. */
static void bad_files(void **state)
{
	struct tree t;
	char head[4096];
	FILE *f = fopen("/proc/self/exe", "r");

	(void)state;
	tree_new(&t);
	assert_non_null(f);
	assert_int_equal(fread(head, 1, sizeof(head), f), sizeof(head));
	fclose(f);
	refused(&t, "/none", -ENOENT, "No such file");
	tree_text(&t, "/empty", "");
	refused(&t, "/empty", -EINVAL, "");
	tree_text(&t, "/vmlinuz",
		  "MZ\xea\x07 this is a boot image, and it is long enough to be one "
		  "for a program that looks at its first bytes");
	refused(&t, "/vmlinuz", -EINVAL, "vmlinuz");
	tree_put(&t, "/cut", head, sizeof(head));
	refused(&t, "/cut", -ENODATA, "symbol table");
	head[18] = 0x3e + 1; /* e_machine */
	tree_put(&t, "/alien", head, sizeof(head));
	refused(&t, "/alien", -EINVAL, "x86-64");
	tree_free(&t);
}

/* One byte of the file's symbol tables wrong at a time: any answer but a crash is right. */
static void flipped_files(void **state)
{
	char *file = malloc(8 << 20), path[128], buf[64];
	FILE *f = fopen("/proc/self/exe", "r");
	struct tree t;
	unsigned int seed = 5;
	size_t n;

	(void)state;
	tree_new(&t);
	assert_non_null(file);
	n = fread(file, 1, 8 << 20, f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/flipped", t.root);
	for (int i = 0; i < 100; i++) {
		size_t at = i < 50 ? (size_t)rand_r(&seed) % 64 :
				     n - 1 - (size_t)rand_r(&seed) % (64 * 32);
		struct ks_symbols *s;

		if (n >= 8 << 20)
			break; /* not the whole file: then its end is cut off already */
		file[at] ^= (char)(1 << i % 8);
		tree_put(&t, "/flipped", file, n);
		if (!ks_symbols_vmlinux(&s, path, NULL)) {
			ks_symbols_name(s, (uintptr_t)somewhere, buf, sizeof(buf));
			ks_symbols_free(s);
		}
		file[at] ^= (char)(1 << i % 8);
	}
	free(file);
	tree_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symbols),	 cmocka_unit_test(lines),
		cmocka_unit_test(no_lines),	 cmocka_unit_test(bad_files),
		cmocka_unit_test(flipped_files),
	};

	if (somewhere(1) != 2)
		return 1;
	return cmocka_run_group_tests_name("symbols elf", tests, NULL, NULL);
}
