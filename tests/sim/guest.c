// SPDX-License-Identifier: GPL-2.0
/* What runs inside a vCPU: threads, softirqs and interrupts, one op after the other. */
#include "emit.h"
#include "sim.h"
#include "truth.h"

static struct rng *rng(struct vcpu *v)
{
	return &v->w->rng;
}

void guest_for(struct vcpu *v, uint64_t ns)
{
	guest_top(v)->rem = ns;
	v->step_start = v->w->now;
	world_at(v->w, ns, OCC_GUEST, v, ++v->gen);
}

static void ple_in_a_window(struct vcpu *v)
{
	uint64_t ns = rng_range(rng(v), 20000, 60000);

	world_at(v->w, ns, OCC_PLE, v, v->gen);
}

bool guest_irqs_on(const struct vcpu *v)
{
	return !guest_top(v)->irqoff && guest_top(v) != &v->hard;
}

bool guest_unhalted(struct vcpu *v)
{
	struct frame *f = guest_top(v);

	return f->wait && lock_can_take(f->wait);
}

uint64_t guest_ip(struct vcpu *v)
{
	struct frame *f = guest_top(v);
	struct op *op = frame_op(f);

	if (op->kind == OP_LOCK && f->phase == PH_SPIN)
		return v->w->p.algo == LOCK_PV ? script_pv_spin_ip() : script_spin_ip();
	if (op->kind == OP_IPI)
		return script_ipi_ip();
	if (op->kind == OP_IDLE)
		return script_halt_ip(false);
	return op->ip;
}

static void send_ipis(struct vcpu *v)
{
	v->ipi_left = 0;
	for (uint32_t i = 0; i < v->vm->nvcpus; i++) {
		struct vcpu *t = &v->vm->vcpus[i];

		/* Idle vCPUs have no stale translations to flush. */
		if (t == v || t->in_idle)
			continue;
		v->ipi_left |= 1ull << i;
		t->ipi_from |= 1ull << v->idx;
		guest_irq(t, PEND_IPI, v);
	}
}

static void ack(struct vcpu *v, uint64_t from)
{
	for (uint32_t i = 0; i < v->vm->nvcpus; i++) {
		struct vcpu *asker = &v->vm->vcpus[i];

		if (!(from & 1ull << i))
			continue;
		asker->ipi_left &= ~(1ull << v->idx);
		if (!asker->ipi_left && asker->mode == M_GUEST &&
		    frame_op(guest_top(asker))->kind == OP_IPI)
			guest_for(asker, 100);
	}
}

static void idle_begin(struct vcpu *v)
{
	struct ks_rec rec = { .type = KS_IDLE_ENTER, .a = 1 };

	v->idle.phase = PH_START;
	v->in_idle = true;
	emit_guest(v, &rec);
	guest_top(v)->rem = 200;
}

/* Take up the op that the program counter of the frame on top points to. */
void guest_begin(struct vcpu *v)
{
	struct frame *f = guest_top(v);
	struct op *op = frame_op(f);

	f->phase = PH_START;
	f->rem = 50;
	switch (op->kind) {
	case OP_USER:
	case OP_SPIN:
	case OP_KERNEL:
		f->rem = op->arg;
		break;
	case OP_LOCK:
		if (v->vm->locks[op->arg].ctx == LC_IRQ)
			f->irqoff++;
		else if (v->vm->locks[op->arg].ctx == LC_BH)
			f->bhoff++;
		break;
	case OP_IPI:
		send_ipis(v);
		break;
	case OP_IDLE:
		idle_begin(v);
		break;
	}
}

static void idle_return(struct vcpu *v)
{
	struct ks_rec rec = { .type = KS_IDLE_EXIT };

	v->in_idle = false;
	emit_guest(v, &rec);
}

static void idle_go_on(struct vcpu *v)
{
	if (v->in_idle && (v->rq || v->idle.phase != PH_START))
		idle_return(v);
	if (v->rq)
		gsched_pick(v);
	else if (!v->in_idle)
		guest_begin(v);
}

