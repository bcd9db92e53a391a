// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "cpus.h"
#include "isolate.h"
#include "text.h"

#define GROUP "/" KS_ISOLATED
#define PARTITION "cpuset.cpus.partition"

/* Where the kernel cannot keep it, it says "isolated invalid (...)". */
static bool holds(const char *root)
{
	char is[256];

	return !ks_read_line(root, is, sizeof(is), KS_CGROUPFS GROUP "/" PARTITION) &&
	       !strcmp(is, "isolated");
}

void ks_isolated(const char *root, struct ks_cpus *cpus)
{
	char text[KS_CPUS_TEXT];

	memset(cpus, 0, sizeof(*cpus));
	if (holds(root) &&
	    !ks_read_line(root, text, sizeof(text), KS_CGROUPFS GROUP "/cpuset.cpus"))
		ks_cpus_parse("cpuset", text, cpus, NULL);
}

/*
 * A controller that is switched on in a cgroup cannot be switched off in the one above (EBUSY; cgroup-v2.rst, "Top-down
 * Constraint"). Systemd tries to, in the root, with each that no unit of its own wants, when it begins certain units; all
 * cpusets would be gone.
 */
int ks_isolate_prepare(const char *root)
{
	char path[512];

	snprintf(path, sizeof(path), "%s" KS_CGROUPFS GROUP, root ? root : "");
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	return ks_cgroup_write(root, GROUP, "cgroup.subtree_control", "+cpuset");
}

int ks_isolate(const char *root, const struct ks_cpus *cpus)
{
	char text[KS_CPUS_TEXT];
	int ret;

	ret = ks_cgroup_write(root, GROUP, "cpuset.cpus", ks_cpus_print(cpus, text, sizeof(text)));
	if (!ret)
		ret = ks_cgroup_write(root, GROUP, PARTITION, "isolated");
	if (!ret && !holds(root))
		ret = -ENOTSUP;
	if (ret)
		ks_isolate_none(root);
	return ret;
}

void ks_isolate_none(const char *root)
{
	ks_cgroup_write(root, GROUP, PARTITION, "member");
}

void ks_isolate_end(const char *root)
{
	char path[512];

	snprintf(path, sizeof(path), "%s" KS_CGROUPFS GROUP, root ? root : "");
	rmdir(path);
}
