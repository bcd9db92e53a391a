// SPDX-License-Identifier: GPL-2.0
/* The scene of spinlocks as JSON, for its page. */
#include <errno.h>
#include <inttypes.h>

#include "esc.h"
#include "html_data.h"
#include "html_page.h"
#include "locks_page.h"

static void palette(FILE *out)
{
	fputs("\"classes\":[", out);
	for (int c = 0; c < KS_C_MAX; c++) {
		fputs(c ? "," : "", out);
		html_paint(out, &ks_class_paint[c], NULL);
	}
	fputs("],\n\"states\":[", out);
	for (int k = 0; k < SC_STATES; k++) {
		fputs(k ? "," : "", out);
		html_paint(out, &ks_state_paint[k], ks_state_strip[k]);
	}
	fputs("],\n", out);
}

static void facts(const struct ks_scene *s, FILE *out)
{
	html_string(out, "title",
		    s->opts.title ? s->opts.title :
				    "Guest spinlocks over their host's vCPU schedule");
	html_string(out, "vm", s->vm_name);
	html_string(out, "noWaits", sc_no_waits(s));
	html_string(out, "only", s->opts.vcpus ? s->opts.vcpus : "");
	/* A number of JSON is a double: the absolute time would lose nanoseconds after 104 days. */
	fprintf(out,
		"\"t0\":\"%" PRIu64 "\",\"span\":%" PRIu64 ",\"pid\":%" PRIu32
		",\"lock\":\"%#" PRIx64 "\",\"clockError\":%" PRIu64 ",\"lost\":%" PRIu64
		",\"guest\":%s,\"foldedWaits\":%" PRIu64 ",\"foldedHolds\":%" PRIu64
		",\"pleCell\":%" PRIu64 ",\"segCell\":%" PRIu64 ",\"levels\":%u,\n",
		s->t0, s->t1 - s->t0, s->vm_tgid, s->opts.lock, s->opts.clock_error_ns, s->lost,
		s->guest ? "true" : "false", s->folded_waits, s->folded_holds, s->ple_cell,
		s->seg_cell, s->levels);
}

static void sums(FILE *out, const struct sc_sums *t)
{
	html_numbers(out, "waits", t->waits, KS_C_WAIT_MAX);
	putc(',', out);
	html_numbers(out, "waitNs", t->wait_ns, KS_C_WAIT_MAX);
	putc(',', out);
	html_numbers(out, "ple", t->ple, KS_C_MAX);
	putc(',', out);
	html_numbers(out, "stateNs", t->state_ns, SC_STATES);
	fprintf(out, ",\"holds\":%" PRIu64 ",\"holdsOff\":%" PRIu64, t->holds, t->holds_off);
}

static void lane(FILE *out, const struct sc_lane *l)
{
	fprintf(out, "{\"id\":%" PRIu32 ",\"cpu\":%" PRId32 ",\"pcpus\":[", l->vcpu_id,
		l->guest_cpu);
	for (uint32_t i = 0; i < l->sums.npcpus && i < SC_MAX_PCPUS; i++)
		fprintf(out, "%s%" PRId32, i ? "," : "", l->sums.pcpu[i]);
	fprintf(out, "],\"n\":[%zu,%zu,%zu,%zu,%zu,%zu],", l->wait1 - l->wait0, l->hold1 - l->hold0,
		l->seg1 - l->seg0, l->ple1 - l->ple0, l->wcell1 - l->wcell0, l->hcell1 - l->hcell0);
	sums(out, &l->sums);
	putc('}', out);
}

static void lanes(const struct ks_scene *s, FILE *out)
{
	fputs("\"lanes\":[", out);
	for (uint32_t l = 0; l < s->nlanes; l++) {
		fputs(l ? ",\n" : "", out);
		lane(out, &s->lanes[l]);
	}
	fputs("],\n\"totals\":{", out);
	sums(out, &s->total);
	fputs("},\n", out);
}

static void items(struct html_data *d)
{
	fputs("\"waits\":\"", d->p.out);
	html_waits(d);
	fputs("\",\n\"holds\":\"", d->p.out);
	html_holds(d);
	fputs("\",\n\"segs\":\"", d->p.out);
	html_segs(d);
	fputs("\",\n\"ples\":\"", d->p.out);
	html_ples(d);
	fputs("\",\n\"wcells\":\"", d->p.out);
	html_cells(d, &d->s->wcells);
	fputs("\",\n\"hcells\":\"", d->p.out);
	html_cells(d, &d->s->hcells);
	fputs("\",\n", d->p.out);
}

/* What the numbers in the rows stand for; index 0 is "not known". */
static void names(struct html_data *d)
{
	char buf[256];

	fputs("\"syms\":[\"\"", d->p.out);
	for (size_t i = 1; i < d->syms.n; i++) {
		putc(',', d->p.out);
		ks_esc_json(d->p.out, sc_sym(d->s, d->syms.key[i], buf, sizeof(buf)));
	}
	fputs("],\n\"tasks\":[[0,\"\"]", d->p.out);
	for (size_t i = 1; i < d->tasks.n; i++) {
		fprintf(d->p.out, ",[%" PRIu64 ",", d->tasks.key[i]);
		ks_esc_json(d->p.out, sc_task(d->s, (uint32_t)d->tasks.key[i], buf, sizeof(buf)));
		putc(']', d->p.out);
	}
	fputs("],\n\"locks\":[[\"\",\"\"]", d->p.out);
	for (size_t i = 1; i < d->locks.n; i++) {
		fprintf(d->p.out, ",[\"%#" PRIx64 "\",", d->locks.key[i]);
		ks_esc_json(d->p.out, sc_sym(d->s, d->locks.key[i], buf, sizeof(buf)));
		putc(']', d->p.out);
	}
	fputs("]", d->p.out);
}

static int data(const void *scene, FILE *out)
{
	const struct ks_scene *s = scene;
	struct html_data d = { .s = s, .p = { .out = out, .t0 = s->t0 } };

	if (html_intern(&d.syms, 0) || html_intern(&d.locks, 0) || html_intern(&d.tasks, 0))
		d.p.err = -ENOMEM;
	fputs("{", out);
	facts(s, out);
	palette(out);
	lanes(s, out);
	if (!d.p.err)
		items(&d);
	if (!d.p.err)
		names(&d);
	fputs("}", out);
	html_intern_free(&d.syms);
	html_intern_free(&d.locks);
	html_intern_free(&d.tasks);
	return d.p.err;
}

int ks_scene_html(const struct ks_scene *s, FILE *out)
{
	return html_page(out, &ks_locks_page, s->opts.title ? s->opts.title : "kvmsched", data, s);
}
