// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <json-c/json.h>

#include "args.h"
#include "child.h"
#include "cli.h"
#include "clock.h"
#include "now.h"
#include "options.h"
#include "probe.h"
#include "record.h"
#include "tracefs.h"

#define NS 1000000000ULL
#define WAIT_MIN_NS 1000000ULL	 /* rings are filling up fast */
#define WAIT_MAX_NS 100000000ULL /* nothing much happens */
#define CLOCK_TRIES 25

#define RING_SIZE { "ring-size", 'r', "RECORDS", 0, "records buffered per CPU (65536)", 0 }

static const struct argp_option options[] = { CLI_OUTPUT, CLI_DURATION, RING_SIZE, { 0 } };

/* -o is not offered, but known, so that who gives it is told why not. */
static const struct argp_option stream_options[] = {
	{ "output", 'o', "FILE", OPTION_HIDDEN, NULL, 0 },
	CLI_DURATION,
	RING_SIZE,
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct record_opts *o = state->input;
	struct ks_err err;
	uint64_t v;

	switch (key) {
	case 'o':
		o->out = arg;
		return 0;
	case 'd':
		if (ks_arg_duration("--duration", arg, NS, &o->duration_ns, &err))
			cli_usage(&err);
		if (!o->duration_ns)
			cli_bad_usage("--duration: 0 records nothing; leave it out for no limit");
		return 0;
	case 'r':
		if (ks_arg_uint("--ring-size", arg, KS_RING_SLOTS_MIN, KS_RING_SLOTS_MAX, &v, &err))
			cli_usage(&err);
		o->slots = v;
		return 0;
	case ARGP_KEY_END:
		cli_log_probes();
		return 0;
	case ARGP_KEY_ARGS:
		o->command = state->argv + state->next;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp record_argp = { .options = options, .parser = parse };
const struct argp record_stream_argp = { .options = stream_options, .parser = parse };

/* ---- metadata ---- */

/*
 * Now, on three clocks, for other tools' traces are stamped with any of them. Between the readings of
 * one moment little time may pass: the tightest of several tries is taken.
 */
static void add_clocks(struct json_object *m)
{
	uint64_t before, after, real, boot, best = UINT64_MAX, mono = 0, realtime = 0, boottime = 0;
	int i;

	for (i = 0; i < 16; i++) {
		before = ks_now_ns();
		real = ks_clock_ns(CLOCK_REALTIME);
		boot = ks_clock_ns(CLOCK_BOOTTIME);
		after = ks_now_ns();
		if (after - before >= best)
			continue;
		best = after - before;
		mono = before + best / 2;
		realtime = real;
		boottime = boot;
	}
	json_object_object_add(m, "start_mono_ns", json_object_new_int64(mono));
	json_object_object_add(m, "start_realtime_ns", json_object_new_int64(realtime));
	json_object_object_add(m, "start_boottime_ns", json_object_new_int64(boottime));
}

struct json_object *record_meta(const char *side, const char *tool, const struct record_opts *o)
{
	struct json_object *m = json_object_new_object(), *command = json_object_new_array();
	struct utsname u;
	char **word;

	uname(&u);
	json_object_object_add(m, "side", json_object_new_string(side));
	json_object_object_add(m, "tool", json_object_new_string(tool));
	json_object_object_add(m, "version", json_object_new_string(KVMSCHED_VERSION));
	json_object_object_add(m, "hostname", json_object_new_string(u.nodename));
	json_object_object_add(m, "kernel", json_object_new_string(u.release));
	add_clocks(m);
	for (word = o->command; word && *word; word++)
		json_object_array_add(command, json_object_new_string(*word));
	json_object_object_add(m, "command", command);
	json_object_object_add(m, "perf", ks_tracefs_meta(NULL));
	return m;
}

void record_discard(const char *path)
{
	char partial[4096];

	snprintf(partial, sizeof(partial), "%s.partial", path);
	unlink(partial);
}

/* ---- the loop ---- */

struct run {
	struct ks_writer *w;
	const struct record_side *side;
	const struct record_opts *opts;
	uint64_t begun, wait_ns, last_second, listened;
	struct child child;
	bool stop;
	uint64_t ended; /* ns: all was recorded until then; 0: it goes on */
};

static void stop_probe(struct run *r)
{
	if (r->ended)
		return;
	r->ended = ks_now_ns();
	r->side->stop(r->side->probe);
}

/* Sleep so long or until a signal; notice what ends the recording. */
static void listen_for(struct run *r, uint64_t ns)
{
	struct timespec ts = { ns / NS, ns % NS };
	int sig = child_signal_within(&ts);

	r->listened = ks_now_ns();
	if (sig == SIGCHLD)
		r->stop |= r->child.pid && child_reaped(&r->child);
	else if (sig > 0)
		r->stop = true;
	if (r->opts->duration_ns && r->listened - r->begun >= r->opts->duration_ns)
		r->stop = true;
}

/*
 * Where writing is slow, full rings take their time. What has ended meanwhile is not recorded to their end, with
 * the writing itself on top.
 */
static int take(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	struct run *r = ctx;
	int err = r->side->take(r->side->take_ctx, ring, recs, n);

	if (!r->stop && ks_now_ns() - r->listened > WAIT_MAX_NS)
		listen_for(r, 0);
	if (r->stop)
		stop_probe(r);
	return err;
}

static int drain(struct run *r)
{
	unsigned int fill;
	int err = r->side->drain(r->side->probe, take, r);

	fill = ks_rings_fill(r->side->rings(r->side->probe));
	if (fill > 25 && r->wait_ns > WAIT_MIN_NS)
		r->wait_ns /= 2;
	else if (fill < 5 && r->wait_ns < WAIT_MAX_NS)
		r->wait_ns *= 2;
	return err;
}

static int sample_clock(struct ks_writer *w)
{
	struct ks_rec rec;
	int err = ks_clock_sample(&rec, CLOCK_TRIES);

	return err ? err : ks_writer_add(w, 0, &rec, 1);
}

static int each_second(struct run *r, bool last)
{
	int err = sample_clock(r->w);

	if (!err && r->side->second)
		err = r->side->second(r->side->second_ctx, r->w, last);
	if (!err)
		err = ks_writer_flush(r->w);
	return err;
}

static int loop(struct run *r)
{
	int err = each_second(r, false);

	while (!err && !r->stop) {
		listen_for(r, r->wait_ns);
		err = drain(r);
		if (!err && !r->stop && ks_now_ns() - r->last_second >= NS) {
			r->last_second = ks_now_ns();
			err = each_second(r, false);
		}
	}
	return err;
}

static int finish(struct run *r)
{
	struct json_object *meta = json_object_new_object();
	int err = r->side->finish(r->side->probe, r->side->take, r->side->take_ctx);

	if (!err)
		err = each_second(r, true);
	json_object_object_add(meta, "end_mono_ns", json_object_new_int64((int64_t)r->ended));
	if (r->child.pid)
		json_object_object_add(meta, "exit_code", json_object_new_int(r->child.code));
	if (!err)
		err = ks_writer_meta(r->w, meta);
	json_object_put(meta);
	return err;
}

static void summary(const struct run *r, uint64_t bytes)
{
	const struct ks_rings *rings = r->side->rings(r->side->probe);
	uint64_t lost = ks_rings_lost(rings);

	cli_note("%s: %llu records, %.1f MB", r->opts->out ? r->opts->out : "stream",
		 (unsigned long long)ks_rings_seen(rings), bytes / 1e6);
	if (lost)
		cli_warn("%llu records lost: rings too small, use --ring-size",
			 (unsigned long long)lost);
}

static const char *reason(int why)
{
	return why == -ETIMEDOUT ?
		       "the receiver takes nothing any more: is it stopped, or its disk slow?" :
		       strerror(-why);
}

/* The trace cannot be written: say so, keep what is there. Returns the exit code for that. */
static int give_up(const struct run *r, int why)
{
	const char *out = r->opts->out ? r->opts->out : "the receiver's file";
	bool goes_on = r->child.pid && !r->child.done;
	struct ks_err err;

	snprintf(err.msg, sizeof(err.msg),
		 "writing the trace: %s; what was written until now can be read from %s.partial%s",
		 reason(why), out, goes_on ? "; the command goes on, not recorded" : "");
	ks_writer_abort(r->w);
	return cli_fail(why == -EPIPE ? why : -EIO, &err);
}

/* Whoever runs a command under the recorder wants its result, with a trace or without. */
static void let_command_end(struct run *r)
{
	r->stop |= !r->child.pid || r->child.done;
	r->wait_ns = WAIT_MAX_NS;
	while (!r->stop)
		listen_for(r, r->wait_ns);
	child_end(&r->child);
}

static int record_all(struct run *r)
{
	int ret = loop(r);

	stop_probe(r);
	if (ret)
		return ret;
	child_end(&r->child);
	return finish(r);
}

int record_run(struct ks_writer *w, const struct record_opts *o, const struct record_side *side)
{
	struct run r = { .w = w, .side = side, .opts = o, .wait_ns = WAIT_MAX_NS / 8 };
	struct ks_err err = { "" };
	uint64_t bytes;
	int ret = 0;

	r.begun = r.last_second = ks_now_ns();
	if (o->command && *o->command)
		ret = child_start(&r.child, o->command);
	if (ret) {
		snprintf(err.msg, sizeof(err.msg), "starting %.200s: %s", o->command[0],
			 strerror(-ret));
		ks_writer_abort(w);
		if (o->out)
			record_discard(o->out);
		return cli_fail(-EIO, &err);
	}
	ret = record_all(&r);
	if (ret) {
		ret = give_up(&r, ret);
		let_command_end(&r);
		return r.child.code ? r.child.code : ret;
	}
	bytes = ks_writer_bytes(w);
	ret = ks_writer_close(w, &err);
	if (ret == -ETIMEDOUT)
		snprintf(err.msg, sizeof(err.msg), "the trace's stream broke: %s", reason(ret));
	if (ret)
		return cli_fail(ret, &err);
	summary(&r, bytes);
	return r.child.pid ? r.child.code : CLI_EXIT_OK;
}
