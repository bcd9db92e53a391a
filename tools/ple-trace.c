// SPDX-License-Identifier: GPL-2.0
#include "cli.h"
#include "ple-trace/commands.h"

static const struct cli_command commands[] = {
	{ "record", ple_record, "record PLE and HLT exits and the vCPUs' scheduling" },
	{ 0 },
};

int main(int argc, char **argv)
{
	return cli_dispatch(argc, argv, commands,
			   "PAUSE and HLT exits of KVM guests, and what the host did with their vCPUs.",
			   "  ple-trace record -o host.kvs -d 10\n"
			   "  ple-trace top --vm web-3\n"
			   "  ple-trace report host.kvs\n");
}
