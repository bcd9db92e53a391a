/* SPDX-License-Identifier: GPL-2.0 */
/* A compiled BPF object: code, functions, relocations, read-only constants. */
#ifndef VG_OBJECT_H
#define VG_OBJECT_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct btf;

/* One CO-RE relocation, as struct bpf_core_relo in linux/bpf.h describes it. */
struct vg_relo {
	__u32 insn; /* index in the section */
	__u32 type; /* in the object's BTF */
	const char *access;
	enum bpf_core_relo_kind kind;
};

struct vg_function {
	char *name;
	__u32 insn; /* the first, index in the section */
	__u32 nr_insns;
};

/* An instruction that loads an address which is only known in the end. */
struct vg_address {
	__u32 insn;
	enum { VG_RODATA, VG_DATA, VG_EXTERN } of; /* VG_DATA: other data, maps, functions */
	__u32 offset;				   /* VG_RODATA: in .rodata */
};

/* An instruction that uses a variable or a function of the kernel (extern ... __ksym). */
struct vg_ksym_ref {
	__u32 insn;
	char *name;
	bool weak; /* the program copes without it ... */
	bool call; /* ... but cannot call it then */
};

struct vg_section {
	char *name;
	struct bpf_insn *insns;
	__u32 nr_insns;
	struct vg_function *functions; /* in the order of their place */
	size_t nr_functions;
	struct vg_relo *relos; /* in the order of their place */
	size_t nr_relos;
	struct vg_address *addresses;
	size_t nr_addresses;
	struct vg_ksym_ref *ksyms; /* that BTF can answer for: variables with a type, kfuncs */
	size_t nr_ksyms;
};

/* A constant that user space sets before it loads the object. */
struct vg_variable {
	char *name;
	__u32 offset; /* in .rodata */
	__u32 size;   /* bytes */
	bool set;     /* value is known */
	__u64 value;
};

struct vg_object {
	struct btf *btf;
	struct btf_ext *ext;
	struct vg_section *sections;
	size_t nr_sections;
	struct vg_variable *variables;
	size_t nr_variables;
};

/*
 * Read an object. 0 or -errno; -ENOEXEC if it is no BPF object or what it says of itself makes no
 * sense, -ENODATA if it has no BTF. Free with vg_object_close().
 */
int vg_object_open(const char *path, struct vg_object *object);

void vg_object_close(struct vg_object *object);

/* Say what user space will set a variable to; -ENOENT if the object has no such variable. */
int vg_object_set(struct vg_object *object, const char *name, __u64 value);

#endif
