// SPDX-License-Identifier: GPL-2.0
/* The verdict of a wait: each instant's class, from the lock's holder and the vCPUs' states. */
#include <string.h>

#include "internal.h"

#define OFF_CPU (1u << KS_V_RUNNABLE | 1u << KS_V_HALTED | 1u << KS_V_BLOCKED | 1u << KS_V_GONE)
#define MIXED KS_C_MAX

struct judge {
	struct ks_analysis *a;
	struct an_wait *w;
	struct ks_wait out;
	uint64_t error; /* of the guest's clock, ns */
	uint32_t ple;	/* next exit to be classed */
	struct an_looks looks;
	uint64_t *share; /* where time goes: out.share, or a burst's own */
	bool blaming;
};

static enum ks_class class_of(enum an_kind kind, enum ks_vstate self, enum ks_vstate other)
{
	if (1u << self & OFF_CPU)
		return KS_C_SELF;
	if (self == KS_V_UNKNOWN || kind == AN_UNSEEN)
		return KS_C_UNKNOWN;
	if (kind == AN_FREE_SELF)
		return KS_C_HANDOFF;
	switch (other) {
	case KS_V_RUNNING:
		return kind == AN_HELD ? KS_C_BUSY : KS_C_HANDOFF;
	case KS_V_RUNNABLE:
		return kind == AN_HELD ? KS_C_LHP : KS_C_LWP;
	case KS_V_HALTED:
	case KS_V_BLOCKED:
		return kind == AN_HELD ? KS_C_HALTED : KS_C_LWP;
	default:
		return KS_C_UNKNOWN;
	}
}

/* ---- blame ---- */

static bool blames(enum ks_class c)
{
	return c == KS_C_LHP || c == KS_C_BUSY || c == KS_C_HALTED || c == KS_C_LWP;
}

static void blame(struct judge *j, const struct an_piece *p, enum ks_class c, uint64_t ns)
{
	struct ks_analysis *a = j->a;
	struct an_blame *b;

	if (!j->blaming || !blames(c))
		return;
	b = &a->blame[p->other];
	if (!b->listed) {
		memset(b, 0, sizeof(*b));
		b->listed = true;
		a->blamed[a->nblamed++] = p->other;
	}
	b->by[c].ns += ns;
	if (ns > b->by[c].longest) {
		b->by[c].longest = ns;
		b->by[c].ip = p->ip;
		b->by[c].pid = p->pid;
	}
}

static enum ks_class blame_class(const struct ks_wait *o)
{
	enum ks_class best = KS_C_LHP;
	int c;

	if (blames(o->verdict))
		return o->verdict;
	for (c = 0; c < KS_C_WAIT_MAX; c++)
		if (blames(c) && o->share[c] > o->share[best])
			best = c;
	return best;
}

static void pick_blamed(struct judge *j)
{
	struct ks_analysis *a = j->a;
	struct ks_wait *o = &j->out;
	uint64_t best = 0, ns;
	uint32_t i, v;

	o->blame_vcpu = KS_NO_VCPU;
	o->blame_class = blame_class(o);
	for (i = 0; i < a->nblamed; i++) {
		v = a->blamed[i];
		ns = a->blame[v].by[o->blame_class].ns;
		a->blame[v].listed = false;
		if (ns <= best)
			continue;
		best = ns;
		o->blame_vcpu = v;
		o->blame_pid = a->blame[v].by[o->blame_class].pid;
		o->blame_ip = a->blame[v].by[o->blame_class].ip;
	}
	a->nblamed = 0;
	if (o->blame_vcpu != KS_NO_VCPU)
		o->blame_off_ns = an_time_seen(a, o->blame_vcpu, o->try_time, o->acq_time, OFF_CPU);
}

/* ---- one piece ---- */

/* The states of waiter and other along a stretch of time. */
struct walk {
	const struct ks_history *self, *other;
	uint64_t si, oi;
};

