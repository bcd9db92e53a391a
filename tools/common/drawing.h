/* SPDX-License-Identifier: GPL-2.0 */
/* Commands that draw: their common options, and the way from a scene to a file. */
#ifndef KVMSCHED_DRAWING_H
#define KVMSCHED_DRAWING_H

#include <argp.h>
#include <stdint.h>
#include <stdio.h>

#include "part.h"
#include "trace.h"

struct drawing {
	const char *out, *vcpus, *title;
	struct part part;
};

/* -o, --from, --to, --vcpu, --title; its input: drawing. */
extern const struct argp drawing_argp;

/* The part as times of the host's recording; without --to up to its end. */
int drawing_times(const struct drawing *d, const char *host, uint64_t *from, uint64_t *to,
		  struct ks_err *err);

/* Write with svg or html, by the end of the file's name. 0 or -errno and err. */
typedef int (*drawing_fn)(const void *scene, FILE *out);
int drawing_write(const struct drawing *d, const void *scene, drawing_fn svg, drawing_fn html,
		  struct ks_err *err);

/* The worst bound of the guests' clocks, ns; 0 if there is no guest. */
struct ks_session;
uint64_t drawing_clock_error(const struct ks_session *s);

#endif /* KVMSCHED_DRAWING_H */
