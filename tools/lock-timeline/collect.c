// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "args.h"
#include "cli.h"
#include "collect.h"
#include "commands.h"
#include "err.h"
#include "options.h"
#include "vsock.h"

struct options {
	struct ks_collect_opts collect;
	uint64_t port, cid;
};

enum { OPT_PORT = 0x100, OPT_MAX, OPT_RATE, OPT_SILENCE };

#define SILENCE_MAX_S 86400

static const struct argp_option options[] = {
	CLI_OUTPUT,
	CLI_VSOCK_PORT(OPT_PORT, "(on the host, of `lock-timeline collect`; 19031)"),
	{ "max-bytes", OPT_MAX, "SIZE", 0, "cut a guest off after SIZE (1G)", 0 },
	{ "max-rate", OPT_RATE, "SIZE", 0, "take at most SIZE per second from a guest (64M)", 0 },
	{ "max-silence", OPT_SILENCE, "TIME", 0,
	  "cut a guest off that says nothing for so long (30s)", 0 },
	CLI_COUNT("(guests that have ended; without it, at a signal)"),
	{ 0 },
};

static int parse_size(const char *opt, const char *arg, uint64_t *size, struct ks_err *err)
{
	int ret = ks_arg_size(opt, arg, size, err);

	return ret ? ret : ks_arg_not_zero(opt, *size, err);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct ks_err err;
	uint64_t v;
	int ret = 0;

	switch (key) {
	case 'o':
		o->collect.out = arg;
		break;
	case OPT_PORT:
		ret = ks_arg_uint("--port", arg, 1, UINT32_MAX - 1, &o->port, &err);
		break;
	case OPT_MAX:
		ret = parse_size("--max-bytes", arg, &o->collect.max_bytes, &err);
		break;
	case OPT_RATE:
		ret = parse_size("--max-rate", arg, &o->collect.max_rate, &err);
		break;
	case OPT_SILENCE:
		ret = ks_arg_duration("--max-silence", arg, 1000000000, &v, &err);
		if (!ret && (v < 1000000 || v > SILENCE_MAX_S * 1000000000ULL))
			ret = ks_fail(&err, -EINVAL, "--max-silence %s: give 1ms to a day", arg);
		if (!ret)
			o->collect.idle_ms = (int)(v / 1000000);
		break;
	case 'n':
		ret = ks_arg_uint("--count", arg, 1, 100000, &v, &err);
		if (!ret)
			o->collect.expect = v;
		break;
	case ARGP_KEY_END:
		if (!o->collect.out)
			cli_bad_usage("where to? give -o FILE");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (ret)
		cli_usage(&err);
	return 0;
}

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* What was ignored when we were started stays so: nohup, a shell's background jobs. */
static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGHUP, SIGTERM };
	struct sigaction sa = { .sa_handler = on_signal }; /* no SA_RESTART: accept() must end */
	struct sigaction old;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (signals[i] == SIGTERM || sigaction(signals[i], NULL, &old) ||
		    old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
}

static int failed;

static void collected(void *ctx, const struct ks_collected *c)
{
	(void)ctx;
	if (!c->status) {
		cli_note("%s: %llu bytes from the guest with cid %u", c->path,
			 (unsigned long long)c->bytes, c->cid);
		return;
	}
	failed = 1;
	cli_error("guest with cid %u: %s%s%s", c->cid, c->reason,
		  c->path ? "; what came until then is in " : "", c->path ? c->path : "");
}

int lock_collect(int argc, char **argv)
{
	const struct argp argp = {
		options,
		parse,
		NULL,
		"Take the traces that guests send with `lock-timeline stream` and "
		"write each to a file: FILE.kvs becomes FILE-cid5.kvs for the guest with CID 5.\v"
		"Examples:\n"
		"  lock-timeline collect -o guests.kvs --count 1\n",
		NULL,
		NULL,
		NULL
	};
	struct options o = { .port = KS_VSOCK_PORT, .collect = { .stop = &stop } };
	struct ks_err err;
	int fd, ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	cli_failing_writes();
	catch_signals();
	fd = ks_vsock_listen(UINT32_MAX, o.port, &err);
	if (fd < 0)
		return cli_fail(fd, &err);
	cli_note("waiting for guests on vsock port %llu", (unsigned long long)o.port);
	ret = ks_collect_run(fd, &o.collect, collected, NULL, &err);
	close(fd);
	if (ret)
		return cli_fail(ret, &err);
	return failed ? CLI_EXIT_FAILED : CLI_EXIT_OK;
}