static struct walk walk_from(const struct judge *j, const struct an_piece *p, uint64_t t)
{
	struct walk k = { .self = &j->a->vcpu[j->w->vcpu].hist };

	k.si = ks_history_find(k.self, t);
	if (p->kind == AN_HELD || p->kind == AN_FREE_NEXT) {
		k.other = &j->a->vcpu[p->other].hist;
		k.oi = ks_history_find(k.other, t);
	}
	return k;
}

/* Who lets a lock go wakes the next in order: one that sleeps on waits for somebody who was not seen. */
static enum ks_vstate other_state(const struct judge *j, enum an_kind kind,
				  const struct ks_history *h, uint64_t i)
{
	enum ks_vstate s = ks_history_state(h, i);

	return s == KS_V_HALTED && kind == AN_FREE_NEXT && j->a->opts.halted_spins ? KS_V_UNKNOWN :
										     s;
}

static enum ks_class walk_class(const struct judge *j, const struct walk *k, enum an_kind kind)
{
	enum ks_vstate self = ks_history_state(k->self, k->si);

	if (self == KS_V_HALTED && j->a->opts.halted_spins)
		self = kind == AN_FREE_SELF ? KS_V_UNKNOWN : KS_V_RUNNING;
	return class_of(kind, self,
			k->other ? other_state(j, kind, k->other, k->oi) : KS_V_UNKNOWN);
}

static uint64_t walk_until(const struct walk *k)
{
	uint64_t s = ks_history_until(k->self, k->si);
	uint64_t o = k->other ? ks_history_until(k->other, k->oi) : AN_NEVER;

	return s < o ? s : o;
}

static void walk_to(struct walk *k, uint64_t t)
{
	while (ks_history_until(k->self, k->si) <= t)
		k->si++;
	while (k->other && ks_history_until(k->other, k->oi) <= t)
		k->oi++;
}

/* The class all through [from, to), or MIXED. */
static enum ks_class steady(const struct judge *j, const struct an_piece *p, uint64_t from,
			    uint64_t to)
{
	struct walk k = walk_from(j, p, from);
	enum ks_class c = walk_class(j, &k, p->kind);
	uint64_t t;

	while ((t = walk_until(&k)) < to) {
		walk_to(&k, t);
		if (walk_class(j, &k, p->kind) != c)
			return MIXED;
	}
	return c;
}

static void add_time(struct judge *j, const struct an_piece *p, uint64_t from, uint64_t to)
{
	struct walk k = walk_from(j, p, from);
	enum ks_class c;
	uint64_t t;

	while (from < to) {
		c = walk_class(j, &k, p->kind);
		t = walk_until(&k);
		if (t > to)
			t = to;
		j->share[c] += t - from;
		blame(j, p, c, t - from);
		walk_to(&k, t);
		from = t;
	}
}

/*
 * Both ends of the piece are guest times, the states the host's, so the piece may really lie up
 * to `error` earlier or later. Its inside is certain in any case. What lies within `error` of its
 * ends is certain if the class is one and the same around both ends: what the shift takes away at
 * one end it adds at the other. If not, the two ends count as unknown. Returns how much.
 */
static uint64_t uncertain(const struct judge *j, const struct an_piece *p)
{
	uint64_t e = j->error, f0 = p->from > e ? p->from - e : 0, t0;
	enum ks_class c;

	if (!e)
		return 0;
	t0 = p->to > e ? p->to - e : 0;
	c = steady(j, p, f0, p->from + e);
	if (c != MIXED && c == steady(j, p, t0, p->to + e))
		return 0;
	return e;
}

/* An exit proves that the waiter was running, whatever its state at that very instant. */
static enum ks_class exit_class(const struct judge *j, const struct an_piece *p, uint64_t t,
				uint64_t e)
{
	const struct ks_history *h;

	if (e && (t < p->from + e || t + e >= p->to))
		return KS_C_UNKNOWN;
	if (p->kind != AN_HELD && p->kind != AN_FREE_NEXT)
		return class_of(p->kind, KS_V_RUNNING, KS_V_UNKNOWN);
	h = &j->a->vcpu[p->other].hist;
	return class_of(p->kind, KS_V_RUNNING, other_state(j, p->kind, h, ks_history_find(h, t)));
}

