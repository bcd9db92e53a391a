// SPDX-License-Identifier: GPL-2.0
/* What host and agent say to each other, and what both make of nonsense; cpusets in a made-up guest. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent.h"
#include "cgroup.h"
#include "err.h"
#include "force.h"
#include "journal.h"
#include "now.h"
#include "test_sys_tree.h"
#include "text.h"
#include "vsock.h"

static struct tree tree;
static char journal_dir[128];

static int make_tree(void **state)
{
	(void)state;
	tree_new(&tree);
	snprintf(journal_dir, sizeof(journal_dir), "%s/journal", tree.root);
	tree_text(&tree, "/sys/devices/system/cpu/online", "0-3\n");
	tree_text(&tree, "/sys/devices/system/cpu/possible", "0-7\n");
	tree_text(&tree, "/sys/fs/cgroup/cgroup.subtree_control", "");
	tree_text(&tree, "/sys/fs/cgroup/cgroup.procs", "");
	tree_text(&tree, "/sys/fs/cgroup/kvmsched.share/cgroup.procs", "");
	tree_text(&tree, "/sys/fs/cgroup/kvmsched.share/cpuset.cpus", "");
	tree_text(&tree, "/sys/fs/cgroup/system.slice/cpuset.cpus", "");
	tree_text(&tree, "/sys/fs/cgroup/user.slice/cpuset.cpus", "0-1\n");
	return 0;
}

static int drop_tree(void **state)
{
	(void)state;
	tree_free(&tree);
	return 0;
}

/* The first line of a file of the made-up guest: here writes do not truncate. */
static void assert_begins(const char *path, const char *with)
{
	char line[256];

	assert_int_equal(ks_read_line(tree.root, line, sizeof(line), "%s", path), 0);
	if (strncmp(line, with, strlen(with)))
		fail_msg("%s: '%s' instead of '%s'", path, line, with);
}

static void assert_says(const char *path, const char *what)
{
	char line[256];

	assert_int_equal(ks_read_line(tree.root, line, sizeof(line), "%s", path), 0);
	assert_string_equal(line, what);
}

static struct ks_cpus set_of(const char *text)
{
	struct ks_cpus s;

	assert_int_equal(ks_cpus_parse("set", text, &s, NULL), 0);
	return s;
}

static struct ks_agent_ask confine_ask(const char *cpus)
{
	struct ks_agent_ask ask;

	ks_agent_ask_init(&ask, KS_AGENT_CONFINE, 42);
	ask.cpus = set_of(cpus);
	return ask;
}

static struct ks_agent_answer good_answer(void)
{
	struct ks_agent_answer a;

	ks_agent_answer_init(&a, 42);
	a.online = set_of("0-3");
	a.may = set_of("0-1");
	return a;
}

/* ---- messages ---- */

static void test_ask(void **state)
{
	struct ks_agent_ask ask = confine_ask("0-1"), got, bad;
	size_t len;

	(void)state;
	assert_int_equal(ks_agent_check_ask(&ask, sizeof(ask), &got), KS_AGENT_DONE);
	assert_memory_equal(&ask, &got, sizeof(ask));
	for (len = 0; len < sizeof(ask); len++)
		assert_int_equal(ks_agent_check_ask(&ask, len, &got), KS_AGENT_BAD_MESSAGE);
	bad = ask;
	bad.version = 2;
	assert_int_equal(ks_agent_check_ask(&bad, sizeof(bad), &got), KS_AGENT_BAD_VERSION);
	bad = ask;
	bad.what = 0;
	assert_int_equal(ks_agent_check_ask(&bad, sizeof(bad), &got), KS_AGENT_BAD_MESSAGE);
	bad.what = 4;
	assert_int_equal(ks_agent_check_ask(&bad, sizeof(bad), &got), KS_AGENT_BAD_MESSAGE);
	bad = ask;
	bad.magic++;
	assert_int_equal(ks_agent_check_ask(&bad, sizeof(bad), &got), KS_AGENT_BAD_MESSAGE);
	bad = ask;
	bad.size--;
	assert_int_equal(ks_agent_check_ask(&bad, sizeof(bad), &got), KS_AGENT_BAD_MESSAGE);
	bad = ask;
	memset(&bad.cpus, 0, sizeof(bad.cpus));
	assert_int_equal(ks_agent_check_ask(&bad, sizeof(bad), &got), KS_AGENT_BAD_MESSAGE);
}

static int check(const struct ks_agent_answer *a, size_t len)
{
	struct ks_agent_ask ask = confine_ask("0-1");
	struct ks_agent_answer got;
	struct ks_err err = { "" };
	int ret = ks_agent_check_answer(a, len, &ask, &got, &err);

	assert_int_equal(ret != 0, err.msg[0] != 0);
	return ret;
}

static void test_answer(void **state)
{
	struct ks_agent_answer a = good_answer();
	size_t len;

	(void)state;
	assert_int_equal(check(&a, sizeof(a)), 0);
	for (len = 0; len < sizeof(a); len++)
		assert_int_equal(check(&a, len), -EPROTO);
	a.number++;
	assert_int_equal(check(&a, sizeof(a)), -EPROTO);
	a = good_answer();
	a.version = 9;
	assert_int_equal(check(&a, sizeof(a)), -EPROTONOSUPPORT);
	a = good_answer();
	a.result = KS_AGENT_RESULTS;
	assert_int_equal(check(&a, sizeof(a)), -EPROTO);
	a.result = KS_AGENT_BUSY;
	assert_int_equal(check(&a, sizeof(a)), -EBUSY);
	a.result = KS_AGENT_FAILED;
	assert_int_equal(check(&a, sizeof(a)), -EIO);
	/* "Done", and what it says tells otherwise. */
	a = good_answer();
	a.may = set_of("0-2");
	assert_int_equal(check(&a, sizeof(a)), -EINVAL);
	a = good_answer();
	a.busy = set_of("1");
	assert_int_equal(check(&a, sizeof(a)), -EINVAL);
	a = good_answer();
	memset(&a.may, 0, sizeof(a.may));
	assert_int_equal(check(&a, sizeof(a)), -EINVAL);
}

