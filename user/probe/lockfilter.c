// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lockfilter.h"
#include "trace.h"

#define HELD_MAX 4096

#define OPEN_MAX 8

/* What is held back of one ring, and which of its tries are still waiting. */
struct held {
	struct ks_rec *recs;
	unsigned int n, open;
	unsigned int try_at[OPEN_MAX];
};

struct ks_lockfilter {
	uint64_t wait_threshold, hold_threshold, dropped;
	ks_rings_fn out;
	void *ctx;
	struct held ring[KS_MAX_CPUS];
};

int ks_lockfilter_new(struct ks_lockfilter **out, uint64_t wait_threshold_ns,
		      uint64_t hold_threshold_ns, ks_rings_fn fn, void *ctx)
{
	struct ks_lockfilter *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->wait_threshold = wait_threshold_ns;
	f->hold_threshold = hold_threshold_ns;
	f->out = fn;
	f->ctx = ctx;
	*out = f;
	return 0;
}

void ks_lockfilter_free(struct ks_lockfilter *f)
{
	unsigned int i;

	for (i = 0; f && i < KS_MAX_CPUS; i++)
		free(f->ring[i].recs);
	free(f);
}

static int pass(struct ks_lockfilter *f, unsigned int ring)
{
	struct held *h = &f->ring[ring];
	unsigned int i, n = 0;

	for (i = 0; i < h->n; i++)
		if (h->recs[i].type != KS_NONE)
			h->recs[n++] = h->recs[i];
	h->n = h->open = 0;
	return n ? f->out(f->ctx, ring, h->recs, n) : 0;
}

/* Which of the open tries the acquire ends: the youngest of this lock; OPEN_MAX if none. */
static unsigned int find_try(const struct held *h, const struct ks_rec *acq)
{
	unsigned int i = h->open;

	while (i--)
		if (h->recs[h->try_at[i]].a == acq->a)
			return i;
	return OPEN_MAX;
}

/*
 * A try at some depth says that older tries at this depth or deeper are not being waited for any
 * more: their thread was switched out on its way to the lock.
 */
static void close_stale(struct held *h, const struct ks_rec *try)
{
	while (h->open) {
		struct ks_rec *old = &h->recs[h->try_at[h->open - 1]];

		if ((old->flags & KS_F_DEPTH_MASK) < (try->flags & KS_F_DEPTH_MASK))
			break;
		old->type = KS_NONE;
		h->open--;
	}
}

static bool short_release(const struct ks_lockfilter *f, const struct ks_rec *r)
{
	return r->type == KS_LOCK_REL && !(r->flags & (KS_F_WAITERS | KS_F_COARSE)) &&
	       r->b >> 32 < f->hold_threshold;
}

static int hold_back(struct ks_lockfilter *f, unsigned int ring, const struct ks_rec *r)
{
	struct held *h = &f->ring[ring];

	if (!h->recs)
		h->recs = malloc(HELD_MAX * sizeof(*h->recs));
	if (!h->recs)
		return -ENOMEM;
	if (r->type == KS_LOCK_TRY) {
		close_stale(h, r);
		if (h->open < OPEN_MAX)
			h->try_at[h->open++] = h->n;
	}
	h->recs[h->n++] = *r;
	return h->n == HELD_MAX ? pass(f, ring) : 0;
}

static int acquired(struct ks_lockfilter *f, unsigned int ring, const struct ks_rec *r)
{
	struct held *h = &f->ring[ring];
	unsigned int try = find_try(h, r);
	int err = 0;

	if (try == OPEN_MAX) /* its try has gone out already, or was lost */
		return h->open ? hold_back(f, ring, r) : f->out(f->ctx, ring, r, 1);
	h->open = try;
	if (r->b < f->wait_threshold) {
		h->recs[h->try_at[try]].type = KS_NONE;
		f->dropped++;
	} else {
		err = hold_back(f, ring, r);
	}
	return err || h->open || !h->n ? err : pass(f, ring);
}

/* The acquire of an open try may be among what was lost: that try is not to be taken for a stale one. */
static int pass_lossy(struct ks_lockfilter *f, uint16_t ring)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < KS_MAX_CPUS && !err; i++)
		if ((ring == KS_RING_ANY || ring == i) && f->ring[i].n)
			err = pass(f, i);
	return err;
}

int ks_lockfilter_feed(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	struct ks_lockfilter *f = ctx;
	struct held *h = &f->ring[ring];
	size_t i;
	int err = 0;

	for (i = 0; i < n && !err; i++) {
		const struct ks_rec *r = &recs[i];

		if (short_release(f, r))
			continue;
		if (r->type == KS_LOSS)
			err = pass_lossy(f, r->cpu);
		if (err)
			break;
		if (r->type == KS_LOCK_ACQ)
			err = acquired(f, ring, r);
		else if (h->open || r->type == KS_LOCK_TRY)
			err = hold_back(f, ring, r);
		else
			err = f->out(f->ctx, ring, r, 1);
	}
	return err;
}

int ks_lockfilter_tick(struct ks_lockfilter *f, uint64_t before)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < KS_MAX_CPUS && !err; i++)
		if (f->ring[i].n && f->ring[i].recs[0].time < before)
			err = pass(f, i);
	return err;
}

int ks_lockfilter_flush(struct ks_lockfilter *f)
{
	return ks_lockfilter_tick(f, UINT64_MAX);
}

uint64_t ks_lockfilter_dropped(const struct ks_lockfilter *f)
{
	return f->dropped;
}
