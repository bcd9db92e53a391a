// SPDX-License-Identifier: GPL-2.0
/* What all tools begin with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

/* A file gets a number of its own, and what goes to a stream that is closed fails. */
static int try_streams(int argc, char **argv)
{
	int fd = open("/dev/zero", O_RDWR);

	(void)argc;
	(void)argv;
	return fd > STDERR_FILENO && write(STDOUT_FILENO, "x", 1) < 0 &&
			       write(STDERR_FILENO, "x", 1) < 0 && read(STDIN_FILENO, &fd, 1) == 0 ?
		       CLI_EXIT_OK :
		       CLI_EXIT_FAILED;
}

static int with_commands(void)
{
	static const struct cli_command commands[] = { { "try", try_streams, "" }, { 0 } };
	char *argv[] = { "tool", "try", NULL };

	return cli_dispatch(2, argv, commands, "", "");
}

static int without_commands(void)
{
	char *argv[] = { "tool", NULL };

	cli_tool(argv);
	return try_streams(1, argv);
}

/* The exit code of a tool that is begun with its standard streams closed. */
static int begun_closed(int (*tool)(void))
{
	int status, fd;
	pid_t pid = fork();

	if (!pid) {
		for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
			close(fd);
		_exit(tool());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void closed_streams(void **state)
{
	(void)state;
	assert_int_equal(begun_closed(without_commands), CLI_EXIT_OK);
	assert_int_equal(begun_closed(with_commands), CLI_EXIT_OK);
}

/* Those that are open stay what they are. */
static void open_streams(void **state)
{
	char *argv[] = { "tool", NULL };
	struct stat before, after;

	(void)state;
	assert_int_equal(fstat(STDOUT_FILENO, &before), 0);
	cli_tool(argv);
	assert_int_equal(fstat(STDOUT_FILENO, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_dev, after.st_dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_streams),
		cmocka_unit_test(open_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