/* Any bytes: never taken for a "done" that contradicts the question. */
static void test_noise(void **state)
{
	struct ks_agent_ask ask = confine_ask("0-1"), got_ask;
	struct ks_agent_answer a, got;
	unsigned int seed = 3, i, k;
	struct ks_err err;

	(void)state;
	for (i = 0; i < 100000; i++) {
		a = good_answer();
		for (k = 0; k < 3; k++)
			((uint8_t *)&a)[(unsigned int)rand_r(&seed) % sizeof(a)] ^=
				(uint8_t)(1u << (unsigned int)rand_r(&seed) % 8);
		if (ks_agent_check_answer(&a, sizeof(a), &ask, &got, &err))
			continue;
		for (k = ks_cpus_next(&got.may, 0); k < KS_CPUS; k = ks_cpus_next(&got.may, k + 1))
			assert_true(ks_cpus_has(&ask.cpus, k));
		ks_agent_check_ask(&a, (unsigned int)rand_r(&seed) % sizeof(a), &got_ask);
	}
}

/* ---- over a socket ---- */

/* One byte now and then: a guest must not hold the host up for longer than it was given. */
static void *trickle(void *arg)
{
	const struct timespec moment = { 0, 20000000 };
	struct ks_agent_answer a = good_answer();
	int fd = *(int *)arg;
	size_t i;

	for (i = 0; i < sizeof(a) - 1; i++) {
		if (send(fd, (char *)&a + i, 1, MSG_NOSIGNAL) < 0)
			break;
		nanosleep(&moment, NULL);
	}
	return NULL;
}

