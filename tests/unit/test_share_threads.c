// SPDX-License-Identifier: GPL-2.0
/* Threads of vCPUs that come and go, and processes that have ended, as /proc tells them. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "err.h"
#include "force.h"
#include "sharer.h"
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
	/* More than it had when it came into the book, with a hole. */
	thread(795, "CPU 4/KVM\n");
	assert_true(ks_vcpus_renew(tree.root, &b->vm[0]));
	assert_int_equal(b->vm[0].vcpus, 5);
	assert_int_equal(b->vm[0].vcpu[2].tid, 790);
	assert_int_equal(b->vm[0].vcpu[3].tid, 0);
	assert_int_equal(b->vm[0].vcpu[4].tid, 795);
	ks_book_free(b);
}

/* A new vCPU's thread still has its creator's name when it is seen first, and second. */
static void test_named_late(void **state)
{
	struct ks_book *b = begin();
	unsigned int i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_false(ks_vcpus_renew(tree.root, &b->vm[0]));
	thread(790, "qemu-system-x86\n");
	assert_false(ks_vcpus_renew(tree.root, &b->vm[0]));
	assert_false(ks_vcpus_renew(tree.root, &b->vm[0]));
	thread(790, "CPU 3/KVM\n");
	assert_true(ks_vcpus_renew(tree.root, &b->vm[0]));
	assert_int_equal(b->vm[0].vcpus, 4);
	assert_int_equal(b->vm[0].vcpu[3].tid, 790);
	/* Names are not read for ever. */
	assert_false(ks_vcpus_renew(tree.root, &b->vm[0]));
	thread(790, "something else\n");
	thread(702, "CPU 3/KVM\n");
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

/* Its name cannot be read for a moment, or is another one: it is there, so what undoes its throttling is kept. */
static void test_unread(void **state)
{
	struct ks_book *b = begin();
	struct ks_book_vcpu *v = &b->vm[0].vcpu[2];
	char comm[160];

	(void)state;
	snprintf(comm, sizeof(comm), "%s/proc/700/task/703/comm", tree.root);
	assert_int_equal(unlink(comm) | mkdir(comm, 0755), 0);
	assert_false(ks_vcpus_renew(tree.root, &b->vm[0]));
	assert_int_equal(v->tid, 703);
	assert_int_equal(rmdir(comm), 0);
	assert_false(ks_vcpu_has_ended(tree.root, TGID, 703));
	thread(703, "something else\n");
	assert_false(ks_vcpus_renew(tree.root, &b->vm[0]));
	assert_int_equal(v->tid, 703);
	assert_string_equal(v->affinity, "0-7");
	assert_string_equal(v->home, "/vm");
	no_thread(703);
	assert_true(ks_vcpu_has_ended(tree.root, TGID, 703));
	assert_true(ks_vcpus_renew(tree.root, &b->vm[0]));
	assert_int_equal(v->tid, 0);
	ks_book_free(b);
}

/* Held down, and the book knows nothing of it: what is undone is our quota, not put back as its owner's. */
static void test_held_already(void **state)
{
	struct ks_book_vcpu v = { .tid = 703 };

	(void)state;
	tree_text(&tree, "/proc/700/task/703/cgroup", "0::/vm/kvmsched-700-vcpu2\n");
	tree_text(&tree, "/sys/fs/cgroup/vm/cgroup.threads", "");
	tree_text(&tree, "/sys/fs/cgroup/vm/kvmsched-700-vcpu2/cgroup.type", "threaded\n");
	tree_text(&tree, "/sys/fs/cgroup/vm/kvmsched-700-vcpu2/cgroup.threads", "703\n");
	tree_text(&tree, "/sys/fs/cgroup/vm/kvmsched-700-vcpu2/cpu.max", "1000 1000000\n");
	assert_int_equal(ks_force_prepare(tree.root, TGID, 2, &v), 0);
	assert_string_equal(v.home, "/vm");
	assert_string_equal(v.group, "/vm/kvmsched-700-vcpu2");
	assert_string_equal(v.max, "");
	ks_force_clear(tree.root, &v);
	/* Another VM's name, and another vCPU's: not ours to judge. */
	assert_int_equal(ks_force_prepare(tree.root, TGID, 1, &v), 0);
	assert_string_equal(v.home, "/vm/kvmsched-700-vcpu2");
	assert_string_equal(v.max, "1000 1000000");
	ks_force_undo(tree.root, &v);
}

/* ---- do they idle ---- */

static void schedstat(uint32_t tid, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/task/%u/schedstat", TGID, tid);
	tree_text(&tree, path, text);
}

/* Only what was seen to idle, or has ended, does. */
static void test_not_seen(void **state)
{
	struct ks_book_vcpu vcpu[] = { { .tid = 701 }, { .tid = 702 }, { .tid = 703 },
				       { .tid = 704 }, { .tid = 705 }, { 0 } };
	struct ks_book_vm vm = { .tgid = TGID, .vcpus = 6, .vcpu = vcpu };
	struct ks_vcpu_look look;
	struct ks_cpus all, busy;
	char path[64], text[KS_CPUS_TEXT];
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "/proc/700/task/%u/stat", 701 + i);
		tree_text(&tree, path, "701 (CPU 0/KVM) S 1 1 1\n");
	}
	schedstat(701, "1000 500 9\n");
	schedstat(702, "0 0 0\n"); /* a kernel that does not count */
	tree_dir(
		&tree,
		"/proc/700/task/703/schedstat"); /* cannot be read; 704 has none, 705 has ended, the last is unplugged */
	assert_int_equal(ks_vcpu_look(tree.root, TGID, 702, &look), -ENODATA);
	assert_int_equal(ks_vcpu_look(tree.root, TGID, 703, &look), -EISDIR);
	assert_int_equal(ks_vcpu_look(tree.root, TGID, 704, &look), -ENODATA);
	assert_int_equal(ks_vcpu_look(tree.root, TGID, 705, &look), -ESRCH);
	assert_int_equal(ks_vcpu_look(tree.root, TGID, 0, &look), -ESRCH);
	ks_cpus_first(&all, vm.vcpus);
	ks_vcpus_busy(tree.root, &vm, &all, 10, &busy);
	assert_string_equal(ks_cpus_print(&busy, text, sizeof(text)), "1-3");
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