static void count_exit(struct judge *j, const struct an_exit *x, enum ks_class c)
{
	j->out.ple[c] += x->count;
	an_ple(j->a, j->w->vcpu, x, c, j->w);
}

static void class_exits(struct judge *j, const struct an_piece *p, uint64_t e)
{
	const struct an_wait *w = j->w;
	const struct an_exit *x;

	for (; j->ple < w->nple; j->ple++) {
		x = &w->ple[j->ple];
		if (x->last >= p->to && p->to < w->acq_time)
			break;
		if (x->first == x->last)
			count_exit(j, x, exit_class(j, p, x->last, e));
	}
}

/* Near the ends of a piece another vCPU may hold the lock, even if the class is the same there. */
static void class_looks(struct judge *j, const struct an_piece *p)
{
	uint64_t e = j->error;
	struct an_look *x;
	bool known;

	if (!j->w->nlook)
		return;
	if (p->kind == AN_HELD || p->kind == AN_UNSEEN)
		an_looks_taken(&j->looks, p->kind == AN_HELD ? p->other : KS_NO_VCPU);
	while ((x = an_looks_in(&j->looks, p))) {
		known = x->exit >= p->from + e && x->time + e < p->to &&
			exit_class(j, p, x->exit, 0) != KS_C_UNKNOWN;
		an_looks_judge(&j->looks, p, known);
	}
}

/* Exits, and what lock pages said at them. */
static void class_moments(struct judge *j, const struct an_piece *p, uint64_t e)
{
	if (!j->blaming)
		return;
	class_exits(j, p, e);
	class_looks(j, p);
}

/* The common case: neither vCPU changes its state from before the piece until after it. */
static bool judge_steady(struct judge *j, const struct an_piece *p)
{
	struct walk k = walk_from(j, p, p->from > j->error ? p->from - j->error : 0);
	enum ks_class c = walk_class(j, &k, p->kind);

	if (walk_until(&k) < p->to + j->error)
		return false;
	j->share[c] += p->to - p->from;
	blame(j, p, c, p->to - p->from);
	return true;
}

static void judge_seen(struct judge *j, const struct an_piece *p)
{
	uint64_t e = 0;

	if (judge_steady(j, p)) {
		class_moments(j, p, 0);
		return;
	}
	e = uncertain(j, p);
	if (e && p->to - p->from <= 2 * e) {
		j->share[KS_C_UNKNOWN] += p->to - p->from;
	} else {
		j->share[KS_C_UNKNOWN] += 2 * e;
		add_time(j, p, p->from + e, p->to - e);
	}
	class_moments(j, p, e);
}

/* Nobody knows where on the host's clock this lies. */
static void judge_blind(struct judge *j, struct an_piece p)
{
	p.kind = AN_UNSEEN;
	p.other = KS_NO_VCPU;
	j->share[KS_C_UNKNOWN] += p.to - p.from;
	class_moments(j, &p, 0);
}

static void judge_piece(void *ctx, const struct an_piece *p)
{
	struct judge *j = ctx;
	const struct an_vm *m = &j->a->vm[j->w->vm];
	const struct an_span *b;
	struct an_piece part = *p;

	while (m->nblind && (b = an_blind_after(m, part.from)) && b->from < p->to) {
		if (b->from > part.from) {
			part.to = b->from;
			judge_seen(j, &part);
			part.from = part.to;
		}
		part.to = b->to < p->to ? b->to : p->to;
		judge_blind(j, part);
		part.from = part.to;
		if (part.from == p->to)
			return;
	}
	part.to = p->to;
	judge_seen(j, &part);
}

/* ---- folded bursts ---- */

