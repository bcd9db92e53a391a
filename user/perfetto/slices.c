// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "world.h"

/* By its name, or as a number if it has none; nothing for 0. */
static void put_address(struct pf_export *x, const char *key, uint32_t vm, uint64_t addr)
{
	const char *s = rows_symbol(&x->names, vm, addr);

	if (s)
		pf_text(&x->w, key, s);
	else if (addr)
		pf_address(&x->w, key, addr);
}

static void put_thread(struct pf_export *x, const char *key, const char *number, uint32_t vm,
		       uint32_t pid)
{
	pf_text(&x->w, key, rows_comm(&x->names, vm, pid));
	pf_number(&x->w, number, pid);
}

static void put_end(struct pf_export *x, uint64_t time, uint64_t track)
{
	pf_event(&x->w, PF_END, time, track);
	pf_send(&x->w);
}

void pf_state(struct pf_export *x, const struct ks_segment *g)
{
	uint64_t track = x->pvcpu[g->vcpu].track;

	pf_event(&x->w, PF_BEGIN, g->from, track);
	pf_name(&x->w, ks_vstate_name(g->state));
	pf_category(&x->w, "state");
	if (g->state == KS_V_RUNNING && g->pcpu >= 0)
		pf_number(&x->w, "pcpu", g->pcpu);
	pf_send(&x->w);
	put_end(x, g->to, track);
}

void pf_ple(struct pf_export *x, const struct ks_ple *p)
{
	uint32_t vm = x->vcpu[p->vcpu].vm;

	pf_event(&x->w, PF_INSTANT, p->time, x->pvcpu[p->vcpu].track);
	pf_name(&x->w, "PAUSE");
	pf_category(&x->w, "exit");
	pf_category(&x->w, ks_class_name(p->class));
	if (p->count > 1)
		pf_number(&x->w, "exits", p->count);
	put_address(x, "ip", vm, p->ip);
	put_address(x, "lock", vm, p->lock);
	put_address(x, "site", vm, p->site);
	pf_send(&x->w);
}

void pf_halt(struct pf_export *x, uint32_t vcpu, const struct ks_event *ev)
{
	pf_event(&x->w, PF_INSTANT, ev->time, x->pvcpu[vcpu].track);
	pf_name(&x->w, "HLT");
	pf_category(&x->w, "exit");
	if (ev->rec->flags & KS_F_IP)
		put_address(x, "ip", x->vcpu[vcpu].vm, ev->rec->a);
	pf_send(&x->w);
}

/* The track for a slice; 0 without memory. */
static uint64_t lane_of(struct pf_export *x, struct lanes *lanes, uint32_t vcpu, const char *kind,
			int32_t rank, uint64_t from, uint64_t to)
{
	struct lane *l = lanes_find(lanes, from, to);
	char name[48];

	if (!l) {
		x->w.err = -ENOMEM;
		return 0;
	}
	if (!l->track) {
		l->track = pf_id(x);
		snprintf(name, sizeof(name), "vCPU %" PRIu32 " %s", x->vcpu[vcpu].vcpu_id, kind);
		pf_track(&x->w, &(struct pf_track){ .uuid = l->track,
						    .parent = x->pvcpu[vcpu].track,
						    .name = name,
						    .rank = rank });
	}
	return l->track;
}

static void put_name(struct pf_export *x, const char *kind, uint32_t vm, uint64_t lock)
{
	const char *s = rows_symbol(&x->names, vm, lock);
	char name[ROWS_NAME + 32];

	if (s)
		snprintf(name, sizeof(name), "%s %s", kind, s);
	else
		snprintf(name, sizeof(name), "%s 0x%" PRIx64, kind, lock);
	pf_name(&x->w, name);
}

static void end_flows(struct pf_export *x, uint64_t time, uint64_t track,
		      const struct held_flows *ends)
{
	pf_event(&x->w, PF_END, time, track);
	pf_flow_ends(&x->w, ends->id, ends->n);
	pf_send(&x->w);
}

/* ---- flows ---- */

static uint64_t new_flow(struct pf_export *x, struct held_flows *to)
{
	uint64_t id = pf_id(x);

	if (!held_flow(to, id))
		return id;
	x->w.err = -ENOMEM;
	return 0;
}

/* The flow from this wait to what it blames. */
static void blame(struct pf_export *x, struct held_wait *e, uint64_t nth)
{
	const struct ks_wait *w = &e->wait;
	struct held_flows *f;
	struct held *b;

	if (w->blame_vcpu == KS_NO_VCPU)
		return;
	b = &x->pvcpu[w->blame_vcpu].held;
	f = held_blamed(b, w);
	if (f)
		e->flow = new_flow(x, f);
	else
		b->owed[b->nowed++ % HELD_OWED] = (struct held_owed){ w->vcpu, nth };
}

/* A slice of a vCPU is known now: who has been waiting to blame it? */
static void settle(struct pf_export *x, uint32_t vcpu, bool is_wait, uint64_t lock, uint64_t from,
		   uint64_t to, struct held_flows *ends)
{
	struct held *h = &x->pvcpu[vcpu].held;
	uint64_t i = h->nowed > HELD_OWED ? h->nowed - HELD_OWED : 0;
	struct held_wait *e;

	for (; i < h->nowed; i++) {
		const struct held_owed *o = &h->owed[i % HELD_OWED];

		e = held_nth_wait(&x->pvcpu[o->vcpu].held, o->nth);
		if (e && !e->flow && held_is_blamed(&e->wait, is_wait, lock, from, to))
			e->flow = new_flow(x, ends);
	}
}

