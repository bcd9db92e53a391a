// SPDX-License-Identifier: GPL-2.0
/* record and stream: the same recording, to a file or to the host. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>

#include "args.h"
#include "child.h"
#include "cli.h"
#include "commands.h"
#include "guestside.h"
#include "lockfilter.h"
#include "now.h"
#include "options.h"
#include "pace.h"
#include "probe.h"
#include "record.h"
#include "symbols.h"
#include "vsock.h"

struct options {
	struct record_opts rec;
	struct ks_guest_opts guest;
	uint64_t wait_threshold_ns, port;
	unsigned int mode;
	bool stream;
};

static const char *const modes[] = { "full", "contention", NULL };

enum { OPT_WAIT = 0x100, OPT_HOLD, OPT_MODE, OPT_PORT, OPT_NO_CAST };

static const struct argp_option options[] = {
	{ "wait-threshold", OPT_WAIT, "TIME", 0, "leave out shorter waits (10us)", 0 },
	{ "hold-threshold", OPT_HOLD, "TIME", 0,
	  "leave out shorter holds that nobody waited for (10us)", 0 },
	CLI_MODE(OPT_MODE, "full|contention",
		 "(full: every lock function; contention: the slow path alone, which costs nothing "
		 "without contention but shows no holders; full)"),
	{ "no-rdonly-cast", OPT_NO_CAST, NULL, OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static const struct argp_option stream_options[] = {
	CLI_VSOCK_PORT(OPT_PORT, "(on the host, of `lock-timeline collect`; 19031)"),
	{ 0 },
};

static int parse_mode(struct options *o, const char *arg)
{
	struct ks_err err;

	if (ks_arg_choice("--mode", arg, modes, &o->mode, &err))
		cli_usage(&err);
	o->guest.mode = o->mode ? KS_GUEST_CONTENTION : KS_GUEST_FULL;
	return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct ks_err err;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->rec;
		if (o->stream)
			state->child_inputs[1] = o;
		return 0;
	case OPT_WAIT:
		if (ks_arg_duration("--wait-threshold", arg, 0, &o->wait_threshold_ns, &err))
			cli_usage(&err);
		return 0;
	case OPT_HOLD:
		if (ks_arg_duration("--hold-threshold", arg, 0, &o->guest.hold_threshold_ns, &err))
			cli_usage(&err);
		return 0;
	case OPT_MODE:
		return parse_mode(o, arg);
	case OPT_NO_CAST:
		o->guest.no_rdonly_cast = true;
		return 0;
	case ARGP_KEY_END:
		if (!o->rec.out && !o->stream)
			cli_bad_usage("where to? give -o FILE");
		if (o->rec.out && o->stream)
			cli_bad_usage("stream writes no file: leave -o out");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_stream(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct ks_err err;

	if (key != OPT_PORT)
		return ARGP_ERR_UNKNOWN;
	if (ks_arg_uint("--port", arg, 1, UINT32_MAX - 1, &o->port, &err))
		cli_usage(&err);
	return 0;
}

static const struct argp stream_argp = { .options = stream_options, .parser = parse_stream };

/* ---- metadata ---- */

static int write_meta(struct ks_writer *w, const struct options *o, struct ks_guest *guest)
{
	struct json_object *m = record_meta("guest", "lock-timeline", &o->rec);
	int err;

	json_object_object_add(m, "mode", json_object_new_string(modes[o->mode]));
	json_object_object_add(m, "wait_threshold_ns", json_object_new_int64(o->wait_threshold_ns));
	json_object_object_add(m, "hold_threshold_ns",
			       json_object_new_int64(o->guest.hold_threshold_ns));
	if (o->mode == KS_GUEST_FULL)
		json_object_object_add(
			m, "spinlocks",
			json_object_new_string(ks_guest_queues(guest) ? "queued" : "test_and_set"));
	json_object_object_add(m, "programs", ks_guest_programs(guest));
	guestside_meta(m);
	err = ks_writer_meta(w, m);
	json_object_put(m);
	return err;
}

static void write_symbols(struct ks_writer *w)
{
	struct ks_err err;
	size_t len;
	char *text;

	if (ks_symbols_running(NULL, &text, &len, &err)) {
		cli_warn("no symbols: %s", err.msg);
		return;
	}
	if (ks_writer_symbols(w, text, len))
		cli_warn("the symbols could not be written");
	free(text);
}

/* ---- what comes besides records ---- */

#define HELD_NS 1000000000ULL /* a wait that is not over by then is recorded as it is */

struct sink {
	struct ks_writer *w;
	struct ks_guest *guest;
	struct ks_lockfilter *filter;
	struct guestside side;
	uint64_t looked; /* when ks_guest_blind() was asked last, CLOCK_MONOTONIC ns */
	bool blind;	 /* what it answered */
	struct ks_pace totals_pace;
};

static int write_records(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	struct sink *s = ctx;
	size_t i;
	int err = 0;

	for (i = 0; i < n && !err; i++)
		if (recs[i].type == KS_LOCK_TRY || recs[i].type == KS_LOCK_REL)
			err = guestside_thread(&s->side, recs[i].id);
	return err ? err : ks_writer_add(s->w, ring, recs, n);
}

static int write_totals(struct sink *s, bool last)
{
	struct json_object *m = json_object_new_object();
	struct ks_guest_unseen unseen;
	int err;

	ks_guest_unseen(s->guest, &unseen);
	json_object_object_add(m, "unseen_recursion", json_object_new_int64(unseen.recursion));
	json_object_object_add(m, "unseen_acquires", json_object_new_int64(unseen.acquires));
	json_object_object_add(m, "unseen_releases", json_object_new_int64(unseen.releases));
	json_object_object_add(m, "short_waits_left_out",
			       json_object_new_int64(ks_lockfilter_dropped(s->filter)));
	err = ks_pace_meta(&s->totals_pace, s->w, m, ks_now_ns(), last);
	json_object_put(m);
	return err;
}

