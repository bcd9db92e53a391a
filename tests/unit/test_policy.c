// SPDX-License-Identifier: GPL-2.0
/* The journal, threads and cgroups of policies, as far as that goes without a scheduler. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "boost.h"
#include "cgroup.h"
#include "journal.h"
#include "lever.h"
#include "load.h"
#include "scx.h"
#include "share.h"
#include "test_sys_tree.h"
#include "text.h"
#include "thread.h"
#include "vmset.h"
#include "wake.h"

#define BATCH 3 /* SCHED_BATCH stands in for SCHED_EXT, which this kernel may not have */

static struct tree tree;

static int make_tree(void **state)
{
	(void)state;
	tree_new(&tree);
	return 0;
}

static int drop_tree(void **state)
{
	(void)state;
	tree_free(&tree);
	return 0;
}

static void test_thread_there_and_back(void **state)
{
	struct ks_thread was, now;
	uint32_t tid = syscall(SYS_gettid);

	(void)state;
	assert_int_equal(ks_thread_read(tid, &was), 0);
	assert_true(ks_thread_is_fair(&was));
	assert_true(was.start > 0);
	/* A number that another process has by now is nobody of this one. */
	assert_int_equal(ks_thread_read_of(getpid(), tid, &now), 0);
	assert_int_equal(now.start, was.start);
	assert_int_equal(ks_thread_read_of(getppid(), tid, &now), -ESRCH);
	assert_int_equal(ks_thread_set(&was, BATCH), 0);
	assert_int_equal(ks_thread_read(tid, &now), 0);
	assert_int_equal(now.policy, BATCH);
	assert_int_equal(now.nice, was.nice);
	assert_int_equal(ks_thread_restore(&was, BATCH), 1);
	/* Nothing left to do. */
	assert_int_equal(ks_thread_restore(&was, BATCH), 0);
	/* Another thread of this number is not ours. */
	assert_int_equal(ks_thread_set(&was, BATCH), 0);
	was.start++;
	assert_int_equal(ks_thread_restore(&was, BATCH), 0);
	was.start--;
	assert_int_equal(ks_thread_restore(&was, BATCH), 1);
}

/* sched_attr of the kernel, first form: flags, nice and priority are 0. */
static int set_slice(uint32_t tid, uint64_t ns)
{
	uint64_t attr[6] = { 48, 0, 0, ns };

	return syscall(SYS_sched_setattr, tid, attr, 0) ? -errno : 0;
}

static void test_thread_keeps_its_slice(void **state)
{
	uint32_t tid = syscall(SYS_gettid);
	struct ks_thread was, now;

	(void)state;
	assert_int_equal(ks_thread_read(tid, &was), 0);
	if (was.nice || was.policy || !was.slice_ns || set_slice(tid, 2 * was.slice_ns))
		skip(); /* before 6.12 there is none */
	assert_int_equal(ks_thread_read(tid, &was), 0);
	assert_int_equal(ks_thread_set(&was, BATCH), 0);
	assert_int_equal(ks_thread_restore(&was, BATCH), 1);
	assert_int_equal(ks_thread_read(tid, &now), 0);
	assert_int_equal(now.slice_ns, was.slice_ns);
	assert_int_equal(set_slice(tid, 0), 0);
	assert_int_equal(ks_thread_read(tid, &now), 0);
	assert_int_equal(2 * now.slice_ns, was.slice_ns);
}

static void test_thread_gone(void **state)
{
	struct ks_thread t = { .tid = 0 };
	pid_t pid = fork();

	(void)state;
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	assert_int_equal(ks_thread_read(pid, &t), -ESRCH);
	t.tid = pid;
	assert_int_equal(ks_thread_restore(&t, BATCH), 0);
}

static void hold(int tell, int wait)
{
	struct ks_journal *j;
	struct ks_err err;
	char c = ks_journal_open(&j, tree.root, &err) ? 'n' : 'y';

	if (write(tell, &c, 1) == 1 && read(wait, &c, 1) == 1)
		ks_journal_close(j);
	_exit(0);
}

static void test_journal_one_holder(void **state)
{
	struct ks_journal *second;
	int up[2], down[2], i;
	struct ks_err err;
	char c, pid[16];
	pid_t child;

	(void)state;
	assert_int_equal(ks_journal_holder(tree.root), 0);
	assert_false(pipe(up) || pipe(down));
	child = fork();
	if (!child)
		hold(up[1], down[0]);
	assert_int_equal(read(up[0], &c, 1), 1);
	assert_int_equal(c, 'y');
	/* To ask does not take it, nor let go of it. */
	for (i = 0; i < 3; i++)
		assert_int_equal(ks_journal_holder(tree.root), child);
	assert_int_equal(ks_journal_open(&second, tree.root, &err), -EBUSY);
	assert_null(second);
	assert_non_null(strstr(err.msg, "is attached"));
	snprintf(pid, sizeof(pid), "process %d", child);
	assert_non_null(strstr(err.msg, pid));
	assert_int_equal(write(down[1], &c, 1), 1);
	waitpid(child, NULL, 0);
	assert_int_equal(ks_journal_holder(tree.root), 0);
	for (i = 0; i < 2; i++) {
		close(up[i]);
		close(down[i]);
	}
}