/* ---- holds ---- */

static void put_hold(struct pf_export *x, const struct held_hold *e)
{
	const struct ks_hold *h = &e->hold;
	uint64_t track = lane_of(x, &x->pvcpu[h->vcpu].holds, h->vcpu, "holds", 2, h->acq_time,
				 h->rel_time);

	pf_event(&x->w, PF_BEGIN, h->acq_time, track);
	put_name(x, "hold", h->vm, h->lock);
	pf_category(&x->w, "hold");
	put_address(x, "lock", h->vm, h->lock);
	put_address(x, "site", h->vm, h->ip);
	put_thread(x, "thread", "tid", h->vm, h->pid);
	pf_number(&x->w, "off_cpu_ns", h->off_ns);
	pf_flag(&x->w, "waiters", h->waiters);
	pf_send(&x->w);
	end_flows(x, h->rel_time, track, &e->ends);
}

static void release_hold(struct pf_export *x, struct held *held)
{
	put_hold(x, held_oldest_hold(held));
	held_drop_hold(held);
}

void pf_hold(struct pf_export *x, const struct ks_hold *h)
{
	struct held *held = &x->pvcpu[h->vcpu].held;
	struct held_hold *e;

	if (held_full_holds(held))
		release_hold(x, held);
	e = held_add_hold(held);
	if (!e) {
		x->w.err = -ENOMEM;
		return;
	}
	e->hold = *h;
	settle(x, h->vcpu, false, h->lock, h->acq_time, h->rel_time, &e->ends);
}

/* ---- waits ---- */

static void put_shares(struct pf_export *x, const struct ks_wait *w)
{
	char key[32];
	int c;

	for (c = 0; c < KS_C_WAIT_MAX; c++) {
		if (!w->share[c])
			continue;
		snprintf(key, sizeof(key), "%s_ns", ks_class_name(c));
		pf_number(&x->w, key, w->share[c]);
	}
	pf_number(&x->w, "ple_exits", w->ple_total);
	for (c = 0; c < KS_C_WAIT_MAX; c++) {
		if (!w->ple[c])
			continue;
		snprintf(key, sizeof(key), "%s_ple_exits", ks_class_name(c));
		pf_number(&x->w, key, w->ple[c]);
	}
}

static void put_blame(struct pf_export *x, const struct ks_wait *w)
{
	if (w->blame_vcpu == KS_NO_VCPU)
		return;
	pf_text(&x->w, "blamed_for", ks_class_name(w->blame_class));
	pf_number(&x->w, "blamed_vcpu", x->vcpu[w->blame_vcpu].vcpu_id);
	put_thread(x, "blamed_thread", "blamed_tid", w->vm, w->blame_pid);
	put_address(x, "blamed_site", w->vm, w->blame_ip);
	pf_number(&x->w, "blamed_off_cpu_ns", w->blame_off_ns);
}

static void describe_wait(struct pf_export *x, const struct ks_wait *w)
{
	put_name(x, "wait", w->vm, w->lock);
	pf_category(&x->w, "wait");
	pf_category(&x->w, ks_class_name(w->verdict));
	pf_text(&x->w, "verdict", ks_class_name(w->verdict));
	put_address(x, "lock", w->vm, w->lock);
	put_address(x, "site", w->vm, w->ip);
	put_thread(x, "thread", "tid", w->vm, w->pid);
	pf_text(&x->w, "context", ks_context_name(w->ctx_flags));
	put_shares(x, w);
	put_blame(x, w);
	if (!w->acquired)
		pf_flag(&x->w, "acquired", false);
	if (w->partial)
		pf_flag(&x->w, "partial", true);
}

static void put_wait(struct pf_export *x, const struct held_wait *e)
{
	const struct ks_wait *w = &e->wait;
	uint64_t track = lane_of(x, &x->pvcpu[w->vcpu].waits, w->vcpu, "waits", 1, w->try_time,
				 w->acq_time);

	pf_event(&x->w, PF_BEGIN, w->try_time, track);
	describe_wait(x, w);
	if (e->flow)
		pf_flow(&x->w, &e->flow);
	pf_send(&x->w);
	end_flows(x, w->acq_time, track, &e->ends);
}

static void release_wait(struct pf_export *x, struct held *held)
{
	put_wait(x, held_oldest_wait(held));
	held_drop_wait(held);
}

void pf_wait(struct pf_export *x, const struct ks_wait *w)
{
	struct held *held = &x->pvcpu[w->vcpu].held;
	struct held_wait *e;

	if (held_full_waits(held))
		release_wait(x, held);
	e = held_add_wait(held);
	if (!e) {
		x->w.err = -ENOMEM;
		return;
	}
	e->wait = *w;
	if (w->acquired)
		settle(x, w->vcpu, true, w->lock, w->try_time, w->acq_time, &e->ends);
	blame(x, e, held->waits_dropped + held->nwaits - 1);
}

void pf_release(struct pf_export *x)
{
	uint32_t i;

	for (i = 0; i < x->nvcpus; i++) {
		struct pf_vcpu *v = &x->pvcpu[i];

		while (held_oldest_hold(&v->held))
			release_hold(x, &v->held);
		while (held_oldest_wait(&v->held))
			release_wait(x, &v->held);
		rate_end(&v->ple.rate);
	}
	for (i = 0; i < x->nvms; i++) {
		rate_end(&x->pvm[i].ple.rate);
		pf_memory_put(x, i);
	}
}
