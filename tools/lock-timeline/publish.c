// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "args.h"
#include "child.h"
#include "cli.h"
#include "commands.h"
#include "now.h"
#include "options.h"
#include "patience.h"
#include "probe.h"
#include "publish.h"
#include "ready.h"
#include "refusal.h"
#include "vsock.h"

#define NS 1000000000ULL
#define HOST_TIMEOUT_MS 10000

struct options {
	struct ks_publisher_opts publisher;
	uint64_t port, duration_ns;
	bool wait;
	char **command;
};

enum { OPT_PORT = 0x100, OPT_AT_END, OPT_WAIT };

static const struct argp_option options[] = {
	CLI_DURATION,
	CLI_VSOCK_PORT(OPT_PORT, "(on the host, of who reads lock pages; 19033)"),
	{ "at-end", OPT_AT_END, NULL, 0,
	  "note a lock when it is taken, not when it is about to be: exacter, and costs more", 0 },
	{ "wait", OPT_WAIT, NULL, 0,
	  "wait for a host that reads, and again when it has hung up; meanwhile the guest's "
	  "locks cost nothing",
	  0 },
	{ 0 },
};

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
	case OPT_WAIT:
		o->wait = true;
		break;
	case ARGP_KEY_ARGS:
		o->command = state->argv + state->next;
		break;
	case ARGP_KEY_END:
		cli_log_probes();
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
	struct ks_publisher *publisher; /* NULL while no host reads */
	struct child child;
	struct ks_lp_beat beat;
	struct ks_refusal refusal;
	struct ks_patience patience; /* with a host that refuses */
	const char *told;	     /* of why it does */
	uint64_t begun, met;	     /* met: when the host was told of the pages */
	int fd;			     /* to the host; -1 while it does not read */
	int failed;		     /* exit code: there is no use in waiting */
	bool stop, blind;
};

static int send_all(int fd, const void *data, size_t len)
{
	ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO; /* a few bytes either fit, or something is wrong */
}

static void hang_up(struct run *r)
{
	/* The host hears of it at once; to detach takes a while. */
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	ks_publisher_free(r->publisher);
	r->publisher = NULL;
}

static void end_without_host(struct run *r)
{
	const char *why = ks_refusal_words(&r->refusal);

	r->stop = !r->child.pid || r->child.done;
	cli_error("the host %s%s%s", why ? "does not read this guest's pages: " : "has hung up",
		  why ?: "", r->stop ? "" : "; the command goes on, and nothing is published");
}

/* Said once, also to who wants no notes: what has to be changed is on the host. */
static void tell_refusal(struct run *r)
{
	const char *why = ks_refusal_words(&r->refusal);

	if (!why && !ks_patience_is_tried(&r->patience)) {
		cli_note("the host has hung up: waiting until it reads again");
		return;
	}
	why = why ?: "it does not say why";
	if (why == r->told)
		return;
	r->told = why;
	cli_warn("the host does not read this guest's pages: %s; it is asked less and less often",
		 why);
}

/*
 * The host's programs are the only ones that read the pages: without it they are of no use. how: as
 * ks_refusal_hear() says.
 */
static void host_gone(struct run *r, int how)
{
	uint64_t now = ks_now_ns();

	hang_up(r);
	if (!r->opts->wait) {
		end_without_host(r);
		return;
	}
	if (how < 0)
		ks_patience_anew(&r->patience);
	else
		ks_patience_hung_up(&r->patience, now - r->met, now);
	if (ks_patience_may_try(&r->patience, now))
		r->told = NULL; /* that one did read them, and the next is to be told of */
	tell_refusal(r);
}

