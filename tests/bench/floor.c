// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command while programs that do nothing are attached to the lock and unlock functions, or
 * that do nothing but read the clock: what no probe in these places can do without.
 *
 *   floor exit|entry|both|clock COMMAND [ARG...]
 *
 * Loads probes: for virtual machines of the lab.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "floor.skel.h"

/* Which programs to load; false if there is no such kind. */
static bool choose(struct floor_bpf *s, const char *kind)
{
	bool both = !strcmp(kind, "both"), clock = !strcmp(kind, "clock");
	bool exit = both || !strcmp(kind, "exit"), entry = both || !strcmp(kind, "entry");

	bpf_program__set_autoload(s->progs.empty_exit, exit);
	bpf_program__set_autoload(s->progs.empty_entry, entry);
	bpf_program__set_autoload(s->progs.clock_exit, clock);
	bpf_program__set_autoload(s->progs.clock_entry, clock);
	return exit || entry || clock;
}

static int run(char **command)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		execvp(command[0], command);
		fprintf(stderr, "floor: %s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct floor_bpf *s = argc > 2 ? floor_bpf__open() : NULL;
	int ret = 1;

	if (argc < 3 || (s && !choose(s, argv[1]))) {
		fprintf(stderr, "usage: floor exit|entry|both|clock COMMAND [ARG...]\n");
		floor_bpf__destroy(s);
		return 2;
	}
	if (s && !floor_bpf__load(s) && !floor_bpf__attach(s))
		ret = run(argv + 2);
	else
		fprintf(stderr, "floor: %s\n", strerror(errno));
	floor_bpf__destroy(s);
	return ret;
}