static void test_slow(void **state)
{
	struct ks_agent_ask ask = confine_ask("0-1");
	struct ks_agent_answer a;
	struct ks_err err;
	pthread_t thread;
	int64_t begun;
	int sv[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	pthread_create(&thread, NULL, trickle, &sv[1]);
	begun = ks_now_ms();
	assert_int_equal(ks_agent_exchange(sv[0], &ask, &a, 200, &err), -ETIMEDOUT);
	assert_true(ks_now_ms() - begun < 400);
	close(sv[0]);
	pthread_join(thread, NULL);
	close(sv[1]);
	/* One that hangs up. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	shutdown(sv[1], SHUT_WR);
	assert_int_equal(ks_agent_exchange(sv[0], &ask, &a, 200, &err), -EPIPE);
	close(sv[0]);
	close(sv[1]);
}

/* As long as it was told, where nobody says no: the kernel's own 2 s are not enough. On most hosts one says so at once. */
static void test_connect(void **state)
{
	int64_t begun = ks_now_ms();
	struct ks_err err = { "" };
	int fd = ks_vsock_connect(77, 934, 2600, &err);

	(void)state;
	if (fd >= 0)
		close(fd);
	if (fd != -ETIMEDOUT)
		skip();
	assert_in_range(ks_now_ms() - begun, 2500, 10000);
}

static struct ks_cpus stays_on; /* the agent, after the last question */

static void *serve(void *arg)
{
	struct ks_agent *a = arg;

	ks_agent_serve(a, *(int *)a->ctx);
	ks_pin_read(0, &stays_on);
	return NULL;
}

static int ask_this_agent(struct ks_agent *a, const struct ks_agent_ask *ask,
			  struct ks_agent_answer *answer)
{
	struct ks_err err;
	pthread_t thread;
	int sv[2], ret;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	a->ctx = &sv[1];
	pthread_create(&thread, NULL, serve, a);
	ret = ks_agent_exchange(sv[0], ask, answer, 1000, &err);
	pthread_join(thread, NULL);
	close(sv[0]);
	close(sv[1]);
	return ret;
}

/* A question to an agent of the made-up guest. */
static int ask_agent(struct ks_confine *c, const struct ks_agent_ask *ask,
		     struct ks_agent_answer *answer)
{
	struct ks_agent a = { .confine = c };

	return ask_this_agent(&a, ask, answer);
}

static struct ks_confine *open_confine(void)
{
	struct ks_confine *c;
	struct ks_err err = { "" };

	if (ks_confine_open(&c, tree.root, journal_dir, &err))
		fail_msg("%s", err.msg);
	return c;
}

/* All is put back, and in the made-up guest. */
static void release(struct ks_confine *c)
{
	assert_int_equal(ks_confine_release(c), 0);
	assert_says("/sys/fs/cgroup/kvmsched.share/cpuset.cpus", "");
	assert_says("/sys/fs/cgroup/system.slice/cpuset.cpus", "");
	assert_says("/sys/fs/cgroup/user.slice/cpuset.cpus", "0-1");
}

static void test_agent(void **state)
{
	struct ks_agent_ask ask = confine_ask("1-2,9");
	struct ks_confine *c = open_confine();
	struct ks_agent_answer a;
	struct ks_cpus want = set_of("1-2");

	(void)state;
	assert_int_equal(ask_agent(c, &ask, &a), 0);
	assert_true(ks_cpus_same(&a.may, &want));
	assert_begins("/sys/fs/cgroup/kvmsched.share/cpuset.cpus", "1-2");
	assert_begins("/sys/fs/cgroup/system.slice/cpuset.cpus", "1-2");
	assert_begins("/sys/fs/cgroup/user.slice/cpuset.cpus", "1-2");
	/* None that is online: refused, and nothing is changed. */
	ask = confine_ask("8");
	assert_int_equal(ask_agent(c, &ask, &a), -EIO);
	assert_begins("/sys/fs/cgroup/system.slice/cpuset.cpus", "1-2");
	ks_agent_ask_init(&ask, KS_AGENT_STATE, 5);
	assert_int_equal(ask_agent(c, &ask, &a), 0);
	assert_true(ks_cpus_same(&a.may, &want));
	ask.version++;
	assert_int_equal(ask_agent(c, &ask, &a), -EPROTO);
	ks_confine_close(c);
}

/* Where it is after that question, if this machine has those CPUs. */
static void assert_stays(struct ks_agent *a, enum ks_agent_what what, const char *cpus,
			 const char *where)
{
	struct ks_agent_ask ask;
	struct ks_agent_answer answer;
	struct ks_cpus here, want = set_of(where);
	unsigned int i;

	ks_pin_read(0, &here);
	for (i = 0; i < KS_CPUS_WORDS; i++)
		want.word[i] &= here.word[i];
	ks_agent_ask_init(&ask, what, 6);
	ask.cpus = set_of(cpus);
	assert_int_equal(ask_this_agent(a, &ask, &answer), 0);
	if (ks_cpus_count(&want))
		assert_true(ks_cpus_same(&stays_on, &want));
}

/* On one that was left when others were given up, and not on one that has come back. */
static void test_agent_stays(void **state)
{
	struct ks_agent a = { .confine = open_confine() };

	(void)state;
	assert_stays(&a, KS_AGENT_CONFINE, "0-3", "0-3");
	assert_stays(&a, KS_AGENT_CONFINE, "1-2", "1");
	assert_stays(&a, KS_AGENT_CONFINE, "0-3", "1");
	assert_stays(&a, KS_AGENT_CONFINE, "0,3", "0");
	assert_stays(&a, KS_AGENT_RELEASE, "0-3", "0-3");
	assert_says("/sys/fs/cgroup/user.slice/cpuset.cpus", "0-1");
	ks_confine_close(a.confine);
}

/* Turns without anything to hear, until it tidies up. */
static void turns(struct ks_agent *a, int nobody)
{
	int i;

	for (i = 0; i < 3; i++)
		assert_int_equal(ks_agent_turn(a, nobody, 100), 0);
}

static void ask_in_turn(struct ks_agent *a, int nobody, int fd, uint64_t number)
{
	struct ks_agent_ask ask = confine_ask("1-2");
	struct ks_agent_answer answer;

	ask.number = number;
	assert_int_equal(ks_agent_send(fd, &ask, sizeof(ask), 100), 0);
	assert_int_equal(ks_agent_turn(a, nobody, 100), 0);
	assert_int_equal(ks_agent_receive(fd, &answer, sizeof(answer), 100), 0);
	assert_int_equal(answer.number, number);
	assert_int_equal(answer.result, KS_AGENT_DONE);
}

/* Callers may stay for another question, and are forgotten when they hang up. */
static void test_agent_callers(void **state)
{
	struct ks_agent a = { .confine = open_confine() };
	int nobody[2], one[2], two[2], i;
	char byte;

	(void)state;
	assert_int_equal(pipe(nobody), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, one), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, two), 0);
	a.caller[a.callers++] = one[1];
	a.caller[a.callers++] = two[1];
	for (i = 0; i < 3; i++)
		ask_in_turn(&a, nobody[0], two[0], (uint64_t)i);
	assert_int_equal(a.callers, 2);
	close(two[0]);
	assert_int_equal(ks_agent_turn(&a, nobody[0], 100), 0);
	assert_int_equal(a.callers, 1);
	ask_in_turn(&a, nobody[0], one[0], 7);
	ks_agent_end(&a);
	assert_int_equal(a.callers, 0);
	assert_int_equal(ks_agent_receive(one[0], &byte, 1, 100), -EPIPE);
	close(one[0]);
	close(nobody[0]);
	close(nobody[1]);
	ks_confine_close(a.confine);
}

/* Interrupts follow when CPUs have not changed for a while; those that a predecessor left as well. */
static void test_interrupts(void **state)
{
	static const char irq[] = "/proc/irq/9/smp_affinity_list";
	struct ks_agent a = { .confine = open_confine() };
	int nobody[2], one[2];

	(void)state;
	assert_int_equal(pipe(nobody), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, one), 0);
	a.caller[a.callers++] = one[1];
	/* Not confined to anything: they are not touched. */
	tree_text(&tree, irq, "0,3");
	turns(&a, nobody[0]);
	assert_begins(irq, "0,3");
	ask_in_turn(&a, nobody[0], one[0], 1);
	assert_begins(irq, "0,3");
	turns(&a, nobody[0]);
	assert_begins(irq, "1-2");
	ks_agent_end(&a);
	ks_confine_close(a.confine);
	tree_text(&tree, irq, "0-3");
	a = (struct ks_agent){ .confine = open_confine() };
	turns(&a, nobody[0]);
	assert_begins(irq, "1-2");
	/* Where the first agent found it. */
	release(a.confine);
	assert_begins(irq, "0,3");
	close(one[0]);
	close(nobody[0]);
	close(nobody[1]);
	ks_confine_close(a.confine);
}

