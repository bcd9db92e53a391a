// SPDX-License-Identifier: GPL-2.0
/* Collecting a scene from the analysis's callbacks. */
#include "scene.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void *sc_vec_add(struct sc_vec *v)
{
	char *e;

	if (v->n == v->cap) {
		size_t cap = v->cap ? v->cap * 2 : 256;
		void *n = reallocarray(v->v, cap, v->size);

		if (!n)
			return NULL;
		v->v = n;
		v->cap = cap;
	}
	e = (char *)v->v + v->n++ * v->size;
	return memset(e, 0, v->size);
}

int sc_fail(struct ks_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return code;
}

/* Own copies of the strings, so that the caller's may go. */
static int copy_opts(struct ks_scene *s, const struct ks_scene_opts *o)
{
	s->opts = *o;
	s->opts.title = o->title ? strdup(o->title) : NULL;
	s->opts.vcpus = o->vcpus ? strdup(o->vcpus) : NULL;
	s->opts.vm = o->vm ? strdup(o->vm) : NULL;
	if (!s->opts.max_items)
		s->opts.max_items = SC_DEFAULT_MAX;
	if (s->opts.max_items < SC_LEAST_MAX)
		s->opts.max_items = SC_LEAST_MAX;
	if ((o->title && !s->opts.title) || (o->vcpus && !s->opts.vcpus) || (o->vm && !s->opts.vm))
		return -ENOMEM;
	return 0;
}

static int check_opts(struct ks_scene *s)
{
	if (s->opts.to && s->opts.to <= s->opts.from)
		return sc_fail(s->opts.err, -EINVAL, "the picture's end is not behind its start");
	return ks_vcpulist_parse(&s->list, s->opts.vcpus, s->opts.err);
}

int ks_scene_new(struct ks_scene **out, const struct ks_scene_opts *opts)
{
	struct ks_scene *s = calloc(1, sizeof(*s));
	int err;

	*out = NULL;
	if (!s)
		return -ENOMEM;
	s->waits.size = sizeof(struct sc_wait);
	s->holds.size = sizeof(struct sc_hold);
	s->segs.size = sizeof(struct sc_seg);
	s->ples.size = sizeof(struct sc_ple);
	s->wcells.size = s->hcells.size = sizeof(struct sc_cell);
	err = copy_opts(s, opts);
	if (!err)
		err = check_opts(s);
	if (err) {
		ks_scene_free(s);
		return err;
	}
	*out = s;
	return 0;
}

void ks_scene_free(struct ks_scene *s)
{
	if (!s)
		return;
	free(s->waits.v);
	free(s->holds.v);
	free(s->segs.v);
	free(s->ples.v);
	free(s->wcells.v);
	free(s->hcells.v);
	free(s->sums);
	free(s->skip);
	free(s->lanes);
	free((char *)s->opts.title);
	free((char *)s->opts.vcpus);
	free((char *)s->opts.vm);
	ks_vcpulist_free(&s->list);
	free(s);
}

void ks_scene_clock_error(struct ks_scene *s, uint64_t ns)
{
	s->opts.clock_error_ns = ns;
}

static bool outside(const struct ks_scene *s, uint64_t from, uint64_t to)
{
	return to < s->opts.from || (s->opts.to && from > s->opts.to);
}

static bool skipped(const struct ks_scene *s, uint32_t vcpu)
{
	return vcpu > SC_MAX_VCPU || (s->skip && (vcpu >= s->nskip || s->skip[vcpu]));
}

/* The sums of a vCPU, or NULL if it is not in this picture (or there is no memory). */
static struct sc_sums *sums_of(struct ks_scene *s, uint32_t vcpu)
{
	if (s->error || skipped(s, vcpu))
		return NULL;
	if (vcpu >= s->nsums) {
		uint32_t n = vcpu + 16;
		struct sc_sums *v = reallocarray(s->sums, n, sizeof(*v));

		if (!v) {
			s->error = -ENOMEM;
			return NULL;
		}
		memset(v + s->nsums, 0, (n - s->nsums) * sizeof(*v));
		s->sums = v;
		s->nsums = n;
	}
	return &s->sums[vcpu];
}

/* Room for one more, folding if there are too many. */
static void *room(struct ks_scene *s, struct sc_vec *v)
{
	void *e;

	if (s->waits.n + s->holds.n + s->segs.n + s->ples.n >= s->opts.max_items)
		s->error = sc_fold(s);
	e = s->error ? NULL : sc_vec_add(v);
	if (!e && !s->error)
		s->error = -ENOMEM;
	return e;
}

static bool other_lock(const struct ks_scene *s, uint64_t lock)
{
	return s->opts.lock && lock != s->opts.lock;
}

bool ks_scene_wants(const struct ks_scene *s, const struct ks_wait *w)
{
	return w->acq_time >= w->try_time && !outside(s, w->try_time, w->acq_time) &&
	       !other_lock(s, w->lock) && !skipped(s, w->vcpu);
}

