// SPDX-License-Identifier: GPL-2.0
/* What is written over the lanes: numbers of PLE exits, and lines from waits to who is blamed. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "scale.h"
#include "svg.h"

#define MAX_NUMBERS 512 /* candidates per lane */
#define MAX_FLOWS 16
#define DIGIT 8.0 /* px, of the font of the numbers */

/* ---- numbers ---- */

struct number {
	const struct ks_wait *w;
	double x0, x1; /* place of the text */
};

static int cmp_number(const void *x, const void *y)
{
	const struct number *a = x, *b = y;

	return a->w->ple_total < b->w->ple_total ? 1 : a->w->ple_total > b->w->ple_total ? -1 : 0;
}

/* Keep the `most` largest: the array is a row whose smallest is replaced. */
static void candidate(struct number *v, size_t *n, const struct ks_wait *w)
{
	size_t min = 0;

	if (*n < MAX_NUMBERS) {
		v[(*n)++].w = w;
		return;
	}
	for (size_t i = 1; i < *n; i++)
		if (v[i].w->ple_total < v[min].w->ple_total)
			min = i;
	if (w->ple_total > v[min].w->ple_total)
		v[min].w = w;
}

/* Centred over the wait if it is wide enough, else from its try on; inside the plot. */
static void place_number(const struct svg *g, struct number *n, int len)
{
	double x0 = svg_x(g, n->w->try_time), x1 = svg_x(g, n->w->acq_time);
	double width = len * DIGIT + 3;

	n->x0 = x1 - x0 > width ? (x0 + x1 - width) / 2 : x0;
	if (n->x0 + width > SVG_RIGHT)
		n->x0 = SVG_RIGHT - width;
	n->x1 = n->x0 + width;
}

/* The number of a wait that is hardly to be seen needs more space around it, or it is clutter. */
static bool is_free(const struct svg *g, const struct number *v, size_t n, const struct number *c)
{
	bool narrow = svg_x(g, c->w->acq_time) - svg_x(g, c->w->try_time) < 3;
	double margin = narrow ? 20 : 3;

	for (size_t i = 0; i < n; i++)
		if (c->x0 < v[i].x1 + margin && v[i].x0 < c->x1 + margin)
			return false;
	return true;
}

/* Larger numbers take their place first. */
void svg_numbers(struct svg *g, uint32_t lane)
{
	const struct sc_lane *l = &g->s->lanes[lane];
	struct number v[MAX_NUMBERS];
	size_t n = 0, placed = 0;
	char text[32];

	for (size_t i = l->wait0; i < l->wait1; i++)
		if (sc_waits(g->s)[i].w.ple_total && sc_waits(g->s)[i].w.acq_time >= g->s->t0 &&
		    sc_waits(g->s)[i].w.try_time <= g->s->t1)
			candidate(v, &n, &sc_waits(g->s)[i].w);
	if (!n)
		return;
	qsort(v, n, sizeof(*v), cmp_number);
	for (size_t i = 0; i < n; i++) {
		struct number c = v[i];

		ks_scale_count(c.w->ple_total, text, sizeof(text));
		place_number(g, &c, snprintf(NULL, 0, "%s", text));
		if (!is_free(g, v, placed, &c))
			continue;
		svg_text(g, c.x0 + 1, svg_lane_y(g, lane) + g->rows.label + g->rows.label_h - 2.5,
			 "num", "start", text);
		v[placed++] = c;
	}
}

/* ---- verdicts in the bars, over the lines ---- */

void svg_names(struct svg *g, uint32_t lane)
{
	const struct sc_lane *l = &g->s->lanes[lane];
	char text[64], time[32];

	for (size_t i = l->wait0; i < l->wait1 && g->rows.wait_h >= 12; i++) {
		const struct sc_wait *w = &sc_waits(g->s)[i];
		double x0 = svg_x(g, w->w.try_time), width = svg_x(g, w->w.acq_time) - x0;
		double y = svg_wait_y(g, w), mid = y + g->rows.wait_h / 2;
		bool wide = width >= 116;

		if (width < 46)
			continue;
		ks_scale_time(w->w.acq_time - w->w.try_time, time, sizeof(time));
		snprintf(text, sizeof(text), wide ? "%s %s" : "%s",
			 ks_class_paint[w->w.verdict].code, time);
		fprintf(g->out,
			"<rect class=\"c%d\" x=\"%.1f\" y=\"%.1f\" width=\"%d\" "
			"height=\"13\"/>"
			"<text class=\"bar i%d\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
			w->w.verdict, x0 + 4, mid - 6.5, wide ? 102 : 38, w->w.verdict, x0 + 7,
			mid + 4.3, text);
	}
}

