// SPDX-License-Identifier: GPL-2.0
/* Builds the world, and lets one thing happen after the other. */
#include <stdio.h>
#include <stdlib.h>

#include "emit.h"
#include "sim.h"
#include "truth.h"
#include "util.h"

static void lock_init(struct vm *vm, uint32_t i)
{
	struct lock *l = &vm->locks[i];
	uint32_t n = vm->w->p.locks;

	l->vm = vm;
	l->num = i;
	l->addr = 0xffff888100000000ull + ((uint64_t)vm->id << 24) + (uint64_t)i * 0x740 + 0x18;
	/* Locks nest in ascending order, so those for interrupts come last. */
	l->ctx = i * 10 < n * 5 ? LC_PLAIN : i * 10 < n * 7 ? LC_BH : LC_IRQ;
	l->q = must_alloc(sizeof(*l->q) * vm->nvcpus);
}

static void vcpu_init(struct world *w, struct vm *vm, uint32_t i)
{
	struct vcpu *v = &vm->vcpus[i];

	v->w = w;
	v->vm = vm;
	v->idx = i;
	v->apic = w->p.apic_gap ? i + i / w->p.apic_gap : i;
	v->slot = w->nvcpus;
	v->ent.vcpu = v;
	v->ent.tid = vm->tgid + 7 + i;
	v->ent.pcpu = v->slot % w->p.pcpus;
	v->hs = KS_V_RUNNABLE;
	v->hidden = true;
	v->window = 4096;
	v->rq_tail = &v->rq;
	v->stk[0] = &v->idle;
	v->node = i * w->p.nodes / w->p.vcpus;
	script_idle(&v->idle);
	w->vcpus[w->nvcpus++] = v;
}

static void vm_init(struct world *w, uint32_t id)
{
	struct vm *vm = &w->vms[id];

	vm->w = w;
	vm->id = id;
	vm->tgid = 2000 + id * 1000;
	vm->nvcpus = w->p.vcpus;
	snprintf(vm->name, sizeof(vm->name), "sim-%u", id);
	vm->vcpus = must_alloc(sizeof(*vm->vcpus) * vm->nvcpus);
	vm->locks = must_alloc(sizeof(*vm->locks) * w->p.locks);
	simclock_guest_init(&vm->clk, &w->clk, &w->p, &w->rng);
	for (uint32_t i = 0; i < vm->nvcpus; i++)
		vcpu_init(w, vm, i);
	for (uint32_t i = 0; i < w->p.locks; i++)
		lock_init(vm, i);
	gsched_init(vm);
}

static void first_interrupts(struct world *w, struct vcpu *v)
{
	world_at(w, rng_range(&w->rng, 1, w->p.tick), OCC_TICK, v, 0);
	if (w->p.irq_every)
		world_at(w, rng_exp(&w->rng, w->p.irq_every), OCC_DEVICE, v, 0);
}

static void host_init(struct world *w)
{
	const struct params *p = &w->p;
	uint32_t ents = p->vms * p->vcpus + p->noise;

	w->pcpus = must_alloc(sizeof(*w->pcpus) * p->pcpus);
	for (uint32_t i = 0; i < p->pcpus; i++) {
		w->pcpus[i].id = i;
		w->pcpus[i].node = i * p->nodes / p->pcpus;
		w->pcpus[i].rq = must_alloc(sizeof(struct ent *) * ents);
	}
	w->noise = must_alloc(sizeof(*w->noise) * p->noise);
	for (uint32_t i = 0; i < p->noise; i++) {
		w->noise[i].tid = 300 + i;
		w->noise[i].pcpu = i % p->pcpus;
		w->noise[i].asleep = true;
		world_at(w, rng_exp(&w->rng, 2000000), OCC_NOISE, &w->noise[i], 0);
	}
}

