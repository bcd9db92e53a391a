// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "exits.h"
#include "model.h"
#include "spread.h"

#define CPUS 65536u /* that a record can name */
#define NOT_KNOWN UINT32_MAX
/* A vCPU that loses its pCPU so soon after a PLE exit lost it in the exit's handling. */
#define YIELD_NS 100000u
/*
 * PLE exits cannot be closer (to leave the guest, look for whom to run, and enter it again takes
 * longer on any processor): what a burst has beyond is no count of exits.
 */
#define EXIT_NS 500u

/* States in sched_switch's prev_state (include/linux/sched.h). */
#define STATE_RUNNABLE 0x00
#define STATE_SLEEPS 0x01
#define STATE_DEAD 0x10

struct vcpu {
	uint32_t tid, tgid, vcpu_id, pcpu, vm;
	uint64_t exit_time, exit_ip;
	uint64_t entry_time, entry_place; /* of the entry behind the last exit: it may be moved */
	uint64_t in_time;		  /* when it got its pCPU, if `running` */
	uint64_t burst_end;		  /* of its last one */
	struct ks_pd_halts halts;
	bool started; /* perf knows its number */
	bool open;    /* an exit has no entry yet */
	bool halted;  /* the last exit was HLT */
	bool running;
	bool seen; /* a record of what it does came */
};

struct ks_pd_host {
	struct ks_pd_context c;
	struct vcpu *vcpu;
	uint32_t n, nslots;
	uint32_t *slot; /* slot -> index of the vCPU */
	uint32_t *on;	/* CPU -> the thread on it */
	uint32_t pause, hlt;
};

static int map_slots(struct ks_pd_host *h, const struct ks_vcpu *vcpus)
{
	uint32_t i;

	for (i = 0; i < h->n; i++)
		if (vcpus[i].slot >= h->nslots)
			h->nslots = vcpus[i].slot + 1;
	h->slot = malloc((h->nslots + 1ul) * sizeof(*h->slot));
	if (!h->slot)
		return -ENOMEM;
	memset(h->slot, 0xff, (h->nslots + 1ul) * sizeof(*h->slot));
	for (i = 0; i < h->n; i++)
		h->slot[vcpus[i].slot] = i;
	return 0;
}

int ks_pd_host_new(struct ks_pd_host **out, const struct ks_pd_context *c,
		   const struct ks_vcpu *vcpus, uint32_t n, const uint32_t *tgids, uint32_t isa)
{
	struct ks_pd_host *h = calloc(1, sizeof(*h));
	uint32_t i;

	*out = h;
	if (!h)
		return -ENOMEM;
	h->c = *c;
	h->n = n;
	h->pause = isa == KS_ISA_VMX ? KS_VMX_EXIT_PAUSE : KS_SVM_EXIT_PAUSE;
	h->hlt = isa == KS_ISA_VMX ? KS_VMX_EXIT_HLT : KS_SVM_EXIT_HLT;
	h->vcpu = calloc(n + 1ul, sizeof(*h->vcpu));
	h->on = malloc(CPUS * sizeof(*h->on));
	if (!h->vcpu || !h->on || map_slots(h, vcpus))
		return -ENOMEM;
	memset(h->on, 0xff, CPUS * sizeof(*h->on));
	for (i = 0; i < n; i++) {
		h->vcpu[i].tid = vcpus[i].tid;
		h->vcpu[i].tgid = tgids[vcpus[i].vm];
		h->vcpu[i].vcpu_id = vcpus[i].vcpu_id;
		h->vcpu[i].vm = vcpus[i].vm;
		h->vcpu[i].entry_place = KS_PD_NOWHERE;
	}
	return 0;
}

void ks_pd_host_free(struct ks_pd_host *h)
{
	if (!h)
		return;
	free(h->vcpu);
	free(h->slot);
	free(h->on);
	free(h);
}

uint32_t ks_pd_host_pcpu(const struct ks_pd_host *h, uint32_t vcpu)
{
	return vcpu < h->n ? h->vcpu[vcpu].pcpu : 0;
}

/* ---- samples ---- */