/* The PID of a VM that has ended, given to another process before anybody looked. */
static void test_vmset_pid_again(void **state)
{
	struct ks_vmset s = { .root = tree.root };

	(void)state;
	tree_text(&tree, "/proc/7/stat",
		  "7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 500 20\n");
	s.vm[1] = (struct ks_vmset_entry){ .tgid = 7, .start = 500 };
	assert_false(ks_vmset_is_stale(&s, 7));
	assert_false(ks_vmset_is_stale(&s, 8));
	ks_vmset_refresh(&s, NULL, NULL);
	assert_int_equal(s.vm[1].tgid, 7);
	s.vm[1].start = 499;
	assert_true(ks_vmset_is_stale(&s, 7));
	ks_vmset_refresh(&s, NULL, NULL);
	assert_int_equal(s.vm[1].tgid, 0);
}

static void put_vm(uint32_t tgid, const char *cgroup)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%u/stat", tgid);
	snprintf(text, sizeof(text),
		 "%u (vm) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 500 20\n", tgid);
	tree_text(&tree, path, text);
	snprintf(path, sizeof(path), "/proc/%u/cgroup", tgid);
	snprintf(text, sizeof(text), "0::%s\n", cgroup);
	tree_text(&tree, path, text);
}

/* Weights are a VM's own, or nobody's; and a quota may come later. */
static void test_vmset_cgroups(void **state)
{
	struct ks_vmset s = { .root = tree.root };
	enum ks_vmset_why why;

	(void)state;
	put_vm(7, "/a");
	put_vm(8, "/b");
	put_vm(9, "/b");
	tree_text(&tree, "/sys/fs/cgroup/a/cpu.weight", "300\n");
	tree_text(&tree, "/sys/fs/cgroup/b/cpu.weight", "200\n");
	s.vm[1] = (struct ks_vmset_entry){ .tgid = 7, .start = 500 };
	s.vm[2] = (struct ks_vmset_entry){ .tgid = 8, .start = 500 };
	s.vm[3] = (struct ks_vmset_entry){ .tgid = 9, .start = 500 };
	ks_vmset_refresh(&s, NULL, NULL);
	assert_int_equal(s.vm[1].weight, 300);
	assert_int_equal(s.vm[2].weight, 0);
	assert_int_equal(s.vm[3].weight, 0);
	put_vm(9, "/c");
	ks_vmset_refresh(&s, NULL, NULL);
	assert_int_equal(s.vm[2].weight, 200);
	assert_false(s.vm[1].quota);
	assert_int_equal(ks_vmset_take(&s, 7, &why), 1);
	tree_text(&tree, "/sys/fs/cgroup/a/cpu.max", "1000 100000\n");
	ks_vmset_refresh(&s, NULL, NULL);
	assert_true(s.vm[1].quota);
	assert_false(s.vm[2].quota);
	assert_int_equal(ks_vmset_take(&s, 7, &why), 0);
	assert_int_equal(why, KS_VM_QUOTA);
	assert_int_equal(ks_vmset_with_quota(&s), 1);
	s.vm[1].quota = false;
	s.ignore_quota = true;
	ks_vmset_refresh(&s, NULL, NULL);
	assert_false(s.vm[1].quota);
}

static void test_journal_undo(void **state)
{
	char path[128], text[512] = "";
	struct ks_journal *j;
	struct ks_thread t;
	struct ks_undone u;
	struct ks_err err;
	FILE *f;

	(void)state;
	assert_int_equal(ks_thread_read(syscall(SYS_gettid), &t), 0);
	assert_int_equal(ks_journal_open(&j, tree.root, &err), 0);
	assert_int_equal(ks_journal_begin(j, "ple-boost"), 0);
	assert_int_equal(ks_journal_vm(j, getpid()), 0);
	assert_int_equal(ks_journal_thread(j, &t), 0);
	ks_journal_close(j);
	/* A line that a crash has cut off does no harm. */
	snprintf(path, sizeof(path), "%s/journal", tree.root);
	f = fopen(path, "a");
	fputs("{\"thread\":1,\"sta", f);
	fclose(f);
	f = fopen(path, "r");
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_non_null(strstr(text, "\"policy\":\"ple-boost\""));
	assert_true(ks_journal_is_used(tree.root));
	assert_int_equal(ks_journal_open(&j, tree.root, &err), 0);
	assert_int_equal(ks_journal_undo(j, &u), 0);
	assert_int_equal(u.entries, 2);
	assert_int_equal(u.undone, 0); /* we were never in SCHED_EXT */
	assert_false(ks_journal_is_used(tree.root));
	assert_int_equal(ks_journal_undo(j, &u), 0);
	assert_int_equal(u.entries, 0);
	ks_journal_close(j);
}

