// SPDX-License-Identifier: GPL-2.0
/*
 * A binary heap of the streams' next times. The stream on top is left there as long as its next
 * record is not behind the others', so a run of records from one ring costs two comparisons each.
 */
#include <errno.h>
#include <stdlib.h>

#include "reader_priv.h"

struct node {
	uint64_t key; /* of the stream's next record, common clock */
	uint32_t in;
};

struct input {
	struct ks_stream *s;
	ks_map_fn map;
	void *ctx;
	unsigned int src;
};

struct ks_mux {
	struct input *in;
	struct node *heap;
	uint32_t nin, n;
	bool started, taken; /* taken: the top record was handed out */
	uint64_t now;
};

struct ks_mux *ks_mux_new(void)
{
	return calloc(1, sizeof(struct ks_mux));
}

void ks_mux_free(struct ks_mux *m)
{
	if (!m)
		return;
	free(m->in);
	free(m->heap);
	free(m);
}

int ks_mux_add(struct ks_mux *m, struct ks_stream *s, ks_map_fn map, void *ctx, unsigned int src)
{
	struct input *in = realloc(m->in, (m->nin + 1) * sizeof(*in));
	struct node *heap;

	if (!in)
		return -ENOMEM;
	m->in = in;
	heap = realloc(m->heap, (m->nin + 1) * sizeof(*heap));
	if (!heap)
		return -ENOMEM;
	m->heap = heap;
	in[m->nin++] = (struct input){ .s = s, .map = map, .ctx = ctx, .src = src };
	m->started = false;
	return 0;
}

void ks_mux_restart(struct ks_mux *m)
{
	m->started = false;
	m->taken = false;
	m->now = 0;
}

static inline bool before(const struct node *a, const struct node *b)
{
	return a->key < b->key || (a->key == b->key && a->in < b->in);
}

static inline void sift_down(struct node *heap, uint32_t n, uint32_t i)
{
	struct node moved = heap[i];

	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n)
			child += before(&heap[child + 1], &heap[child]);
		if (!before(&heap[child], &moved))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = moved;
}

static inline uint64_t key_of(const struct input *in)
{
	uint64_t own = in->s->pos->time;

	return in->map ? in->map(in->ctx, own) : own;
}

static int start(struct ks_mux *m, struct ks_err *err)
{
	m->n = 0;
	for (uint32_t i = 0; i < m->nin; i++) {
		struct ks_stream *s = m->in[i].s;
		int ret = s->pos < s->end ? 1 : ks_stream_fill(s, err);

		if (ret < 0)
			return ret;
		if (ret)
			m->heap[m->n++] = (struct node){ .key = key_of(&m->in[i]), .in = i };
	}
	for (uint32_t i = m->n / 2; i-- > 0;)
		sift_down(m->heap, m->n, i);
	m->started = true;
	m->taken = false;
	return 0;
}

/* Behind the record that was handed out last. */
static inline int advance(struct ks_mux *m, struct ks_err *err)
{
	struct node *top = &m->heap[0];
	struct input *in = &m->in[top->in];
	int ret = 1;

	m->taken = false;
	if (__builtin_expect(++in->s->pos == in->s->end, 0))
		ret = ks_stream_fill(in->s, err);
	if (ret < 0)
		return ret;
	if (ret)
		top->key = key_of(in);
	else
		*top = m->heap[--m->n];
	if (m->n)
		sift_down(m->heap, m->n, 0);
	return 0;
}

int ks_mux_next(struct ks_mux *m, struct ks_event *ev, struct ks_err *err)
{
	const struct input *in;
	int ret = 0;

	if (__builtin_expect(!m->started, 0))
		ret = start(m, err);
	else if (m->taken)
		ret = advance(m, err);
	if (ret || !m->n)
		return ret;
	if (m->heap[0].key > m->now)
		m->now = m->heap[0].key;
	in = &m->in[m->heap[0].in];
	*ev = (struct ks_event){ .time = m->now, .rec = in->s->pos, .src = in->src };
	m->taken = true;
	return 1;
}
