// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "boost.h"
#include "cli.h"
#include "commands.h"
#include "file.h"
#include "live.h"
#include "options.h"
#include "pidns.h"
#include "wake.h"

#define NS 1000000000u
#define MAX_CHOSEN 256

#define GRACE_NS 200000
#define SLICE_MOST NS /* ns */

struct options {
	const char *policy, *dir;
	const char *vm[MAX_CHOSEN];
	unsigned int nvms;
	uint64_t duration_ns;
	struct ks_boost_opts boost;
	struct ks_wake_opts wake;
	const char *only_boost, *only_wake; /* an --option that is not for all policies */
	enum { AUTO, SCHED_EXT, CGROUP } backend;
	bool ignore_quota;
	const char *file;
	char **from_file; /* what it says, as arguments: strings above point there */
	char **command;
};

enum { OPT_VM = 0x100, OPT_BACKEND, OPT_OPTION, OPT_FILE, OPT_QUOTA, OPT_DIR, OPT_POLICY };

static const struct argp_option options[] = {
	CLI_VM(OPT_VM),
	{ "backend", OPT_BACKEND, "auto|sched_ext|cgroup", 0,
	  "by what means: auto is sched_ext; cgroup (weights, nice values) is for kernels "
	  "without, weaker, and may do harm: try it",
	  0 },
	{ "option", OPT_OPTION, "KEY=VALUE", 0,
	  "slice=TIME (3ms), spin=TIME (200us): how old a vCPU's last PLE exit may be for it to "
	  "count as spinning; grace=TIME (200us), part=on|off (on): holder-boost; hold=TIME (6ms; "
	  "cgroup); short=TIME (1ms; vnuma-wake): who sleeps for less is a short sleeper; "
	  "poll=TIME (vnuma-wake; 1ms in a KVM guest that sees steal time and does not use "
	  "cpuidle_haltpoll, else 0): an idle CPU waits awake for at most so long before it "
	  "halts; gather=on|off (on; vnuma-wake): with poll, threads that run for moments share "
	  "the vCPUs that run where the host keeps the idle ones waiting; for comparison: "
	  "boost=on|off, order=fair|fifo",
	  0 },
	CLI_DURATION,
	{ "for", 0, NULL, OPTION_ALIAS, NULL, 0 },
	{ "file", OPT_FILE, "FILE", 0,
	  "options from a file, one per line without dashes, and policy=NAME", 0 },
	{ "policy", OPT_POLICY, "NAME", OPTION_HIDDEN, "as a file says it", 0 },
	{ "ignore-quota", OPT_QUOTA, NULL, 0,
	  "also take VMs (vnuma-wake: any cgroups) with a CPU quota (cpu.max), which sched_ext "
	  "does "
	  "not enforce",
	  0 },
	{ "state-dir", OPT_DIR, "DIR", 0, "what is kept of it lies here (" KS_STATE_DIR ")", 0 },
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

/* A time of no length would mean the usual one. */
static uint64_t parse_time(const char *name, const char *value)
{
	struct ks_err err;
	uint64_t ns;

	bad(ks_arg_duration(name, value, 0, &ns, &err), &err);
	if (!ns)
		cli_bad_usage("%s: more than 0", name);
	return ns;
}

/* Is it one of vnuma-wake's own? */
static bool parse_wake(struct options *o, const char *arg, const char *value)
{
	unsigned int off = o->wake.no_gather;
	struct ks_err err;

	if (!strncmp(arg, "short=", 6))
		o->wake.short_ns = parse_time("--option short", value);
	else if (!strncmp(arg, "poll=", 5))
		bad(ks_arg_duration("--option poll", value, 0, &o->wake.poll_ns, &err), &err);
	else if (!strncmp(arg, "gather=", 7))
		bad(ks_arg_choice("--option gather", value, on_off, &off, &err), &err);
	else
		return false;
	o->wake.no_gather = off;
	if (o->wake.poll_ns > KS_WAKE_POLL_MOST && o->wake.poll_ns != KS_WAKE_POLL_AUTO)
		cli_bad_usage(
			"--option poll: 10ms at most; a CPU that waits awake runs nothing else");
	o->only_wake = arg;
	return true;
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
		o->boost.slice_ns = parse_time("--option slice", value);
		if (o->boost.slice_ns > SLICE_MOST)
			cli_bad_usage("--option slice: 1s at most; others wait so long");
		o->wake.slice_ns = o->boost.slice_ns;
		return;
	}
	if (parse_wake(o, arg, value))
		return;
	o->only_boost = arg;
	if (!strncmp(arg, "spin=", 5)) {
		o->boost.spin_ns = parse_time("--option spin", value);
	} else if (!strncmp(arg, "boost=", 6)) {
		bad(ks_arg_choice("--option boost", value, on_off, &i, &err), &err);
		o->boost.plain = i;
	} else if (!strncmp(arg, "order=", 6)) {
		bad(ks_arg_choice("--option order", value, orders, &i, &err), &err);
		o->boost.fifo = i;
	} else if (!strncmp(arg, "grace=", 6)) {
		bad(ks_arg_duration("--option grace", value, 0, &o->boost.grace_ns, &err), &err);
	} else if (!strncmp(arg, "part=", 5)) {
		bad(ks_arg_choice("--option part", value, on_off, &i, &err), &err);
		o->boost.keep_convoys = i;
	} else if (!strncmp(arg, "hold=", 5)) {
		o->boost.hold_ns = parse_time("--option hold", value);
	} else {
		cli_bad_usage("--option: no '%s'; there are slice, spin, grace, part, hold, short, "
			      "poll, boost and order",
			      arg);
	}
}

