// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "cli.h"
#include "inputs.h"
#include "options.h"

enum { OPT_VM = 0x200, OPT_KALLSYMS, OPT_VMLINUX, OPT_GAP };

static const struct argp_option options[] = {
	CLI_VM(OPT_VM),
	CLI_KALLSYMS(OPT_KALLSYMS),
	{ "guest-vmlinux", OPT_VMLINUX, "FILE", 0,
	  "take them, and source lines, from this ELF file", 0 },
	CLI_BURST_GAP(OPT_GAP),
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct inputs *in = state->input;
	struct ks_err err;

	switch (key) {
	case OPT_VM:
		in->files.vm = arg;
		return 0;
	case OPT_KALLSYMS:
		in->names.kallsyms = arg;
		return 0;
	case OPT_VMLINUX:
		in->names.vmlinux = arg;
		return 0;
	case OPT_GAP:
		if (cli_burst_gap(arg, &in->analysis.burst_gap_ns, &err))
			cli_usage(&err);
		return 0;
	case ARGP_KEY_ARGS:
		in->args = state->argv + state->next;
		in->nargs = state->argc - state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		cli_bad_usage("which recordings? name at least the host's");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp inputs_argp = { .options = options, .parser = parse };

int inputs_names(struct opened *o, const struct inputs *in, struct ks_err *err)
{
	int ret = ks_names_new(&o->names, &in->names);

	if (ret)
		snprintf(err->msg, sizeof(err->msg), "out of memory");
	return ret;
}

int inputs_open(struct opened *o, const struct inputs *in, const struct ks_analysis_ops *ops,
		struct ks_err *err)
{
	struct ks_analysis_opts a = in->analysis;
	int ret = ks_session_open(&o->session, &in->files, err);

	if (ret)
		return ret;
	a.ip_class = ks_names_ip_class;
	a.ip_ctx = o->names;
	a.halted_spins = true; /* most guests have paravirtual spinlocks */
	ret = ks_session_start(o->session, &a, ops, err);
	return ret ? ret : ks_names_load(o->names, o->session, err);
}

volatile int inputs_stop;

static void on_signal(int sig)
{
	(void)sig;
	inputs_stop = 1;
}

void inputs_catch(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };
	struct sigaction old;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN) /* nohup */
		sigaction(SIGHUP, &sa, NULL);
}

int inputs_watch(struct opened *o, const struct ks_session_watch *w, struct ks_err *err)
{
	struct ks_session_watch watch = *w;
	int ret;

	inputs_catch();
	watch.stop = &inputs_stop;
	ret = ks_session_run(o->session, &watch, err);
	if (!ret && inputs_stop) {
		snprintf(err->msg, sizeof(err->msg), "interrupted");
		ret = -ECANCELED;
	}
	return ret;
}

int inputs_run(struct opened *o, struct ks_err *err)
{
	return inputs_watch(o, &(struct ks_session_watch){ .stop = NULL }, err);
}

void inputs_close(struct opened *o)
{
	ks_names_free(o->names);
	if (o->session)
		ks_session_close(o->session);
	memset(o, 0, sizeof(*o));
}

void inputs_host_and_guests(struct inputs *in)
{
	in->files.host = in->args[0];
	in->files.guests = (const char *const *)in->args + 1;
	in->files.nguests = in->nargs - 1;
}
