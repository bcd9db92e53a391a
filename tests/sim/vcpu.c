// SPDX-License-Identifier: GPL-2.0
/* A vCPU on the host: it enters the guest, exits, polls, sleeps, is woken. */
#include "emit.h"
#include "sim.h"
#include "truth.h"

#define BURST_GAP 1000000u

static struct pcpu *pcpu_of(struct vcpu *v)
{
	return &v->w->pcpus[v->ent.pcpu];
}

static void step_in(struct vcpu *v, uint64_t ns)
{
	world_at(v->w, ns, OCC_GUEST, v, ++v->gen);
}

/* The probe meets a vCPU at its first exit; what happened to it before is not recorded. */
static bool emit(struct vcpu *v, uint32_t ring, const struct ks_rec *rec)
{
	return v->born && emit_host(v->w, ring, rec);
}

static void burst_flush(struct vcpu *v)
{
	if (!v->burst.b)
		return;
	v->burst.b |= (v->burst_last - v->burst.time) << 32;
	v->burst.time = v->burst_last;
	emit_host_at(v->w, v->ent.pcpu, &v->burst);
	v->burst.b = 0;
}

static void burst_add(struct vcpu *v, const struct ks_rec *rec)
{
	uint64_t now = v->w->now;

	if (v->burst.b && now - v->burst_last > BURST_GAP)
		burst_flush(v);
	if (!v->burst.b) {
		v->burst = *rec;
		v->burst.type = KS_BURST;
		v->burst.time = now;
	}
	v->burst.flags = rec->flags;
	v->burst.a = rec->a;
	v->burst.b++;
	v->burst_last = now;
}

static void set_state(struct vcpu *v, enum ks_vstate s)
{
	truth_vcpu(v);
	totals_state(v, s);
	if (v->hs == KS_V_RUNNABLE)
		v->off_ns += v->w->now - v->changed;
	v->hs = s;
	v->changed = v->w->now;
}

void vcpu_state(struct vcpu *v, enum ks_vstate s, uint8_t type, uint64_t a)
{
	struct ks_rec rec = { .type = type, .cpu = v->ent.pcpu, .id = v->slot, .a = a };

	if (type == KS_VCPU_OUT)
		rec.flags = s == KS_V_HALTED  ? KS_OUT_HALTED :
			    s == KS_V_BLOCKED ? KS_OUT_BLOCKED :
			    s == KS_V_GONE    ? KS_OUT_DEAD :
						KS_OUT_RUNNABLE;
	burst_flush(v);
	/* Woken before it was gone: it is awake, whatever the record says. */
	set_state(v, type == KS_VCPU_OUT && v->early ? KS_V_RUNNABLE : s);
	truth_known(v, emit(v, v->ent.pcpu, &rec) && (!v->early || v->early_kept));
}

static bool wake_rec(struct vcpu *v, uint32_t waker_tid, uint32_t waker_pcpu)
{
	struct ks_rec rec = {
		.type = KS_VCPU_WAKE, .cpu = v->ent.pcpu, .id = v->slot, .a = waker_tid
	};

	return emit(v, waker_pcpu, &rec);
}

void vcpu_woken(struct vcpu *v, uint32_t waker_tid, uint32_t waker_pcpu)
{
	if (v->early)
		return; /* that was told when it happened */
	set_state(v, KS_V_RUNNABLE);
	truth_known(v, wake_rec(v, waker_tid, waker_pcpu));
}

static void halt_poll_rec(struct vcpu *v, bool waited)
{
	struct ks_rec rec = { .type = KS_HALT_POLL,
			      .cpu = v->ent.pcpu,
			      .id = v->slot,
			      .a = v->w->now - v->hlt_time };

	rec.flags = KS_HALT_VALID | (waited ? KS_HALT_WAITED : 0);
	emit(v, v->ent.pcpu, &rec);
}

void vcpu_enter(struct vcpu *v)
{
	if (v->slept) {
		v->slept = false;
		halt_poll_rec(v, true);
	}
	v->mode = M_ENTER;
	step_in(v, rng_range(&v->w->rng, 400, 1200));
}

