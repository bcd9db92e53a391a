// SPDX-License-Identifier: GPL-2.0
/* What lies over the lanes: threads that change their CPU, and cases. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "scale.h"
#include "vnuma_svg.h"

#define MAX_ARROWS 600
#define MAX_CASES 160

/* ---- migrations ---- */

static double middle(const struct vsvg *v, uint32_t lane)
{
	return v->lane_y[lane] + v->lane_h / 2;
}

/* A move to or from where the picture has no lane is a short line at the other end. */
static void arrow(struct vsvg *v, const struct vs_move *m)
{
	double x = svg_x(&v->g, m->from / 2 + m->to / 2), head = 4;
	double y0 = m->a == VS_NONE ? v->lane_y[m->b] - 3 : middle(v, m->a);
	double y1 = m->b == VS_NONE ? v->lane_y[m->a] + v->lane_h + 3 : middle(v, m->b);
	double dir = y1 > y0 ? 1 : -1, w = fmin(3.2, 1 + 0.35 * log2(m->count));

	fprintf(v->g.out,
		"<g><path class=\"mvh\" d=\"M%.1f %.1fV%.1f\"/><path class=\"mv m%d\" "
		"stroke-width=\"%.1f\" d=\"M%.1f %.1fV%.1f\"/><path class=\"f%d\" "
		"d=\"M%.1f %.1fl-3.4 %.1fh6.8z\"/>",
		x, y0, y1, m->by, w, x, y0, y1 - dir * head, m->by, x, y1, -dir * 6);
	if (v->g.tips-- > 0)
		fprintf(v->g.out,
			"<title>%" PRIu32 " migration%s %s, the last of thread %" PRIu32 "</title>",
			m->count, m->count == 1 ? "" : "s", ks_move_line[m->by].words, m->tid);
	fputs("</g>\n", v->g.out);
}

int vsvg_moves(struct vsvg *v)
{
	size_t n = v->s->moves.n;
	/* A few pixels each: what is closer cannot be told apart. */
	uint64_t cell = (v->s->opts.to - v->s->opts.from) / ((SVG_RIGHT - SVG_LEFT) / 4) + 1;
	struct vs_move *m = reallocarray(NULL, n + 1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	if (n)
		memcpy(m, v->s->moves.v, n * sizeof(*m));
	for (n = vs_merge_moves(m, n, cell); n > MAX_ARROWS && cell < 1ull << 60;
	     n = vs_merge_moves(m, n, cell))
		cell *= 2;
	/* To a CPU of another node last: on top. */
	for (int top = 0; top < 2; top++)
		for (size_t i = 0; i < n && i < MAX_ARROWS; i++)
			if (vs_crosses(v->s, m[i].a, m[i].b) == top)
				arrow(v, &m[i]);
	free(m);
	return 0;
}

/* ---- cases ---- */

static void tip(struct vsvg *v, const struct vs_case *c)
{
	char wait[32], cost[32], task[64];
	const char *name = v->s->opts.task ? v->s->opts.task(v->s->opts.task_ctx, v->s->vm,
							     c->c.pid, task, sizeof(task)) :
					     NULL;

	fprintf(v->g.out, "<title>thread %" PRIu32 " ", c->c.pid);
	ks_esc_xml(v->g.out, name ? name : "");
	fprintf(v->g.out, " waited %s for CPU %" PRIu32,
		ks_scale_time(c->c.wait_ns, wait, sizeof(wait)), c->c.cpu);
	if (c->overloaded)
		fprintf(v->g.out, ", onto which thread %" PRIu32 " had been pulled", c->c.other);
	else
		fprintf(v->g.out, ", CPU %" PRIu32 " or another one was idle for %s of it: %s",
			c->c.other, ks_scale_time(c->c.cost_ns, cost, sizeof(cost)),
			ks_passed_name(c->c.why));
	fputs("</title>", v->g.out);
}

static void one_case(struct vsvg *v, const struct vs_case *c)
{
	double x0 = svg_x(&v->g, c->c.time), x1 = svg_x(&v->g, c->c.time + c->c.wait_ns);
	double y = v->lane_y[c->lane], foot = y + v->lane_h;

	fputs("<g>", v->g.out);
	if (c->other != VS_NONE && c->other != c->lane)
		fprintf(v->g.out, "<path class=\"idle\" d=\"M%.1f %.1fV%.1f\"/>", x0, foot - 2,
			middle(v, c->other));
	fprintf(v->g.out,
		"<path class=\"%s halo\" d=\"M%.1f %.1fh%.1fv4h%.1fz\"/>"
		"<path class=\"%s halo\" d=\"M%.1f %.1fl4 %dh-8z\"/>",
		c->overloaded ? "ov" : "pa", x0, foot - 4, fmax(1, x1 - x0), -fmax(1, x1 - x0),
		c->overloaded ? "ov" : "pa", x0, c->overloaded ? foot - 4 : foot - 12,
		c->overloaded ? -8 : 8);
	tip(v, c);
	fputs("</g>\n", v->g.out);
}

/* The dearest on top. */
void vsvg_cases(struct vsvg *v)
{
	size_t n = v->s->cases.n < MAX_CASES ? v->s->cases.n : MAX_CASES;

	while (n--)
		one_case(v, &vs_cases(v->s)[n]);
}
