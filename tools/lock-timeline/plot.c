// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "cli.h"
#include "commands.h"
#include "inputs.h"
#include "options.h"
#include "outfile.h"
#include "plot.h"

struct options {
	struct inputs in;
	const char *out, *lock, *vcpus, *title;
	uint64_t from, to;  /* ns since the first record of the host */
	unsigned int worst; /* 0 = no; else WORST_* */
};

static const char *const measures[] = { "time", "exits", NULL };
enum { WORST_TIME = 1, WORST_EXITS };

enum { OPT_FROM = 0x100, OPT_TO, OPT_LOCK, OPT_VCPU, OPT_TITLE, OPT_WORST };

static const struct argp_option options[] = {
	CLI_OUTPUT,
	CLI_FROM(OPT_FROM),
	CLI_TO(OPT_TO),
	{ "worst-by", OPT_WORST, "time|exits", 0,
	  "only the surroundings of the worst wait that a preempted vCPU caused: by the time lost, "
	  "or by its PLE exits",
	  0 },
	{ "lock", OPT_LOCK, "ADDRESS|NAME", 0, "only waits and holds of this lock", 0 },
	{ "vcpu", OPT_VCPU, "LIST", 0, "only these vCPUs, such as 0,2-3", 0 },
	{ "title", OPT_TITLE, "TEXT", 0, "title of the picture", 0 },
	{ 0 },
};

static bool ends_in(const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	return n > m && !strcmp(path + n - m, suffix);
}

static int parse_time(const char *name, const char *arg, uint64_t *t)
{
	struct ks_err err;

	if (ks_arg_duration(name, arg, 1000000000, t, &err))
		cli_usage(&err);
	return 0;
}

static int parse_worst(const char *arg, unsigned int *worst)
{
	struct ks_err err;
	unsigned int i;

	if (ks_arg_choice("--worst-by", arg, measures, &i, &err))
		cli_usage(&err);
	*worst = WORST_TIME + i;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->in;
		return 0;
	case 'o':
		o->out = arg;
		return 0;
	case OPT_FROM:
		return parse_time("--from", arg, &o->from);
	case OPT_TO:
		return parse_time("--to", arg, &o->to);
	case OPT_WORST:
		return parse_worst(arg, &o->worst);
	case OPT_LOCK:
		o->lock = arg;
		return 0;
	case OPT_VCPU:
		o->vcpus = arg;
		return 0;
	case OPT_TITLE:
		o->title = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->out)
			cli_bad_usage("where to? give -o FILE.svg or -o FILE.html");
		if (!ends_in(o->out, ".svg") && !ends_in(o->out, ".html"))
			cli_bad_usage("%s: what is drawn goes by the name's end: .svg or .html",
				      o->out);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- which part ---- */

struct worst {
	struct ks_wait wait;
	unsigned int measure;
};

/* Lock-holder preemption is what people look for first, then lock-waiter preemption. */
static int rank(const struct ks_wait *w)
{
	return w->verdict == KS_C_LHP ? 2 : w->verdict == KS_C_LWP ? 1 : 0;
}

static uint64_t badness(const struct ks_wait *w, unsigned int measure)
{
	return measure == WORST_EXITS ? w->ple_total : w->share[KS_C_LHP] + w->share[KS_C_LWP];
}

static void keep_worst(void *ctx, const struct ks_wait *w)
{
	struct worst *worst = ctx;
	int more = rank(w) - rank(&worst->wait);

	if (more > 0 ||
	    (!more && badness(w, worst->measure) > badness(&worst->wait, worst->measure)))
		worst->wait = *w;
}

static int find_worst(const struct options *o, struct ks_scene_opts *so, struct ks_err *err)
{
	struct worst found = { .measure = o->worst };
	struct ks_analysis_ops ops = { .wait = keep_worst, .ctx = &found };
	const struct ks_wait *worst = &found.wait;
	struct opened open = { 0 };
	uint64_t span;
	int ret = inputs_names(&open, &o->in, err);

	if (!ret)
		ret = inputs_open(&open, &o->in, &ops, err);
	if (!ret)
		ret = inputs_run(&open, err);
	inputs_close(&open);
	if (!ret && !worst->acq_time) {
		snprintf(err->msg, sizeof(err->msg),
			 "no wait was lost to preemption: draw without --worst-by");
		return -ENODATA;
	}
	span = worst->acq_time - worst->try_time;
	so->from = worst->try_time - span / 4;
	so->to = worst->acq_time + span / 4;
	return ret;
}

/* The command line's times count from the first record. */
static int absolute_times(const struct options *o, struct ks_scene_opts *so, struct ks_err *err)
{
	struct ks_reader *r;
	uint64_t first, last;
	int ret;

	if (!o->from && !o->to)
		return 0;
	ret = ks_reader_open(&r, o->in.files.host, err);
	if (ret)
		return ret;
	if (ks_reader_span(r, &first, &last)) {
		so->from = first + o->from;
		so->to = o->to ? first + o->to : 0;
	}
	ks_reader_close(r);
	return 0;
}