/* What its owner has put on CPUs that are left stays there, and grows with them only if it was put there by the agent. */
static void test_interrupts_placed(void **state)
{
	static const char irq[] = "/proc/irq/9/smp_affinity_list";
	static const char moved[] = "/proc/irq/10/smp_affinity_list";
	static const char work[] = "/sys/devices/virtual/workqueue/cpumask";
	static const char later[] = "/proc/irq/default_smp_affinity";
	struct ks_cpus all = set_of("0-3"), two = set_of("1-2"), three = set_of("1-3");
	struct ks_confine *c = open_confine();

	(void)state;
	tree_text(&tree, irq, "2");
	tree_text(&tree, moved, "0");
	tree_text(&tree, work, "00000000,00000004");
	tree_text(&tree, later, "2");
	assert_int_equal(ks_confine_set(c, &all), 0);
	ks_confine_settle(c);
	assert_says(moved, "0");
	assert_int_equal(ks_confine_set(c, &two), 0);
	ks_confine_settle(c);
	assert_says(irq, "2");
	assert_says(moved, "1-2");
	assert_says(work, "00000000,00000004");
	assert_says(later, "2");
	ks_confine_close(c);
	c = open_confine(); /* another one, before it has settled */
	assert_int_equal(ks_confine_set(c, &three), 0);
	ks_confine_settle(c);
	assert_says(irq, "2");
	assert_says(moved, "1-3");
	/* As irqbalance does. */
	tree_text(&tree, moved, "3");
	ks_confine_settle(c);
	assert_says(moved, "3");
	/* And those that cannot stay. */
	tree_text(&tree, work, "00000000,00000001");
	tree_text(&tree, later, "9");
	ks_confine_settle(c);
	assert_says(work, "00000000,0000000e");
	assert_says(later, "e");
	release(c);
	assert_begins(moved, "0");
	assert_says(later, "9");
	ks_confine_close(c);
}

/* Given-up CPUs are isolated once they have settled, and not any more before tasks may use them. */
static void test_isolated(void **state)
{
	static const char cpus[] = "/sys/fs/cgroup/kvmsched.idle/cpuset.cpus";
	static const char partition[] = "/sys/fs/cgroup/kvmsched.idle/cpuset.cpus.partition";
	struct ks_cpus two = set_of("1-2"), three = set_of("0-2");
	struct ks_confine *c = open_confine();

	(void)state;
	tree_text(&tree, cpus, "\n");
	tree_text(&tree, partition, "member\n");
	assert_int_equal(ks_confine_set(c, &two), 0);
	assert_begins(partition, "member");
	tree_text(&tree, partition, "");
	ks_confine_settle(c);
	assert_begins(partition, "isolated");
	assert_begins(cpus, "0,3");
	/* It is none of the cgroups with tasks; and who comes later knows of it. */
	ks_confine_close(c);
	c = open_confine();
	ks_confine_sweep(c);
	assert_begins(cpus, "0,3");
	assert_int_equal(ks_confine_set(c, &three), 0);
	assert_begins(partition, "member");
	tree_text(&tree, partition, "");
	tree_text(&tree, cpus, "");
	ks_confine_settle(c);
	assert_begins(partition, "isolated");
	assert_begins(cpus, "3");
	release(c);
	assert_begins(partition, "member");
	ks_confine_close(c);
}

/* A kernel that does not take it is left alone. */
static void test_not_isolated(void **state)
{
	static const char partition[] = "/sys/fs/cgroup/kvmsched.idle/cpuset.cpus.partition";
	struct ks_cpus two = set_of("1-2"), one = set_of("1");
	struct ks_confine *c = open_confine();

	(void)state;
	assert_int_equal(ks_confine_set(c, &two), 0);
	ks_confine_settle(c);
	tree_text(&tree, "/sys/fs/cgroup/kvmsched.idle/cpuset.cpus", "");
	tree_text(&tree, partition, "member\n");
	assert_int_equal(ks_confine_set(c, &one), 0);
	ks_confine_settle(c);
	assert_begins(partition, "member");
	ks_confine_close(c);
}

/* An agent that was killed: the next one knows what its guest is confined to. */
static void test_agent_again(void **state)
{
	struct ks_cpus two = set_of("0,2");
	struct ks_confine *c = open_confine();

	(void)state;
	assert_int_equal(ks_confine_set(c, &two), 0);
	ks_confine_close(c);
	c = open_confine();
	assert_true(ks_cpus_same(ks_confine_may(c), &two));
	ks_confine_close(c);
}

/* A cgroup that comes later, and tasks of the root. */
static void test_sweep(void **state)
{
	struct ks_cpus one = set_of("3");
	struct ks_confine *c = open_confine();

	(void)state;
	assert_int_equal(ks_confine_set(c, &one), 0);
	tree_text(&tree, "/sys/fs/cgroup/late.slice/cpuset.cpus", "");
	tree_text(&tree, "/sys/fs/cgroup/cgroup.procs", "17\n");
	ks_confine_sweep(c);
	assert_begins("/sys/fs/cgroup/late.slice/cpuset.cpus", "3");
	assert_begins("/sys/fs/cgroup/kvmsched.share/cgroup.procs", "17");
	ks_confine_close(c);
}

