// SPDX-License-Identifier: GPL-2.0
/*
 * A loop that takes spinlocks nobody else wants: dup2() and close() on the process's own table of
 * files, each of which locks and unlocks files_struct.file_lock once and nothing else.
 *
 *   lockloop ITERATIONS [START-FILE]
 *
 * Waits for START-FILE, if given, so that a recorder can be put in its place first. Prints one JSON
 * object: iterations, ns by CLOCK_MONOTONIC.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "now.h"

static void wait_for_file(const char *path)
{
	const struct timespec nap = { .tv_nsec = 10000000 };

	while (access(path, F_OK))
		nanosleep(&nap, NULL);
}

/* Straight system calls: the C library's close() is a cancellation point and does more. */
static int spin(uint64_t iterations, int fd, int spare)
{
	for (uint64_t i = 0; i < iterations; i++) {
		if (syscall(SYS_dup2, fd, spare) != spare || syscall(SYS_close, spare))
			return -errno;
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t iterations, begun;
	char *end = NULL;
	int fd, spare, err;

	errno = 0;
	iterations = argc > 1 ? strtoull(argv[1], &end, 10) : 0;
	if (!iterations || *end || errno || argc > 3) {
		fprintf(stderr, "usage: lockloop ITERATIONS [START-FILE]\n");
		return 2;
	}
	fd = open("/dev/null", O_RDONLY);
	spare = fd < 0 ? -1 : dup(fd);
	if (spare < 0) {
		fprintf(stderr, "lockloop: /dev/null: %s\n", strerror(errno));
		return 1;
	}
	close(spare);
	if (argc == 3)
		wait_for_file(argv[2]);
	begun = ks_now_ns();
	err = spin(iterations, fd, spare);
	printf("{\"iterations\":%" PRIu64 ",\"elapsed_ns\":%" PRIu64 "}\n", iterations,
	       ks_now_ns() - begun);
	if (err)
		fprintf(stderr, "lockloop: %s\n", strerror(-err));
	return err ? 1 : 0;
}
