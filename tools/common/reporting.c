// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "cli.h"
#include "inputs.h"
#include "options.h"
#include "reporting.h"

struct options {
	struct inputs in;
	struct ks_report_opts report;
	bool json, compact;
};

enum { OPT_JSON = 0x100, OPT_COMPACT, OPT_WORST, OPT_TOP };

static const struct argp_option options[] = {
	CLI_JSON(OPT_JSON),
	{ "compact", OPT_COMPACT, NULL, 0, "print the JSON object in one line", 0 },
	{ "worst", OPT_WORST, "N", 0, "tell the story of the N worst waits (10)", 0 },
	{ "top", OPT_TOP, "N", 0, "show the N heaviest locks and call sites (10)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct ks_err err;
	uint64_t v;

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
	case OPT_WORST:
		if (ks_arg_uint("--worst", arg, 1, 1000, &v, &err))
			cli_usage(&err);
		o->report.worst = v;
		return 0;
	case OPT_TOP:
		if (ks_arg_uint("--top", arg, 1, 1000, &v, &err))
			cli_usage(&err);
		o->report.top = v;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* One analysed set of files. */
struct job {
	struct opened open;
	struct ks_report *report;
};

static int job_run(struct job *j, struct options *o, struct ks_err *err)
{
	struct ks_analysis_ops ops = { 0 };
	struct ks_report_opts ro = o->report;
	int ret = inputs_names(&j->open, &o->in, err);

	if (ret)
		return ret;
	ro.sym = ks_names_sym;
	ro.task = ks_names_task;
	ro.sym_ctx = ro.task_ctx = j->open.names;
	ret = ks_report_new(&j->report, &ro);
	if (ret)
		return ret;
	ks_report_ops(j->report, &ops);
	ret = inputs_open(&j->open, &o->in, &ops, err);
	if (ret)
		return ret;
	ks_report_begin(j->report, j->open.session);
	ret = inputs_run(&j->open, err);
	return ret ? ret : ks_report_finish(j->report, j->open.session);
}

static void job_free(struct job *j)
{
	ks_report_free(j->report);
	inputs_close(&j->open);
}

static int print(struct job *jobs, size_t n, const struct options *o, enum ks_report_kind kind,
		 struct ks_err *err)
{
	struct ks_report **reports = calloc(n, sizeof(*reports));
	size_t i;
	int ret = reports ? 0 : -ENOMEM;

	for (i = 0; i < n && !ret; i++)
		reports[i] = jobs[i].report;
	if (!ret && o->json)
		ret = ks_report_json(reports, n, kind, o->compact, stdout);
	for (i = 0; i < n && !ret && !o->json; i++)
		ret = ks_report_text(reports[i], kind, cli_color(), stdout);
	free(reports);
	return ret == -ENOMEM ? ret : cli_printed(err);
}

/* The first file is the host's and the others its guests', or each is a host's of its own. */
static void choose_files(struct options *o, enum ks_report_kind kind, size_t i)
{
	if (kind == KS_REPORT_LOCKS) {
		inputs_host_and_guests(&o->in);
		return;
	}
	o->in.files.host = o->in.args[i];
	o->in.files.guests = NULL;
	o->in.files.nguests = 0;
}

int reporting_main(int argc, char **argv, enum ks_report_kind kind, const char *args_doc,
		   const char *doc)
{
	const struct argp_child children[] = { { &inputs_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { options, parse, args_doc, doc, children, NULL, NULL };
	struct options o = { .json = false };
	struct ks_err err = { "out of memory" };
	struct job *jobs;
	size_t n, i;
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	n = kind == KS_REPORT_LOCKS ? 1 : o.in.nargs;
	jobs = calloc(n, sizeof(*jobs));
	if (!jobs)
		return cli_fail(-ENOMEM, &err);
	for (i = 0; i < n && !ret; i++) {
		choose_files(&o, kind, i);
		ret = job_run(&jobs[i], &o, &err);
	}
	if (!ret)
		ret = print(jobs, n, &o, kind, &err);
	for (i = 0; i < n; i++)
		job_free(&jobs[i]);
	free(jobs);
	return ret ? cli_fail(ret, &err) : CLI_EXIT_OK;
}
