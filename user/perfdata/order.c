// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "events.h"
#include "order.h"

#define RING 65536u	/* samples; 4 MiB */
#define LATE_MAX 65536u /* kept beside it, at most */

/* One sample, or a row of pairs of which `left` are still to come. */
struct late {
	uint64_t time, seq;
	struct ks_pd_sample a, b;
	uint32_t left;
	uint64_t step, fraction; /* 1/65536 ns */
};

struct ks_pd_order {
	ks_pd_out_fn out;
	void *ctx;
	struct ks_pd_sample *ring;
	uint64_t head, tail; /* next place to fill, to empty */
	uint64_t newest;     /* time of the last one in the ring */
	struct late *heap;   /* the oldest first */
	size_t nlate, room;
	uint64_t seq;
	int error;
	bool ended; /* no more is wanted */
};

int ks_pd_order_new(struct ks_pd_order **out, ks_pd_out_fn fn, void *ctx)
{
	struct ks_pd_order *o = calloc(1, sizeof(*o));

	*out = o;
	if (!o)
		return -ENOMEM;
	o->out = fn;
	o->ctx = ctx;
	o->ring = malloc(RING * sizeof(*o->ring));
	return o->ring ? 0 : -ENOMEM;
}

void ks_pd_order_free(struct ks_pd_order *o)
{
	if (!o)
		return;
	free(o->ring);
	free(o->heap);
	free(o);
}

static bool before(const struct late *x, const struct late *y)
{
	return x->time != y->time ? x->time < y->time : x->seq < y->seq;
}

static void sift_down(struct ks_pd_order *o)
{
	struct late moved = o->heap[0];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < o->nlate) {
		if (child + 1 < o->nlate && before(&o->heap[child + 1], &o->heap[child]))
			child++;
		if (!before(&o->heap[child], &moved))
			break;
		o->heap[i] = o->heap[child];
		i = child;
	}
	o->heap[i] = moved;
}

static void give(struct ks_pd_order *o, const struct ks_pd_sample *s)
{
	if (!o->ended && !o->out(o->ctx, s))
		o->ended = true;
}

/* The next of the late ones: what it is a row of goes on, or it is gone. */
static void out_late(struct ks_pd_order *o)
{
	struct late *l = &o->heap[0];

	give(o, &l->a);
	if (l->left && l->b.event != PD_NONE)
		give(o, &l->b);
	if (l->left > 1) {
		l->left--;
		l->fraction += l->step;
		l->time += l->fraction >> 16;
		l->a.time += l->fraction >> 16;
		l->b.time += l->fraction >> 16;
		l->fraction &= 0xffff;
	} else {
		*l = o->heap[--o->nlate];
	}
	if (o->nlate)
		sift_down(o);
}

static void out_one(struct ks_pd_order *o)
{
	const struct ks_pd_sample *s = &o->ring[o->tail % RING];

	while (!o->ended && o->nlate && o->heap[0].time < s->time)
		out_late(o);
	if (s->event != PD_NONE)
		give(o, s);
	o->tail++;
}

/* Room for one more; if there is none, the oldest go out before their time has come. */
static int heap_room(struct ks_pd_order *o)
{
	size_t n = o->nlate, room = o->room ? 2 * o->room : 256;
	struct late *heap;

	if (o->nlate < o->room)
		return 0;
	heap = room <= LATE_MAX ? realloc(o->heap, room * sizeof(*heap)) : NULL;
	if (heap) {
		o->heap = heap;
		o->room = room;
		return 0;
	}
	while (!o->ended && o->nlate && o->nlate == n)
		out_late(o);
	return o->nlate < o->room ? 0 : -ENOMEM;
}

static void push_late(struct ks_pd_order *o, const struct late *l)
{
	size_t i, up;

	if (heap_room(o)) {
		if (!o->ended)
			o->error = -ENOMEM;
		return;
	}
	i = o->nlate++;
	for (; i; i = up) {
		up = (i - 1) / 2;
		if (!before(l, &o->heap[up]))
			break;
		o->heap[i] = o->heap[up];
	}
	o->heap[i] = *l;
}

uint64_t ks_pd_order_push(struct ks_pd_order *o, const struct ks_pd_sample *s)
{
	struct late l;

	if (o->ended)
		return KS_PD_NOWHERE;
	if (s->time < o->newest) {
		l = (struct late){ .time = s->time, .seq = o->seq++, .a = *s };
		push_late(o, &l);
		return KS_PD_NOWHERE;
	}
	if (o->head - o->tail == RING)
		out_one(o);
	o->newest = s->time;
	o->ring[o->head % RING] = *s;
	return o->head++;
}

void ks_pd_order_push_row(struct ks_pd_order *o, const struct ks_pd_sample *a,
			  const struct ks_pd_sample *b, uint32_t n, uint64_t step)
{
	struct late l = {
		.time = a->time, .seq = o->seq++, .a = *a, .b = *b, .left = n, .step = step
	};

	if (n && !o->ended)
		push_late(o, &l);
}

bool ks_pd_order_take_back(struct ks_pd_order *o, uint64_t place)
{
	if (place == KS_PD_NOWHERE || place < o->tail)
		return false;
	o->ring[place % RING].event = PD_NONE;
	return true;
}

void ks_pd_order_flush(struct ks_pd_order *o)
{
	while (!o->ended && o->tail != o->head)
		out_one(o);
	while (!o->ended && o->nlate)
		out_late(o);
}

int ks_pd_order_failed(const struct ks_pd_order *o)
{
	return o->error;
}
