// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "cli.h"
#include "commands.h"
#include "inputs.h"
#include "options.h"
#include "vnuma_report.h"

struct options {
	struct inputs in;
	struct ks_vnuma_opts vnuma;
	bool json, compact;
};

enum { OPT_JSON = 0x100, OPT_COMPACT, OPT_SHORT, OPT_MIN };

static const struct argp_option options[] = {
	CLI_JSON(OPT_JSON),
	{ "compact", OPT_COMPACT, NULL, 0, "print the JSON object in one line", 0 },
	{ "short", OPT_SHORT, "TIME", 0, "sleeps up to this long are short (1ms)", 0 },
	{ "min-wait", OPT_MIN, "TIME", 0, "count no wait below this as a case (100us)", 0 },
	{ 0 },
};

/* 0 is a time as any other; to the analysis it would be its default. */
static void parse_time(const char *opt, const char *arg, uint64_t *ns)
{
	struct ks_err err;

	if (ks_arg_duration(opt, arg, 0, ns, &err))
		cli_usage(&err);
	if (!*ns)
		*ns = 1;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->in;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case OPT_COMPACT:
		o->compact = true;
		return 0;
	case OPT_SHORT:
		parse_time("--short", arg, &o->vnuma.short_ns);
		return 0;
	case OPT_MIN:
		parse_time("--min-wait", arg, &o->vnuma.min_ns);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int analyse(struct opened *open, struct options *o, struct ks_vnuma *v, struct ks_err *err)
{
	struct ks_analysis_ops ops = { 0 };
	int ret;

	ks_vnuma_ops(v, &ops);
	ret = inputs_names(open, &o->in, err);
	if (!ret)
		ret = inputs_open(open, &o->in, &ops, err);
	if (!ret)
		ret = ks_vnuma_session(v, open->session);
	if (!ret)
		ret = inputs_run(open, err);
	return ret ? ret : ks_vnuma_end(v);
}

static int print(const struct opened *open, const struct options *o, const struct ks_vnuma *v,
		 struct ks_err *err)
{
	struct ks_vnuma_report r = { .s = open->session, .v = v, .names = open->names };
	int ret = o->json ? ks_vnuma_json(&r, o->compact, stdout) : ks_vnuma_text(&r, stdout);

	return ret == -ENOMEM ? ret : cli_printed(err);
}

int vnuma_report(int argc, char **argv)
{
	const struct argp_child children[] = { { &inputs_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		options,
		parse,
		"HOST.kvs [[VM=]GUEST.kvs...]",
		"Lay what guests believe of their nodes over where their host ran them, and say "
		"what their schedulers made of it.\v"
		"Examples:\n"
		"  vnuma-trace report host.kvs guest.kvs\n"
		"  vnuma-trace report --json host.kvs guest.kvs | jq .vms[0].threads.wasted_ns\n",
		children,
		NULL,
		NULL
	};
	struct options o = { .json = false };
	struct ks_err err = { "out of memory" };
	struct opened open = { 0 };
	struct ks_vnuma *v;
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	inputs_host_and_guests(&o.in);
	ret = ks_vnuma_new(&v, &o.vnuma);
	if (!ret)
		ret = analyse(&open, &o, v, &err);
	if (!ret)
		ret = print(&open, &o, v, &err);
	inputs_close(&open);
	ks_vnuma_free(v);
	return ret ? cli_fail(ret, &err) : CLI_EXIT_OK;
}
