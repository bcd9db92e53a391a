// SPDX-License-Identifier: GPL-2.0
/*
 * A recording that goes to a host that takes nothing any more: it ends, and says why. A socket pair
 * stands for vsock, which few machines can loop back.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>

#include "child.h"
#include "record.h"
#include "vsock.h"

#define SLOTS 256

static int receiver; /* the host's end */

/* In place of the C library's, in this program alone: whatever is connected is a socket pair. */
int socket(int domain, int type, int protocol)
{
	int fd[2];

	(void)domain;
	(void)protocol;
	if (socketpair(AF_UNIX, type, 0, fd))
		return -1;
	receiver = fd[1];
	return fd[0];
}

int connect(int fd, const struct sockaddr *a, socklen_t len)
{
	(void)fd;
	(void)a;
	(void)len;
	return 0;
}

static int connect_host(void)
{
	struct ks_err err = { "" };
	int fd = ks_vsock_connect(KS_VSOCK_HOST, KS_VSOCK_PORT, 1000, &err);

	assert_true(fd >= 0);
	return fd;
}

/* A probe that has more to tell than any socket holds; before it does, a signal comes. */
struct probe {
	int signal; /* 0: none */
	struct ks_ring *ctl;
	struct ks_rings *rings;
	struct ks_writer *w;
	uint64_t time;
	bool stopped;
};

static int drain(void *ctx, ks_rings_fn fn, void *fn_ctx)
{
	struct probe *p = ctx;
	struct ks_rec recs[512] = { 0 };
	int ret = p->signal ? raise(p->signal) : 0;

	for (int batch = 0; batch < 1000 && !ret; batch++) {
		for (size_t i = 0; i < 512; i++)
			recs[i] = (struct ks_rec){ .time = ++p->time, .type = KS_IDLE_ENTER };
		ret = fn(fn_ctx, 0, recs, 512);
	}
	return ret;
}

static const struct ks_rings *rings(void *ctx)
{
	return ((struct probe *)ctx)->rings;
}

static void stop(void *ctx)
{
	((struct probe *)ctx)->stopped = true;
}

static int take(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	return ks_writer_add(((struct probe *)ctx)->w, ring, recs, n);
}

static void probe_open(struct probe *p, int fd)
{
	struct ks_err err = { "" };
	int slots = memfd_create("slots", 0);

	assert_int_equal(ks_writer_open_fd(&p->w, fd, KS_SIDE_GUEST, 1, &err), 0);
	assert_int_equal(ftruncate(slots, SLOTS * sizeof(struct ks_rec)), 0);
	p->ctl = aligned_alloc(64, sizeof(*p->ctl));
	memset(p->ctl, 0, sizeof(*p->ctl));
	assert_int_equal(ks_rings_new(&p->rings, p->ctl, slots, 1, SLOTS), 0);
	close(slots);
}

static int run(struct probe *p, const struct record_opts *o)
{
	const struct record_side side = {
		.probe = p,
		.drain = drain,
		.finish = drain,
		.rings = rings,
		.stop = stop,
		.take = take,
		.take_ctx = p,
	};

	return record_run(p->w, o, &side);
}

/* What the recorder says goes to text. */
static int run_heard(struct probe *p, const struct record_opts *o, char *text, size_t size)
{
	int old = dup(STDERR_FILENO), heard[2], ret;
	ssize_t n;

	assert_int_equal(pipe(heard), 0);
	dup2(heard[1], STDERR_FILENO);
	close(heard[1]);
	ret = run(p, o);
	dup2(old, STDERR_FILENO);
	close(old);
	n = read(heard[0], text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(heard[0]);
	return ret;
}

static void sends_are_bounded(void **state)
{
	struct timeval tv = { 0 };
	socklen_t len = sizeof(tv);
	int fd = connect_host();

	(void)state;
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, &len), 0);
	assert_int_equal(tv.tv_sec, KS_VSOCK_STALL_S);
	close(fd);
	close(receiver);
}

static void receiver_hangs(char **command, int sig, int code)
{
	const struct timeval soon = { .tv_usec = 50000 };
	const struct record_opts o = { .duration_ns = 100000000000ull, .command = command };
	struct probe p = { .signal = sig };
	char text[1024];
	int fd = connect_host();

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon)), 0);
	probe_open(&p, fd);
	assert_int_equal(run_heard(&p, &o, text, sizeof(text)), code);
	assert_true(p.stopped);
	assert_non_null(strstr(text, "the receiver takes nothing any more"));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	ks_rings_free(p.rings);
	free(p.ctl);
	close(receiver);
}

static void it_ends(void **state)
{
	(void)state;
	receiver_hangs(NULL, 0, 1);
}

/* The command's end is not waited for longer than it takes. */
static void it_ends_with_its_command(void **state)
{
	char *command[] = { "true", NULL };

	(void)state;
	receiver_hangs(command, 0, 1);
}

/* Asked to end when it can send nothing. */
static void it_ends_at_a_signal(void **state)
{
	char *command[] = { "sleep", "100", NULL };

	(void)state;
	receiver_hangs(command, SIGTERM, 128 + SIGTERM);
}

static int setup(void **state)
{
	(void)state;
	child_signals();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends_are_bounded),
		cmocka_unit_test(it_ends),
		cmocka_unit_test(it_ends_with_its_command),
		cmocka_unit_test(it_ends_at_a_signal),
	};

	return cmocka_run_group_tests_name("stream", tests, setup, NULL);
}
