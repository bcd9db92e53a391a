/* SPDX-License-Identifier: GPL-2.0 */
/* Inside `ple-trace serve`: where it listens, the HTTP side, giving up privileges. */
#ifndef KVMSCHED_SERVE_H
#define KVMSCHED_SERVE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "metrics.h"
#include "trace.h"

#define SERVE_PORT 10177
#define SERVE_LISTEN_MAX 8

/* ---- addresses (serve_listen.c) ---- */

struct serve_listen {
	struct sockaddr_storage addr[SERVE_LISTEN_MAX];
	int fd[SERVE_LISTEN_MAX];
	unsigned int n;
	bool asked; /* given by --listen; otherwise both loopbacks */
};

/* Note one --listen argument: ADDR:PORT, [ADDR6]:PORT, or an address alone. 0 or -EINVAL, err. */
int serve_listen_add(struct serve_listen *l, const char *arg, struct ks_err *err);

/* Open the sockets. 0 or -errno with err; close in any case. */
int serve_listen_open(struct serve_listen *l, struct ks_err *err);
/* Say where, and warn of addresses that others can reach. */
void serve_listen_tell(const struct serve_listen *l);
void serve_listen_close(struct serve_listen *l);
/*
 * May a request with this Host header be answered? Where all addresses are this machine's own, only one that calls it by its
 * address or localhost: a web page that has its own name point here (DNS rebinding) would have the user's browser
 * read for it what is here. NULL: it has none, and is no browser's.
 */
bool serve_listen_is_meant(const struct serve_listen *l, const char *host);

/* ---- HTTP (serve_http.c) ---- */

struct serve_http;

/* Make a page of metrics; it is the callee's, and stays as it is until the next call. */
typedef int (*serve_page_fn)(void *ctx, enum ks_metrics_format format, const char **text,
			     size_t *len);

/* Serve on l's sockets, which h takes over; l outlives it. 0 or -errno with err. */
int serve_http_open(struct serve_http **h, struct serve_listen *l, serve_page_fn page, void *ctx,
		    struct ks_err *err);
void serve_http_close(struct serve_http *h);

/* What to wait for: fills up to SERVE_LISTEN_MAX of p, returns how many. */
unsigned int serve_http_polled(const struct serve_http *h, struct pollfd *p);

/* Do what there is to do, without waiting. */
void serve_http_run(struct serve_http *h);

/* ---- privileges (serve_drop.c) ---- */

/* Give up all capabilities, for good. 0 or -errno. */
int serve_drop_privileges(void);

#endif /* KVMSCHED_SERVE_H */
