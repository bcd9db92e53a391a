// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "err.h"
#include "scx.h"
#include "text.h"

enum ks_scx_state ks_scx_state(const char *root, char *ops, size_t size)
{
	char state[32];

	ops[0] = 0;
	if (ks_read_line(root, state, sizeof(state), "/sys/kernel/sched_ext/state"))
		return KS_SCX_NONE;
	if (!strcmp(state, "disabled"))
		return KS_SCX_FREE;
	if (ks_read_line(root, ops, size, "/sys/kernel/sched_ext/root/ops"))
		snprintf(ops, size, "a scheduler that is %s", state);
	return KS_SCX_USED;
}

int ks_scx_free(const char *root, struct ks_err *err)
{
	char ops[128];

	switch (ks_scx_state(root, ops, sizeof(ops))) {
	case KS_SCX_NONE:
		return ks_fail(err, -ENODEV,
			       "this kernel has no sched_ext (needs 6.12 or later, built with "
			       "CONFIG_SCHED_CLASS_EXT); for --backend cgroup see vcpu-policy(1)");
	case KS_SCX_USED:
		return ks_fail(
			err, -EBUSY,
			"another sched_ext scheduler is loaded (%.60s): there can be one only",
			ops);
	default:
		return 0;
	}
}
