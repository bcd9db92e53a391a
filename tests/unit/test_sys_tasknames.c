// SPDX-License-Identifier: GPL-2.0
/* Names of threads change, and so must what the recorder says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tasknames.h"
#include "test_sys_tree.h"

struct world {
	struct tree tree;
	struct ks_tasknames *t;
	char name[KS_TASKNAME];
};

static int setup(void **state)
{
	static struct world w;

	tree_new(&w.tree);
	assert_int_equal(ks_tasknames_new(&w.t, w.tree.root), 0);
	tree_text(&w.tree, "/proc/7/comm", "make\n");
	tree_text(&w.tree, "/proc/8/comm", "kworker/u17:3-ev\n");
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ks_tasknames_free(w->t);
	tree_free(&w->tree);
	return 0;
}

static void told_once(void **state)
{
	struct world *w = *state;
	int i;

	assert_true(ks_tasknames_look(w->t, 7, w->name));
	assert_string_equal(w->name, "make");
	for (i = 0; i < 25; i++) {
		assert_false(ks_tasknames_look(w->t, 7, w->name));
		ks_tasknames_second(w->t);
	}
	assert_true(ks_tasknames_look(w->t, 8, w->name));
	assert_string_equal(w->name, "kworker/u17:3-e");
}

static void after_exec(void **state)
{
	struct world *w = *state;

	assert_true(ks_tasknames_look(w->t, 7, w->name));
	tree_text(&w->tree, "/proc/7/comm", "cc1\n");
	assert_false(ks_tasknames_look(w->t, 7, w->name));
	ks_tasknames_second(w->t);
	assert_true(ks_tasknames_look(w->t, 7, w->name));
	assert_string_equal(w->name, "cc1");
}

static void number_comes_back(void **state)
{
	struct world *w = *state;
	int seconds = 0;

	assert_true(ks_tasknames_look(w->t, 7, w->name));
	ks_tasknames_second(w->t);
	assert_false(ks_tasknames_look(w->t, 7, w->name));
	tree_text(&w->tree, "/proc/7/comm", "sshd\n");
	while (!ks_tasknames_look(w->t, 7, w->name) && seconds++ < 11)
		ks_tasknames_second(w->t);
	assert_string_equal(w->name, "sshd");
	assert_in_range(seconds, 2, 10);
}

static void nobody(void **state)
{
	struct world *w = *state;

	assert_false(ks_tasknames_look(w->t, 0, w->name));
	assert_false(ks_tasknames_look(w->t, 9, w->name));
	assert_false(ks_tasknames_look(w->t, UINT32_MAX, w->name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(after_exec, setup, teardown),
		cmocka_unit_test_setup_teardown(number_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
