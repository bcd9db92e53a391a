// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "boost.h"
#include "child.h"
#include "cli.h"
#include "commands.h"
#include "file.h"
#include "options.h"
#include "state.h"

#define NS 1000000000u
#define MAX_CHOSEN 256

#define GRACE_NS 200000

struct options {
	const char *policy, *dir;
	const char *vm[MAX_CHOSEN];
	unsigned int nvms;
	uint64_t duration_ns;
	struct ks_boost_opts boost;
	enum { AUTO, SCHED_EXT, CGROUP } backend;
	bool ignore_quota;
	const char *file;
	char **from_file; /* what it says, as arguments: strings above point there */
	char **command;
};

enum { OPT_VM = 0x100, OPT_BACKEND, OPT_OPTION, OPT_FILE, OPT_QUOTA, OPT_DIR };

static const struct argp_option options[] = {
	CLI_VM(OPT_VM),
	{ "backend", OPT_BACKEND, "auto|sched_ext|cgroup", 0,
	  "by what means: auto is sched_ext; cgroup (weights, nice values) is for kernels "
	  "without, weaker, and may do harm: try it",
	  0 },
	{ "option", OPT_OPTION, "KEY=VALUE", 0,
	  "slice=TIME (3ms), spin=TIME (200us): how old a vCPU's last PLE exit may be for it to "
	  "count as spinning; hold=TIME (6ms; cgroup); for comparison: boost=on|off, "
	  "order=fair|fifo",
	  0 },
	CLI_DURATION,
	{ "for", 0, NULL, OPTION_ALIAS, NULL, 0 },
	{ "file", OPT_FILE, "FILE", 0,
	  "options from a file, one per line without dashes, and policy=NAME", 0 },
	{ "ignore-quota", OPT_QUOTA, NULL, 0,
	  "also take VMs with a CPU quota (cpu.max), which sched_ext does not enforce", 0 },
	{ "state-dir", OPT_DIR, "DIR", 0, "journal and status lie here (" KS_STATE_DIR ")", 0 },
	{ 0 },
};

static const char *const on_off[] = { "on", "off", NULL };
static const char *const orders[] = { "fair", "fifo", NULL };
static const char *const backends[] = { "auto", "sched_ext", "cgroup", NULL };

static void bad(int ret, const struct ks_err *err)
{
	if (ret)
		cli_usage(err);
}

static void parse_option(struct options *o, const char *arg)
{
	const char *value = strchr(arg, '=');
	struct ks_err err;
	unsigned int i;

	if (!value)
		cli_bad_usage("--option: '%s' is not KEY=VALUE", arg);
	value++;
	if (!strncmp(arg, "slice=", 6)) {
		bad(ks_arg_duration("--option slice", value, 0, &o->boost.slice_ns, &err), &err);
	} else if (!strncmp(arg, "spin=", 5)) {
		bad(ks_arg_duration("--option spin", value, 0, &o->boost.spin_ns, &err), &err);
	} else if (!strncmp(arg, "boost=", 6)) {
		bad(ks_arg_choice("--option boost", value, on_off, &i, &err), &err);
		o->boost.plain = i;
	} else if (!strncmp(arg, "order=", 6)) {
		bad(ks_arg_choice("--option order", value, orders, &i, &err), &err);
		o->boost.fifo = i;
	} else if (!strncmp(arg, "grace=", 6)) {
		bad(ks_arg_duration("--option grace", value, 0, &o->boost.grace_ns, &err), &err);
	} else if (!strncmp(arg, "hold=", 5)) {
		bad(ks_arg_duration("--option hold", value, 0, &o->boost.hold_ns, &err), &err);
	} else {
		cli_bad_usage("--option: no '%s'; there are slice, spin, grace, hold, boost and "
			      "order",
			      arg);
	}
}

