// SPDX-License-Identifier: GPL-2.0
/*
 * A loser tree (Knuth, TAOCP 3, 5.4.1) over the streams' next times: a leaf per stream, in each
 * inner node the loser of the match played there, the winner above all. When the winner has moved
 * on, the matches on its way up are played again: as many as the tree is high, always in the same
 * nodes, and without a branch. Records of several CPUs come in no foreseeable order; with a heap
 * the processor's wrong guesses cost more than all the rest.
 */
#include <errno.h>
#include <stdlib.h>

#include "err.h"
#include "reader_priv.h"

struct entry {
	uint64_t key; /* common time of a stream's next record */
	uint64_t in;  /* the stream's number; of one that is done NONE: behind everything */
};
#define NONE UINT64_MAX

struct input {
	struct ks_stream *s;
	ks_map_fn map;
	void *ctx;
	unsigned int src;
};

struct ks_mux {
	struct input *in;
	uint32_t nin;
	uint32_t leaves;     /* a power of two */
	struct entry *loser; /* [1 .. leaves - 1], the root is 1 */
	struct entry winner;
	bool started, taken; /* taken: the winner's record was handed out */
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
	free(m->loser);
	free(m);
}

int ks_mux_add(struct ks_mux *m, struct ks_stream *s, ks_map_fn map, void *ctx, unsigned int src)
{
	struct input *in = realloc(m->in, (m->nin + 1) * sizeof(*in));

	if (!in)
		return -ENOMEM;
	m->in = in;
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

static inline struct entry entry_of(const struct input *in, uint32_t i)
{
	uint64_t own = in->s->pos->time;

	return (struct entry){ .key = in->map ? in->map(in->ctx, own) : own, .in = i };
}

/* The earlier one goes on, the other stays here. By mask: the compiler must not make a branch. */
static inline struct entry play(struct entry *here, struct entry e)
{
	uint64_t earlier = here->key < e.key, same = here->key == e.key, lower = here->in < e.in;
	uint64_t mask = -(earlier | (same & lower));
	uint64_t key = (here->key ^ e.key) & mask, in = (here->in ^ e.in) & mask;

	here->key ^= key;
	here->in ^= in;
	return (struct entry){ .key = e.key ^ key, .in = e.in ^ in };
}

static inline void replay(struct ks_mux *m, struct entry e, uint32_t leaf)
{
	for (uint32_t at = (m->leaves + leaf) / 2; at; at /= 2)
		e = play(&m->loser[at], e);
	m->winner = e;
}

static const struct entry no_entry = { .key = UINT64_MAX, .in = NONE };

static int leaf_entry(struct ks_mux *m, uint32_t i, struct entry *e, struct ks_err *err)
{
	struct ks_stream *s = i < m->nin ? m->in[i].s : NULL;
	int ret = !s ? 0 : s->pos < s->end ? 1 : ks_stream_fill(s, err);

	*e = ret > 0 ? entry_of(&m->in[i], i) : no_entry;
	return ret < 0 ? ret : 0;
}

/* All matches, from the leaves up. first[k]: who won at k. */
static int play_all(struct ks_mux *m, struct entry *first, struct ks_err *err)
{
	for (uint32_t i = 0; i < m->leaves; i++) {
		int ret = leaf_entry(m, i, &first[m->leaves + i], err);

		if (ret)
			return ret;
	}
	for (uint32_t k = m->leaves - 1; k; k--) {
		m->loser[k] = first[2 * k];
		first[k] = play(&m->loser[k], first[2 * k + 1]);
	}
	m->winner = first[1];
	return 0;
}

static int start(struct ks_mux *m, struct ks_err *err)
{
	struct entry *first;
	int ret;

	m->leaves = 1;
	while (m->leaves < m->nin)
		m->leaves *= 2;
	free(m->loser);
	m->loser = calloc(m->leaves, sizeof(*m->loser));
	first = calloc(m->leaves * 2, sizeof(*first));
	if (m->loser && first)
		ret = play_all(m, first, err);
	else
		ret = ks_fail(err, -ENOMEM, "out of memory");
	free(first);
	m->started = !ret;
	m->taken = false;
	return ret;
}

/* Behind the record that was handed out last. */
static inline int advance(struct ks_mux *m, struct ks_err *err)
{
	uint32_t i = (uint32_t)m->winner.in;
	struct ks_stream *s = m->in[i].s;
	int ret = 1;

	m->taken = false;
	if (__builtin_expect(++s->pos == s->end, 0))
		ret = ks_stream_fill(s, err);
	if (__builtin_expect(ret < 0, 0)) {
		m->started = false;
		return ret;
	}
	replay(m, __builtin_expect(ret, 1) ? entry_of(&m->in[i], i) : no_entry, i);
	return 0;
}

int ks_mux_next(struct ks_mux *m, struct ks_event *ev, struct ks_err *err)
{
	const struct input *in;
	uint64_t time;
	int ret = 0;

	if (m->taken)
		ret = advance(m, err);
	else if (!m->started)
		ret = start(m, err);
	if (ret || m->winner.in == NONE)
		return ret;
	time = m->winner.key;
	m->now = time > m->now ? time : m->now;
	in = &m->in[m->winner.in];
	*ev = (struct ks_event){ .time = m->now, .rec = in->s->pos, .src = in->src };
	m->taken = true;
	return 1;
}
