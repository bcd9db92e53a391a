/* SPDX-License-Identifier: GPL-2.0 */
/* Live displays: their common options, and the loop from table to table. */
#ifndef KVMSCHED_TOPLOOP_H
#define KVMSCHED_TOPLOOP_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

struct ks_err;

struct toploop {
	uint64_t interval_ns, duration_ns, count; /* from the command line; 0 = none */
	bool json;
	void (*drain)(void *ctx); /* 20 times a second */
	void (*show)(void *ctx);
	void *ctx;
	uint64_t last; /* CLOCK_MONOTONIC, ns: the begin of this interval; show() moves it on */
};

/* -i, -n, -d, --json; its input: toploop. */
extern const struct argp toploop_argp;

/* Until a signal or the options end it, or nobody reads stdout any more. 0 or -errno + err. */
int toploop_run(struct toploop *l, struct ks_err *err);

/* Height of the terminal, 0 if there is none. */
unsigned int toploop_lines(void);
/* On a terminal: begin anew at its top. How many of n lines fit below `used` ones. */
uint32_t toploop_fit(uint32_t n, unsigned int used);

#endif /* KVMSCHED_TOPLOOP_H */
