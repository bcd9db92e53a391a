// SPDX-License-Identifier: GPL-2.0
/*
 * The picture as one HTML file: the page's own files (page.html, page.css, page.js), and the
 * scene as JSON. Nothing in it comes from, or goes to, anywhere else.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "esc.h"
#include "html_data.h"
#include "palette.h"
#include "plot_page.h"

static void numbers(FILE *out, const char *name, const uint64_t *v, size_t n)
{
	fprintf(out, "\"%s\":[", name);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%" PRIu64, i ? "," : "", v[i]);
	fputs("]", out);
}

static void string(FILE *out, const char *name, const char *text)
{
	fprintf(out, "\"%s\":", name);
	ks_esc_json(out, text);
	putc(',', out);
}

static void paint(FILE *out, const struct ks_paint *p, const char *const *strip)
{
	fprintf(out,
		"{\"code\":\"%s\",\"words\":\"%s\",\"fill\":[\"%s\",\"%s\"],"
		"\"ink\":[\"%s\",\"%s\"],\"pattern\":%d",
		p->code, p->words, p->light, p->dark, p->ink_light, p->ink_dark, p->pattern);
	if (strip)
		fprintf(out, ",\"strip\":[\"%s\",\"%s\"]", strip[0], strip[1]);
	putc('}', out);
}

static void palette(FILE *out)
{
	fputs("\"classes\":[", out);
	for (int c = 0; c < KS_C_MAX; c++) {
		fputs(c ? "," : "", out);
		paint(out, &ks_class_paint[c], NULL);
	}
	fputs("],\n\"states\":[", out);
	for (int k = 0; k < SC_STATES; k++) {
		fputs(k ? "," : "", out);
		paint(out, &ks_state_paint[k], ks_state_strip[k]);
	}
	fputs("],\n", out);
}

static void facts(const struct ks_scene *s, FILE *out)
{
	string(out, "title",
	       s->opts.title ? s->opts.title : "Guest spinlocks over their host's vCPU schedule");
	string(out, "vm", s->vm_name);
	string(out, "noWaits", sc_no_waits(s));
	string(out, "only", s->opts.vcpus ? s->opts.vcpus : "");
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
	numbers(out, "waits", t->waits, KS_C_WAIT_MAX);
	putc(',', out);
	numbers(out, "waitNs", t->wait_ns, KS_C_WAIT_MAX);
	putc(',', out);
	numbers(out, "ple", t->ple, KS_C_MAX);
	putc(',', out);
	numbers(out, "stateNs", t->state_ns, SC_STATES);
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
	fputs("\"waits\":\"", d->out);
	html_waits(d);
	fputs("\",\n\"holds\":\"", d->out);
	html_holds(d);
	fputs("\",\n\"segs\":\"", d->out);
	html_segs(d);
	fputs("\",\n\"ples\":\"", d->out);
	html_ples(d);
	fputs("\",\n\"wcells\":\"", d->out);
	html_cells(d, &d->s->wcells);
	fputs("\",\n\"hcells\":\"", d->out);
	html_cells(d, &d->s->hcells);
	fputs("\",\n", d->out);
}

/* What the numbers in the rows stand for; index 0 is "not known". */
static void names(struct html_data *d)
{
	char buf[256];

	fputs("\"syms\":[\"\"", d->out);
	for (size_t i = 1; i < d->syms.n; i++) {
		putc(',', d->out);
		ks_esc_json(d->out, sc_sym(d->s, d->syms.key[i], buf, sizeof(buf)));
	}
	fputs("],\n\"tasks\":[[0,\"\"]", d->out);
	for (size_t i = 1; i < d->tasks.n; i++) {
		fprintf(d->out, ",[%" PRIu64 ",", d->tasks.key[i]);
		ks_esc_json(d->out, sc_task(d->s, (uint32_t)d->tasks.key[i], buf, sizeof(buf)));
		putc(']', d->out);
	}
	fputs("],\n\"locks\":[[\"\",\"\"]", d->out);
	for (size_t i = 1; i < d->locks.n; i++) {
		fprintf(d->out, ",[\"%#" PRIx64 "\",", d->locks.key[i]);
		ks_esc_json(d->out, sc_sym(d->s, d->locks.key[i], buf, sizeof(buf)));
		putc(']', d->out);
	}
	fputs("]", d->out);
}

static int data(const struct ks_scene *s, FILE *out)
{
	struct html_data d = { .s = s, .out = out };

	if (html_intern(&d.syms, 0) || html_intern(&d.locks, 0) || html_intern(&d.tasks, 0))
		d.err = -ENOMEM;
	fputs("{", out);
	facts(s, out);
	palette(out);
	lanes(s, out);
	if (!d.err)
		items(&d);
	if (!d.err)
		names(&d);
	fputs("}", out);
	html_intern_free(&d.syms);
	html_intern_free(&d.locks);
	html_intern_free(&d.tasks);
	return d.err;
}

/* What stands for @WORD@ in page.html. */
static int fill_in(const struct ks_scene *s, FILE *out, const char *word, size_t len)
{
	if (!strncmp(word, "TITLE", len)) {
		ks_esc_xml(out, s->opts.title ? s->opts.title : "kvmsched");
	} else if (!strncmp(word, "CSS", len)) {
		fwrite(ks_page_css, 1, ks_page_css_len, out);
	} else if (!strncmp(word, "JS", len)) {
		fwrite(ks_page_js, 1, ks_page_js_len, out);
	} else if (!strncmp(word, "POLICY", len)) {
		fprintf(out,
			"default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; "
			"base-uri 'none'; form-action 'none'",
			ks_page_js_hash, ks_page_css_hash);
	} else if (!strncmp(word, "DATA", len)) {
		return data(s, out);
	}
	return 0;
}

int ks_scene_html(const struct ks_scene *s, FILE *out)
{
	const char *p = ks_page_html, *end = p + ks_page_html_len;
	int err = 0;

	while (!err && p < end) {
		const char *at = memchr(p, '@', (size_t)(end - p));
		const char *close = at ? memchr(at + 1, '@', (size_t)(end - at - 1)) : NULL;

		fwrite(p, 1, (size_t)((close ? at : end) - p), out);
		if (!close)
			break;
		err = fill_in(s, out, at + 1, (size_t)(close - at - 1));
		p = close + 1;
	}
	if (err)
		return err;
	if (fflush(out) || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}
