// SPDX-License-Identifier: GPL-2.0
#include "commands.h"
#include "reporting.h"

int lock_report(int argc, char **argv)
{
	return reporting_main(
		argc, argv, KS_REPORT_LOCKS, "HOST.kvs [[VM=]GUEST.kvs...]",
		"Lay the guests' spinlock waits over what their host did, and say why "
		"they took so long.\v"
		"Examples:\n"
		"  lock-timeline report host.kvs guest.kvs\n"
		"  lock-timeline report --json host.kvs guest.kvs | jq .traces[0].vms[0].waits\n");
}
