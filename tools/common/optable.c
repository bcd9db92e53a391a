// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <stdio.h>

#include "optable.h"

void optable_tool(const char *tool)
{
	printf("tool\t%s\n", tool);
}

void optable_command(const char *command, const char *summary)
{
	printf("command\t%s\t%s\n", command, summary);
}

static const char *text(const char *s)
{
	return s ? s : "";
}

/* An alias is another name for `real`, the option before it. */
static void print_option(const char *command, const struct argp_option *o,
			 const struct argp_option *real)
{
	char letter[2] = { o->key > ' ' && o->key < 0x7f && isprint(o->key) ? (char)o->key : 0 };

	if (!o->name || o->flags & (OPTION_HIDDEN | OPTION_DOC))
		return;
	printf("option\t%s\t%s\t%s\t%s\t%s\t%s\n", command, o->name, letter, text(real->arg),
	       real->flags & OPTION_ARG_OPTIONAL ? "optional" : "", text(real->doc));
}

static void walk(const char *command, const struct argp *argp)
{
	const struct argp_option *o, *real = NULL;
	const struct argp_child *c;

	for (o = argp->options; o && (o->name || o->key || o->doc || o->group); o++) {
		if (!(o->flags & OPTION_ALIAS))
			real = o;
		print_option(command, o, real);
	}
	for (c = argp->children; c && c->argp; c++)
		walk(command, c->argp);
}

/* One way of calling it per line, in args_doc and here. */
void optable_options(const char *command, const struct argp *argp)
{
	const char *p;

	printf("args\t%s\t", command);
	for (p = text(argp->args_doc); *p; p++)
		fputs(*p == '\n' ? " | " : (char[]){ *p, 0 }, stdout);
	putchar('\n');
	walk(command, argp);
}
