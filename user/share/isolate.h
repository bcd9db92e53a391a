/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In a guest: given-up CPUs as an isolated cpuset partition, so that no scheduling domain has them. Else
 * their kernel, idle as they are, goes on looking after those that have work (idle load balancing), and
 * takes the locks of their run queues: a given-up vCPU, whose pCPU is another VM's, then stands in line
 * for a lock, or holds it, and does not run.
 */
#ifndef KVMSCHED_SHARE_ISOLATE_H
#define KVMSCHED_SHARE_ISOLATE_H

struct ks_cpus;

#define KS_ISOLATED "kvmsched.idle" /* the cgroup, just below the root; without tasks */

/* Which are isolated by us, or by an agent before. root: see text.h. */
void ks_isolated(const char *root, struct ks_cpus *cpus);

/* Make the cgroup, which keeps cpusets switched on for all. 0 or -errno. */
int ks_isolate_prepare(const char *root);

/*
 * Isolate these and no others. No other cgroup below the root may have one of them as its cpuset.cpus. It
 * takes a while: scheduling domains are built anew. 0; -ENOTSUP: the kernel does not take it, and none are;
 * -errno.
 */
int ks_isolate(const char *root, const struct ks_cpus *cpus);

/* None any more. */
void ks_isolate_none(const char *root);

/* ... and no cgroup. */
void ks_isolate_end(const char *root);

#endif /* KVMSCHED_SHARE_ISOLATE_H */
