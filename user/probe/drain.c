// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drain.h"
#include "now.h"

#define ON_ITS_WAY 1000000u /* ns from the stamp of a record until it is in its ring, at most */

/* Rings come CPU by CPU, but a vCPU may have moved: keep the records until all are there. */
static int take(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	struct drain *d = ctx;

	(void)ring;
	if (d->all + n > d->cap) {
		size_t cap = 2 * (d->all + n);
		struct ks_rec *more = realloc(d->recs, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		d->recs = more;
		d->cap = cap;
	}
	memcpy(&d->recs[d->all], recs, n * sizeof(*recs));
	d->all += n;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct ks_rec *x = a, *y = b;

	return x->time < y->time ? -1 : x->time > y->time;
}

int drain_all(struct drain *d, drain_fn pull, void *probe)
{
	int ret;

	if (d->n)
		memmove(d->recs, d->recs + d->n, (d->all - d->n) * sizeof(*d->recs));
	d->all -= d->n;
	d->until = ks_now_ns() - ON_ITS_WAY;
	ret = pull(probe, take, d);
	if (d->all)
		qsort(d->recs, d->all, sizeof(*d->recs), by_time);
	for (d->n = d->all; d->n && d->recs[d->n - 1].time > d->until; d->n--)
		;
	return ret;
}

void drain_free(struct drain *d)
{
	free(d->recs);
	*d = (struct drain){ .recs = NULL };
}
