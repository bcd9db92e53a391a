// SPDX-License-Identifier: GPL-2.0
/* The scene of virtual NUMA as JSON, for its page. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "esc.h"
#include "html_pack.h"
#include "html_page.h"
#include "vnuma_page.h"
#include "vnuma_scene.h"

struct data {
	const struct ks_vscene *s;
	struct html_pack p;
	struct html_intern tasks; /* 0 is index 0 */
};

static void line(struct data *d, const char *name, void (*fill)(const struct ks_vscene *, FILE *))
{
	char *buf = NULL;
	size_t len;
	FILE *f = open_memstream(&buf, &len);

	if (f)
		fill(d->s, f);
	if (!f || fclose(f))
		d->p.err = -ENOMEM;
	else
		html_string(d->p.out, name, buf);
	free(buf);
}

static void facts(struct data *d)
{
	const struct ks_vscene *s = d->s;

	html_string(d->p.out, "title", vs_title(s));
	line(d, "caption", vs_caption);
	line(d, "story", vs_story);
	line(d, "foot", vs_foot);
	/* A number of JSON is a double: the absolute time would lose nanoseconds after 104 days. */
	fprintf(d->p.out,
		"\"t0\":\"%" PRIu64 "\",\"span\":%" PRIu64 ",\"passed\":%" PRIu64
		",\"overloaded\":%" PRIu64 ",\"queues\":%s,\n",
		s->opts.from, s->opts.to - s->opts.from, s->npassed, s->noverloaded,
		ks_vnuma_vm(s->v, s->vm)->queues ? "true" : "false");
}

static void kinds(FILE *out)
{
	static const struct ks_paint other = { "n8+",	  "running on node 8 or above",
					       "#6b7482", "#5b6472",
					       "#ffffff", "#ffffff",
					       KS_P_SOLID },
				     nowhere = { "n?",	    "running, node not known",
						 "#aab2bd", "#3c434d",
						 "#101418", "#ffffff",
						 KS_P_SOLID };
	static const enum ks_vstate states[] = { KS_V_RUNNABLE, KS_V_HALTED, KS_V_BLOCKED,
						 KS_V_UNKNOWN };

	fputs("\"kinds\":[", out);
	for (unsigned int n = 0; n < VS_NODES; n++) {
		struct ks_paint p = *ks_node_paint(n);
		char code[16], words[32];

		snprintf(code, sizeof(code), "n%u", n);
		snprintf(words, sizeof(words), "running on node %u", n);
		p.code = code;
		p.words = words;
		p.pattern = KS_P_SOLID;
		html_paint(out, &p, NULL);
		putc(',', out);
	}
	html_paint(out, &other, NULL);
	putc(',', out);
	html_paint(out, &nowhere, NULL);
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		putc(',', out);
		html_paint(out, &ks_state_paint[states[i]], NULL);
	}
	fputs("],\n", out);
}

static void causes(const struct ks_vscene *s, FILE *out)
{
	fputs("\"causes\":[", out);
	for (int k = 0; k < KS_VN_CAUSES; k++)
		fprintf(out,
			"%s{\"words\":\"%s\",\"line\":[\"%s\",\"%s\"],\"dashes\":\"%s\","
			"\"count\":%" PRIu64 "}",
			k ? "," : "", ks_move_line[k].words, ks_move_line[k].light,
			ks_move_line[k].dark, ks_move_line[k].dashes, s->moves_by[k]);
	fputs("],\n\"why\":[", out);
	for (int k = 0; k < KS_PASSED_MAX; k++)
		fprintf(out, "%s\"%s\"", k ? "," : "", ks_passed_name(k));
	fputs("],\n", out);
}

static void lanes(const struct ks_vscene *s, FILE *out)
{
	char group[96];

	fputs("\"lanes\":[", out);
	for (uint32_t i = 0; i < s->nlanes; i++) {
		const struct vs_lane *l = &s->lanes[i];

		vs_group_name(s, l, group, sizeof(group));
		fprintf(out,
			"%s{\"id\":%" PRIu32 ",\"cpu\":%" PRId32 ",\"believed\":%" PRId32
			",\"home\":%" PRId32 ",\"group\":\"%s\",\"away\":%" PRIu64 ",\"n\":[%zu],",
			i ? ",\n" : "", l->vcpu_id, l->guest_cpu, l->believed, l->home, group,
			l->away_ns, l->seg1 - l->seg0);
		html_numbers(out, "ns", l->ns, VS_KINDS);
		putc('}', out);
	}
	fputs("],\n", out);
}

/* ---- items ---- */