static struct ks_pd_sample sample(const struct ks_pd_host *h, enum ks_pd_event event, uint64_t time,
				  uint32_t cpu)
{
	return (struct ks_pd_sample){ .event = event,
				      .time = time,
				      .cpu = cpu,
				      .id = ks_pd_layout_id(h->c.layout, event, 0),
				      .machine = KS_PD_HOST };
}

/* The thread that a sample is taken in. */
static void in_thread(const struct ks_pd_host *h, struct ks_pd_sample *s, uint32_t tid)
{
	const struct ks_pd_thread *t = ks_pd_threads_find(h->c.threads, KS_PD_HOST, tid);

	s->tid = tid;
	s->pid = t ? t->pid : tid;
}

static struct ks_pd_sample vcpu_sample(const struct ks_pd_host *h, const struct vcpu *v,
				       enum ks_pd_event event, uint64_t time)
{
	struct ks_pd_sample s = sample(h, event, time, v->pcpu);

	s.pid = v->tgid;
	s.tid = v->tid;
	s.vm = v->vm;
	s.v[0] = v->exit_ip;
	s.v[2] = v->vcpu_id;
	return s;
}

static void push_entry(struct ks_pd_host *h, struct vcpu *v, uint64_t time)
{
	struct ks_pd_sample s = vcpu_sample(h, v, PD_KVM_ENTRY, time);

	v->entry_place = ks_pd_order_push(h->c.order, &s);
	v->entry_time = time;
	v->open = false;
	if (v->halted)
		ks_pd_halts_end(&v->halts, time);
}

static void push_switch(struct ks_pd_host *h, uint64_t time, uint32_t cpu, uint32_t prev,
			uint32_t next, uint32_t state)
{
	struct ks_pd_sample s = sample(h, PD_SWITCH, time, cpu);

	in_thread(h, &s, prev);
	s.v[0] = prev;
	s.v[1] = next;
	s.v[2] = state;
	ks_pd_order_push(h->c.order, &s);
	h->on[cpu] = next;
}

static void push_runtime(struct ks_pd_host *h, struct vcpu *v, uint64_t time)
{
	struct ks_pd_sample s = vcpu_sample(h, v, PD_RUNTIME, time);

	if (v->running && time > v->in_time) {
		s.v[0] = v->tid;
		s.v[1] = time - v->in_time;
		ks_pd_order_push(h->c.order, &s);
	}
	v->running = false;
}

/* ---- exits ---- */

/* A vCPU that exits has a pCPU, even if nobody saw it get one. */
static void runs(struct vcpu *v, uint64_t time)
{
	if (v->running)
		return;
	v->running = true;
	v->in_time = time;
}

/* It is told at a vCPU's first exit, of whatever kind; where the rings were full, later. */
static void first_exit(struct vcpu *v, const struct ks_event *ev)
{
	if (v->seen)
		return;
	v->pcpu = ev->rec->cpu;
	runs(v, ev->time);
}

/* 0: not known. */
static uint64_t ip_of(const struct ks_rec *r)
{
	return r->flags & KS_F_IP ? r->a : 0;
}

/*
 * What must stand before an exit: an entry, without which perf neither knows the vCPU's number nor
 * counts the exit before.
 */
static void before_exit(struct ks_pd_host *h, struct vcpu *v, const struct ks_event *ev,
			uint64_t time)
{
	v->pcpu = ev->rec->cpu;
	runs(v, time);
	if (!v->started)
		v->exit_ip = ip_of(ev->rec);
	if (!v->started || v->open)
		push_entry(h, v, time);
	v->started = true;
	v->exit_time = ev->time;
	v->exit_ip = ip_of(ev->rec);
}

/* The entry stands right behind, until something tells that it came later. */
static void one_exit(struct ks_pd_host *h, struct vcpu *v, const struct ks_event *ev)
{
	struct ks_pd_sample s;

	before_exit(h, v, ev, ev->time);
	v->halted = ev->rec->type == KS_HLT;
	if (v->halted)
		ks_pd_halts_add(&v->halts, ev->time, ev->time + 1);
	s = vcpu_sample(h, v, PD_KVM_EXIT, ev->time);
	s.v[1] = v->halted ? h->hlt : h->pause;
	ks_pd_order_push(h->c.order, &s);
	push_entry(h, v, ev->time + 1);
}

