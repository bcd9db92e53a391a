// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "lanes.h"

/*
 * May b be written behind a on the same track? Readers sort by time, and keep the order of the file
 * at the same moment: there a's end comes before b's, and ends whichever of the two began last. So b
 * must not lie in a and end with it, or a's end, with the flows on it, would be taken for b's.
 */
static bool fit(const struct lane_slice *a, const struct lane_slice *b)
{
	if (a->end <= b->begin || b->end < a->begin)
		return true;
	if (a->begin <= b->begin && b->end < a->end)
		return true;
	return b->begin < a->begin && a->end <= b->end;
}

static bool has_room(const struct lane *l, const struct lane_slice *s)
{
	uint64_t i, known = l->n < LANE_PAST ? l->n : LANE_PAST;

	if (s->begin < l->clear)
		return false;
	for (i = 0; i < known; i++)
		if (!fit(&l->past[i], s))
			return false;
	return true;
}

static struct lane *use(struct lane *l, const struct lane_slice *s)
{
	struct lane_slice *place = &l->past[l->n++ % LANE_PAST];

	if (l->n > LANE_PAST && place->end > l->clear)
		l->clear = place->end;
	*place = *s;
	return l;
}

struct lane *lanes_find(struct lanes *l, uint64_t begin, uint64_t end)
{
	struct lane_slice s = { begin, end };
	struct lane *lane;
	unsigned int i;

	for (i = 0; i < l->n; i++)
		if (has_room(&l->lane[i], &s))
			return use(&l->lane[i], &s);
	if (l->n < LANES_MAX) {
		lane = realloc(l->lane, (l->n + 1) * sizeof(*lane));
		if (!lane)
			return NULL;
		l->lane = lane;
		lane = &l->lane[l->n++];
	} else {
		/* Begin a fresh track in the place of one. */
		lane = &l->lane[l->last++ % LANES_MAX];
	}
	*lane = (struct lane){ .track = 0 };
	return use(lane, &s);
}

void lanes_free(struct lanes *l)
{
	free(l->lane);
	*l = (struct lanes){ 0 };
}
