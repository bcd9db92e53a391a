// SPDX-License-Identifier: GPL-2.0
/* A VM's memory as a QEMU says that is played here, sound and unsound. */
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
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "err.h"
#include "memory.h"
#include "plan.h"
#include "qmp.h"
#include "sharer.h"
#include "test_sys_tree.h"

#define MIB (1ull << 20)

static struct tree tree;
static char path[128];
static int listener;

/* What it answers, in turn; the greeting comes first. */
static const char *const *script;
static char heard[4096];

static void *play(void *arg)
{
	int fd = accept(listener, NULL, NULL), i;
	ssize_t n;

	(void)arg;
	for (i = 0; fd >= 0 && script[i]; i++) {
		if (i && (n = recv(fd, heard, sizeof(heard) - 1, 0)) <= 0)
			break;
		else if (i)
			heard[n] = 0;
		if (send(fd, script[i], strlen(script[i]), MSG_NOSIGNAL) < 0)
			break;
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static pthread_t thread;

static void begin(const char *const *lines)
{
	script = lines;
	pthread_create(&thread, NULL, play, NULL);
}

static int make(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)state;
	tree_new(&tree);
	snprintf(path, sizeof(path), "%s/qmp", tree.root);
	snprintf(a.sun_path, sizeof(a.sun_path), "%.100s", path);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	return bind(listener, (struct sockaddr *)&a, sizeof(a)) || listen(listener, 1);
}

static int drop(void **state)
{
	(void)state;
	close(listener);
	tree_free(&tree);
	return 0;
}

#define HELLO "{\"QMP\": {\"version\": {}}}\r\n"
#define OK "{\"return\": {}}\r\n"
#define EVENT "{\"event\": \"RTC_CHANGE\", \"data\": {}}\r\n"
#define BACKENDS                                                                                   \
	"{\"return\": [{\"id\": \"a\", \"size\": 536870912, \"host-nodes\": [0], \"policy\": "     \
	"\"bind\"}, "                                                                              \
	"{\"id\": \"b\", \"size\": 536870912, \"host-nodes\": [1], \"policy\": \"bind\"}, "        \
	"{\"id\": \"vm1\", \"size\": 1073741824, \"host-nodes\": [1], \"policy\": \"bind\"}]}\r\n"
#define DEVICES                                                                                    \
	"{\"return\": [{\"type\": \"dimm\", \"data\": {}}, {\"type\": \"virtio-mem\", \"data\": "  \
	"{\"id\": "                                                                                \
	"\"vmem1\", \"memdev\": \"/objects/vm1\", \"size\": 268435456, \"requested-size\": "       \
	"268435456, "                                                                              \
	"\"max-size\": 1073741824, \"block-size\": 2097152, \"node\": 1, \"memaddr\": "            \
	"4294967296}}]}\r\n"

static struct ks_qmp *open_qmp(void)
{
	struct ks_qmp *q;
	struct ks_err err = { "" };

	if (ks_qmp_open(&q, path, 0, 500, &err))
		fail_msg("%s", err.msg);
	return q;
}

static void test_read_and_ask(void **state)
{
	static const char *const lines[] = { HELLO, EVENT OK, BACKENDS, EVENT EVENT DEVICES,
					     OK,    NULL };
	uint64_t want = 512 * MIB + 100 * MIB + 12345;
	struct ks_err err = { "" };
	struct ks_qmp *q;
	struct ks_mem m;

	(void)state;
	begin(lines);
	q = open_qmp();
	assert_int_equal(ks_mem_read(q, false, &m, &err), 0);
	assert_false(m.unbound);
	assert_int_equal(ks_mem_total(&m, 0), 512 * MIB);
	assert_int_equal(ks_mem_total(&m, 1), 768 * MIB);
	assert_int_equal(m.node[1].boot, 512 * MIB);
	assert_string_equal(m.node[1].device, "/machine/peripheral/vmem1");
	/* None of node 0, less than it booted with, more than there is. */
	assert_int_equal(ks_mem_ask(q, &m, 0, &want, &err), -ENODEV);
	want = 511 * MIB;
	assert_int_equal(ks_mem_ask(q, &m, 1, &want, &err), -ERANGE);
	want = 1537 * MIB;
	assert_int_equal(ks_mem_ask(q, &m, 1, &want, &err), -ERANGE);
	want = 512 * MIB + 100 * MIB + 12345;
	assert_int_equal(ks_mem_ask(q, &m, 1, &want, &err), 0);
	assert_int_equal(want, 612 * MIB);
	ks_qmp_close(q);
	pthread_join(thread, NULL);
	assert_non_null(strstr(heard, "\"qom-set\""));
	assert_non_null(strstr(heard, "\"value\":104857600"));
}

/* The answer to a command that nobody waits for any more is not the next one's. */
static void test_late_answer(void **state)
{
	static const char *const lines[] = { HELLO,   OK,
					     "",      "{\"return\": [], \"id\": 2}\r\n" BACKENDS,
					     DEVICES, NULL };
	struct ks_err err = { "" };
	struct ks_qmp *q;
	struct ks_mem m;

	(void)state;
	begin(lines);
	q = open_qmp();
	assert_int_equal(ks_mem_read(q, false, &m, &err), -ETIMEDOUT);
	assert_int_equal(ks_mem_read(q, false, &m, &err), 0);
	assert_int_equal(ks_mem_total(&m, 1), 768 * MIB);
	ks_qmp_close(q);
	pthread_join(thread, NULL);
}

/* Sizes that no machine has, and their sum: the book has to take them. */
static void test_huge(void **state)
{
	static const char *const lines[] = {
		HELLO, OK,
		"{\"return\": [{\"id\": \"a\", \"size\": 9223372036854775807, \"host-nodes\": [0], "
		"\"policy\": \"bind\"}, {\"id\": \"b\", \"size\": 9223372036854775807, "
		"\"host-nodes\": [0], \"policy\": \"bind\"}, {\"id\": \"c\", \"size\": 9, "
		"\"host-nodes\": [0], \"policy\": \"bind\"}]}\r\n",
		"{\"return\": []}\r\n", NULL
	};
	struct ks_err err = { "" };
	struct ks_qmp *q;
	struct ks_mem m;

	(void)state;
	begin(lines);
	q = open_qmp();
	assert_int_equal(ks_mem_read(q, false, &m, &err), 0);
	assert_in_range(ks_mem_total(&m, 0), 1ull << 52, INT64_MAX);
	ks_qmp_close(q);
	pthread_join(thread, NULL);
}

/* QEMU is a process that its guest may have taken over. */
static void test_nonsense(void **state)
{
	static const char *const bad[][5] = {
		{ "", NULL },
		{ "SSH-2.0-OpenSSH\r\n", NULL },
		{ "{\"hello\": 1}\r\n", NULL },
		{ "[]\r\n", NULL },
		{ HELLO, "{\"error\": {\"class\": \"x\", \"desc\": \"no\\u001b[31m\"}}\r\n", NULL },
		{ HELLO, OK, "{\"return\": {\"a\": 1}}\r\n", "{\"error\": 5}\r\n", NULL },
		{ HELLO, OK, "{\"return\": [1, null, {\"size\": -5}, {\"size\": \"x\"}]}\r\n",
		  "nonsense\r\n", NULL },
	};
	struct ks_err err;
	struct ks_qmp *q;
	struct ks_mem m;
	size_t i;
	int ret;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin(bad[i]);
		err.msg[0] = 0;
		ret = ks_qmp_open(&q, path, 0, 200, &err);
		if (!ret)
			ret = ks_mem_read(q, false, &m, &err);
		assert_int_not_equal(ret, 0);
		assert_true(err.msg[0]);
		assert_null(strchr(err.msg, '\033'));
		ks_qmp_close(q);
		pthread_join(thread, NULL);
	}
}

