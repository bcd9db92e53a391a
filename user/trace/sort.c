// SPDX-License-Identifier: GPL-2.0
/* A bottom-up merge sort: stable, no recursion, n log n whatever the input. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader_priv.h"

static bool sorted(const struct ks_rec *recs, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (recs[i].time < recs[i - 1].time)
			return false;
	return true;
}

/* Merge from[a, b) and from[b, c) into to[a, c). */
static void merge_runs(struct ks_rec *to, const struct ks_rec *from, size_t a, size_t b, size_t c)
{
	size_t i = a, j = b;

	for (size_t k = a; k < c; k++)
		to[k] = i < b && (j == c || from[i].time <= from[j].time) ? from[i++] : from[j++];
}

int ks_sort_recs(struct ks_rec *recs, size_t n)
{
	struct ks_rec *tmp, *from = recs, *to;

	if (sorted(recs, n))
		return 0;
	tmp = malloc(n * sizeof(*tmp));
	if (!tmp)
		return -ENOMEM;
	to = tmp;
	for (size_t run = 1; run < n; run *= 2) {
		for (size_t a = 0; a < n; a += 2 * run) {
			size_t b = a + run < n ? a + run : n;

			merge_runs(to, from, a, b, b + run < n ? b + run : n);
		}
		struct ks_rec *swap = from;

		from = to;
		to = swap;
	}
	if (from != recs)
		memcpy(recs, from, n * sizeof(*recs));
	free(tmp);
	return 0;
}
