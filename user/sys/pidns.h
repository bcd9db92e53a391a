/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PID namespaces. What runs in the kernel sees a process by its number in the initial namespace,
 * /proc shows those of its own: in a container the two have nothing to do with each other.
 */
#ifndef KVMSCHED_PIDNS_H
#define KVMSCHED_PIDNS_H

#include <stdbool.h>
#include <stdint.h>

struct ks_err;

/* Which PID namespace this process is in: an inode number, 0 if it is not known. root: see text.h. */
uint64_t ks_pidns(const char *root);

/* Are the numbers in /proc the kernel's own? So is what is not known: without namespaces they are. */
bool ks_pidns_is_initial(const char *root);

/* For whoever takes numbers of processes from BPF or gives them to it. 0, or -ENOTSUP + err. */
int ks_pidns_check(const char *root, struct ks_err *err);

#endif /* KVMSCHED_PIDNS_H */
