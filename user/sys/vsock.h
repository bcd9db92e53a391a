/* SPDX-License-Identifier: GPL-2.0 */
/* Streams between a guest and its host: AF_VSOCK. All descriptors are close-on-exec. */
#ifndef KVMSCHED_VSOCK_H
#define KVMSCHED_VSOCK_H

#include <stdint.h>

struct ks_err;

#define KS_VSOCK_HOST 2u     /* VMADDR_CID_HOST */
#define KS_VSOCK_PORT 19031u /* default port of stream and collect */

/*
 * Listen for guests. cid: own CID to bind to, UINT32_MAX = any. Returns the descriptor or -errno
 * with err: -EAFNOSUPPORT (no vsock in this kernel), -EADDRINUSE, ...
 */
int ks_vsock_listen(uint32_t cid, uint32_t port, struct ks_err *err);

/*
 * The next connection; *cid: of the peer, given by the kernel, so it cannot be forged by a guest.
 * Returns the descriptor, -ETIMEDOUT, -EINTR (a signal: look at your stop flag), -errno.
 * timeout_ms < 0: none.
 */
int ks_vsock_accept(int fd, uint32_t *cid, int timeout_ms);

/*
 * How long a send waits for a peer that takes nothing at all. A host's reader that waits for its
 * disk or for a CPU is back by then; one that is stopped must not hold the sender for ever.
 */
#define KS_VSOCK_STALL_S 20

/*
 * Connect. Returns the descriptor or -errno with err (-ETIMEDOUT, -ECONNREFUSED, -ENODEV...). What
 * is sent on it later fails with EAGAIN once the peer has not taken a byte for KS_VSOCK_STALL_S.
 */
int ks_vsock_connect(uint32_t cid, uint32_t port, int timeout_ms, struct ks_err *err);

/*
 * The same from a port that only root may hold (below 1024). The kernel tells the other side, which
 * so knows that no other user of this machine calls.
 */
int ks_vsock_connect_as_root(uint32_t cid, uint32_t port, int timeout_ms, struct ks_err *err);

/* The other side's port, 0 if it is not known. */
uint32_t ks_vsock_peer_port(int fd);

/* This machine's own CID (a guest's: 3 and up). 0 or -errno (-ENODEV: no vsock transport). */
int ks_vsock_own_cid(uint32_t *cid);

#endif /* KVMSCHED_VSOCK_H */