/* A process that sleeps until it is killed, or we have ended. */
static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	return pid;
}

static uint32_t class_of(uint32_t tid)
{
	struct ks_thread t;

	assert_int_equal(ks_thread_read(tid, &t), 0);
	return t.policy;
}

/* One VM is let go, as it was, before the others; what it has started itself stands in no journal. */
static void test_journal_undo_of_one(void **state)
{
	pid_t one = sleeper(), other = sleeper(), helper = sleeper();
	struct ks_thread idle = { .policy = SCHED_IDLE }, t;
	struct ks_journal *j;
	struct ks_undone u;
	struct ks_err err;

	(void)state;
	assert_int_equal(ks_journal_open(&j, tree.root, &err), 0);
	for (int i = 0; i < 2; i++) {
		idle.tid = i ? other : one;
		assert_int_equal(ks_thread_set(&idle, SCHED_IDLE), 0);
		assert_int_equal(ks_thread_read(idle.tid, &t), 0);
		assert_int_equal(ks_journal_thread(j, &t), 0);
		assert_int_equal(ks_thread_set(&t, BATCH), 0);
	}
	assert_int_equal(ks_thread_read(helper, &t), 0);
	assert_int_equal(ks_thread_set(&t, BATCH), 0);
	assert_int_equal(ks_journal_undo_threads(j, one, BATCH), 1);
	assert_int_equal(class_of(one), SCHED_IDLE);
	assert_int_equal(class_of(other), BATCH);
	assert_int_equal(ks_journal_undo_threads(j, helper, BATCH), 0);
	assert_int_equal(class_of(helper), BATCH);
	/* A second time there is nothing to do, nor in the end. */
	assert_int_equal(ks_journal_undo_threads(j, one, BATCH), 0);
	assert_int_equal(ks_journal_undo(j, &u), 0);
	assert_true(u.entries == 2 && !u.failed && !u.undone);
	ks_journal_close(j);
	for (int i = 0; i < 3; i++)
		kill((pid_t[]){ one, other, helper }[i], SIGKILL);
	while (wait(NULL) > 0)
		;
}

#define WEIGHT "/sys/fs/cgroup/vm/vcpu0/cpu.weight"

/* VMs come and go, and the policy stays: what is of threads and cgroups that are gone does not pile up. */
static void test_journal_long(void **state)
{
	struct ks_thread gone = { .tid = 1u << 30, .start = 7 }, me;
	static const uint32_t ours[] = { 1 };
	struct ks_undone u = { 0 };
	struct ks_journal *j;
	struct ks_err err;
	struct stat st;
	char path[256];
	unsigned int i;

	(void)state;
	assert_int_equal(ks_thread_read(getpid(), &me), 0);
	tree_text(&tree, "/sys/fs/cgroup/here/cpu.weight", "100\n");
	assert_int_equal(ks_journal_open(&j, tree.root, &err), 0);
	ks_journal_root(j, tree.root);
	assert_int_equal(ks_journal_begin(j, "ple-boost"), 0);
	assert_int_equal(ks_journal_thread(j, &me), 0);
	assert_int_equal(ks_journal_weight(j, "/here", 200, ours, 1), 0);
	for (i = 0; i < 30000; i++) {
		assert_int_equal(ks_journal_thread(j, &gone), 0);
		assert_int_equal(ks_journal_weight(j, "/gone", 100, ours, 1), 0);
	}
	snprintf(path, sizeof(path), "%s/journal", tree.root);
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 1000, (1 << 20) + 1000);
	/* The holder is still the holder, and what can be undone is. */
	assert_int_equal(ks_journal_undo(j, &u), 0);
	assert_int_equal(u.left, 1); /* /here, which its owner has changed */
	assert_int_equal(u.failed, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	ks_journal_close(j);
}

/* Undo what is in the journal; what does the weight say then? */
static void weight_after(const char *now, const char *after, struct ks_undone *u)
{
	char text[64] = "", path[512];
	struct ks_journal *j;
	struct ks_err err;
	FILE *f;

	tree_text(&tree, WEIGHT, now);
	assert_int_equal(ks_journal_open(&j, tree.root, &err), 0);
	ks_journal_root(j, tree.root);
	ks_journal_undo(j, u);
	ks_journal_close(j);
	snprintf(path, sizeof(path), "%s" WEIGHT, tree.root);
	f = fopen(path, "r");
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_string_equal(text, after);
}

