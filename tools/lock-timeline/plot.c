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
#include "drawing.h"
#include "inputs.h"
#include "plot.h"
#include "scale.h"

struct options {
	struct inputs in;
	struct drawing draw;
	const char *lock;
	unsigned int worst; /* 0 = no; else WORST_* */
};

static const char *const measures[] = { "time", "exits", NULL };
enum { WORST_TIME = 1, WORST_EXITS };

enum { OPT_LOCK = 0x100, OPT_WORST };

static const struct argp_option options[] = {
	{ "worst-by", OPT_WORST, "time|exits", 0,
	  "only the surroundings of the worst wait that a preempted vCPU caused: by the time lost, "
	  "or by its PLE exits",
	  0 },
	{ "lock", OPT_LOCK, "ADDRESS|NAME", 0, "only waits and holds of this lock", 0 },
	{ 0 },
};

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
		state->child_inputs[0] = &o->draw;
		state->child_inputs[1] = &o->in;
		return 0;
	case OPT_WORST:
		return parse_worst(arg, &o->worst);
	case OPT_LOCK:
		o->lock = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- which part ---- */

struct worst {
	const struct ks_scene *among; /* what would be drawn of all */
	struct ks_wait wait;
	unsigned int measure;
};

/*
 * What of it is a preempted vCPU's fault, whatever most of it is: where many vCPUs share a pCPU, most of every long
 * wait is the waiter's own time without one.
 */
static uint64_t badness(const struct ks_wait *w, unsigned int measure)
{
	if (measure == WORST_EXITS)
		return w->ple[KS_C_LHP] + w->ple[KS_C_LWP];
	return w->share[KS_C_LHP] + w->share[KS_C_LWP];
}

static bool is_worse(const struct ks_wait *a, const struct ks_wait *b, unsigned int measure)
{
	uint64_t of_a = badness(a, measure), of_b = badness(b, measure);

	return of_a != of_b ? of_a > of_b : badness(a, WORST_TIME) > badness(b, WORST_TIME);
}

static void keep_worst(void *ctx, const struct ks_wait *w)
{
	struct worst *worst = ctx;

	if (ks_scene_wants(worst->among, w) && is_worse(w, &worst->wait, worst->measure))
		worst->wait = *w;
}

/* Its VM, whatever else waits at that time, with room on both sides of it. */
static int around(const struct ks_wait *w, const struct opened *open, struct ks_scene_opts *so,
		  struct ks_err *err)
{
	uint64_t span = w->acq_time - w->try_time;
	uint32_t n;

	if (!w->acq_time) {
		snprintf(err->msg, sizeof(err->msg),
			 "no such wait was lost to preemption: draw without --worst-by");
		return -ENODATA;
	}
	so->pid = ks_analysis_vms(ks_session_analysis(open->session), &n)[w->vm].tgid;
	so->from = ks_scale_before(w->try_time, span / 4);
	so->to = w->acq_time + span / 4;
	return 0;
}

static int run(struct opened *open, const struct options *o, struct ks_scene *scene,
	       const struct ks_analysis_ops *ops, struct ks_err *err)
{
	int ret = inputs_open(open, &o->in, ops, err);

	if (!ret)
		ret = ks_scene_begin(scene, ks_session_analysis(open->session));
	return ret ? ret : inputs_run(open, err);
}

static int find_worst(const struct options *o, struct ks_scene_opts *so, struct ks_err *err)
{
	struct worst found = { .measure = o->worst };
	struct ks_analysis_ops ops = { .wait = keep_worst, .ctx = &found };
	struct opened open = { 0 };
	struct ks_scene *all;
	int ret = ks_scene_new(&all, so);

	if (ret)
		return ret;
	found.among = all;
	ret = inputs_names(&open, &o->in, err);
	if (!ret)
		ret = run(&open, o, all, &ops, err);
	if (!ret)
		ret = around(&found.wait, &open, so, err);
	ks_scene_free(all);
	inputs_close(&open);
	return ret;
}

/* Without an option there is no limit: what lies outside the host's recording is drawn as well. */
static int absolute_times(const struct options *o, struct ks_scene_opts *so, struct ks_err *err)
{
	const struct part *p = &o->draw.part;
	int ret = 0;

	if (p->from || p->has_to)
		ret = drawing_times(&o->draw, o->in.files.host, &so->from, &so->to, err);
	if (!p->has_to)
		so->to = 0;
	return ret;
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

static int svg(const void *scene, FILE *out)
{
	return ks_scene_svg(scene, out);
}

static int html(const void *scene, FILE *out)
{
	return ks_scene_html(scene, out);
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
	ret = run(open, o, *scene, &ops, err);
	return ret ? ret : ks_scene_finish(*scene, ks_session_analysis(open->session));
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
		so->clock_error_ns = drawing_clock_error(open.session);
	if (!ret && o->lock)
		ret = lock_address(o, &open, &so->lock, err);
	inputs_close(&open);
	return ret;
}

static int draw(struct options *o, struct ks_err *err)
{
	struct ks_scene_opts so = { .vcpus = o->draw.vcpus,
				    .title = o->draw.title,
				    .vm = o->in.files.vm,
				    .sym = ks_names_sym,
				    .task = ks_names_task,
				    .err = err };
	struct opened open = { 0 };
	struct ks_scene *scene = NULL;
	int ret = absolute_times(o, &so, err);

	if (!ret)
		ret = look_ahead(o, &so, err);
	if (!ret && o->worst)
		ret = find_worst(o, &so, err);
	if (!ret)
		ret = inputs_names(&open, &o->in, err);
	if (!ret) {
		so.sym_ctx = so.task_ctx = open.names;
		ret = collect(o, &open, &so, &scene, err);
	}
	if (!ret)
		ret = drawing_write(&o->draw, scene, svg, html, err);
	if (!ret)
		tell(scene, o->draw.out);
	ks_scene_free(scene);
	inputs_close(&open);
	return ret;
}

int lock_plot(int argc, char **argv)
{
	const struct argp_child children[] = { { &drawing_argp, 0, NULL, 0 },
					       { &inputs_argp, 0, NULL, 0 },
					       { 0 } };
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
	struct options o = { .worst = 0 };
	struct ks_err err = { "out of memory" };
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	inputs_host_and_guests(&o.in);
	ret = draw(&o, &err);
	return ret ? cli_fail(ret, &err) : CLI_EXIT_OK;
}