static void set_policy(struct options *o, const char *policy)
{
	if (o->policy && strcmp(o->policy, policy))
		cli_bad_usage("policy %s and policy %s", o->policy, policy);
	o->policy = policy;
}

/* What comes behind -- is a command, whether or not a policy came before it. */
static void parse_word(struct options *o, char *arg, struct argp_state *state)
{
	if (!o->policy && !(state->quoted && state->next > state->quoted)) {
		o->policy = arg;
		return;
	}
	o->command = state->argv + state->next - 1;
	state->next = state->argc;
}

static bool is_wake(const struct options *o)
{
	return !strcmp(o->policy, "vnuma-wake");
}

/* All has been read: does it go together? */
static void check(struct options *o)
{
	if (!o->policy)
		cli_bad_usage("which policy? `vcpu-policy list` shows them");
	o->boost.holder = !strcmp(o->policy, "holder-boost");
	o->wake.ignore_quota = o->ignore_quota;
	if (strcmp(o->policy, "ple-boost") && !o->boost.holder && !is_wake(o))
		cli_bad_usage("no policy '%s'; `vcpu-policy list` shows them", o->policy);
	if (o->backend == CGROUP && strcmp(o->policy, "ple-boost"))
		cli_bad_usage("--backend: %s is there for sched_ext only", o->policy);
	if (is_wake(o) && o->nvms)
		cli_bad_usage("--vm: vnuma-wake is for all threads of this machine");
	if (is_wake(o) ? o->only_boost : o->only_wake)
		cli_bad_usage("--option %s is not for %s",
			      is_wake(o) ? o->only_boost : o->only_wake, o->policy);
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
	case OPT_POLICY:
		set_policy(o, arg);
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
		cli_log_probes();
		check(o);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* ---- the run ---- */

static int run(const struct options *o, int *code, struct ks_err *err)
{
	struct live *l;
	/* Before what a killed policy has left is undone: its threads would be taken for ended. */
	int ret = is_wake(o) ? 0 : ks_pidns_check(NULL, err);

	if (ret)
		return ret;
	if (is_wake(o))
		l = live_wake(&o->wake);
	else
		l = live_boost(&o->boost, o->backend == CGROUP, o->vm, o->nvms, o->ignore_quota);
	if (!l)
		return -ENOMEM;
	l->dir = o->dir;
	l->duration_ns = o->duration_ns;
	l->command = o->command;
	l->state.policy = o->policy;
	ret = live_run(l, code, err);
	free(l);
	return ret;
}

int policy_attach(int argc, char **argv)
{
	const struct argp argp = { options,
				   parse,
				   "POLICY [-- COMMAND...]",
				   "Put the vCPU threads of VMs (vnuma-wake: all threads of this "
				   "machine) under a policy, until the command ends, the time is "
				   "over, SIGINT or SIGTERM; then everything is put back. No "
				   "other thread is moved.\v"
				   "Examples:\n"
				   "  vcpu-policy attach ple-boost --vm web-3\n"
				   "  vcpu-policy attach ple-boost -- ./benchmark\n"
				   "  vcpu-policy attach vnuma-wake -- ./lu.C.x\n",
				   NULL,
				   NULL,
				   NULL };
	struct options o = { .dir = KS_STATE_DIR,
			     .boost.grace_ns = GRACE_NS,
			     .wake.poll_ns = KS_WAKE_POLL_AUTO };
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
