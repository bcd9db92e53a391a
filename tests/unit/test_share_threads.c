// SPDX-License-Identifier: GPL-2.0
/* Threads of vCPUs that come and go, and processes that have ended, as /proc tells them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "force.h"
#include "test_sys_tree.h"
#include "thread.h"

#define TGID 700u
#define VCPUS 3u

static struct tree tree;

static int make(void **state)
{
	(void)state;
	tree_new(&tree);
	tree_text(&tree, "/proc/cpuinfo", "processor\t: 0\n");
	return 0;
}

static int drop(void **state)
{
	(void)state;
	tree_free(&tree);
	return 0;
}

/* ---- threads ---- */

static void thread(uint32_t tid, const char *comm)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task/%u/comm", TGID, tid);
	tree_text(&tree, path, comm);
}

static void no_thread(uint32_t tid)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/proc/%u/task/%u", tree.root, TGID, tid);
	assert_int_equal(nftw(path, tree_rm, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* vCPU 2 is pinned, and held down in a cgroup of its own. */
static struct ks_book *begin(void)
{
	struct ks_book *b = ks_book_new();
	unsigned int i;
	char comm[32];

	tree_text(&tree, "/proc/700/comm", "qemu-system-x86\n");
	thread(TGID, "qemu-system-x86\n");
	assert_int_equal(ks_book_add(b, VCPUS), 0);
	b->vm[0].tgid = TGID;
	for (i = 0; i < VCPUS; i++) {
		snprintf(comm, sizeof(comm), "CPU %u/KVM\n", i);
		thread(701 + i, comm);
		b->vm[0].vcpu[i].tid = 701 + i;
	}
	b->vm[0].vcpu[2].affinity = strdup("0-7");
	b->vm[0].vcpu[2].home = strdup("/vm");
	b->vm[0].vcpu[2].group = strdup("/vm/kvmsched-700-vcpu2");
	b->vm[0].vcpu[2].max = strdup("");
	tree_dir(&tree, "/sys/fs/cgroup/vm/kvmsched-700-vcpu2");
	return b;
}

static void test_unplugged_and_plugged(void **state)
{
	struct ks_book *b = begin();
	struct ks_book_vcpu *v = &b->vm[0].vcpu[2];
	char group[160];

	(void)state;
	snprintf(group, sizeof(group), "%s/sys/fs/cgroup/vm/kvmsched-700-vcpu2", tree.root);
	assert_false(ks_vcpus_renew(tree.root, &b->vm[0]));
	assert_string_equal(v->affinity, "0-7");
	no_thread(703);
	assert_true(ks_vcpus_renew(tree.root, &b->vm[0]));
	assert_int_equal(v->tid, 0);
	assert_null(v->affinity);
	assert_null(v->home);
	assert_int_equal(access(group, F_OK), -1);
	assert_int_equal(b->vm[0].vcpu[1].tid, 702);
	assert_false(ks_vcpus_renew(tree.root, &b->vm[0]));
	thread(790, "CPU 2/KVM\n");
	assert_true(ks_vcpus_renew(tree.root, &b->vm[0]));
	assert_int_equal(v->tid, 790);
	assert_false(ks_vcpus_renew(tree.root, &b->vm[0]));
	ks_book_free(b);
}

/* All are gone, but the process is not yet: that is no unplugging. */
static void test_about_to_end(void **state)
{
	struct ks_book *b = begin();
	unsigned int i;

	(void)state;
	for (i = 0; i < VCPUS; i++)
		no_thread(701 + i);
	assert_false(ks_vcpus_renew(tree.root, &b->vm[0]));
	assert_int_equal(b->vm[0].vcpu[2].tid, 703);
	assert_non_null(b->vm[0].vcpu[2].home);
	ks_book_free(b);
}

/* ---- the process ---- */

/* state, threads and start; all else is 9. */
static void stat_of(char state, unsigned int threads, unsigned int start)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "700 (a) Z (b) %c 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 %u 9 %u 9 9\n", state, threads,
		 start);
	tree_text(&tree, "/proc/700/stat", text);
}

static void test_has_ended(void **state)
{
	(void)state;
	assert_true(ks_process_has_ended(tree.root, TGID, 5));
	stat_of('S', 4, 5);
	assert_false(ks_process_has_ended(tree.root, TGID, 5));
	assert_true(ks_process_has_ended(tree.root, TGID, 6)); /* another one */
	stat_of('Z', 3, 5);				       /* its first thread alone */
	assert_false(ks_process_has_ended(tree.root, TGID, 5));
	stat_of('Z', 1, 5);
	assert_true(ks_process_has_ended(tree.root, TGID, 5));
	tree_text(&tree, "/proc/700/stat", "nonsense");
	assert_false(ks_process_has_ended(tree.root, TGID, 5));
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(test_unplugged_and_plugged),
		TEST(test_about_to_end),
		TEST(test_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
