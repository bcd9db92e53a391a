// SPDX-License-Identifier: GPL-2.0
/* The picture of virtual NUMA as SVG: head, legend, wasted time, lanes by node, foot. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "records.h"
#include "scale.h"
#include "vnuma_svg.h"

#define ROW 21.0
#define STRIP_H 40.0
#define BUCKETS 701
#define GROUP_H 22.0

/* ---- style ---- */

static void colours(FILE *out, bool dark)
{
	for (unsigned int n = 0; n < VS_NODES; n++)
		fprintf(out, ".n%u{fill:%s}", n,
			dark ? ks_node_paint(n)->dark : ks_node_paint(n)->light);
	fprintf(out, ".n%d{fill:%s}.n%d{fill:%s}", VS_OTHER_NODE, dark ? "#5b6472" : "#6b7482",
		VS_NOWHERE, dark ? "#3c434d" : "#aab2bd");
	for (int k = 0; k < KS_VN_CAUSES; k++) {
		const char *c = dark ? ks_move_line[k].dark : ks_move_line[k].light;

		fprintf(out, ".m%d{stroke:%s}.f%d{fill:%s}", k, c, k, c);
	}
	fprintf(out,
		".mvh{stroke:%s}.pa{fill:%s}.ov{fill:%s}.idle{stroke:%s}.waste{fill:%s}"
		".aw{stroke:%s}.awb{fill:%s}\n",
		dark ? "#0d1117" : "#fff", dark ? "#ff5566" : "#d1182b",
		dark ? "#ffb03a" : "#b35900", dark ? "#ff5566" : "#d1182b",
		dark ? "#ff5566" : "#d1182b", dark ? "#fff" : "#000", dark ? "#fff" : "#000");
}

static void style(struct svg *g)
{
	fputs("<style>.mv{fill:none}.mvh{fill:none;stroke-width:3.4;stroke-opacity:.75}"
	      ".idle{fill:none;stroke-width:1;stroke-dasharray:2 2}.waste{fill-opacity:.8}"
	      ".aw{stroke-width:1.5;fill:none;stroke-opacity:.62}.awb{fill-opacity:.16}"
	      ".pa.halo,.ov.halo{stroke-width:1.2}\n",
	      g->out);
	for (int k = 0; k < KS_VN_CAUSES; k++)
		if (*ks_move_line[k].dashes)
			fprintf(g->out, ".m%d{stroke-dasharray:%s}", k, ks_move_line[k].dashes);
	colours(g->out, false);
	fputs("@media(prefers-color-scheme:dark){", g->out);
	colours(g->out, true);
	fputs("}</style>\n<defs><pattern id=\"away\" width=\"6\" height=\"6\" "
	      "patternUnits=\"userSpaceOnUse\"><rect class=\"awb\" width=\"6\" height=\"6\"/>"
	      "<path class=\"aw\" d=\"M-1 5l2 2M0 0l6 6M5-1l2 2\"/></pattern></defs>\n",
	      g->out);
}

/* ---- legend ---- */

static void legend_row(struct vsvg *v, double x, double y, const char *words, const char *value)
{
	svg_text(&v->g, x + 31, y, "ink", "start", words);
	svg_text(&v->g, x + 320, y, "dim", "end", value);
}

static const char *share(char *buf, size_t len, uint64_t part, uint64_t whole)
{
	snprintf(buf, len, "%.1f %%", whole ? 100.0 * (double)part / (double)whole : 0);
	return buf;
}

static void legend_box(struct vsvg *v, const char *attrs, double x, double y)
{
	fprintf(v->g.out, "<rect %s x=\"%.1f\" y=\"%.1f\" width=\"22\" height=\"12\" rx=\"2\"/>\n",
		attrs, x, y - 10);
}

/* Nodes that nothing ran on are left out. */
static void legend_nodes(struct vsvg *v, const uint64_t *ns, uint64_t sum, double x, double y)
{
	char text[48], attrs[32], value[32];

	svg_text(&v->g, x, y, "dim b sm", "start", "RUNNING, BY THE HOST'S NODE");
	for (int k = 0; k <= VS_NOWHERE; k++) {
		if (!ns[k])
			continue;
		y += ROW;
		snprintf(attrs, sizeof(attrs), "class=\"n%d\"", k);
		legend_box(v, attrs, x, y);
		if (k < VS_NODES)
			snprintf(text, sizeof(text), "on node %d", k);
		else
			snprintf(text, sizeof(text), "on %s",
				 k == VS_NOWHERE ? "a node not known" : "node 8 or above");
		legend_row(v, x, y, text, share(value, sizeof(value), ns[k], sum));
	}
}

