// SPDX-License-Identifier: GPL-2.0
/* What vm-share does to a VM, with processes of this test for VMs: nobody answers for their agents. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "cgroup.h"
#include "err.h"
#include "force.h"
#include "sharer.h"
#include "test_sys_tree.h"
#include "thread.h"

static struct tree tree;
static struct ks_sharer sharer;
static struct ks_book *book;
static pid_t vm, other; /* a VM, and a process that is none of it */

/* It has its name, and those of its threads, as soon as nobody holds the pipe's other end. */
static void await_names(int named[2])
{
	char byte;

	close(named[1]);
	assert_int_equal(read(named[0], &byte, 1), 0);
	close(named[0]);
}

static pid_t sleeper(const char *name)
{
	int named[2];
	pid_t pid;

	assert_int_equal(pipe(named), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NAME, name);
		close(named[1]);
		pause();
		_exit(0);
	}
	await_names(named);
	return pid;
}

static int named_fd;

static void *second_vcpu(void *arg)
{
	prctl(PR_SET_NAME, "CPU 1/KVM");
	close(named_fd);
	for (;;)
		pause();
	return arg;
}

/* Two vCPUs that are threads of one process. */
static pid_t two_sleepers(void)
{
	pthread_t thread;
	int named[2];
	pid_t pid;

	assert_int_equal(pipe(named), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NAME, "CPU 0/KVM");
		named_fd = named[1];
		if (pthread_create(&thread, NULL, second_vcpu, NULL))
			_exit(1);
		for (;;)
			pause();
	}
	await_names(named);
	return pid;
}

/* A VM of two vCPUs, the first of which has CPU 0. */
static int setup(void **state)
{
	struct ks_book_vm *v;

	(void)state;
	tree_new(&tree);
	vm = sleeper("CPU 0/KVM");
	other = sleeper("other");
	ks_sharer_init(&sharer, tree.root);
	sharer.answer_ms = 50;
	book = ks_book_new();
	assert_int_equal(ks_book_add(book, 2), 0);
	v = &book->vm[0];
	v->tgid = (uint32_t)vm;
	assert_int_equal(ks_thread_start(NULL, v->tgid, &v->start), 0);
	strcpy(v->name, "vm");
	book->cpu[0] = (struct ks_book_cpu){ KS_STEP_OWNED, 0, KS_NOBODY, KS_NOBODY };
	book->cpu[1] = (struct ks_book_cpu){ KS_STEP_OWNED, 0, KS_NOBODY, KS_NOBODY };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kill(vm, SIGKILL);
	kill(other, SIGKILL);
	waitpid(vm, NULL, 0);
	waitpid(other, NULL, 0);
	ks_sharer_end(&sharer);
	ks_book_free(book);
	tree_free(&tree);
	return 0;
}

/* The book as the next vm-share reads it. */
static void reload(void)
{
	struct ks_err err;

	ks_book_free(book);
	assert_int_equal(ks_book_load(&book, tree.root, &err), 0);
}

/* Its agent did as it was told, and is gone: what it did to its guest is not forgotten, whatever is done meanwhile. */
static void agent_gone(void **state)
{
	struct ks_err err = { "" };

	(void)state;
	book->no_pin = true;
	book->vm[0].cid = 77;
	book->vm[0].manner = KS_MANNER_AGENT;
	book->vm[0].confined = true;
	ks_book_move(book, 1, KS_NOBODY);
	assert_int_equal(ks_hand_over(book, &sharer.ops, false, &err), 0);
	assert_int_equal(book->vm[0].manner, KS_MANNER_FORCED);
	reload();
	assert_int_not_equal(ks_sharer_release(&sharer, book, &err), 0);
	assert_non_null(strstr(err.msg, "release again, or with --no-agent"));
	reload(); /* it is still there */
	sharer.port = 0;
	ks_sharer_release(&sharer, book, &err);
}

/* There never was an agent: nothing is to be undone. */
static void no_agent(void **state)
{
	struct ks_err err = { "" };
	struct ks_book *none;

	(void)state;
	book->no_pin = true;
	book->vm[0].cid = 77;
	ks_book_move(book, 1, KS_NOBODY);
	assert_int_equal(ks_hand_over(book, &sharer.ops, false, &err), 0);
	assert_int_equal(book->vm[0].manner, KS_MANNER_FORCED);
	assert_false(book->vm[0].confined);
	assert_int_equal(ks_sharer_release(&sharer, book, &err), 0);
	assert_int_equal(ks_book_load(&none, tree.root, &err), -ENOENT);
}

static unsigned int told_unclear;

static void unclear(unsigned int i, const struct ks_err *err)
{
	told_unclear |= 1u << i;
	assert_non_null(strstr(err->msg, "2 VMs "));
}

