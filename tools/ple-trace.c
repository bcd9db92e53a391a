// SPDX-License-Identifier: GPL-2.0
#include "cli.h"
#include "ple-trace/commands.h"

static const struct cli_command commands[] = {
	{ "record", ple_record, "record PLE and HLT exits and the vCPUs' scheduling" },
	{ "top", ple_top, "show them live, a line per vCPU" },
	{ "serve", ple_serve, "serve them as metrics to Prometheus" },
	{ "report", ple_report, "say what is in recordings" },
	{ "check", ple_check, "say what this machine can do, and why not" },
	{ 0 },
};

int main(int argc, char **argv)
{
	return cli_dispatch(
		argc, argv, commands,
		"PAUSE and HLT exits of KVM guests, and what the host did with their vCPUs.",
		"  ple-trace record -o host.kvs -d 10\n"
		"  ple-trace top --vm web-3\n"
		"  ple-trace serve\n"
		"  ple-trace report host.kvs\n");
}
