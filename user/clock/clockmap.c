// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clockmap_priv.h"

/* Copy the clock samples in order of their times; of several at one time the first. */
static size_t take_samples(struct ks_sample *s, const struct ks_rec *recs, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (recs[i].type != KS_CLOCK || (k && recs[i].time <= s[k - 1].x))
			continue;
		s[k++] = (struct ks_sample){ recs[i].time, recs[i].a, recs[i].b };
	}
	return k;
}

static int by_bracket(const void *a, const void *b)
{
	uint64_t x = ((const struct ks_sample *)a)->b, y = ((const struct ks_sample *)b)->b;

	return x < y ? -1 : x > y;
}

/*
 * Four times the median bracket: a sample above it was interrupted in every try and would spoil the
 * bound of the whole map.
 */
static uint64_t bracket_limit(const struct ks_sample *s, size_t n, struct ks_sample *tmp)
{
	uint64_t median;

	memcpy(tmp, s, n * sizeof(*s));
	qsort(tmp, n, sizeof(*tmp), by_bracket);
	median = tmp[n / 2].b;
	return median > UINT64_MAX / 4 ? UINT64_MAX : median * 4;
}

static size_t drop_wide(struct ks_sample *s, size_t n, uint64_t limit)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (s[i].b <= limit)
			s[k++] = s[i];
	return k;
}

static size_t keep_rising(struct ks_sample *s, const struct ks_sample *raw, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		if (!k || raw[i].y > s[k - 1].y)
			s[k++] = raw[i];
	return k;
}

/* The first of those with the least y; 0 if there are none. */
static size_t lowest(const struct ks_sample *raw, size_t n)
{
	size_t low = 0;

	for (size_t i = 1; i < n; i++)
		if (raw[i].y < raw[low].y)
			low = i;
	return low;
}

size_t ks_base_of(const struct ks_sample *s, size_t n, size_t at)
{
	size_t i = at;

	if (at) {
		while (i-- > 0)
			if (s[at].x - s[i].x >= BASE_NS)
				return i;
		return 0;
	}
	while (++i < n)
		if (s[i].x - s[at].x >= BASE_NS)
			return i;
	return n - 1;
}

uint64_t ks_bend(const struct ks_sample *a, const struct ks_sample *b, const struct ks_sample *c)
{
	struct ks_line l = ks_line_make(a->y, a->x, c->x - a->x, c->y - a->y);

	return ks_distance(ks_line_at(&l, b->y), b->x) + 1;
}

/*
 * A line's end points are off by at most their brackets, and so is everything between them. To
 * that comes how far the true curve leaves the line. If the clock's rate changes once in a piece of
 * length L, at a part p of it, the curve is off by up to p (1 - p) L dr; the samples at its ends
 * lie off the lines through their neighbours by p L dr / 2 and (1 - p) L dr / 2 with equal
 * distances, and at least half of that as long as one neighbouring piece is not the shorter: twice
 * the larger bend is a bound. One more for rounding.
 */
static uint64_t piece_error(const struct ks_sample *s, size_t n, size_t i)
{
	uint64_t b = s[i].b > s[i + 1].b ? s[i].b : s[i + 1].b;
	uint64_t left = i ? ks_bend(&s[i - 1], &s[i], &s[i + 1]) : 0;
	uint64_t right = i + 2 < n ? ks_bend(&s[i], &s[i + 1], &s[i + 2]) : 0;
	uint64_t bend = left > right ? left : right;

	return ks_add_clamped(b, ks_add_clamped(ks_add_clamped(bend, bend), 1));
}

static struct ks_line line_through(const struct ks_sample *at, const struct ks_sample *a,
				   const struct ks_sample *b)
{
	return ks_line_make(at->x, at->y, b->y - a->y, b->x - a->x);
}

static struct ks_line line_back(const struct ks_sample *at, const struct ks_sample *a,
				const struct ks_sample *b)
{
	return ks_line_make(at->y, at->x, b->x - a->x, b->y - a->y);
}

