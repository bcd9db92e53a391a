// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "lossout.h"
#include "trace.h"

/*
 * So many are told with what lies between them. Of a recording that has more, nobody will look at
 * each: from then on a pause of less than a second does not count.
 */
#define EXACT 65536u
#define PAUSE_NS 1000000000ull

struct ks_kept_loss {
	struct ks_rec rec; /* of type KS_NONE: none is kept */
	uint64_t told;	   /* end of the last that was told; 0: none was */
};

int ks_lossout_init(struct ks_lossout *o, uint32_t rings)
{
	*o = (struct ks_lossout){ .ring = calloc(rings, sizeof(struct ks_kept_loss *)),
				  .rings = rings };
	return o->ring ? 0 : -ENOMEM;
}

void ks_lossout_release(struct ks_lossout *o)
{
	for (uint32_t i = 0; o->ring && i < o->rings; i++)
		free(o->ring[i]);
	free(o->ring);
	o->ring = NULL;
}

/* NULL if there is no room for its kind: it is told as it comes. */
static struct ks_kept_loss *kept_of(struct ks_lossout *o, const struct ks_rec *loss)
{
	struct ks_kept_loss **ring;

	if (loss->cpu >= o->rings || loss->flags >= KS_TYPE_MAX)
		return NULL;
	ring = &o->ring[loss->cpu];
	if (!*ring)
		*ring = calloc(KS_TYPE_MAX, sizeof(**ring));
	return *ring ? &(*ring)[loss->flags] : NULL;
}

/* Does a loss that begins at from go on with one that ended at end? */
static bool continues(const struct ks_lossout *o, uint64_t end, uint64_t from)
{
	return from <= end || (o->told >= EXACT && from - end < PAUSE_NS);
}

static struct ks_rec tell(struct ks_lossout *o, struct ks_kept_loss *k, const struct ks_rec *loss)
{
	o->told++;
	if (loss->time > k->told)
		k->told = loss->time;
	return *loss;
}

static struct ks_rec take_kept(struct ks_lossout *o, struct ks_kept_loss *k)
{
	struct ks_rec rec = tell(o, k, &k->rec);

	k->rec.type = KS_NONE;
	return rec;
}

unsigned int ks_lossout_add(struct ks_lossout *o, const struct ks_rec *loss, struct ks_rec out[2])
{
	struct ks_kept_loss *k = kept_of(o, loss);
	struct ks_rec x = *loss;
	unsigned int n = 0;

	if (!k) {
		o->told++;
		out[n++] = x;
		return n;
	}
	x.a = ks_loss_from(loss);
	x.time = ks_loss_to(loss);
	if (k->rec.type && continues(o, k->rec.time, x.a) && x.time >= k->rec.a) {
		ks_loss_join(&k->rec, &x);
		return n;
	}
	if (k->rec.type)
		out[n++] = take_kept(o, k);
	if (k->told && continues(o, k->told, x.a))
		k->rec = x;
	else
		out[n++] = tell(o, k, &x);
	return n;
}

static int flush_ring(struct ks_lossout *o, struct ks_kept_loss *ring,
		      int (*fn)(void *ctx, const struct ks_rec *loss), void *ctx)
{
	struct ks_rec rec;
	int ret = 0;

	for (unsigned int type = 0; ring && type < KS_TYPE_MAX && !ret; type++) {
		if (!ring[type].rec.type)
			continue;
		rec = take_kept(o, &ring[type]);
		ret = fn(ctx, &rec);
	}
	return ret;
}

int ks_lossout_flush(struct ks_lossout *o, int (*fn)(void *ctx, const struct ks_rec *loss),
		     void *ctx)
{
	int ret = 0;

	for (uint32_t i = 0; i < o->rings && !ret; i++)
		ret = flush_ring(o, o->ring[i], fn, ctx);
	return ret;
}
