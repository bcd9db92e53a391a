/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's end of the channel to guests that publish their locks (bpf/lock_page.h): takes their
 * messages, finds each one's page in its VM's process, proves it, and tells who is to be read and
 * who no longer. Not thread safe.
 */
#ifndef KVMSCHED_CHANNEL_PAGES_H
#define KVMSCHED_CHANNEL_PAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "lock_reader.h"

struct ks_err;

/* Something changed. */
struct ks_page_news {
	uint32_t cid;
	uint32_t tgid; /* the VM's process; 0 if it was not found */
	/*
	 * What BPF programs may read from now on; NULL: nothing any more, at once. The same VM may
	 * come again with another one, without a NULL in between.
	 */
	const struct ks_lp_vm *vm;
	const char *reason; /* why vm is NULL: refused, or no longer believed; a line's worth */
};

/* Who reads the pages. */
struct ks_page_reader {
	void (*news)(void *ctx, const struct ks_page_news *news);
	/*
	 * How often the VM of this process was reset, or put into another state, as its reader in
	 * the kernel counts it (lock_reader.bpf.h): any number that has changed if it was. NULL:
	 * nobody counts.
	 */
	uint64_t (*resets)(void *ctx, uint32_t tgid);
	void *ctx;
};

struct ks_pages;

/*
 * Take guests that connect to listen_fd (ks_vsock_listen(); stays the caller's, and becomes
 * non-blocking). The reader is copied. root: see text.h; NULL but in tests. 0 or -ENOMEM.
 * For KS_LP_GUESTS the process must be allowed more than the usual 1024 files: ks_allow_files().
 *
 * What guests can make it do is bounded: connections and hellos of one by a rate, connections of all
 * and hellos of all to a part of the time, and what comes in to so many bytes per turn. Refused calls
 * are told as news, once a second for each guest. A guest that is not read, or no longer, is told why by
 * a number (refusal.h).
 */
int ks_pages_new(struct ks_pages **p, int listen_fd, const char *root,
		 const struct ks_page_reader *reader);

/*
 * Wait up to timeout_ms for something to do, and do it. To be called over and over, for pages are
 * proved again once a second and silent guests are no longer believed. 0 or -errno (-EINTR: a signal).
 */
int ks_pages_turn(struct ks_pages *p, int timeout_ms);

/*
 * Take a connection that was accepted: what ks_pages_turn() does, for tests. Owns fd. A second one of
 * the same guest waits until the first has given a sign of life, and is refused then; or until the
 * first is silent, and takes its place. When there is no room left, a guest that is silent is hung up
 * on; if there is none, the new one is refused.
 */
void ks_pages_take(struct ks_pages *p, int fd, uint32_t cid);

/* Drops all, telling so. NULL is fine. */
void ks_pages_free(struct ks_pages *p);

#endif /* KVMSCHED_CHANNEL_PAGES_H */
