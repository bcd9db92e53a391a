// SPDX-License-Identifier: GPL-2.0
#include "html_data.h"

/* ---- rows ---- */

/* A mask of the numbers that are not zero, then these. */
static void put_shares(struct html_data *d, const uint64_t *v)
{
	unsigned int mask = 0;

	for (int c = 0; c < KS_C_WAIT_MAX; c++)
		mask |= (unsigned int)!!v[c] << c;
	html_put(&d->p, mask);
	for (int c = 0; c < KS_C_WAIT_MAX; c++)
		if (v[c])
			html_put(&d->p, v[c]);
}

static uint32_t lane_of(const struct ks_scene *s, uint32_t vcpu)
{
	for (uint32_t l = 0; l < s->nlanes; l++)
		if (s->lanes[l].vcpu == vcpu)
			return l + 1;
	return 0;
}

void html_waits(struct html_data *d)
{
	struct html_row r = { 0 };

	for (size_t i = 0; i < d->s->waits.n; i++) {
		const struct sc_wait *w = &sc_waits(d->s)[i];
		uint64_t ple[KS_C_WAIT_MAX];

		for (int c = 0; c < KS_C_WAIT_MAX; c++)
			ple[c] = w->w.ple[c];
		html_put_span(&d->p, &r, w->lane, w->w.try_time, w->w.acq_time);
		html_put(&d->p, (unsigned int)w->w.verdict | (unsigned int)w->level << 3 |
					(unsigned int)w->w.acquired << 5 |
					(unsigned int)w->link_kind << 6 |
					(unsigned int)w->w.partial << 8);
		html_put_key(&d->p, &d->locks, w->w.lock);
		html_put_key(&d->p, &d->syms, w->w.ip);
		html_put_key(&d->p, &d->tasks, w->w.pid);
		html_put(&d->p, w->w.ctx_flags);
		html_put(&d->p, w->w.ple_total);
		html_put(&d->p, w->link);
		html_put(&d->p, lane_of(d->s, w->w.blame_vcpu));
		html_put(&d->p, w->w.blame_class);
		html_put_key(&d->p, &d->syms, w->w.blame_ip);
		html_put_key(&d->p, &d->tasks, w->w.blame_pid);
		html_put(&d->p, w->w.blame_off_ns);
		put_shares(d, w->w.share);
		put_shares(d, ple);
	}
	html_put_end(&d->p);
}

void html_holds(struct html_data *d)
{
	struct html_row r = { 0 };

	for (size_t i = 0; i < d->s->holds.n; i++) {
		const struct sc_hold *h = &sc_holds(d->s)[i];

		html_put_span(&d->p, &r, h->lane, h->h.acq_time, h->h.rel_time);
		html_put(&d->p, h->level | (unsigned int)h->h.waiters << 2);
		html_put_key(&d->p, &d->locks, h->h.lock);
		html_put_key(&d->p, &d->syms, h->h.ip);
		html_put_key(&d->p, &d->tasks, h->h.pid);
		html_put(&d->p, h->h.off_ns);
	}
	html_put_end(&d->p);
}

void html_segs(struct html_data *d)
{
	struct html_row r = { 0 };

	for (size_t i = 0; i < d->s->segs.n; i++) {
		const struct sc_seg *g = &sc_segs(d->s)[i];

		html_put_span(&d->p, &r, g->lane, g->from, g->to);
		html_put(&d->p, g->state);
		html_put(&d->p, (uint64_t)((int64_t)g->pcpu + 1));
		for (int k = 0; g->state == SC_MIXED && k < SC_STATES; k++)
			html_put(&d->p, html_whole_ns(g->ns[k]));
	}
	html_put_end(&d->p);
}

void html_ples(struct html_data *d)
{
	struct html_row r = { 0 };

	for (size_t i = 0; i < d->s->ples.n; i++) {
		const struct sc_ple *p = &sc_ples(d->s)[i];

		html_put_span(&d->p, &r, p->lane, p->from, p->to);
		html_put(&d->p, p->class);
		html_put(&d->p, p->count);
		html_put_key(&d->p, &d->syms, p->ip);
	}
	html_put_end(&d->p);
}

void html_cells(struct html_data *d, const struct sc_vec *cells)
{
	struct html_row r = { 0 };

	for (size_t i = 0; i < cells->n; i++) {
		const struct sc_cell *c = (const struct sc_cell *)cells->v + i;
		uint64_t ns[KS_C_WAIT_MAX];

		for (int k = 0; k < KS_C_WAIT_MAX; k++)
			ns[k] = html_whole_ns(c->ns[k]);
		html_put_span(&d->p, &r, c->lane, c->from, c->to);
		html_put(&d->p, c->count);
		html_put(&d->p, c->ple);
		put_shares(d, ns);
	}
	html_put_end(&d->p);
}
