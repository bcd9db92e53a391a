/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VG_HEADER_H
#define VG_HEADER_H

#include <stddef.h>
#include <stdio.h>

struct btf;

/*
 * Print btf as a C header for BPF programs, in dependency order, guarded as bpftool's is, so that
 * either can stand for the other. Each of the notes becomes a line of the comment on top.
 * 0 or -errno.
 */
int vg_header_print(FILE *out, const struct btf *btf, char *const *notes, size_t nr_notes);

/*
 * Print a C file that does not compile unless that header gives every struct the size and its
 * members the offsets that btf says. 0 or -errno.
 */
int vg_header_print_proof(FILE *out, const struct btf *btf);

#endif
