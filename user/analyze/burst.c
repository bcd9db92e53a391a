// SPDX-License-Identifier: GPL-2.0
/* PLE exits: bursts of them, and to which wait each belongs. */
#include <stdlib.h>

#include "internal.h"

#define KERNEL_HALF (1ull << 63)
#define PARTS_FIRST 64u

static void report_burst(struct ks_analysis *a, struct an_vcpu *v)
{
	struct ks_vcpu_totals *t = &v->tot;

	t->bursts++;
	if (v->burst.exits > t->longest_burst)
		t->longest_burst = v->burst.exits;
	if (a->ops.burst)
		a->ops.burst(a->ops.ctx, &v->burst);
	v->burst.exits = 0;
}

void an_burst_flush(struct ks_analysis *a, uint32_t vcpu)
{
	if (a->vcpu[vcpu].burst.exits)
		report_burst(a, &a->vcpu[vcpu]);
}

static void burst_add(struct ks_analysis *a, uint32_t vcpu, const struct an_exit *x)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	struct ks_burst *b = &v->burst;

	if (b->exits && x->first > b->last && x->first - b->last > a->opts.burst_gap_ns)
		report_burst(a, v);
	if (!b->exits)
		*b = (struct ks_burst){ .vcpu = vcpu, .first = x->first };
	if (x->first < b->first)
		b->first = x->first;
	if (x->last > b->last)
		b->last = x->last;
	b->exits += x->count;
	if (x->ip)
		b->ip = x->ip;
}

void an_ple(struct ks_analysis *a, uint32_t vcpu, const struct an_exit *x, enum ks_class c,
	    const struct an_wait *w)
{
	struct ks_ple p;

	a->vcpu[vcpu].tot.ple[c] += x->count;
	if (!a->ops.ple)
		return;
	p = (struct ks_ple){
		.vcpu = vcpu,
		.time = x->last,
		.ip = x->ip,
		.count = x->count > UINT32_MAX ? UINT32_MAX : x->count,
		.class = c,
		.lock = w ? w->addr : 0,
		.site = w ? w->ip : 0,
	};
	a->ops.ple(a->ops.ctx, &p);
}

static bool user_mode(const struct ks_rec *r)
{
	if (r->flags & KS_F_CPL)
		return (r->flags & KS_F_CPL_MASK) == 3;
	return (r->flags & KS_F_IP) && !(r->a & KERNEL_HALF);
}

/* Class of an exit outside every wait that was seen. */
static enum ks_class outside(struct ks_analysis *a, uint32_t vcpu, const struct ks_rec *r)
{
	bool blind = an_is_blind(&a->vm[a->model.vcpus[vcpu].vm], r->time);
	enum ks_class c = KS_C_OTHER;

	if (user_mode(r))
		return KS_C_USER;
	if (!(r->flags & KS_F_IP))
		return KS_C_UNKNOWN;
	if (a->opts.ip_class)
		c = a->opts.ip_class(a->opts.ip_ctx, a->model.vcpus[vcpu].vm, r->a);
	/* The record that says that it waits for a lock may be among the lost ones, or stamped elsewhere. */
	return c == KS_C_OTHER && (a->vcpu[vcpu].doubt || blind) ? KS_C_UNKNOWN : c;
}

static struct an_exit one_exit(const struct ks_event *ev)
{
	return (struct an_exit){
		.first = ev->time,
		.last = ev->time,
		.ip = ev->rec->flags & KS_F_IP ? ev->rec->a : 0,
		.count = 1,
	};
}

/* The vCPU is in user mode: it waits for no lock, whatever was heard of it. */
static void in_user_mode(struct ks_analysis *a, uint32_t vcpu, uint64_t time)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	const struct an_vm *m = &a->vm[a->model.vcpus[vcpu].vm];
	uint64_t e = m->clock_error + a->opts.slack_ns;

	if (an_is_blind(m, time))
		return;
	if (v->nopen && time > v->open[v->nopen - 1]->try_time + e)
		an_wait_drop_from(a, vcpu, 0);
	if (v->doubt && time > v->doubt_to + e)
		an_proved(a, vcpu, time);
}

static void assign_one(struct ks_analysis *a, uint32_t vcpu, const struct ks_rec *r,
		       const struct an_exit *x)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	struct an_wait *w = v->nopen ? v->open[v->nopen - 1] : NULL;

	/* Privilege level 3 is proof, an address in the lower half alone is not. */
	if ((r->flags & KS_F_CPL) && user_mode(r)) {
		if (w || v->doubt)
			in_user_mode(a, vcpu, x->last);
	} else if (w) {
		an_wait_exits(a, w, x);
		return;
	}
	an_ple(a, vcpu, x, outside(a, vcpu, r), NULL);
}

void an_pause(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	struct an_exit x = one_exit(ev);
	struct ks_vcpu *m = &a->model.vcpus[vcpu];

	a->vcpu[vcpu].tot.pause++;
	a->vcpu[vcpu].last_pause = ev->time;
	if (m->state == KS_V_UNKNOWN && !an_hostloss_doubt(a, KS_V_RUNNING, ev->rec->cpu))
		an_set_state(a, vcpu, ev->time, KS_V_RUNNING, ev->rec->cpu);
	burst_add(a, vcpu, &x);
	assign_one(a, vcpu, ev->rec, &x);
}

