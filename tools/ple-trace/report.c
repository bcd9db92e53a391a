// SPDX-License-Identifier: GPL-2.0
#include "commands.h"
#include "reporting.h"

int ple_report(int argc, char **argv)
{
	return reporting_main(argc, argv, KS_REPORT_PLE, "HOST.kvs...",
			      "Print exits, bursts of PLE exits and the scheduling of vCPUs in "
			      "recordings of `ple-trace record`.\v"
			      "Examples:\n"
			      "  ple-trace report host.kvs\n"
			      "  ple-trace report --json host.kvs | jq .traces[0].vms[0].pause\n");
}
