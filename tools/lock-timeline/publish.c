// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "args.h"
#include "child.h"
#include "cli.h"
#include "commands.h"
#include "options.h"
#include "probe.h"
#include "publish.h"
#include "record.h"
#include "vsock.h"

#define NS 1000000000ULL

struct options {
	struct ks_publisher_opts publisher;
	uint64_t port, duration_ns;
	char **command;
};

enum { OPT_PORT = 0x100, OPT_AT_END };

static const struct argp_option options[] = {
	CLI_DURATION,
	CLI_VSOCK_PORT(OPT_PORT, "(of who reads lock pages there; 19033)"),
	{ "at-end", OPT_AT_END, NULL, 0,
	  "note a lock when it is taken, not when it is about to be: exacter, and costs more", 0 },
	{ 0 },
};

static void print_log(const char *text)
{
	fputs(text, stderr);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct ks_err err;
	int ret = 0;

	switch (key) {
	case 'd':
		ret = ks_arg_duration("--duration", arg, NS, &o->duration_ns, &err);
		if (!ret && !o->duration_ns)
			cli_bad_usage("--duration: 0 publishes nothing; leave it out for no limit");
		break;
	case OPT_PORT:
		ret = ks_arg_uint("--port", arg, 1, UINT32_MAX - 1, &o->port, &err);
		break;
	case OPT_AT_END:
		o->publisher.at_end = true;
		break;
	case ARGP_KEY_ARGS:
		o->command = state->argv + state->next;
		break;
	case ARGP_KEY_END:
		if (cli_verbosity > 2)
			ks_probe_log(print_log);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (ret)
		cli_usage(&err);
	return 0;
}

struct run {
	const struct options *opts;
	struct ks_publisher *publisher;
	struct child child;
	struct ks_lp_beat beat;
	uint64_t begun;
	int fd; /* to the host; -1 once it has hung up */
	bool stop, blind;
};

static int send_all(int fd, const void *data, size_t len)
{
	ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO; /* a few bytes either fit, or something is wrong */
}

/* The host's programs are the only ones that read the pages: without it they are of no use. */
static void host_gone(struct run *r)
{
	close(r->fd);
	r->fd = -1;
	ks_publisher_free(r->publisher);
	r->publisher = NULL;
	r->stop = !r->child.pid || r->child.done;
	cli_error("the host has hung up%s",
		  r->stop ? "" : "; the command goes on, and nothing is published");
}

static bool hung_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	if (poll(&p, 1, 0) <= 0)
		return false;
	return recv(fd, &byte, 1, MSG_DONTWAIT) <= 0;
}

/* While programs are not run, the host is not told that all is well. */
static void each_second(struct run *r)
{
	bool before = r->blind;

	if (r->fd < 0)
		return;
	ks_publisher_learn_cpus(r->publisher);
	r->blind = ks_publisher_blind(r->publisher);
	if (r->blind && !before)
		cli_warn("somebody switched ftrace off: nothing true is published until "
			 "kernel.ftrace_enabled is 1 again");
	r->beat.number++;
	if (hung_up(r->fd) || (!r->blind && send_all(r->fd, &r->beat, sizeof(r->beat))))
		host_gone(r);
}

static void loop(struct run *r)
{
	const struct timespec tick = { 0, 100000000 };
	uint64_t now, last = r->begun;

	while (!r->stop) {
		int sig = child_signal_within(&tick);

		if (sig == SIGCHLD)
			r->stop |= r->child.pid && child_reaped(&r->child);
		else if (sig > 0)
			r->stop = true;
		now = record_clock_ns();
		if (r->opts->duration_ns && now - r->begun >= r->opts->duration_ns)
			r->stop = true;
		if (!r->stop && now - last >= KS_LP_BEAT_MS * 1000000ull) {
			last = now;
			each_second(r);
		}
	}
}

static int connect_host(struct run *r, struct ks_err *err)
{
	r->fd = ks_vsock_connect(KS_VSOCK_HOST, r->opts->port, 10000, err);
	if (r->fd == -ECONNREFUSED)
		snprintf(err->msg, sizeof(err->msg),
			 "nobody on the host wants to read lock pages (vsock port %llu)",
			 (unsigned long long)r->opts->port);
	return r->fd < 0 ? r->fd : 0;
}

static int begin(struct run *r, struct ks_err *err)
{
	const struct ks_lp_hello *hello;
	int ret;

	/* The host does not wait long for a word. */
	ret = ks_publisher_open(&r->publisher, &r->opts->publisher, err);
	if (!ret)
		ret = ks_publisher_attach(r->publisher, err);
	if (!ret)
		ret = connect_host(r, err);
	if (ret)
		return ret;
	hello = ks_publisher_hello(r->publisher);
	ret = send_all(r->fd, hello, sizeof(*hello));
	if (ret) {
		snprintf(err->msg, sizeof(err->msg), "telling the host: %s", strerror(-ret));
		return ret;
	}
	cli_note("publishing the locks of %u CPUs", hello->vcpus);
	return 0;
}

static int start_command(struct run *r, struct ks_err *err)
{
	char **command = r->opts->command;
	int ret = command && *command ? child_start(&r->child, command) : 0;

	if (ret)
		snprintf(err->msg, sizeof(err->msg), "starting %.200s: %s", command[0],
			 strerror(-ret));
	return ret ? -EIO : 0;
}

static int publish(const struct options *o)
{
	struct run r = { .opts = o, .fd = -1, .beat = { .magic = KS_LP_MAGIC } };
	struct ks_err err = { "out of memory" };
	int ret = begin(&r, &err);

	r.begun = record_clock_ns();
	if (!ret)
		ret = start_command(&r, &err);
	if (!ret) {
		loop(&r);
		child_end(&r.child);
	}
	/* The host hears of it at once; to detach takes a while. */
	if (r.fd >= 0)
		close(r.fd);
	ks_publisher_free(r.publisher);
	if (ret)
		ret = cli_fail(ret, &err);
	else if (r.child.pid)
		ret = r.child.code;
	else if (r.fd < 0)
		ret = CLI_EXIT_FAILED;
	return ret;
}

int lock_publish(int argc, char **argv)
{
	const struct argp argp = {
		options,
		parse,
		"[-- COMMAND [ARG...]]",
		"Let the host see which spinlocks each vCPU holds and wants, until COMMAND ends "
		"or a signal comes: it then knows whom a vCPU that spins waits for. Nothing "
		"else of the guest is shown, and nothing in it can be changed.\v"
		"Examples:\n"
		"  lock-timeline publish\n"
		"  lock-timeline publish -d 60 -- make -j8\n",
		NULL,
		NULL,
		NULL
	};
	struct options o = { .port = KS_LP_PORT };
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	child_signals();
	return publish(&o);
}