/* Somebody else calls his VM so, too: who is in the book is meant, and nobody else's part of the plan waits for it. */
static void same_name(void **state)
{
	struct ks_vminfo info[3] = { { .tgid = (uint32_t)vm, .name = "vm" },
				     { .tgid = (uint32_t)other, .name = "vm" },
				     { .tgid = (uint32_t)getpid(), .name = "third" } };
	const struct ks_vmlist list = { .vm = info, .n = 3 };
	struct ks_plan *p = ks_plan_new();
	struct ks_err err = { "" };

	(void)state;
	assert_int_equal(ks_sharer_add(book, &list, "vm", 0, &err), 0);
	assert_int_equal(ks_plan_word(p, "vm=cpus:0", &err), 0);
	assert_int_equal(ks_plan_word(p, "third=cpus:1", &err), 0);
	assert_int_equal(ks_plan_word(p, "absent=cpus:2", &err), 0);
	ks_sharer_drop_absent(book, &list, p, unclear);
	assert_int_equal(p->n, 2);
	assert_int_equal(told_unclear, 0);
	/* The one of the book has ended. */
	book->vm[0].start++;
	ks_sharer_drop_absent(book, &list, p, unclear);
	assert_int_equal(p->n, 1);
	assert_string_equal(p->vm[0].name, "third");
	assert_int_equal(told_unclear, 1);
	assert_int_equal(ks_sharer_add(book, &list, "vm", 0, &err), -ENOTUNIQ);
	free(p);
}

/* Two that say they have one CID: whom an agent there would confine is not known. */
static void same_cid(void **state)
{
	struct ks_vminfo info[3] = { { .tgid = (uint32_t)vm, .name = "vm", .cid = 5 },
				     { .tgid = (uint32_t)other, .name = "other", .cid = 5 },
				     { .tgid = (uint32_t)getpid(), .name = "third" } };
	const struct ks_vmlist list = { .vm = info, .n = 3 };
	struct ks_plan *p = ks_plan_new();
	struct ks_err err = { "" };

	(void)state;
	assert_int_equal(ks_sharer_add(book, &list, "other", 0, &err), -ENOTUNIQ);
	assert_non_null(strstr(err.msg, "guest-cid 5"));
	assert_int_equal(ks_plan_word(p, "vm=cpus:0", &err), 0);
	assert_int_equal(ks_plan_word(p, "other=cpus:1", &err), 0);
	assert_int_equal(ks_plan_word(p, "third=cpus:2", &err), 0);
	told_unclear = 0;
	ks_sharer_drop_absent(book, &list, p, unclear);
	assert_int_equal(told_unclear, 2);
	assert_int_equal(p->n, 2); /* that of the book was there first */
	free(p);
}

/* A second VM, of one vCPU, that has no agent. */
static void add_second(void)
{
	struct ks_book_vm *v = &book->vm[1];

	assert_int_equal(ks_book_add(book, 1), 1);
	v->tgid = (uint32_t)other;
	assert_int_equal(ks_thread_start(NULL, v->tgid, &v->start), 0);
	strcpy(v->name, "second");
	v->first = 1;
	v->manner = KS_MANNER_FORCED;
	book->cpu[1] = (struct ks_book_cpu){ KS_STEP_OWNED, 1, KS_NOBODY, KS_NOBODY };
}

/* One of two is released, the other one cannot be: the book does not say that each has its own. */
static void release_half_done(void **state)
{
	struct ks_err err = { "" };
	struct ks_book *none;

	(void)state;
	add_second();
	book->no_pin = true;
	book->vm[0].cid = 77;
	book->vm[0].manner = KS_MANNER_AGENT;
	book->vm[0].confined = true;
	assert_int_not_equal(ks_sharer_release(&sharer, book, &err), 0);
	reload();
	assert_true(book->releasing);
	assert_false(ks_book_is_settled(book));
	assert_int_equal(book->vm[0].tgid, vm);
	assert_int_equal(book->vm[1].tgid, 0);
	assert_int_equal(book->cpu[1].step, KS_STEP_FREE);
	sharer.port = 0;
	assert_int_equal(ks_sharer_release(&sharer, book, &err), 0);
	assert_int_equal(ks_book_load(&none, tree.root, &err), -ENOENT);
}

