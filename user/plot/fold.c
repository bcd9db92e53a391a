// SPDX-License-Identifier: GPL-2.0
/*
 * Bounded memory: when there are more items than max_items, the kind that exceeds its part most
 * is folded. Of waits and holds the longest stay; the others, the PLE exits and the states are
 * merged with their neighbours on the same vCPU within a cell of time, whose width doubles until
 * it is enough. Sums stay exact.
 */
#include <errno.h>
#include <stdlib.h>

#include "scene.h"

/* Percent of max_items that each kind may have when all want more. */
enum { PART_WAITS = 20, PART_HOLDS = 20, PART_SEGS = 20, PART_PLES = 40 };

#define FIRST_CELL_NS 1024
#define LAST_CELL_NS (1ull << 60)

#define CMP(a, b) ((a) < (b) ? -1 : (a) > (b))

static int cmp_u64_down(const void *a, const void *b)
{
	return CMP(*(const uint64_t *)b, *(const uint64_t *)a);
}

/* ---- PLE exits ---- */

static int cmp_ple(const void *x, const void *y)
{
	const struct sc_ple *a = x, *b = y;

	return a->vcpu != b->vcpu   ? CMP(a->vcpu, b->vcpu) :
	       a->class != b->class ? CMP(a->class, b->class) :
				      CMP(a->from, b->from);
}

static size_t merge_ples(struct sc_ple *v, size_t n, uint64_t cell)
{
	size_t o = 0;

	for (size_t i = 1; i < n; i++) {
		struct sc_ple *p = &v[o];

		if (v[i].vcpu != p->vcpu || v[i].class != p->class ||
		    v[i].from / cell != p->from / cell) {
			v[++o] = v[i];
			continue;
		}
		if (v[i].to > p->to) {
			p->to = v[i].to;
			p->ip = v[i].ip;
		}
		p->count += v[i].count;
	}
	return n ? o + 1 : 0;
}

/*
 * First what came since the last time is merged in the cells there are. Only if that frees too
 * little do the cells grow, and then until half is free: so they grow with the logarithm of the
 * trace's length.
 */
static bool wider(uint64_t *cell, size_t n, size_t before, bool *growing)
{
	if (!*growing && n <= before - before / 8)
		return false;
	*growing = true;
	if (n <= before / 2 || *cell >= LAST_CELL_NS)
		return false;
	*cell *= 2;
	return true;
}

static void fold_ples(struct ks_scene *s)
{
	size_t before = s->ples.n;
	bool growing = false;

	qsort(s->ples.v, s->ples.n, s->ples.size, cmp_ple);
	if (!s->ple_cell)
		s->ple_cell = FIRST_CELL_NS;
	do
		s->ples.n = merge_ples(sc_ples(s), s->ples.n, s->ple_cell);
	while (wider(&s->ple_cell, s->ples.n, before, &growing));
}

/* ---- states ---- */

static int cmp_seg(const void *x, const void *y)
{
	const struct sc_seg *a = x, *b = y;

	return a->vcpu != b->vcpu ? CMP(a->vcpu, b->vcpu) : CMP(a->from, b->from);
}

static void make_mixed(struct sc_seg *g)
{
	if (g->state == SC_MIXED)
		return;
	g->ns[g->state] = (float)(g->to - g->from);
	g->state = SC_MIXED;
}

/* Only what is shorter than a cell is merged, so a long stretch of one state stays what it is. */
static bool seg_fits(const struct sc_seg *p, const struct sc_seg *g, uint64_t cell)
{
	return g->vcpu == p->vcpu && g->from / cell == p->from / cell && g->to - g->from < cell &&
	       p->to - p->from < cell;
}

static size_t merge_segs(struct sc_seg *v, size_t n, uint64_t cell)
{
	size_t o = 0;

	for (size_t i = 1; i < n; i++) {
		struct sc_seg *p = &v[o];

		if (!seg_fits(p, &v[i], cell)) {
			v[++o] = v[i];
			continue;
		}
		make_mixed(p);
		make_mixed(&v[i]);
		for (int k = 0; k < SC_STATES; k++)
			p->ns[k] += v[i].ns[k];
		if (v[i].to > p->to)
			p->to = v[i].to;
		if (p->pcpu != v[i].pcpu)
			p->pcpu = -1;
	}
	return n ? o + 1 : 0;
}

static void fold_segs(struct ks_scene *s)
{
	size_t before = s->segs.n;
	bool growing = false;

	qsort(s->segs.v, s->segs.n, s->segs.size, cmp_seg);
	if (!s->seg_cell)
		s->seg_cell = FIRST_CELL_NS;
	do
		s->segs.n = merge_segs(sc_segs(s), s->segs.n, s->seg_cell);
	while (wider(&s->seg_cell, s->segs.n, before, &growing));
}

/* ---- waits and holds ---- */

static int cmp_cell(const void *x, const void *y)
{
	const struct sc_cell *a = x, *b = y;

	return a->vcpu != b->vcpu ? CMP(a->vcpu, b->vcpu) : CMP(a->from, b->from);
}

