/* SPDX-License-Identifier: GPL-2.0 */
/* A progress bar on stderr, for long work on a terminal; nothing elsewhere. */
#ifndef KVMSCHED_PROGRESS_H
#define KVMSCHED_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool on;
	const char *what;
	uint64_t begun, shown; /* CLOCK_MONOTONIC, ns */
};

/* what: a word before the bar; stays the caller's. With -q there is no bar either. */
void progress_begin(struct progress *p, const char *what);
/* done of all; draws ten times a second at most, and only from the first second on. */
void progress_step(struct progress *p, uint64_t done, uint64_t all);
/* Take the bar away. */
void progress_end(struct progress *p);

#endif /* KVMSCHED_PROGRESS_H */
