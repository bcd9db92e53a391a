// SPDX-License-Identifier: GPL-2.0
/*
 * Bounded memory: of what has too much of max_items, neighbours within a cell of time become one,
 * and the cell doubles until half is free; of the cases the dearest half stays. Sums stay.
 */
#include <stdlib.h>
#include <string.h>

#include "vnuma_scene.h"

/* Percent of max_items that each may have when all want more. */
enum { PART_SEGS = 50, PART_MOVES = 30, PART_CASES = 10, PART_WASTES = 10 };

#define FIRST_CELL_NS 1024
#define LAST_CELL_NS (1ull << 60)

#define CMP(a, b) ((a) < (b) ? -1 : (a) > (b))

/* ---- stretches of vCPUs ---- */

static int cmp_seg(const void *x, const void *y)
{
	const struct vs_seg *a = x, *b = y;

	return a->lane != b->lane ? CMP(a->lane, b->lane) : CMP(a->from, b->from);
}

void vs_sort_segs(struct ks_vscene *s)
{
	if (s->segs.n)
		qsort(s->segs.v, s->segs.n, sizeof(struct vs_seg), cmp_seg);
}

static void make_mixed(struct vs_seg *g)
{
	if (g->kind == VS_MIXED)
		return;
	g->ns[g->kind] = (float)(g->to - g->from);
	g->kind = VS_MIXED;
	g->node = -1;
}

static void add_seg(struct vs_seg *to, struct vs_seg *g)
{
	if (to->kind == g->kind && to->kind != VS_MIXED && to->node == g->node &&
	    to->to == g->from) {
		to->to = g->to;
		return;
	}
	make_mixed(to);
	make_mixed(g);
	for (int k = 0; k < VS_KINDS; k++)
		to->ns[k] += g->ns[k];
	to->to = g->to;
}

/* A stretch that is longer than the cell stays what it is. */
static size_t merge_segs(struct vs_seg *v, size_t n, uint64_t cell)
{
	size_t o = 0;

	for (size_t i = 1; i < n; i++) {
		struct vs_seg *g = &v[o];

		if (v[i].lane == g->lane && v[i].from / cell == g->from / cell &&
		    v[i].to - v[i].from <= cell && (g->kind == VS_MIXED || g->to - g->from <= cell))
			add_seg(g, &v[i]);
		else
			v[++o] = v[i];
	}
	return n ? o + 1 : 0;
}

/* ---- moves ---- */

static int cmp_move(const void *x, const void *y)
{
	const struct vs_move *a = x, *b = y;

	if (a->by != b->by)
		return CMP(a->by, b->by);
	if (a->a != b->a)
		return CMP(a->a, b->a);
	return a->b != b->b ? CMP(a->b, b->b) : CMP(a->from, b->from);
}

size_t vs_merge_moves(struct vs_move *v, size_t n, uint64_t cell)
{
	size_t o = 0;

	if (!n)
		return 0;
	qsort(v, n, sizeof(*v), cmp_move);
	for (size_t i = 1; i < n; i++) {
		struct vs_move *m = &v[o];

		if (v[i].by != m->by || v[i].a != m->a || v[i].b != m->b ||
		    v[i].from / cell != m->from / cell) {
			v[++o] = v[i];
			continue;
		}
		m->to = v[i].to;
		m->tid = v[i].tid;
		m->count += v[i].count;
	}
	return o + 1;
}

/* ---- waste: comes in the order of time ---- */

static size_t merge_wastes(struct vs_waste *v, size_t n, uint64_t cell)
{
	size_t o = 0;

	for (size_t i = 1; i < n; i++) {
		struct vs_waste *w = &v[o];

		if (v[i].from / cell != w->from / cell) {
			v[++o] = v[i];
			continue;
		}
		w->to = v[i].to;
		w->ns += v[i].ns;
	}
	return n ? o + 1 : 0;
}

/* ---- cases ---- */

static int cmp_cost(const void *x, const void *y)
{
	const struct vs_case *a = x, *b = y;

	return CMP(b->c.cost_ns, a->c.cost_ns);
}

static void halve_cases(struct ks_vscene *s)
{
	size_t keep = s->cases.n / 2;

	qsort(s->cases.v, s->cases.n, sizeof(struct vs_case), cmp_cost);
	s->folded_cases += s->cases.n - keep;
	s->cases.n = keep;
}

/* ---- all ---- */

static uint64_t wider(uint64_t cell)
{
	return cell ? cell * 2 : FIRST_CELL_NS;
}

static void fold_segs(struct ks_vscene *s)
{
	size_t before = s->segs.n;

	vs_sort_segs(s);
	if (s->seg_cell)
		s->segs.n = merge_segs(s->segs.v, s->segs.n, s->seg_cell);
	while (s->segs.n > before / 2 && s->seg_cell < LAST_CELL_NS) {
		s->seg_cell = wider(s->seg_cell);
		s->segs.n = merge_segs(s->segs.v, s->segs.n, s->seg_cell);
	}
}

static void fold_moves(struct ks_vscene *s)
{
	size_t before = s->moves.n;

	if (s->move_cell)
		s->moves.n = vs_merge_moves(s->moves.v, s->moves.n, s->move_cell);
	while (s->moves.n > before / 2 && s->move_cell < LAST_CELL_NS) {
		s->move_cell = wider(s->move_cell);
		s->moves.n = vs_merge_moves(s->moves.v, s->moves.n, s->move_cell);
	}
	/* So many pairs of lanes that no cell is wide enough. */
	if (s->moves.n > before / 2)
		s->moves.n = before / 2;
}

static void fold_wastes(struct ks_vscene *s)
{
	size_t before = s->wastes.n;

	while (s->wastes.n > before / 2 && s->waste_cell < LAST_CELL_NS) {
		s->waste_cell = wider(s->waste_cell);
		s->wastes.n = merge_wastes(s->wastes.v, s->wastes.n, s->waste_cell);
	}
}

int vs_fold(struct ks_vscene *s)
{
	size_t over[] = { s->segs.n * 100 / PART_SEGS, s->moves.n * 100 / PART_MOVES,
			  s->cases.n * 100 / PART_CASES, s->wastes.n * 100 / PART_WASTES };
	int most = 0;

	for (int i = 1; i < 4; i++)
		if (over[i] > over[most])
			most = i;
	switch (most) {
	case 0:
		fold_segs(s);
		break;
	case 1:
		fold_moves(s);
		break;
	case 2:
		halve_cases(s);
		break;
	default:
		fold_wastes(s);
		break;
	}
	return 0;
}