static void on_wait(void *ctx, const struct ks_wait *w)
{
	struct ks_scene *s = ctx;
	struct sc_sums *sums;
	struct sc_wait *e;

	if (!ks_scene_wants(s, w))
		return;
	sums = sums_of(s, w->vcpu);
	e = sums ? room(s, &s->waits) : NULL;
	if (!e)
		return;
	e->w = *w;
	if ((unsigned int)w->verdict >= KS_C_WAIT_MAX)
		e->w.verdict = KS_C_UNKNOWN;
	if ((unsigned int)w->blame_class >= KS_C_WAIT_MAX)
		e->w.blame_class = KS_C_UNKNOWN;
	sums->waits[e->w.verdict]++;
	for (int c = 0; c < KS_C_WAIT_MAX; c++)
		sums->wait_ns[c] += w->share[c];
}

static void on_hold(void *ctx, const struct ks_hold *h)
{
	struct ks_scene *s = ctx;
	struct sc_sums *sums;
	struct sc_hold *e;

	if (h->rel_time < h->acq_time || outside(s, h->acq_time, h->rel_time) ||
	    other_lock(s, h->lock))
		return;
	sums = sums_of(s, h->vcpu);
	e = sums ? room(s, &s->holds) : NULL;
	if (!e)
		return;
	e->h = *h;
	sums->holds++;
	sums->holds_off += h->off_ns > 0;
}

/* Keeps the list short, sorted and without doubles; beyond its room it only counts. */
static void note_pcpu(struct sc_sums *sums, int32_t pcpu)
{
	uint32_t n = sums->npcpus, i = 0;

	if (pcpu < 0 || n > SC_MAX_PCPUS)
		return;
	while (i < n && sums->pcpu[i] < pcpu)
		i++;
	if (i < n && sums->pcpu[i] == pcpu)
		return;
	sums->npcpus++;
	if (n == SC_MAX_PCPUS)
		return;
	memmove(&sums->pcpu[i + 1], &sums->pcpu[i], (n - i) * sizeof(*sums->pcpu));
	sums->pcpu[i] = pcpu;
}

static uint64_t clipped(const struct ks_scene *s, uint64_t from, uint64_t to)
{
	if (from < s->opts.from)
		from = s->opts.from;
	if (s->opts.to && to > s->opts.to)
		to = s->opts.to;
	return to > from ? to - from : 0;
}

static void on_segment(void *ctx, const struct ks_segment *g)
{
	struct ks_scene *s = ctx;
	struct sc_sums *sums;
	struct sc_seg *e;

	if (outside(s, g->from, g->to) || g->to <= g->from || (int)g->state >= SC_STATES)
		return;
	sums = sums_of(s, g->vcpu);
	e = sums ? room(s, &s->segs) : NULL;
	if (!e)
		return;
	e->from = g->from;
	e->to = g->to;
	e->vcpu = g->vcpu;
	e->pcpu = g->pcpu;
	e->state = (uint8_t)g->state;
	sums->segments++;
	sums->state_ns[g->state] += clipped(s, g->from, g->to);
	if (g->state == KS_V_RUNNING)
		note_pcpu(sums, g->pcpu);
}

static void on_ple(void *ctx, const struct ks_ple *p)
{
	struct ks_scene *s = ctx;
	struct sc_sums *sums;
	struct sc_ple *e;

	if (outside(s, p->time, p->time))
		return;
	sums = sums_of(s, p->vcpu);
	e = sums ? room(s, &s->ples) : NULL;
	if (!e)
		return;
	e->from = e->to = p->time;
	e->ip = p->ip;
	e->vcpu = p->vcpu;
	e->count = p->count;
	e->class = (unsigned int)p->class < KS_C_MAX ? (uint8_t)p->class : KS_C_UNKNOWN;
	sums->ple[e->class] += p->count;
	if (p->lock)
		sums->ple_in_waits += p->count;
}

void ks_scene_ops(struct ks_scene *s, struct ks_analysis_ops *ops)
{
	ops->wait = on_wait;
	ops->hold = on_hold;
	ops->segment = on_segment;
	ops->ple = on_ple;
	ops->ctx = s;
}

uint64_t sc_sum_ple(const struct sc_sums *sums)
{
	uint64_t n = 0;

	for (int c = 0; c < KS_C_MAX; c++)
		n += sums->ple[c];
	return n;
}

uint64_t sc_sum_waits(const struct sc_sums *sums)
{
	uint64_t n = 0;

	for (int c = 0; c < KS_C_WAIT_MAX; c++)
		n += sums->waits[c];
	return n;
}

uint64_t sc_sum_wait_ns(const struct sc_sums *sums)
{
	uint64_t n = 0;

	for (int c = 0; c < KS_C_WAIT_MAX; c++)
		n += sums->wait_ns[c];
	return n;
}

const char *sc_sym(const struct ks_scene *s, uint64_t addr, char *buf, size_t len)
{
	const char *name = NULL;

	if (!addr)
		return "";
	if (s->opts.sym)
		name = s->opts.sym(s->opts.sym_ctx, s->vm, addr, buf, len);
	if (name && *name)
		return name;
	snprintf(buf, len, "0x%" PRIx64, addr);
	return buf;
}

const char *sc_task(const struct ks_scene *s, uint32_t pid, char *buf, size_t len)
{
	const char *name = NULL;

	if (s->opts.task)
		name = s->opts.task(s->opts.task_ctx, s->vm, pid, buf, len);
	return name ? name : "";
}
