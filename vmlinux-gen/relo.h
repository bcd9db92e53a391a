/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Resolves CO-RE relocations against the BTF of a kernel and its modules, by libbpf's rules: types
 * match by name up to ___, members by name through anonymous structs and unions, and the modules
 * are only asked for types that the kernel image does not have.
 */
#ifndef VG_RELO_H
#define VG_RELO_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "object.h"

struct btf;

struct vg_kernel {
	struct btf **btfs; /* the image first, then modules on top of it */
	size_t nr;
};

struct vg_result {
	bool found;	/* the kernel has it */
	bool ambiguous; /* it has several that differ: libbpf refuses to load */
	bool has_value; /* value is what libbpf would put into the instruction */
	__u64 value;	/* 0 or 1 of an "exists", bytes of a size, an enumerator */
	__u32 bit_off;	/* found, of a field: where it is */
};

/* 0, or -EINVAL for a relocation that makes no sense by itself. */
int vg_relo_resolve(const struct vg_relo *relo, const struct btf *local,
		    const struct vg_kernel *kernel, struct vg_result *result);

/* True for the kinds that ask whether something exists: "no" is a fine answer to them. */
bool vg_relo_is_question(enum bpf_core_relo_kind kind);

/* Write e.g. "struct kvm_vcpu.arch.l1_tsc_offset" into buf, always terminated. */
void vg_relo_describe(const struct vg_relo *relo, const struct btf *local, char *buf, size_t size);

#endif
