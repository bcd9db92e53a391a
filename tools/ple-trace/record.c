// SPDX-License-Identifier: GPL-2.0

#include "args.h"
#include "child.h"
#include "cli.h"
#include "commands.h"
#include "hostside.h"
#include "options.h"

struct options {
	struct record_opts rec;
	struct hostside_opts side;
	unsigned int mode;
};

static const char *const modes[] = { "events", "bursts", NULL };

enum { OPT_VM = 0x100, OPT_MODE, OPT_GAP, OPT_VCPUS, OPT_MEMORY, OPT_NO_CAST };

static const struct argp_option options[] = {
	CLI_VM(OPT_VM),
	CLI_MODE(OPT_MODE, "events|bursts",
		 "(events: every PLE exit; bursts: those of a burst as one record; events)"),
	CLI_BURST_GAP(OPT_GAP),
	{ "max-vcpus", OPT_VCPUS, "N", 0, "room for N vCPUs (4096)", 0 },
	HOSTSIDE_MEMORY(OPT_MEMORY, "(never; the kernel walks all of it)"),
	{ "no-rdonly-cast", OPT_NO_CAST, NULL, OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct ks_err err;
	uint64_t v;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->rec;
		return 0;
	case OPT_VM:
		vm_filter_add(&o->side.vms, arg);
		return 0;
	case OPT_MODE:
		if (ks_arg_choice("--mode", arg, modes, &o->mode, &err))
			cli_usage(&err);
		return 0;
	case OPT_GAP:
		if (cli_burst_gap(arg, &o->side.host.burst_gap_ns, &err))
			cli_usage(&err);
		return 0;
	case OPT_VCPUS:
		if (ks_arg_uint("--max-vcpus", arg, 1, 1000000, &v, &err))
			cli_usage(&err);
		o->side.host.vcpus = v;
		return 0;
	case OPT_MEMORY:
		hostside_memory(arg, &o->side.memory_ns);
		return 0;
	case OPT_NO_CAST:
		o->side.host.no_rdonly_cast = true;
		return 0;
	case ARGP_KEY_END:
		if (!o->rec.out)
			cli_bad_usage("where to? give -o FILE");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int ple_record(int argc, char **argv)
{
	const struct argp_child children[] = { { &record_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		options,
		parse,
		"[-- COMMAND [ARG...]]",
		"Record the PLE and HLT exits of this host's VMs and what its "
		"scheduler does with their vCPUs, until COMMAND ends or a signal "
		"comes.\v"
		"Examples:\n"
		"  ple-trace record -o host.kvs -d 10\n"
		"  ple-trace record -o host.kvs --vm web-3 --mode bursts -- sleep 5\n",
		children,
		NULL,
		NULL
	};
	struct options o = { .mode = 0 };
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	child_signals();
	o.side.tool = "ple-trace";
	o.side.rec = &o.rec;
	o.side.host.fold = o.mode == 1;
	ret = hostside_record(&o.side);
	vm_filter_free(&o.side.vms);
	return ret;
}
