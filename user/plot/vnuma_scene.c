// SPDX-License-Identifier: GPL-2.0
/* Collecting a scene of virtual NUMA, and laying out its lanes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vnuma_scene.h"

#define CMP(a, b) ((a) < (b) ? -1 : (a) > (b))

int ks_vscene_new(struct ks_vscene **out, const struct ks_vscene_opts *opts)
{
	struct ks_vscene *s;
	int err;

	*out = NULL;
	if (opts->to <= opts->from)
		return sc_fail(opts->err, -EINVAL, "the picture's end is not behind its start");
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->opts = *opts;
	if (!s->opts.max_items)
		s->opts.max_items = SC_DEFAULT_MAX;
	if (s->opts.max_items < SC_LEAST_MAX)
		s->opts.max_items = SC_LEAST_MAX;
	s->segs.size = sizeof(struct vs_seg);
	s->moves.size = sizeof(struct vs_move);
	s->cases.size = sizeof(struct vs_case);
	s->wastes.size = sizeof(struct vs_waste);
	err = ks_vcpulist_parse(&s->list, opts->vcpus, opts->err);
	if (err) {
		ks_vscene_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void ks_vscene_free(struct ks_vscene *s)
{
	if (!s)
		return;
	free(s->segs.v);
	free(s->moves.v);
	free(s->cases.v);
	free(s->wastes.v);
	free(s->lanes);
	free(s->lane_of);
	ks_vcpulist_free(&s->list);
	free(s);
}

void ks_vscene_clock_error(struct ks_vscene *s, uint64_t ns)
{
	s->opts.clock_error_ns = ns;
}

/* ---- callbacks ---- */

static bool outside(const struct ks_vscene *s, uint64_t from, uint64_t to)
{
	return s->error || to < s->opts.from || from > s->opts.to;
}

static uint64_t clipped(const struct ks_vscene *s, uint64_t from, uint64_t to)
{
	from = from < s->opts.from ? s->opts.from : from;
	to = to > s->opts.to ? s->opts.to : to;
	return to > from ? to - from : 0;
}

/* Room for one more, folding if there are too many. */
static void *room(struct ks_vscene *s, struct sc_vec *v)
{
	void *e;

	if (s->segs.n + s->moves.n + s->cases.n + s->wastes.n >= s->opts.max_items)
		s->error = vs_fold(s);
	e = s->error ? NULL : sc_vec_add(v);
	if (!e && !s->error)
		s->error = -ENOMEM;
	return e;
}

static uint32_t lane_of(const struct ks_vscene *s, uint32_t vcpu)
{
	return vcpu < s->nlane_of ? s->lane_of[vcpu] : VS_NONE;
}

static uint8_t kind_of(const struct ks_segment *g, int32_t node)
{
	switch (g->state) {
	case KS_V_RUNNING:
		return node < 0 ? VS_NOWHERE : node < VS_NODES ? (uint8_t)node : VS_OTHER_NODE;
	case KS_V_RUNNABLE:
		return VS_RUNNABLE;
	case KS_V_HALTED:
		return VS_HALTED;
	case KS_V_BLOCKED:
		return VS_BLOCKED;
	default:
		return VS_UNKNOWN;
	}
}

static void add_segment(struct ks_vscene *s, const struct ks_segment *g, uint32_t lane)
{
	int32_t node = g->state == KS_V_RUNNING ? ks_vnuma_node(s->v, g->pcpu) : -1;
	struct vs_seg *e = room(s, &s->segs);

	if (!e)
		return;
	e->from = g->from < s->opts.from ? s->opts.from : g->from;
	e->to = g->to > s->opts.to ? s->opts.to : g->to;
	e->lane = lane;
	e->node = (int8_t)node;
	e->kind = kind_of(g, node);
	s->nsegs++;
}

static void on_segment(void *ctx, const struct ks_segment *g)
{
	struct ks_vscene *s = ctx;
	uint32_t lane = lane_of(s, g->vcpu);

	ks_vnuma_segment(s->v, g);
	if (lane != VS_NONE && g->state != KS_V_GONE && !s->error && clipped(s, g->from, g->to))
		add_segment(s, g, lane);
}

static void on_event(void *ctx, const struct ks_event *ev)
{
	ks_vnuma_event(((struct ks_vscene *)ctx)->v, ev);
}