/* ---- where they are ---- */

static void *rest(void *ctx)
{
	int *pipe_of = ctx;
	pid_t tid = (pid_t)syscall(SYS_gettid);
	char c;

	if (write(pipe_of[1], &tid, sizeof(tid)) == sizeof(tid))
		while (read(pipe_of[2], &c, 1) < 0)
			;
	return NULL;
}

static void assert_on(uint32_t tid, const char *cpus)
{
	char text[KS_CPUS_TEXT];
	struct ks_cpus is;

	assert_int_equal(ks_pin_read(tid, &is), 0);
	assert_string_equal(ks_cpus_print(&is, text, sizeof(text)), cpus);
}

static void own(struct ks_book *b, unsigned int cpu)
{
	b->cpu[cpu].owner = 0;
	b->cpu[cpu].step = KS_STEP_OWNED;
}

/* What the kernel has been told, of CPUs that are online the same as what it does; CPUs that are not are in the former alone. */
static void test_pin_read_all(void **state)
{
	struct ks_cpus before, is, all, one = { 0 };
	unsigned int i;

	(void)state;
	assert_int_equal(ks_pin_read(0, &before), 0);
	assert_int_equal(ks_pin_read_all((uint32_t)getpid(), &all), 0);
	for (i = 0; i < KS_CPUS_WORDS; i++)
		assert_int_equal(before.word[i] & ~all.word[i], 0);
	ks_cpus_add(&one, ks_cpus_next(&before, 0));
	assert_int_equal(ks_pin_write(0, &one), 0);
	assert_int_equal(ks_pin_read_all((uint32_t)getpid(), &is), 0);
	assert_true(ks_cpus_same(&is, &one));
	assert_int_equal(ks_pin_write(0, &all), 0);
	assert_int_equal(ks_pin_read_all((uint32_t)getpid(), &is), 0);
	assert_true(ks_cpus_same(&is, &all));
	assert_int_equal(ks_pin_read_all(UINT32_MAX, &is), -ESRCH);
}

