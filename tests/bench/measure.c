// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command and says what it took, as one JSON object in FILE: CPU
 * time, which a busy machine does not distort as much as time by the clock, and peak memory.
 *
 *   measure FILE COMMAND [ARG...]
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int run(char **command)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execvp(command[0], command);
		fprintf(stderr, "measure: %s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct rusage u;
	double begun = now();
	FILE *f;
	int ret;

	if (argc < 3) {
		fprintf(stderr, "usage: measure FILE COMMAND [ARG...]\n");
		return 2;
	}
	ret = run(argv + 2);
	getrusage(RUSAGE_CHILDREN, &u);
	f = fopen(argv[1], "w");
	if (!f) {
		fprintf(stderr, "measure: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	fprintf(f,
		"{\"exit\":%d,\"user_s\":%.6f,\"system_s\":%.6f,\"elapsed_s\":%.6f,\"peak_kib\":%"
		"ld}\n",
		ret, seconds(u.ru_utime), seconds(u.ru_stime), now() - begun, u.ru_maxrss);
	return fclose(f) ? 1 : ret;
}
