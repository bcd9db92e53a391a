/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of a recording, the same on both sides: options, COMMAND, signals, clock samples, the
 * loop that empties the rings, the end.
 */
#ifndef KVMSCHED_RECORD_H
#define KVMSCHED_RECORD_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "rings.h"
#include "trace.h"

struct json_object;

struct record_opts {
	const char *out;
	uint64_t duration_ns; /* 0 = until a signal or the end of the command */
	unsigned int slots;   /* --ring-size, records per CPU; 0 = default */
	char **command;	      /* NULL-terminated, NULL = none */
};

/* Options -o, -d, --ring-size and COMMAND, as a child parser; its input: record_opts. */
extern const struct argp record_argp;
extern const struct argp record_stream_argp; /* the same, for what writes no file */

/* What the two sides do differently. */
struct record_side {
	void *probe;
	int (*drain)(void *probe, ks_rings_fn fn, void *ctx);
	int (*finish)(void *probe, ks_rings_fn fn, void *ctx); /* the last drain, after stop */
	const struct ks_rings *(*rings)(void *probe);
	void (*stop)(void *probe);
	/* Sees every batch of records; writes them, or what it makes of them, with record_write(). */
	ks_rings_fn take;
	void *take_ctx;
	/* Once a second and at the end: counts, names. */
	int (*second)(void *ctx, struct ks_writer *w, bool last);
	void *second_ctx;
};

/*
 * Record until COMMAND ends, the duration is over, or SIGINT or SIGTERM; then close the trace. If
 * the trace cannot be written any more (a full disk), COMMAND goes on without.
 * Returns the exit code: COMMAND's own, or, if that is 0, one of CLI_EXIT_*. Owns w.
 */
int record_run(struct ks_writer *w, const struct record_opts *o, const struct record_side *side);

/* Members that both sides' metadata begin with. The caller's. */
struct json_object *record_meta(const char *side, const char *tool, const struct record_opts *o);

/* Nothing was recorded: take back the empty PATH.partial that opening the writer made. */
void record_discard(const char *path);

#endif /* KVMSCHED_RECORD_H */
