// SPDX-License-Identifier: GPL-2.0
#include "cli.h"
#include "vcpu-policy/commands.h"

static const struct cli_command commands[] = {
	{ "list", policy_list, "the policies, and what this machine can run" },
	{ "attach", policy_attach,
	  "put VMs, or a guest's threads, under a policy until it is ended" },
	{ "status", policy_status, "what the attached policy does" },
	{ "detach", policy_detach, "end the attached policy, put everything back" },
	{ "restore", policy_restore, "put back what a killed policy has left behind" },
	{ 0 },
};

int main(int argc, char **argv)
{
	return cli_dispatch(argc, argv, commands,
			    "Live scheduling policies for KVM guests, undone when they end.",
			    "  vcpu-policy attach ple-boost --vm web-3\n"
			    "  vcpu-policy attach ple-boost -d 60 -- sleep 30\n"
			    "  vcpu-policy status\n");
}
