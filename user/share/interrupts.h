/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest's interrupts and unbound kernel work, which no cpuset moves: off the CPUs that were given up, and those that come later not onto them. Each is in the
 * journal before it is moved for the first time, so that to undo that puts it where it was.
 */
#ifndef KVMSCHED_SHARE_INTERRUPTS_H
#define KVMSCHED_SHARE_INTERRUPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cpus.h"

struct ks_journal;

#define KS_IRQS 16384u /* higher numbers are left alone */

/* What is in the journal already; begins as all zeroes. */
struct ks_interrupts {
	uint64_t irq[KS_IRQS / 64];
	bool work, later;
	struct ks_cpus last; /* where they were moved to */
};

/* To these CPUs, all that can be moved and are on others. Those that somebody else has put on some of these stay. root: as ks_read_line() has it. */
void ks_interrupts_move(struct ks_interrupts *known, const char *root, struct ks_journal *j,
			const struct ks_cpus *may);

#endif /* KVMSCHED_SHARE_INTERRUPTS_H */
