// SPDX-License-Identifier: GPL-2.0
#include "commands.h"
#include "reporting.h"

int ple_report(int argc, char **argv)
{
	return reporting_main(argc, argv, KS_REPORT_PLE, "HOST.kvs...",
			      "Print exits, bursts of PLE exits and the scheduling of vCPUs in "
			      "recordings of `ple-trace record`.");
}
