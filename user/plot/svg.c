// SPDX-License-Identifier: GPL-2.0
/* The picture as SVG: head, legend, density of PLE exits, axis, lanes, foot. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scale.h"
#include "svg.h"

#define OVERVIEW_H 34.0
#define BUCKETS 712

double svg_x(const struct svg *g, uint64_t t)
{
	if (t <= g->t0)
		return SVG_LEFT;
	if (t >= g->t1)
		return SVG_RIGHT;
	return SVG_LEFT + (double)(t - g->t0) / (double)(g->t1 - g->t0) * (SVG_RIGHT - SVG_LEFT);
}

double svg_lane_y(const struct svg *g, uint32_t lane)
{
	return g->top + lane * (g->rows.height + g->rows.gap);
}

double svg_wait_y(const struct svg *g, const struct sc_wait *w)
{
	return svg_lane_y(g, w->lane) + g->rows.wait + w->level * g->rows.wait_step;
}

void svg_flush(struct svg *g, struct svg_path *p, const char *attrs)
{
	int err = svg_path_flush(p, g->out, attrs);

	if (err && !g->err)
		g->err = err;
}

void svg_text(struct svg *g, double x, double y, const char *class, const char *anchor,
	      const char *text)
{
	fprintf(g->out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\"", class, x, y);
	if (strcmp(anchor, "start") != 0)
		fprintf(g->out, " text-anchor=\"%s\"", anchor);
	putc('>', g->out);
	ks_esc_xml(g->out, text);
	fputs("</text>\n", g->out);
}

/* The more lanes the lower; k scales the rows that may shrink. */
static void layout(struct svg *g)
{
	uint32_t n = g->s->nlanes;
	double k = n <= 8 ? 1 : n <= 16 ? 0.85 : 0.7, y = 3;
	struct svg_rows *r = &g->rows;

	r->label = y;
	r->label_h = 14;
	y += r->label_h;
	r->wait = y;
	r->wait_h = round(17 * k);
	r->wait_step = r->wait_h + 2;
	y += r->wait_step * g->s->levels + 2;
	r->hold = y;
	r->hold_h = round(11 * k);
	y += r->hold_h + 4;
	r->tick = y;
	r->tick_h = round(15 * k);
	y += r->tick_h + 1;
	r->strip = y;
	r->strip_h = 5;
	r->height = y + r->strip_h;
	r->gap = n <= 16 ? 6 : 3;
	g->cell = n <= 8 ? 1 : n <= 16 ? 1.4 : 2;
	g->tips = 1200;
}

/* ---- head ---- */

const char *svg_absolute(uint64_t ns, char *buf, size_t len)
{
	snprintf(buf, len, "%" PRIu64 ".%09" PRIu64 " s", ns / 1000000000, ns % 1000000000);
	return buf;
}

static void caption(struct svg *g, FILE *f)
{
	const struct ks_scene *s = g->s;
	char a[48], b[48];

	fprintf(f,
		"VM %s (pid %" PRIu32 ") · %" PRIu32 " vCPU%s · %s from %s on the host's "
		"CLOCK_MONOTONIC",
		*s->vm_name ? s->vm_name : "?", s->vm_tgid, s->nlanes, s->nlanes == 1 ? "" : "s",
		ks_scale_time(s->t1 - s->t0, a, sizeof(a)), svg_absolute(s->t0, b, sizeof(b)));
	if (s->opts.lock)
		fprintf(f, " · only lock 0x%" PRIx64, s->opts.lock);
	if (s->list.n)
		fprintf(f, " · only vCPUs %s", s->opts.vcpus);
}

static const struct sc_lane *lane_of(const struct ks_scene *s, uint32_t vcpu)
{
	for (uint32_t l = 0; l < s->nlanes; l++)
		if (s->lanes[l].vcpu == vcpu)
			return &s->lanes[l];
	return NULL;
}