/* A cgroup that goes, and comes back by its name: a container that is begun anew. What had been is another's. */
static void test_group_again(void **state)
{
	static const char cpus[] = "/sys/fs/cgroup/box/cpuset.cpus";
	struct ks_cpus one = set_of("3");
	struct ks_confine *c = open_confine();
	char path[256], aside[256];

	(void)state;
	assert_int_equal(ks_confine_set(c, &one), 0);
	tree_text(&tree, cpus, "");
	ks_confine_sweep(c);
	assert_begins(cpus, "3");
	snprintf(path, sizeof(path), "%s/sys/fs/cgroup/box", tree.root);
	snprintf(aside, sizeof(aside), "%s/box", tree.root);
	assert_int_equal(rename(path, aside), 0);
	tree_text(&tree, cpus, "");
	ks_confine_sweep(c);
	assert_begins(cpus, "3");
	ks_confine_close(c);
}

/* What is there by this name ends; another one begins, and says this. */
static void begin_anew(const char *name, const char *cpus)
{
	static unsigned int n;
	char path[256], aside[256];

	snprintf(path, sizeof(path), "%s/sys/fs/cgroup/%s", tree.root, name);
	snprintf(aside, sizeof(aside), "%s/aside%u", tree.root, n++);
	assert_int_equal(rename(path, aside), 0);
	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/cpuset.cpus", name);
	tree_text(&tree, path, cpus);
}

/* It is put back what its owner has said last, not what the one before had. */
static void test_group_again_back(void **state)
{
	static const char box[] = "/sys/fs/cgroup/box/cpuset.cpus";
	static const char crate[] = "/sys/fs/cgroup/crate/cpuset.cpus";
	struct ks_cpus two = set_of("1-2");
	struct ks_confine *c = open_confine();

	(void)state;
	tree_text(&tree, box, "0-1\n");
	tree_text(&tree, crate, "0-1\n");
	assert_int_equal(ks_confine_set(c, &two), 0);
	begin_anew("box", "2-3\n");
	assert_true(ks_confine_sweep(c));
	assert_says(box, "1-2");
	/* Nobody has looked since. */
	begin_anew("crate", "0,3\n");
	release(c);
	assert_says(box, "2-3");
	assert_says(crate, "0,3");
	ks_confine_close(c);
}

static off_t journal_size(void)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/journal", journal_dir);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* Systemd writes what a unit is to have, whatever we have made of it. */
static void test_owner_writes(void **state)
{
	static const char user[] = "/sys/fs/cgroup/user.slice/cpuset.cpus";
	static const char system[] = "/sys/fs/cgroup/system.slice/cpuset.cpus";
	struct ks_cpus two = set_of("1-2");
	struct ks_confine *c = open_confine();
	off_t size;
	int i;

	(void)state;
	assert_int_equal(ks_confine_set(c, &two), 0);
	tree_text(&tree, user, "2-3\n");
	assert_true(ks_confine_sweep(c));
	size = journal_size();
	/* The same again does not fill the journal. */
	for (i = 0; i < 3; i++) {
		tree_text(&tree, user, "2-3\n");
		assert_true(ks_confine_sweep(c));
		assert_says(user, "1-2");
	}
	assert_int_equal(journal_size(), size);
	/* And the last moment before a release. */
	tree_text(&tree, system, "0,3\n");
	assert_int_equal(ks_confine_release(c), 0);
	assert_says(user, "2-3");
	assert_says(system, "0,3");
	ks_confine_close(c);
}

/* Two owners that quarrel for days: of what they have written the newest counts, and only that is kept. */
static void test_journal_compact(void **state)
{
	static const char irq[] = "/proc/irq/9/smp_affinity_list";
	struct ks_journal *j;
	struct ks_undone undone;
	struct ks_err err;
	char path[256];
	int i;

	(void)state;
	snprintf(path, sizeof(path), "%s%s", tree.root, irq);
	tree_text(&tree, irq, "");
	assert_int_equal(ks_journal_open(&j, journal_dir, &err), 0);
	ks_journal_root(j, tree.root);
	assert_int_equal(ks_journal_path(j, path, "2"), 0);
	assert_int_equal(ks_journal_file(j, "/system.slice", "cpuset.cpus", "3"), 0);
	for (i = 0; i < 50000; i++)
		assert_int_equal(
			ks_journal_file(j, "/user.slice", "cpuset.cpus", i % 2 ? "0-1" : "2-3"), 0);
	assert_in_range(journal_size(), 1, (1 << 20) + 256);
	assert_int_equal(ks_journal_undo(j, &undone), 0);
	assert_says(irq, "2");
	assert_says("/sys/fs/cgroup/system.slice/cpuset.cpus", "3");
	assert_says("/sys/fs/cgroup/user.slice/cpuset.cpus", "0-1");
	ks_journal_close(j);
}

/* What an agent that was killed has written is not its owners'; what they have written since is. */
static void test_agent_again_back(void **state)
{
	static const char late[] = "/sys/fs/cgroup/late.slice/cpuset.cpus";
	static const char box[] = "/sys/fs/cgroup/box/cpuset.cpus";
	struct ks_cpus two = set_of("1-2"), other = set_of("0,2");
	struct ks_confine *c = open_confine();

	(void)state;
	tree_text(&tree, box, "0-1\n");
	assert_int_equal(ks_confine_set(c, &two), 0);
	ks_confine_close(c);
	tree_text(&tree, box, "2-3\n");
	tree_text(&tree, late, "1-2\n"); /* by chance */
	c = open_confine();
	assert_says(box, "1-2");
	assert_int_equal(ks_confine_set(c, &other), 0);
	assert_says(late, "0,2");
	release(c);
	assert_says(box, "2-3");
	assert_says(late, "1-2");
	ks_confine_close(c);
}

