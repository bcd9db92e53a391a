// SPDX-License-Identifier: GPL-2.0
/* From a heap of items to a picture: lanes, order, rows, and who is blamed for what. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

#define CMP(a, b) ((a) < (b) ? -1 : (a) > (b))
#define NO_LANE UINT32_MAX
#define LINK_STEPS 4096 /* how far back a blamed hold is looked for */

/* ---- which VM, which lanes ---- */

static uint32_t choose_vm(const struct ks_scene *s, const struct ks_scene_world *w)
{
	const struct sc_wait *v = sc_waits(s);

	for (uint32_t i = 0; (s->opts.vm || s->opts.pid) && i < w->nvcpus; i++)
		if (!s->skip[i])
			return w->vcpus[i].vm;
	for (size_t i = 0; i < s->waits.n; i++)
		if (v[i].w.vcpu < w->nvcpus && !s->skip[v[i].w.vcpu])
			return w->vcpus[v[i].w.vcpu].vm;
	for (uint32_t i = 0; i < w->nvcpus && i < s->nsums; i++)
		if (!s->skip[i] && (s->sums[i].segments || sc_sum_ple(&s->sums[i])))
			return w->vcpus[i].vm;
	return 0;
}

static int cmp_lane(const void *x, const void *y)
{
	const struct sc_lane *a = x, *b = y;

	return a->vcpu_id != b->vcpu_id ? CMP(a->vcpu_id, b->vcpu_id) : CMP(a->vcpu, b->vcpu);
}

static int make_lanes(struct ks_scene *s, const struct ks_scene_world *w)
{
	s->lanes = calloc(w->nvcpus + 1, sizeof(*s->lanes));
	if (!s->lanes)
		return -ENOMEM;
	for (uint32_t i = 0; i < w->nvcpus; i++) {
		struct sc_lane *l = &s->lanes[s->nlanes];

		if (s->skip[i] || w->vcpus[i].vm != s->vm)
			continue;
		l->vcpu = i;
		l->vcpu_id = w->vcpus[i].vcpu_id;
		l->guest_cpu = w->vcpus[i].guest_cpu;
		if (i < s->nsums)
			l->sums = s->sums[i];
		s->nlanes++;
	}
	qsort(s->lanes, s->nlanes, sizeof(*s->lanes), cmp_lane);
	return s->nlanes ? 0 : sc_fail(s->opts.err, -ENODATA, "no vCPU to draw");
}

static void add_sums(struct sc_sums *t, const struct sc_sums *l)
{
	for (int c = 0; c < KS_C_WAIT_MAX; c++) {
		t->waits[c] += l->waits[c];
		t->wait_ns[c] += l->wait_ns[c];
	}
	for (int c = 0; c < KS_C_MAX; c++)
		t->ple[c] += l->ple[c];
	t->ple_in_waits += l->ple_in_waits;
	for (int k = 0; k < SC_STATES; k++)
		t->state_ns[k] += l->state_ns[k];
	t->holds += l->holds;
	t->holds_off += l->holds_off;
	t->segments += l->segments;
}

/* ---- drop what has no lane, sort the rest ---- */

#define DROP_AND_SORT(name, type, vcpu_field, cmp)                                                 \
	static void place_##name(struct ks_scene *s, const uint32_t *lane, uint32_t n)             \
	{                                                                                          \
		struct type *v = s->name.v;                                                        \
		size_t o = 0;                                                                      \
                                                                                                   \
		for (size_t i = 0; i < s->name.n; i++) {                                           \
			uint32_t c = v[i].vcpu_field;                                              \
                                                                                                   \
			v[i].lane = c < n ? lane[c] : NO_LANE;                                     \
			if (v[i].lane != NO_LANE)                                                  \
				v[o++] = v[i];                                                     \
		}                                                                                  \
		s->name.n = o;                                                                     \
		if (o)                                                                             \
			qsort(v, o, sizeof(*v), cmp);                                              \
	}