static void parse_word(struct options *o, char *arg, struct argp_state *state)
{
	if (!o->policy) {
		o->policy = arg;
		return;
	}
	o->command = state->argv + state->next - 1;
	state->next = state->argc;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct ks_err err;
	unsigned int i;

	switch (key) {
	case OPT_VM:
		if (o->nvms == MAX_CHOSEN)
			cli_bad_usage("--vm: more than %d", MAX_CHOSEN);
		o->vm[o->nvms++] = arg;
		return 0;
	case OPT_BACKEND:
		bad(ks_arg_choice("--backend", arg, backends, &i, &err), &err);
		o->backend = i;
		return 0;
	case OPT_OPTION:
		parse_option(o, arg);
		return 0;
	case 'd':
		bad(ks_arg_duration("--duration", arg, NS, &o->duration_ns, &err), &err);
		return 0;
	case OPT_QUOTA:
		o->ignore_quota = true;
		return 0;
	case OPT_DIR:
		o->dir = arg;
		return 0;
	case OPT_FILE:
		if (o->from_file)
			cli_bad_usage("--file: one is enough");
		o->file = arg;
		return 0;
	case ARGP_KEY_ARG:
		parse_word(o, arg, state);
		return 0;
	case ARGP_KEY_END:
		if (o->file && !o->from_file)
			return 0; /* the file's turn comes */
		if (!o->policy)
			cli_bad_usage("which policy? `vcpu-policy list` shows them");
		o->boost.holder = !strcmp(o->policy, "holder-boost");
		if (strcmp(o->policy, "ple-boost") && !o->boost.holder)
			cli_bad_usage("no policy '%s'; `vcpu-policy list` shows them", o->policy);
		if (o->boost.holder && o->backend == CGROUP)
			cli_bad_usage("--backend: holder-boost is there for sched_ext only");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- the run ---- */

struct run {
	const struct options *o;
	struct ks_journal *journal;
	struct ks_vmset vms;
	struct ks_boost *boost;
	struct child child;
	struct state state;
	bool stop;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS + ts.tv_nsec;
}

/* What a killed predecessor has left is put back first. */
static int undo_leftovers(struct run *r, struct ks_err *err)
{
	struct ks_undone u;
	int ret = ks_journal_undo(r->journal, &u);

	if (ret)
		snprintf(err->msg, sizeof(err->msg),
			 "%s/journal: %u of %u changes of a policy that was killed cannot be "
			 "undone: %s",
			 r->o->dir, u.failed, u.entries, strerror(-ret));
	else if (u.undone)
		cli_warn("undid %u changes that a killed policy had left", u.undone);
	return ret;
}

static void tell_state(struct run *r)
{
	struct state *s = &r->state;

	s->last = s->sum;
	s->last_ns = s->now_ns;
	s->now_ns = now_ns();
	ks_boost_counts(r->boost, &s->sum);
	ks_share_read(&s->share, &r->vms);
	ks_boost_threads(r->boost, &s->taken, &s->left);
	ks_boost_pages(r->boost, &s->pages, &s->doubt);
	s->quota = ks_boost_left(r->boost, KS_VM_QUOTA);
	if (state_write(r->o->dir, s))
		cli_warn("%s/status.json cannot be written: `status` shows nothing new", r->o->dir);
}

static void look_at_signals(struct run *r)
{
	const struct timespec none = { 0, 0 };
	int sig = child_signal_within(&none);

	if (sig == SIGCHLD)
		r->stop |= r->child.pid && child_reaped(&r->child);
	else if (sig > 0)
		r->stop = true;
	if (r->o->duration_ns && now_ns() - r->state.begun_ns >= r->o->duration_ns)
		r->stop = true;
}

static int loop(struct run *r, struct ks_err *err)
{
	uint64_t second = now_ns();
	int ret = 0;

	while (!ret && !r->stop) {
		ret = ks_boost_poll(r->boost, 100, err);
		look_at_signals(r);
		if (now_ns() - second < NS)
			continue;
		second += NS;
		ks_boost_refresh(r->boost);
		tell_state(r);
	}
	return ret;
}

static void summary(const struct run *r, const struct ks_undone *u)
{
	const struct state *s = &r->state;

	cli_note("%u vCPU threads, %llu slices given up, %llu boosts; %u changes undone", s->taken,
		 (unsigned long long)s->sum.given, (unsigned long long)s->sum.boosted, u->undone);
	if (s->left)
		cli_warn("%u vCPU threads left alone: not scheduled by the fair class, or in a "
			 "cgroup "
			 "that cannot be divided without touching others",
			 s->left);
	if (s->quota)
		cli_warn("vCPU threads of VMs with a CPU quota were left alone (%u times); "
			 "--ignore-quota takes them",
			 s->quota);
	if (u->failed)
		cli_error("%u changes could not be undone: run `vcpu-policy restore`", u->failed);
}

static int attached(struct run *r, struct ks_err *err)
{
	struct ks_undone u;
	int ret = 0, end;

	r->state.backend = ks_boost_backend(r->boost);
	r->state.late = late_start();
	r->state.begun_ns = r->state.now_ns = now_ns();
	tell_state(r);
	if (r->o->command)
		ret = child_start(&r->child, r->o->command);
	if (ret)
		snprintf(err->msg, sizeof(err->msg), "%s: %s", r->o->command[0], strerror(-ret));
	else
		ret = loop(r, err);
	tell_state(r);
	late_stop(r->state.late);
	end = ks_boost_detach(r->boost, &u);
	state_remove(r->o->dir);
	summary(r, &u);
	/* The command outlives a policy that the kernel has ended: it is the user's. */
	if (ret == -ESHUTDOWN && r->child.pid && !r->child.done) {
		cli_error("%s", err->msg);
		while (!child_reaped(&r->child))
			child_signal_within(&(struct timespec){ 1, 0 });
		return ret;
	}
	child_end(&r->child);
	return ret ? ret : end;
}

static int run(const struct options *o, int *code, struct ks_err *err)
{
	struct run *r = calloc(1, sizeof(*r));
	enum ks_boost_backend how = o->backend == CGROUP ? KS_BOOST_CGROUP : KS_BOOST_SCX;
	int ret;

	if (!r)
		return -ENOMEM;
	r->o = o;
	r->vms.chosen = o->vm;
	r->vms.nchosen = o->nvms;
	/* In cgroups the kernel's own scheduler goes on, and its quotas hold. */
	r->vms.ignore_quota = o->ignore_quota || how == KS_BOOST_CGROUP;
	r->state.policy = o->policy;
	r->state.vms = &r->vms;
	child_signals();
	ret = ks_journal_open(&r->journal, o->dir, err);
	if (!ret)
		ret = undo_leftovers(r, err);
	if (!ret)
		ret = ks_boost_attach(&r->boost, how, &o->boost, &r->vms, r->journal, err);
	if (!ret)
		ret = attached(r, err);
	ks_journal_close(r->journal);
	*code = r->child.pid ? r->child.code : CLI_EXIT_OK;
	free(r);
	return ret;
}

int policy_attach(int argc, char **argv)
{
	const struct argp argp = { options,
				   parse,
				   "POLICY [-- COMMAND...]",
				   "Put the vCPU threads of VMs under a policy, until the command "
				   "ends, the time is over, SIGINT or SIGTERM; then everything is "
				   "put back. Nothing but these threads is touched.\v"
				   "Examples:\n"
				   "  vcpu-policy attach ple-boost --vm web-3\n"
				   "  vcpu-policy attach ple-boost -d 60 -- sleep 30\n",
				   NULL,
				   NULL,
				   NULL };
	struct options o = { .dir = KS_STATE_DIR, .boost.grace_ns = GRACE_NS };
	struct ks_err err = { "out of memory" };
	int code = 0, ret = cli_parse(&argp, argc, argv, &o), n;

	if (ret)
		return ret;
	if (o.file && file_args(o.file, argv[0], &n, &o.from_file, &err))
		cli_usage(&err);
	ret = o.from_file ? cli_parse(&argp, n, o.from_file, &o) : 0;
	if (!ret && geteuid()) {
		cli_error("run as root: scheduling of other people's threads is changed");
		ret = CLI_EXIT_LACKING;
	} else if (!ret) {
		ret = run(&o, &code, &err);
		ret = ret ? cli_fail(ret, &err) : code;
	}
	file_args_free(o.from_file);
	return ret;
}
