// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "args.h"
#include "cli.h"
#include "commands.h"
#include "drawing.h"
#include "inputs.h"
#include "scale.h"
#include "vcpulist.h"
#include "vnuma_plot.h"
#include "vnuma_report.h"

struct options {
	struct inputs in;
	struct drawing draw;
	unsigned int which; /* case: 0 = none, else CASE_* */
	char vm[16];	    /* the PID of its VM */
};

static const char *const diseases[] = { "passed", "overloaded", NULL };
enum { CASE_PASSED = 1, CASE_OVERLOADED };

enum { OPT_CASE = 0x100 };

static const struct argp_option options[] = {
	{ "case", OPT_CASE, "passed|overloaded", 0,
	  "only the surroundings of the dearest wake-up that passed over an idle vCPU, or that "
	  "found its "
	  "CPU overloaded",
	  0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct ks_err err;
	unsigned int i;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->draw;
		state->child_inputs[1] = &o->in;
		return 0;
	case OPT_CASE:
		if (ks_arg_choice("--case", arg, diseases, &i, &err))
			cli_usage(&err);
		o->which = CASE_PASSED + i;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run(struct opened *open, const struct options *o, struct ks_vnuma *v,
	       struct ks_vscene *scene, const struct ks_analysis_ops *ops, struct ks_err *err)
{
	int ret = inputs_open(open, &o->in, ops, err);

	if (!ret)
		ret = ks_vnuma_session(v, open->session);
	if (!ret && scene)
		ret = ks_vscene_begin(scene, ks_session_analysis(open->session));
	if (!ret)
		ret = inputs_run(open, err);
	return ret ? ret : ks_vnuma_end(v);
}

/* ---- the worst case ---- */

struct found {
	const struct ks_vnuma *v;
	struct opened *open;
	const struct ks_vscene_opts *part; /* of the recording that it may be in */
	struct ks_vcpulist list;
	struct ks_vnuma_case worst; /* cost_ns = 0: none */
	uint32_t vm;
};

static bool wanted(const struct found *f, uint32_t vm, const struct ks_vnuma_case *c)
{
	uint32_t n, vcpu = ks_vnuma_cpu(f->v, vm, c->cpu);
	const struct ks_vcpu *vcpus = ks_analysis_vcpus(ks_session_analysis(f->open->session), &n);

	if (c->time + c->wait_ns < f->part->from || c->time > f->part->to)
		return false;
	return !f->list.n || (vcpu != KS_NO_VCPU && ks_vcpulist_has(&f->list, vcpus[vcpu].vcpu_id));
}

static void keep_worst(void *ctx, uint32_t vm, const struct ks_vnuma_case *c)
{
	struct found *f = ctx;

	if (c->cost_ns <= f->worst.cost_ns || !wanted(f, vm, c))
		return;
	f->worst = *c;
	f->vm = vm;
}

/* Its VM, with room on both sides of it: what led to it, and what came of it. */
static int around(struct options *o, const struct found *f, struct ks_vscene_opts *so,
		  struct ks_err *err)
{
	const struct ks_vnuma_case *c = &f->worst;
	uint32_t n;

	if (!c->cost_ns) {
		snprintf(err->msg, sizeof(err->msg),
			 "there is no such wake-up: draw without --case");
		return -ENODATA;
	}
	snprintf(o->vm, sizeof(o->vm), "%" PRIu32,
		 ks_analysis_vms(ks_session_analysis(f->open->session), &n)[f->vm].tgid);
	so->vm = o->vm;
	so->from = ks_scale_before(c->time, c->wait_ns);
	so->to = c->time + 2 * c->wait_ns;
	return 0;
}

static int search(struct options *o, struct ks_vnuma *v, struct found *f, struct ks_err *err)
{
	struct ks_analysis_ops ops = { 0 };
	struct ks_vnuma_watch watch = { .ctx = f };

	if (o->which == CASE_PASSED)
		watch.passed = keep_worst;
	else
		watch.overloaded = keep_worst;
	ks_vnuma_watch(v, &watch);
	ks_vnuma_ops(v, &ops);
	return run(f->open, o, v, NULL, &ops, err);
}

static int find_case(struct options *o, struct ks_vscene_opts *so, struct ks_err *err)
{
	struct opened open = { 0 };
	struct found f = { .open = &open, .part = so };
	struct ks_vnuma *v = NULL;
	int ret = ks_vcpulist_parse(&f.list, so->vcpus, err);

	if (!ret)
		ret = ks_vnuma_new(&v, NULL);
	f.v = v;
	if (!ret)
		ret = inputs_names(&open, &o->in, err);
	if (!ret)
		ret = search(o, v, &f, err);
	if (!ret)
		ret = around(o, &f, so, err);
	ks_vcpulist_free(&f.list);
	inputs_close(&open);
	ks_vnuma_free(v);
	return ret;
}

/* ---- drawing ---- */

static int svg(const void *scene, FILE *out)
{
	return ks_vscene_svg(scene, out);
}

static int html(const void *scene, FILE *out)
{
	return ks_vscene_html(scene, out);
}

static void tell(const struct ks_vscene *s, const char *path)
{
	struct ks_vscene_stats st;

	ks_vscene_stats(s, &st);
	cli_note("%s: %" PRIu64 " migrations, %" PRIu64 " wake-ups past an idle vCPU and %" PRIu64
		 " to an overloaded CPU, on %u vCPUs in %.3f ms",
		 path, st.migrations, st.passed, st.overloaded, st.lanes, (st.to - st.from) / 1e6);
}

static int draw(const struct options *o, struct opened *open, struct ks_vnuma *v,
		struct ks_vscene *scene, struct ks_err *err)
{
	struct ks_analysis_ops ops = { 0 };
	int ret;

	ks_vscene_ops(scene, v, &ops);
	ret = run(open, o, v, scene, &ops, err);
	if (ret)
		return ret;
	ks_vscene_clock_error(scene, drawing_clock_error(open->session));
	ret = ks_vscene_finish(scene);
	if (!ret)
		ret = drawing_write(&o->draw, scene, svg, html, err);
	if (!ret)
		tell(scene, o->draw.out);
	return ret;
}

static int plot(struct options *o, struct ks_err *err)
{
	struct ks_vscene_opts so = { .vcpus = o->draw.vcpus,
				     .title = o->draw.title,
				     .vm = o->in.files.vm,
				     .task = ks_names_task,
				     .err = err };
	struct ks_vscene *scene = NULL;
	struct opened open = { 0 };
	struct ks_vnuma *v = NULL;
	int ret = drawing_times(&o->draw, o->in.files.host, &so.from, &so.to, err);

	if (!ret && o->which)
		ret = find_case(o, &so, err);
	if (!ret)
		ret = inputs_names(&open, &o->in, err);
	so.task_ctx = open.names;
	if (!ret)
		ret = ks_vscene_new(&scene, &so);
	if (!ret)
		ret = ks_vnuma_new(&v, NULL);
	if (!ret)
		ret = draw(o, &open, v, scene, err);
	ks_vscene_free(scene);
	ks_vnuma_free(v);
	inputs_close(&open);
	return ret;
}

int vnuma_plot(int argc, char **argv)
{
	const struct argp_child children[] = { { &drawing_argp, 0, NULL, 0 },
					       { &inputs_argp, 0, NULL, 0 },
					       { 0 } };
	const struct argp argp = {
		options,
		parse,
		"HOST.kvs [[VM=]GUEST.kvs...]",
		"Draw a lane per vCPU, grouped by the node that the guest believes: the node where "
		"its "
		"host runs it, drift shaded; threads that change their CPU as arrows, by cause; "
		"wake-ups "
		"that passed over an idle vCPU; and the vCPU time wasted. FILE.svg is a picture, "
		"FILE.html a page to explore.\v"
		"Examples:\n"
		"  vnuma-trace plot -o nodes.html host.kvs guest.kvs\n"
		"  vnuma-trace plot -o worst.svg --case passed host.kvs guest.kvs\n",
		children,
		NULL,
		NULL
	};
	struct options o = { .which = 0 };
	struct ks_err err = { "out of memory" };
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	inputs_host_and_guests(&o.in);
	ret = plot(&o, &err);
	return ret ? cli_fail(ret, &err) : CLI_EXIT_OK;
}
