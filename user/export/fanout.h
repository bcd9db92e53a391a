/* SPDX-License-Identifier: GPL-2.0 */
/* Several exporters on one pass. */
#ifndef KVMSCHED_FANOUT_H
#define KVMSCHED_FANOUT_H

#include "export.h"

#define KS_FANOUT_MAX 16

struct ks_fanout_sink {
	const struct ks_exporter *x;
	void *self;
	struct ks_analysis_ops ops;
	struct ks_outfile out;
};

struct ks_fanout {
	struct ks_fanout_sink sink[KS_FANOUT_MAX];
	unsigned int n;
	const struct ks_session *session; /* NULL: a guest alone */
	uint64_t from, to;
};

/* Add a format and the file to write. 0, -E2BIG, -EINVAL (options) or -errno + err. */
int ks_fanout_add(struct ks_fanout *f, const struct ks_exporter *x, const char *path,
		  const struct ks_export_opts *opts, struct ks_err *err);
/* Callbacks that pass on to all; ctx becomes f, which must stay where it is. */
void ks_fanout_ops(struct ks_fanout *f, struct ks_analysis_ops *ops);
/* After all were added; `in` is as for an exporter's begin. 0 or -errno + err. */
int ks_fanout_begin(struct ks_fanout *f, const struct ks_export_input *in, struct ks_err *err);
/* 0, or -errno + err of the first that failed. */
int ks_fanout_failed(const struct ks_fanout *f, struct ks_err *err);
/*
 * Finish all of them, then give all of them their names. 0 or -errno + err: no name has been given,
 * unless it was one that could not be: then those before it have.
 */
int ks_fanout_finish(struct ks_fanout *f, const struct ks_export_input *in, struct ks_err *err);
/* Drop what was not finished, free. */
void ks_fanout_close(struct ks_fanout *f);

#endif /* KVMSCHED_FANOUT_H */