static void legend_states(struct vsvg *v, const uint64_t *ns, uint64_t sum, double x, double y)
{
	static const struct {
		enum vs_kind kind;
		enum ks_vstate state;
	} rows[] = { { VS_RUNNABLE, KS_V_RUNNABLE },
		     { VS_HALTED, KS_V_HALTED },
		     { VS_BLOCKED, KS_V_BLOCKED },
		     { VS_UNKNOWN, KS_V_UNKNOWN } };
	uint64_t away = 0;
	char attrs[32], value[32];

	for (uint32_t l = 0; l < v->s->nlanes; l++)
		away += v->s->lanes[l].away_ns;
	svg_text(&v->g, x, y, "dim b sm", "start", "vCPU STATES");
	y += ROW;
	legend_box(v, "class=\"n0\"", x, y);
	legend_box(v, "fill=\"url(#away)\"", x, y);
	legend_row(v, x, y, "drift: away from its node", share(value, sizeof(value), away, sum));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		y += ROW;
		snprintf(attrs, sizeof(attrs), "fill=\"url(#b%d)\"", rows[i].state);
		legend_box(v, attrs, x, y);
		legend_row(v, x, y, ks_state_paint[rows[i].state].words,
			   share(value, sizeof(value), ns[rows[i].kind], sum));
	}
}

static void legend_moves(struct vsvg *v, double x, double y)
{
	char value[32];

	svg_text(&v->g, x, y, "dim b sm", "start", "THREADS THAT CHANGED THEIR CPU");
	for (int k = 0; k < KS_VN_CAUSES; k++) {
		int by = (k + 1) % KS_VN_CAUSES; /* `unknown` last */

		y += ROW;
		fprintf(v->g.out,
			"<path class=\"mv m%d\" stroke-width=\"1.6\" d=\"M%.1f %.1fh17\"/>"
			"<path class=\"f%d\" d=\"M%.1f %.1fl-6-3.4v6.8z\"/>\n",
			by, x, y - 4, by, x + 22, y - 4);
		legend_row(v, x, y, ks_move_line[by].words,
			   ks_scale_count(v->s->moves_by[by], value, sizeof(value)));
	}
}

static void legend_marks(struct vsvg *v, double x, double y)
{
	char value[32];

	svg_text(&v->g, x, y, "dim b sm", "start", "WAKE-UPS");
	y += ROW;
	fprintf(v->g.out, "<path class=\"pa\" d=\"M%.1f %.1fl4 8h-8zM%.1f %.1fh22v4h-22z\"/>\n",
		x + 4, y - 12, x, y - 4);
	legend_row(v, x, y, "passed over an idle vCPU",
		   ks_scale_count(v->s->npassed, value, sizeof(value)));
	y += ROW;
	fprintf(v->g.out, "<path class=\"ov\" d=\"M%.1f %.1fl4-8h-8zM%.1f %.1fh22v4h-22z\"/>\n",
		x + 4, y - 4, x, y - 4);
	legend_row(v, x, y, "found their CPU overloaded",
		   ks_scale_count(v->s->noverloaded, value, sizeof(value)));
}

static void add_lanes(const struct ks_vscene *s, uint64_t *ns, uint64_t *sum)
{
	for (uint32_t l = 0; l < s->nlanes; l++)
		for (int k = 0; k < VS_KINDS; k++) {
			ns[k] += s->lanes[l].ns[k];
			*sum += s->lanes[l].ns[k];
		}
}

static double legend_height(const struct ks_vscene *s)
{
	uint64_t ns[VS_KINDS] = { 0 }, sum = 0;
	int nodes = 0;

	add_lanes(s, ns, &sum);
	for (int k = 0; k <= VS_NOWHERE; k++)
		nodes += ns[k] > 0;
	return ROW * (1 + fmax(fmax(nodes, 5), KS_VN_CAUSES));
}

static void legend(struct vsvg *v, double y)
{
	uint64_t ns[VS_KINDS] = { 0 }, sum = 0;

	add_lanes(v->s, ns, &sum);
	legend_nodes(v, ns, sum, 26, y);
	legend_states(v, ns, sum, 416, y);
	legend_moves(v, 806, y);
	legend_marks(v, 1206, y);
}

/* ---- wasted time ---- */

static double strip_buckets(const struct vsvg *v, double *bucket)
{
	double span = (double)(v->s->opts.to - v->s->opts.from), width = span / BUCKETS, max = 0;

	for (size_t i = 0; i < v->s->wastes.n; i++) {
		const struct vs_waste *w = &vs_wastes(v->s)[i];
		double a = (double)(w->from - v->s->opts.from) / width;
		double b = (double)(w->to - v->s->opts.from) / width;

		for (int n = (int)a; n < BUCKETS && n < b; n++)
			bucket[n] += w->ns * (fmin(b, n + 1) - fmax(a, n)) / (b - a) / width;
	}
	for (int n = 0; n < BUCKETS; n++)
		max = fmax(max, bucket[n]);
	return max;
}