static void make_pieces(struct ks_clockmap *m)
{
	const struct ks_sample *s = m->s, *first = s, *last = s + m->n - 1;
	const struct ks_sample *base = s + ks_base_of(s, m->n, 0);

	for (size_t i = 0; i + 1 < m->n; i++) {
		uint64_t error = piece_error(s, m->n, i);

		m->to_y[i] = line_through(&s[i], &s[i], &s[i + 1]);
		m->to_x[i] = line_back(&s[i], &s[i], &s[i + 1]);
		if (error > m->error)
			m->error = error;
	}
	m->to_y[KS_PIECE_BEFORE(m->n)] = line_through(first, first, base);
	m->to_x[KS_PIECE_BEFORE(m->n)] = line_back(first, first, base);
	base = s + ks_base_of(s, m->n, m->n - 1);
	m->to_y[KS_PIECE_BEHIND(m->n)] = line_through(last, base, last);
	m->to_x[KS_PIECE_BEHIND(m->n)] = line_back(last, base, last);
}

static int fill(struct ks_clockmap *m, const struct ks_rec *recs, size_t n)
{
	struct ks_sample *tmp = m->s; /* not in use yet */
	uint64_t limit;

	m->nraw = take_samples(m->raw, recs, n);
	if (m->nraw > 2) {
		limit = bracket_limit(m->raw, m->nraw, tmp);
		m->nraw = drop_wide(m->raw, m->nraw, limit);
	}
	m->n = keep_rising(m->s, m->raw, m->nraw);
	if (m->n < 2) { /* it was set back at once: what came after that is the clock */
		size_t low = lowest(m->raw, m->nraw);

		m->n = keep_rising(m->s, m->raw + low, m->nraw - low);
	}
	if (m->n < 2)
		return -ENODATA;
	make_pieces(m);
	return 0;
}

static size_t count_samples(const struct ks_rec *recs, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += recs[i].type == KS_CLOCK;
	return k;
}

int ks_clockmap_new(struct ks_clockmap **out, const struct ks_rec *recs, size_t n)
{
	size_t k = count_samples(recs, n);
	struct ks_clockmap *m;
	int ret = -ENOMEM;

	if (k < 2)
		return -ENODATA;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->s = calloc(k, sizeof(*m->s));
	m->raw = calloc(k, sizeof(*m->raw));
	m->to_y = calloc(k + 1, sizeof(*m->to_y));
	m->to_x = calloc(k + 1, sizeof(*m->to_x));
	if (m->s && m->raw && m->to_y && m->to_x)
		ret = fill(m, recs, n);
	if (ret)
		ks_clockmap_free(m);
	else
		*out = m;
	return ret;
}

void ks_clockmap_free(struct ks_clockmap *m)
{
	if (!m)
		return;
	free(m->s);
	free(m->raw);
	free(m->to_y);
	free(m->to_x);
	free(m);
}

static size_t piece_by_x(const struct ks_clockmap *m, uint64_t x)
{
	size_t lo = 0, hi = m->n - 1;

	if (x < m->s[0].x)
		return KS_PIECE_BEFORE(m->n);
	if (x >= m->s[hi].x)
		return KS_PIECE_BEHIND(m->n);
	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->s[mid].x <= x)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static size_t piece_by_y(const struct ks_clockmap *m, uint64_t y)
{
	size_t lo = 0, hi = m->n - 1;

	if (y < m->s[0].y)
		return KS_PIECE_BEFORE(m->n);
	if (y >= m->s[hi].y)
		return KS_PIECE_BEHIND(m->n);
	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (m->s[mid].y <= y)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

uint64_t ks_clockmap_tsc(const struct ks_clockmap *m, uint64_t mono)
{
	return ks_line_at(&m->to_y[piece_by_x(m, mono)], mono);
}

uint64_t ks_clockmap_mono(const struct ks_clockmap *m, uint64_t tsc)
{
	return ks_line_at(&m->to_x[piece_by_y(m, tsc)], tsc);
}

uint64_t ks_clockmap_error(const struct ks_clockmap *m)
{
	return m->error;
}

double ks_clockmap_hz(const struct ks_clockmap *m, uint64_t mono)
{
	size_t i = piece_by_x(m, mono);
	const struct ks_sample *a, *b;

	if (i == KS_PIECE_BEFORE(m->n)) {
		a = m->s;
		b = m->s + ks_base_of(m->s, m->n, 0);
	} else if (i == KS_PIECE_BEHIND(m->n)) {
		b = m->s + m->n - 1;
		a = m->s + ks_base_of(m->s, m->n, m->n - 1);
	} else {
		a = m->s + i;
		b = a + 1;
	}
	return (double)(b->y - a->y) / (double)(b->x - a->x) * 1e9;
}
