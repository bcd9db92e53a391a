// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "file.h"
#include "text.h"

#define MAX_FILE (1u << 16)
#define MAX_LINES 1000

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	*end = 0;
	return s;
}

/* One line as an argument, malloc()ed; NULL if there is no memory. */
static char *argument(const char *line)
{
	char *arg;

	return asprintf(&arg, "--%s", line) < 0 ? NULL : arg;
}

static int add_lines(char *text, const char *path, int *argc, char **argv, struct ks_err *err)
{
	unsigned int number = 0;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		number++;
		line = trim(line);
		if (!*line || *line == '#')
			continue;
		if (*line == '-' || number > MAX_LINES)
			return ks_fail(err, -EINVAL, "%.200s, line %u: %s", path, number,
				       *line == '-' ? "options go without dashes here" :
						      "too many lines");
		argv[*argc] = argument(line);
		if (!argv[*argc])
			return ks_fail(err, -ENOMEM, "out of memory");
		++*argc;
	}
	return 0;
}

int file_args(const char *path, const char *name, int *argc, char ***argv, struct ks_err *err)
{
	char *text;
	int ret = ks_read_file(path, MAX_FILE, &text, NULL);

	*argv = NULL;
	if (ret)
		return ks_fail(err, ret, "%.200s: %s", path, strerror(-ret));
	*argv = calloc(MAX_LINES + 2, sizeof(**argv));
	if (*argv)
		(*argv)[0] = strdup(name);
	*argc = 1;
	if (*argv && (*argv)[0])
		ret = add_lines(text, path, argc, *argv, err);
	else
		ret = ks_fail(err, -ENOMEM, "out of memory");
	free(text);
	if (ret) {
		file_args_free(*argv);
		*argv = NULL;
	}
	return ret;
}

void file_args_free(char **argv)
{
	int i;

	for (i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
}