static void strip(struct vsvg *v, double y)
{
	double bucket[BUCKETS] = { 0 }, max = strip_buckets(v, bucket);
	double step = (double)(SVG_RIGHT - SVG_LEFT) / BUCKETS;
	char text[64];
	long at = 0;

	svg_text(&v->g, 26, y + 15, "ink b", "start", "vCPUs wasted");
	if (ks_vnuma_vm(v->s->v, v->s->vm)->queues)
		snprintf(text, sizeof(text), "peak %.2f", max);
	else
		snprintf(text, sizeof(text), "not known");
	svg_text(&v->g, 26, y + 30, "dim sm", "start", text);
	fprintf(v->g.out, "<path class=\"waste\" d=\"M%d %.1f", SVG_LEFT, y + STRIP_H);
	for (int i = 0; i < BUCKETS; i++) {
		long h = max > 0 ? lround(bucket[i] / max * STRIP_H * 10) : 0;

		fprintf(v->g.out, "v%.1fh%g", (double)(at - h) / 10, step);
		at = h;
	}
	fprintf(v->g.out, "V%.1fz\"/>\n<path class=\"frame\" d=\"M%d %.1fH%d\"/>\n", y + STRIP_H,
		SVG_LEFT, y + STRIP_H, SVG_RIGHT);
}

/* ---- lanes ---- */

static double layout(struct vsvg *v, double y)
{
	uint32_t n = v->s->nlanes;

	v->lane_h = n <= 8 ? 34 : n <= 16 ? 26 : n <= 64 ? 18 : 10;
	v->g.cell = n <= 8 ? 1 : n <= 16 ? 1.5 : n <= 64 ? 3 : 5;
	v->g.tips = 1000;
	for (uint32_t l = 0; l < n; l++) {
		if (vs_new_group(v->s, l))
			y += GROUP_H;
		v->lane_y[l] = y;
		y += v->lane_h + (n <= 16 ? 6 : 2);
	}
	return y;
}

static void label(struct vsvg *v, uint32_t lane)
{
	const struct vs_lane *l = &v->s->lanes[lane];
	double y = v->lane_y[lane];
	char text[96], time[32];

	if (vs_new_group(v->s, lane)) {
		vs_group_name(v->s, l, text, sizeof(text));
		svg_text(&v->g, 26, y - 6, "ink b sm halo", "start", text);
	}
	if (l->guest_cpu >= 0)
		snprintf(text, sizeof(text), "vCPU %" PRIu32 " · CPU %" PRId32, l->vcpu_id,
			 l->guest_cpu);
	else
		snprintf(text, sizeof(text), "vCPU %" PRIu32, l->vcpu_id);
	if (v->lane_h >= 16)
		svg_text(&v->g, 26, y + 13, "ink sm", "start", text);
	if (v->lane_h < 32)
		return;
	if (l->home >= 0)
		snprintf(text, sizeof(text), "away %s",
			 ks_scale_time(l->away_ns, time, sizeof(time)));
	else
		snprintf(text, sizeof(text), "node not known");
	svg_text(&v->g, 26, y + 28, "dim sm", "start", text);
}

static int lanes(struct vsvg *v)
{
	int err = 0;

	for (uint32_t l = 0; l < v->s->nlanes && !err; l++) {
		fprintf(v->g.out,
			"<rect class=\"s%d\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>\n",
			KS_V_UNKNOWN, SVG_LEFT, v->lane_y[l], SVG_RIGHT - SVG_LEFT, v->lane_h);
		err = vsvg_lane(v, l);
	}
	return err;
}

/* ---- the whole ---- */

static void caption(struct svg *g, FILE *f)
{
	vs_caption(vsvg_of(g)->s, f);
}

static void story(struct svg *g, FILE *f)
{
	vs_story(vsvg_of(g)->s, f);
}

static void foot(struct svg *g, FILE *f)
{
	vs_foot(vsvg_of(g)->s, f);
}

static int picture(struct vsvg *v)
{
	double legend_y = 124, strip_y = legend_y + legend_height(v->s) + 8, bottom;
	int err;

	bottom = layout(v, strip_y + STRIP_H + 24);
	svg_begin(&v->g, bottom + 58, vs_title(v->s), story);
	style(&v->g);
	svg_composed(&v->g, caption, 68, "dim");
	svg_composed(&v->g, story, 91, "ink");
	legend(v, legend_y);
	strip(v, strip_y);
	svg_axis(&v->g, strip_y + STRIP_H + 16);
	err = lanes(v);
	svg_grid(&v->g, strip_y, bottom);
	if (!err)
		err = vsvg_moves(v);
	vsvg_cases(v);
	for (uint32_t l = 0; l < v->s->nlanes; l++)
		label(v, l);
	svg_axis(&v->g, bottom + 10);
	svg_composed(&v->g, foot, bottom + 38, "dim");
	return err;
}

int ks_vscene_svg(const struct ks_vscene *s, FILE *out)
{
	struct vsvg v = { .g = { .out = out, .t0 = s->opts.from, .t1 = s->opts.to }, .s = s };
	int err, end;

	v.lane_y = calloc(s->nlanes, sizeof(*v.lane_y));
	if (!v.lane_y)
		return -ENOMEM;
	err = picture(&v);
	free(v.lane_y);
	end = svg_end(&v.g);
	return err ? err : end;
}
