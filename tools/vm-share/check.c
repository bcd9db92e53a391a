// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <unistd.h>

#include "cgroup.h"
#include "cli.h"
#include "commands.h"
#include "force.h"
#include "pidns.h"
#include "text.h"
#include "vm.h"

static const struct argp_option options[] = { { 0 } };

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)state;
	if (key == ARGP_KEY_ARG)
		cli_bad_usage("'%s' is too much", arg);
	return ARGP_ERR_UNKNOWN;
}

static bool line(bool ok, const char *what, const char *good, const char *bad)
{
	printf("%-9s %-14s %s\n", ok ? "ok" : "missing", what, ok ? good : bad);
	return ok;
}

static bool check_both(void)
{
	bool ok = line(!geteuid(), "root", "", "run as root");

	return line(ks_exists(NULL, "/dev/vsock"), "vsock", "",
		    "load the module (modprobe vsock, vhost_vsock on a host, "
		    "vmw_vsock_virtio_transport in a guest); without it VMs are held down by "
		    "force") &&
	       ok;
}

/* This process has run, so where the kernel counts, there is something to see. */
static bool counts_runs(void)
{
	struct ks_vcpu_look look;

	return !ks_vcpu_look(NULL, (uint32_t)getpid(), (uint32_t)getpid(), &look);
}

static void check_vms(void)
{
	struct ks_vmlist list;
	unsigned int cids = 0;
	size_t i;

	if (!ks_pidns_is_initial(NULL))
		printf("%-9s %-14s its own: VMs outside it are not seen; hostPID: true, docker "
		       "--pid=host\n",
		       "degraded", "PID namespace");
	if (ks_vm_list(NULL, &list))
		return;
	for (i = 0; i < list.n; i++)
		cids += list.vm[i].cid != 0;
	printf("%-9s %-14s %zu, %u of them with a vsock device\n", "ok", "VMs", list.n, cids);
	ks_vm_list_free(&list);
}

int share_check(int argc, char **argv)
{
	const struct argp argp = { .options = options,
				   .parser = parse,
				   .doc = "Say what this machine can do as a host or as a guest, "
					  "and why not. Exit code 3 "
					  "if it can be neither.\v"
					  "Examples:\n"
					  "  vm-share check\n" };
	bool host, guest;
	int ret = cli_parse(&argp, argc, argv, NULL);

	if (ret)
		return ret;
	check_both();
	guest = line(ks_cgroup_has_controller(NULL, "cpuset"), "guest: cpuset",
		     "agents can confine all tasks",
		     "no cgroup v2 at " KS_CGROUPFS " with the controller cpuset: no agent");
	host = line(ks_cgroup_has_controller(NULL, "cpu"), "host: cpu",
		    "VMs can be held down by force",
		    "no cgroup v2 at " KS_CGROUPFS
		    " with the controller cpu: guests without an agent cannot be held");
	line(counts_runs(), "schedstat", "a host sees whether vCPUs idle",
	     "the kernel does not count who runs (CONFIG_SCHED_INFO): a host believes no agent, "
	     "and holds all given-up vCPUs down");
	check_vms();
	return cli_end(host || guest ? CLI_EXIT_OK : CLI_EXIT_LACKING);
}
