// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

int cli_verbosity = 1;
static char command_name[64] = "kvmsched";

const char *argp_program_version = "kvmsched " KVMSCHED_VERSION;

static void say(const char *kind, const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: %s", command_name, kind);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void cli_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

void cli_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("warning: ", fmt, ap);
	va_end(ap);
}

void cli_note(const char *fmt, ...)
{
	va_list ap;

	if (cli_verbosity < 1)
		return;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

int cli_fail(int code, const struct ks_err *err)
{
	cli_error("%s", err->msg);
	switch (code) {
	case -EPERM:
	case -EACCES:
	case -ENODEV:
	case -ENOTSUP:
	case -EAFNOSUPPORT:
		return CLI_EXIT_LACKING;
	default:
		return CLI_EXIT_FAILED;
	}
}

void cli_usage(const struct ks_err *err)
{
	cli_error("%s", err->msg);
	exit(CLI_EXIT_USAGE);
}

void cli_bad_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
	exit(CLI_EXIT_USAGE);
}

static const char *tool_name(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	return slash ? slash + 1 : argv0;
}

void cli_tool(char **argv)
{
	snprintf(command_name, sizeof(command_name), "%s", tool_name(argv[0]));
	argv[0] = command_name;
}

static void print_help(FILE *out, const char *tool, const struct cli_command *commands,
		       const char *intro, const char *examples)
{
	const struct cli_command *c;

	fprintf(out, "Usage: %s COMMAND [OPTION...]\n%s\n\n", tool, intro);
	for (c = commands; c->name; c++)
		fprintf(out, "  %-9s %s\n", c->name, c->summary);
	fprintf(out, "\nExamples:\n%s\n`%s COMMAND --help` lists the options of a command.\n",
		examples, tool);
}

int cli_dispatch(int argc, char **argv, const struct cli_command *commands, const char *intro,
		 const char *examples)
{
	const char *tool = tool_name(argv[0]);
	const struct cli_command *c;

	snprintf(command_name, sizeof(command_name), "%s", tool);
	if (argc < 2) {
		print_help(stderr, tool, commands, intro, examples);
		return CLI_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout, tool, commands, intro, examples);
		return CLI_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return CLI_EXIT_OK;
	}
	for (c = commands; c->name; c++) {
		if (strcmp(argv[1], c->name))
			continue;
		snprintf(command_name, sizeof(command_name), "%s %s", tool, c->name);
		argv[1] = command_name;
		return c->run(argc - 1, argv + 1);
	}
	cli_error("no command '%s'; `%s --help` lists them", argv[1], tool);
	return CLI_EXIT_USAGE;
}

int cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	argp_err_exit_status = CLI_EXIT_USAGE;
	/* In order: what follows "--" or the first word is not ours. */
	return argp_parse(argp, argc, argv, ARGP_IN_ORDER, NULL, input) ? CLI_EXIT_USAGE : 0;
}
