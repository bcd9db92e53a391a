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
	int err;   /* -errno of the first ks_outfile_write() that failed, else 0 */
};

/*
 * Create PATH.partial, or take standard output for "-"; a device or a pipe is written as it is, and
 * a symbolic link stays one: what it leads to is written. Only its owner may read the file, as a
 * trace: it has kernel addresses. An older PATH.partial is overwritten: it is what an interrupted
 * run left; -EBUSY if another one is writing it, -EEXIST if it is a recording that did not end. 0,
 * -ENOTEMPTY if PATH is a recording, -EISDIR or -errno + err.
 */
int ks_outfile_open(struct ks_outfile *o, const char *path, struct ks_err *err);

/* Write. Cannot fail: the first error stays in o->err, and commit returns it. */
void ks_outfile_write(struct ks_outfile *o, const void *data, size_t len);

/* What was written so far is on the disk, still as PATH.partial. 0 or -errno + err. */
int ks_outfile_sync(struct ks_outfile *o, struct ks_err *err);

/*
 * Write out, sync, give it its name; frees o's members. On failure PATH.partial is removed and an
 * older PATH stays as it was. 0 or -errno + err.
 */
int ks_outfile_commit(struct ks_outfile *o, struct ks_err *err);

/* Is the name still that of what is open as fd? Who wrote it may have given it its final one. */
bool ks_outfile_is_still(int fd, const char *path);

/* Remove what was written and free o's members; nothing to do if o is all zero. */
void ks_outfile_discard(struct ks_outfile *o);

/* "out.json: No space left on device" in err; returns ret, a -errno. "-" has a name in words. */
int ks_outfile_fail(const struct ks_outfile *o, int ret, struct ks_err *err);

#endif /* KVMSCHED_OUTFILE_H */