static void blamed_on(struct svg *g, FILE *f, const struct sc_wait *w, const struct sc_lane *l)
{
	char a[32], b[96];

	fprintf(f, "; vCPU %" PRIu32 " %s", l->vcpu_id,
		w->w.blame_class == KS_C_LWP ? "was next in order" : "held the lock");
	if (w->w.blame_ip)
		fprintf(f, " (%s)", sc_sym(g->s, w->w.blame_ip, b, sizeof(b)));
	if (w->w.blame_off_ns)
		fprintf(f, ", off-CPU for %s", ks_scale_time(w->w.blame_off_ns, a, sizeof(a)));
}

/* The worst wait in one line: the story that the picture tells. */
static void story(struct svg *g, FILE *f)
{
	const struct ks_scene *s = g->s;
	const struct sc_wait *w = sc_worst(s);
	const struct sc_lane *blamed;
	enum ks_class class;
	uint64_t part;
	char a[32], b[96];

	if (!w) {
		fputs(sc_no_waits(s), f);
		return;
	}
	class = w->w.blame_vcpu == KS_NO_VCPU ? w->w.verdict : w->w.blame_class;
	part = w->w.share[class];
	fprintf(f, "Worst wait: vCPU %" PRIu32 ", %s", s->lanes[w->lane].vcpu_id,
		ks_scale_time(w->w.acq_time - w->w.try_time, a, sizeof(a)));
	if (w->w.ip)
		fprintf(f, " in %s", sc_sym(s, w->w.ip, b, sizeof(b)));
	fprintf(f, ", %s PLE exits, of it %s %s", ks_scale_count(w->w.ple_total, a, sizeof(a)),
		ks_scale_time(part, b, sizeof(b)), ks_class_paint[class].words);
	blamed = lane_of(s, w->w.blame_vcpu);
	if (blamed)
		blamed_on(g, f, w, blamed);
}

void svg_composed(struct svg *g, void (*fill)(struct svg *, FILE *), double y, const char *class)
{
	char *buf = NULL;
	size_t len;
	FILE *f = open_memstream(&buf, &len);

	if (!f) {
		g->err = -ENOMEM;
		return;
	}
	fill(g, f);
	if (fclose(f))
		g->err = -ENOMEM;
	else
		svg_text(g, 26, y, class, "start", buf);
	free(buf);
}

/* ---- the density of PLE exits over all vCPUs ---- */

static double spread(const struct svg *g, double *bucket)
{
	double max = 0, k = BUCKETS / (double)(SVG_RIGHT - SVG_LEFT);

	for (size_t i = 0; i < g->s->ples.n; i++) {
		const struct sc_ple *p = &sc_ples(g->s)[i];
		int a = (int)((svg_x(g, p->from) - SVG_LEFT) * k);
		int b = (int)((svg_x(g, p->to) - SVG_LEFT) * k);

		for (int n = a; n <= b; n++)
			bucket[n < BUCKETS ? n : BUCKETS - 1] += p->count / (double)(b - a + 1);
	}
	for (int i = 0; i < BUCKETS; i++)
		max = fmax(max, bucket[i]);
	return max;
}

static void overview(struct svg *g, double y)
{
	double bucket[BUCKETS] = { 0 }, max = spread(g, bucket);
	double step = (SVG_RIGHT - SVG_LEFT) / (double)BUCKETS;
	double per_ms = max * 1e6 * BUCKETS / (double)(g->s->t1 - g->s->t0);
	char text[64], n[32];
	long at = 0;

	svg_text(g, 26, y + 15, "ink b", "start", "PLE exits/ms");
	snprintf(text, sizeof(text), "peak %s",
		 ks_scale_count((uint64_t)llround(per_ms), n, sizeof(n)));
	svg_text(g, 26, y + 29, "dim sm", "start", text);
	fprintf(g->out, "<path class=\"area\" d=\"M%d %.1f", SVG_LEFT, y + OVERVIEW_H);
	for (int i = 0; i < BUCKETS; i++) {
		long h = max > 0 ? lround(bucket[i] / max * OVERVIEW_H * 10) : 0;

		fprintf(g->out, "v%.1fh%g", (double)(at - h) / 10, step);
		at = h;
	}
	fprintf(g->out, "V%.1fz\"/>\n<path class=\"frame\" d=\"M%d %.1fH%d\"/>\n", y + OVERVIEW_H,
		SVG_LEFT, y + OVERVIEW_H, SVG_RIGHT);
}