/* Guests are recorded for a while that is not quite the host's. */
static void guest_recording(struct world *w, struct vm *vm)
{
	uint64_t skew = w->p.guest_skew, longer = w->p.warmup + w->p.duration;
	uint64_t third = w->p.duration / 3;

	if (w->p.come_and_go && vm->id == 1) {
		world_at(w, w->p.warmup + third + skew, OCC_START, vm, 0);
		world_at(w, longer - skew, OCC_STOP, vm, 0);
		return;
	}
	if (w->p.come_and_go && vm->id == 2)
		longer = w->p.warmup + 2 * third;

	world_at(w, w->p.warmup - skew + rng_range(&w->rng, 0, 2 * skew), OCC_START, vm, 0);
	/* Not later than the host's: there the world ends. */
	world_at(w, longer - rng_range(&w->rng, 1, skew + 1), OCC_STOP, vm, 0);
}

/* The second VM boots, and the third is killed, while the host is recorded. */
static void come_and_go(struct world *w)
{
	uint64_t third = w->p.duration / 3;

	world_at(w, w->p.warmup + third, OCC_BOOT, &w->vms[1], 0);
	for (uint32_t i = 0; i < w->vms[2].nvcpus; i++)
		world_at(w, w->p.warmup + 2 * third + 1000 + i * 50000, OCC_KILL,
			 &w->vms[2].vcpus[i], 0);
}

/*
 * Changes of the TSC offset, each with clock samples of the guest before and behind it: where several
 * fall between two samples, the map does not claim to know (user/clock/clock.h).
 */
static void offset_changes(struct world *w, struct vm *vm)
{
	const struct params *p = &w->p;
	uint64_t part = p->offset_changes ? p->duration * 3 / 5 / p->offset_changes : 0;
	uint64_t clear = 2 * p->sample_every;

	for (uint32_t i = 0; i < p->offset_changes && part > clear; i++)
		world_at(w,
			 p->warmup + p->duration / 5 + i * part +
				 rng_range(&w->rng, 0, part - clear),
			 OCC_OFFSET, vm, 0);
}

static void first_things(struct world *w)
{
	const struct params *p = &w->p;

	for (uint32_t i = 0; i < w->nvcpus; i++) {
		struct vcpu *v = w->vcpus[i];
		struct pcpu *pc = &w->pcpus[v->ent.pcpu];

		if (p->come_and_go && v->vm->id == 1) {
			v->ent.asleep = true; /* boots later */
			v->hs = KS_V_BLOCKED;
			continue;
		}
		pc->rq[pc->nrq++] = &v->ent;
		v->ent.queued = true;
		first_interrupts(w, v);
	}
	for (uint32_t i = 0; i < p->pcpus; i++)
		sched_resched(w, &w->pcpus[i]);
	world_at(w, p->warmup, OCC_START, NULL, 0);
	world_at(w, p->warmup + p->duration, OCC_END, NULL, 0);
	for (uint32_t i = 0; i < p->vms; i++)
		guest_recording(w, &w->vms[i]);
	if (p->come_and_go)
		come_and_go(w);
	world_at(w, p->balance_every, OCC_BALANCE, NULL, 0);
	for (uint32_t m = 0; m < p->vms; m++)
		offset_changes(w, &w->vms[m]);
}

struct world *world_new(const struct params *p, const char *dir)
{
	struct world *w = must_alloc(sizeof(*w));

	w->p = *p;
	rng_seed(&w->rng, p->seed);
	queue_init(&w->q);
	simclock_host_init(&w->clk, p, &w->rng);
	w->vms = must_alloc(sizeof(*w->vms) * p->vms);
	w->vcpus = must_alloc(sizeof(*w->vcpus) * p->vms * p->vcpus);
	w->exits = must_alloc(sizeof(*w->exits) * p->vms * p->vcpus);
	host_init(w);
	for (uint32_t i = 0; i < p->vms; i++)
		vm_init(w, i);
	emit_open(w, dir);
	truth_open(w, dir);
	first_things(w);
	return w;
}

static void tick(struct vcpu *v)
{
	/* An idle vCPU has stopped its tick. */
	if (!v->in_idle)
		guest_irq(v, PEND_TICK, NULL);
	world_at(v->w, v->w->p.tick, OCC_TICK, v, 0);
}

