// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "args.h"
#include "cli.h"
#include "commands.h"
#include "ready.h"
#include "vsock.h"

enum { OPT_PORT = 0x100, OPT_DIR };

struct options {
	uint64_t port;
	const char *dir;
};

static const struct argp_option options[] = {
	{ "port", OPT_PORT, "N", 0, "vsock port (to listen on, 934)", 0 },
	{ "state-dir", OPT_DIR, "DIR", 0, "what is kept of it lies here (" KS_CONFINE_DIR ")", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct ks_err err;

	switch (key) {
	case OPT_PORT:
		if (ks_arg_uint("--port", arg, 1, KS_AGENT_ROOT_PORTS - 1, &o->port, &err))
			cli_usage(&err);
		return 0;
	case OPT_DIR:
		o->dir = arg;
		return 0;
	case ARGP_KEY_ARG:
		cli_bad_usage("'%s' is too much", arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* Without SA_RESTART: the wait for callers ends. */
static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void heard(void *ctx, const struct ks_agent_ask *ask, const struct ks_agent_answer *answer)
{
	char may[KS_CPUS_TEXT];

	(void)ctx;
	if (answer->result == KS_AGENT_BAD_MESSAGE || answer->result == KS_AGENT_BAD_VERSION) {
		cli_warn("the host said something that this version does not understand");
		return;
	}
	if (answer->result == KS_AGENT_FAILED)
		cli_warn("the kernel refused what the host asked for");
	if (ask->what != KS_AGENT_STATE)
		cli_note("CPUs %s in %.1f ms", ks_cpus_print(&answer->may, may, sizeof(may)),
			 (double)answer->took_us / 1e3);
}

static int serve(const struct options *o, struct ks_agent *a)
{
	struct ks_err err;
	int fd = ks_vsock_listen(UINT32_MAX, (uint32_t)o->port, &err), ret = 0;

	if (fd == -EADDRINUSE)
		snprintf(err.msg, sizeof(err.msg),
			 "vsock port %u is taken: is another agent running?",
			 (unsigned int)o->port);
	if (fd < 0)
		return cli_fail(fd, &err);
	cli_note("ready: vsock port %u", (unsigned int)o->port);
	ready_tell();
	while (!stop && !ret) {
		ret = ks_agent_turn(a, fd, 500);
		if (ret == -EINTR || ret == -ECONNABORTED)
			ret = 0;
	}
	ks_agent_end(a);
	close(fd);
	if (ret)
		cli_error("vsock: %s", strerror(-ret));
	return ret ? CLI_EXIT_FAILED : CLI_EXIT_OK;
}

int share_agent(int argc, char **argv)
{
	const struct argp argp = {
		.options = options,
		.parser = parse,
		.doc = "In a guest: give CPUs up when the host asks for them, and take them back "
		       "when "
		       "it gives them. Given-up CPUs stay so when the agent ends.\v"
		       "Examples:\n"
		       "  vm-share agent\n"
	};
	struct options o = { .port = KS_AGENT_PORT, .dir = KS_CONFINE_DIR };
	struct ks_agent a = { .heard = heard };
	struct ks_err err;
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	catch_signals();
	ret = ks_confine_open(&a.confine, NULL, o.dir, &err);
	if (ret)
		return cli_fail(ret, &err);
	ret = serve(&o, &a);
	ks_confine_close(a.confine);
	return ret;
}
