/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The options of a tool as a table for programs: completions are made of it, and tests look whether
 * an option means the same everywhere. Lines of fields with tabs between them:
 *
 *	tool	NAME
 *	command	TOOL COMMAND	SUMMARY
 *	args	TOOL COMMAND	ARGUMENTS
 *	option	TOOL COMMAND	LONG	SHORT	ARGUMENT	OPTIONAL	HELP
 *
 * SHORT is a letter or empty; ARGUMENT is empty if the option takes none; OPTIONAL is "optional" if
 * it may be left out. A tool without commands has its name alone in the second field.
 */
#ifndef KVMSCHED_OPTABLE_H
#define KVMSCHED_OPTABLE_H

#include <argp.h>

/* Asks a tool for its table; not in the help. */
#define CLI_TABLE_OPTION "--option-table"

void optable_tool(const char *tool);
void optable_command(const char *command, const char *summary);
/* All options of a parser and its children, but hidden ones. */
void optable_options(const char *command, const struct argp *argp);

#endif /* KVMSCHED_OPTABLE_H */
