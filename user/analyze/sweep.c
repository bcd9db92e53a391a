// SPDX-License-Identifier: GPL-2.0
/* Cutting a wait into pieces: who held the lock, and who was next when it was free. */
#include "internal.h"

#define SCAN_MOST 256u /* waiters looked at where their order is not that of their tries */
#define RACE_PROOF 2u  /* PLE exits of the next in order in a lock that looks free: it is not */

struct sweep {
	struct ks_analysis *a;
	const struct an_wait *w;
	const struct an_past *p;
	const struct an_vm *vm;
	uint64_t qi;	      /* waiters before it ended before the piece at hand */
	struct an_hold *prev; /* the last hold before the piece at hand; NULL = not known */
	uint32_t last;	      /* whose that was, KS_NO_VCPU = not known */
	uint64_t floor;	      /* before it, lost records may hide a hold or a waiter */
	uint64_t to;
	an_piece_fn fn;
	void *ctx;
};

static void emit(const struct sweep *s, enum an_kind kind, uint64_t from, uint64_t to)
{
	struct an_piece p = { .kind = kind, .other = KS_NO_VCPU, .from = from, .to = to };

	if (from < to)
		s->fn(s->ctx, &p);
}

static void held(const struct sweep *s, const struct an_hold *h, uint64_t from, uint64_t to)
{
	struct an_piece p = {
		.kind = AN_HELD,
		.other = h->vcpu,
		.pid = h->pid,
		.ip = h->ip,
		.from = from,
		.to = to,
	};

	/* Who waits for a lock does not hold it. */
	if (h->vcpu == s->w->vcpu || h->vcpu == KS_NO_VCPU)
		emit(s, AN_UNSEEN, from, to);
	else if (from < to)
		s->fn(s->ctx, &p);
}

static const struct an_queued *queued(const struct an_past *p, uint64_t seq)
{
	return &p->q[seq & (p->qcap - 1)];
}

/* The next in order at time t: of those that wait then, the one that began first. */
static uint64_t next_in_order(struct sweep *s, uint64_t t)
{
	const struct an_past *p = s->p;
	const struct an_queued *q, *best = NULL;
	uint64_t i, at = p->qtail;

	while (s->qi < p->qtail && queued(p, s->qi)->end <= t)
		s->qi++;
	for (i = s->qi; i < p->qtail; i++) {
		if (p->unsorted && i - s->qi > SCAN_MOST)
			return p->qtail;
		q = queued(p, i);
		if (q->end <= t)
			continue;
		if (q->try_time > t) {
			if (!p->unsorted)
				break;
			continue;
		}
		if (!best || q->try_time < best->try_time) {
			best = q;
			at = i;
		}
		if (!p->unsorted)
			break;
	}
	return at;
}

/*
 * Is it certain that n was the next in order? (That the lock was free nearly is: every release with
 * a waiter leaves a record, unless the probe could not see it; see hidden().)
 */
static bool certain(const struct sweep *s, const struct an_queued *n)
{
	const struct an_vm *vm = s->vm;

	if (n->doubt)
		return false;
	if (n->end == AN_NEVER && s->a->vcpu[n->vcpu].doubt)
		return false;
	/* A vCPU whose records were lost may wait unseen, and have begun before n. */
	return !vm->ndoubt || vm->doubt_since > s->w->acq_time || n->try_time < vm->doubt_since;
}

/*
 * If the vCPU of hold h lost its pCPU just when it stamped the release: when it got one again, and in *left when it
 * lost it. Else 0. Both by the host's clock.
 */
static uint64_t back_after(const struct sweep *s, const struct an_hold *h, uint64_t *left)
{
	const struct ks_history *v;
	uint64_t e = s->vm->clock_error, seq, back;

	if (h->vcpu == KS_NO_VCPU || an_is_blind(s->vm, h->rel))
		return 0;
	v = &s->a->vcpu[h->vcpu].hist;
	seq = ks_history_find(v, h->rel + s->a->opts.slack_ns + e);
	back = ks_history_until(v, seq);
	*left = v->e[seq & v->mask] >> 3;
	if (ks_history_state(v, seq) != KS_V_RUNNABLE || back == AN_NEVER || *left + e < h->rel)
		return 0;
	return back;
}

