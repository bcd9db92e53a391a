// SPDX-License-Identifier: GPL-2.0
#include "header.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdarg.h>

static void print(void *ctx, const char *fmt, va_list args)
{
	vfprintf(ctx, fmt, args);
}

static const char top[] =
	"#ifndef __VMLINUX_H__\n"
	"#define __VMLINUX_H__\n"
	"\n"
	"#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n"
	"#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)\n"
	"#endif\n"
	"\n";

static const char bottom[] = "#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n"
			     "#pragma clang attribute pop\n"
			     "#endif\n"
			     "\n"
			     "#endif /* __VMLINUX_H__ */\n";

static int print_types(FILE *out, const struct btf *btf)
{
	struct btf_dump *dump = btf_dump__new(btf, print, out, NULL);
	int err = 0;
	__u32 id;

	if (!dump)
		return -errno;
	for (id = 1; id < btf__type_cnt(btf) && !err; id++)
		err = btf_dump__dump_type(dump, id);
	btf_dump__free(dump);
	return err;
}

int vg_header_print(FILE *out, const struct btf *btf, char *const *notes, size_t nr_notes)
{
	size_t i;
	int err;

	fprintf(out, "/* SPDX-License-Identifier: GPL-2.0 */\n/*\n");
	for (i = 0; i < nr_notes; i++)
		fprintf(out, " *%s%s\n", *notes[i] ? " " : "", notes[i]);
	fprintf(out, " */\n%s", top);
	err = print_types(out, btf);
	fputs(bottom, out);
	return !err && ferror(out) ? -EIO : err;
}

static void print_struct_proof(FILE *out, const struct btf *btf, const struct btf_type *t)
{
	const char *kind = btf_is_struct(t) ? "struct" : "union", *member;
	const char *name = btf__name_by_offset(btf, t->name_off);
	int i;

	fprintf(out, "_Static_assert(sizeof(%s %s) == %u, \"\");\n", kind, name, t->size);
	for (i = 0; i < btf_vlen(t); i++) {
		member = btf__name_by_offset(btf, btf_members(t)[i].name_off);
		if (*member && !btf_member_bitfield_size(t, i))
			fprintf(out, "_Static_assert(__builtin_offsetof(%s %s, %s) == %u, \"\");\n",
				kind, name, member, btf_member_bit_offset(t, i) / 8);
	}
}

int vg_header_print_proof(FILE *out, const struct btf *btf)
{
	__u32 id;

	fputs("#include \"vmlinux.h\"\n", out);
	for (id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (btf_is_composite(t) && t->name_off)
			print_struct_proof(out, btf, t);
	}
	return ferror(out) ? -EIO : 0;
}