static void undo_alone(struct ks_undone *u)
{
	struct ks_journal *j;
	struct ks_err err;

	assert_int_equal(ks_journal_open(&j, tree.root, &err), 0);
	ks_journal_root(j, tree.root);
	assert_int_equal(ks_journal_undo(j, u), 0);
	ks_journal_close(j);
}

static int tree_remove(const struct tree *t, const char *path)
{
	char full[512];

	snprintf(full, sizeof(full), "%s%s", t->root, path);
	return unlink(full);
}

static void journal_weights(uint32_t back, const uint32_t *ours, unsigned int nours)
{
	struct ks_journal *j;
	struct ks_err err;

	assert_int_equal(ks_journal_open(&j, tree.root, &err), 0);
	assert_int_equal(ks_journal_weight(j, "/vm/vcpu0", back, ours, nours), 0);
	ks_journal_close(j);
}

static void test_journal_leaves_an_owners_weight(void **state)
{
	const uint32_t ours[] = { 111, 499, 749 };
	struct ks_undone u;

	(void)state;
	journal_weights(250, ours, 2);
	weight_after("499\n", "250\n", &u);
	assert_true(u.entries == 1 && u.undone == 1 && !u.failed && !u.left);
	journal_weights(250, ours, 2);
	weight_after("250\n", "250\n", &u);
	assert_true(u.entries == 1 && !u.undone && !u.failed && !u.left);
	journal_weights(250, ours, 2);
	weight_after("400\n", "400\n", &u);
	assert_true(u.entries == 1 && !u.undone && !u.failed && u.left == 1);
	assert_string_equal(u.left_path, WEIGHT);
	assert_false(ks_journal_is_used(tree.root));
	/* A later entry names more of ours, and alone counts: one file is one change that is left. */
	journal_weights(250, ours, 2);
	journal_weights(250, ours, 3);
	weight_after("749\n", "250\n", &u);
	assert_true(u.undone == 1 && !u.left);
	journal_weights(250, ours, 2);
	journal_weights(250, ours, 3);
	weight_after("400\n", "400\n", &u);
	assert_true(u.entries == 2 && !u.undone && u.left == 1);
	/* What the owner had changed while the policy was there is what it goes back to. */
	journal_weights(250, ours, 2);
	journal_weights(300, ours, 2);
	weight_after("111\n", "300\n", &u);
	assert_true(u.undone == 1 && !u.left);
	/* The cgroup is gone. */
	journal_weights(250, ours, 2);
	assert_int_equal(tree_remove(&tree, WEIGHT), 0);
	undo_alone(&u);
	assert_true(u.entries == 1 && !u.undone && !u.failed && !u.left);
}

static void journal_text(const char *text)
{
	tree_text(&tree, "/journal", text);
}

/* Lines of an older build, which does not say what is its own; and lines that nobody of us has written. */
static void test_journal_of_others(void **state)
{
	struct ks_undone u;

	(void)state;
	journal_text("{\"in\":\"/vm/vcpu0\",\"file\":\"cpu.weight\",\"back\":\"250\"}\n");
	weight_after("400\n", "250\n", &u);
	assert_true(u.undone == 1 && !u.left && !u.failed);
	journal_text("{\"in\":\"/vm/../vm/vcpu0\",\"file\":\"cpu.weight\",\"back\":\"250\"}\n"
		     "{\"in\":\"..\",\"file\":\"cpu.weight\",\"back\":\"250\"}\n"
		     "{\"in\":\"/vm\",\"file\":\"vcpu0/cpu.weight\",\"back\":\"250\"}\n"
		     "{\"in\":[\"/vm/vcpu0\"],\"file\":\"cpu.weight\",\"back\":\"250\"}\n"
		     "{\"in\":\"/vm/vcpu0\",\"file\":\"cpu.weight\",\"back\":250}\n"
		     "{\"in\":\"/vm/vcpu0\",\"file\":\"cpu.weight\"}\n");
	weight_after("400\n", "400\n", &u);
	assert_true(u.entries == 6 && u.failed == 6 && !u.undone);
	/* Ours that are no numbers, or none at all, are nobody's. */
	journal_text(
		"{\"in\":\"/vm/vcpu0\",\"file\":\"cpu.weight\",\"back\":\"250\",\"ours\":400}\n");
	weight_after("400\n", "400\n", &u);
	assert_true(u.left == 1 && !u.failed);
	journal_text(
		"{\"in\":\"/vm/vcpu0\",\"file\":\"cpu.weight\",\"back\":\"250\",\"ours\":null}\n"
		"{\"in\":\"/vm/vcpu0\",\"file\":\"cpu.weight\",\"back\":\"250\",\"ours\":[\"x\",{},"
		"[400],-1]}\n");
	weight_after("400\n", "400\n", &u);
	assert_true(u.left == 1 && !u.failed && !u.undone);
}