/* A VM whose command line names another one's socket: nothing is said there. */
static void test_other_process(void **state)
{
	static const char *const lines[] = { HELLO, OK, NULL };
	struct ks_err err = { "" };
	struct ks_qmp *q;

	(void)state;
	heard[0] = 0;
	begin(lines);
	assert_int_equal(ks_qmp_open(&q, path, (uint32_t)getppid(), 200, &err), -EREMOTE);
	assert_non_null(strstr(err.msg, "say qmp:PATH"));
	pthread_join(thread, NULL);
	assert_string_equal(heard, "");
	begin(lines);
	assert_int_equal(ks_qmp_open(&q, path, (uint32_t)getpid(), 500, &err), 0);
	ks_qmp_close(q);
	pthread_join(thread, NULL);
}

static void assert_socket(const char *cmdline, size_t len, const char *want)
{
	char got[108] = "";

	tree_put(&tree, "/proc/7/cmdline", cmdline, len);
	assert_int_equal(ks_qmp_path(tree.root, 7, got, sizeof(got)), want ? 0 : -ENOENT);
	assert_string_equal(got, want ? want : "");
}

static void test_socket(void **state)
{
	static const char plain[] = "qemu\0-m\0"
				    "1G\0-qmp\0unix:/run/a.sock,server=on,wait=off";
	static const char libvirt[] = "qemu\0-chardev\0socket,id=other,path=/"
				      "x\0-chardev\0socket,id=charmonitor,path=/run/b,server=on"
				      "\0-mon\0chardev=charmonitor,id=monitor,mode=control";
	static const char human[] =
		"qemu\0-chardev\0socket,id=c,path=/x\0-mon\0chardev=c,mode=readline";
	static const char relative[] = "qemu\0-qmp\0unix:a.sock,server=on";
	static const char cut[] = "qemu\0-qmp";

	(void)state;
	assert_socket(plain, sizeof(plain), "/run/a.sock");
	assert_socket(libvirt, sizeof(libvirt), "/run/b");
	assert_socket(human, sizeof(human), NULL);
	assert_socket(relative, sizeof(relative), NULL);
	assert_socket(cut, sizeof(cut), NULL);
	assert_socket(cut, sizeof(cut) - 1, NULL);
}