/* Spread a burst's exits over the classes of its time in which the waiter ran. */
static void class_burst(struct judge *j, const struct an_exit *x)
{
	uint64_t share[KS_C_MAX] = { 0 }, run = 0, done = 0, upto = 0, n;
	struct an_exit y = *x;
	int c;

	j->share = share;
	an_sweep(j->a, j->w, x->first, x->last, judge_piece, j);
	j->share = j->out.share;
	share[KS_C_SELF] = 0;
	for (c = 0; c < KS_C_WAIT_MAX; c++)
		run += share[c];
	for (c = 0; c < KS_C_WAIT_MAX && run; c++) {
		done += share[c];
		n = (uint64_t)(((unsigned __int128)x->count * done + run / 2) / run);
		y.count = n - upto;
		if (y.count)
			count_exit(j, &y, c);
		upto = n;
	}
	y.count = x->count - upto;
	if (y.count)
		count_exit(j, &y, KS_C_UNKNOWN);
}

static void class_bursts(struct judge *j)
{
	uint32_t i;

	j->blaming = false;
	for (i = 0; i < j->w->nple; i++)
		if (j->w->ple[i].first != j->w->ple[i].last)
			class_burst(j, &j->w->ple[i]);
}

/* ---- the wait ---- */

static enum ks_class largest(const uint64_t *share)
{
	enum ks_class best = KS_C_UNKNOWN;
	int c;

	for (c = KS_C_WAIT_MAX - 1; c >= 0; c--)
		if (share[c] >= share[best] && share[c])
			best = c;
	return best;
}

static void add_totals(struct ks_analysis *a, const struct ks_wait *o)
{
	struct an_vm *m = &a->vm[o->vm];
	struct ks_vm_totals *t = &m->tot;
	int c;

	t->waits++;
	t->wait_ns += o->acq_time - o->try_time;
	t->verdicts[o->verdict]++;
	for (c = 0; c < KS_C_WAIT_MAX; c++)
		t->lost_ns[c] += o->share[c];
	if (o->acquired && !o->partial)
		an_hist_add(&m->per_wait, o->ple_total);
}

static void begin(struct judge *j)
{
	const struct an_wait *w = j->w;

	j->out = (struct ks_wait){
		.vm = w->vm,
		.vcpu = w->vcpu,
		.lock = w->addr,
		.ip = w->ip,
		.pid = w->pid,
		.ctx_flags = w->flags,
		.acquired = w->acquired,
		.partial = w->partial ||
			   an_blind_within(&j->a->vm[w->vm], w->try_time, w->acq_time),
		.try_time = w->try_time,
		.acq_time = w->acq_time,
	};
	j->share = j->out.share;
	j->blaming = true;
	j->error = j->a->vm[w->vm].clock_error;
	j->looks = (struct an_looks){ .w = j->w, .t = &j->a->vm[w->vm].tot.policy };
}

void an_resolve(struct ks_analysis *a, struct an_wait *w)
{
	struct judge j = { .a = a, .w = w };
	struct ks_wait *o = &j.out;
	uint64_t total;
	int c;

	begin(&j);
	an_sweep(a, w, w->try_time, w->acq_time, judge_piece, &j);
	an_looks_end(&j.looks);
	class_bursts(&j);
	/* Exits of a wait without length, if any. */
	for (; j.ple < w->nple; j.ple++)
		if (w->ple[j.ple].first == w->ple[j.ple].last)
			count_exit(&j, &w->ple[j.ple], KS_C_UNKNOWN);
	o->verdict = largest(o->share);
	pick_blamed(&j);
	total = w->ple_over > UINT32_MAX ? UINT32_MAX : w->ple_over;
	o->ple[KS_C_UNKNOWN] += total;
	for (c = 0, total = 0; c < KS_C_WAIT_MAX; c++)
		total += o->ple[c];
	o->ple_total = total > UINT32_MAX ? UINT32_MAX : total;
	add_totals(a, o);
	if (a->ops.wait)
		a->ops.wait(a->ops.ctx, o);
}