static size_t merge_cells(struct sc_cell *v, size_t n, uint64_t cell)
{
	size_t o = 0;

	for (size_t i = 1; i < n; i++) {
		struct sc_cell *p = &v[o];

		if (v[i].vcpu != p->vcpu || v[i].from / cell != p->from / cell) {
			v[++o] = v[i];
			continue;
		}
		for (int c = 0; c < KS_C_WAIT_MAX; c++)
			p->ns[c] += v[i].ns[c];
		p->count += v[i].count;
		p->ple += v[i].ple;
		if (v[i].to > p->to)
			p->to = v[i].to;
	}
	return n ? o + 1 : 0;
}

static void fold_cells(struct sc_vec *cells, uint64_t *width, size_t most)
{
	qsort(cells->v, cells->n, cells->size, cmp_cell);
	if (!*width)
		*width = FIRST_CELL_NS;
	for (;;) {
		cells->n = merge_cells(cells->v, cells->n, *width);
		if (cells->n <= most || *width >= LAST_CELL_NS)
			return;
		*width *= 2;
	}
}

/* What stays of a row of lengths: everything above min, and the first `ties` of length min. */
struct cut {
	uint64_t min;
	size_t ties;
};

/* The cut that keeps `keep` of n, fewer than n; sorts len. */
static struct cut cut_at(uint64_t *len, size_t n, size_t keep)
{
	struct cut c;
	size_t above = 0;

	qsort(len, n, sizeof(*len), cmp_u64_down);
	c.min = len[keep];
	while (len[above] > c.min)
		above++;
	c.ties = keep - above;
	return c;
}

static bool stays(struct cut *c, uint64_t len)
{
	if (len == c->min && c->ties) {
		c->ties--;
		return true;
	}
	return len > c->min;
}

static uint64_t wait_len(const struct sc_wait *w)
{
	return w->w.acq_time - w->w.try_time;
}

static int wait_to_cell(struct ks_scene *s, const struct ks_wait *w)
{
	struct sc_cell *c = sc_vec_add(&s->wcells);

	if (!c)
		return -ENOMEM;
	c->from = w->try_time;
	c->to = w->acq_time;
	c->vcpu = w->vcpu;
	c->count = 1;
	c->ple = w->ple_total;
	for (int k = 0; k < KS_C_WAIT_MAX; k++)
		c->ns[k] = (float)w->share[k];
	s->folded_waits++;
	return 0;
}

static int fold_waits(struct ks_scene *s, size_t keep)
{
	struct sc_wait *v = sc_waits(s);
	uint64_t *len = reallocarray(NULL, s->waits.n, sizeof(*len));
	struct cut cut;
	size_t o = 0;

	if (!len)
		return -ENOMEM;
	for (size_t i = 0; i < s->waits.n; i++)
		len[i] = wait_len(&v[i]);
	cut = cut_at(len, s->waits.n, keep);
	free(len);
	for (size_t i = 0; i < s->waits.n; i++) {
		if (stays(&cut, wait_len(&v[i])))
			v[o++] = v[i];
		else if (wait_to_cell(s, &v[i].w))
			return -ENOMEM;
	}
	s->waits.n = o;
	fold_cells(&s->wcells, &s->wcell, s->opts.max_items / 20 + 1);
	return 0;
}

/* A hold whose vCPU was taken away is what the picture is about: it counts twice. */
static uint64_t hold_len(const struct sc_hold *h)
{
	return h->h.rel_time - h->h.acq_time + h->h.off_ns;
}

static int hold_to_cell(struct ks_scene *s, const struct ks_hold *h)
{
	struct sc_cell *c = sc_vec_add(&s->hcells);

	if (!c)
		return -ENOMEM;
	c->from = h->acq_time;
	c->to = h->rel_time;
	c->vcpu = h->vcpu;
	c->count = 1;
	c->ns[0] = (float)(h->rel_time - h->acq_time);
	s->folded_holds++;
	return 0;
}

static int fold_holds(struct ks_scene *s, size_t keep)
{
	struct sc_hold *v = sc_holds(s);
	uint64_t *len = reallocarray(NULL, s->holds.n, sizeof(*len));
	struct cut cut;
	size_t o = 0;

	if (!len)
		return -ENOMEM;
	for (size_t i = 0; i < s->holds.n; i++)
		len[i] = hold_len(&v[i]);
	cut = cut_at(len, s->holds.n, keep);
	free(len);
	for (size_t i = 0; i < s->holds.n; i++) {
		if (stays(&cut, hold_len(&v[i])))
			v[o++] = v[i];
		else if (hold_to_cell(s, &v[i].h))
			return -ENOMEM;
	}
	s->holds.n = o;
	fold_cells(&s->hcells, &s->hcell, s->opts.max_items / 20 + 1);
	return 0;
}

int sc_fold(struct ks_scene *s)
{
	size_t over[] = { s->waits.n * 100 / PART_WAITS, s->holds.n * 100 / PART_HOLDS,
			  s->segs.n * 100 / PART_SEGS, s->ples.n * 100 / PART_PLES };
	int most = 0;

	for (int i = 1; i < 4; i++)
		if (over[i] > over[most])
			most = i;
	switch (most) {
	case 0:
		return fold_waits(s, s->waits.n / 2);
	case 1:
		return fold_holds(s, s->holds.n / 2);
	case 2:
		fold_segs(s);
		return 0;
	default:
		fold_ples(s);
		return 0;
	}
}
