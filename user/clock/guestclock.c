// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's CLOCK_MONOTONIC on the host's. Each clock sample of the guest is brought to host
 * time by its TSC; between two such pairs the map is a straight line. So nothing depends on the
 * guest's clock source: a kvm-clock runs on when the TSC is stepped, a TSC clock source steps with
 * it. Between two samples with a step of the TSC the lines of either side are continued up to the
 * moment of the step, which the host has recorded. So they are where the guest's clock stood still
 * by itself, while its VM was (breaks.h), but nobody has recorded when: in between nothing is known.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "breaks.h"
#include "tscseg.h"

#define SEARCH_SEGMENTS 64 /* TSC steps between two samples that a guest may do and stay mapped */
#define RATE_KNOWN 5	   /* samples from which on breaks are found: see breaks.c */
#define RATE_UNKNOWN 2000  /* NTP slews a clock by 500 ppm at most: one part in 2000 */

struct piece {
	uint64_t from;	/* guest's clock */
	uint64_t floor; /* never earlier than this: the end of the piece before */
	struct ks_line line;
};

struct ks_guestclock {
	struct ks_tscsegs segs;
	struct ks_pair *pair;
	size_t npairs;
	struct piece *piece;
	size_t npieces, hit; /* hit: the piece used last */
	struct ks_clockbreak *breaks;
	size_t nbreaks;
	uint64_t error, largest_step;
	unsigned int steps;
};

/* ---- the guest's samples in host time ---- */

/* Could the guest's TSC have had this value while segment k held? */
static bool fits(const struct ks_tscsegs *t, size_t k, uint64_t at, uint64_t slack)
{
	uint64_t end = ks_tscseg_end(t, k);

	return ks_add_clamped(at, slack) >= t->seg[k].from && (at < end || at - end < slack);
}

/*
 * The segment in which a sample was taken, from segment `from` on: the one by which most nearly as
 * much time has passed on the host as in the guest since `prev`; without prev, the first that fits.
 */
static bool place_sample(const struct ks_guestclock *g, const struct ks_sample *raw, size_t from,
			 const struct ks_pair *prev, struct ks_pair *out)
{
	size_t end = prev && g->segs.n - from > SEARCH_SEGMENTS ? from + SEARCH_SEGMENTS :
								  g->segs.n;
	uint64_t slack = ks_add_clamped(raw->b, ks_clockmap_error(g->segs.host));
	uint64_t best = UINT64_MAX;
	bool found = false;

	for (size_t k = from; k < end; k++) {
		uint64_t at = ks_tscseg_time(&g->segs, k, raw->y), off = 0;

		if (!fits(&g->segs, k, at, slack) || (prev && at <= prev->s.y))
			continue;
		if (prev)
			off = ks_distance(at - prev->s.y, raw->x - prev->s.x);
		if (found && off >= best)
			continue;
		found = true;
		best = off;
		*out = (struct ks_pair){ .s = { raw->x, at, raw->b }, .seg = k };
	}
	return found;
}

static void place_samples(struct ks_guestclock *g, const struct ks_clockmap *guest)
{
	for (size_t i = 0; i < guest->nraw; i++) {
		const struct ks_pair *prev = g->npairs ? &g->pair[g->npairs - 1] : NULL;

		if (place_sample(g, &guest->raw[i], prev ? prev->seg : 0, prev,
				 &g->pair[g->npairs]))
			g->npairs++;
	}
}

/* ---- pieces ---- */

/* Did both clocks run on between pair i and the next one, as far as is known? */
static bool joined(const struct ks_guestclock *g, size_t i)
{
	return g->pair[i].seg == g->pair[i + 1].seg && !g->pair[i].broken;
}

struct rate {
	uint64_t host, guest; /* so many ns of one in so many of the other */
};

static struct rate rate_of(const struct ks_pair *a, const struct ks_pair *b)
{
	return (struct rate){ b->s.y - a->s.y, b->s.x - a->s.x };
}

/*
 * The rate that the clocks have around pair i: over a second or more on this side of it (step -1:
 * older, 1: newer) as far as nothing lies in between, else between any two pairs; else 1:1, two
 * CLOCK_MONOTONICs being what they are.
 */
static struct rate rate_around(const struct ks_guestclock *g, size_t i, int step)
{
	const struct ks_pair *p = g->pair;
	size_t base = i;