/* ---- folded bursts ---- */

/* A wait that overlaps the burst, and how long it does by itself. */
struct an_part {
	struct an_wait *w;
	uint64_t from, to, own;
	uint32_t outer; /* index of the one that it interrupts, while they are looked through */
};

/* As many as there may be waits at hand. */
static bool room_for_part(struct ks_analysis *a, uint32_t n)
{
	uint32_t room = a->nparts ? 2 * a->nparts : PARTS_FIRST;
	struct an_part *more;

	if (n < a->nparts)
		return true;
	more = realloc(a->parts, room * sizeof(*more));
	if (!more)
		return false;
	a->parts = more;
	a->nparts = room;
	return true;
}

static void add_part(struct ks_analysis *a, uint32_t *n, struct an_wait *w, uint64_t end,
		     const struct an_exit *x)
{
	uint64_t from = w->try_time > x->first ? w->try_time : x->first;
	uint64_t to = end < x->last ? end : x->last;

	if (from <= to && room_for_part(a, *n))
		a->parts[(*n)++] = (struct an_part){ w, from, to, to - from, 0 };
}

static int by_try(const void *a, const void *b)
{
	const struct an_part *x = a, *y = b;

	return x->w->try_time < y->w->try_time ? -1 : x->w->try_time > y->w->try_time;
}

/* Take from each wait the time of the waits nested in it (an interrupt's). They come as they began. */
static void subtract_nested(struct an_part *p, uint32_t n)
{
	uint32_t i, in = 0;

	for (i = 0; i < n; i++) {
		/* Those that were over by then interrupt nobody any more. */
		while (in && (p[in - 1].to < p[i].to || p[in - 1].w->try_time == p[i].w->try_time))
			in = p[in - 1].outer;
		if (in && p[in - 1].own >= p[i].to - p[i].from)
			p[in - 1].own -= p[i].to - p[i].from;
		p[i].outer = in;
		in = i + 1;
	}
}

/* Into a->parts; returns how many. */
static uint32_t collect_parts(struct ks_analysis *a, uint32_t vcpu, const struct an_exit *x)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	struct an_wait *w;
	uint32_t i, n = 0;

	for (w = v->pend; w; w = w->next)
		if (w->acq_time >= x->first)
			add_part(a, &n, w, w->acq_time, x);
	for (i = 0; i < v->nopen; i++)
		add_part(a, &n, v->open[i], AN_NEVER, x);
	if (n)
		qsort(a->parts, n, sizeof(*a->parts), by_try);
	subtract_nested(a->parts, n);
	return n;
}

/* A burst within one moment: it belongs to the innermost wait, if any. */
static void assign_moment(struct ks_analysis *a, uint32_t vcpu, const struct ks_rec *r,
			  const struct an_exit *x, uint32_t n)
{
	if (n)
		an_wait_exits(a, a->parts[n - 1].w, x);
	else
		an_ple(a, vcpu, x, outside(a, vcpu, r), NULL);
}

/*
 * Exits of a burst are spread over its time evenly; each wait gets those of its time, the rest
 * was outside. Counts are cut so that they add up.
 */
static void assign_burst(struct ks_analysis *a, uint32_t vcpu, const struct ks_rec *r,
			 const struct an_exit *x)
{
	uint32_t n = collect_parts(a, vcpu, x), i;
	const struct an_part *p = a->parts;
	uint64_t len = x->last - x->first, done = 0, upto = 0, c;
	struct an_exit y = *x;

	if (!len) {
		assign_moment(a, vcpu, r, x, n);
		return;
	}
	for (i = 0; i < n; i++) {
		done += p[i].own;
		c = (uint64_t)(((unsigned __int128)x->count * done + len / 2) / len);
		if (c > x->count)
			c = x->count;
		if (c <= upto)
			continue;
		y.first = p[i].from;
		y.last = p[i].to;
		y.count = c - upto;
		an_wait_exits(a, p[i].w, &y);
		upto = c;
	}
	y = *x;
	y.count = x->count - upto;
	/* Waits that ended before the ones still at hand are no longer known. */
	if (y.count)
		an_ple(a, vcpu, &y,
		       x->first + a->burst_hold < a->now && !user_mode(r) ? KS_C_UNKNOWN :
									    outside(a, vcpu, r),
		       NULL);
}

void an_burst(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	struct an_exit x = one_exit(ev);
	uint64_t len = ev->rec->b >> 32;

	/* It may be told later than it was. */
	x.first = x.last = ev->rec->time;
	x.count = (uint32_t)ev->rec->b;
	if (!x.count) {
		a->ignored++;
		return;
	}
	a->burst_hold = AN_BURST_HOLD;
	x.first -= len < x.first ? len : x.first;
	a->vcpu[vcpu].tot.pause += x.count;
	burst_add(a, vcpu, &x);
	assign_burst(a, vcpu, ev->rec, &x);
}