/* ---- axis, lanes, foot ---- */

void svg_axis(struct svg *g, double y)
{
	uint64_t span = g->t1 - g->t0, step = ks_scale_step(span, 12);
	char text[32];

	for (uint64_t k = 0; k <= span / step; k++) {
		uint64_t t = k * step;
		double x = svg_x(g, g->t0 + t);
		bool end = x > SVG_RIGHT - 24;

		svg_text(g, end ? SVG_RIGHT : x, y, "dim sm",
			 end ? "end" :
			 t   ? "middle" :
			       "start",
			 ks_scale_tick(t, step, text, sizeof(text)));
	}
}

void svg_grid(struct svg *g, double y0, double y1)
{
	uint64_t span = g->t1 - g->t0, step = ks_scale_step(span, 12);

	fputs("<path class=\"grid\" d=\"", g->out);
	for (uint64_t k = 0; k <= span / step; k++)
		fprintf(g->out, "M%.1f %.1fV%.1f", svg_x(g, g->t0 + k * step), y0, y1);
	fputs("\"/>\n", g->out);
}

/* "pCPU 0-2,5", or how many if they are too many to list. */
static void pcpus(const struct sc_lane *l, char *buf, size_t len)
{
	const int32_t *v = l->sums.pcpu;
	uint32_t n = l->sums.npcpus, j;
	size_t o = 0;

	for (uint32_t i = 0; i < n && n <= SC_MAX_PCPUS && o < len; i = j) {
		for (j = i + 1; j < n && v[j] == v[j - 1] + 1;)
			j++;
		o += (size_t)snprintf(buf + o, len - o, o ? ",%" PRId32 : "pCPU %" PRId32, v[i]);
		if (j - i > 1 && o < len)
			o += (size_t)snprintf(buf + o, len - o, "-%" PRId32, v[j - 1]);
	}
	if (!n)
		snprintf(buf, len, "pCPU ?");
	else if (o > 12 || n > SC_MAX_PCPUS)
		snprintf(buf, len, "%s%" PRIu32 " pCPUs", n > SC_MAX_PCPUS ? ">" : "",
			 n > SC_MAX_PCPUS ? SC_MAX_PCPUS : n);
}

static void lane_label(struct svg *g, uint32_t lane)
{
	const struct sc_lane *l = &g->s->lanes[lane];
	double y = svg_lane_y(g, lane) + fmin(20, (g->rows.height - 24) / 2);
	char text[96], p[48], n[32];

	snprintf(text, sizeof(text), "vCPU %" PRIu32, l->vcpu_id);
	svg_text(g, 26, y, "ink b", "start", text);
	pcpus(l, p, sizeof(p));
	if (l->guest_cpu >= 0)
		snprintf(text, sizeof(text), "CPU %" PRId32 " · %s", l->guest_cpu, p);
	else
		snprintf(text, sizeof(text), "%s", p);
	svg_text(g, 26, y + 16, "dim sm", "start", text);
	if (g->rows.height < 56)
		return;
	snprintf(text, sizeof(text), "%s PLE exits",
		 ks_scale_count(sc_sum_ple(&l->sums), n, sizeof(n)));
	svg_text(g, 26, y + 31, "dim sm", "start", text);
}

static void frame(struct svg *g, uint32_t lane)
{
	double y = svg_lane_y(g, lane);

	fprintf(g->out, "<rect class=\"s%d\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>\n",
		KS_V_UNKNOWN, SVG_LEFT, y, SVG_RIGHT - SVG_LEFT, g->rows.height);
}