static void test_too_much(void **state)
{
	struct ks_plan *p = ks_plan_new();
	struct ks_err err = { "" };

	(void)state;
	assert_non_null(p);
	assert_int_equal(ks_plan_word(p, "a=cpus:0,mem:0=1M", &err), 0);
	assert_int_equal(ks_mem_check(p, &err), 0);
	assert_int_equal(ks_plan_word(p, "b=cpus:1,mem:0=8000000T", &err), 0);
	assert_int_equal(ks_mem_check(p, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "node 0"));
	free(p);
}

/* Who is not spoken of keeps what it has: there must be enough for that, too. */
static void test_too_much_with_others(void **state)
{
	struct ks_plan *p = ks_plan_new();
	struct ks_book *b = ks_book_new();
	struct ks_err err = { "" };

	(void)state;
	assert_int_equal(ks_plan_word(p, "a=cpus:0", &err), 0);
	assert_int_equal(ks_plan_word(p, "b=cpus:1,mem:0=1M", &err), 0);
	p->vm[0].place = ks_book_add(b, 1);
	p->vm[1].place = ks_book_add(b, 1);
	b->vm[0].tgid = b->vm[1].tgid = 1;
	b->vm[1].mem[0] = 8000000ull << 40;
	assert_int_equal(ks_mem_check_book(b, p, &err), 0);
	b->vm[0].mem[0] = 8000000ull << 40;
	assert_int_equal(ks_mem_check(p, &err), 0);
	assert_int_equal(ks_mem_check_book(b, p, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "with what other VMs have"));
	p->vm[0].mem[0] = MIB;
	assert_int_equal(ks_mem_check_book(b, p, &err), 0);
	p->vm[0].mem[0] = p->vm[1].mem[0] = UINT64_MAX; /* nothing of memory */
	assert_int_equal(ks_mem_check_book(b, p, &err), 0);
	ks_book_free(b);
	free(p);
}

static int save(void *ctx, const struct ks_book *b, struct ks_err *err)
{
	uint64_t *saved = ctx;

	(void)err;
	*saved = b->vm[0].mem[0];
	return 0;
}

/* What is refused does not stand in the book as the VM's own, nor is it asked of QEMU. */
static void test_refused(void **state)
{
	/* On node 0, which every machine has. */
	static const char *const lines[] = { HELLO, OK,
					     "{\"return\": [{\"id\": \"a\", \"size\": 536870912, "
					     "\"host-nodes\": [0], \"policy\": \"bind\"}, "
					     "{\"id\": \"vm1\", \"size\": 1073741824, "
					     "\"host-nodes\": [0], \"policy\": \"bind\"}]}\r\n",
					     DEVICES, NULL };
	struct ks_plan *p = ks_plan_new();
	struct ks_book *b = ks_book_new();
	uint64_t saved = 0;
	struct ks_sharer s = { .ops = { .save = save, .ctx = &saved } };
	struct ks_err err = { "" };
	pthread_t first;

	(void)state;
	assert_int_equal(ks_plan_word(p, "vm1=cpus:0", &err), 0);
	assert_int_equal(ks_book_add(b, 1), 0);
	b->vm[0].tgid = 1;
	b->vm[0].mem[0] = 768 * MIB;
	snprintf(b->vm[0].qmp, sizeof(b->vm[0].qmp), "%.100s", path);
	/* It is called for what shrinks, then for what grows. */
	begin(lines);
	first = thread;
	begin(lines);
	p->vm[0].mem[0] = 1537 * MIB;
	assert_int_equal(ks_mem_plan(&s, b, p, &err), -ERANGE);
	pthread_join(first, NULL);
	pthread_join(thread, NULL);
	assert_int_equal(b->vm[0].mem[0], 768 * MIB);
	assert_int_equal(saved, 0);
	assert_null(strstr(heard, "qom-set"));
	ks_book_free(b);
	free(p);
}

