/* SPDX-License-Identifier: GPL-2.0 */
/* The VMs that the user named with --vm, as process ids. */
#ifndef KVMSCHED_FILTER_H
#define KVMSCHED_FILTER_H

#include <stddef.h>
#include <stdint.h>

struct ks_err;

struct vm_filter {
	const char **names;
	size_t n;
	uint32_t *tgids; /* as many, once resolved */
};

/* Note one --vm argument. */
void vm_filter_add(struct vm_filter *f, const char *name);
/*
 * Find the processes, all VMs' if none is named. 0 or -errno with err; -ENOTSUP where /proc does not
 * number them as the kernel's programs do (pidns.h).
 */
int vm_filter_resolve(struct vm_filter *f, struct ks_err *err);
void vm_filter_free(struct vm_filter *f);

#endif /* KVMSCHED_FILTER_H */
