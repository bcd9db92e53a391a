// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command while the publisher of locks is attached, as `lock-timeline publish` does it, but
 * without a host to tell.
 *
 *   publish begin|end COMMAND [ARG...]
 *
 * begin, end: of the lock functions, where locks are noted. Loads probes: for virtual machines of
 * the lab.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "publish.h"

static int run(char **command)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execvp(command[0], command);
		perror("publish");
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct ks_publisher_opts opts = { .at_end = argc > 2 && !strcmp(argv[1], "end") };
	struct ks_publisher *p = NULL;
	struct ks_err err;
	int ret;

	if (argc < 3 || (!opts.at_end && strcmp(argv[1], "begin"))) {
		fprintf(stderr, "usage: publish begin|end COMMAND [ARG...]\n");
		return 2;
	}
	ret = ks_publisher_open(&p, &opts, &err);
	if (!ret)
		ret = ks_publisher_attach(p, &err);
	if (ret)
		fprintf(stderr, "publish: %s\n", err.msg);
	else
		ret = run(argv + 2);
	ks_publisher_free(p);
	return ret < 0 ? 1 : ret;
}