static void foot(struct svg *g, FILE *f)
{
	const struct ks_scene *s = g->s;
	char a[32];

	if (s->opts.clock_error_ns)
		fprintf(f, "Guest times are exact to ±%s.",
			ks_scale_time(s->opts.clock_error_ns, a, sizeof(a)));
	else if (s->guest)
		fputs("Error of the guest's clock not known.", f);
	if (s->lost)
		fprintf(f, " %s records were lost: what they touch is unknown.",
			ks_scale_count(s->lost, a, sizeof(a)));
	else
		fputs(" No records lost.", f);
	if (s->folded_waits)
		fprintf(f, " The %s shortest waits are pale, as density.",
			ks_scale_count(s->folded_waits, a, sizeof(a)));
	if (s->folded_holds)
		fprintf(f, " The %s shortest holds are pale, as density.",
			ks_scale_count(s->folded_holds, a, sizeof(a)));
	if (s->ple_cell)
		fprintf(f, " PLE exits closer than %s are one tick.",
			ks_scale_time(s->ple_cell, a, sizeof(a)));
	if (s->seg_cell)
		fprintf(f, " States shorter than %s are stacked by their share.",
			ks_scale_time(s->seg_cell, a, sizeof(a)));
}

static void description(struct svg *g, FILE *f)
{
	fprintf(f,
		"%" PRIu32 " vCPU lanes over time with %" PRIu64 " PLE exits, %" PRIu64
		" waits for locks and %" PRIu64 " holds.",
		g->s->nlanes, sc_sum_ple(&g->s->total), sc_sum_waits(&g->s->total),
		g->s->total.holds);
}

void svg_begin(struct svg *g, double height, const char *title,
	       void (*describe)(struct svg *, FILE *))
{
	fprintf(g->out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" "
		"width=\"%d\" height=\"%.0f\" role=\"img\" aria-labelledby=\"t d\">\n"
		"<title id=\"t\">",
		SVG_WIDTH, height, SVG_WIDTH, height);
	ks_esc_xml(g->out, title);
	fputs("</title>\n<desc id=\"d\">", g->out);
	describe(g, g->out);
	fputs("</desc>\n", g->out);
	svg_style(g);
	fprintf(g->out,
		"<rect class=\"bg\" x=\".5\" y=\".5\" width=\"%d\" height=\"%.0f\" "
		"rx=\"10\"/>\n",
		SVG_WIDTH - 1, height - 1);
	svg_text(g, 26, 42, "ink h1", "start", title);
}

int svg_end(struct svg *g)
{
	fputs("</svg>\n", g->out);
	if (fflush(g->out) || ferror(g->out))
		return errno ? -errno : -EIO;
	return g->err;
}

static void head(struct svg *g, double height)
{
	const char *title = g->s->opts.title ? g->s->opts.title :
					       "Guest spinlocks over their host's vCPU schedule";

	svg_begin(g, height, title, description);
	svg_composed(g, caption, 68, "dim");
	svg_composed(g, story, 91, "ink");
}

int ks_scene_svg(const struct ks_scene *s, FILE *out)
{
	struct svg g = { .s = s, .out = out, .t0 = s->t0, .t1 = s->t1 };
	double legend_y = 124, over_y = svg_legend_height() + legend_y + 20, bottom;

	layout(&g);
	g.top = over_y + OVERVIEW_H + 28;
	bottom = svg_lane_y(&g, s->nlanes);
	head(&g, bottom + 58);
	svg_legend(&g, legend_y);
	overview(&g, over_y);
	svg_axis(&g, g.top - 8);
	for (uint32_t l = 0; l < s->nlanes; l++) {
		frame(&g, l);
		lane_label(&g, l);
		svg_lane(&g, l);
	}
	svg_grid(&g, over_y, bottom);
	svg_flows(&g);
	for (uint32_t l = 0; l < s->nlanes; l++) {
		svg_names(&g, l);
		svg_numbers(&g, l);
	}
	svg_axis(&g, bottom + 13);
	svg_composed(&g, foot, bottom + 40, "dim");
	return svg_end(&g);
}
