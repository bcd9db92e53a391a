/* SPDX-License-Identifier: GPL-2.0 */
/* Internal to sys: how the lines of ks_features() are made. */
#ifndef KVMSCHED_FEATLIST_H
#define KVMSCHED_FEATLIST_H

#include <stdbool.h>

#include "cpu.h"
#include "feature.h"

struct btf;

struct ks_fctx {
	const char *root; /* never NULL */
	enum ks_feature_for side;
	struct ks_machine machine;
	struct btf *vmlinux, *kvm; /* NULL: not there */
	struct ks_feature *f;
	size_t n, room;
	int error; /* -ENOMEM, sticky */
};

/* Append a line. */
void ks_fline(struct ks_fctx *c, const char *name, enum ks_status st, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Is there such a function, such a tracepoint (as a typedef btf_trace_NAME)? False without BTF. */
bool ks_btf_func(const struct btf *btf, const char *name);
bool ks_btf_tracepoint(const struct btf *btf, const char *name);
/*
 * Which of these are missing, as "a, b" in buf; the number of them. names: NULL-terminated.
 */
size_t ks_btf_missing(const struct btf *btf, const char *const *names,
		      bool (*has)(const struct btf *, const char *), char *buf, size_t size);

/* Lines that host and guest share, and those of each. */
void ks_feature_base(struct ks_fctx *c);
void ks_feature_tail(struct ks_fctx *c);
void ks_feature_host(struct ks_fctx *c);
void ks_feature_guest(struct ks_fctx *c);

#endif /* KVMSCHED_FEATLIST_H */
