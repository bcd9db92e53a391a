// SPDX-License-Identifier: GPL-2.0
#include "options.h"

#include "args.h"

int cli_burst_gap(const char *arg, uint64_t *ns, struct ks_err *err)
{
	int ret = ks_arg_duration("--burst-gap", arg, 0, ns, err);

	return ret ? ret : ks_arg_not_zero("--burst-gap", *ns, err);
}
