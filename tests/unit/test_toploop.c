// SPDX-License-Identifier: GPL-2.0
/* What runs until a signal ends it: live tables, and what is asked on the way. */
#include "test_trace_util.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/wait.h>

#include "child.h"
#include "memory_sampler.h"
#include "now.h"
#include "records.h"
#include "ring.h"
#include "toploop.h"
#include "vmkept.h"

#define MS 1000000ULL

static struct ks_err err;

struct tables {
	struct toploop loop;
	unsigned int drains, shows;
	uint64_t lasts; /* how long printing one takes */
	uint64_t until; /* from then on a signal comes with each */
};

static void drain(void *ctx)
{
	struct tables *t = ctx;

	t->drains++;
}

static void pass(uint64_t ns)
{
	const struct timespec ts = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	nanosleep(&ts, NULL);
}

static void show(void *ctx)
{
	struct tables *t = ctx;

	t->loop.last = ks_now_ns();
	pass(t->lasts);
	if (++t->shows == t->until)
		raise(SIGTERM);
	assert_in_range(t->shows, 1, 100);
}

static void run(struct tables *t)
{
	t->loop.drain = drain;
	t->loop.show = show;
	t->loop.ctx = t;
	child_signals();
	assert_int_equal(toploop_run(&t->loop, &err), 0);
}

/* A table takes longer than the interval: rings are emptied all the same, and a signal ends it. */
static void slow_tables(void **state)
{
	struct tables t = { .loop = { .interval_ns = 10 * MS }, .lasts = 12 * MS, .until = 5 };

	(void)state;
	run(&t);
	assert_int_equal(t.shows, 5);
	assert_in_range(t.drains, 5, 100);
}

static void print(void *ctx)
{
	struct tables *t = ctx;

	puts("a table");
	fflush(stdout);
	show(t);
}

/* Tables that cannot be written end it, and it says why. */
static void full_disk(void **state)
{
	struct tables t = { .loop = { .interval_ns = 10 * MS, .drain = drain, .show = print } };
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), out = dup(STDOUT_FILENO), ret;

	(void)state;
	t.loop.ctx = &t;
	fflush(stdout);
	child_signals();
	assert_int_equal(dup2(full, STDOUT_FILENO), STDOUT_FILENO);
	ret = toploop_run(&t.loop, &err);
	__fpurge(stdout);
	clearerr(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	close(full);
	assert_int_equal(ret, -ENOSPC);
	assert_int_equal(t.shows, 1);
	assert_string_equal(err.msg, "standard output: No space left on device");
}

/* A signal that comes between two tables. */
static void signal_between(void **state)
{
	struct tables t = { .loop = { .interval_ns = 3600000 * MS } };
	pid_t us = getpid(), pid = fork();

	(void)state;
	if (!pid) {
		pass(100 * MS);
		kill(us, SIGINT);
		_exit(0);
	}
	run(&t);
	assert_int_equal(t.shows, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The last table comes when the time is over, not an interval later. */
static void duration_within_interval(void **state)
{
	struct tables t = { .loop = { .interval_ns = 3600000 * MS, .duration_ns = 30 * MS } };
	uint64_t begun = ks_now_ns();

	(void)state;
	run(&t);
	assert_int_equal(t.shows, 1);
	assert_true(ks_now_ns() - begun < 60000 * MS);
}

static void write_for_ever(void *ctx)
{
	static const char page[4096];
	int *fd = ctx;

	while (write(*fd, page, sizeof(page)) > 0)
		;
}

/* Nobody reads what is printed: a signal ends it nevertheless. */
static void nobody_reads(void **state)
{
	int fd[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (!pid) {
		child_signals();
		child_signal_during(write_for_ever, &fd[1]);
		_exit(1);
	}
	pass(200 * MS);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	close(fd[0]);
	close(fd[1]);
}

/* Beyond the limit of a file's size a write fails; the command that is run is ended by it, as ever. */
static void file_size_limit(void **state)
{
	struct dir *d = *state;
	char *command[] = { "sh", "-c", "ulimit -f 1; exec cat /dev/zero >\"$0\"", d->file, NULL };
	struct child c;

	child_signals();
	assert_ptr_equal(signal(SIGXFSZ, SIG_IGN), SIG_IGN);
	assert_int_equal(child_start(&c, command), 0);
	while (!child_reaped(&c))
		pass(MS);
	assert_int_equal(c.code, 128 + SIGXFSZ);
}

/* More VMs than there is room for, but one after the other. */
static void vms_that_have_ended(void **state)
{
	struct dir *d = *state;
	struct ks_writer *w = must_write(d->file, KS_SIDE_HOST, MEMORY_RING + 1);
	struct ks_reader *r;
	const struct ks_rec *rec;
	struct memory *m;
	struct ks_err err;
	uint32_t i, ours = 0;

	assert_int_equal(memory_new(&m, 3600000 * MS), 0);
	for (i = 1; i <= 2000; i++) {
		memory_vm(m, 4194304 + i); /* beyond the highest number that there is */
		if (i % 500 == 0)
			pass(300 * MS);
	}
	memory_vm(m, (uint32_t)getpid());
	assert_int_equal(memory_write(m, w, true), 0);
	memory_free(m);
	must_close(w);
	r = must_read(d->file);
	while (ks_reader_next(r, &rec, &err) > 0)
		ours += rec->type == KS_VM_MEMORY && rec->id == (uint32_t)getpid();
	ks_reader_close(r);
	if (access("/proc/self/numa_maps", F_OK))
		skip(); /* a kernel without NUMA tells nothing of memory */
	assert_true(ours > 0);
}

/* Read again only for what came after that. */
static void one_read_for_all(void **state)
{
	uint64_t before = ks_now_ns(), first;
	struct vm_kept k = { .read = 0 };
	uint32_t us = (uint32_t)getpid();

	(void)state;
	assert_int_equal(vm_kept_get(&k, us, before)->tgid, us);
	first = k.read;
	assert_ptr_equal(vm_kept_get(&k, us, before + 1), &k.vm);
	assert_int_equal(k.read, first);
	assert_ptr_equal(vm_kept_get(&k, us, ks_now_ns()), &k.vm);
	assert_true(k.read > first);
	assert_null(vm_kept_get(&k, 4194304 + 1, before));
	assert_int_equal(k.read, 0);
	vm_kept_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_tables),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(signal_between),
		cmocka_unit_test(duration_within_interval),
		cmocka_unit_test(nobody_reads),
		cmocka_unit_test_setup_teardown(file_size_limit, setup_dir, teardown_dir),
		cmocka_unit_test_setup_teardown(vms_that_have_ended, setup_dir, teardown_dir),
		cmocka_unit_test(one_read_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