/*
 * Locks may go unseen although nothing is lost on the way: told as a loss, so that nothing is
 * concluded from what is not there. It may have begun or ended any time since the last look.
 */
static int look_for_blindness(struct sink *s)
{
	struct ks_rec loss = {
		.time = ks_now_ns(),
		.type = KS_LOSS,
		.cpu = KS_RING_ANY,
		.a = s->looked,
		.b = 1,
	};
	bool before = s->blind;

	s->blind = ks_guest_blind(s->guest);
	s->looked = loss.time;
	if (s->blind && !before)
		cli_warn("somebody switched ftrace off: no locks are seen until "
			 "kernel.ftrace_enabled is 1 again");
	return s->blind || before ? ks_writer_add(s->w, 0, &loss, 1) : 0;
}

static int second(void *ctx, struct ks_writer *w, bool last)
{
	struct sink *s = ctx;
	int err = guestside_cpus(&s->side);

	(void)w;
	if (!err)
		err = look_for_blindness(s);
	if (!err)
		err = last ? ks_lockfilter_flush(s->filter) :
			     ks_lockfilter_tick(s->filter, ks_now_ns() - HELD_NS);
	if (!err)
		err = write_totals(s, last);
	return err ? err : guestside_names(&s->side);
}

/* ---- the recording ---- */

static int drain_probe(void *probe, ks_rings_fn fn, void *ctx)
{
	return ks_guest_drain(probe, fn, ctx);
}

static int finish_probe(void *probe, ks_rings_fn fn, void *ctx)
{
	return ks_guest_finish(probe, fn, ctx);
}

static const struct ks_rings *probe_rings(void *probe)
{
	return ks_guest_rings(probe);
}

static void stop_probe(void *probe)
{
	ks_guest_stop(probe);
}

static int open_writer(const struct options *o, struct ks_writer **w, struct ks_err *err)
{
	int fd;

	if (!o->stream)
		return ks_writer_open(w, o->rec.out, KS_SIDE_GUEST, KS_MAX_CPUS, err);
	fd = ks_vsock_connect(KS_VSOCK_HOST, o->port, 10000, err);
	return fd < 0 ? fd : ks_writer_open_fd(w, fd, KS_SIDE_GUEST, KS_MAX_CPUS, err);
}

static int sink_open(struct sink *s, const struct options *o, struct ks_guest *guest)
{
	s->guest = guest;
	s->looked = ks_now_ns();
	if (guestside_open(&s->side, s->w))
		return -ENOMEM;
	return ks_lockfilter_new(&s->filter, o->wait_threshold_ns, o->guest.hold_threshold_ns,
				 write_records, s);
}

static void sink_close(struct sink *s)
{
	ks_lockfilter_free(s->filter);
	guestside_close(&s->side);
}

static int run(struct options *o, struct ks_guest *guest, struct sink *s)
{
	struct record_side side = {
		.probe = guest,
		.drain = drain_probe,
		.finish = finish_probe,
		.rings = probe_rings,
		.stop = stop_probe,
		.take = ks_lockfilter_feed,
		.take_ctx = s->filter,
		.second = second,
		.second_ctx = s,
	};
	struct ks_err err = { "" };
	int ret = write_meta(s->w, o, guest);

	if (ret) {
		snprintf(err.msg, sizeof(err.msg), "writing the trace: %s", strerror(-ret));
		ks_writer_abort(s->w);
		return cli_fail(ret, &err);
	}
	write_symbols(s->w);
	return record_run(s->w, &o->rec, &side);
}

static int record(struct options *o)
{
	struct sink s = { 0 };
	struct ks_guest *guest;
	struct ks_err err = { "out of memory" };
	int ret = open_writer(o, &s.w, &err);

	if (ret)
		return cli_fail(ret, &err);
	o->guest.slots = o->rec.slots;
	ret = ks_guest_open(&guest, &o->guest, &err);
	if (ret) {
		ks_writer_abort(s.w);
		if (o->rec.out)
			record_discard(o->rec.out);
		return cli_fail(ret, &err);
	}
	ret = sink_open(&s, o, guest);
	ret = ret ? cli_fail(ret, &err) : run(o, guest, &s);
	sink_close(&s);
	ks_guest_free(guest);
	return ret;
}

static int main_of(int argc, char **argv, bool stream, const char *doc)
{
	const struct argp_child children[] = { { stream ? &record_stream_argp : &record_argp, 0,
						 NULL, 0 },
					       { stream ? &stream_argp : NULL, 0, NULL, 0 },
					       { 0 } };
	const struct argp argp = { options, parse, "[-- COMMAND [ARG...]]", doc, children,
				   NULL,    NULL };
	struct options o = {
		.stream = stream,
		.port = KS_VSOCK_PORT,
		.wait_threshold_ns = 10000,
		.guest = { .hold_threshold_ns = 10000 },
	};
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	child_signals();
	return record(&o);
}

int lock_record(int argc, char **argv)
{
	return main_of(
		argc, argv, false,
		"Record the waits and holds of this kernel's spinlocks, until COMMAND ends or "
		"a signal comes. Meant for a guest; works on any Linux.\v"
		"Examples:\n"
		"  lock-timeline record -o guest.kvs -- make -j8\n"
		"  lock-timeline record -o guest.kvs -d 10 --mode contention\n");
}

int lock_stream(int argc, char **argv)
{
	return main_of(argc, argv, true,
		       "As record, but send the trace to the host's `lock-timeline collect`.\v"
		       "Examples:\n"
		       "  lock-timeline stream -- make -j8\n");
}
