/* SPDX-License-Identifier: GPL-2.0 */
/* What the files that write the SVG share. */
#ifndef KVMSCHED_SVG_H
#define KVMSCHED_SVG_H

#include "esc.h"
#include "palette.h"
#include "scene.h"
#include "svg_path.h"

#define SVG_WIDTH 1600
#define SVG_LEFT 172 /* of the plot */
#define SVG_RIGHT 1574

/* The rows of a lane, from its top, in pixels. */
struct svg_rows {
	double label, label_h; /* numbers of PLE exits */
	double wait, wait_h;   /* the first row of waits */
	double wait_step;      /* from one row of waits to the next */
	double hold, hold_h;
	double tick, tick_h;
	double strip, strip_h;
	double height, gap; /* of the lane; to the next one */
};

struct svg {
	const struct ks_scene *s;
	FILE *out;
	uint64_t t0, t1; /* left and right edge */
	double top;	 /* of the first lane */
	double cell;	 /* what is closer than this, in pixels, becomes one */
	struct svg_rows rows;
	int tips; /* tooltips that may still be written */
	int err;
};

/* Position of a time, clamped to the plot. */
double svg_x(const struct svg *g, uint64_t t);
double svg_lane_y(const struct svg *g, uint32_t lane);
double svg_wait_y(const struct svg *g, const struct sc_wait *w);

/* Flush a path, remembering an error. */
void svg_flush(struct svg *g, struct svg_path *p, const char *attrs);

/* A line of text; class is its CSS class, anchor "start", "middle" or "end". */
void svg_text(struct svg *g, double x, double y, const char *class, const char *anchor,
	      const char *text);

/* The picture's head, with its CSS, ground and title; its end, as 0 or -errno. */
void svg_begin(struct svg *g, double height, const char *title,
	       void (*describe)(struct svg *, FILE *));
int svg_end(struct svg *g);

/* Times along y; lines at the same times from y0 to y1. */
void svg_axis(struct svg *g, double y);
void svg_grid(struct svg *g, double y0, double y1);

/* A line that is composed with stdio and then escaped as a whole. */
void svg_composed(struct svg *g, void (*fill)(struct svg *, FILE *), double y, const char *class);

/* "81234.567890123 s" */
const char *svg_absolute(uint64_t ns, char *buf, size_t len);

void svg_style(struct svg *g);			/* svg_style.c: CSS and patterns */
double svg_legend_height(void);			/* svg_legend.c */
void svg_legend(struct svg *g, double y);	/* y: baseline of its first line */
void svg_lane(struct svg *g, uint32_t lane);	/* svg_lane.c */
void svg_flows(struct svg *g);			/* svg_marks.c: waits to blamed holds */
void svg_names(struct svg *g, uint32_t lane);	/* svg_marks.c: verdicts in the waits */
void svg_numbers(struct svg *g, uint32_t lane); /* svg_marks.c: PLE exits over the waits */

#endif /* KVMSCHED_SVG_H */
