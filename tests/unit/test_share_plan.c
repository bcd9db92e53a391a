// SPDX-License-Identifier: GPL-2.0
/* Plans as users write them, right and wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "err.h"
#include "plan.h"
#include "test_sys_tree.h"

static struct ks_plan *plan;

static int make_plan(void **state)
{
	(void)state;
	plan = ks_plan_new();
	return plan ? 0 : -1;
}

static int drop_plan(void **state)
{
	(void)state;
	free(plan);
	return 0;
}

static void add(const char *word)
{
	struct ks_err err = { "" };

	assert_int_equal(ks_plan_word(plan, word, &err), 0);
	assert_string_equal(err.msg, "");
}

static void test_words(void **state)
{
	char text[KS_CPUS_TEXT];
	struct ks_err err;

	(void)state;
	add("web=cpus:0,2-3,8,mem:0=2G,mem:1=512M");
	add("db=mem:1=0,cpus:4-7,first:4,qmp:/run/db.qmp");
	add("no-pin");
	assert_int_equal(ks_plan_check(plan, &err), 0);
	assert_int_equal(plan->n, 2);
	assert_true(plan->no_pin);
	assert_string_equal(plan->vm[0].name, "web");
	assert_string_equal(ks_cpus_print(&plan->vm[0].cpus, text, sizeof(text)), "0,2-3,8");
	assert_int_equal(plan->vm[0].mem[0], 2ull << 30);
	assert_int_equal(plan->vm[0].mem[1], 512u << 20);
	assert_true(plan->vm[0].mem[2] == UINT64_MAX);
	assert_string_equal(ks_cpus_print(&plan->vm[1].cpus, text, sizeof(text)), "4-7");
	assert_int_equal(plan->vm[1].first, 4);
	assert_int_equal(plan->vm[1].mem[1], 0);
	assert_string_equal(plan->vm[1].qmp, "/run/db.qmp");
}

/* One line, of printable text, that says something. */
static void assert_said(const struct ks_err *err)
{
	const char *p;

	assert_true(strlen(err->msg) > 8);
	for (p = err->msg; *p; p++)
		assert_true((unsigned char)*p >= ' ' && *p != 0x7f);
}

static void test_bad_words(void **state)
{
	static const char *const bad[] = {
		"",
		"web",
		"=cpus:0",
		"web=",
		"web=cpus",
		"web=cpus:",
		"web=cpus:x",
		"web=cpus:3-1",
		"web=cpus:0,",
		"web=cpus:,0",
		"web=cpus:1024",
		"web=cpus:99999999999999999999",
		"web=cpus:-1",
		"web=cpus:0,cpus:1",
		"web=cpus:0,mem:0",
		"web=cpus:0,mem:=1G",
		"web=cpus:0,mem:64=1G",
		"web=cpus:0,mem:0=lots",
		"web=cpus:0,mem:0=-1",
		"web=cpus:0,mem:0=1G,mem:0=2G",
		"web=cpus:0,mem:0=15000000T",
		"web=cpus:0,first:1024",
		"web=cpus:0,first:x",
		"web=cpus:0,qmp:relative",
		"web=cpus:0,colour:red",
		"web=cpus:0;cpus:1",
		"free=cpus:0",
		"w\033[31mb=cpus:0",
		"web=cpus:\033[31m",
		"\xff\xfe=cpus:0",
	};
	struct ks_err err;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.msg[0] = 0;
		if (!ks_plan_word(plan, bad[i], &err))
			fail_msg("'%s' was taken", bad[i]);
		assert_said(&err);
		assert_int_equal(plan->n, 0);
	}
}

/* Whatever bytes come: refused or taken, and never a plan in which a CPU is two VMs'. */
static void test_any_words(void **state)
{
	static const char alphabet[] = "ab=cpus:mem0123,-:=G first qmp:/\t\x01\xff";
	char word[64];
	unsigned int seed = 7, i, k, n, taken = 0;
	struct ks_err err;

	(void)state;
	for (i = 0; i < 200000; i++) {
		n = (unsigned int)rand_r(&seed) % 40;
		strcpy(word, i % 2 ? "a=cpus:" : "b=cpus:");
		for (k = 7; k < 7 + n / 2; k++)
			word[k] = alphabet[(unsigned int)rand_r(&seed) % (sizeof(alphabet) - 1)];
		word[k] = 0;
		err.msg[0] = 0;
		if (ks_plan_word(plan, word + (i % 5 ? 0 : n % 7), &err))
			assert_said(&err);
		if (plan->n < 2)
			continue;
		taken++;
		if (!ks_plan_check(plan, &err))
			assert_int_equal(ks_cpus_common(&plan->vm[0].cpus, &plan->vm[1].cpus),
					 KS_CPUS);
		plan->n = 0;
	}
	assert_true(taken > 100);
}