/* ---- flows ---- */

/* What the one that a line would lead to cost; one that ran is not worth a line. */
static uint64_t score(const struct svg *g, const struct sc_wait *w)
{
	if (w->link_kind == SC_LINK_NONE || w->w.blame_class == KS_C_BUSY ||
	    svg_x(g, w->w.acq_time) - svg_x(g, w->w.try_time) < 10)
		return 0;
	return w->w.share[w->w.blame_class];
}

/* The waits in which others cost the most, most first; at most `most`. */
static size_t worst(const struct svg *g, const struct sc_wait **v, size_t most)
{
	size_t n = 0;

	for (size_t i = 0; i < g->s->waits.n; i++) {
		const struct sc_wait *w = &sc_waits(g->s)[i];
		uint64_t sc = score(g, w);
		size_t k;

		if (!sc || (n == most && sc <= score(g, v[n - 1])))
			continue;
		if (n < most)
			n++;
		for (k = n - 1; k && sc > score(g, v[k - 1]); k--)
			v[k] = v[k - 1];
		v[k] = w;
	}
	return n;
}

/* Where the line ends: at the blamed hold, or at the wait of the blamed waiter. */
static double target(const struct svg *g, const struct sc_wait *w, uint64_t *from)
{
	if (w->link_kind == SC_LINK_HOLD) {
		const struct sc_hold *h = &sc_holds(g->s)[w->link];

		*from = h->h.acq_time;
		return svg_lane_y(g, h->lane) + g->rows.hold + g->rows.hold_h / 2;
	}
	*from = sc_waits(g->s)[w->link].w.try_time;
	return svg_wait_y(g, &sc_waits(g->s)[w->link]) + g->rows.wait_h / 2;
}

/* From the wait, at the first moment that both were there, straight up or down. */
static void flow(struct svg *g, const struct sc_wait *w)
{
	double y = svg_wait_y(g, w) + g->rows.wait_h / 2, x, ty, b;
	enum ks_class c = w->w.blame_class;
	uint64_t from;
	char d[128];

	ty = target(g, w, &from);
	x = svg_x(g, from > w->w.try_time ? from : w->w.try_time);
	b = fmin(42, 10 + fabs(ty - y) * 0.09);
	if (x - b < SVG_LEFT)
		b = -b;
	snprintf(d, sizeof(d), "M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x, y, x - b, y, x - b,
		 ty, x, ty);
	fprintf(g->out,
		"<path class=\"flowh halo\" d=\"%s\"/><path class=\"flow k%d\" d=\"%s\"/>"
		"<path class=\"c%d\" d=\"M%.1f %.1fl%d-3.5v7z\"/><circle class=\"c%d\" "
		"cx=\"%.1f\" cy=\"%.1f\" r=\"2.4\"/>\n",
		d, c, d, c, b > 0 ? x + 1 : x - 1, ty, b > 0 ? -7 : 7, c, x, y);
}

/* How many of the waits before this one in the list lead to the same place. */
static int same_target(const struct sc_wait *const *v, size_t i)
{
	int n = 0;

	for (size_t k = 0; k < i; k++)
		n += v[k]->link == v[i]->link && v[k]->link_kind == v[i]->link_kind;
	return n;
}

/* Few lines say more than many: at most three to one hold. */
void svg_flows(struct svg *g)
{
	const struct sc_wait *v[MAX_FLOWS];
	size_t n = worst(g, v, MAX_FLOWS);

	/* The worst on top. */
	while (n--)
		if (same_target(v, n) < 3)
			flow(g, v[n]);
}