	while ((step < 0 ? base > 0 && joined(g, base - 1) :
			   base + 1 < g->npairs && joined(g, base)) &&
	       ks_distance(p[base].s.x, p[i].s.x) < BASE_NS)
		base += (size_t)step;
	if (base != i)
		return base < i ? rate_of(&p[base], &p[i]) : rate_of(&p[i], &p[base]);
	for (size_t k = 0; k + 1 < g->npairs; k++)
		if (joined(g, k))
			return rate_of(&p[k], &p[k + 1]);
	return (struct rate){ 1, 1 };
}

static struct ks_line line_from(const struct ks_pair *p, struct rate r)
{
	return ks_line_make(p->s.x, p->s.y, r.host, r.guest);
}

/* Guest time at which the line through p reaches host time y, kept within [lo, hi]. */
static uint64_t reaches(const struct ks_pair *p, struct rate r, uint64_t y, uint64_t lo,
			uint64_t hi)
{
	struct ks_line back = ks_line_make(p->s.y, p->s.x, r.guest, r.host);
	uint64_t x = ks_line_at(&back, y);

	return x < lo ? lo : x > hi ? hi : x;
}

/* Where the piece before ends, nothing behind it may be earlier: the map never runs backwards. */
static void add_piece(struct ks_guestclock *g, uint64_t from, struct ks_line line)
{
	const struct piece *last = g->npieces ? &g->piece[g->npieces - 1] : NULL;
	uint64_t floor = 0;

	if (last) {
		floor = ks_line_at(&last->line, from);
		floor = floor > last->floor ? floor : last->floor;
	}
	g->piece[g->npieces++] = (struct piece){ from, floor, line };
}

