// SPDX-License-Identifier: GPL-2.0
/* One lane: its states, PLE exits, waits and holds; what is too narrow to see is merged. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "scale.h"
#include "svg.h"

#define WIDE_WAIT 6.0 /* px from which a wait is a box of its own */
#define NARROW 1.5    /* px below which a stretch is merged with its neighbours */

/* ---- states ---- */

/* Stretches too narrow to draw: their time by state, drawn as one stack. */
struct stack {
	double x0, x1;
	double ns[SC_STATES], sum;
};

/* From the bottom: what got a pCPU, what wanted one, what did not. */
static const uint8_t stack_order[SC_STATES] = { KS_V_RUNNING, KS_V_RUNNABLE, KS_V_BLOCKED,
						KS_V_HALTED, KS_V_UNKNOWN };

static void draw_stack(struct svg_path *tint, struct svg_path *strip, struct stack *k, double y,
		       const struct svg_rows *r)
{
	double tint_y = y + r->strip, strip_y = y + r->strip + r->strip_h;

	for (int i = 0; i < SC_STATES && k->sum > 0; i++) {
		uint8_t state = stack_order[i];
		double part = k->ns[state] / k->sum, h = part * r->strip;

		if (part < 0.01)
			continue;
		tint_y -= h;
		svg_path_rect(&tint[state], k->x0, tint_y, k->x1 - k->x0, h);
		h = part * r->strip_h;
		strip_y -= h;
		svg_path_rect(&strip[state], k->x0, strip_y, k->x1 - k->x0, h);
	}
	memset(k, 0, sizeof(*k));
}

static void stack_add(struct stack *k, const struct sc_seg *s, double x0, double x1)
{
	if (k->sum <= 0)
		k->x0 = x0;
	k->x1 = x1;
	if (s->state == SC_MIXED) {
		for (int i = 0; i < SC_STATES; i++) {
			k->ns[i] += s->ns[i];
			k->sum += s->ns[i];
		}
	} else {
		k->ns[s->state] += (double)(s->to - s->from);
		k->sum += (double)(s->to - s->from);
	}
}

static void states(struct svg *g, const struct sc_lane *l, double y)
{
	struct svg_path tint[SC_STATES] = { 0 }, strip[SC_STATES] = { 0 };
	const struct svg_rows *r = &g->rows;
	struct stack k = { 0 };
	char attrs[32];

	for (size_t i = l->seg0; i < l->seg1; i++) {
		const struct sc_seg *s = &sc_segs(g->s)[i];
		double x0 = svg_x(g, s->from), x1 = svg_x(g, s->to);

		if (s->state == SC_MIXED || x1 - x0 < NARROW) {
			/* A gap is one of the record, and must not be painted over. */
			if (k.sum > 0 && x0 - k.x1 > g->cell)
				draw_stack(tint, strip, &k, y, r);
			stack_add(&k, s, x0, x1);
			if (k.x1 - k.x0 >= 2 * g->cell)
				draw_stack(tint, strip, &k, y, r);
			continue;
		}
		draw_stack(tint, strip, &k, y, r);
		svg_path_rect(&tint[s->state], x0, y, x1 - x0, r->strip);
		svg_path_rect(&strip[s->state], x0, y + r->strip, x1 - x0, r->strip_h);
	}
	draw_stack(tint, strip, &k, y, r);
	for (int i = 0; i < SC_STATES; i++) {
		snprintf(attrs, sizeof(attrs), "fill=\"url(#b%d)\"", i);
		svg_flush(g, &tint[i], attrs);
		snprintf(attrs, sizeof(attrs), "class=\"t%d\"", i);
		svg_flush(g, &strip[i], attrs);
	}
}

/* ---- strokes: one per cell of the picture, for whatever is too dense to be drawn singly ---- */

struct strokes {
	struct svg_path path[KS_C_MAX];
	double weight[KS_C_MAX]; /* of the cell that is being collected */
	double n;		 /* items in it */
	long cell;
};

static double tallness(double n)
{
	return fmax(0.12, fmin(1, 0.5 + 0.5 * log2(n) / 7));
}

static void stroke_end(struct svg *g, struct strokes *k, double y, double h, bool grow)
{
	double height = grow ? h * tallness(k->n) : h;
	int top = 0;

	if (k->n <= 0)
		return;
	for (int c = 1; c < KS_C_MAX; c++)
		if (k->weight[c] > k->weight[top])
			top = c;
	svg_path_vline(&k->path[top], (double)k->cell * g->cell + g->cell / 2, y + h - height,
		       height);
	memset(k->weight, 0, sizeof(k->weight));
	k->n = 0;
}