/* The PLE window grows with every exit in a row and shrinks when the vCPU is scheduled in. */
static void window_rec(struct vcpu *v, uint32_t to)
{
	struct ks_rec rec = {
		.type = KS_PLE_WINDOW, .cpu = v->ent.pcpu, .id = v->slot, .a = v->window, .b = to
	};

	if (to == v->window)
		return;
	v->window = to;
	emit(v, v->ent.pcpu, &rec);
}

static void exit_rec(struct vcpu *v, enum exit_why why)
{
	struct ks_rec rec = { .cpu = v->ent.pcpu, .id = v->slot, .flags = KS_F_IP | KS_F_CPL };
	struct frame *f = guest_top(v);

	if (why != X_PLE && why != X_HLT && why != X_PVHLT) {
		v->w->exits[v->slot][why == X_FAULT]++;
		return;
	}
	rec.type = why == X_PLE ? KS_PAUSE : KS_HLT;
	rec.a = guest_ip(v);
	if (frame_op(f)->kind == OP_SPIN)
		rec.flags |= 3;
	if (why == X_PLE)
		truth_ple(v, f);
	totals_exit(v, why == X_PLE);
	if (why == X_PLE && v->w->p.bursts && v->w->recording)
		burst_add(v, &rec);
	else if (emit(v, v->ent.pcpu, &rec))
		truth_proof(v);
}

/* What a policy reads at a PLE exit in the lock page of a guest that knows itself perfectly. */
static void look_rec(struct vcpu *v)
{
	struct ks_rec rec = { .type = KS_LOOK,
			      .cpu = v->ent.pcpu,
			      .id = v->slot,
			      .flags = KS_LOOK_NOTHING,
			      .b = KS_NO_SLOT };
	struct frame *f = guest_top(v);
	struct lock *l = lock_spinning(f) && f->wait ? f->wait->l : NULL;

	if (l && l->holder) {
		rec.flags = KS_LOOK_HOLDER;
		rec.b = l->holder->slot | 1ull << 32;
	} else if (l && l->nq) {
		rec.flags = l->q[0]->v == v ? KS_LOOK_SELF : KS_LOOK_WAITER;
		rec.b = l->q[0]->v->slot;
	}
	if (rec.flags != KS_LOOK_NOTHING)
		rec.a = l->addr;
	if (emit(v, v->ent.pcpu, &rec))
		v->vm->tot.policy.looks[rec.flags]++;
}

void vcpu_exit(struct vcpu *v, enum exit_why why, uint64_t host_ns)
{
	if (!v->born && v->w->recording) {
		/* What a guest's record proved before may be held doubtful. */
		truth_vcpu(v);
		v->evident = 0;
		v->born = true;
		emit_vcpu(v);
		truth_proof(v);
	}
	exit_rec(v, why);
	if (v->w->p.looks && why == X_PLE)
		look_rec(v);
	guest_stop(v);
	v->mode = M_EXIT;
	v->why = why;
	if (why == X_HLT || why == X_PVHLT)
		v->hlt_time = v->w->now;
	step_in(v, host_ns);
}

void vcpu_ple(struct vcpu *v)
{
	struct world *w = v->w;

	vcpu_exit(v, X_PLE, rng_range(&w->rng, 900, 2500));
	if (rng_chance(&w->rng, 30000))
		window_rec(v, v->window < 65536 ? v->window * 2 : v->window);
}

/* It has said that it will sleep; until the pCPU switches, somebody may wake it. */
static void sleep_soon(struct vcpu *v)
{
	v->mode = M_SLEEP;
	step_in(v, rng_range(&v->w->rng, 150, 1500));
}

static void sleep_now(struct vcpu *v)
{
	v->ent.asleep = true;
	if (v->why != X_FAULT)
		v->slept = true;
	sched_switch(v->w, pcpu_of(v));
	if (v->early)
		sched_wake(v->w, &v->ent, 0, v->ent.pcpu);
	v->early = false;
}

