// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "optable.h"
#include "outfile.h"
#include "probe.h"

int cli_verbosity = 1;
static char command_name[64] = "kvmsched";
static bool listing; /* the tables of options are wanted, nothing else */

#define VERSION_LINE "kvmsched " KVMSCHED_VERSION

static void say(const char *kind, const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: %s", command_name, kind);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

static void print_probe_log(const char *text)
{
	fputs(text, stderr);
}

void cli_log_probes(void)
{
	if (cli_verbosity > 2)
		ks_probe_log(print_probe_log);
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

int cli_printed(struct ks_err *err)
{
	const struct ks_outfile out = { .path = NULL };

	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	return ks_outfile_fail(&out, -(errno ? errno : EIO), err);
}

int cli_end(int code)
{
	struct ks_err err;
	int ret = cli_printed(&err);

	return ret ? cli_fail(ret, &err) : code;
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

/*
 * A file that is opened must not get the number of a standard stream that is closed: what is meant
 * for the stream would be written into it. Nor can it be written to what is opened here.
 */
static void hold_streams(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDONLY) != fd) {
			cli_error("/dev/null: %s", strerror(errno));
			exit(CLI_EXIT_FAILED);
		}
}

void cli_tool(char **argv)
{
	hold_streams();
	snprintf(command_name, sizeof(command_name), "%s", tool_name(argv[0]));
	argv[0] = command_name;
}

void cli_failing_writes(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
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

/* Each command gets as far as cli_parse(), which prints its options. */
static int list_commands(const char *tool, const struct cli_command *commands)
{
	char *argv[] = { command_name, NULL };
	const struct cli_command *c;

	listing = true;
	optable_tool(tool);
	for (c = commands; c->name; c++) {
		snprintf(command_name, sizeof(command_name), "%s %s", tool, c->name);
		optable_command(command_name, c->summary);
		c->run(1, argv);
	}
	return fflush(stdout) ? CLI_EXIT_FAILED : CLI_EXIT_OK;
}

int cli_dispatch(int argc, char **argv, const struct cli_command *commands, const char *intro,
		 const char *examples)
{
	const char *tool = tool_name(argv[0]);
	const struct cli_command *c;

	hold_streams();
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
		puts(VERSION_LINE);
		return CLI_EXIT_OK;
	}
	if (!strcmp(argv[1], CLI_TABLE_OPTION))
		return list_commands(tool, commands);
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

/* ---- what every command takes ---- */

enum { OPT_USAGE = 0x1000 };

static const struct argp_option common_options[] = {
	{ "quiet", 'q', NULL, 0, "print errors and warnings only", -1 },
	{ "verbose", 'v', NULL, 0, "print more", -1 },
	{ "help", 'h', NULL, 0, "print this help", -1 },
	{ "usage", OPT_USAGE, NULL, 0, "print the options in short", -1 },
	{ "version", 'V', NULL, 0, "print the version", -1 },
	{ 0 },
};

struct common {
	void *input; /* of the command's own parser */
};

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	const struct common *c = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = c->input;
		return 0;
	case 'q':
		cli_verbosity = 0;
		return 0;
	case 'v':
		cli_verbosity++;
		return 0;
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		return 0;
	case OPT_USAGE:
		argp_state_help(state, stdout, ARGP_HELP_USAGE | ARGP_HELP_EXIT_OK);
		return 0;
	case 'V':
		puts(VERSION_LINE);
		exit(CLI_EXIT_OK);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	struct argp own = *argp;
	const struct argp_child children[] = { { &own, 0, NULL, 0 }, { 0 } };
	const struct argp all = { common_options, parse_common, argp->args_doc, argp->doc, children,
				  NULL,		  NULL };
	struct common c = { input };

	own.args_doc = own.doc = NULL; /* argp would print them twice */
	if (listing || (argc == 2 && !strcmp(argv[1], CLI_TABLE_OPTION))) {
		if (!listing)
			optable_tool(command_name);
		optable_options(command_name, &all);
		if (!listing)
			exit(fflush(stdout) ? CLI_EXIT_FAILED : CLI_EXIT_OK);
		return CLI_EXIT_USAGE;
	}
	setenv("ARGP_HELP_FMT", "opt-doc-col=27,short-opt-col=2,long-opt-col=6,no-dup-args-note",
	       0);
	argp_err_exit_status = CLI_EXIT_USAGE;
	/* In order: what follows "--" or the first word is not ours. */
	return argp_parse(&all, argc, argv, ARGP_IN_ORDER | ARGP_NO_HELP, NULL, &c) ?
		       CLI_EXIT_USAGE :
		       0;
}

bool cli_color(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}