static uint64_t clamp(uint64_t v, uint64_t lo, uint64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/*
 * Between pairs i and i + 1 something happened to the guest's clocks, from host time t0 to t1 (one
 * moment: t0). Returns by how many ns its CLOCK_MONOTONIC jumped.
 */
static uint64_t add_apart(struct ks_guestclock *g, size_t i, uint64_t t0, uint64_t t1)
{
	const struct ks_pair *a = &g->pair[i], *b = a + 1;
	struct rate ra = rate_around(g, i, -1), rb = rate_around(g, i + 1, 1);
	uint64_t m0 = reaches(a, ra, t0, a->s.x, b->s.x);
	uint64_t m1 = reaches(b, rb, t1, a->s.x, b->s.x);

	add_piece(g, a->s.x, line_from(a, ra));
	if (m0 < m1)
		add_piece(g, m0, ks_line_make(m0, t0, t1 - t0, m1 - m0));
	add_piece(g, m0 > m1 ? m0 : m1, line_from(b, rb));
	return m1 > m0 ? ks_distance(m1 - m0, t1 - t0) : m0 - m1 + (t1 - t0);
}

static void add_stepped(struct ks_guestclock *g, size_t i)
{
	const struct ks_pair *a = &g->pair[i], *b = a + 1;
	uint64_t t0 = clamp(g->segs.seg[a->seg + 1].from, a->s.y, b->s.y);
	uint64_t t1 = clamp(g->segs.seg[b->seg].from, t0, b->s.y);
	uint64_t step = add_apart(g, i, t0, t1);

	g->steps++;
	if (step > g->largest_step)
		g->largest_step = step;
}

/* Nobody knows when: in the middle of the time that it took. */
static void add_broken(struct ks_guestclock *g, size_t i)
{
	uint64_t from = g->pair[i].s.y, middle = from + (g->pair[i + 1].s.y - from) / 2;

	add_apart(g, i, middle, middle);
}

static void make_pieces(struct ks_guestclock *g)
{
	size_t last = g->npairs - 1;

	add_piece(g, 0, line_from(&g->pair[0], rate_around(g, 0, 1)));
	for (size_t i = 0; i < last; i++) {
		const struct ks_pair *p = &g->pair[i];

		if (p->seg != p[1].seg)
			add_stepped(g, i);
		else if (p->broken)
			add_broken(g, i);
		else
			add_piece(g, p->s.x, line_from(p, rate_of(p, p + 1)));
	}
	add_piece(g, g->pair[last].s.x, line_from(&g->pair[last], rate_around(g, last, -1)));
}

/* ---- the bound ---- */

static uint64_t bend_at(const struct ks_guestclock *g, size_t i)
{
	const struct ks_pair *p = &g->pair[i];

	return i && i + 1 < g->npairs && joined(g, i - 1) && joined(g, i) ?
		       ks_bend(&p[-1].s, &p[0].s, &p[1].s) :
		       0;
}

/* The longest stop within piece i that bends the map by no more than this at its end towards piece k. */
static uint64_t stop_by(const struct ks_guestclock *g, size_t i, size_t k, uint64_t bend)
{
	uint64_t here = g->pair[i + 1].s.y - g->pair[i].s.y;
	uint64_t there = g->pair[k + 1].s.y - g->pair[k].s.y;
	ks_u128 ns = (ks_u128)bend * ((ks_u128)here + there) / (there ? there : 1);

	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

/* What one clock went beyond the other in piece i, two CLOCK_MONOTONICs being what they are; or beyond the rate around. */
static uint64_t stop_by_rate(const struct ks_guestclock *g, size_t i)
{
	const struct ks_pair *p = &g->pair[i];
	uint64_t off = ks_distance(p[1].s.y - p->s.y, p[1].s.x - p->s.x), lost;
	int64_t behind = g->npairs < RATE_KNOWN ? INT64_MAX : ks_breaks_lost(g->pair, g->npairs, i);

	lost = behind < 0 ? -(uint64_t)behind : (uint64_t)behind;
	return off < lost ? off : lost;
}

/* For how long may the guest's clock have stood still within piece i, for all that is known? */
static uint64_t may_have_stopped(const struct ks_guestclock *g, size_t i, uint64_t left,
				 uint64_t right)
{
	uint64_t most = stop_by_rate(g, i), by;

	if (i && joined(g, i - 1)) {
		by = stop_by(g, i, i - 1, left);
		most = by < most ? by : most;
	}
	if (i + 2 < g->npairs && joined(g, i + 1)) {
		by = stop_by(g, i, i + 1, right);
		most = by < most ? by : most;
	}
	return most;
}

/* As in the clock map: the worse bracket and twice the worse bend, where the clocks ran on. */
static uint64_t piece_error(const struct ks_guestclock *g, size_t i)
{
	const struct ks_pair *p = &g->pair[i];
	uint64_t left = bend_at(g, i), right = bend_at(g, i + 1);
	uint64_t stop = may_have_stopped(g, i, left, right);
	uint64_t bend = left > right ? left : right, b = p->s.b > p[1].s.b ? p->s.b : p[1].s.b;

	bend = ks_add_clamped(bend, bend);
	return ks_add_clamped(b, bend > stop ? bend : stop);
}

/*
 * Around a step the lines are continued over up to a piece's length: twice the error of the rate
 * comes to that of the end. Without any rate to go by, what NTP may slew. Of what is broken nothing
 * is said.
 */
static uint64_t pairs_error(const struct ks_guestclock *g)
{
	uint64_t worst = 0, stepped = 0, bracket = 0;
	bool rate = false;

	for (size_t i = 0; i + 1 < g->npairs; i++) {
		const struct ks_pair *p = &g->pair[i];
		uint64_t e = joined(g, i) ? piece_error(g, i) : 0, len = p[1].s.x - p->s.x;

		rate |= joined(g, i);
		worst = e > worst ? e : worst;
		bracket = p->s.b > bracket ? p->s.b : bracket;
		bracket = p[1].s.b > bracket ? p[1].s.b : bracket;
		if (p->seg != p[1].seg && len > stepped)
			stepped = len;
	}
	if (!stepped)
		return worst > bracket ? worst : bracket;
	if (!rate)
		return ks_add_clamped(bracket, stepped / RATE_UNKNOWN);
	worst = worst > bracket ? worst : bracket;
	return ks_add_clamped(worst, ks_add_clamped(worst, worst));
}

/* ---- breaks ---- */

static int list_breaks(struct ks_guestclock *g)
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < g->npairs; i++)
		n += g->pair[i].broken;
	g->breaks = n ? calloc(n, sizeof(*g->breaks)) : NULL;
	if (n && !g->breaks)
		return -ENOMEM;
	for (size_t i = 0; i + 1 < g->npairs; i++) {
		const struct ks_pair *p = &g->pair[i];

		if (p->broken)
			g->breaks[g->nbreaks++] = (struct ks_clockbreak){
				.from = p->s.y,
				.to = p[1].s.y,
				.own_from = p->s.x,
				.own_to = p[1].s.x,
				.behind_ns = ks_breaks_lost(g->pair, g->npairs, i),
			};
	}
	return 0;
}

