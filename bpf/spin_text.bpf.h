/* SPDX-License-Identifier: GPL-2.0 */
/* Whom the slow path of spinlocks serves. */
#ifndef KVMSCHED_SPIN_TEXT_BPF_H
#define KVMSCHED_SPIN_TEXT_BPF_H

#include "spin_text.h"

const volatile struct ks_code_range ks_spin_text[KS_SPIN_FUNCTIONS];
const volatile struct ks_code_range ks_text; /* the kernel image; modules and BPF lie elsewhere */

static __always_inline bool is_kernel_image(__u64 ip)
{
	return ip >= ks_text.start && ip < ks_text.end;
}

static __always_inline bool is_spin_text(__u64 ip)
{
	bool is = false;
	int i;

	for (i = 0; i < KS_SPIN_FUNCTIONS; i++)
		is |= ip >= ks_spin_text[i].start && ip < ks_spin_text[i].end;
	return is;
}

/*
 * Is the slow path on behalf of a spinlock function? arch_spin_lock() leads there as well, from
 * within rwlocks and others that nobody sees released. Then *ip is the call site: the first frame
 * above the lock functions, and above the trampoline of our own fexit, which has called them, if there is one.
 */
#define STACK_WORDS 9
static __always_inline bool from_spinlock(void *ctx, __u64 *ip, bool trampoline)
{
	__u64 w[STACK_WORDS] = {};
	bool seen = false;
	int i;

	*ip = 0;
	if (!ks_spin_text[0].end || bpf_get_stack(ctx, w, sizeof(w), 0) < 0)
		return true; /* no symbols: take it for one */
	for (i = 0; i < STACK_WORDS; i++) {
		if (is_spin_text(w[i])) {
			seen = true;
		} else if (seen) {
			if (!trampoline || is_kernel_image(w[i])) {
				*ip = w[i];
				return true;
			}
			trampoline = false;
		}
	}
	return seen;
}

#endif /* KVMSCHED_SPIN_TEXT_BPF_H */
