// SPDX-License-Identifier: GPL-2.0
/*
 * To be preloaded: there is vsock, and nobody listens at first; the third call, and those after it, end with the error of this number in
 * VSOCK_ERRNO.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

static int calls;

int socket(int domain, int type, int protocol)
{
	int (*real)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");

	return domain == AF_VSOCK ? real(AF_UNIX, SOCK_STREAM | (type & ~0xf), 0) :
				    real(domain, type, protocol);
}

int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	int (*real)(int, const struct sockaddr *, socklen_t) =
		(int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");

	if (addr->sa_family != AF_VSOCK)
		return real(fd, addr, len);
	errno = ++calls < 3 ? ECONNREFUSED : atoi(getenv("VSOCK_ERRNO"));
	return -1;
}
