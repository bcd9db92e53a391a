/* SPDX-License-Identifier: GPL-2.0 */
/* Where the guest's kernel has its spinlock functions: what the probes' loaders tell them. */
#ifndef KVMSCHED_SPIN_TEXT_H
#define KVMSCHED_SPIN_TEXT_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Those that lead to the slow path: _raw_spin_lock and its variants. (A trylock never waits.) */
#define KS_SPIN_FUNCTIONS 4

struct ks_code_range {
	__u64 start, end;
};

#endif /* KVMSCHED_SPIN_TEXT_H */
