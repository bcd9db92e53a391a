/* SPDX-License-Identifier: GPL-2.0 */
/* What `apply' does, for those that keep a plan. All return the exit code. */
#ifndef KVMSCHED_SHARE_APPLY_H
#define KVMSCHED_SHARE_APPLY_H

#include "plan.h"
#include "turn.h"

/* Parts of a plan and names of files. free() it. What is no plan ends the process. */
int apply_read(char **words, struct ks_plan **plan);

/* Which VMs of a plan must be there, and what for. */
enum apply_how {
	APPLY_ALL,     /* all, or it cannot be */
	APPLY_PRESENT, /* as far as they are, and it is clear which ones they are */
	/*
	 * The same if one of these is not held to it, as a VM that has just begun; and if there is a book at all: else it was
	 * released, and stays so.
	 */
	APPLY_LACKING,
};

/* *begun: set if that has changed anything, or there was nothing to change; it may have failed all the same. */
int apply_plan(const struct turn_options *o, const struct ks_plan *plan, enum apply_how how,
	       bool *begun);

/* As `restore' does it. */
int restore_mend(const struct turn_options *o);

#endif /* KVMSCHED_SHARE_APPLY_H */