static int lock_address(const struct options *o, const struct opened *open, uint64_t *addr,
			struct ks_err *err)
{
	uint32_t vm, n;

	if (!ks_arg_uint("--lock", o->lock, 1, UINT64_MAX, addr, err))
		return 0;
	ks_analysis_vms(ks_session_analysis(open->session), &n);
	for (vm = 0; vm < n; vm++)
		if (!ks_names_addr(open->names, vm, o->lock, addr))
			return 0;
	snprintf(err->msg, sizeof(err->msg),
		 "--lock: no symbol '%.80s' in the guest, and no address; `report` lists the locks",
		 o->lock);
	return -ENOENT;
}

/* ---- drawing ---- */

static int write_scene(const struct ks_scene *s, const char *path, struct ks_err *err)
{
	struct ks_outfile out;
	int ret = ks_outfile_open(&out, path, err);

	if (ret)
		return ret;
	ret = ends_in(path, ".html") ? ks_scene_html(s, out.f) : ks_scene_svg(s, out.f);
	if (!ret)
		return ks_outfile_commit(&out, err);
	snprintf(err->msg, sizeof(err->msg), "%.150s: %s", path, strerror(-ret));
	ks_outfile_discard(&out);
	return ret;
}

static void tell(const struct ks_scene *s, const char *path)
{
	struct ks_scene_stats st;

	ks_scene_stats(s, &st);
	cli_note("%s: %" PRIu64 " waits, %" PRIu64 " holds and %" PRIu64
		 " PLE exits of %u vCPUs in %.3f ms",
		 path, st.waits, st.holds, st.ples, st.lanes, (st.to - st.from) / 1e6);
}

static int collect(struct options *o, struct opened *open, struct ks_scene_opts *so,
		   struct ks_scene **scene, struct ks_err *err)
{
	struct ks_analysis_ops ops = { 0 };
	int ret = ks_scene_new(scene, so);

	if (ret)
		return ret;
	ks_scene_ops(*scene, &ops);
	ret = inputs_open(open, &o->in, &ops, err);
	if (ret)
		return ret;
	ret = ks_scene_begin(*scene, ks_session_analysis(open->session));
	if (!ret)
		ret = inputs_run(open, err);
	return ret ? ret : ks_scene_finish(*scene, ks_session_analysis(open->session));
}

/* The worst bound of the guests' clocks. */
static uint64_t clock_error(const struct opened *open)
{
	uint64_t worst = 0;
	uint32_t vm, n;

	ks_analysis_vms(ks_session_analysis(open->session), &n);
	for (vm = 0; vm < n; vm++) {
		const struct ks_link *link = ks_session_link(open->session, vm);

		if (link && link->error_ns > worst)
			worst = link->error_ns;
	}
	return worst;
}

/* What the scene must be told beforehand, and only an opened session knows. */
static int look_ahead(const struct options *o, struct ks_scene_opts *so, struct ks_err *err)
{
	struct ks_analysis_ops none = { 0 };
	struct opened open = { 0 };
	int ret = inputs_names(&open, &o->in, err);

	if (!ret)
		ret = inputs_open(&open, &o->in, &none, err);
	if (!ret)
		so->clock_error_ns = clock_error(&open);
	if (!ret && o->lock)
		ret = lock_address(o, &open, &so->lock, err);
	inputs_close(&open);
	return ret;
}

static int draw(struct options *o, struct ks_err *err)
{
	struct ks_scene_opts so = { .vcpus = o->vcpus,
				    .title = o->title,
				    .vm = o->in.files.vm,
				    .sym = ks_names_sym,
				    .task = ks_names_task,
				    .err = err };
	struct opened open = { 0 };
	struct ks_scene *scene = NULL;
	int ret = o->worst ? find_worst(o, &so, err) : absolute_times(o, &so, err);

	if (!ret)
		ret = look_ahead(o, &so, err);
	if (!ret)
		ret = inputs_names(&open, &o->in, err);
	if (!ret) {
		so.sym_ctx = so.task_ctx = open.names;
		ret = collect(o, &open, &so, &scene, err);
	}
	if (!ret)
		ret = write_scene(scene, o->out, err);
	if (!ret)
		tell(scene, o->out);
	ks_scene_free(scene);
	inputs_close(&open);
	return ret;
}

int lock_plot(int argc, char **argv)
{
	const struct argp_child children[] = { { &inputs_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		options,
		parse,
		"HOST.kvs [[VM=]GUEST.kvs...]",
		"Draw a lane per vCPU: running, runnable and halted behind, PLE "
		"exits as ticks, spinlock waits and holds with their verdicts. "
		"FILE.svg is a picture, FILE.html a page to explore.\v"
		"Examples:\n"
		"  lock-timeline plot -o timeline.html host.kvs guest.kvs\n"
		"  lock-timeline plot -o worst.svg --worst-by exits host.kvs guest.kvs\n",
		children,
		NULL,
		NULL
	};
	struct options o = { .out = NULL };
	struct ks_err err = { "out of memory" };
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	inputs_host_and_guests(&o.in);
	ret = draw(&o, &err);
	return ret ? cli_fail(ret, &err) : CLI_EXIT_OK;
}