#define ONE_NODE                                                                                   \
	"{\"return\": [{\"id\": \"a\", \"size\": 536870912, \"host-nodes\": [0], \"policy\": "     \
	"\"bind\"}, {\"id\": \"vm1\", \"size\": 1073741824, \"host-nodes\": [0], \"policy\": "     \
	"\"bind\"}]}\r\n"
#define DEVICE(requested)                                                                          \
	"{\"return\": [{\"type\": \"virtio-mem\", \"data\": {\"id\": \"vmem1\", \"memdev\": "      \
	"\"/objects/vm1\", \"size\": 268435456, \"requested-size\": " requested ", "               \
	"\"max-size\": 1073741824, \"block-size\": 2097152, \"node\": 0, \"memaddr\": "            \
	"4294967296}}]}\r\n"

/* A guest that does not give up what it is asked for is told to keep it; all of it has been written down before. */
static void test_not_given_up(void **state)
{
	static const char *const lines[] = { HELLO,    OK,
					     ONE_NODE, DEVICE("268435456"),
					     OK,		       /* told */
					     ONE_NODE, "nonsense\r\n", /* while it is waited for */
					     NULL };
	static const char *const again[] = { HELLO, OK, ONE_NODE, DEVICE("134217728"), OK, NULL };
	struct ks_plan *p = ks_plan_new();
	struct ks_book *b = ks_book_new();
	uint64_t saved = 0;
	struct ks_sharer s = { .ops = { .save = save, .ctx = &saved } };
	struct ks_err err = { "" };

	(void)state;
	assert_int_equal(ks_plan_word(p, "vm1=cpus:0", &err), 0);
	p->vm[0].place = ks_book_add(b, 1);
	b->vm[0].tgid = 1;
	snprintf(b->vm[0].qmp, sizeof(b->vm[0].qmp), "%.100s", path);
	p->vm[0].mem[0] = 640 * MIB;
	begin(lines);
	assert_int_not_equal(ks_mem_plan(&s, b, p, &err), 0);
	pthread_join(thread, NULL);
	assert_int_equal(saved, 768 * MIB);
	assert_int_equal(b->vm[0].mem[0], 768 * MIB);
	/* `restore' asks for what it says, although the guest still has that. */
	begin(again);
	assert_int_equal(ks_mem_mend(b, &err), 0);
	pthread_join(thread, NULL);
	assert_non_null(strstr(heard, "\"value\":268435456"));
	ks_book_free(b);
	free(p);
}

/* The wait has an end, however long each answer takes; the guest's is not that of QMP. */
static void test_wait(void **state)
{
	static const char *const lines[] = { HELLO, OK, ONE_NODE, DEVICE("134217728"), NULL };
	struct ks_err err = { "" };
	uint64_t has = 0;
	struct ks_qmp *q;

	(void)state;
	begin(lines);
	q = open_qmp();
	assert_int_equal(ks_mem_wait(q, true, 0, 640 * MIB, true, 0, &has, &err), -EBUSY);
	assert_int_equal(has, 768 * MIB);
	ks_qmp_close(q);
	pthread_join(thread, NULL);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, make, drop)
	const struct CMUnitTest tests[] = {
		TEST(test_read_and_ask), TEST(test_nonsense),	   TEST(test_socket),
		TEST(test_too_much),	 TEST(test_refused),	   TEST(test_too_much_with_others),
		TEST(test_not_given_up), TEST(test_wait),	   TEST(test_late_answer),
		TEST(test_huge),	 TEST(test_other_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