/* A service has another umask than a shell; `status' is for everybody. */
static void readable(void **state)
{
	mode_t before = umask(0077);
	struct stat st;
	char path[128];

	(void)state;
	assert_int_equal(ks_book_save(book, tree.root), 0);
	umask(before);
	snprintf(path, sizeof(path), "%s/share.json", tree.root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	reload();
}

/* Nothing is undone before it is written down that it will be. */
static void release_not_written(void **state)
{
	struct ks_cpus one = { 0 }, is;
	struct ks_err err = { "" };

	(void)state;
	ks_cpus_add(&one, 0);
	assert_int_equal(ks_pin_write((uint32_t)vm, &one), 0);
	book->vm[0].vcpu[0].tid = (uint32_t)vm;
	book->vm[0].vcpu[0].affinity = strdup("0-63");
	sharer.dir = "/nonexistent";
	ks_sharer_release(&sharer, book, &err);
	assert_int_equal(ks_pin_read((uint32_t)vm, &is), 0);
	assert_memory_not_equal(&one, &is, sizeof(one));
}

/* The number of a vCPU's thread that has gone is another process's by now. */
static void number_reused(void **state)
{
	struct ks_cpus before, after;
	struct ks_err err = { "" };

	(void)state;
	sharer.port = 0;
	book->vm[0].manner = KS_MANNER_FORCED;
	book->vm[0].vcpu[0].tid = (uint32_t)vm;
	book->vm[0].vcpu[1].tid = (uint32_t)other;
	book->vm[0].vcpu[1].affinity = strdup("0-63");
	book->cpu[1] = (struct ks_book_cpu){ KS_STEP_FREE, KS_NOBODY, KS_NOBODY, KS_NOBODY };
	assert_int_equal(ks_pin_read((uint32_t)other, &before), 0);
	ks_book_move(book, 1, 0);
	assert_int_equal(ks_hand_over(book, &sharer.ops, false, &err), 0);
	assert_int_equal(ks_pin_read((uint32_t)other, &after), 0);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(book->vm[0].vcpu[1].tid, 0);
}

/*
 * Its agent does not answer any more when it is given CPU 0 again, and the vCPU that it gave up long ago cannot be held down
 * (its cgroup is one that cannot be made): its others are on its own CPUs, and nobody has to wait for it.
 */
static void not_held_down(void **state)
{
	struct ks_book_vm *v = &book->vm[0];
	struct ks_err err = { "" };

	(void)state;
	kill(vm, SIGKILL);
	waitpid(vm, NULL, 0);
	vm = two_sleepers();
	v->tgid = (uint32_t)vm;
	assert_int_equal(ks_thread_start(NULL, v->tgid, &v->start), 0);
	ks_vcpus_renew(NULL, v);
	assert_int_not_equal(v->vcpu[1].tid, 0);
	v->cid = 77;
	v->manner = KS_MANNER_AGENT;
	v->vcpu[1].home = strdup("/kvmsched-test-none");
	v->vcpu[1].group = strdup("/kvmsched-test-none/vcpu1");
	v->vcpu[1].max = strdup("");
	book->cpu[0] = (struct ks_book_cpu){ KS_STEP_GIVING, 0, KS_NOBODY, 0 };
	book->cpu[1] = (struct ks_book_cpu){ KS_STEP_FREE, KS_NOBODY, KS_NOBODY, KS_NOBODY };
	assert_int_equal(ks_hand_over(book, &sharer.ops, false, &err), 0);
	assert_true(ks_book_is_settled(book));
	assert_int_equal(v->manner, KS_MANNER_FORCED);
	assert_non_null(strstr(v->why, "holding a vCPU down"));
	assert_true(ks_sharer_is_pinned(book, 0));
	/* Who asks for it is told, and the book stays one that can be built on. */
	assert_int_not_equal(ks_hand_mend(book, &sharer.ops, &err), 0);
	assert_true(ks_book_is_settled(book));
}

/* On a host whose cgroup v2 has no controller for CPUs, or that has none at all. */
static void no_cgroup(void **state)
{
	struct ks_book_vm *v = &book->vm[0];
	struct ks_err err = { "" };

	(void)state;
	if (ks_cgroup_has_controller(NULL, "cpu"))
		skip();
	sharer.port = 0;
	book->no_pin = true;
	v->vcpu[0].tid = (uint32_t)vm;
	book->cpu[0] = (struct ks_book_cpu){ KS_STEP_FREE, KS_NOBODY, KS_NOBODY, KS_NOBODY };
	assert_int_equal(sharer.ops.take(&sharer, book, 0, &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, "no cgroup v2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(agent_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(no_agent, setup, teardown),
		cmocka_unit_test_setup_teardown(same_name, setup, teardown),
		cmocka_unit_test_setup_teardown(same_cid, setup, teardown),
		cmocka_unit_test_setup_teardown(release_half_done, setup, teardown),
		cmocka_unit_test_setup_teardown(release_not_written, setup, teardown),
		cmocka_unit_test_setup_teardown(readable, setup, teardown),
		cmocka_unit_test_setup_teardown(not_held_down, setup, teardown),
		cmocka_unit_test_setup_teardown(no_cgroup, setup, teardown),
		cmocka_unit_test_setup_teardown(number_reused, setup, teardown),
	};

	return cmocka_run_group_tests_name("sharer", tests, NULL, NULL);
}