static void journal_path(const char *path, const char *back)
{
	struct ks_journal *j;
	struct ks_err err;

	assert_int_equal(ks_journal_open(&j, tree.root, &err), 0);
	assert_int_equal(ks_journal_path(j, path, back), 0);
	ks_journal_close(j);
}

static void journal_file(const char *back)
{
	struct ks_journal *j;
	struct ks_err err;

	assert_int_equal(ks_journal_open(&j, tree.root, &err), 0);
	assert_int_equal(ks_journal_file(j, "/vm/vcpu0", "cpu.weight", back), 0);
	ks_journal_close(j);
}

static void tell_last(void *ctx, const char *path, const char *back)
{
	assert_string_equal(path, "/vm/vcpu0");
	snprintf(ctx, 8, "%s", back);
}

/* The newest entry of a file counts; of those of an older build, which knew no better, the oldest. */
static void test_journal_file(void **state)
{
	struct ks_journal *j;
	struct ks_undone u;
	struct ks_err err;
	char last[8] = "";

	(void)state;
	journal_file("250");
	journal_file("300");
	assert_int_equal(ks_journal_open(&j, tree.root, &err), 0);
	assert_int_equal(ks_journal_files(j, "cpu.weight", tell_last, last), 0);
	assert_string_equal(last, "300");
	assert_int_equal(ks_journal_files(j, "cpu.max", tell_last, NULL), 0);
	ks_journal_close(j);
	weight_after("400\n", "300\n", &u);
	assert_true(u.undone == 1 && !u.failed);
	journal_text("{\"in\":\"/vm/vcpu0\",\"file\":\"cpu.weight\",\"back\":\"250\"}\n"
		     "{\"in\":\"/vm/vcpu0\",\"file\":\"cpu.weight\",\"back\":\"300\"}\n");
	weight_after("400\n", "250\n", &u);
	/* After them one of this build. */
	journal_text("{\"in\":\"/vm/vcpu0\",\"file\":\"cpu.weight\",\"back\":\"250\"}\n");
	journal_file("300");
	weight_after("400\n", "300\n", &u);
}

static void assert_is(const char *path, const char *what)
{
	char *text;

	assert_int_equal(ks_read_file(path, 64, &text, NULL), 0);
	assert_string_equal(text, what);
	free(text);
}

/* Somebody was killed within a line; who comes next adds to his journal, and both can be undone. */
static void test_journal_torn(void **state)
{
	static const char *const torn[] = { "{\"path\":\"/x", "{", "{\"policy\":\"x\"}" };
	char a[128], b[128], path[128];
	struct ks_undone u;
	unsigned int i;
	FILE *f;

	(void)state;
	snprintf(a, sizeof(a), "%s/a", tree.root);
	snprintf(b, sizeof(b), "%s/b", tree.root);
	snprintf(path, sizeof(path), "%s/journal", tree.root);
	for (i = 0; i < 3; i++) {
		tree_text(&tree, "/a", "new");
		tree_text(&tree, "/b", "new");
		journal_path(a, "old");
		f = fopen(path, "a");
		fputs(torn[i], f);
		fclose(f);
		journal_path(b, "was");
		undo_alone(&u);
		assert_true(u.entries == 2 && u.undone == 2 && !u.failed);
		assert_is(a, "old");
		assert_is(b, "was");
	}
	/* It may be all that there is. */
	journal_text(torn[0]);
	journal_path(a, "once");
	undo_alone(&u);
	assert_int_equal(u.undone, 1);
	assert_is(a, "once");
}

static void test_sched_ext_states(void **state)
{
	char ops[64];
	struct ks_err err;

	(void)state;
	tree_text(&tree, "/proc/version", "x");
	assert_int_equal(ks_scx_state(tree.root, ops, sizeof(ops)), KS_SCX_NONE);
	assert_int_equal(ks_scx_free(tree.root, &err), -ENODEV);
	tree_text(&tree, "/sys/kernel/sched_ext/state", "disabled\n");
	assert_int_equal(ks_scx_free(tree.root, &err), 0);
	tree_text(&tree, "/sys/devices/system/cpu/isolated", "2-3\n");
	assert_int_equal(ks_scx_free(tree.root, &err), 0);
	tree_text(&tree, "/proc/cmdline", "quiet isolcpus=2-3\n");
	assert_int_equal(ks_scx_free(tree.root, &err), -ENODEV);
	assert_non_null(strstr(err.msg, "isolcpus (CPUs 2-3)"));
	tree_text(&tree, "/sys/devices/system/cpu/isolated", "\n");
	assert_int_equal(ks_scx_free(tree.root, &err), 0);
	tree_text(&tree, "/sys/kernel/sched_ext/state", "enabled\n");
	tree_text(&tree, "/sys/kernel/sched_ext/root/ops", "lavd\n");
	assert_int_equal(ks_scx_state(tree.root, ops, sizeof(ops)), KS_SCX_USED);
	assert_string_equal(ops, "lavd");
	assert_int_equal(ks_scx_free(tree.root, &err), -EBUSY);
	assert_non_null(strstr(err.msg, "lavd"));
}

