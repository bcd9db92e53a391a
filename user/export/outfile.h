/* SPDX-License-Identifier: GPL-2.0 */
/* A file that gets its name when it is whole: what programs write for others to read. */
#ifndef KVMSCHED_OUTFILE_H
#define KVMSCHED_OUTFILE_H

#include <stdio.h>

#include "trace.h"

struct ks_outfile {
	FILE *f; /* to write to, with a large buffer; seekable unless `pipe` */
	char *path, *partial;
	bool pipe; /* standard output, or something that is not a regular file */
};

/*
 * Create PATH.partial, or take standard output for "-"; a device or a pipe is written as it is. An
 * older PATH.partial is overwritten: it is what an interrupted run left. 0 or -errno + err.
 */
int ks_outfile_open(struct ks_outfile *o, const char *path, struct ks_err *err);

/*
 * Write out, sync, give it its name; frees o's members. On failure PATH.partial is removed and an
 * older PATH stays as it was. 0 or -errno + err.
 */
int ks_outfile_commit(struct ks_outfile *o, struct ks_err *err);

/* Remove what was written and free o's members; nothing to do if o is all zero. */
void ks_outfile_discard(struct ks_outfile *o);

#endif /* KVMSCHED_OUTFILE_H */
