/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In a guest: keeps all tasks on some of its CPUs, by cgroup v2 cpusets. Every cgroup just below the
 * root gets them as its cpuset.cpus; tasks of the root itself, which cannot have any, move to one
 * of our own first. New tasks are where their parents are. Of kernel threads those that are bound to
 * one CPU stay; they do work there only for that CPU.
 *
 * The kernel keeps it when the agent ends: the CPUs are somebody else's, whatever became of us.
 */
#ifndef KVMSCHED_SHARE_CONFINE_H
#define KVMSCHED_SHARE_CONFINE_H

#include "cpus.h"

struct ks_err;
struct ks_confine;

#define KS_CONFINE_DIR                                                                             \
	"/run/kvmsched-agent" /* its journal: what others had in their cgroups; and what it writes */

/*
 * Make ready: nothing is confined yet, unless it was by an agent before; that is swept. dir: of the journal. root: see
 * text.h, of /sys and /proc. 0; -ENOTSUP: no cgroup v2 with cpusets; -EBUSY: another agent; -errno.
 */
int ks_confine_open(struct ks_confine **c, const char *root, const char *dir, struct ks_err *err);

/* Stays confined, if it is; else everything is put back. */
void ks_confine_close(struct ks_confine *c);

/* CPUs of the guest that are online, or can be; and those that tasks may use. */
void ks_confine_online(const struct ks_confine *c, struct ks_cpus *set);
void ks_confine_possible(const struct ks_confine *c, struct ks_cpus *set);
const struct ks_cpus *ks_confine_may(const struct ks_confine *c);
/* Tasks of the root that could not be moved. */
unsigned int ks_confine_stuck(const struct ks_confine *c);

/* Confine all tasks to these, which are possible, and one of them online. 0 or -errno. */
int ks_confine_set(struct ks_confine *c, const struct ks_cpus *cpus);

/*
 * Tasks and cgroups that are new in the root, and cpusets that somebody has changed, or switched off: to be called now and
 * then. Returns whether it had to confine any.
 */
bool ks_confine_sweep(struct ks_confine *c);

/*
 * Interrupts and unbound kernel work as well, as far as the kernel lets us, and no scheduling domain has the
 * other CPUs any more (isolate.h). Slow; to be called when nothing has changed for a moment, and then now and again, for
 * others move interrupts, too.
 */
void ks_confine_settle(struct ks_confine *c);

/* Put everything back. 0 or -errno. */
int ks_confine_release(struct ks_confine *c);

#endif /* KVMSCHED_SHARE_CONFINE_H */
