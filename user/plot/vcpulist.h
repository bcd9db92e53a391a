/* SPDX-License-Identifier: GPL-2.0 */
/* Lists of numbers as the kernel writes them: "0,2-3". */
#ifndef KVMSCHED_VCPULIST_H
#define KVMSCHED_VCPULIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ks_err;

struct ks_vcpurange {
	uint32_t first, last;
};

struct ks_vcpulist {
	struct ks_vcpurange *v;
	size_t n; /* 0 = no list: everything */
};

/*
 * Parse text (NULL = no list). 0, -ENOMEM, or -EINVAL: empty, no number, a range backwards, or a
 * number beyond 65535; err (may be NULL) says where then.
 */
int ks_vcpulist_parse(struct ks_vcpulist *l, const char *text, struct ks_err *err);
bool ks_vcpulist_has(const struct ks_vcpulist *l, uint32_t id);
void ks_vcpulist_free(struct ks_vcpulist *l);

#endif /* KVMSCHED_VCPULIST_H */