static void lost(struct ks_pd_host *h, enum ks_pd_event event, uint64_t time, uint32_t cpu,
		 uint64_t n)
{
	struct ks_pd_sample s = sample(h, event, time, cpu);

	s.event = PD_LOST;
	s.pid = s.tid = UINT32_MAX;
	s.v[1] = n;
	ks_pd_order_push(h->c.order, &s);
}

struct row {
	struct ks_pd_host *h;
	struct vcpu *v;
};

static void push_row(void *ctx, uint64_t from, uint32_t n, uint64_t step)
{
	const struct row *r = ctx;
	struct ks_pd_sample a = vcpu_sample(r->h, r->v, PD_KVM_EXIT, from);
	struct ks_pd_sample b = vcpu_sample(r->h, r->v, PD_KVM_ENTRY, from + 1);

	a.v[1] = r->h->pause;
	ks_pd_order_push_row(r->h->c.order, &a, &b, n, step);
}

/* As many exits as there is time for; bursts of one vCPU do not overlap. */
static uint64_t most_exits(struct vcpu *v, uint64_t first, uint64_t last)
{
	uint64_t begin = first > v->burst_end ? first : v->burst_end;

	if (begin > last)
		return 1;
	v->burst_end = last;
	return (last - begin) / EXIT_NS + 1;
}

/*
 * A burst is told when the next one begins, and by then the vCPU may have done other things: its own
 * time counts, not that of its place in the stream.
 */
static void burst(struct ks_pd_host *h, struct vcpu *v, const struct ks_event *ev)
{
	uint64_t length = ev->rec->b >> 32, last = ev->rec->time, first = last - length;
	uint64_t n = (uint32_t)ev->rec->b, most;
	struct row r = { h, v };

	if (length > last || !n)
		return;
	most = most_exits(v, first, last);
	if (n > most) {
		lost(h, PD_KVM_EXIT, ev->time, ev->rec->cpu, n - most);
		n = most;
	}
	if (!v->started) {
		v->pcpu = ev->rec->cpu;
		v->exit_ip = ip_of(ev->rec);
		push_entry(h, v, first);
		v->entry_place = KS_PD_NOWHERE;
		v->started = true;
	}
	ks_pd_spread(&v->halts, first, last, n, push_row, &r);
	if (last < v->exit_time)
		return;
	v->exit_time = last;
	v->entry_place = KS_PD_NOWHERE;
	v->halted = false;
}

/* ---- scheduling ---- */

static uint32_t state_of(uint8_t flags)
{
	switch (flags) {
	case KS_OUT_RUNNABLE:
		return STATE_RUNNABLE;
	case KS_OUT_DEAD:
		return STATE_DEAD;
	default:
		return STATE_SLEEPS;
	}
}

/* Did the vCPU lose its pCPU in the handling of its last exit? */
static bool in_exit(const struct vcpu *v, const struct ks_event *ev)
{
	if (!v->started || v->open)
		return false;
	if (ev->rec->flags == KS_OUT_HALTED)
		return v->halted;
	return v->entry_time == v->exit_time + 1 && ev->time - v->exit_time <= YIELD_NS;
}

static void out(struct ks_pd_host *h, struct vcpu *v, const struct ks_event *ev)
{
	if (in_exit(v, ev))
		v->open = ks_pd_order_take_back(h->c.order, v->entry_place);
	v->pcpu = ev->rec->cpu;
	push_runtime(h, v, ev->time);
	push_switch(h, ev->time, ev->rec->cpu, v->tid, ev->rec->a, state_of(ev->rec->flags));
}

/*
 * The switch has been told already if the thread before was a vCPU. Switches among other threads are
 * not recorded: where another one gives the pCPU back than the one that took it, one switch between
 * the two is put in, so that nobody runs twice.
 */