/* Flags that not all kernels have, or have alike. */
static void test_flags_of_this_kernel(void **state)
{
	(void)state;
	assert_int_equal(ks_enumerator("bpf_prog_type", "no such flag"), 0);
	assert_int_equal(ks_enumerator("no such enum", "BPF_PROG_TYPE_KPROBE"), 0);
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		skip();
	assert_int_equal(ks_enumerator("bpf_prog_type", "BPF_PROG_TYPE_KPROBE"), 2);
}

static void test_what_can_be_attached(void **state)
{
	struct ks_err err;

	(void)state;
	tree_text(&tree, "/sys/kernel/sched_ext/state", "disabled\n");
	assert_int_equal(ks_boost_usable(tree.root, KS_BOOST_CGROUP, &err), -ENODEV);
	assert_non_null(strstr(err.msg, "KVM"));
	tree_text(&tree, "/sys/module/kvm/parameters/halt_poll_ns", "0\n");
	assert_int_equal(ks_boost_usable(tree.root, KS_BOOST_CGROUP, &err), 0);
	assert_int_equal(ks_boost_usable(tree.root, KS_BOOST_SCX, &err), 0);
	/* Where the kernel's PIDs are not those in /proc. */
	tree_link(&tree, "/proc/self/ns/pid", "pid:[4026532201]");
	assert_int_equal(ks_boost_usable(tree.root, KS_BOOST_CGROUP, &err), -ENOTSUP);
	assert_int_equal(ks_boost_usable(tree.root, KS_BOOST_SCX, &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, "PID namespace"));
}

/* It needs no KVM: it is for guests. */
static void test_wake_can_be_attached(void **state)
{
	struct ks_err err;

	(void)state;
	assert_int_equal(ks_wake_usable(tree.root, &err), -ENODEV);
	assert_non_null(strstr(err.msg, "no sched_ext"));
	assert_null(strstr(err.msg, "backend"));
	tree_text(&tree, "/sys/kernel/sched_ext/state", "disabled\n");
	assert_int_equal(ks_wake_usable(tree.root, &err), 0);
	tree_text(&tree, "/sys/kernel/sched_ext/state", "enabled\n");
	tree_text(&tree, "/sys/kernel/sched_ext/root/ops", "lavd\n");
	assert_int_equal(ks_wake_usable(tree.root, &err), -EBUSY);
}

static void test_cgroup_with_quota(void **state)
{
	char path[KS_CGROUP_PATH];

	(void)state;
	assert_false(ks_cgroup_find_quota(tree.root, path, sizeof(path)));
	tree_text(&tree, "/sys/fs/cgroup/system.slice/cpu.max", "max 100000\n");
	tree_text(&tree, "/sys/fs/cgroup/system.slice/a.service/cpu.max", "max 100000\n");
	assert_false(ks_cgroup_find_quota(tree.root, path, sizeof(path)));
	tree_text(&tree, "/sys/fs/cgroup/system.slice/b.service/cpu.max", "5000 100000\n");
	assert_true(ks_cgroup_find_quota(tree.root, path, sizeof(path)));
	assert_string_equal(path, "/system.slice/b.service");
}

