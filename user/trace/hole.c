// SPDX-License-Identifier: GPL-2.0
/*
 * What is missing in a file: damaged control chunks and, if it was not indexed, damaged stretches
 * and the end that was cut off.
 * A loss whose place is not known is said to be as wide as it can have been, by the rule that a
 * recorder flushes every second, and that a flush holds back nothing that is older than one: when
 * a chunk is written, no record in it or yet to be written is older than three.
 */
#include "reader_priv.h"

#define FLUSH_NS 3000000000ull

static uint64_t before_by(uint64_t time, uint64_t ns)
{
	return time > ns ? time - ns : 0;
}

/* Among its records may be losses, which are told at their end. */
int ks_lose_control(struct ks_reader *r, const struct ks_chunk_header *h)
{
	return ks_take_loss(r, before_by(h->first, FLUSH_NS), h->last, h->count);
}

void ks_hole_begin(struct ks_reader *r, struct ks_holes *holes, uint64_t bytes)
{
	uint64_t from = before_by(r->last, FLUSH_NS);
	uint64_t most = bytes / sizeof(struct ks_rec);

	if (!most)
		return; /* too short for a record */
	if (holes->n == KS_MAX_HOLES) {
		holes->hole[KS_MAX_HOLES - 1].most += most;
		holes->hole[KS_MAX_HOLES - 1].to = UINT64_MAX;
		return;
	}
	holes->hole[holes->n++] = (struct ks_hole){
		.from = r->spanned && from > r->first ? from : 0,
		.to = UINT64_MAX,
		.most = most,
	};
}

void ks_hole_pass(struct ks_holes *holes, uint64_t first)
{
	for (; holes->passed < holes->n; holes->passed++)
		holes->hole[holes->passed].to = first > UINT64_MAX - FLUSH_NS ? UINT64_MAX :
										first + FLUSH_NS;
}

/*
 * The oldest of the rings' newest records: what is missing of a ring is newer than what there is. A
 * ring of which there is nothing may have had records all the same, held back until the cut.
 */
static uint64_t all_there_until(const struct ks_reader *r)
{
	uint64_t oldest = r->last;

	for (uint32_t i = 0; i < r->header.rings; i++) {
		if (!r->stream[i])
			return 0;
		if (r->stream[i]->newest < oldest)
			oldest = r->stream[i]->newest;
	}
	return oldest;
}

/*
 * Rings were written one after the other: some got further than others before the cut. A ring that
 * had lost records shortly before may have lost more, which was to be told at the next flush. How
 * many records are missing nobody knows: one is the least.
 */
static int lose_end(struct ks_reader *r)
{
	uint64_t from = all_there_until(r), old = before_by(r->last, FLUSH_NS);

	if (r->ended || !r->spanned)
		return 0;
	if (from < old || (r->newest_loss && r->newest_loss >= old))
		from = old; /* what is older was written */
	return from < r->last ? ks_take_loss(r, from, r->last, 1) : 0;
}

/* The END chunk tells how many records there were; a hole may have had none: an index. */
static uint64_t missing(const struct ks_reader *r)
{
	if (!r->ended)
		return UINT64_MAX;
	return r->promised > r->found ? r->promised - r->found : 0;
}

int ks_hole_finish(struct ks_reader *r, const struct ks_holes *holes)
{
	uint64_t end = r->last, most = missing(r);
	int ret = lose_end(r);

	for (uint32_t i = 0; i < holes->n && !ret && most; i++) {
		const struct ks_hole *h = &holes->hole[i];
		uint64_t to = h->to < end ? h->to : end;
		uint64_t from = h->from < r->first ? r->first : h->from;

		ret = ks_take_loss(r, from < to ? from : to, to, h->most < most ? h->most : most);
	}
	return ret;
}