static void in(struct ks_pd_host *h, struct vcpu *v, const struct ks_event *ev)
{
	uint32_t cpu = ev->rec->cpu, left = ev->rec->a, on = h->on[cpu];

	v->pcpu = cpu;
	if (on != v->tid) {
		if (on != left && on != NOT_KNOWN)
			push_switch(h, ev->time, cpu, on, left, on ? STATE_SLEEPS : STATE_RUNNABLE);
		push_switch(h, ev->time, cpu, left, v->tid, left ? STATE_SLEEPS : STATE_RUNNABLE);
	}
	v->running = true;
	v->in_time = ev->time;
	if (v->open)
		push_entry(h, v, ev->time);
}

/* The end of KVM's halt: the entry of a HLT exit comes behind it. */
static void halt_end(struct ks_pd_host *h, struct vcpu *v, uint64_t time)
{
	if (v->started && v->halted &&
	    (v->open || ks_pd_order_take_back(h->c.order, v->entry_place)))
		push_entry(h, v, time);
}

static void wake(struct ks_pd_host *h, const struct vcpu *v, const struct ks_event *ev)
{
	struct ks_pd_sample s = sample(h, PD_WAKING, ev->time, ev->rec->cpu);

	in_thread(h, &s, ev->rec->a);
	s.v[0] = v->tid;
	s.v[1] = ev->rec->cpu;
	ks_pd_order_push(h->c.order, &s);
}

static void migrate(struct ks_pd_host *h, const struct vcpu *v, const struct ks_event *ev)
{
	struct ks_pd_sample s = vcpu_sample(h, v, PD_MIGRATE, ev->time);

	s.cpu = ev->rec->cpu;
	s.v[0] = v->tid;
	s.v[1] = ev->rec->a;
	s.v[2] = ev->rec->b;
	ks_pd_order_push(h->c.order, &s);
}

static enum ks_pd_event lost_event(uint8_t type)
{
	switch (type) {
	case KS_VCPU_IN:
	case KS_VCPU_OUT:
		return PD_SWITCH;
	case KS_VCPU_WAKE:
		return PD_WAKING;
	case KS_VCPU_MIGRATE:
		return PD_MIGRATE;
	default:
		return PD_KVM_EXIT;
	}
}

/* What was known of the pCPU is not known any more. */
static void loss(struct ks_pd_host *h, const struct ks_event *ev)
{
	uint32_t i, cpu = ev->rec->cpu;

	lost(h, lost_event(ev->rec->flags), ev->time, cpu == KS_RING_ANY ? 0 : cpu, ev->rec->b);
	if (cpu == KS_RING_ANY)
		memset(h->on, 0xff, CPUS * sizeof(*h->on));
	h->on[cpu] = NOT_KNOWN;
	for (i = 0; i < h->n; i++)
		if (cpu == KS_RING_ANY || h->vcpu[i].pcpu == cpu)
			h->vcpu[i].running = false;
}

static void vcpu_event(struct ks_pd_host *h, struct vcpu *v, const struct ks_event *ev)
{
	switch (ev->rec->type) {
	case KS_VCPU_NEW:
		first_exit(v, ev);
		break;
	case KS_PAUSE:
	case KS_HLT:
		one_exit(h, v, ev);
		break;
	case KS_BURST:
		burst(h, v, ev);
		break;
	case KS_VCPU_IN:
		in(h, v, ev);
		break;
	case KS_VCPU_OUT:
		out(h, v, ev);
		break;
	case KS_VCPU_WAKE:
		wake(h, v, ev);
		break;
	case KS_VCPU_MIGRATE:
		migrate(h, v, ev);
		break;
	case KS_HALT_POLL:
		halt_end(h, v, ev->time);
		break;
	default:
		return;
	}
	v->seen = true;
}

void ks_pd_host_event(struct ks_pd_host *h, const struct ks_event *ev)
{
	uint32_t slot = ev->rec->id;

	if (ev->rec->type == KS_LOSS)
		loss(h, ev);
	else if (slot < h->nslots && h->slot[slot] != KS_NO_VCPU)
		vcpu_event(h, &h->vcpu[h->slot[slot]], ev);
}

void ks_pd_host_end(struct ks_pd_host *h, uint64_t time)
{
	uint32_t i;

	for (i = 0; i < h->n; i++) {
		if (h->vcpu[i].open)
			push_entry(h, &h->vcpu[i], time);
		push_runtime(h, &h->vcpu[i], time);
	}
}