void guest_run(struct vcpu *v)
{
	struct frame *f = guest_top(v);

	if (f == &v->idle) {
		idle_go_on(v);
		f = guest_top(v);
	}
	switch (frame_op(f)->kind) {
	case OP_LOCK:
	case OP_UNLOCK:
		lock_run(v, f);
		break;
	case OP_IPI:
		if (!v->ipi_left) {
			guest_for(v, 50);
		} else {
			v->step_start = v->w->now;
			v->gen++;
			ple_in_a_window(v);
		}
		break;
	case OP_SPIN:
		guest_for(v, f->rem);
		ple_in_a_window(v);
		break;
	default:
		guest_for(v, f->rem);
	}
	if (lock_spinning(guest_top(v)))
		ple_in_a_window(v);
}

static void push(struct vcpu *v, struct frame *f, uint8_t ctx)
{
	f->ctx = ctx == KS_F_CTX_HARDIRQ && f->late ? KS_F_CTX_TASK : ctx;
	f->pc = 0;
	f->wait = NULL;
	f->irqoff = ctx == KS_F_CTX_HARDIRQ;
	f->bhoff = 0;
	v->stk[++v->depth] = f;
	guest_begin(v);
}

static bool deliver(struct vcpu *v)
{
	uint32_t bit;

	if (!v->pend || !guest_irqs_on(v))
		return false;
	bit = v->pend & -v->pend;
	v->pend &= ~bit;
	script_hardirq(v, &v->hard, bit);
	push(v, &v->hard, KS_F_CTX_HARDIRQ);
	return true;
}

static bool softirq(struct vcpu *v)
{
	struct frame *f = guest_top(v);

	if (!v->soft_pend || f == &v->soft || f == &v->hard || f->bhoff || f->irqoff)
		return false;
	v->soft_pend = 0;
	script_softirq(v, &v->soft);
	push(v, &v->soft, KS_F_CTX_SOFTIRQ);
	return true;
}

void guest_resume(struct vcpu *v)
{
	deliver(v);
	guest_run(v);
}

void guest_stop(struct vcpu *v)
{
	struct frame *f = guest_top(v);
	uint64_t ran = v->w->now - v->step_start;

	if (frame_op(f)->kind == OP_LOCK || frame_op(f)->kind == OP_UNLOCK)
		lock_stopped(v, f, ran);
	if (frame_op(f)->kind == OP_IDLE && f->rem <= ran)
		f->phase = PH_TRIED; /* HLT: next it leaves the idle state */
	f->rem -= ran < f->rem ? ran : f->rem;
}

void guest_next(struct vcpu *v)
{
	struct frame *f = guest_top(v);

	f->pc++;
	v->gen++;
	if (frame_op(f)->kind != OP_END) {
		guest_begin(v);
	} else if (v->depth) {
		v->depth--;
	} else {
		script_thread(v->cur);
		guest_begin(v);
	}
	if (!deliver(v) && !softirq(v))
		gsched_preempt(v);
	guest_run(v);
}

void guest_step(struct vcpu *v)
{
	struct frame *f = guest_top(v);
	struct op *op = frame_op(f);

	f->rem = 0;
	switch (op->kind) {
	case OP_LOCK:
		lock_step(v, f);
		return;
	case OP_UNLOCK:
		unlock_step(v, f);
		return;
	case OP_IDLE:
		vcpu_exit(v, X_HLT, rng_range(rng(v), 500, 1500));
		return;
	case OP_FAULT:
		f->pc++;
		guest_begin(v);
		v->step_start = v->w->now;
		vcpu_exit(v, X_FAULT, rng_range(rng(v), 2000, 6000));
		return;
	case OP_SLEEP:
		gsched_sleep(v, op->arg);
		return;
	case OP_ACK:
		ack(v, op->arg);
		break;
	case OP_WAKE:
		gsched_wake_any(v);
		break;
	case OP_TIMER:
		gsched_timers(v);
		break;
	case OP_TICK:
		gsched_tick(v);
		break;
	}
	guest_next(v);
}

void guest_irq(struct vcpu *v, uint32_t pend, struct vcpu *by)
{
	v->pend |= pend;
	if (!guest_irqs_on(v))
		return;
	if (v->mode == M_GUEST)
		vcpu_exit(v, X_IRQ, rng_range(rng(v), 400, 900));
	else
		vcpu_kick(v, by);
}
