/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Path data that grows: many shapes of one colour become one element. Coordinates are tenths of a
 * pixel and written relative to the last, which keeps a crowded picture small.
 */
#ifndef KVMSCHED_SVG_PATH_H
#define KVMSCHED_SVG_PATH_H

#include <stdio.h>

struct svg_path {
	FILE *f; /* NULL until something is drawn */
	char *buf;
	size_t len;
	long x, y; /* where the pen is, tenths */
	int err;
};

void svg_path_rect(struct svg_path *p, double x, double y, double w, double h);
void svg_path_vline(struct svg_path *p, double x, double y, double h);
/* A triangle with its point at x, y and its base `size` wide; up: the base is below the point. */
void svg_path_triangle(struct svg_path *p, double x, double y, double size, int up);

/* Write <path ATTRS d="..."/> if anything was drawn, and empty the path. 0 or -ENOMEM. */
int svg_path_flush(struct svg_path *p, FILE *out, const char *attrs);

#endif /* KVMSCHED_SVG_PATH_H */