static void assert_refused(const char *says)
{
	struct ks_err err;

	assert_int_equal(ks_plan_check(plan, &err), -EINVAL);
	if (!strstr(err.msg, says))
		fail_msg("'%s' does not say '%s'", err.msg, says);
}

static void test_overlap(void **state)
{
	(void)state;
	assert_refused("no VM");
	add("web=cpus:0-3");
	add("db=cpus:5,3");
	assert_refused("CPU 3");
	assert_refused("web");
	assert_refused("db");
	plan->n = 1;
	add("none=mem:0=1G");
	assert_refused("none has no CPU");
	plan->n = 1;
	add("late=cpus:4,first:5");
	assert_refused("no vCPU");
}

static void test_twice(void **state)
{
	struct ks_err err;

	(void)state;
	add("web=cpus:0");
	assert_int_equal(ks_plan_word(plan, "web=cpus:1", &err), -EINVAL);
	assert_non_null(strstr(err.msg, "twice"));
}

static void test_too_many(void **state)
{
	struct ks_err err;
	char word[32];
	unsigned int i;

	(void)state;
	for (i = 0; i < KS_PLAN_VMS; i++) {
		snprintf(word, sizeof(word), "vm%u=cpus:%u", i, i);
		add(word);
	}
	assert_int_equal(ks_plan_check(plan, &err), 0);
	assert_int_equal(ks_plan_word(plan, "more=cpus:99", &err), -E2BIG);
}

static void test_file(void **state)
{
	struct tree tree;
	char path[128];
	struct ks_err err;

	(void)state;
	tree_new(&tree);
	snprintf(path, sizeof(path), "%s/plan", tree.root);
	tree_text(&tree, "/plan", "# a comment\n\nweb=cpus:0-1  # its own\n\tdb=cpus:2 no-pin\r\n");
	assert_int_equal(ks_plan_file(plan, path, &err), 0);
	assert_int_equal(plan->n, 2);
	assert_true(plan->no_pin);
	tree_text(&tree, "/plan", "x=cpus:9\ny=cpus:z\n");
	assert_int_equal(ks_plan_file(plan, path, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "line 2"));
	tree_put(&tree, "/plan", "v=cpus:7\0", 9);
	assert_int_equal(ks_plan_file(plan, path, &err), -EINVAL);
	assert_int_equal(ks_plan_file(plan, "/nonexistent/plan", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "/nonexistent/plan"));
	tree_free(&tree);
}

static void test_sets(void **state)
{
	char text[KS_CPUS_TEXT], tiny[6];
	struct ks_cpus s;
	unsigned int i;

	(void)state;
	ks_cpus_first(&s, KS_CPUS);
	assert_int_equal(ks_cpus_count(&s), KS_CPUS);
	assert_string_equal(ks_cpus_print(&s, text, sizeof(text)), "0-1023");
	for (i = 1; i < KS_CPUS; i += 2)
		ks_cpus_drop(&s, i);
	ks_cpus_print(&s, text, sizeof(text));
	assert_string_equal(text + strlen(text) - 9, "1020,1022");
	assert_int_equal(strlen(ks_cpus_print(&s, tiny, sizeof(tiny))), sizeof(tiny) - 1);
	memset(&s, 0, sizeof(s));
	assert_string_equal(ks_cpus_print(&s, text, sizeof(text)), "");
	assert_int_equal(ks_cpus_next(&s, 0), KS_CPUS);
	ks_cpus_add(&s, 1023);
	assert_int_equal(ks_cpus_next(&s, 5), 1023);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, make_plan, drop_plan)
	const struct CMUnitTest tests[] = {
		TEST(test_words), TEST(test_bad_words), TEST(test_any_words), TEST(test_overlap),
		TEST(test_twice), TEST(test_too_many),	TEST(test_file),      TEST(test_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
