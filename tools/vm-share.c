// SPDX-License-Identifier: GPL-2.0
#include "cli.h"
#include "vm-share/commands.h"

static const struct cli_command commands[] = {
	{ "apply", share_apply, "hold VMs to a plan: each CPU is one VM's" },
	{ "move", share_move, "hand CPUs of one VM over to another one" },
	{ "status", share_status, "who has what, and who does not keep to it" },
	{ "restore", share_restore, "mend what an interrupted hand-over has left" },
	{ "release", share_release, "end it: everything as before" },
	{ "watch", share_watch, "hold VMs to the plan that break their word" },
	{ "agent", share_agent, "in a guest: give CPUs up when the host asks for them" },
	{ "check", share_check, "say what this machine can do, and why not" },
	{ 0 },
};

int main(int argc, char **argv)
{
	return cli_dispatch(argc, argv, commands,
			    "One machine, exclusively shared by VMs that see all of it.",
			    "  vm-share apply web=cpus:0-3 db=cpus:4-7\n"
			    "  vm-share move cpu 4-5 db web\n"
			    "  vm-share status\n");
}
