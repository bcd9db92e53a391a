// SPDX-License-Identifier: GPL-2.0
/* Streams over AF_VSOCK. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "err.h"
#include "now.h"
#include "vsock.h"

static int open_socket(struct ks_err *err)
{
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret = -errno;

	if (fd >= 0)
		return fd;
	if (ret == -EAFNOSUPPORT)
		return ks_fail(err, ret,
			       "this kernel has no vsock; load the module: modprobe "
			       "vsock (and vhost_vsock on a host)");
	return ks_fail(err, ret, "vsock: %s", strerror(-ret));
}

static struct sockaddr_vm address(uint32_t cid, uint32_t port)
{
	struct sockaddr_vm a;

	memset(&a, 0, sizeof(a));
	a.svm_family = AF_VSOCK;
	a.svm_cid = cid;
	a.svm_port = port;
	return a;
}

int ks_vsock_listen(uint32_t cid, uint32_t port, struct ks_err *err)
{
	struct sockaddr_vm a = address(cid, port);
	int fd = open_socket(err), ret;

	if (fd < 0)
		return fd;
	if (!bind(fd, (struct sockaddr *)&a, sizeof(a)) && !listen(fd, 1024))
		return fd;
	ret = -errno;
	close(fd);
	if (ret == -EADDRINUSE)
		return ks_fail(err, ret, "vsock port %u is taken: is another collect running?",
			       port);
	return ks_fail(err, ret, "vsock port %u: %s", port, strerror(-ret));
}

int ks_vsock_accept(int fd, uint32_t *cid, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct sockaddr_vm a = { 0 };
	socklen_t len = sizeof(a);
	int n = poll(&p, 1, timeout_ms);

	if (n < 0)
		return -errno;
	if (!n)
		return -ETIMEDOUT;
	n = accept4(fd, (struct sockaddr *)&a, &len, SOCK_CLOEXEC);
	if (n < 0)
		return -errno;
	*cid = a.svm_family == AF_VSOCK ? a.svm_cid : 0;
	return n;
}

/* Wait until a connect in progress has an outcome. */
static int finish_connect(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int n = poll(&p, 1, timeout_ms), error = 0;
	socklen_t len = sizeof(error);

	if (n < 0)
		return -errno;
	if (!n)
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		return -errno;
	return -error;
}

/* By itself the kernel gives up after 2 s, however long we would wait. Where it cannot be told it stays so. */
static void set_connect_timeout(int fd, int timeout_ms)
{
	const struct timeval tv = { .tv_sec = timeout_ms / 1000,
				    .tv_usec = timeout_ms % 1000 * 1000 };

	setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &tv, sizeof(tv));
}

static int connect_timed(int fd, const struct sockaddr_vm *a, int timeout_ms)
{
	const struct timeval stall = { .tv_sec = KS_VSOCK_STALL_S };
	int flags = fcntl(fd, F_GETFL), ret;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &stall, sizeof(stall)))
		return -errno;
	set_connect_timeout(fd, timeout_ms);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	ret = connect(fd, (const struct sockaddr *)a, sizeof(*a)) ? -errno : 0;
	if (ret == -EINPROGRESS)
		ret = finish_connect(fd, timeout_ms);
	if (!ret && fcntl(fd, F_SETFL, flags))
		ret = -errno;
	return ret;
}

static int explain(int ret, uint32_t cid, uint32_t port, struct ks_err *err)
{
	switch (ret) {
	case -ECONNRESET: /* how the host answers if nobody listens */
	case -ECONNREFUSED:
		return ks_fail(err, -ECONNREFUSED,
			       "nobody listens on vsock CID %u port %u: start "
			       "`lock-timeline collect` there first",
			       cid, port);
	case -ENODEV:
	case -ENETUNREACH:
		return ks_fail(err, ret,
			       "no vsock device: give the VM one (QEMU: -device "
			       "vhost-vsock-pci,guest-cid=3)");
	case -ETIMEDOUT:
		return ks_fail(err, ret, "vsock CID %u port %u does not answer", cid, port);
	default:
		return ks_fail(err, ret, "vsock CID %u port %u: %s", cid, port, strerror(-ret));
	}
}

static int connect_and_tell(int fd, uint32_t cid, uint32_t port, int timeout_ms, struct ks_err *err)
{
	struct sockaddr_vm a = address(cid, port);
	int ret = connect_timed(fd, &a, timeout_ms);

	if (!ret)
		return fd;
	close(fd);
	return explain(ret, cid, port, err);
}

int ks_vsock_connect(uint32_t cid, uint32_t port, int timeout_ms, struct ks_err *err)
{
	int fd = open_socket(err);

	return fd < 0 ? fd : connect_and_tell(fd, cid, port, timeout_ms, err);
}

#define ROOT_PORT_MIN 64u
#define ROOT_PORT_END 1024u

/*
 * The peer may remember a connection for seconds after its end (8 s in Linux), and takes the next one from
 * the same port for a part of it. So the clock says where to begin, round in 15 s.
 */
static uint32_t first_port(void)
{
	return (uint32_t)(ks_now_ms() / 16 % (ROOT_PORT_END - ROOT_PORT_MIN));
}

static int bind_root_port(int fd)
{
	uint32_t i, n = ROOT_PORT_END - ROOT_PORT_MIN, begin = first_port();
	struct sockaddr_vm a;

	for (i = 0; i < n; i++) {
		a = address(VMADDR_CID_ANY, ROOT_PORT_MIN + (begin + i) % n);
		if (!bind(fd, (struct sockaddr *)&a, sizeof(a)))
			return 0;
		if (errno != EADDRINUSE)
			return -errno;
	}
	return -EADDRINUSE;
}

int ks_vsock_connect_as_root(uint32_t cid, uint32_t port, int timeout_ms, struct ks_err *err)
{
	int fd = open_socket(err), ret;

	if (fd < 0)
		return fd;
	ret = bind_root_port(fd);
	if (!ret)
		return connect_and_tell(fd, cid, port, timeout_ms, err);
	close(fd);
	return ks_fail(err, ret, "vsock: no port below 1024: %s%s", strerror(-ret),
		       ret == -EACCES ? "; run as root" : "");
}

uint32_t ks_vsock_peer_port(int fd)
{
	struct sockaddr_vm a = { 0 };
	socklen_t len = sizeof(a);

	if (getpeername(fd, (struct sockaddr *)&a, &len) || a.svm_family != AF_VSOCK)
		return 0;
	return a.svm_port;
}

int ks_vsock_own_cid(uint32_t *cid)
{
	unsigned int v = 0;
	int fd = open("/dev/vsock", O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &v) ? -errno : 0;
	close(fd);
	if (!ret && v == VMADDR_CID_ANY)
		ret = -ENODEV; /* the module is there, a transport is not */
	if (!ret)
		*cid = v;
	return ret;
}
