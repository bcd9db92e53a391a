/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VG_COMPARE_H
#define VG_COMPARE_H

#include <stddef.h>

struct btf;

/* What became of a type, a member or an enumerator. */
enum vg_change {
	VG_GONE,    /* it is no more */
	VG_CHANGED, /* it is declared differently: was and is are the two declarations */
};

typedef void (*vg_change_fn)(void *ctx, enum vg_change change, const char *what, const char *was,
			     const char *is);

/*
 * Find what the old BTF has and the new one lacks or declares differently: named structs, unions
 * and enums, their members (through anonymous ones) and enumerators. What is new is no change.
 * Calls report for each; what/was/is are valid during the call, was and is are NULL for VG_GONE.
 * Returns the number of things that are gone, or -ENOMEM.
 */
int vg_compare(const struct btf *old_btf, const struct btf *new_btf, vg_change_fn report,
	       void *ctx);

#endif
