// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "child.h"
#include "cli.h"
#include "now.h"
#include "options.h"
#include "toploop.h"

#define NS 1000000000ULL

enum { OPT_JSON = 0x400 };

static const struct argp_option options[] = {
	{ "interval", 'i', "TIME", 0, "time between two tables (1s)", 0 },
	CLI_COUNT("(tables)"),
	CLI_DURATION,
	CLI_JSON(OPT_JSON),
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct toploop *l = state->input;
	struct ks_err err;
	int ret = 0;

	switch (key) {
	case ARGP_KEY_INIT:
		l->interval_ns = NS;
		return 0;
	case 'i':
		ret = ks_arg_duration("--interval", arg, NS, &l->interval_ns, &err);
		if (!ret && l->interval_ns < NS / 100)
			cli_bad_usage("--interval: at least 10ms");
		break;
	case 'n':
		ret = ks_arg_uint("--count", arg, 1, UINT32_MAX, &l->count, &err);
		break;
	case 'd':
		ret = ks_arg_duration("--duration", arg, NS, &l->duration_ns, &err);
		break;
	case OPT_JSON:
		l->json = true;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (ret)
		cli_usage(&err);
	return 0;
}

const struct argp toploop_argp = { .options = options, .parser = parse };

/*
 * Sleep until then, emptying the rings meanwhile: once at least, also if the last table took longer than it should. True: a
 * signal says that it is over.
 */
static bool sleep_until(struct toploop *l, uint64_t end)
{
	uint64_t now = ks_now_ns(), wait;
	struct timespec ts;
	int sig;

	do {
		wait = now < end ? end - now : 0;
		if (wait > NS / 20)
			wait = NS / 20;
		ts = (struct timespec){ wait / NS, wait % NS };
		sig = child_signal_within(&ts);
		l->drain(l->ctx);
		now = ks_now_ns();
	} while (sig <= 0 && now < end);
	return sig > 0;
}

int toploop_run(struct toploop *l, struct ks_err *err)
{
	uint64_t tables = 0, end, last;
	int ret;

	l->last = ks_now_ns();
	last = l->duration_ns ? l->last + l->duration_ns : UINT64_MAX;
	do {
		end = l->last + l->interval_ns;
		if (sleep_until(l, end < last ? end : last) || child_signal_during(l->show, l->ctx))
			break;
	} while (!ferror(stdout) && ++tables != l->count && end < last);
	ret = cli_printed(err);
	return ret == -EPIPE ? 0 : ret;
}

unsigned int toploop_lines(void)
{
	struct winsize ws;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) ? 0 : ws.ws_row;
}

uint32_t toploop_fit(uint32_t n, unsigned int used)
{
	unsigned int lines = toploop_lines();

	if (!isatty(STDOUT_FILENO))
		return n;
	printf("\033[H\033[J");
	return lines > used && n > lines - used ? lines - used : n;
}
