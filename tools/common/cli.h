/* SPDX-License-Identifier: GPL-2.0 */
/* What all tools share towards the user: exit codes, one-line messages, subcommands. */
#ifndef KVMSCHED_CLI_H
#define KVMSCHED_CLI_H

#include <argp.h>
#include <stdbool.h>

#include "trace.h"

/* Documented in every man page. */
#define CLI_EXIT_OK 0
#define CLI_EXIT_FAILED 1
#define CLI_EXIT_USAGE 2
#define CLI_EXIT_LACKING 3 /* this machine lacks something: permission, KVM, BTF, ... */

/* -q lowers it, -v raises it; 0 = warnings and errors, 1 = the usual notes. */
extern int cli_verbosity;

/* To be called once the options are known: with -vv what libbpf and the verifier say goes to stderr. */
void cli_log_probes(void);

/* "ple-trace: message" on stderr; always, or from the verbosity on. */
void cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cli_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Print err's line; the exit code that goes with the error number. */
int cli_fail(int code, const struct ks_err *err);

/* What was printed is out: 0, or -errno + err. Nobody reading it is an error too: -EPIPE. */
int cli_printed(struct ks_err *err);

/* The same at the end of a command: its exit code, or that of a failure, which is told. */
int cli_end(int code);

/* Print err's line and leave with CLI_EXIT_USAGE. */
void cli_usage(const struct ks_err *err) __attribute__((noreturn));

/* The same with a line of its own. */
void cli_bad_usage(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/*
 * The first call of a tool without commands: its name, from argv[0], for messages. Standard streams
 * that are closed stay so, but nothing else is opened in their place; so does cli_dispatch().
 */
void cli_tool(char **argv);

/* From here on a write that cannot be fails and is told, instead of a signal's end without a word. */
void cli_failing_writes(void);

struct cli_command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
};

/* main() of a tool: finds argv[1] among commands (ending with a NULL name) and runs it. */
int cli_dispatch(int argc, char **argv, const struct cli_command *commands, const char *intro,
		 const char *examples);

/*
 * argp_parse() with the house's exit codes and the options that every command takes: -q, -v, --help,
 * --usage, --version. argv[0] becomes "ple-trace record".
 */
int cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* May standard output have colours? On a terminal, unless NO_COLOR is set or the terminal is dumb. */
bool cli_color(void);

#endif /* KVMSCHED_CLI_H */
