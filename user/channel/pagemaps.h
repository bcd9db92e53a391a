/* SPDX-License-Identifier: GPL-2.0 */
/* Where programs in the kernel find lock pages: user space's end of bpf/lock_pages.bpf.h. */
#ifndef KVMSCHED_CHANNEL_PAGEMAPS_H
#define KVMSCHED_CHANNEL_PAGEMAPS_H

#include <stdint.h>

#include "lock_reader.h"

struct ks_pagemaps {
	int pages, numbers;	     /* lp_pages, lp_numbers */
	uint32_t tgid[KS_LP_GUESTS]; /* by number: whose it is, 0 = nobody's */
};

/*
 * From now on this is the page of the VM whose process is vm->tgid; programs see the one before or this one, and after
 * the return only this one. 0, -ENOSPC: there are too many, or -errno; then the one before is still there.
 */
int ks_pagemaps_put(struct ks_pagemaps *m, const struct ks_lp_vm *vm);

/* It has none any more, if it had one. */
void ks_pagemaps_drop(struct ks_pagemaps *m, uint32_t tgid);

/* VMs that have one. */
unsigned int ks_pagemaps_count(const struct ks_pagemaps *m);

#endif /* KVMSCHED_CHANNEL_PAGEMAPS_H */