/* Exits of one stretch in [from, to); if it reaches over an end, by its part of the time, rounded down. */
static uint64_t exits_within(const struct an_exit *x, uint64_t from, uint64_t to)
{
	uint64_t first = x->first > from ? x->first : from, last = x->last < to ? x->last : to;

	if (x->first >= from && x->last < to)
		return x->count;
	if (first >= last)
		return 0;
	return (uint64_t)((unsigned __int128)x->count * (last - first) / (x->last - x->first));
}

/* Did the waiter run all through the stretch? If not, nobody knows where in it the exits lie. */
static bool is_even(const struct sweep *s, const struct an_exit *x)
{
	const uint32_t running = 1u << KS_V_RUNNING;

	return x->first == x->last ||
	       an_time_seen(s->a, s->w->vcpu, x->first, x->last, running) == x->last - x->first;
}

/* PLE exits that the wait itself spun for in [from, to), for sure. */
static uint64_t spun(const struct sweep *s, uint64_t from, uint64_t to)
{
	const struct an_exit *x;
	uint64_t n = 0;
	uint32_t i;

	for (i = 0; i < s->w->nple; i++) {
		x = &s->w->ple[i];
		if ((x->first >= from && x->last < to) || is_even(s, x))
			n += exits_within(x, from, to);
	}
	return n;
}

/*
 * A release is stamped before the lock is let go. Its vCPU may be preempted in between: then the
 * lock looks free and is not. That is so if the next in order spins all the same, and nobody takes
 * the lock until that vCPU is back. Exits of before it left prove nothing, wherever the release is
 * stamped by a guest's clock that is not exact. The hold is made as long as it was, for the waits behind this
 * one, too. Returns from when on the lock is free.
 */
static uint64_t still_held(struct sweep *s, uint64_t from, uint64_t to)
{
	uint64_t left = 0, back = s->prev ? back_after(s, s->prev, &left) : 0;

	if (back <= from || back > to || from < s->floor || next_in_order(s, from) != s->w->seq ||
	    spun(s, left, back) < RACE_PROOF)
		return from;
	held(s, s->prev, from, back);
	s->prev->rel = back;
	return back;
}

/*
 * The next in order runs and spins on, so the lock was not free: its holder left no record (the
 * probe does not see what an interrupt does in the middle of it). Those who wait behind this one
 * shall not take it for free either.
 */
static void hidden(struct sweep *s, uint64_t from, uint64_t to)
{
	an_past_unseen(s->a, s->w->lock->past, from, to);
	s->prev = NULL;
	s->last = KS_NO_VCPU;
	emit(s, AN_UNSEEN, from, to);
}

static void lock_free(struct sweep *s, uint64_t from, uint64_t to)
{
	const struct an_queued *n;
	struct an_piece p = { .kind = AN_FREE_NEXT, .from = from, .to = to };
	uint64_t at;

	if (!s->vm->full || to <= s->floor) {
		emit(s, AN_UNSEEN, from, to);
		return;
	}
	p.from = from = still_held(s, from, to);
	if (from < s->floor) {
		emit(s, AN_UNSEEN, from, s->floor);
		p.from = s->floor;
	}
	at = next_in_order(s, p.from);
	n = at < s->p->qtail ? queued(s->p, at) : NULL;
	if (!n || !certain(s, n)) {
		emit(s, AN_UNSEEN, p.from, to);
		return;
	}
	if (at == s->w->seq && spun(s, p.from, to) >= RACE_PROOF) {
		hidden(s, p.from, to);
		return;
	}
	/* It acquired the lock, and what it did with it was not seen. */
	if (n->end < to && to - n->end > s->a->opts.slack_ns)
		p.to = n->end;
	p.kind = at == s->w->seq ? AN_FREE_SELF : AN_FREE_NEXT;
	p.last = s->last;
	p.other = n->vcpu;
	p.pid = n->pid;
	p.ip = n->ip;
	s->fn(s->ctx, &p);
	emit(s, AN_UNSEEN, p.to, to);
}

