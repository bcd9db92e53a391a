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

typedef void (*ks_page_news_fn)(void *ctx, const struct ks_page_news *news);

struct ks_pages;

/*
 * Take guests that connect to listen_fd (ks_vsock_listen(); stays the caller's). root: see text.h;
 * NULL but in tests. 0 or -ENOMEM.
 */
int ks_pages_new(struct ks_pages **p, int listen_fd, const char *root, ks_page_news_fn fn,
		 void *ctx);

/*
 * Wait up to timeout_ms for something to do, and do it. To be called over and over, for pages are
 * proved again once a second and silent guests are dropped. 0 or -errno (-EINTR: a signal).
 */
int ks_pages_turn(struct ks_pages *p, int timeout_ms);

/* Take a connection that was accepted: what ks_pages_turn() does, for tests. Owns fd. */
void ks_pages_take(struct ks_pages *p, int fd, uint32_t cid);

/* Drops all, telling so. NULL is fine. */
void ks_pages_free(struct ks_pages *p);

#endif /* KVMSCHED_CHANNEL_PAGES_H */
