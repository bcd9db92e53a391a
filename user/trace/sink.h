/* SPDX-License-Identifier: GPL-2.0 */
/* Where a trace's bytes go: a file that gets its name at the end, or a stream. Internal. */
#ifndef KVMSCHED_TRACE_SINK_H
#define KVMSCHED_TRACE_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "trace.h"

struct ks_sink {
	int fd;
	bool stream; /* no name, no seeking */
	bool socket;
	char *path; /* NULL for a stream */
	char *partial;
	uint64_t bytes; /* written, whole writes only */
};

/* Create PATH.partial, locked. 0 or -errno + err. */
int ks_sink_open(struct ks_sink *s, const char *path, struct ks_err *err);
/* Owns fd, also on failure. */
int ks_sink_open_fd(struct ks_sink *s, int fd, struct ks_err *err);
/*
 * Write all of iov (which is changed) or nothing: a file is cut back to what it was when the write
 * fails half-way. 0 or -errno; never raises SIGPIPE.
 */
int ks_sink_write(struct ks_sink *s, struct iovec *iov, int n);
/* Sync, give the file its name (an older one becomes PATH.old), close. 0 or -errno + err. */
int ks_sink_finish(struct ks_sink *s, struct ks_err *err);
/* Close and free; PATH.partial stays. */
void ks_sink_drop(struct ks_sink *s);
/* The same, and PATH.partial goes, too: there is nothing in it. */
void ks_sink_discard(struct ks_sink *s);

#endif /* KVMSCHED_TRACE_SINK_H */