/* Is there a reason not to sleep on HLT? */
static bool awake(struct vcpu *v)
{
	if (v->kicked || (v->pend && guest_irqs_on(v)))
		return true;
	return v->why == X_PVHLT && guest_unhalted(v);
}

static void halt(struct vcpu *v)
{
	struct pcpu *p = pcpu_of(v);

	if (awake(v)) {
		v->kicked = false;
		vcpu_enter(v);
	} else if (p->nrq || p->resched || rng_chance(&v->w->rng, 500000)) {
		sleep_soon(v);
	} else {
		v->mode = M_POLL;
		step_in(v, rng_range(&v->w->rng, 5000, 100000));
	}
}

static void die(struct vcpu *v)
{
	struct ks_rec rec = { .type = KS_VCPU_GONE, .cpu = v->ent.pcpu, .id = v->slot };

	v->why = X_DEAD;
	v->ent.asleep = true;
	emit(v, v->ent.pcpu, &rec);
	sched_switch(v->w, pcpu_of(v));
}

void vcpu_kill(struct vcpu *v)
{
	v->dying = true;
	if (v->mode == M_GUEST)
		vcpu_exit(v, X_PREEMPT, 500);
	else if (v->mode == M_OUT && v->ent.asleep && v->why != X_DEAD)
		sched_wake(v->w, &v->ent, 0, v->ent.pcpu);
	if (v->why != X_DEAD)
		world_at(v->w, 300000, OCC_KILL, v, 0);
}

static void exit_done(struct vcpu *v)
{
	struct world *w = v->w;

	if (v->dying) {
		die(v);
		return;
	}
	switch (v->why) {
	case X_HLT:
	case X_PVHLT:
		halt(v);
		return;
	case X_FAULT:
		world_at(w, rng_exp(&w->rng, 400000) + 20000, OCC_UNBLOCK, v, 0);
		sleep_now(v);
		return;
	case X_PLE:
		if (rng_chance(&w->rng, w->p.yield_ppm))
			sched_yield_to(w, v);
		break;
	default:
		break;
	}
	if (pcpu_of(v)->resched)
		sched_switch(w, pcpu_of(v));
	else
		vcpu_enter(v);
}

void vcpu_step(struct vcpu *v)
{
	struct pcpu *p = pcpu_of(v);

	switch (v->mode) {
	case M_ENTER:
		if (v->dying) {
			die(v);
			return;
		}
		if (p->resched) {
			sched_switch(v->w, p);
			return;
		}
		v->mode = M_GUEST;
		guest_resume(v);
		break;
	case M_GUEST:
		guest_step(v);
		break;
	case M_EXIT:
		exit_done(v);
		break;
	case M_POLL:
		sleep_soon(v);
		break;
	case M_SLEEP:
		sleep_now(v);
		break;
	case M_OUT:
		break;
	}
}

void vcpu_kick(struct vcpu *v, struct vcpu *by)
{
	struct world *w = v->w;

	if (v->mode == M_POLL) {
		halt_poll_rec(v, false);
		v->mode = M_EXIT;
		v->why = X_IRQ;
		step_in(v, 300);
	} else if (v->mode == M_SLEEP && !v->early && v->why != X_FAULT) {
		v->early = true;
		v->early_kept = wake_rec(v, by ? by->ent.tid : 0, by ? by->ent.pcpu : v->ent.pcpu);
	} else if (v->mode == M_OUT && v->ent.asleep && v->why != X_FAULT && v->why != X_DEAD) {
		sched_wake(w, &v->ent, by ? by->ent.tid : 0, by ? by->ent.pcpu : v->ent.pcpu);
	} else if (v->mode == M_EXIT && v->why == X_PVHLT) {
		v->kicked = true;
	}
}

/* The recording ends: bursts that are still open are read out. */
void vcpu_last_burst(struct vcpu *v)
{
	burst_flush(v);
}

void vcpu_unblock(struct vcpu *v)
{
	if (v->why == X_FAULT)
		sched_wake(v->w, &v->ent, 0, v->ent.pcpu);
}