static void stroke_flush(struct svg *g, struct strokes *k, const char *opacity)
{
	char attrs[96];

	for (int c = 0; c < KS_C_MAX; c++) {
		snprintf(attrs, sizeof(attrs), "class=\"tk k%d\" stroke-width=\"%g\"%s", c,
			 g->cell + 0.1, opacity);
		svg_flush(g, &k->path[c], attrs);
	}
}

/* ---- PLE exits ---- */

static void ticks(struct svg *g, const struct sc_lane *l, double y)
{
	struct strokes k = { .cell = -1 };

	for (size_t i = l->ple0; i < l->ple1; i++) {
		const struct sc_ple *p = &sc_ples(g->s)[i];
		long a = lround(svg_x(g, p->from) / g->cell), b = lround(svg_x(g, p->to) / g->cell);

		for (long c = a; c <= b; c++) {
			if (c != k.cell)
				stroke_end(g, &k, y + g->rows.tick, g->rows.tick_h, true);
			k.cell = c;
			k.weight[p->class] += p->count / (double)(b - a + 1);
			k.n += p->count / (double)(b - a + 1);
		}
	}
	stroke_end(g, &k, y + g->rows.tick, g->rows.tick_h, true);
	stroke_flush(g, &k, "");
}

/* ---- waits ---- */

struct waits {
	struct svg_path box[KS_C_MAX]; /* wide enough to see, too narrow for an element each */
	struct svg_path try, acq;
	struct strokes narrow[SC_MAX_LEVEL];
};

static void tip(struct svg *g, const struct ks_wait *w)
{
	char a[32], b[96], c[96];

	if (g->tips-- <= 0)
		return;
	fputs("<title>", g->out);
	fprintf(g->out, "%s: waited %s", ks_class_paint[w->verdict].words,
		ks_scale_time(w->acq_time - w->try_time, a, sizeof(a)));
	fprintf(g->out, ", %" PRIu32 " PLE exits\nlock ", w->ple_total);
	ks_esc_xml(g->out, sc_sym(g->s, w->lock, b, sizeof(b)));
	if (w->ip) {
		fputs(" in ", g->out);
		ks_esc_xml(g->out, sc_sym(g->s, w->ip, c, sizeof(c)));
	}
	fputs("</title>", g->out);
}

static void wide_wait(struct svg *g, const struct ks_wait *w, double x0, double x1, double y)
{
	fprintf(g->out,
		"<g><rect fill=\"url(#v%d)\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
		"height=\"%.1f\" rx=\"2\"/>",
		w->verdict, x0, y, x1 - x0, g->rows.wait_h);
	tip(g, w);
	fputs("</g>\n", g->out);
}

static void one_wait(struct svg *g, struct waits *k, const struct sc_wait *w)
{
	double x0 = svg_x(g, w->w.try_time), x1 = svg_x(g, w->w.acq_time);
	double y = svg_wait_y(g, w), h = g->rows.wait_h;
	struct strokes *n = &k->narrow[w->level];
	long c;

	if (x1 - x0 >= WIDE_WAIT) {
		wide_wait(g, &w->w, x0, x1, y);
		if (w->w.try_time >= g->s->t0)
			svg_path_triangle(&k->try, x0, y + 3, 6.5, 0);
		if (w->w.acquired && w->w.acq_time <= g->s->t1)
			svg_path_triangle(&k->acq, x1, y + h - 3, 6.5, 1);
		return;
	}
	if (x1 - x0 >= NARROW) {
		svg_path_rect(&k->box[w->w.verdict], x0, y, x1 - x0, h);
		return;
	}
	c = lround(x0 / g->cell);
	if (c != n->cell)
		stroke_end(g, n, y, h, false);
	n->cell = c;
	n->weight[w->w.verdict] += (double)(w->w.acq_time - w->w.try_time) + 1;
	n->n++;
}

static void folded_waits(struct svg *g, const struct sc_lane *l, double y)
{
	struct strokes k = { .cell = -1 };

	for (size_t i = l->wcell0; i < l->wcell1; i++) {
		const struct sc_cell *w = &sc_wcells(g->s)[i];
		long c = lround(svg_x(g, w->from) / g->cell);

		if (c != k.cell)
			stroke_end(g, &k, y + g->rows.wait, g->rows.wait_h, false);
		k.cell = c;
		for (int v = 0; v < KS_C_WAIT_MAX; v++)
			k.weight[v] += w->ns[v];
		k.n += w->count;
	}
	stroke_end(g, &k, y + g->rows.wait, g->rows.wait_h, false);
	stroke_flush(g, &k, " opacity=\".45\"");
}

