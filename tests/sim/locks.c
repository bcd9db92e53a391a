// SPDX-License-Identifier: GPL-2.0
/*
 * Spinlocks. FIFO: a queue, as in ticket and MCS locks. Unfair: whoever sees it free first takes
 * it, newcomers included. PV: a queue whose waiters halt after a while and are kicked by the
 * release, and where a newcomer now and then takes the lock before the queue does.
 *
 * Where a probe sits is modelled too: the try is stamped before the waiter is in the queue, the
 * acquire after the lock is taken, the release before it is let go.
 */
#include "emit.h"
#include "sim.h"
#include "truth.h"

#define PV_STEAL_PPM 100000

static uint64_t probe_gap(struct vcpu *v)
{
	return rng_range(&v->w->rng, 5, 40);
}

static struct lock *lock_of(struct vcpu *v, struct frame *f)
{
	return &v->vm->locks[frame_op(f)->arg];
}

bool lock_spinning(const struct frame *f)
{
	return f->ops[f->pc].kind == OP_LOCK && f->phase == PH_SPIN;
}

bool lock_can_take(const struct wait *wt)
{
	const struct lock *l = wt->l;

	return !l->holder && (l->vm->w->p.algo == LOCK_UNFAIR || l->q[0] == wt);
}

static bool newcomer_takes(struct vcpu *v, struct lock *l)
{
	if (l->holder)
		return false;
	if (!l->nq || v->w->p.algo == LOCK_UNFAIR)
		return true;
	return v->w->p.algo == LOCK_PV && rng_chance(&v->w->rng, PV_STEAL_PPM);
}

static void take(struct vcpu *v, struct frame *f, struct lock *l, bool contended)
{
	struct op *op = frame_op(f);

	truth_lock(l);
	l->holder = v;
	l->acq_true = v->w->now;
	l->ip = op->ip;
	l->pid = guest_pid(v);
	/* Below it: holds and waits, but not its own wait, which ends here. */
	l->flags = f->ctx | (v->nheld + v->nwaits - (f->wait ? 1 : 0));
	l->contended = contended;
	l->acq_kept = l->rel_kept = l->raced = l->murky = false;
	l->serial++;
	v->held[v->nheld++] = l;
	f->phase = PH_TAKEN;
	guest_for(v, probe_gap(v));
}

static void unqueue(struct lock *l, struct wait *wt)
{
	uint32_t i = 0;

	while (l->q[i] != wt)
		i++;
	for (l->nq--; i < l->nq; i++)
		l->q[i] = l->q[i + 1];
}

static void grab(struct vcpu *v, struct frame *f)
{
	struct wait *wt = f->wait;
	struct lock *l = wt->l;

	if (!lock_can_take(wt)) {
		f->phase = PH_SPIN;
		guest_run(v);
		return;
	}
	truth_lock(l);
	unqueue(l, wt);
	truth_acquired(wt);
	take(v, f, l, true);
}

static void stamp_acquire(struct vcpu *v, struct frame *f)
{
	struct lock *l = lock_of(v, f);
	struct wait *wt = f->wait;

	l->acq_stamp = v->w->now;
	l->acq_own = emit_guest_now(v->vm);
	l->seen = v->vm->recording;
	l->acq_off = v->off_ns;
	l->acq_known = v->seen;
	if (wt && !wt->seen)
		l->contended = false; /* the probe came too late for the try */
	if (wt && wt->seen) {
		struct ks_rec rec = { .type = KS_LOCK_ACQ,
				      .id = wt->pid,
				      .flags = wt->flags,
				      .a = l->addr,
				      .b = emit_guest_since(v->vm, wt->try_own) };

		wt->acq_kept = l->acq_kept = emit_guest(v, &rec);
	}
	if (wt) {
		truth_stamped(wt);
		f->wait = NULL;
		v->spun = 0;
	}
	guest_next(v);
}

/*
 * Before the lock function has switched preemption off, the thread may be switched out: the trace
 * has a try of this vCPU, which does not wait. The thread tries again when it runs again.
 */
static bool stray(struct vcpu *v, struct frame *f, struct lock *l, const struct ks_rec *try)
{
	if (l->ctx != LC_PLAIN || f->ctx != KS_F_CTX_TASK || v->nheld || !v->rq ||
	    !rng_chance(&v->w->rng, v->w->p.stray_ppm))
		return false;
	emit_guest(v, try);
	truth_stray(v, l);
	gsched_requeue(v);
	guest_run(v);
	return true;
}

static void start(struct vcpu *v, struct frame *f)
{
	struct lock *l = lock_of(v, f);
	struct ks_rec rec = { .type = KS_LOCK_TRY, .id = guest_pid(v), .a = l->addr };

	if (newcomer_takes(v, l)) {
		take(v, f, l, false);
		return;
	}
	rec.flags = f->ctx | ((v->w->p.contention ? 0 : v->nheld) + v->nwaits);
	rec.b = frame_op(f)->ip;
	if (stray(v, f, l, &rec))
		return;
	f->wait = truth_try(v, l, frame_op(f), rec.flags);
	f->wait->try_kept = emit_guest(v, &rec);
	f->phase = PH_TRIED;
	guest_for(v, probe_gap(v));
}

