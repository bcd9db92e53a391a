// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lockfilter.h"

#define HELD_MAX 4096

/* What is held back of one ring, and how many of its waits are open. */
struct held {
	struct ks_rec *recs;
	unsigned int n, open;
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

/* The youngest held-back try of this lock at this level. */
static struct ks_rec *find_try(struct held *h, const struct ks_rec *acq)
{
	unsigned int i = h->n;

	while (i--) {
		struct ks_rec *r = &h->recs[i];

		if (r->type == KS_LOCK_TRY && r->a == acq->a &&
		    (r->flags & KS_F_CTX_MASK) == (acq->flags & KS_F_CTX_MASK))
			return r;
	}
	return NULL;
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
	h->recs[h->n++] = *r;
	if (r->type == KS_LOCK_TRY)
		h->open++;
	return h->n == HELD_MAX ? pass(f, ring) : 0;
}

static int acquired(struct ks_lockfilter *f, unsigned int ring, const struct ks_rec *r)
{
	struct held *h = &f->ring[ring];
	struct ks_rec *try = find_try(h, r);
	int err;

	if (try && r->b < f->wait_threshold) {
		try->type = KS_NONE;
		f->dropped++;
		h->open--;
		return h->open ? 0 : pass(f, ring);
	}
	err = hold_back(f, ring, r);
	if (!err && try && h->open && --h->open == 0)
		err = pass(f, ring);
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
		if (r->type == KS_LOCK_ACQ)
			err = acquired(f, ring, r);
		else if (h->open || r->type == KS_LOCK_TRY)
			err = hold_back(f, ring, r);
		else
			err = f->out(f->ctx, ring, r, 1);
	}
	return err;
}

int ks_lockfilter_flush(struct ks_lockfilter *f)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < KS_MAX_CPUS && !err; i++)
		if (f->ring[i].n)
			err = pass(f, i);
	return err;
}

uint64_t ks_lockfilter_dropped(const struct ks_lockfilter *f)
{
	return f->dropped;
}
