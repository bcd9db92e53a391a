// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "args.h"
#include "cli.h"
#include "fanout.h"
#include "inputs.h"
#include "part.h"
#include "progress.h"
#include "rows.h"

/* A format's option is OPT_FORMAT + its number. */
enum { OPT_ROWS = 0x100, OPT_FORMAT };

struct options {
	struct inputs in;
	struct part part;
	const char *out[KS_FANOUT_MAX];
	struct ks_export_opts export;
	bool any;
};

struct export
{
	struct options *o;
	struct opened open;
	struct ks_reader *alone;
	struct ks_fanout fanout;
	struct progress progress;
};

static const struct argp_option more_options[] = {
	/* A group of their own, behind the formats. */
	{ "rows", OPT_ROWS, "KIND,...", 0, "--json, --csv: only these, e.g. wait,hold,segment", 1 },
};

#define NMORE (sizeof(more_options) / sizeof(more_options[0]))

/* The formats, and behind them the rest, as argp wants them. */
static void fill_options(struct argp_option opts[KS_FANOUT_MAX + NMORE + 1])
{
	size_t i, n = 0;

	for (i = 0; ks_exporters[i]; i++)
		opts[n++] = (struct argp_option){ ks_exporters[i]->name,
						  OPT_FORMAT + (int)i,
						  ks_exporters[i]->folder ? "DIR" : "FILE",
						  0,
						  ks_exporters[i]->help,
						  0 };
	for (i = 0; i < NMORE; i++)
		opts[n++] = more_options[i];
	opts[n] = (struct argp_option){ 0 };
}

static void parse_rows(struct options *o, const char *arg)
{
	struct ks_err err;
	uint32_t on;

	if (rows_parse(arg, &on, &err))
		cli_usage(&err);
	o->export.rows = arg;
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	if (!strcmp(a, b))
		return true;
	return !stat(a, &sa) && !stat(b, &sb) && S_ISREG(sa.st_mode) && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

static void check_input(const char *out, char *const *in, int n)
{
	const char *path;
	int i;

	for (i = 0; i < n; i++) {
		path = strchr(in[i], '=');
		if (same_file(out, in[i]) || (path && same_file(out, path + 1)))
			cli_bad_usage("%s is to be read: write to another file", out);
	}
}

/* No output may be an input, or another output; nor what it is called while it is written. */
static void check_files(const struct options *o)
{
	char partial[4096];
	const char *out;
	int i, k;

	for (i = 0; ks_exporters[i]; i++) {
		out = o->out[i];
		if (!out)
			continue;
		check_input(out, o->in.args, o->in.nargs);
		snprintf(partial, sizeof(partial), "%s.partial", out);
		check_input(partial, o->in.args, o->in.nargs);
		for (k = 0; k < i; k++)
			if (o->out[k] && same_file(out, o->out[k]))
				cli_bad_usage("two formats cannot both be written to %s",
					      strcmp(out, "-") ? out : "standard output");
	}
}

static void check_options(const struct options *o)
{
	if (!o->any)
		cli_bad_usage("which format? --help lists them");
	check_files(o);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->part;
		state->child_inputs[1] = &o->in;
		return 0;
	case OPT_ROWS:
		parse_rows(o, arg);
		return 0;
	case ARGP_KEY_END:
		check_options(o);
		return 0;
	default:
		if (key < OPT_FORMAT || key >= OPT_FORMAT + KS_FANOUT_MAX)
			return ARGP_ERR_UNKNOWN;
		o->out[key - OPT_FORMAT] = arg;
		o->any = true;
		return 0;
	}
}

/* Without --from a guest's records that are older than the host's are of it, too. */
static void absolute_times(const struct export *e, const struct ks_reader *r,
			   struct ks_export_input *in)
{
	uint64_t first = 0, last;

	if (!ks_reader_span(r, &first, &last))
		first = 0;
	part_times(&e->o->part, first, &in->from, &in->to);
	if (!e->o->part.from)
		in->from = 0;
}

static int add_outputs(struct export *e, struct ks_err *err)
{
	int i, ret = 0;

	for (i = 0; !ret && ks_exporters[i]; i++) {
		if (!e->o->out[i])
			continue;
		if (e->alone && !ks_exporters[i]->guest_alone) {
			snprintf(err->msg, sizeof(err->msg),
				 "%.120s is a guest's trace: --%s needs its host's, too",
				 ks_reader_path(e->alone), ks_exporters[i]->name);
			return -EINVAL;
		}
		ret = ks_fanout_add(&e->fanout, ks_exporters[i], e->o->out[i], &e->o->export, err);
	}
	return ret;
}

static int step(void *ctx, uint64_t done, uint64_t all, struct ks_err *err)
{
	struct export *e = ctx;

	progress_step(&e->progress, done, all);
	return ks_fanout_failed(&e->fanout, err);
}

static int finish(struct export *e, const struct ks_export_input *in, struct ks_err *err)
{
	const struct ks_fanout_sink *s;
	const char *warning;
	int ret = ks_fanout_finish(&e->fanout, in, err);

	for (s = e->fanout.sink; !ret && s < e->fanout.sink + e->fanout.n; s++) {
		warning = s->x->warning ? s->x->warning(s->self) : NULL;
		if (warning)
			cli_warn("%s", warning);
	}
	return ret;
}