static void queue_up(struct vcpu *v, struct frame *f)
{
	struct wait *wt = f->wait;
	struct lock *l = wt->l;

	if (wt->raced)
		l->raced_tries--;
	truth_lock(l);
	l->q[l->nq++] = wt;
	truth_queued(wt);
	f->phase = PH_SPIN;
	v->spun = 0;
	guest_run(v);
}

void lock_step(struct vcpu *v, struct frame *f)
{
	switch (f->phase) {
	case PH_START:
		start(v, f);
		break;
	case PH_TRIED:
		queue_up(v, f);
		break;
	case PH_SPIN: /* PV: spun for long enough */
		vcpu_exit(v, X_PVHLT, rng_range(&v->w->rng, 500, 1500));
		break;
	case PH_GRAB:
		grab(v, f);
		break;
	case PH_TAKEN:
		stamp_acquire(v, f);
		break;
	}
}

static void spin(struct vcpu *v, struct frame *f)
{
	uint64_t most = v->w->p.pv_spin;

	if (lock_can_take(f->wait)) {
		f->phase = PH_GRAB;
		guest_for(v, rng_range(&v->w->rng, 40, 150));
		return;
	}
	if (v->w->p.algo == LOCK_PV) {
		guest_for(v, v->spun < most ? most - v->spun : 1);
		return;
	}
	v->step_start = v->w->now;
	v->gen++;
}

void lock_run(struct vcpu *v, struct frame *f)
{
	if (frame_op(f)->kind == OP_LOCK && (f->phase == PH_SPIN || f->phase == PH_GRAB)) {
		f->phase = PH_SPIN;
		spin(v, f);
	} else {
		guest_for(v, f->rem);
	}
}

/* Stopped between an operation and its stamp: the trace will tell another order. */
void lock_stopped(struct vcpu *v, struct frame *f, uint64_t ran)
{
	if (f->phase == PH_TAKEN || f->phase == PH_LETTING) {
		truth_lock(lock_of(v, f));
		lock_of(v, f)->raced = true;
	} else if (f->phase == PH_TRIED && !f->wait->raced) {
		truth_lock(f->wait->l);
		f->wait->raced = true;
		f->wait->l->raced_tries++;
	} else if (f->phase == PH_SPIN) {
		v->spun = v->why == X_PVHLT ? 0 : v->spun + ran;
	}
}

static void stamp_release(struct vcpu *v, struct lock *l)
{
	uint64_t hold = emit_guest_since(v->vm, l->acq_own);
	struct ks_rec rec = { .type = KS_LOCK_REL, .id = l->pid, .a = l->addr };
	bool long_hold = hold >= v->w->p.hold_threshold;

	if (!l->seen || v->w->p.contention || (!long_hold && !l->nq && !l->contended))
		return;
	rec.flags = l->flags | (l->nq ? KS_F_WAITERS : 0);
	if (hold >> 32) {
		hold >>= 10;
		rec.flags |= KS_F_COARSE;
	}
	rec.b = (uint32_t)l->ip | hold << 32;
	l->rel_drained = emit_whole_until(v->w);
	l->rel_kept = emit_guest(v, &rec);
	/* The recorder leaves out short ones that nobody waited for in the end. */
	if (l->nq || long_hold)
		totals_hold(v, l, v->w->now - l->acq_stamp);
}

static void tell_waiters(struct vcpu *v, struct lock *l)
{
	for (uint32_t i = 0; i < l->nq; i++) {
		struct wait *wt = l->q[i];
		struct frame *f = guest_top(wt->v);

		if (i && v->w->p.algo != LOCK_UNFAIR)
			return;
		if (wt->v->mode == M_GUEST && f->wait == wt && f->phase == PH_SPIN) {
			f->phase = PH_GRAB;
			wt->v->spun += v->w->now - wt->v->step_start;
			guest_for(wt->v, rng_range(&v->w->rng, 40, 150));
		} else if (v->w->p.algo == LOCK_PV && f->wait == wt) {
			vcpu_kick(wt->v, v);
		}
	}
}

static void let_go(struct vcpu *v, struct frame *f)
{
	struct lock *l = lock_of(v, f);
	uint32_t i = 0;

	truth_lock(l);
	truth_hold_end(l);
	l->holder = NULL;
	/* A release without a record, because nobody waited when it was looked at, and then did. */
	l->murky = l->raced && !l->rel_kept;
	l->raced = false;
	while (v->held[i] != l)
		i++;
	for (v->nheld--; i < v->nheld; i++)
		v->held[i] = v->held[i + 1];
	if (l->ctx == LC_IRQ)
		f->irqoff--;
	else if (l->ctx == LC_BH)
		f->bhoff--;
	tell_waiters(v, l);
	guest_next(v);
}

void unlock_step(struct vcpu *v, struct frame *f)
{
	if (f->phase == PH_LETTING) {
		let_go(v, f);
		return;
	}
	stamp_release(v, lock_of(v, f));
	f->phase = PH_LETTING;
	guest_for(v, probe_gap(v));
}