/* Equal starts: the longer one first, it lies below. */
#define COMPARE(name, type, from, to)                                                              \
	static int cmp_##name(const void *x, const void *y)                                        \
	{                                                                                          \
		const struct type *a = x, *b = y;                                                  \
                                                                                                   \
		if (a->lane != b->lane)                                                            \
			return CMP(a->lane, b->lane);                                              \
		return a->from != b->from ? CMP(a->from, b->from) : CMP(b->to, a->to);             \
	}

COMPARE(waits, sc_wait, w.try_time, w.acq_time)
COMPARE(holds, sc_hold, h.acq_time, h.rel_time)
COMPARE(segs, sc_seg, from, to)
COMPARE(ples, sc_ple, from, to)
COMPARE(cells, sc_cell, from, to)
DROP_AND_SORT(waits, sc_wait, w.vcpu, cmp_waits)
DROP_AND_SORT(holds, sc_hold, h.vcpu, cmp_holds)
DROP_AND_SORT(segs, sc_seg, vcpu, cmp_segs)
DROP_AND_SORT(ples, sc_ple, vcpu, cmp_ples)
DROP_AND_SORT(wcells, sc_cell, vcpu, cmp_cells)
DROP_AND_SORT(hcells, sc_cell, vcpu, cmp_cells)

/* Where each lane's items lie. */
#define RANGES(name, type, first, last)                                                            \
	do {                                                                                       \
		const struct type *v = s->name.v;                                                  \
		size_t at = 0;                                                                     \
                                                                                                   \
		for (uint32_t l = 0; l < s->nlanes; l++) {                                         \
			s->lanes[l].first = at;                                                    \
			while (at < s->name.n && v[at].lane == l)                                  \
				at++;                                                              \
			s->lanes[l].last = at;                                                     \
		}                                                                                  \
	} while (0)

static int place(struct ks_scene *s, uint32_t nvcpus)
{
	uint32_t *lane = reallocarray(NULL, nvcpus + 1, sizeof(*lane));

	if (!lane)
		return -ENOMEM;
	for (uint32_t i = 0; i < nvcpus; i++)
		lane[i] = NO_LANE;
	for (uint32_t l = 0; l < s->nlanes; l++)
		lane[s->lanes[l].vcpu] = l;
	place_waits(s, lane, nvcpus);
	place_holds(s, lane, nvcpus);
	place_segs(s, lane, nvcpus);
	place_ples(s, lane, nvcpus);
	place_wcells(s, lane, nvcpus);
	place_hcells(s, lane, nvcpus);
	free(lane);
	RANGES(waits, sc_wait, wait0, wait1);
	RANGES(holds, sc_hold, hold0, hold1);
	RANGES(segs, sc_seg, seg0, seg1);
	RANGES(ples, sc_ple, ple0, ple1);
	RANGES(wcells, sc_cell, wcell0, wcell1);
	RANGES(hcells, sc_cell, hcell0, hcell1);
	return 0;
}

/* ---- extent ---- */

static void widen(struct ks_scene *s, uint64_t from, uint64_t to)
{
	if (from < s->t0)
		s->t0 = from;
	if (to > s->t1)
		s->t1 = to;
}

/* A stretch of an unknown state since ever says nothing. */
static void host_extent(struct ks_scene *s)
{
	for (size_t i = 0; i < s->segs.n; i++)
		if (sc_segs(s)[i].from)
			widen(s, sc_segs(s)[i].from, sc_segs(s)[i].to);
	for (size_t i = 0; i < s->ples.n; i++)
		widen(s, sc_ples(s)[i].from, sc_ples(s)[i].to);
}