static void test_cgroup_share(void **state)
{
	uint32_t weight;
	bool quota;

	(void)state;
	tree_text(&tree, "/proc/7/cgroup", "0::/\n");
	assert_int_equal(ks_cgroup_share(tree.root, 7, &weight, &quota), 0);
	assert_int_equal(weight, 0);
	assert_false(quota);
	/* As libvirt does it: the VM's scope, a cgroup of its own in that, and threaded ones below it. */
	tree_text(&tree, "/proc/8/cgroup", "0::/machine.slice/web.scope/libvirt/emulator\n");
	tree_text(&tree, "/sys/fs/cgroup/machine.slice/web.scope/cpu.weight", "300\n");
	tree_text(&tree, "/sys/fs/cgroup/machine.slice/web.scope/cgroup.type", "domain\n");
	tree_text(&tree, "/sys/fs/cgroup/machine.slice/web.scope/libvirt/cgroup.type",
		  "domain threaded\n");
	tree_text(&tree, "/sys/fs/cgroup/machine.slice/web.scope/libvirt/cpu.weight", "100\n");
	tree_text(&tree, "/sys/fs/cgroup/machine.slice/web.scope/libvirt/emulator/cgroup.type",
		  "threaded\n");
	tree_text(&tree, "/sys/fs/cgroup/machine.slice/web.scope/cpu.max", "max 100000\n");
	assert_int_equal(ks_cgroup_share(tree.root, 8, &weight, &quota), 0);
	assert_int_equal(weight, 300);
	assert_false(quota);
	tree_text(&tree, "/sys/fs/cgroup/machine.slice/web.scope/libvirt/vcpu0/cgroup.type",
		  "threaded\n");
	tree_text(&tree, "/sys/fs/cgroup/machine.slice/web.scope/libvirt/vcpu0/cpu.max",
		  "1000 100000\n");
	assert_int_equal(ks_cgroup_share(tree.root, 8, &weight, &quota), 0);
	assert_true(quota);
	/* A quota further up holds as well. */
	tree_text(&tree, "/proc/9/cgroup", "1:cpu:/x\n0::/slow/vm\n");
	tree_text(&tree, "/sys/fs/cgroup/slow/cpu.max", "50000 100000\n");
	tree_text(&tree, "/sys/fs/cgroup/slow/vm/cpu.weight", "100\n");
	assert_int_equal(ks_cgroup_share(tree.root, 9, &weight, &quota), 0);
	assert_int_equal(weight, 100);
	assert_true(quota);
	tree_text(&tree, "/proc/10/cgroup", "1:cpu:/x\n");
	assert_int_equal(ks_cgroup_share(tree.root, 10, &weight, &quota), -ENOTSUP);
}

static void test_cgroup_of_thread(void **state)
{
	char path[64];

	(void)state;
	/* A thread may lie elsewhere than its process. */
	tree_text(&tree, "/proc/7/cgroup", "0::/vm\n");
	tree_text(&tree, "/proc/7/task/8/cgroup", "0::/vm/vcpu0\n");
	assert_int_equal(ks_cgroup_of(tree.root, 7, 7, path, sizeof(path)), 0);
	assert_string_equal(path, "/vm");
	assert_int_equal(ks_cgroup_of(tree.root, 7, 8, path, sizeof(path)), 0);
	assert_string_equal(path, "/vm/vcpu0");
	assert_int_equal(ks_cgroup_of(tree.root, 7, 9, path, sizeof(path)), -ENOENT);
	tree_text(&tree, "/sys/fs/cgroup/vm/vcpu0/cgroup.type", "threaded\n");
	assert_true(ks_cgroup_is_threaded(tree.root, "/vm/vcpu0"));
	assert_false(ks_cgroup_is_threaded(tree.root, "/vm"));
}

static int nice_now(void)
{
	return getpriority(PRIO_PROCESS, 0);
}

/* Whoever finds the journal of a killed policy gives back the nice values that it took away. */
static void test_lever_of_nice(void **state)
{
	struct ks_lever a, b;
	struct ks_journal *j;
	struct ks_undone u;
	struct ks_err err;
	uint32_t tid = syscall(SYS_gettid);
	int was = nice_now();

	(void)state;
	if (was == 19)
		skip(); /* there is nothing to change */
	assert_int_equal(ks_journal_open(&j, tree.root, &err), 0);
	assert_int_equal(ks_lever_take(&a, j, getpid(), tid), 0);
	assert_int_equal(ks_lever_take(&b, j, getppid(), tid), -ESRCH);
	assert_int_equal(nice_now(), was);
	assert_int_equal(ks_lever_set(&a, KS_LEVER_DOWN, NULL), 0);
	assert_int_equal(nice_now(), 19);
	assert_int_equal(ks_lever_set(&a, KS_LEVER_UP, &a), 0);
	assert_int_equal(nice_now(), was);
	assert_int_equal(ks_lever_set(&a, KS_LEVER_DOWN, NULL), 0);
	assert_int_equal(ks_journal_undo(j, &u), 0);
	assert_int_equal(u.entries, 1);
	assert_int_equal(u.undone, 1);
	assert_int_equal(nice_now(), was);
	/* Its owner has decided otherwise meanwhile. */
	assert_int_equal(ks_lever_take(&a, j, getpid(), tid), 0);
	assert_int_equal(setpriority(PRIO_PROCESS, 0, 5), 0);
	assert_int_equal(ks_journal_undo(j, &u), 0);
	assert_int_equal(u.undone, 0);
	assert_int_equal(nice_now(), 5);
	setpriority(PRIO_PROCESS, 0, was);
	ks_lever_close(&a);
	ks_journal_close(j);
}

static void journal_room(rlim_t bytes)
{
	struct rlimit r;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
	r.rlim_cur = bytes < r.rlim_max ? bytes : r.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* Twice, with room for a part of a line alone: nothing is remembered of the first time. */
static void assert_no_room(struct ks_lever *l, const struct ks_lever *from)
{
	struct stat st;
	char path[128];
	int ret[2], i;

	snprintf(path, sizeof(path), "%s/journal", tree.root);
	assert_int_equal(stat(path, &st), 0);
	journal_room(st.st_size + 7);
	for (i = 0; i < 2; i++)
		ret[i] = ks_lever_set(l, KS_LEVER_UP, from);
	journal_room(RLIM_INFINITY);
	assert_true(ret[0] < 0 && ret[1] < 0);
}

static void assert_weight(int fd, const char *what)
{
	char text[16] = "";

	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, what);
}