static void waits(struct svg *g, const struct sc_lane *l, double y)
{
	struct waits k = { 0 };
	char attrs[32];

	folded_waits(g, l, y);
	for (int i = 0; i < SC_MAX_LEVEL; i++)
		k.narrow[i].cell = -1;
	for (size_t i = l->wait0; i < l->wait1; i++)
		if (sc_waits(g->s)[i].w.acq_time >= g->s->t0 &&
		    sc_waits(g->s)[i].w.try_time <= g->s->t1)
			one_wait(g, &k, &sc_waits(g->s)[i]);
	for (int i = 0; i < SC_MAX_LEVEL; i++) {
		stroke_end(g, &k.narrow[i], y + g->rows.wait + i * g->rows.wait_step,
			   g->rows.wait_h, false);
		stroke_flush(g, &k.narrow[i], "");
	}
	for (int c = 0; c < KS_C_WAIT_MAX; c++) {
		snprintf(attrs, sizeof(attrs), "class=\"c%d\"", c);
		svg_flush(g, &k.box[c], attrs);
	}
	svg_flush(g, &k.try, "class=\"try\"");
	svg_flush(g, &k.acq, "class=\"acq\"");
}

/* ---- holds ---- */

struct holds {
	struct svg_path box, off, acq, rel, thin;
	long cell;
};

static void one_hold(struct svg *g, struct holds *k, const struct sc_hold *h, double y)
{
	double x0 = svg_x(g, h->h.acq_time), x1 = svg_x(g, h->h.rel_time);
	double inset = 1.5 * h->level, edge = x1 - x0 >= 8 ? 2.2 : x1 - x0 >= 3 ? 1 : 0;
	long c = lround(x0 / g->cell);

	y += g->rows.hold + inset;
	if (x1 - x0 < NARROW) {
		if (c != k->cell)
			svg_path_vline(&k->thin, (double)c * g->cell, y,
				       g->rows.hold_h - 2 * inset);
		k->cell = c;
		return;
	}
	svg_path_rect(h->h.off_ns ? &k->off : &k->box, x0, y, x1 - x0, g->rows.hold_h - 2 * inset);
	svg_path_rect(&k->acq, x0, y, edge, g->rows.hold_h - 2 * inset);
	svg_path_rect(&k->rel, x1 - edge, y, edge, g->rows.hold_h - 2 * inset);
}

static void holds(struct svg *g, const struct sc_lane *l, double y)
{
	struct holds k = { .cell = -1 };
	char attrs[64];

	for (size_t i = l->hcell0; i < l->hcell1; i++) {
		long c = lround(svg_x(g, sc_hcells(g->s)[i].from) / g->cell);

		if (c != k.cell)
			svg_path_vline(&k.thin, (double)c * g->cell, y + g->rows.hold,
				       g->rows.hold_h);
		k.cell = c;
	}
	snprintf(attrs, sizeof(attrs), "class=\"tk holdl\" stroke-width=\"%g\" opacity=\".55\"",
		 g->cell);
	svg_flush(g, &k.thin, attrs);
	for (size_t i = l->hold0; i < l->hold1; i++)
		if (sc_holds(g->s)[i].h.rel_time >= g->s->t0 &&
		    sc_holds(g->s)[i].h.acq_time <= g->s->t1)
			one_hold(g, &k, &sc_holds(g->s)[i], y);
	snprintf(attrs, sizeof(attrs), "class=\"tk holdl\" stroke-width=\"%g\"", g->cell);
	svg_flush(g, &k.thin, attrs);
	svg_flush(g, &k.box, "class=\"hold holdl\" stroke-width=\".8\"");
	svg_flush(g, &k.off, "fill=\"url(#ho)\" class=\"holdx\" stroke-width=\"1\"");
	svg_flush(g, &k.acq, "class=\"ha\"");
	svg_flush(g, &k.rel, "class=\"hr\"");
}

void svg_lane(struct svg *g, uint32_t lane)
{
	const struct sc_lane *l = &g->s->lanes[lane];
	double y = svg_lane_y(g, lane);

	states(g, l, y);
	ticks(g, l, y);
	holds(g, l, y);
	waits(g, l, y);
}
