// SPDX-License-Identifier: GPL-2.0
/*
 * Sends a file's bytes to a vsock port of the host, as `lock-timeline stream` sends a trace.
 *
 * usage: vsock-send PORT FILE
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "trace.h"
#include "vsock.h"

static int copy(int from, int to)
{
	char buf[65536];
	ssize_t n, done, w;

	while ((n = read(from, buf, sizeof(buf))) > 0) {
		for (done = 0; done < n; done += w) {
			w = write(to, buf + done, n - done);
			if (w <= 0)
				return -1;
		}
	}
	return n < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct ks_err err;
	int from, to, ret;

	if (argc != 3) {
		fprintf(stderr, "usage: vsock-send PORT FILE\n");
		return 2;
	}
	from = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (from < 0) {
		perror(argv[2]);
		return 1;
	}
	to = ks_vsock_connect(KS_VSOCK_HOST, strtoul(argv[1], NULL, 10), 10000, &err);
	if (to < 0) {
		fprintf(stderr, "vsock-send: %s\n", err.msg);
		return 1;
	}
	ret = copy(from, to);
	if (ret)
		perror("vsock-send");
	close(to);
	close(from);
	return ret ? 1 : 0;
}
