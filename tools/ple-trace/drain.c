// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drain.h"
#include "probe.h"

/* Rings come CPU by CPU, but a vCPU may have moved: keep the records until all are there. */
static int take(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	struct drain *d = ctx;

	(void)ring;
	if (d->n + n > d->cap) {
		size_t cap = 2 * (d->n + n);
		struct ks_rec *more = realloc(d->recs, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		d->recs = more;
		d->cap = cap;
	}
	memcpy(&d->recs[d->n], recs, n * sizeof(*recs));
	d->n += n;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct ks_rec *x = a, *y = b;

	return x->time < y->time ? -1 : x->time > y->time;
}

int drain_all(struct drain *d, struct ks_host *host)
{
	int ret;

	d->n = 0;
	ret = ks_host_drain(host, take, d);
	if (d->n)
		qsort(d->recs, d->n, sizeof(*d->recs), by_time);
	return ret;
}

void drain_free(struct drain *d)
{
	free(d->recs);
	*d = (struct drain){ .recs = NULL };
}
