/* SPDX-License-Identifier: GPL-2.0 */
/* Runs the real analysis on a simulated world and compares. */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include <stdbool.h>

#include "params.h"

struct check_opts {
	bool keep, verbose, quiet;
	const char *fault; /* spoil what the analysis said; NULL: do not */
};

/* 0 if the analysis is good enough, 1 if not; prints one line, and what is wrong. */
int check_run(const struct params *p, const struct check_opts *o);
void check_header(void);

#endif /* SIM_CHECK_H */
