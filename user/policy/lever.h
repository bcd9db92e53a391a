/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a vCPU thread's part of its VM's time is changed, from user space and for a moment: by cpu.weight if
 * it has a cgroup of its own, as libvirt makes one for each vCPU, else by its nice value. No cgroup is
 * made: among threads of one cgroup a directed yield takes the spinner's turn away, between cgroups it
 * does not (the kernel's yield_task_fair() ends the turn in the thread's own queue alone).
 */
#ifndef KVMSCHED_LEVER_H
#define KVMSCHED_LEVER_H

#include <stdbool.h>
#include <stdint.h>

#include "journal.h"
#include "thread.h"

#define KS_LEVER_VALUES 8

enum ks_lever_place { KS_LEVER_USUAL, KS_LEVER_DOWN, KS_LEVER_UP };

struct ks_lever {
	int fd;				/* of its cgroup's cpu.weight; -1: its nice value */
	uint32_t usual;			/* weight as it was */
	uint32_t weight;		/* as we have left it */
	uint32_t ours[KS_LEVER_VALUES]; /* weights that are journalled: no others are written */
	unsigned int nours;
	char *path; /* of the cgroup */
	struct ks_journal *journal;
	struct ks_thread thread;
	enum ks_lever_place place;
};

/*
 * For a thread of this process; journalled, nothing is changed yet. 0; -ESRCH: it has ended; -EPERM: it
 * is not scheduled by the fair class; -errno.
 */
int ks_lever_take(struct ks_lever *l, struct ks_journal *j, uint32_t tgid, uint32_t tid);

/*
 * The thread may have come into a cgroup of its own since: libvirt puts one that is plugged there when it runs already.
 * Its nice value is as it was, then. Errors as above.
 */
int ks_lever_renew(struct ks_lever *l, uint32_t tgid, uint32_t tid);

/*
 * A weight that its owner has changed meanwhile is the usual one from then on.
 * DOWN: next to nothing. UP: what `from` loses by going down as well as its own, so that the sum stays
 * (cgroups), or its own (nice values). 0; -ESRCH, -ENODEV: it is gone; -errno.
 */
int ks_lever_set(struct ks_lever *l, enum ks_lever_place place, const struct ks_lever *from);

void ks_lever_close(struct ks_lever *l);

#endif /* KVMSCHED_LEVER_H */