static int connect_host(struct run *r, int timeout_ms, struct ks_err *err)
{
	r->fd = ks_vsock_connect(KS_VSOCK_HOST, r->opts->port, timeout_ms, err);
	if (r->fd == -ECONNREFUSED)
		snprintf(err->msg, sizeof(err->msg),
			 "nobody on the host wants to read lock pages (vsock port %llu): start "
			 "the reader first, or use --wait",
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
	r->met = ks_now_ns();
	r->refusal = (struct ks_refusal){ 0 };
	if (!ret)
		ret = connect_host(r, HOST_TIMEOUT_MS, err);
	if (ret)
		return ret;
	hello = ks_publisher_hello(r->publisher);
	r->beat = (struct ks_lp_beat){ .magic = KS_LP_MAGIC };
	ret = send_all(r->fd, hello, sizeof(*hello));
	if (ret) {
		snprintf(err->msg, sizeof(err->msg), "telling the host: %s", strerror(-ret));
		return ret;
	}
	cli_note("publishing the locks of %u CPUs", hello->vcpus);
	return 0;
}

static bool is_absence(int ret)
{
	return ret == -ECONNREFUSED || ret == -ECONNRESET || ret == -ETIMEDOUT || ret == -EPIPE;
}

/* Nothing could be asked just now; the next second is as good. */
static bool is_passing(int ret)
{
	return ret == -ENOBUFS || ret == -ENOMEM || ret == -EMFILE || ret == -ENFILE;
}

static void give_up(struct run *r, int ret, const struct ks_err *err)
{
	hang_up(r);
	r->failed = cli_fail(ret, err);
	r->stop = !r->child.pid || r->child.done; /* a command goes on */
}

static void try_to_begin(struct run *r)
{
	struct ks_err err = { "out of memory" };
	int ret = begin(r, &err);

	if (ret && is_absence(ret))
		host_gone(r, 1);
	else if (ret)
		give_up(r, ret, &err);
}

/* Is there somebody? Only then are the programs loaded; for one who refuses, less and less often. */
static void try_host(struct run *r)
{
	struct ks_err err;
	int ret = connect_host(r, 1000, &err);

	if (is_passing(ret))
		return;
	if (ret && !is_absence(ret)) {
		give_up(r, ret, &err);
		return;
	}
	hang_up(r);
	if (ret)
		ks_patience_anew(&r->patience);
	else if (ks_patience_may_try(&r->patience, ks_now_ns()))
		try_to_begin(r);
}

/* While programs are not run, the host is not told that all is well. */
static void each_second(struct run *r)
{
	bool before = r->blind;
	struct ks_err err;
	int how, ret;

	if (r->fd < 0) {
		if (r->opts->wait && !r->failed)
			try_host(r);
		return;
	}
	ks_publisher_learn_cpus(r->publisher);
	ret = ks_publisher_stay_first(r->publisher, &err);
	if (ret) {
		give_up(r, ret, &err);
		return;
	}
	r->blind = ks_publisher_blind(r->publisher);
	if (r->blind && !before)
		cli_warn("somebody switched ftrace off: nothing true is published until "
			 "kernel.ftrace_enabled is 1 again");
	r->beat.number++;
	how = ks_refusal_hear(&r->refusal, r->fd);
	if (!how && !r->blind && send_all(r->fd, &r->beat, sizeof(r->beat)))
		how = ks_refusal_hear(&r->refusal, r->fd) ?: 1;
	if (how)
		host_gone(r, how);
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
		now = ks_now_ns();
		if (r->opts->duration_ns && now - r->begun >= r->opts->duration_ns)
			r->stop = true;
		if (!r->stop && now - last >= KS_LP_BEAT_MS * 1000000ull) {
			last = now;
			each_second(r);
		}
	}
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

/* With --wait the command need not wait as well. */
static int start(struct run *r, struct ks_err *err)
{
	int ret = 0;

	r->begun = ks_now_ns();
	if (r->opts->wait)
		try_host(r);
	else
		ret = begin(r, err);
	if (ret || r->stop)
		return ret;
	ready_tell();
	return start_command(r, err);
}

static int publish(const struct options *o)
{
	struct run r = { .opts = o, .fd = -1 };
	struct ks_err err = { "out of memory" };
	int ret = start(&r, &err);
	bool reads;

	if (!ret) {
		loop(&r);
		child_end(&r.child);
	}
	reads = r.fd >= 0;
	hang_up(&r);
	if (ret)
		return cli_fail(ret, &err);
	if (r.child.pid)
		return r.child.code;
	if (r.failed)
		return r.failed;
	return reads || o->wait ? 0 : CLI_EXIT_FAILED;
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
		"  lock-timeline publish -d 60 -- make -j8\n"
		"  lock-timeline publish --wait   # in a service: the host may come and go\n",
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
