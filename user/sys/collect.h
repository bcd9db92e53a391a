/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Receive the traces of guests and write them to files. A guest is hostile: nothing that it sends
 * reaches the disk unless it is framed as a trace (header, then whole chunks with right
 * checksums), and it cannot fill the disk, take memory or hold the receiver up.
 */
#ifndef KVMSCHED_COLLECT_H
#define KVMSCHED_COLLECT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ks_err;

/* ---- framing: header and chunks, byte by byte as they come ---- */

struct ks_framing;

/* The largest chunk taken from a stream (the symbols are the largest there are). */
#define KS_FRAMING_MAX (34u << 20)

/* Called with each whole, valid unit: the file header first, then chunks. 0 or -errno to stop. */
typedef int (*ks_framing_fn)(void *ctx, const void *unit, size_t len);

/*
 * side: 0 = any, else the enum ks_side that the trace must be of. Checked are: the file header; of
 * each chunk both checksums, size and count for its type, its number in the row, its ring. What the
 * payload says is the reader's business. 0 or -ENOMEM.
 */
int ks_framing_new(struct ks_framing **f, unsigned int side, ks_framing_fn fn, void *ctx);
void ks_framing_free(struct ks_framing *f);

/*
 * Take n bytes. Memory: the bytes received of one chunk, no more than was really sent. 0; -EPROTO
 * with err on bytes that are no trace; what fn returned (err is fn's business then). The stream is
 * dead after a failure: further calls return the same. Bytes behind the closing chunk are not
 * looked at.
 */
int ks_framing_feed(struct ks_framing *f, const void *buf, size_t n, struct ks_err *err);

/* The trace is whole: its closing chunk has been seen. */
bool ks_framing_clean(const struct ks_framing *f);

/* Number of whole chunks so far. */
uint64_t ks_framing_chunks(const struct ks_framing *f);

/* ---- receive ---- */

struct ks_collect_opts {
	const char *out;	 /* "DIR/NAME" or "NAME.kvs": files are NAME-cidN.kvs, a guest's
				  * further ones, or if that is taken, NAME-cidN-2.kvs, ... */
	uint64_t max_bytes;	 /* per guest, all its streams together; 0 = 1 GiB */
	uint64_t max_rate;	 /* bytes per second and guest, slowed down to; 0 = 64 MiB/s */
	unsigned int max_guests; /* at the same time; 0 = 64 */
	unsigned int expect;	 /* return after so many streams have ended; 0 = until *stop */
	int idle_ms;		 /* a guest that says nothing for so long is cut off; 0 = 30 s */
	const volatile sig_atomic_t *stop; /* set by a signal handler; may be NULL */
};

/* How one guest's stream ended. Strings are borrowed for the call. */
struct ks_collected {
	uint32_t cid;
	const char *path; /* the file; PATH.partial if it did not end cleanly; NULL: none made */
	uint64_t bytes;	  /* written */
	uint64_t chunks;
	int status;	    /* 0 = clean; -EPROTO: no trace; -EFBIG: more than max_bytes;
			     * -ETIMEDOUT; -EPIPE: ended too early; -EINTR: by *stop; -EBUSY: a
			     * second stream at the same time, refused; -errno */
	const char *reason; /* one line if status is not 0 */
};
typedef void (*ks_collected_fn)(void *ctx, const struct ks_collected *c);

/*
 * Serve guests that connect to listen_fd (ks_vsock_listen()), one stream of each CID at a time,
 * until *stop or `expect` streams have ended; then streams still open are closed, their files kept
 * as .partial. Refused connections do not count. listen_fd stays the caller's. A stop takes up to
 * half a second. 0 or -errno with err.
 */
int ks_collect_run(int listen_fd, const struct ks_collect_opts *opts, ks_collected_fn fn, void *ctx,
		   struct ks_err *err);

/* One stream from a connected descriptor, which stays the caller's. Its status, as in fn's. */
int ks_collect_one(int fd, uint32_t cid, const struct ks_collect_opts *opts, ks_collected_fn fn,
		   void *ctx);

#endif /* KVMSCHED_COLLECT_H */
