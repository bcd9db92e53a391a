/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which instructions of a BPF section can run, once CO-RE questions are answered and constants set:
 * the verifier removes the others, and what they contain need not resolve.
 */
#ifndef VG_REACH_H
#define VG_REACH_H

#include <stdbool.h>

#include "object.h"

/* What is known of instructions that change at load time; one per instruction of the section. */
struct vg_known {
	bool relocated; /* it is changed ... */
	bool known;	/* ... to load this value */
	bool address;	/* ... to load an address, which is not 0 */
	__u64 value;
};

/*
 * Set live[i] for each instruction that can be reached from any function of the section. Constants
 * are followed through registers; what is loaded from memory is unknown, except variables of
 * .rodata that have been set. live is one per instruction, all false. 0 or -ENOMEM.
 */
int vg_reach(const struct vg_object *object, const struct vg_section *section,
	     const struct vg_known *known, bool *live);

#endif