static void on_migration(void *ctx, uint32_t vm, const struct ks_vnuma_migration *m)
{
	struct ks_vscene *s = ctx;
	uint32_t a = lane_of(s, m->from), b = lane_of(s, m->to);
	struct vs_move *e;

	if (vm != s->vm || outside(s, m->time, m->time) || (a == VS_NONE && b == VS_NONE))
		return;
	e = room(s, &s->moves);
	if (!e)
		return;
	*e = (struct vs_move){ m->time, m->time, a, b, m->tid, 1, m->by };
	s->moves_by[m->by]++;
	s->node_moves += vs_crosses(s, a, b);
}

static bool add_case(struct ks_vscene *s, uint32_t vm, const struct ks_vnuma_case *c,
		     bool overloaded)
{
	uint32_t lane = lane_of(s, ks_vnuma_cpu(s->v, vm, c->cpu));
	struct vs_case *e;

	if (vm != s->vm || lane == VS_NONE || outside(s, c->time, c->time + c->wait_ns))
		return false;
	e = room(s, &s->cases);
	if (!e)
		return false;
	e->c = *c;
	e->lane = lane;
	e->other = overloaded ? VS_NONE : lane_of(s, ks_vnuma_cpu(s->v, vm, c->other));
	e->overloaded = overloaded;
	return true;
}

static void on_passed(void *ctx, uint32_t vm, const struct ks_vnuma_case *c)
{
	struct ks_vscene *s = ctx;

	s->npassed += add_case(s, vm, c, false);
}

static void on_overloaded(void *ctx, uint32_t vm, const struct ks_vnuma_case *c)
{
	struct ks_vscene *s = ctx;

	s->noverloaded += add_case(s, vm, c, true);
}

static void on_wasted(void *ctx, uint32_t vm, uint64_t from, uint64_t to, uint32_t vcpus)
{
	struct ks_vscene *s = ctx;
	uint64_t ns = clipped(s, from, to);
	struct vs_waste *e;

	if (vm != s->vm || s->error || !ns)
		return;
	e = room(s, &s->wastes);
	if (!e)
		return;
	e->from = from < s->opts.from ? s->opts.from : from;
	e->to = e->from + ns;
	e->ns = (float)ns * (float)vcpus;
	s->wasted_ns += ns * vcpus;
}

void ks_vscene_ops(struct ks_vscene *s, struct ks_vnuma *v, struct ks_analysis_ops *ops)
{
	const struct ks_vnuma_watch watch = {
		.migration = on_migration,
		.passed = on_passed,
		.overloaded = on_overloaded,
		.wasted = on_wasted,
		.ctx = s,
	};

	s->v = v;
	ks_vnuma_watch(v, &watch);
	ops->segment = on_segment;
	ops->event = on_event;
	ops->ctx = s;
}

/* ---- lanes ---- */

static int choose_vm(struct ks_vscene *s, const struct ks_scene_world *w)
{
	uint32_t i;
	int vm;

	if (s->opts.vm) {
		vm = sc_find_vm(w, s->opts.vm, s->opts.err);
		if (vm < 0)
			return vm;
		s->vm = (uint32_t)vm;
		return 0;
	}
	for (i = 0; i < w->nvms && !ks_vnuma_vm(s->v, i)->guest; i++)
		;
	s->vm = i < w->nvms ? i : 0;
	return 0;
}

/* By what the guest believes; nodes that are not known come last. */
static int cmp_lane(const void *x, const void *y)
{
	const struct vs_lane *a = x, *b = y;

	if (a->believed != b->believed)
		return CMP((uint32_t)a->believed, (uint32_t)b->believed);
	return a->vcpu_id != b->vcpu_id ? CMP(a->vcpu_id, b->vcpu_id) : CMP(a->vcpu, b->vcpu);
}