static void guest_extent(struct ks_scene *s)
{
	for (size_t i = 0; i < s->waits.n; i++)
		widen(s, sc_waits(s)[i].w.try_time, sc_waits(s)[i].w.acq_time);
	for (size_t i = 0; i < s->holds.n; i++)
		widen(s, sc_holds(s)[i].h.acq_time, sc_holds(s)[i].h.rel_time);
	for (size_t i = 0; i < s->wcells.n; i++)
		widen(s, sc_wcells(s)[i].from, sc_wcells(s)[i].to);
	for (size_t i = 0; i < s->hcells.n; i++)
		widen(s, sc_hcells(s)[i].from, sc_hcells(s)[i].to);
}

/*
 * The host's record is the frame: a guest that lies about its times, or was recorded for longer,
 * does not squeeze the picture.
 */
static int extent(struct ks_scene *s)
{
	s->t0 = UINT64_MAX;
	s->t1 = 0;
	host_extent(s);
	if (s->t0 >= s->t1)
		guest_extent(s);
	if (s->t0 > s->t1)
		return sc_fail(s->opts.err, -ENODATA,
			       "nothing was recorded in this part of the trace");
	if (s->opts.from > s->t0)
		s->t0 = s->opts.from;
	if (s->opts.to && s->opts.to < s->t1)
		s->t1 = s->opts.to;
	if (s->t1 == s->t0)
		s->t1++;
	return 0;
}

/* ---- rows: a wait inside a wait (an interrupt's inside a thread's) goes one row down ---- */

static uint8_t free_level(uint64_t *until, uint64_t from, uint64_t to)
{
	uint8_t l = 0;

	while (l < SC_MAX_LEVEL - 1 && until[l] > from)
		l++;
	if (to > until[l])
		until[l] = to;
	return l;
}

static void set_levels(struct ks_scene *s)
{
	uint64_t until[SC_MAX_LEVEL] = { 0 };

	s->levels = 1;
	for (size_t i = 0; i < s->waits.n; i++) {
		struct sc_wait *w = &sc_waits(s)[i];

		if (i && w->lane != w[-1].lane)
			memset(until, 0, sizeof(until));
		w->level = free_level(until, w->w.try_time, w->w.acq_time);
		if (w->level + 1u > s->levels)
			s->levels = w->level + 1u;
	}
	memset(until, 0, sizeof(until));
	for (size_t i = 0; i < s->holds.n; i++) {
		struct sc_hold *h = &sc_holds(s)[i];

		if (i && h->lane != h[-1].lane)
			memset(until, 0, sizeof(until));
		h->level = free_level(until, h->h.acq_time, h->h.rel_time);
	}
}

/* ---- links ---- */

static uint64_t overlap(const struct ks_wait *w, uint64_t from, uint64_t to)
{
	uint64_t a = from > w->try_time ? from : w->try_time;
	uint64_t b = to < w->acq_time ? to : w->acq_time;

	return b > a ? b - a : 0;
}

/* The first index in [lo, hi) whose start is at or after t. */
#define FIRST_FROM(array, field, lo, hi, t)                                                        \
	({                                                                                         \
		size_t a_ = (lo), b_ = (hi);                                                       \
                                                                                                   \
		while (a_ < b_) {                                                                  \
			size_t m_ = a_ + (b_ - a_) / 2;                                            \
                                                                                                   \
			if ((array)[m_].field < (t))                                               \
				a_ = m_ + 1;                                                       \
			else                                                                       \
				b_ = m_;                                                           \
		}                                                                                  \
		a_;                                                                                \
	})

static void link_hold(struct ks_scene *s, struct sc_wait *w, const struct sc_lane *l)
{
	const struct sc_hold *h = sc_holds(s);
	size_t i = FIRST_FROM(h, h.acq_time, l->hold0, l->hold1, w->w.acq_time);
	uint64_t best = 0;

	for (int steps = 0; i-- > l->hold0 && steps < LINK_STEPS; steps++) {
		uint64_t o = overlap(&w->w, h[i].h.acq_time, h[i].h.rel_time);

		if (h[i].h.lock != w->w.lock || o <= best)
			continue;
		best = o;
		w->link = (uint32_t)i;
		w->link_kind = SC_LINK_HOLD;
	}
}