/* Divisions cut off up to one tick of the guest's TSC and a nanosecond at each of three maps. */
static uint64_t rounding_error(const struct ks_clockmap *guest)
{
	double hz = ks_clockmap_hz(guest, 0);

	return hz > 1 ? 4 + (uint64_t)(1e9 / hz) : 1000000000u;
}

/* ---- the interface ---- */

static int build(struct ks_guestclock *g, const struct ks_clockmap *guest)
{
	g->pair = calloc(guest->nraw, sizeof(*g->pair));
	if (!g->pair)
		return -ENOMEM;
	place_samples(g, guest);
	if (g->npairs < 2)
		return -ENODATA;
	ks_breaks_find(g->pair, g->npairs, ks_clockmap_error(g->segs.host));
	g->piece = calloc(3 * g->npairs, sizeof(*g->piece));
	if (!g->piece || list_breaks(g))
		return -ENOMEM;
	make_pieces(g);
	g->error = ks_add_clamped(pairs_error(g), ks_clockmap_error(g->segs.host));
	g->error = ks_add_clamped(g->error, rounding_error(guest));
	return 0;
}

int ks_guestclock_new(struct ks_guestclock **out, const struct ks_clockmap *guest,
		      const struct ks_clockmap *host, const struct ks_rec *offsets, size_t n,
		      unsigned int frac_bits)
{
	struct ks_guestclock *g;
	int ret;

	if (frac_bits > 63)
		return -EINVAL;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	ret = ks_tscsegs_init(&g->segs, offsets, n, frac_bits, host);
	if (!ret)
		ret = build(g, guest);
	if (ret)
		ks_guestclock_free(g);
	else
		*out = g;
	return ret;
}

void ks_guestclock_free(struct ks_guestclock *g)
{
	if (!g)
		return;
	free(g->segs.seg);
	free(g->pair);
	free(g->piece);
	free(g->breaks);
	free(g);
}

static size_t find_piece(const struct ks_guestclock *g, uint64_t m)
{
	size_t lo = 0, hi = g->npieces;

	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (g->piece[mid].from <= m)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

uint64_t ks_guestclock_map(void *ctx, uint64_t m)
{
	struct ks_guestclock *g = ctx;
	const struct piece *p = &g->piece[g->hit];
	uint64_t host;

	if (m < p->from || (g->hit + 1 < g->npieces && m >= p[1].from)) {
		g->hit = find_piece(g, m);
		p = &g->piece[g->hit];
	}
	host = ks_line_at(&p->line, m);
	return host > p->floor ? host : p->floor;
}

uint64_t ks_guestclock_error(const struct ks_guestclock *g)
{
	return g->error;
}

uint64_t ks_guestclock_from_tsc(const struct ks_guestclock *g, uint64_t guest_tsc)
{
	return ks_tscsegs_when(&g->segs, guest_tsc, 0);
}

uint64_t ks_guestclock_from_tsc_after(const struct ks_guestclock *g, uint64_t guest_tsc,
				      uint64_t not_before)
{
	return ks_tscsegs_when(&g->segs, guest_tsc, not_before);
}

unsigned int ks_guestclock_steps(const struct ks_guestclock *g, uint64_t *largest)
{
	if (largest)
		*largest = g->largest_step;
	return g->steps;
}

const struct ks_clockbreak *ks_guestclock_breaks(const struct ks_guestclock *g, size_t *n)
{
	*n = g->nbreaks;
	return g->breaks;
}

uint64_t ks_clockbreak_ns(const struct ks_clockbreak *b)
{
	return b->behind_ns < 0 ? -(uint64_t)b->behind_ns : (uint64_t)b->behind_ns;
}

const struct ks_clockbreak *ks_guestclock_largest_break(const struct ks_guestclock *g)
{
	const struct ks_clockbreak *most = g->nbreaks ? g->breaks : NULL;

	for (size_t i = 1; i < g->nbreaks; i++)
		if (ks_clockbreak_ns(&g->breaks[i]) > ks_clockbreak_ns(most))
			most = &g->breaks[i];
	return most;
}
