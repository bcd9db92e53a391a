// SPDX-License-Identifier: GPL-2.0
/* The legend: verdicts and states with their shares, and what the marks mean. */
#include <inttypes.h>

#include "scale.h"
#include "svg.h"

#define ROW 21.0

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void swatch(struct svg *g, const char *id, int n, double x, double y)
{
	fprintf(g->out,
		"<rect fill=\"url(#%s%d)\" x=\"%.1f\" y=\"%.1f\" width=\"22\" "
		"height=\"12\" rx=\"2\"/>\n",
		id, n, x, y - 10);
}

static void verdict(struct svg *g, enum ks_class c, double x, double y)
{
	const struct sc_sums *t = &g->s->total;
	char count[32], time[32], text[128];

	swatch(g, "v", c, x, y);
	svg_text(g, x + 31, y, "ink b", "start", ks_class_paint[c].code);
	svg_text(g, x + 82, y, "ink", "start", ks_class_paint[c].words);
	if (!t->waits[c] && !t->wait_ns[c]) {
		svg_text(g, x + 480, y, "dim", "end", "none");
		return;
	}
	snprintf(text, sizeof(text), "%s · %s · %.1f %%",
		 ks_scale_count(t->waits[c], count, sizeof(count)),
		 ks_scale_time(t->wait_ns[c], time, sizeof(time)),
		 percent(t->wait_ns[c], sc_sum_wait_ns(t)));
	svg_text(g, x + 480, y, "dim", "end", text);
}

static void verdicts(struct svg *g, double x, double y)
{
	static const enum ks_class order[] = { KS_C_LHP,    KS_C_LWP,	  KS_C_SELF,   KS_C_BUSY,
					       KS_C_HALTED, KS_C_HANDOFF, KS_C_UNKNOWN };

	svg_text(g, x, y, "dim b sm", "start", "WAITS BY VERDICT");
	svg_text(g, x + 480, y, "dim sm", "end", "waits · time lost · share");
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		verdict(g, order[i], x, y + ROW * (double)(i + 1));
}

static void states(struct svg *g, double x, double y)
{
	static const enum ks_vstate order[] = { KS_V_RUNNING, KS_V_RUNNABLE, KS_V_HALTED,
						KS_V_BLOCKED, KS_V_UNKNOWN };
	uint64_t sum = 0;
	char text[32];

	for (int k = 0; k < SC_STATES; k++)
		sum += g->s->total.state_ns[k];
	svg_text(g, x, y, "dim b sm", "start", "vCPU STATES");
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		double ry = y + ROW * (double)(i + 1);

		swatch(g, "b", (int)order[i], x, ry);
		fprintf(g->out,
			"<rect class=\"t%d\" x=\"%.1f\" y=\"%.1f\" width=\"22\" "
			"height=\"4\"/>\n",
			(int)order[i], x, ry - 2);
		svg_text(g, x + 31, ry, "ink", "start", ks_state_paint[order[i]].words);
		snprintf(text, sizeof(text), "%.1f %%",
			 percent(g->s->total.state_ns[order[i]], sum));
		svg_text(g, x + 280, ry, "dim", "end", text);
	}
}

static void exits_outside(struct svg *g, int class, uint64_t n, double x, double y)
{
	char text[64];

	swatch(g, "v", class, x, y);
	svg_text(g, x + 31, y, "ink", "start", ks_class_paint[class].words);
	svg_text(g, x + 280, y, "dim", "end", ks_scale_count(n, text, sizeof(text)));
}

static void outside(struct svg *g, double x, double y)
{
	const struct sc_sums *t = &g->s->total;
	uint64_t unknown = 0;
	char text[64];
	int c;

	svg_text(g, x, y, "dim b sm", "start", "PLE EXITS");
	for (c = 0; c < KS_C_WAIT_MAX; c++)
		unknown += t->ple[c];
	unknown -= t->ple_in_waits;
	fprintf(g->out,
		"<path class=\"k%d\" stroke-width=\"1.2\" "
		"d=\"M%.1f %.1fv-10m4 10v-6m2 6v-9m5 9v-7m5 7v-10\"/>\n",
		KS_C_LHP, x + 1, y + ROW);
	svg_text(g, x + 31, y + ROW, "ink", "start", "in waits, by cause");
	svg_text(g, x + 280, y + ROW, "dim", "end",
		 ks_scale_count(t->ple_in_waits, text, sizeof(text)));
	for (c = KS_C_IPI; c < KS_C_MAX; c++)
		exits_outside(g, c, t->ple[c], x, y + ROW * (double)(c - KS_C_IPI + 2));
	exits_outside(g, KS_C_UNKNOWN, unknown, x, y + ROW * (double)(c - KS_C_IPI + 2));
}

static void marks(struct svg *g, double x, double y)
{
	double r = y + ROW;

	svg_text(g, x, y, "dim b sm", "start", "MARKS");
	fprintf(g->out,
		"<rect fill=\"url(#v%d)\" x=\"%.1f\" y=\"%.1f\" width=\"22\" height=\"11\" "
		"rx=\"2\"/><path class=\"try\" d=\"M%.1f %.1fl2.7-5h-5.4z\"/><path class=\"acq\" "
		"d=\"M%.1f %.1fl2.7 5h-5.4z\"/>\n",
		KS_C_LHP, x, r - 9.5, x, r - 7, x + 22, r - 1);
	svg_text(g, x + 34, r, "ink", "start", "wait: try (red) to acquire (green)");
	svg_text(g, x + 11, r + ROW, "num", "middle", "484");
	svg_text(g, x + 34, r + ROW, "ink", "start", "PLE exits in the wait below");
	r += 2 * ROW;
	fprintf(g->out,
		"<path class=\"hold holdl\" stroke-width=\".8\" "
		"d=\"M%.1f %.1fh22v9h-22z\"/>"
		"<path class=\"ha\" d=\"M%.1f %.1fh2.2v9h-2.2z\"/><path class=\"hr\" "
		"d=\"M%.1f %.1fh2.2v9h-2.2z\"/>\n",
		x, r - 9, x, r - 9, x + 19.8, r - 9);
	svg_text(g, x + 34, r, "ink", "start", "hold: acquire (blue) to release (yellow)");
	r += ROW;
	fprintf(g->out,
		"<path fill=\"url(#ho)\" class=\"holdx\" stroke-width=\"1\" "
		"d=\"M%.1f %.1fh22v9h-22z\"/>\n",
		x, r - 9);
	svg_text(g, x + 34, r, "ink", "start", "hold whose vCPU was off-CPU in it");
	r += ROW;
	fprintf(g->out,
		"<path class=\"flow k%d\" d=\"M%.1f %.1fc8 0 8-5 15-5\"/>"
		"<path class=\"c%d\" d=\"M%.1f %.1fl-7-3.5v7z\"/>\n",
		KS_C_LHP, x, r - 1, KS_C_LHP, x + 22, r - 6);
	svg_text(g, x + 34, r, "ink", "start", "from a wait to the hold or waiter it was due to");
}

double svg_legend_height(void)
{
	return 7 * ROW + 4;
}

void svg_legend(struct svg *g, double y)
{
	verdicts(g, 26, y);
	states(g, 552, y);
	outside(g, 878, y);
	marks(g, 1206, y);
}