static int make_lanes(struct ks_vscene *s, const struct ks_scene_world *w)
{
	s->lanes = calloc(w->nvcpus + 1, sizeof(*s->lanes));
	s->lane_of = calloc(w->nvcpus + 1, sizeof(*s->lane_of));
	if (!s->lanes || !s->lane_of)
		return -ENOMEM;
	for (uint32_t i = 0; i < w->nvcpus; i++) {
		const struct ks_vcpu *c = &w->vcpus[i];

		if (c->vm != s->vm || !ks_vcpulist_has(&s->list, c->vcpu_id))
			continue;
		s->lanes[s->nlanes++] = (struct vs_lane){
			.vcpu = i,
			.vcpu_id = c->vcpu_id,
			.guest_cpu = c->guest_cpu,
			.believed = ks_vnuma_vcpu(s->v, i)->believed,
			.home = -1,
		};
	}
	if (!s->nlanes)
		return sc_fail(s->opts.err, -ENODATA, "no vCPU to draw");
	qsort(s->lanes, s->nlanes, sizeof(*s->lanes), cmp_lane);
	memset(s->lane_of, 0xff, w->nvcpus * sizeof(*s->lane_of));
	for (uint32_t l = 0; l < s->nlanes; l++)
		s->lane_of[s->lanes[l].vcpu] = l;
	s->nlane_of = w->nvcpus;
	return 0;
}

int ks_vscene_begin(struct ks_vscene *s, const struct ks_analysis *a)
{
	struct ks_scene_world w = { 0 };
	int err;

	s->a = a;
	w.vms = ks_analysis_vms(a, &w.nvms);
	w.vcpus = ks_analysis_vcpus(a, &w.nvcpus);
	err = choose_vm(s, &w);
	if (!err)
		err = sc_check_ids(&s->list, &w, (int)s->vm, s->opts.err);
	return err ? err : make_lanes(s, &w);
}

/* ---- finish ---- */

static void sum_up(struct ks_vscene *s)
{
	for (size_t i = 0; i < s->segs.n; i++) {
		const struct vs_seg *g = &vs_segs(s)[i];
		struct vs_lane *l = &s->lanes[g->lane];

		for (unsigned int k = 0; k < VS_KINDS; k++) {
			uint64_t ns = g->kind == VS_MIXED ? (uint64_t)g->ns[k] :
				      g->kind == k	  ? g->to - g->from :
							    0;

			l->ns[k] += ns;
			if (vs_away(l, k, g->kind == VS_MIXED ? -1 : g->node))
				l->away_ns += ns;
		}
	}
}

static void find_ranges(struct ks_vscene *s)
{
	size_t at = 0;

	for (uint32_t l = 0; l < s->nlanes; l++) {
		s->lanes[l].seg0 = at;
		while (at < s->segs.n && vs_segs(s)[at].lane == l)
			at++;
		s->lanes[l].seg1 = at;
	}
}

static int cmp_cost(const void *x, const void *y)
{
	const struct vs_case *a = x, *b = y;

	return a->c.cost_ns != b->c.cost_ns ? CMP(b->c.cost_ns, a->c.cost_ns) :
					      CMP(a->c.time, b->c.time);
}

int ks_vscene_finish(struct ks_vscene *s)
{
	const struct ks_vnuma_vm *vm = ks_vnuma_vm(s->v, s->vm);

	if (s->error)
		return s->error;
	for (uint32_t l = 0; l < s->nlanes; l++)
		if (s->lanes[l].believed >= 0)
			s->lanes[l].home = vm->home[s->lanes[l].believed];
	vs_sort_segs(s);
	find_ranges(s);
	sum_up(s);
	if (s->cases.n)
		qsort(s->cases.v, s->cases.n, sizeof(struct vs_case), cmp_cost);
	if (!s->segs.n && !s->moves.n)
		return sc_fail(s->opts.err, -ENODATA,
			       "nothing of this VM in this stretch of time: see `report`");
	return 0;
}

void ks_vscene_stats(const struct ks_vscene *s, struct ks_vscene_stats *st)
{
	*st = (struct ks_vscene_stats){
		.from = s->opts.from,
		.to = s->opts.to,
		.lanes = s->nlanes,
		.segments = s->nsegs,
		.passed = s->npassed,
		.overloaded = s->noverloaded,
		.wasted_ns = s->wasted_ns,
		.segment_cell_ns = s->seg_cell,
		.migration_cell_ns = s->move_cell,
		.folded_cases = s->folded_cases,
	};
	for (int k = 0; k < KS_VN_CAUSES; k++)
		st->migrations += s->moves_by[k];
	for (uint32_t l = 0; l < s->nlanes; l++) {
		st->away_ns += s->lanes[l].away_ns;
		for (int k = 0; k <= VS_NOWHERE; k++)
			st->running_ns += s->lanes[l].ns[k];
	}
}