/* Killed while it went from one set to another. */
static void test_agent_half_done(void **state)
{
	static const char user[] = "/sys/fs/cgroup/user.slice/cpuset.cpus";
	struct ks_cpus two = set_of("1-2"), other = set_of("0,2");
	struct ks_confine *c = open_confine();

	(void)state;
	assert_int_equal(ks_confine_set(c, &two), 0);
	assert_int_equal(ks_confine_set(c, &other), 0);
	ks_confine_close(c);
	/* Our own is written last. */
	tree_text(&tree, "/sys/fs/cgroup/kvmsched.share/cpuset.cpus", "1-2\n");
	tree_text(&tree, "/sys/fs/cgroup/system.slice/cpuset.cpus", "1-2\n");
	c = open_confine();
	assert_true(ks_cpus_same(ks_confine_may(c), &two));
	assert_says(user, "1-2");
	release(c);
	ks_confine_close(c);
}

/* What is written down of it before is one set, not a mix of two, of whatever lengths. */
static void test_next(void **state)
{
	struct ks_cpus many = set_of("0,2-3"), one = set_of("1");
	struct ks_confine *c = open_confine();
	char path[256], text[64] = "";
	FILE *f;

	(void)state;
	assert_int_equal(ks_confine_set(c, &many), 0);
	assert_int_equal(ks_confine_set(c, &one), 0);
	snprintf(path, sizeof(path), "%s/cpus", journal_dir);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 1);
	fclose(f);
	assert_string_equal(text, "1");
	ks_confine_close(c);
}

/* Killed after a release: kernels before 7.0 have our own say all that can be then, and nobody is confined to that. */
static void test_agent_released_again(void **state)
{
	static const char user[] = "/sys/fs/cgroup/user.slice/cpuset.cpus";
	struct ks_cpus two = set_of("1-2");
	struct ks_confine *c = open_confine();

	(void)state;
	assert_int_equal(ks_confine_set(c, &two), 0);
	release(c);
	ks_confine_close(c);
	tree_text(&tree, "/sys/fs/cgroup/kvmsched.share/cpuset.cpus", "0-7\n");
	tree_text(&tree, "/proc/irq/9/smp_affinity_list", "1\n");
	c = open_confine();
	assert_false(ks_confine_sweep(c));
	ks_confine_settle(c);
	assert_says(user, "0-1");
	assert_says("/proc/irq/9/smp_affinity_list", "1");
	ks_confine_close(c);
}

/* More of them come and go than are known at a time. */
static void test_many_groups(void **state)
{
	struct ks_cpus one = set_of("3");
	struct ks_confine *c = open_confine();
	char path[256], full[512];
	unsigned int i;

	(void)state;
	assert_int_equal(ks_confine_set(c, &one), 0);
	for (i = 0; i < 600; i++) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/box%u/cpuset.cpus", i);
		tree_text(&tree, path, "");
		ks_confine_sweep(c);
		assert_begins(path, "3");
		snprintf(full, sizeof(full), "%s%s", tree.root, path);
		unlink(full);
		snprintf(full, sizeof(full), "%s/sys/fs/cgroup/box%u", tree.root, i);
		assert_int_equal(rmdir(full), 0);
	}
	ks_confine_close(c);
}

/* Too many at once: it does not begin, and nothing stays of it, but that a guest that was confined is. */
static void test_too_many_groups(void **state)
{
	static const char root[] = "/sys/fs/cgroup/cgroup.procs";
	struct ks_confine *c = open_confine();
	struct ks_err err = { "" };
	char path[256];
	unsigned int i;

	(void)state;
	ks_confine_close(c);
	for (i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/box%u/cpuset.cpus", i);
		tree_text(&tree, path, "");
	}
	tree_text(&tree, root, "17\n18\n");
	assert_int_equal(ks_confine_open(&c, tree.root, journal_dir, &err), -E2BIG);
	assert_non_null(strstr(err.msg, "more than 256 cgroups"));
	assert_begins("/sys/fs/cgroup/kvmsched.share/cgroup.procs", "18");
	assert_begins(root, "18"); /* back again */
	snprintf(path, sizeof(path), "%s/sys/fs/cgroup/kvmsched.idle", tree.root);
	assert_int_equal(access(path, F_OK), -1);
	tree_text(&tree, "/sys/fs/cgroup/kvmsched.share/cpuset.cpus", "3");
	tree_text(&tree, "/journal/cpus", "3");
	tree_text(&tree, root, "17\n18\n");
	assert_int_equal(ks_confine_open(&c, tree.root, journal_dir, &err), -E2BIG);
	assert_begins(root, "17");
}