static int run_session(struct export *e, struct ks_err *err)
{
	struct ks_session_watch watch = { .step = step, .ctx = e };
	struct ks_export_input in = { .stop = &inputs_stop };
	struct ks_analysis_ops ops;
	int ret = add_outputs(e, err);

	if (ret)
		return ret;
	ks_fanout_ops(&e->fanout, &ops);
	ret = inputs_names(&e->open, &e->o->in, err);
	if (!ret)
		ret = inputs_open(&e->open, &e->o->in, &ops, err);
	if (ret)
		return ret;
	in.session = e->open.session;
	in.names = e->open.names;
	in.vm = e->o->in.files.vm;
	absolute_times(e, ks_session_host(in.session), &in);
	ret = ks_fanout_begin(&e->fanout, &in, err);
	if (!ret)
		ret = inputs_watch(&e->open, &watch, err);
	return ret ? ret : finish(e, &in, err);
}

/* A guest's records as they are, on its own clock; there is nothing to analyse them against. */
static int feed_alone(struct export *e, const struct ks_analysis_ops *ops, struct ks_err *err)
{
	struct ks_event ev = { .src = 1 };
	uint64_t first = 0, last = 0, n = 0;
	int ret;

	inputs_catch();
	ks_reader_span(e->alone, &first, &last);
	while ((ret = ks_reader_next(e->alone, &ev.rec, err)) > 0) {
		ev.time = ev.rec->time > ev.time ? ev.rec->time : ev.time;
		if (ops->event)
			ops->event(ops->ctx, &ev);
		if (++n & 0xffff)
			continue;
		ret = step(e, ev.time - first, last - first, err);
		if (ret)
			return ret;
		if (inputs_stop) {
			snprintf(err->msg, sizeof(err->msg), "interrupted");
			return -ECANCELED;
		}
	}
	return ret;
}

static int run_alone(struct export *e, struct ks_err *err)
{
	struct ks_export_input in = { .alone = e->alone, .stop = &inputs_stop };
	struct ks_analysis_ops ops;
	int ret;

	if (e->o->in.files.vm) {
		snprintf(err->msg, sizeof(err->msg),
			 "%.120s is one guest's trace: --vm chooses among a host's VMs",
			 ks_reader_path(e->alone));
		return -EINVAL;
	}
	ret = add_outputs(e, err);
	if (!ret)
		ret = inputs_names(&e->open, &e->o->in, err);
	if (!ret)
		ret = ks_names_load_guest(e->open.names, e->alone, err);
	if (ret)
		return ret;
	in.names = e->open.names;
	absolute_times(e, e->alone, &in);
	ks_fanout_ops(&e->fanout, &ops);
	ret = ks_fanout_begin(&e->fanout, &in, err);
	if (!ret)
		ret = feed_alone(e, &ops, err);
	return ret ? ret : finish(e, &in, err);
}

/* The first file says what there is: a host's trace, or one guest's alone. */
static int find_side(struct export *e, struct ks_err *err)
{
	struct inputs *in = &e->o->in;
	int ret = ks_reader_open(&e->alone, in->args[0], err);

	if (ret)
		return ret;
	if (in->nargs == 1 && ks_reader_side(e->alone) == KS_SIDE_GUEST)
		return 0;
	ks_reader_close(e->alone);
	e->alone = NULL;
	inputs_host_and_guests(in);
	return 0;
}

static int export(struct options *o, struct ks_err *err)
{
	struct export e = { .o = o };
	int ret = find_side(&e, err);

	if (ret)
		return ret;
	/* What a signal ends leaves no half file behind. */
	inputs_catch();
	cli_failing_writes();
	progress_begin(&e.progress, "export");
	ret = e.alone ? run_alone(&e, err) : run_session(&e, err);
	progress_end(&e.progress);
	ks_fanout_close(&e.fanout);
	inputs_close(&e.open);
	if (e.alone)
		ks_reader_close(e.alone);
	return ret;
}

int main(int argc, char **argv)
{
	struct argp_option opts[KS_FANOUT_MAX + NMORE + 1];
	const struct argp_child children[] = { { &part_argp, 0, NULL, 1 },
					       { &inputs_argp, 0, NULL, 2 },
					       { 0 } };
	const struct argp argp = { opts,
				   parse,
				   "HOST.kvs [[VM=]GUEST.kvs...]\nGUEST.kvs",
				   "Write recordings in the formats of other tools, on the host's "
				   "clock. FILE may be - for standard output.\v"
				   "Examples:\n"
				   "  trace-export --perf run.data host.kvs guest.kvs\n"
				   "  perf script -i run.data -F +machine_pid,+vcpu\n"
				   "  trace-export --json - host.kvs guest.kvs | jq -c "
				   "'select(.row == \"wait\")'\n",
				   children,
				   NULL,
				   NULL };
	struct options o = { .any = false };
	struct ks_err err = { "out of memory" };
	int ret;

	cli_tool(argv);
	fill_options(opts);
	ret = cli_parse(&argp, argc, argv, &o);
	if (ret)
		return ret;
	ret = export(&o, &err);
	return ret ? cli_fail(ret, &err) : CLI_EXIT_OK;
}