/* Two threads of ours are the vCPUs of a VM that stand for CPUs 0 and 1; nobody is held down. */
static void test_pinned(void **state)
{
	struct ks_book *b = ks_book_new();
	struct ks_cpus before, two = { 0 };
	struct ks_err err = { "" };
	struct ks_sharer l;
	int up[2], down[2], fds[3];
	pthread_t thread_of;
	char was[KS_CPUS_TEXT];
	pid_t tid;

	(void)state;
	ks_cpus_add(&two, 0);
	ks_cpus_add(&two, 1);
	assert_int_equal(ks_pin_read(0, &before), 0);
	if (ks_pin_write(0, &two) || ks_pin_read(0, &before) || !ks_cpus_same(&before, &two))
		skip(); /* this machine has no two CPUs for us */
	ks_cpus_print(&before, was, sizeof(was));
	assert_int_equal(pipe(up) | pipe(down), 0);
	fds[1] = up[1];
	fds[2] = down[0];
	assert_int_equal(pthread_create(&thread_of, NULL, rest, fds), 0);
	assert_int_equal(read(up[0], &tid, sizeof(tid)), sizeof(tid));

	ks_sharer_init(&l, tree.root);
	l.port = 0;
	assert_int_equal(ks_book_add(b, 2), 0);
	b->vm[0].tgid = (uint32_t)getpid();
	assert_int_equal(ks_thread_start(NULL, b->vm[0].tgid, &b->vm[0].start), 0);
	b->vm[0].manner = KS_MANNER_FORCED;
	b->vm[0].vcpu[0].tid = (uint32_t)getpid();
	b->vm[0].vcpu[1].tid = (uint32_t)tid;
	/* Of the second CPU's vCPU it is known what it was, and it goes to where the VM is. */
	own(b, 0);
	assert_true(ks_sharer_is_pinned(b, 0)); /* nobody has pinned it */
	assert_int_equal(l.ops.give(l.ops.ctx, b, 0, &err), 0);
	assert_on(b->vm[0].vcpu[0].tid, "0");
	assert_on(b->vm[0].vcpu[1].tid, "0");
	assert_string_equal(b->vm[0].vcpu[1].affinity, was);
	assert_true(ks_sharer_is_pinned(b, 0));
	/* Somebody else pins it. */
	assert_int_equal(ks_pin_write((uint32_t)tid, &two), 0);
	assert_false(ks_sharer_is_pinned(b, 0));
	/* It is given its own. */
	own(b, 1);
	assert_int_equal(l.ops.give(l.ops.ctx, b, 0, &err), 0);
	assert_on(b->vm[0].vcpu[1].tid, "1");
	assert_true(ks_sharer_is_pinned(b, 0));
	/* The one that it stands for is offline (there is none): then it is on the others that are its VM's. */
	b->vm[0].first = KS_CPUS - 2;
	own(b, KS_CPUS - 1);
	assert_int_equal(l.ops.give(l.ops.ctx, b, 0, &err), 0);
	assert_on(b->vm[0].vcpu[1].tid, "0-1");
	assert_true(ks_sharer_is_pinned(b, 0));
	assert_int_equal(ks_sharer_release(&l, b, &err), 0);
	assert_on((uint32_t)getpid(), was);
	assert_on((uint32_t)tid, was);

	assert_int_equal(write(down[1], "x", 1), 1);
	pthread_join(thread_of, NULL);
	ks_sharer_end(&l);
	ks_book_free(b);
	close(up[0]);
	close(up[1]);
	close(down[0]);
	close(down[1]);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(test_unplugged_and_plugged),
		TEST(test_named_late),
		TEST(test_about_to_end),
		TEST(test_unread),
		TEST(test_held_already),
		TEST(test_not_seen),
		TEST(test_has_ended),
		TEST(test_pin_read_all),
		TEST(test_pinned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
