// SPDX-License-Identifier: GPL-2.0
/*
 * The states of one vCPU, in columns of a few pixels: each is a stack of what the vCPU was meanwhile,
 * by its share; columns that look the same become one rectangle.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vnuma_svg.h"

#define STEPS 24 /* of a column's height: finer shares are not drawn */

struct columns {
	float (*ns)[VS_KINDS];
	float *away;
	size_t n;
	double width; /* ns of one */
};

/* Add ns evenly between two places, given in columns. */
static void spread(struct columns *c, unsigned int kind, bool away, double a, double b, double ns)
{
	double len = b - a > 1e-9 ? b - a : 1e-9;

	for (size_t i = (size_t)a; i < c->n && (double)i < b; i++) {
		double part = fmin(b, (double)i + 1) - fmax(a, (double)i);

		c->ns[i][kind] += (float)(ns * part / len);
		if (away)
			c->away[i] += (float)(ns * part / len);
	}
}

static void collect(struct columns *c, const struct ks_vscene *s, const struct vs_lane *l)
{
	for (size_t i = l->seg0; i < l->seg1; i++) {
		const struct vs_seg *g = &vs_segs(s)[i];
		double a = (double)(g->from - s->opts.from) / c->width;
		double b = (double)(g->to - s->opts.from) / c->width;

		if (g->kind != VS_MIXED) {
			spread(c, g->kind, vs_away(l, g->kind, g->node), a, b,
			       (double)(g->to - g->from));
			continue;
		}
		for (unsigned int k = 0; k < VS_KINDS; k++)
			if (g->ns[k] > 0)
				spread(c, k, vs_away(l, k, -1), a, b, g->ns[k]);
	}
}

/* From the bottom: at home, away, and what is not running. */
static unsigned int stacked(const struct vs_lane *l, unsigned int i)
{
	if (l->home < 0 || l->home >= VS_NODES || i > (unsigned int)l->home)
		return i;
	return i ? i - 1 : (unsigned int)l->home;
}

/* Heights in steps; away: from the first of them to the second. */
struct stack {
	uint8_t top[VS_KINDS]; /* upper edges, in the order of stacked() */
	uint8_t away0, away1;
	bool any;
};

static struct stack stack_of(const struct columns *c, const struct vs_lane *l, size_t i)
{
	struct stack k = { .any = false };
	double sum = 0, run = 0, at = 0;

	for (unsigned int n = 0; n < VS_KINDS; n++) {
		sum += c->ns[i][n];
		run += n <= VS_OTHER_NODE ? c->ns[i][n] : 0;
	}
	if (sum < c->width * 0.02)
		return k;
	k.any = true;
	for (unsigned int n = 0; n < VS_KINDS; n++) {
		at += c->ns[i][stacked(l, n)];
		k.top[n] = (uint8_t)lround(at / sum * STEPS);
	}
	k.away1 = (uint8_t)lround(run / sum * STEPS);
	k.away0 = (uint8_t)lround((run - fmin(run, c->away[i])) / sum * STEPS);
	return k;
}

static void draw(const struct vsvg *v, const struct vs_lane *l, struct svg_path *path,
		 const struct stack *k, double x, double w, double y)
{
	double step = v->lane_h / STEPS;
	unsigned int from = 0;

	if (!k->any)
		return;
	for (unsigned int n = 0; n < VS_KINDS; n++) {
		svg_path_rect(&path[stacked(l, n)], x, y + v->lane_h - k->top[n] * step, w,
			      (k->top[n] - from) * step);
		from = k->top[n];
	}
	svg_path_rect(&path[VS_KINDS], x, y + v->lane_h - k->away1 * step, w,
		      (k->away1 - k->away0) * step);
}

static void flush(struct vsvg *v, struct svg_path *path)
{
	static const int state[VS_KINDS] = {
		[VS_RUNNABLE] = KS_V_RUNNABLE,
		[VS_HALTED] = KS_V_HALTED,
		[VS_BLOCKED] = KS_V_BLOCKED,
		[VS_UNKNOWN] = KS_V_UNKNOWN,
	};
	char attrs[32];

	for (int k = 0; k < VS_KINDS; k++) {
		if (k < VS_RUNNABLE)
			snprintf(attrs, sizeof(attrs), "class=\"n%d\"", k);
		else
			snprintf(attrs, sizeof(attrs), "fill=\"url(#b%d)\"", state[k]);
		svg_flush(&v->g, &path[k], attrs);
	}
	svg_flush(&v->g, &path[VS_KINDS], "fill=\"url(#away)\"");
}

static void draw_all(struct vsvg *v, uint32_t lane, const struct columns *c)
{
	const struct vs_lane *l = &v->s->lanes[lane];
	struct svg_path path[VS_KINDS + 1] = { 0 };
	double px = (double)(SVG_RIGHT - SVG_LEFT) / (double)c->n;
	struct stack last = stack_of(c, l, 0);
	size_t from = 0;

	for (size_t i = 1; i <= c->n; i++) {
		struct stack k = { 0 };

		if (i < c->n) {
			k = stack_of(c, l, i);
			if (!memcmp(&k, &last, sizeof(k)))
				continue;
		}
		draw(v, l, path, &last, SVG_LEFT + (double)from * px, (double)(i - from) * px,
		     v->lane_y[lane]);
		last = k;
		from = i;
	}
	flush(v, path);
}

int vsvg_lane(struct vsvg *v, uint32_t lane)
{
	struct columns c = { .n = (size_t)((SVG_RIGHT - SVG_LEFT) / v->g.cell) };
	int err = -ENOMEM;

	c.width = (double)(v->s->opts.to - v->s->opts.from) / (double)c.n;
	c.ns = calloc(c.n, sizeof(*c.ns));
	c.away = calloc(c.n, sizeof(*c.away));
	if (c.ns && c.away) {
		collect(&c, v->s, &v->s->lanes[lane]);
		draw_all(v, lane, &c);
		err = 0;
	}
	free(c.ns);
	free(c.away);
	return err;
}
