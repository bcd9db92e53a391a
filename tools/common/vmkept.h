/* SPDX-License-Identifier: GPL-2.0 */
/* What is known of the VM whose vCPUs appear. Each of them asks, and to read a large VM is dear: it is read once for all that were there by then. */
#ifndef KVMSCHED_VMKEPT_H
#define KVMSCHED_VMKEPT_H

#include "vm.h"

/* Begins as all zeroes. */
struct vm_kept {
	struct ks_vminfo vm;
	uint64_t read; /* CLOCK_MONOTONIC, ns; 0: there is none */
};

/* The process as it was at some moment after `seen`, with the threads that it had then; valid until the next call. NULL: it cannot be read. */
const struct ks_vminfo *vm_kept_get(struct vm_kept *k, uint32_t tgid, uint64_t seen);
void vm_kept_free(struct vm_kept *k);

#endif /* KVMSCHED_VMKEPT_H */
