/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this machine can do, one line each, with the reason and what to do about it. Facts from
 * files and BTF alone: nothing is loaded or attached.
 */
#ifndef KVMSCHED_FEATURE_H
#define KVMSCHED_FEATURE_H

#include <stddef.h>

enum ks_status {
	KS_ST_OK,
	KS_ST_DEGRADED, /* works with less: reason says what is missing */
	KS_ST_MISSING,	/* does not work: reason says what to do */
};

const char *ks_status_name(enum ks_status s);

struct ks_feature {
	const char *name; /* short and fixed: "btf", "ple", "vsock" */
	enum ks_status status;
	char reason[200]; /* one printable line */
};

enum ks_feature_for {
	KS_FOR_HOST,  /* ple-trace */
	KS_FOR_GUEST, /* lock-timeline */
};

/*
 * All lines for one of the two, in the order to print. root: see text.h. *f is malloc()ed, the
 * caller's. 0 or -errno.
 */
int ks_features(const char *root, enum ks_feature_for side, struct ks_feature **f, size_t *n);

/*
 * Can what `side` needs most (a recording at all) work? -ENOTSUP if a line that it cannot do
 * without is missing; *why points to that line then (into f).
 */
int ks_features_usable(const struct ks_feature *f, size_t n, const struct ks_feature **why);

#endif /* KVMSCHED_FEATURE_H */