static void device(struct vcpu *v)
{
	guest_irq(v, PEND_DEVICE, NULL);
	world_at(v->w, rng_exp(&v->w->rng, v->w->p.irq_every), OCC_DEVICE, v, 0);
}

static void boot(struct world *w, struct vm *vm)
{
	for (uint32_t i = 0; i < vm->nvcpus; i++) {
		sched_wake(w, &vm->vcpus[i].ent, 0, vm->vcpus[i].ent.pcpu);
		first_interrupts(w, &vm->vcpus[i]);
	}
}

static void recorder(struct world *w, uint32_t kind, struct vm *vm)
{
	switch (kind) {
	case OCC_STOP:
		emit_stop_guest(w, vm);
		break;
	case OCC_START:
		if (vm) {
			emit_start_guest(w, vm);
			break;
		}
		emit_start(w);
		world_at(w, w->p.drain_every, OCC_DRAIN, NULL, 0);
		world_at(w, w->p.sample_every, OCC_SAMPLE, NULL, 0);
		break;
	case OCC_DRAIN:
		emit_drain(w);
		world_at(w, w->p.drain_every, OCC_DRAIN, NULL, 0);
		break;
	case OCC_SAMPLE:
		emit_sample(w);
		world_at(w, w->p.sample_every, OCC_SAMPLE, NULL, 0);
		break;
	case OCC_OFFSET:
		emit_offset(w, vm);
		break;
	case OCC_END:
		w->over = true;
		break;
	}
}

static void happen(struct world *w, const struct occ *o)
{
	switch (o->kind) {
	case OCC_GUEST:
		if (o->gen == ((struct vcpu *)o->target)->gen)
			vcpu_step(o->target);
		break;
	case OCC_PLE:
		if (o->gen == ((struct vcpu *)o->target)->gen)
			vcpu_ple(o->target);
		break;
	case OCC_SLICE:
		if (o->gen == ((struct pcpu *)o->target)->gen)
			sched_slice(w, o->target);
		break;
	case OCC_RESCHED:
		sched_now(w, o->target);
		break;
	case OCC_NOISE:
		if (o->gen == ((struct ent *)o->target)->gen)
			sched_noise(w, o->target);
		break;
	case OCC_BALANCE:
		sched_balance(w);
		break;
	case OCC_UNBLOCK:
		vcpu_unblock(o->target);
		break;
	case OCC_TIMER:
		if (o->gen == ((struct thread *)o->target)->gen)
			gsched_timer(o->target);
		break;
	case OCC_BOOT:
		boot(w, o->target);
		break;
	case OCC_KILL:
		vcpu_kill(o->target);
		break;
	case OCC_TICK:
		tick(o->target);
		break;
	case OCC_DEVICE:
		device(o->target);
		break;
	default:
		recorder(w, o->kind, o->target);
	}
}

void world_run(struct world *w)
{
	struct occ o;

	while (!w->over && queue_take(&w->q, &o)) {
		w->now = o.time;
		happen(w, &o);
		if (w->p.max_events && w->records >= w->p.max_events)
			w->over = true;
	}
	w->end = w->now;
	totals_end(w);
	emit_close(w);
	truth_close(w);
}

static void vm_free(struct world *w, struct vm *vm)
{
	for (uint32_t i = 0; i < vm->nvcpus; i++)
		for (uint32_t k = 0; k < vm->vcpus[i].nwaits; k++)
			truth_drop(vm->vcpus[i].waits[k]);
	for (uint32_t i = 0; i < w->p.locks; i++)
		free(vm->locks[i].q);
	free(vm->locks);
	free(vm->threads);
	free(vm->vcpus);
}

void world_free(struct world *w)
{
	for (uint32_t i = 0; i < w->p.vms; i++)
		vm_free(w, &w->vms[i]);
	for (uint32_t i = 0; i < w->p.pcpus; i++)
		free(w->pcpus[i].rq);
	free(w->pcpus);
	free(w->noise);
	free(w->exits);
	free(w->vcpus);
	free(w->vms);
	if (w->truth)
		free(w->truth->done);
	free(w->truth);
	emit_free(w->emit);
	queue_free(&w->q);
	free(w);
}
