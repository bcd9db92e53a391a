/* SPDX-License-Identifier: GPL-2.0 */
/* Finds the BTF in a kernel image or module, however it is wrapped. */
#ifndef VG_IMAGE_H
#define VG_IMAGE_H

#include <stddef.h>

struct btf;

/*
 * Read the BTF of path: raw BTF, an ELF file with a .BTF section, a bzImage (x86 boot protocol 2.08
 * or newer, Documentation/arch/x86/boot.rst), or any of these compressed with gzip, xz, zstd or lz4
 * (the programs of these names are run). base is NULL for an image; for a module it is the BTF of
 * its kernel and must outlive the result. The caller frees *out with btf__free().
 * 0 or -errno: -ENODATA without BTF, -ENOEXEC for a format that is not known, -EIO if a
 * decompressor failed.
 */
int vg_image_btf(const char *path, struct btf *base, struct btf **out);

/*
 * The version line in a bzImage's header, e.g. "6.18.15+deb13-amd64 (builder) #1 SMP ...".
 * Allocated; the caller frees it. 0, -ENOEXEC if path is no bzImage, or -errno.
 */
int vg_image_version(const char *path, char **version);

#endif
