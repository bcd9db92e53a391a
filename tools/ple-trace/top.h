/* SPDX-License-Identifier: GPL-2.0 */
/* Inside `ple-trace top`: the rows of one interval, and the ways to print them. */
#ifndef KVMSCHED_TOP_H
#define KVMSCHED_TOP_H

#include <stdbool.h>
#include <stdint.h>

#include "live.h"

struct ks_symbols;

struct top_row {
	const struct ks_live_vcpu *v;
	const char *vm;		/* borrowed */
	double pause, hlt;	/* exits per second */
	uint64_t pauses, hlts;	/* exits in the interval */
	double share[KS_V_MAX]; /* of the interval, 0 to 1 */
};

struct top_view {
	const struct top_row *rows; /* most PLE exits first */
	uint32_t n;
	double seconds; /* length of the interval */
	uint64_t lost;
	uint64_t unseen;		  /* vCPUs for which there was no room, since the start */
	const struct ks_symbols *symbols; /* of the guests, NULL = none */
	bool screen;			  /* a terminal: draw in place */
	unsigned int lines;		  /* its height */
};

void top_print_table(const struct top_view *t);
/* One object in one line. */
void top_print_json(const struct top_view *t, uint64_t time_ns);

#endif /* KVMSCHED_TOP_H */
