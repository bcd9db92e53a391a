// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "args.h"
#include "cli.h"
#include "serve.h"
#include "text.h"

#define BACKLOG 16

/* ---- what is written ---- */

static int bad(const char *arg, struct ks_err *err)
{
	char shown[80];

	snprintf(err->msg, sizeof(err->msg),
		 "--listen: bad address '%s'; use ADDR:PORT or [ADDR6]:PORT with numbers, such "
		 "as 127.0.0.1:%d",
		 ks_printable(shown, sizeof(shown), arg, strlen(arg)), SERVE_PORT);
	return -EINVAL;
}

/* "ADDR:PORT" into its parts; an IPv6 address with a port stands in brackets. */
static bool split(const char *arg, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(arg, ':'), *end = arg + strlen(arg);

	*port = NULL;
	if (*arg == '[') {
		end = strchr(++arg, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
		*port = end[1] ? end + 2 : NULL;
	} else if (colon && strchr(arg, ':') == colon) {
		end = colon;
		*port = colon + 1;
	}
	if (end == arg || (size_t)(end - arg) >= size)
		return false;
	memcpy(host, arg, end - arg);
	host[end - arg] = '\0';
	return true;
}

static bool set_addr(struct sockaddr_storage *a, const char *host, uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)a;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)a;

	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return true;
	}
	if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		return true;
	}
	return false;
}

int serve_listen_add(struct serve_listen *l, const char *arg, struct ks_err *err)
{
	char host[INET6_ADDRSTRLEN];
	uint64_t port = SERVE_PORT;
	const char *number;

	if (l->n == SERVE_LISTEN_MAX) {
		snprintf(err->msg, sizeof(err->msg), "--listen: at most %d addresses",
			 SERVE_LISTEN_MAX);
		return -EINVAL;
	}
	if (!split(arg, host, sizeof(host), &number) ||
	    (number && ks_arg_uint("--listen", number, 0, UINT16_MAX, &port, NULL)) ||
	    !set_addr(&l->addr[l->n], host, (uint16_t)port))
		return bad(arg, err);
	l->fd[l->n++] = -1;
	l->asked = true;
	return 0;
}

/* ---- sockets ---- */

static const char *addr_str(const struct sockaddr_storage *a, char *buf, size_t size)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in *in = (const struct sockaddr_in *)a;
	char host[INET6_ADDRSTRLEN] = "?";

	if (a->ss_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
	else
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
	snprintf(buf, size, a->ss_family == AF_INET ? "%s:%u" : "[%s]:%u", host,
		 ntohs(a->ss_family == AF_INET ? in->sin_port : in6->sin6_port));
	return buf;
}

static bool is_loopback(const struct sockaddr_storage *a)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in *in = (const struct sockaddr_in *)a;

	if (a->ss_family == AF_INET)
		return ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static int fail(struct ks_err *err, int code, const struct sockaddr_storage *a)
{
	char where[64];
	const char *hint = "";

	if (code == -EADDRINUSE)
		hint = ": another program, or another ple-trace serve, listens there; give "
		       "--listen ADDR:PORT";
	else if (code == -EADDRNOTAVAIL)
		hint = ": no interface of this machine has it";
	else if (code == -EACCES)
		hint = ": ports below 1024 need CAP_NET_BIND_SERVICE";
	snprintf(err->msg, sizeof(err->msg), "listening on %s: %s%s",
		 addr_str(a, where, sizeof(where)), strerror(-code), hint);
	return code;
}

static socklen_t addr_len(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static int open_one(struct sockaddr_storage *a, int *out)
{
	int one = 1, fd = socket(a->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t len = sizeof(*a);

	if (fd < 0)
		return -errno;
	*out = fd;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		return -errno;
	if (a->ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)))
		return -errno;
	if (bind(fd, (struct sockaddr *)a, addr_len(a)) || listen(fd, BACKLOG))
		return -errno;
	/* Port 0 is a number by now. */
	return getsockname(fd, (struct sockaddr *)a, &len) ? -errno : 0;
}

static int open_all(struct serve_listen *l, struct ks_err *err)
{
	unsigned int i;
	int ret;

	for (i = 0; i < l->n; i++) {
		ret = open_one(&l->addr[i], &l->fd[i]);
		/* Not every machine has IPv6, and nobody has asked for it. */
		if (ret && !l->asked && i && (ret == -EAFNOSUPPORT || ret == -EADDRNOTAVAIL)) {
			serve_listen_close(&(struct serve_listen){ .fd = { l->fd[i] }, .n = 1 });
			l->n = i;
			return 0;
		}
		if (ret)
			return fail(err, ret, &l->addr[i]);
	}
	return 0;
}

int serve_listen_open(struct serve_listen *l, struct ks_err *err)
{
	if (!l->n) {
		serve_listen_add(l, "127.0.0.1", err);
		serve_listen_add(l, "::1", err);
		l->asked = false;
	}
	return open_all(l, err);
}

void serve_listen_tell(const struct serve_listen *l)
{
	char where[64];
	unsigned int i;

	for (i = 0; i < l->n; i++) {
		addr_str(&l->addr[i], where, sizeof(where));
		cli_note("http://%s/metrics", where);
		if (!is_loopback(&l->addr[i]))
			cli_warn("%s: whoever reaches it can read the names and the load of the "
				 "VMs; it has no password and no encryption",
				 where);
	}
}

bool serve_listen_is_meant(const struct serve_listen *l, const char *host)
{
	char name[INET6_ADDRSTRLEN];
	struct sockaddr_storage a;
	const char *port;
	unsigned int i;

	for (i = 0; i < l->n; i++)
		if (!is_loopback(&l->addr[i]))
			return true;
	return !host || (split(host, name, sizeof(name), &port) &&
			 (!strcasecmp(name, "localhost") || set_addr(&a, name, 0)));
}

void serve_listen_close(struct serve_listen *l)
{
	unsigned int i;

	for (i = 0; i < l->n; i++)
		if (l->fd[i] >= 0)
			close(l->fd[i]);
	l->n = 0;
}