/* The journal cannot be written: then neither is the weight, the next time no more than the first. */
static void test_lever_without_journal(void **state)
{
	struct ks_lever l = { .path = "/vm/vcpu0", .usual = 100, .weight = 100 }, from;
	char path[128];
	struct ks_undone u;
	struct ks_err err;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	tree_text(&tree, WEIGHT, "100\n");
	snprintf(path, sizeof(path), "%s" WEIGHT, tree.root);
	assert_int_equal(ks_journal_open(&l.journal, tree.root, &err), 0);
	ks_journal_root(l.journal, tree.root);
	l.fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(l.fd >= 0);
	from = (struct ks_lever){ .fd = l.fd, .usual = 300 };
	assert_no_room(&l, &from);
	assert_weight(l.fd, "100\n");
	/* Nor if its owner has changed it since. */
	tree_text(&tree, WEIGHT, "200\n");
	assert_no_room(&l, &from);
	assert_weight(l.fd, "200\n");
	assert_int_equal(ks_lever_set(&l, KS_LEVER_UP, &from), 0);
	assert_weight(l.fd, "499\n");
	assert_int_equal(ks_journal_undo(l.journal, &u), 0);
	assert_true(u.undone == 1 && !u.left);
	assert_weight(l.fd, "200\n");
	close(l.fd);
	ks_journal_close(l.journal);
}

/* Two VMs, one of three times the other's weight; a third without a weight of its own. */
static void test_share(void **state)
{
	static struct ks_share s;
	static struct ks_vmset vms;

	(void)state;
	vms.vm[1] = (struct ks_vmset_entry){ .tgid = 1, .weight = 100, .vcpus = 8 };
	s.last_ns[1] = 250;
	assert_true(ks_share_jain(&s, &vms) > 0.9999);
	vms.vm[2] = (struct ks_vmset_entry){ .tgid = 2, .weight = 300, .vcpus = 2 };
	s.last_ns[2] = 750;
	assert_true(fabs(ks_share_had(&s, 1) - 0.25) < 1e-9);
	assert_true(fabs(ks_share_due(&vms, 1) - 0.25) < 1e-9);
	assert_true(ks_share_jain(&s, &vms) > 0.9999);
	/* All for one: an index of 1 / 2. */
	s.last_ns[2] = 0;
	assert_true(fabs(ks_share_jain(&s, &vms) - 0.5) < 1e-9);
	vms.vm[3] = (struct ks_vmset_entry){ .tgid = 3, .vcpus = 4 };
	assert_true(fabs(ks_share_due(&vms, 3) - 0.5) < 1e-9);
}

/* The clock of a process that is there goes on; one that is gone has none. */
static void test_share_clock(void **state)
{
	static struct ks_share s;
	static struct ks_vmset vms;
	volatile unsigned int i;

	(void)state;
	vms.vm[1] = (struct ks_vmset_entry){ .tgid = getpid(), .vcpus = 1 };
	ks_share_read(&s, &vms);
	assert_int_equal(s.cpu_ns[1], 0);
	for (i = 0; i < 1000000; i++)
		;
	ks_share_read(&s, &vms);
	assert_true(s.cpu_ns[1] > 0 && s.cpu_ns[1] == s.last_ns[1]);
	vms.vm[1].tgid = 0;
	ks_share_read(&s, &vms);
	assert_int_equal(s.cpu_ns[1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cgroup_of_thread, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_lever_of_nice, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_lever_without_journal, make_tree, drop_tree),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_share_clock),
		cmocka_unit_test(test_thread_there_and_back),
		cmocka_unit_test(test_thread_keeps_its_slice),
		cmocka_unit_test(test_thread_gone),
		cmocka_unit_test_setup_teardown(test_journal_one_holder, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_vmset_pid_again, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_vmset_cgroups, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_journal_undo, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_journal_undo_of_one, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_journal_long, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_journal_leaves_an_owners_weight, make_tree,
						drop_tree),
		cmocka_unit_test_setup_teardown(test_journal_of_others, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_journal_file, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_journal_torn, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_sched_ext_states, make_tree, drop_tree),
		cmocka_unit_test(test_flags_of_this_kernel),
		cmocka_unit_test_setup_teardown(test_what_can_be_attached, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_wake_can_be_attached, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_cgroup_with_quota, make_tree, drop_tree),
		cmocka_unit_test_setup_teardown(test_cgroup_share, make_tree, drop_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