/*
 * The trace ended before the lock was released: the holder is known only if it, too, had waited,
 * and acquired the lock when this wait had begun (of an earlier hold the release may have left no
 * record), and no release was lost since.
 */
static void open_end(struct sweep *s, uint64_t from, uint64_t released)
{
	const struct an_lock *k = s->w->lock;
	struct an_hold h = { .vcpu = k->owner, .pid = k->owner_pid, .ip = k->owner_ip };
	uint64_t acq = k->owner_acq > from ? k->owner_acq : from;

	if (!s->vm->full || k->owner == KS_NO_VCPU || k->owner_acq < s->w->try_time ||
	    k->owner_acq < released || acq > s->to || acq < s->floor) {
		emit(s, AN_UNSEEN, from, s->to);
		return;
	}
	if (from < acq)
		lock_free(s, from, acq);
	held(s, &h, acq, s->to);
}

/* First hold that was released after t. */
static uint64_t first_hold(const struct an_past *p, uint64_t t)
{
	uint64_t lo = p->hhead, hi = p->htail, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (p->h[mid & (p->hcap - 1)].rel <= t)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* hidden() puts a hold in, for which a full ring drops another one: *i, which comes after t, maybe, and more before it. */
static uint64_t skip_dropped(const struct sweep *s, uint64_t *i, uint64_t t)
{
	uint64_t known = s->p->from < s->to ? s->p->from : s->to;

	if (*i >= s->p->hhead)
		return t;
	emit(s, AN_UNSEEN, t, known);
	if (t < known)
		t = known;
	*i = first_hold(s->p, t);
	return t;
}

static void walk(struct sweep *s, uint64_t t)
{
	const struct an_past *p = s->p;
	uint64_t i = first_hold(p, t), end;
	uint64_t released = i > p->hhead ? p->h[(i - 1) & (p->hcap - 1)].rel : p->base_rel;
	struct an_hold *h;

	s->prev = i > p->hhead ? &p->h[(i - 1) & (p->hcap - 1)] : NULL;
	s->last = s->prev ? s->prev->vcpu : p->base_vcpu;
	while (t < s->to) {
		h = i < p->htail ? &p->h[i & (p->hcap - 1)] : NULL;
		if (!h && !s->w->acquired) {
			open_end(s, t, released);
			return;
		}
		if (h && h->rel <= t) {
			i++;
			continue;
		}
		end = h && h->acq > t ? h->acq : h ? h->rel : s->to;
		if (end > s->to)
			end = s->to;
		if (h && h->acq <= t) {
			held(s, h, t, end);
			released = h->rel;
			s->prev = h;
			s->last = h->vcpu;
			i++;
		} else {
			lock_free(s, t, end);
			end = skip_dropped(s, &i, end);
		}
		t = end;
	}
}

void an_sweep(struct ks_analysis *a, const struct an_wait *w, uint64_t from, uint64_t to,
	      an_piece_fn fn, void *ctx)
{
	struct sweep s = {
		.a = a,
		.w = w,
		.p = w->lock->past,
		.vm = &a->vm[w->vm],
		.to = to,
		.fn = fn,
		.ctx = ctx,
	};

	s.qi = s.p->qhead;
	s.floor = an_losses_floor(&s.vm->loss, w->acq_time + a->opts.slack_ns);
	if (s.floor < s.vm->doubt_end)
		s.floor = s.vm->doubt_end;
	if (from < s.p->from) {
		emit(&s, AN_UNSEEN, from, s.p->from < to ? s.p->from : to);
		from = s.p->from;
	}
	if (from < to)
		walk(&s, from);
}