static void segs(struct data *d)
{
	struct html_row r = { 0 };

	for (size_t i = 0; i < d->s->segs.n; i++) {
		const struct vs_seg *g = &vs_segs(d->s)[i];
		unsigned int mask = 0;

		html_put_span(&d->p, &r, g->lane, g->from, g->to);
		html_put(&d->p, g->kind);
		html_put(&d->p, (uint64_t)(g->node + 1));
		if (g->kind != VS_MIXED)
			continue;
		for (int k = 0; k < VS_KINDS; k++)
			mask |= (unsigned int)(g->ns[k] > 0) << k;
		html_put(&d->p, mask);
		for (int k = 0; k < VS_KINDS; k++)
			if (g->ns[k] > 0)
				html_put(&d->p, html_whole_ns(g->ns[k]));
	}
	html_put_end(&d->p);
}

static void moves(struct data *d)
{
	struct html_row r = { 0 };

	for (size_t i = 0; i < d->s->moves.n; i++) {
		const struct vs_move *m = &vs_moves(d->s)[i];

		html_put_span(&d->p, &r, 0, m->from, m->to);
		html_put(&d->p, (uint32_t)(m->a + 1));
		html_put(&d->p, (uint32_t)(m->b + 1));
		html_put(&d->p, m->by);
		html_put(&d->p, m->count);
		html_put_key(&d->p, &d->tasks, m->tid);
	}
	html_put_end(&d->p);
}

static void cases(struct data *d)
{
	struct html_row r = { 0 };

	for (size_t i = 0; i < d->s->cases.n; i++) {
		const struct vs_case *c = &vs_cases(d->s)[i];

		html_put_span(&d->p, &r, 0, c->c.time, c->c.time + c->c.wait_ns);
		html_put(&d->p, c->lane);
		html_put(&d->p, (uint32_t)(c->other + 1));
		html_put(&d->p, (unsigned int)c->overloaded | (unsigned int)c->c.why << 1);
		html_put(&d->p, c->c.cost_ns);
		html_put_key(&d->p, &d->tasks, c->c.pid);
		html_put(&d->p, c->c.cpu);
		if (c->overloaded)
			html_put_key(&d->p, &d->tasks, c->c.other);
		else
			html_put(&d->p, c->c.other);
	}
	html_put_end(&d->p);
}

static void wastes(struct data *d)
{
	struct html_row r = { 0 };

	for (size_t i = 0; i < d->s->wastes.n; i++) {
		const struct vs_waste *w = &vs_wastes(d->s)[i];

		html_put_span(&d->p, &r, 0, w->from, w->to);
		html_put(&d->p, html_whole_ns(w->ns));
	}
	html_put_end(&d->p);
}

static void names(struct data *d)
{
	const struct ks_vscene_opts *o = &d->s->opts;
	char buf[256];

	fputs("\"tasks\":[[0,\"\"]", d->p.out);
	for (size_t i = 1; i < d->tasks.n; i++) {
		const char *name = NULL;

		if (o->task)
			name = o->task(o->task_ctx, d->s->vm, (uint32_t)d->tasks.key[i], buf,
				       sizeof(buf));
		fprintf(d->p.out, ",[%" PRIu64 ",", d->tasks.key[i]);
		ks_esc_json(d->p.out, name ? name : "");
		putc(']', d->p.out);
	}
	fputs("]", d->p.out);
}

static void items(struct data *d)
{
	static const struct {
		const char *name;
		void (*write)(struct data *d);
	} all[] = {
		{ "segs", segs }, { "moves", moves }, { "cases", cases }, { "wastes", wastes }
	};

	fprintf(d->p.out, "\"nmoves\":%zu,\"ncases\":%zu,\"nwastes\":%zu,\n", d->s->moves.n,
		d->s->cases.n, d->s->wastes.n);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		fprintf(d->p.out, "\"%s\":\"", all[i].name);
		all[i].write(d);
		fputs("\",\n", d->p.out);
	}
	names(d);
}

static int data(const void *scene, FILE *out)
{
	struct data d = { .s = scene, .p = { .out = out } };

	d.p.t0 = d.s->opts.from;
	if (html_intern(&d.tasks, 0))
		return -ENOMEM;
	fputs("{", out);
	facts(&d);
	kinds(out);
	causes(d.s, out);
	lanes(d.s, out);
	items(&d);
	fputs("}", out);
	html_intern_free(&d.tasks);
	return d.p.err;
}

int ks_vscene_html(const struct ks_vscene *s, FILE *out)
{
	return html_page(out, &ks_vnuma_page, vs_title(s), data, s);
}