/* Somebody has switched cpusets off, and on again. */
static void test_cpusets_gone(void **state)
{
	static const char partition[] = "/sys/fs/cgroup/kvmsched.idle/cpuset.cpus.partition";
	struct ks_cpus one = set_of("3");
	struct ks_confine *c = open_confine();

	(void)state;
	tree_text(&tree, "/sys/fs/cgroup/kvmsched.idle/cgroup.subtree_control", "");
	tree_text(&tree, "/sys/fs/cgroup/kvmsched.idle/cpuset.cpus", "");
	tree_text(&tree, "/sys/fs/cgroup/user.slice/cpuset.cpus", "\n");
	tree_text(&tree, partition, "");
	assert_int_equal(ks_confine_set(c, &one), 0);
	assert_false(ks_confine_sweep(c));
	ks_confine_settle(c);
	tree_text(&tree, "/sys/fs/cgroup/cgroup.subtree_control", "");
	tree_text(&tree, "/sys/fs/cgroup/kvmsched.share/cpuset.cpus", "\n");
	tree_text(&tree, "/sys/fs/cgroup/system.slice/cpuset.cpus", "\n");
	tree_text(&tree, partition, "member\n");
	assert_true(ks_confine_sweep(c));
	assert_begins("/sys/fs/cgroup/cgroup.subtree_control", "+cpuset");
	assert_begins("/sys/fs/cgroup/kvmsched.idle/cgroup.subtree_control", "+cpuset");
	assert_begins("/sys/fs/cgroup/kvmsched.share/cpuset.cpus", "3");
	assert_begins("/sys/fs/cgroup/system.slice/cpuset.cpus", "3");
	assert_false(ks_confine_sweep(c));
	tree_text(&tree, partition, "");
	ks_confine_settle(c);
	assert_begins(partition, "isolated");
	/* Or written to one of them. */
	tree_text(&tree, "/sys/fs/cgroup/system.slice/cpuset.cpus", "\n");
	assert_true(ks_confine_sweep(c));
	assert_begins("/sys/fs/cgroup/system.slice/cpuset.cpus", "3");
	ks_confine_close(c);
}

static void test_no_cpusets(void **state)
{
	struct ks_confine *c;
	struct ks_err err;
	char path[256];

	(void)state;
	snprintf(path, sizeof(path), "%s/sys/fs/cgroup/cgroup.subtree_control", tree.root);
	unlink(path);
	assert_int_equal(ks_confine_open(&c, tree.root, journal_dir, &err), -ENOTSUP);
	assert_non_null(strstr(err.msg, "cpuset"));
}

/* ---- the host's look ---- */

static void put_vcpu(uint32_t tid, uint64_t run, uint64_t wait, char is)
{
	char path[96], text[96];

	snprintf(path, sizeof(path), "/proc/50/task/%u/schedstat", tid);
	snprintf(text, sizeof(text), "%llu %llu 9\n", (unsigned long long)run,
		 (unsigned long long)wait);
	tree_text(&tree, path, text);
	snprintf(path, sizeof(path), "/proc/50/task/%u/stat", tid);
	snprintf(text, sizeof(text), "%u (CPU ) 1/KVM) %c 1 2 3\n", tid, is);
	tree_text(&tree, path, text);
}

static void test_look(void **state)
{
	struct ks_book_vcpu vcpu[3] = { { .tid = 51 }, { .tid = 52 }, { .tid = 53 } };
	struct ks_book_vm vm = { .tgid = 50, .vcpus = 3, .vcpu = vcpu };
	struct ks_cpus all = set_of("0-2"), busy, want = set_of("1");
	struct ks_vcpu_look look;

	(void)state;
	put_vcpu(51, 1000, 500, 'S');
	put_vcpu(52, 1000, 500, 'R'); /* has not run meanwhile, but wants to */
	assert_int_equal(ks_vcpu_look(tree.root, 50, 51, &look), 0);
	assert_int_equal(look.used_ns, 1500);
	assert_true(look.sleeps);
	assert_int_equal(ks_vcpu_look(tree.root, 50, 53, &look), -ESRCH);
	ks_vcpus_busy(tree.root, &vm, &all, 10, &busy);
	assert_true(ks_cpus_same(&busy, &want));
}

/* ---- held down ---- */

static void test_force(void **state)
{
	struct ks_book_vcpu v = { .tid = 51 };

	(void)state;
	tree_text(&tree, "/sys/fs/cgroup/cgroup.controllers", "cpuset io\n");
	assert_false(ks_cgroup_has_controller(tree.root, "cpu"));
	tree_text(&tree, "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io\n");
	assert_true(ks_cgroup_has_controller(tree.root, "cpu"));
	tree_text(&tree, "/proc/50/task/51/cgroup", "0::/vm\n");
	tree_text(&tree, "/sys/fs/cgroup/vm/cgroup.type", "domain\n");
	tree_text(&tree, "/sys/fs/cgroup/vm/cgroup.subtree_control", "");
	tree_text(&tree, "/sys/fs/cgroup/vm/cgroup.threads", "51\n");
	assert_int_equal(ks_force_prepare(tree.root, 50, 1, &v), 0);
	assert_string_equal(v.home, "/vm");
	assert_string_equal(v.group, "/vm/kvmsched-50-vcpu1");
	/* As if the kernel had filled the new folder. */
	tree_text(&tree, "/sys/fs/cgroup/vm/kvmsched-50-vcpu1/cgroup.type", "domain\n");
	tree_text(&tree, "/sys/fs/cgroup/vm/kvmsched-50-vcpu1/cpu.max", "max 100000\n");
	tree_text(&tree, "/sys/fs/cgroup/vm/kvmsched-50-vcpu1/cgroup.threads", "");
	assert_int_equal(ks_force(tree.root, &v), 0);
	assert_begins("/sys/fs/cgroup/vm/kvmsched-50-vcpu1/cpu.max", "1000 1000000");
	assert_begins("/sys/fs/cgroup/vm/kvmsched-50-vcpu1/cgroup.threads", "51");
	assert_int_equal(ks_force_undo(tree.root, &v), 0);
	assert_null(v.home);
}

