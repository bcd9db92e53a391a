// SPDX-License-Identifier: GPL-2.0
#include "child.h"
#include "cli.h"
#include "commands.h"
#include "options.h"
#include "side.h"
#include "top.h"

struct options {
	struct toploop loop;
	struct vm_filter vms;
	enum side side;
};

enum { OPT_VM = 0x100, OPT_SIDE };

static const struct argp_option options[] = {
	SIDE_OPTION(OPT_SIDE),
	CLI_VM(OPT_VM),
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->loop;
		return 0;
	case OPT_SIDE:
		o->side = side_parse(arg);
		return 0;
	case OPT_VM:
		vm_filter_add(&o->vms, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int vnuma_top(int argc, char **argv)
{
	const struct argp_child children[] = { { &toploop_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { options,
				   parse,
				   NULL,
				   "In a guest: show live, by CPU, the node that it believes, "
				   "busy, idle and steal shares, "
				   "threads that came from other CPUs by who moved them, and "
				   "wake-ups that passed over an idle "
				   "CPU or found theirs overloaded. On a host: by vCPU, where it "
				   "runs and on which nodes it "
				   "did. Drift needs both sides: record them, and see `report`.\v"
				   "Examples:\n"
				   "  vnuma-trace top\n"
				   "  vnuma-trace top --json -n 3 | jq -c .wasted_ns\n",
				   children,
				   NULL,
				   NULL };
	struct options o = { .side = SIDE_NOT_SAID };
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	child_signals();
	o.side = o.vms.n ? SIDE_HOST : side_of(o.side);
	ret = o.side == SIDE_HOST ? top_host(&o.loop, &o.vms) : top_guest(&o.loop);
	vm_filter_free(&o.vms);
	return ret;
}
