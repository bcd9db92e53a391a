/* SPDX-License-Identifier: GPL-2.0 */
/* What `apply' does, for those that keep a plan. All return the exit code. */
#ifndef KVMSCHED_SHARE_APPLY_H
#define KVMSCHED_SHARE_APPLY_H

#include "plan.h"
#include "turn.h"

/* Parts of a plan and names of files. free() it. What is no plan ends the process. */
int apply_read(char **words, struct ks_plan **plan);

/* Apply it as far as its VMs are there. */
int apply_present(const struct turn_options *o, const struct ks_plan *plan);

/*
 * The same if one of these is not held to it, as a VM that has just begun; and if there is a book at all: else it was
 * released, and stays so.
 */
int apply_lacking(const struct turn_options *o, const struct ks_plan *plan);

/* As `restore' does it. */
int restore_mend(const struct turn_options *o);

#endif /* KVMSCHED_SHARE_APPLY_H */