/* Killed when the folder had been made, and nothing else: done, or undone, all the same. */
static void test_force_half_made(void **state)
{
	struct ks_book_vcpu v = { .tid = 51 };
	char path[128];

	(void)state;
	tree_text(&tree, "/proc/50/task/51/cgroup", "0::/\n");
	assert_int_equal(ks_force_prepare(tree.root, 50, 0, &v), 0);
	assert_string_equal(v.home, "");
	assert_string_equal(v.group, "/kvmsched-50-vcpu0");
	tree_text(&tree, "/sys/fs/cgroup/cgroup.threads", "");
	snprintf(path, sizeof(path), "%s/sys/fs/cgroup/kvmsched-50-vcpu0", tree.root);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(ks_force_undo(tree.root, &v), 0);
	assert_null(v.home);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(ks_force_prepare(tree.root, 50, 0, &v), 0);
	tree_text(&tree, "/sys/fs/cgroup/kvmsched-50-vcpu0/cgroup.type", "domain\n");
	tree_text(&tree, "/sys/fs/cgroup/kvmsched-50-vcpu0/cpu.max", "");
	tree_text(&tree, "/sys/fs/cgroup/kvmsched-50-vcpu0/cgroup.threads", "");
	assert_int_equal(ks_force(tree.root, &v), 0);
	assert_begins("/sys/fs/cgroup/kvmsched-50-vcpu0/cgroup.type", "threaded");
	assert_begins("/sys/fs/cgroup/kvmsched-50-vcpu0/cpu.max", "1000 1000000");
	free(v.home);
	free(v.group);
	free(v.max);
}

/* A VM that has ended while it was held down: what was made goes, and nobody is moved. */
static void test_force_clear(void **state)
{
	struct ks_book_vcpu v = { .tid = 51 };
	char path[128];

	(void)state;
	tree_text(&tree, "/proc/50/task/51/cgroup", "0::/\n");
	tree_text(&tree, "/sys/fs/cgroup/cgroup.threads", "nobody\n");
	assert_int_equal(ks_force_prepare(tree.root, 50, 0, &v), 0);
	snprintf(path, sizeof(path), "%s/sys/fs/cgroup/kvmsched-50-vcpu0", tree.root);
	assert_int_equal(mkdir(path, 0755), 0);
	ks_force_clear(tree.root, &v);
	assert_null(v.home);
	assert_int_equal(access(path, F_OK), -1);
	assert_begins("/sys/fs/cgroup/cgroup.threads", "nobody");
	/* Again, and of one that was not: nothing. */
	ks_force_clear(tree.root, &v);
}

/* libvirt's: a threaded cgroup for each vCPU, with a quota of its owner's. */
static void test_force_own(void **state)
{
	struct ks_book_vcpu v = { .tid = 51 };

	(void)state;
	tree_text(&tree, "/proc/50/task/51/cgroup", "0::/vm/vcpu1\n");
	tree_text(&tree, "/sys/fs/cgroup/vm/vcpu1/cgroup.type", "threaded\n");
	tree_text(&tree, "/sys/fs/cgroup/vm/vcpu1/cgroup.threads", "51\n");
	tree_text(&tree, "/sys/fs/cgroup/vm/vcpu1/cpu.max", "50000 100000\n");
	assert_int_equal(ks_force_prepare(tree.root, 50, 1, &v), 0);
	assert_string_equal(v.group, "/vm/vcpu1");
	assert_string_equal(v.max, "50000 100000");
	assert_int_equal(ks_force(tree.root, &v), 0);
	assert_begins("/sys/fs/cgroup/vm/vcpu1/cpu.max", "1000 1000000");
	assert_int_equal(ks_force_undo(tree.root, &v), 0);
	assert_begins("/sys/fs/cgroup/vm/vcpu1/cpu.max", "50000 100000");
	/* Shared with another thread: then not that one. */
	tree_text(&tree, "/sys/fs/cgroup/vm/vcpu1/cgroup.threads", "51\n52\n");
	assert_int_equal(ks_force_prepare(tree.root, 50, 1, &v), 0);
	assert_string_equal(v.group, "/vm/kvmsched-50-vcpu1");
	free(v.home);
	free(v.group);
	free(v.max);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, make_tree, drop_tree)
	const struct CMUnitTest tests[] = {
		TEST(test_ask),
		TEST(test_answer),
		TEST(test_noise),
		TEST(test_slow),
		TEST(test_connect),
		TEST(test_agent),
		TEST(test_agent_stays),
		TEST(test_isolated),
		TEST(test_not_isolated),
		TEST(test_agent_again),
		TEST(test_agent_callers),
		TEST(test_interrupts),
		TEST(test_interrupts_placed),
		TEST(test_sweep),
		TEST(test_cpusets_gone),
		TEST(test_group_again),
		TEST(test_many_groups),
		TEST(test_too_many_groups),
		TEST(test_no_cpusets),
		TEST(test_look),
		TEST(test_force),
		TEST(test_force_own),
		TEST(test_force_half_made),
		TEST(test_force_clear),
		TEST(test_group_again_back),
		TEST(test_owner_writes),
		TEST(test_journal_compact),
		TEST(test_agent_again_back),
		TEST(test_agent_half_done),
		TEST(test_next),
		TEST(test_agent_released_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
