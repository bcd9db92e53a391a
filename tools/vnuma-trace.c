// SPDX-License-Identifier: GPL-2.0
#include "cli.h"
#include "vnuma-trace/commands.h"

static const struct cli_command commands[] = {
	{ "record", vnuma_record,
	  "in a guest: its scheduler and topology; on a host: vCPUs and memory" },
	{ "report", vnuma_report, "say where vCPUs and memory drifted to, and what was wasted" },
	{ "plot", vnuma_plot, "draw vCPUs by node, drift, and threads that change their CPU" },
	{ "top", vnuma_top, "live table: in a guest by CPU, on a host by vCPU and node" },
	{ 0 },
};

int main(int argc, char **argv)
{
	return cli_dispatch(
		argc, argv, commands,
		"Virtual NUMA of KVM guests: what a guest believes, and what its host does.",
		"  vnuma-trace record -o host.kvs --side host\n"
		"  vnuma-trace record -o guest.kvs -- make -j8\n"
		"  vnuma-trace report host.kvs guest.kvs\n");
}
