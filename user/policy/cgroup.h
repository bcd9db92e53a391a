/* SPDX-License-Identifier: GPL-2.0 */
/* cgroup v2, as far as policies read and write it. Files: cgroup-v2.rst of the kernel. */
#ifndef KVMSCHED_CGROUP_H
#define KVMSCHED_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace.h"

#define KS_CGROUPFS "/sys/fs/cgroup"
#define KS_CGROUP_PATH 1024 /* longest path below it that we deal with */

/*
 * The cgroup of a thread (or of a process: tid = tgid), without KS_CGROUPFS; "" for the root. root:
 * prefix of /proc and /sys, see text.h. 0; -ENOTSUP: cgroup v1 alone; -ENOENT: no such thread;
 * -errno.
 */
int ks_cgroup_of(const char *root, uint32_t tgid, uint32_t tid, char *path, size_t size);

/*
 * Share of the CPU that cgroup v2 gives this process: *weight is cpu.weight of the nearest cgroup
 * above its threads that is its own, 0 if it lies in the root; *quota: a cpu.max on the way up to
 * the root, or in threaded cgroups below, limits it. 0 or -errno.
 */
int ks_cgroup_share(const char *root, uint32_t tgid, uint32_t *weight, bool *quota);

/* Is there a cgroup with a cpu.max at all? path[size], printable: one of them. */
bool ks_cgroup_find_quota(const char *root, char *path, size_t size);

/* Is there a cgroup v2 with this controller? On hosts of both kinds v1 may have it. */
bool ks_cgroup_has_controller(const char *root, const char *name);

/* Is it one whose members are threads? */
bool ks_cgroup_is_threaded(const char *root, const char *path);

/* One that this thread shares with nobody, as libvirt makes them for each vCPU. */
bool ks_cgroup_is_own(const char *root, const char *path, uint32_t tid);

/* Write text to a file of it. 0 or -errno. */
int ks_cgroup_write(const char *root, const char *path, const char *file, const char *text);

/*
 * Its tasks may be on any CPU again that the cgroup above has: an empty cpuset.cpus, or all CPUs that can be, since kernels
 * before 7.0 do not take an empty one while there are tasks (-ENOSPC). 0 or -errno.
 */
int ks_cgroup_any_cpu(const char *root, const char *path);

#endif /* KVMSCHED_CGROUP_H */
