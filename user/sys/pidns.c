// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "err.h"
#include "pidns.h"

#define INITIAL 0xeffffffcu /* PROC_PID_INIT_INO of include/linux/proc_ns.h, since 3.8 */

uint64_t ks_pidns(const char *root)
{
	char path[PATH_MAX], to[64];
	uint64_t inode;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/proc/self/ns/pid", root ? root : "");
	n = readlink(path, to, sizeof(to) - 1);
	if (n < 0)
		return 0;
	to[n] = '\0';
	return sscanf(to, "pid:[%" SCNu64 "]", &inode) == 1 ? inode : 0;
}

bool ks_pidns_is_initial(const char *root)
{
	uint64_t own = ks_pidns(root);

	return !own || own == INITIAL;
}

int ks_pidns_check(const char *root, struct ks_err *err)
{
	if (ks_pidns_is_initial(root))
		return 0;
	return ks_fail(err, -ENOTSUP,
		       "in a PID namespace of its own, where processes have other numbers than for "
		       "the kernel: run it in the host's (hostPID: true, docker --pid=host)");
}
