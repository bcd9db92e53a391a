// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "args.h"
#include "cli.h"
#include "cpu.h"
#include "side.h"
#include "vm.h"

enum side side_parse(const char *arg)
{
	static const char *const sides[] = { "guest", "host", NULL };
	struct ks_err err;
	unsigned int i = 0;

	if (ks_arg_choice("--side", arg, sides, &i, &err))
		cli_usage(&err);
	return SIDE_GUEST + i;
}

static bool runs_vms(void)
{
	struct ks_vmlist l;
	bool some;

	if (ks_vm_list(NULL, &l))
		return false;
	some = l.n > 0;
	ks_vm_list_free(&l);
	return some;
}

enum side side_of(enum side said)
{
	struct ks_machine m;
	enum side side;

	if (said != SIDE_NOT_SAID)
		return said;
	side = SIDE_HOST;
	if (!runs_vms() && !ks_machine_read(NULL, &m)) {
		if (m.guest)
			side = SIDE_GUEST;
		ks_machine_release(&m);
	}
	cli_note("as a %s (--side tells otherwise)", side == SIDE_HOST ? "host" : "guest");
	return side;
}
