// SPDX-License-Identifier: GPL-2.0
#include "checking.h"
#include "commands.h"

int ple_check(int argc, char **argv)
{
	return checking_main(argc, argv, KS_FOR_HOST,
			     "Say what ple-trace can do on this machine, and why not. Exit code 3 "
			     "if it cannot record at all.\v"
			     "Examples:\n"
			     "  ple-trace check\n"
			     "  ple-trace check --json | jq 'select(.status == \"missing\")'\n");
}
