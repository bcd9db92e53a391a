/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs that make work in a guest have in common. */
#ifndef LAB_GUEST_H
#define LAB_GUEST_H

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* A number from 1 to max, and nothing else. */
static inline int parse_uint(const char *text, unsigned int max, unsigned int *out)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || !v || v > max)
		return -EINVAL;
	*out = (unsigned int)v;
	return 0;
}

/* Which of so many names it is. */
static inline int parse_name(const char *text, const char *const *names, unsigned int n,
			     unsigned int *out)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!strcmp(text, names[i])) {
			*out = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* A program: its options, of which "help" is 'h', then its work. parse and run return 0 or -errno. */
struct program {
	const char *name, *usage;
	const struct option *options;
	int (*parse)(int option, const char *arg);
	int (*run)(void);
};

static inline int program_main(const struct program *p, int argc, char **argv)
{
	int c, err;

	while ((c = getopt_long(argc, argv, "", p->options, NULL)) != -1) {
		if (c == 'h') {
			fputs(p->usage, stdout);
			return 0;
		}
		if (p->parse(c, optarg)) {
			fputs(p->usage, stderr);
			return 2;
		}
	}
	err = p->run();
	if (err)
		fprintf(stderr, "%s: %s\n", p->name, strerror(-err));
	return err ? 1 : 0;
}

#endif
