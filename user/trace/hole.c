// SPDX-License-Identifier: GPL-2.0
/*
 * What is missing in a file that was not indexed: damaged stretches and the end that was cut off.
 * A loss whose place is not known is said to be as wide as it can have been.
 */
#include "reader_priv.h"

/* A recorder flushes every second: a ring that is silent for longer was silent. */
#define FLUSH_NS 3000000000ull

/* The oldest of the rings' newest records; the oldest of all if a ring had none yet. */
static uint64_t oldest_newest(const struct ks_reader *r, bool all)
{
	uint64_t oldest = UINT64_MAX;

	for (uint32_t i = 0; i < r->header.rings; i++) {
		if (!r->stream[i] && all)
			return r->first;
		if (r->stream[i] && r->stream[i]->newest < oldest)
			oldest = r->stream[i]->newest;
	}
	return oldest == UINT64_MAX ? r->first : oldest;
}

void ks_hole_begin(struct ks_reader *r, struct ks_holes *holes, uint64_t bytes)
{
	uint64_t most = bytes / sizeof(struct ks_rec);

	if (holes->n == KS_MAX_HOLES) {
		holes->hole[KS_MAX_HOLES - 1].most += most;
		holes->hole[KS_MAX_HOLES - 1].to = UINT64_MAX;
		return;
	}
	holes->hole[holes->n++] = (struct ks_hole){ .from = oldest_newest(r, true), .most = most };
}

void ks_hole_pass(struct ks_holes *holes, struct ks_stream *s, uint64_t first, uint64_t last)
{
	for (; s->holes < holes->n; s->holes++)
		if (holes->hole[s->holes].to < first)
			holes->hole[s->holes].to = first;
	if (last > s->newest)
		s->newest = last;
}

/* Every ring must have shown up again behind hole i, else the hole reaches to the end. */
static bool closed(const struct ks_reader *r, uint32_t i)
{
	for (uint32_t ring = 0; ring < r->header.rings; ring++)
		if (!r->stream[ring] || r->stream[ring]->holes <= i)
			return false;
	return true;
}

/*
 * Rings were written one after the other: some got further than others before the cut. How many
 * records are missing nobody knows: one is the least.
 */
static int lose_end(struct ks_reader *r)
{
	uint64_t from = oldest_newest(r, false);

	if (r->ended || !r->spanned)
		return 0;
	if (r->last > FLUSH_NS && from < r->last - FLUSH_NS)
		from = r->last - FLUSH_NS;
	return from < r->last ? ks_take_loss(r, from, r->last, 1) : 0;
}

/* The END chunk tells how many records there were; a hole may have had none: an index. */
static uint64_t missing(const struct ks_reader *r)
{
	if (!r->ended)
		return UINT64_MAX;
	return r->promised > r->found ? r->promised - r->found : 0;
}

int ks_hole_finish(struct ks_reader *r, struct ks_holes *holes)
{
	uint64_t end = r->last, most = missing(r);
	int ret = lose_end(r);

	for (uint32_t i = 0; i < holes->n && !ret && most; i++) {
		const struct ks_hole *h = &holes->hole[i];
		uint64_t to = h->to > end || !closed(r, i) ? end : h->to;

		if (!h->most)
			continue; /* too short for a record */
		ret = ks_take_loss(r, h->from < to ? h->from : to, to, h->most < most ? h->most : most);
	}
	for (uint32_t ring = 0; ring < r->header.rings; ring++)
		if (r->stream[ring])
			r->stream[ring]->newest = 0;
	return ret;
}