static void link_wait(struct ks_scene *s, struct sc_wait *w, const struct sc_lane *l)
{
	const struct sc_wait *v = sc_waits(s);
	size_t i = FIRST_FROM(v, w.try_time, l->wait0, l->wait1, w->w.acq_time);
	uint64_t best = 0;

	for (int steps = 0; i-- > l->wait0 && steps < LINK_STEPS; steps++) {
		uint64_t o = overlap(&w->w, v[i].w.try_time, v[i].w.acq_time);

		if (v[i].w.lock != w->w.lock || &v[i] == w || o <= best)
			continue;
		best = o;
		w->link = (uint32_t)i;
		w->link_kind = SC_LINK_WAIT;
	}
}

/* The blamed vCPU held the lock, or, when nobody did, it was the next to get it. */
static void link_one(struct ks_scene *s, struct sc_wait *w, const struct sc_lane *l)
{
	if (w->w.blame_class == KS_C_LWP)
		link_wait(s, w, l);
	else
		link_hold(s, w, l);
}

static void set_links(struct ks_scene *s)
{
	for (size_t i = 0; i < s->waits.n; i++) {
		struct sc_wait *w = &sc_waits(s)[i];

		for (uint32_t l = 0; l < s->nlanes; l++) {
			if (s->lanes[l].vcpu != w->w.blame_vcpu)
				continue;
			link_one(s, w, &s->lanes[l]);
			break;
		}
	}
}

int ks_scene_finish_world(struct ks_scene *s, const struct ks_scene_world *w)
{
	int err = s->error ? s->error : sc_select(s, w);

	if (err)
		return err;
	s->vm = choose_vm(s, w);
	if (s->vm < w->nvms) {
		memcpy(s->vm_name, w->vms[s->vm].name, sizeof(s->vm_name) - 1);
		s->vm_tgid = w->vms[s->vm].tgid;
		s->guest = w->vms[s->vm].guest_src >= 0;
		s->lost = w->lost ? w->lost[s->vm] : 0;
	}
	err = make_lanes(s, w);
	if (!err)
		err = place(s, w->nvcpus);
	if (!err)
		err = extent(s);
	if (err)
		return err;
	for (uint32_t l = 0; l < s->nlanes; l++)
		add_sums(&s->total, &s->lanes[l].sums);
	set_levels(s);
	set_links(s);
	return 0;
}

const char *sc_no_waits(const struct ks_scene *s)
{
	return s->guest ? "No contended lock was recorded here." :
			  "The host's side alone: locks are seen with a trace of the guest.";
}

uint64_t sc_blamed_ns(const struct ks_wait *w)
{
	return w->share[KS_C_LHP] + w->share[KS_C_LWP] + w->share[KS_C_HALTED];
}

const struct sc_wait *sc_worst(const struct ks_scene *s)
{
	const struct sc_wait *best = NULL;
	uint64_t best_blamed = 0, best_len = 0;

	for (size_t i = 0; i < s->waits.n; i++) {
		const struct sc_wait *w = &sc_waits(s)[i];
		uint64_t blamed = sc_blamed_ns(&w->w);
		uint64_t len = w->w.acq_time - w->w.try_time;

		if (best && (blamed < best_blamed || (blamed == best_blamed && len <= best_len)))
			continue;
		best = w;
		best_blamed = blamed;
		best_len = len;
	}
	return best;
}

void ks_scene_stats(const struct ks_scene *s, struct ks_scene_stats *st)
{
	*st = (struct ks_scene_stats){
		.from = s->t0,
		.to = s->t1,
		.lanes = s->nlanes,
		.waits = sc_sum_waits(&s->total),
		.holds = s->total.holds,
		.ples = sc_sum_ple(&s->total),
		.segments = s->total.segments,
		.folded_waits = s->folded_waits,
		.folded_holds = s->folded_holds,
		.ple_cell_ns = s->ple_cell,
		.segment_cell_ns = s->seg_cell,
		.lost = s->lost,
	};
}
