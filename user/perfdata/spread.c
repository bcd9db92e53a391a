// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "spread.h"

struct gap {
	uint64_t from, to; /* exits may stand at both */
};

void ks_pd_halts_add(struct ks_pd_halts *h, uint64_t from, uint64_t to)
{
	if (h->n == KS_PD_HALTS) {
		memmove(&h->halt[0], &h->halt[1], (KS_PD_HALTS - 1) * sizeof(h->halt[0]));
		h->n--;
		h->forgot = true;
	}
	h->halt[h->n].from = from;
	h->halt[h->n].to = to;
	h->n++;
}

void ks_pd_halts_end(struct ks_pd_halts *h, uint64_t to)
{
	if (h->n)
		h->halt[h->n - 1].to = to;
}

static uint32_t add_gap(struct gap *g, uint32_t n, uint64_t from, uint64_t to)
{
	if (from > to)
		return n;
	g[n].from = from;
	g[n].to = to;
	return n + 1;
}

/*
 * The parts of [first, last] beside the halts. An exit takes 1 ns up to its entry. Before the oldest
 * halt that is remembered there may have been others.
 */
static uint32_t find_gaps(const struct ks_pd_halts *h, uint64_t first, uint64_t last,
			  struct gap g[KS_PD_HALTS + 1])
{
	uint64_t from = first;
	uint32_t i, n = 0;

	if (h->forgot && from < h->halt[0].to)
		from = h->halt[0].to + 1;
	for (i = 0; i < h->n; i++) {
		if (h->halt[i].to < from)
			continue;
		if (h->halt[i].from > last)
			break;
		if (h->halt[i].from > 1)
			n = add_gap(g, n, from, h->halt[i].from - 2);
		from = h->halt[i].to + 1;
	}
	return add_gap(g, n, from, last);
}

static void one_row(const struct gap *g, uint32_t n, ks_pd_row_fn row, void *ctx)
{
	if (n)
		row(ctx, g->from, n,
		    n > 1 ? ((unsigned __int128)(g->to - g->from) << 16) / (n - 1) : 0);
}

void ks_pd_spread(const struct ks_pd_halts *h, uint64_t first, uint64_t last, uint32_t n,
		  ks_pd_row_fn row, void *ctx)
{
	struct gap g[KS_PD_HALTS + 1];
	uint32_t i, part, left = n, ngaps = find_gaps(h, first, last, g);
	uint64_t all = 0;

	if (!ngaps)
		g[ngaps++] = (struct gap){ last, last };
	for (i = 0; i < ngaps; i++)
		all += g[i].to - g[i].from + 1;
	for (i = 0; i < ngaps; i++) {
		part = (unsigned __int128)n * (g[i].to - g[i].from + 1) / all;
		if (i == ngaps - 1)
			part = left;
		one_row(&g[i], part, row, ctx);
		left -= part;
	}
}
