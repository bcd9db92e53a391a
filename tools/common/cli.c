// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

int ks_verbosity = 1;
static char command_name[64] = "kvmsched";

const char *argp_program_version = "kvmsched " KVMSCHED_VERSION;

static void say(const char *kind, const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: %s", command_name, kind);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void ks_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

void ks_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("warning: ", fmt, ap);
	va_end(ap);
}

void ks_note(const char *fmt, ...)
{
	va_list ap;

	if (ks_verbosity < 1)
		return;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

int ks_fail(int code, const struct ks_err *err)
{
	ks_error("%s", err->msg);
	switch (code) {
	case -EPERM:
	case -EACCES:
	case -ENODEV:
	case -ENOTSUP:
	case -EAFNOSUPPORT:
		return KS_EXIT_LACKING;
	default:
		return KS_EXIT_FAILED;
	}
}

void ks_usage(const struct ks_err *err)
{
	ks_error("%s", err->msg);
	exit(KS_EXIT_USAGE);
}

static void print_help(FILE *out, const char *tool, const struct ks_command *commands,
		       const char *intro, const char *examples)
{
	const struct ks_command *c;

	fprintf(out, "Usage: %s COMMAND [OPTION...]\n%s\n\n", tool, intro);
	for (c = commands; c->name; c++)
		fprintf(out, "  %-9s %s\n", c->name, c->summary);
	fprintf(out, "\nExamples:\n%s\n`%s COMMAND --help` lists the options of a command.\n", examples,
		tool);
}

int ks_dispatch(int argc, char **argv, const struct ks_command *commands, const char *intro,
		const char *examples)
{
	const char *slash = strrchr(argv[0], '/'), *tool = slash ? slash + 1 : argv[0];
	const struct ks_command *c;

	snprintf(command_name, sizeof(command_name), "%s", tool);
	if (argc < 2) {
		print_help(stderr, tool, commands, intro, examples);
		return KS_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		print_help(stdout, tool, commands, intro, examples);
		return KS_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts(argp_program_version);
		return KS_EXIT_OK;
	}
	for (c = commands; c->name; c++) {
		if (strcmp(argv[1], c->name))
			continue;
		snprintf(command_name, sizeof(command_name), "%s %s", tool, c->name);
		argv[1] = command_name;
		return c->run(argc - 1, argv + 1);
	}
	ks_error("no command '%s'; `%s --help` lists them", argv[1], tool);
	return KS_EXIT_USAGE;
}

int ks_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	argp_err_exit_status = KS_EXIT_USAGE;
	/* In order: what follows "--" or the first word is not ours. */
	return argp_parse(argp, argc, argv, ARGP_IN_ORDER, NULL, input) ? KS_EXIT_USAGE : 0;
}
