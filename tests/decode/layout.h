/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a member of a structure lies, from BTF and by its own means: what CO-RE computes is not to
 * be checked against itself. Also the BTF of a kernel with a module in it as one blob, as libbpf
 * wants it for a module that is not loaded.
 */
#ifndef KVMSCHED_TESTS_LAYOUT_H
#define KVMSCHED_TESTS_LAYOUT_H

#include <stdint.h>
#include <stdio.h>
#include <bpf/btf.h>

struct place {
	uint32_t offset, size; /* bytes; size 0: there is no such member */
};

/* path: "member.member[3].member", below the structure `type`. */
struct place place_of(const struct btf *btf, const char *type, const char *path);

/* Bytes; 0: there is no such structure. */
uint32_t struct_size(const struct btf *btf, const char *type);

/* Writes both as one BTF. 0 or -errno. */
int write_joined(const struct btf *base, const struct btf *module, FILE *out);

#endif /* KVMSCHED_TESTS_LAYOUT_H */
