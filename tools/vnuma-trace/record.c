// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>

#include "child.h"
#include "cli.h"
#include "commands.h"
#include "guestside.h"
#include "hostside.h"
#include "options.h"
#include "probe.h"
#include "record.h"
#include "side.h"

#define MEMORY_NS 10000000000ull

struct options {
	struct record_opts rec;
	struct hostside_opts host;
	enum side side;
};

enum { OPT_VM = 0x100, OPT_SIDE, OPT_MEMORY };

static const struct argp_option options[] = {
	SIDE_OPTION(OPT_SIDE),
	CLI_VM(OPT_VM),
	HOSTSIDE_MEMORY(OPT_MEMORY, "(on a host: 10s; the kernel walks all of it)"),
	{ 0 },
};

static void check(struct options *o)
{
	bool host_only = o->host.vms.n || o->host.memory_ns;

	if (!o->rec.out)
		cli_bad_usage("where to? give -o FILE");
	if (o->side == SIDE_GUEST && host_only)
		cli_bad_usage("--vm and --memory are for a host, and --side says guest");
	if (host_only)
		o->side = SIDE_HOST;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->rec;
		return 0;
	case OPT_SIDE:
		o->side = side_parse(arg);
		return 0;
	case OPT_VM:
		vm_filter_add(&o->host.vms, arg);
		return 0;
	case OPT_MEMORY:
		hostside_memory(arg, &o->host.memory_ns);
		return 0;
	case ARGP_KEY_END:
		check(o);
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

static int record_guest(const struct record_opts *o)
{
	struct ks_writer *w;
	struct ks_sched *probe;
	struct ks_err err;
	int ret = ks_writer_open(&w, o->out, KS_SIDE_GUEST, KS_MAX_CPUS, &err);

	if (ret)
		return cli_fail(ret, &err);
	ret = ks_sched_open(&probe, o->slots, &err);
	if (ret) {
		ks_writer_abort(w);
		record_discard(o->out);
		return cli_fail(ret, &err);
	}
	if (ks_sched_blind(probe))
		cli_warn("kernel.ftrace_enabled=0: most causes of migrations go unseen, and CPUs "
			 "that are "
			 "taken offline");
	ret = run(o, w, probe);
	ks_sched_free(probe);
	return ret;
}

static int record_host(struct options *o)
{
	o->host.tool = "vnuma-trace";
	o->host.rec = &o->rec;
	o->host.host.fold = true; /* of PLE exits nothing is wanted here */
	if (!o->host.memory_ns)
		o->host.memory_ns = MEMORY_NS;
	return hostside_record(&o->host);
}

int vnuma_record(int argc, char **argv)
{
	const struct argp_child children[] = { { &record_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		options,
		parse,
		"[-- COMMAND [ARG...]]",
		"In a guest: record what its kernel's scheduler does with threads, and the "
		"topology that it "
		"believes. On a host: record where it runs its VMs' vCPUs, and on which nodes "
		"their memory "
		"lies, as `ple-trace record` does. Until COMMAND ends or a signal comes.\v"
		"Examples:\n"
		"  vnuma-trace record -o guest.kvs -- make -j8\n"
		"  vnuma-trace record -o host.kvs --side host -d 30\n",
		children,
		NULL,
		NULL
	};
	struct options o = { .side = SIDE_NOT_SAID };
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	child_signals();
	ret = side_of(o.side) == SIDE_HOST ? record_host(&o) : record_guest(&o.rec);
	vm_filter_free(&o.host.vms);
	return ret;
}
