// SPDX-License-Identifier: GPL-2.0
#include "checking.h"
#include "commands.h"

int lock_check(int argc, char **argv)
{
	return checking_main(
		argc, argv, KS_FOR_GUEST,
		"Say what lock-timeline can record on this machine, and why not. Exit "
		"code 3 if it cannot record at all.\v"
		"Examples:\n"
		"  lock-timeline check\n"
		"  lock-timeline check --json | jq 'select(.status == \"missing\")'\n");
}
