// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>

#include "child.h"
#include "cli.h"
#include "commands.h"
#include "guestside.h"
#include "probe.h"
#include "record.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct record_opts *o = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = o;
		return 0;
	case ARGP_KEY_END:
		if (!o->out)
			cli_bad_usage("where to? give -o FILE");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int write_meta(struct ks_writer *w, const struct record_opts *o,
		      const struct ks_sched *probe)
{
	struct json_object *m = record_meta("guest", "vnuma-trace", o);
	int err;

	json_object_object_add(m, "mode", json_object_new_string("sched"));
	json_object_object_add(m, "programs", ks_sched_programs(probe));
	guestside_meta(m);
	err = ks_writer_meta(w, m);
	json_object_put(m);
	return err;
}

/* ---- the recording ---- */

static int take(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	struct guestside *g = ctx;
	size_t i;
	int err = 0;

	for (i = 0; i < n && !err; i++)
		if (recs[i].type == KS_TASK_SWITCH && recs[i].id)
			err = guestside_thread(g, recs[i].id);
	return err ? err : ks_writer_add(g->w, ring, recs, n);
}

static int second(void *ctx, struct ks_writer *w, bool last)
{
	struct guestside *g = ctx;
	int err = guestside_cpus(g);

	(void)w;
	(void)last;
	return err ? err : guestside_names(g);
}

static int drain_probe(void *probe, ks_rings_fn fn, void *ctx)
{
	return ks_sched_drain(probe, fn, ctx);
}

static int finish_probe(void *probe, ks_rings_fn fn, void *ctx)
{
	return ks_sched_finish(probe, fn, ctx);
}

static const struct ks_rings *probe_rings(void *probe)
{
	return ks_sched_rings(probe);
}

static void stop_probe(void *probe)
{
	ks_sched_stop(probe);
}

static int run(const struct record_opts *o, struct ks_writer *w, struct ks_sched *probe)
{
	struct guestside g;
	struct record_side side = {
		.probe = probe,
		.drain = drain_probe,
		.finish = finish_probe,
		.rings = probe_rings,
		.stop = stop_probe,
		.take = take,
		.take_ctx = &g,
		.second = second,
		.second_ctx = &g,
	};
	struct ks_err err;
	int ret = guestside_open(&g, w);

	if (!ret)
		ret = write_meta(w, o, probe);
	if (ret) {
		snprintf(err.msg, sizeof(err.msg), "%s: %s", o->out, strerror(-ret));
		ks_writer_abort(w);
		ret = cli_fail(ret, &err);
	} else {
		ret = record_run(w, o, &side);
	}
	guestside_close(&g);
	return ret;
}

int vnuma_record(int argc, char **argv)
{
	const struct argp_child children[] = { { &record_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		NULL,
		parse,
		"[-- COMMAND [ARG...]]",
		"Record what this kernel's scheduler does with threads, and the topology that it "
		"believes, until COMMAND ends or a signal comes. Meant for a guest; the host's "
		"side is `ple-trace record --memory 10s`.\v"
		"Examples:\n"
		"  vnuma-trace record -o guest.kvs -- make -j8\n"
		"  vnuma-trace record -o guest.kvs -d 30\n",
		children,
		NULL,
		NULL
	};
	struct record_opts o = { .out = NULL };
	struct ks_writer *w;
	struct ks_sched *probe;
	struct ks_err err;
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	child_signals();
	ret = ks_writer_open(&w, o.out, KS_SIDE_GUEST, KS_MAX_CPUS, &err);
	if (ret)
		return cli_fail(ret, &err);
	ret = ks_sched_open(&probe, o.slots, &err);
	if (ret) {
		ks_writer_abort(w);
		record_discard(o.out);
		return cli_fail(ret, &err);
	}
	ret = run(&o, w, probe);
	ks_sched_free(probe);
	return ret;
}
