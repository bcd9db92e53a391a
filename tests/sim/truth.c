// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "truth.h"
#include "util.h"

#define NEAR_NS 2000u

void truth_open(struct world *w, const char *dir)
{
	char path[512];

	w->truth = must_alloc(sizeof(*w->truth));
	w->truth->on = w->p.truth;
	if (!w->truth->on || !w->p.truth_file)
		return;
	snprintf(path, sizeof(path), "%s/truth.jsonl", dir);
	w->truth->out = fopen(path, "w");
	if (!w->truth->out)
		die("%s: cannot be written", path);
}

void truth_close(struct world *w)
{
	if (w->truth->out && fclose(w->truth->out))
		die("truth.jsonl: cannot be written");
	w->truth->out = NULL;
}

/* ---- one instant ---- */

/* Who decides the class of the instant: the waiter, the holder, or the next in order. */
static const struct vcpu *decides(const struct wait *wt)
{
	if (wt->v->hs != KS_V_RUNNING)
		return wt->v;
	return wt->l->holder ? wt->l->holder : wt->l->q[0]->v;
}

/* design.md, "Verdict of a wait"; the queue is in order of the tries. */
enum ks_class truth_class(const struct wait *wt)
{
	const struct vcpu *d = decides(wt);

	if (wt->v->hs != KS_V_RUNNING)
		return KS_C_SELF;
	if (!wt->l->holder)
		return d->hs != KS_V_RUNNING ? KS_C_LWP : KS_C_HANDOFF;
	switch (d->hs) {
	case KS_V_RUNNING:
		return KS_C_BUSY;
	case KS_V_RUNNABLE:
		return KS_C_LHP;
	default:
		return KS_C_HALTED;
	}
}

/* ---- stretches ---- */

static void earliest(uint64_t *t, uint64_t other)
{
	if (other < *t)
		*t = other;
}

static void add_stretch(struct wait *wt, struct stretch s)
{
	struct stretch *last = wt->nst ? &wt->st[wt->nst - 1] : NULL;

	/* A change of the host's close by: which came first, only the clocks can tell. */
	if (s.from - decides(wt)->changed < NEAR_NS || s.from - wt->v->changed < NEAR_NS)
		wt->cause = BY_HOST;
	if ((last && last->class != s.class) || (!last && wt->cause == BY_HOST)) {
		if (wt->cause == BY_HOST)
			wt->nhost++;
		else
			wt->nguest++;
	}
	if (last && wt->nst > wt->hold_from && last->class == s.class && last->hidden == s.hidden &&
	    last->whose == s.whose) {
		last->to = s.to;
		return;
	}
	if (wt->nst == wt->cap) {
		wt->cap = wt->cap ? wt->cap * 2 : 8;
		wt->st = must_realloc(wt->st, wt->cap * sizeof(*wt->st));
	}
	wt->st[wt->nst++] = s;
}

/* Do the stamps of the tries not tell who is first in the queue? */
static bool inverted(const struct lock *l)
{
	for (uint32_t i = 1; i < l->nq; i++)
		if (l->q[i]->try_own <= l->q[0]->try_own)
			return true;
	return false;
}

/* What an observer has to know of to tell this stretch begins how early? */
static void look_back(struct wait *wt, const struct vcpu *d)
{
	earliest(&wt->since, wt->v->evident);
	wt->unclear |= wt->v->w->p.contention || !wt->v->born || !d->born;
	if (wt->v->hs != KS_V_RUNNING)
		return;
	earliest(&wt->since, d->evident);
	earliest(&wt->since, wt->l->holder ? wt->l->acq_true : wt->l->q[0]->try_true);
	if (wt->l->holder)
		return;
	if (inverted(wt->l))
		wt->raced = true;
	if (wt->l->vm->nunclear || wt->l->strays)
		wt->unclear = true;
}

/* Book the time since the last change under what was true until now. */
static void accrue(struct wait *wt, enum cause cause)
{
	const struct vcpu *d = decides(wt);
	uint64_t now = wt->v->w->now;
	bool unseen = (!wt->l->holder && !wt->l->q[0]->seen) || wt->v->w->p.contention;

	if (now > wt->last) {
		add_stretch(wt, (struct stretch){ wt->last, now, truth_class(wt), d->idx,
						  d->hidden || wt->v->hidden || unseen });
		look_back(wt, d);
		wt->last = now;
		wt->cause = BY_NOTHING;
	}
	if (wt->l->raced || wt->l->raced_tries || wt->l->murky)
		wt->raced = true;
	if (cause > wt->cause)
		wt->cause = cause;
}

static void accrue_all(struct lock *l, enum cause cause)
{
	for (uint32_t i = 0; i < l->nq; i++)
		accrue(l->q[i], cause);
}

void truth_lock(struct lock *l)
{
	if (l->vm->w->truth->on)
		accrue_all(l, BY_GUEST);
}

void truth_vcpu(struct vcpu *v)
{
	if (!v->w->truth->on)
		return;
	for (uint32_t i = 0; i < v->nheld; i++)
		accrue_all(v->held[i], BY_HOST);
	for (uint32_t i = 0; i < v->nwaits; i++)
		if (v->waits[i]->queued)
			accrue_all(v->waits[i]->l, BY_HOST);
}

void truth_known(struct vcpu *v, bool kept)
{
	v->hidden = !kept;
	if (kept)
		v->evident = v->w->now;
}

void truth_proof(struct vcpu *v)
{
	if (!v->hidden || v->hs != KS_V_RUNNING)
		return;
	truth_vcpu(v);
	v->hidden = false;
	v->evident = v->w->now;
}

/* ---- could it be waiting without the trace telling? ---- */

static void accrue_vm(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->w->p.locks && vm->w->truth->on; i++)
		accrue_all(&vm->locks[i], BY_NOTHING);
}

void truth_lost(struct vcpu *v)
{
	if (!v->unclear)
		accrue_vm(v->vm);
	/* That a recording begins is known at once; a loss, when the ring is drained. */
	v->lost_at = v->vm->start == v->w->now ? 0 : v->w->now;
	if (!v->unclear)
		v->vm->nunclear++;
	v->unclear = true;
}

static void set_stray(struct vcpu *v, struct lock *l)
{
	if (v->stray)
		v->stray->strays--;
	v->stray = l;
	if (l)
		l->strays++;
}

/* Does it come through the recorder's filter? Of a try only its acquire can tell. */
static bool passes(const struct world *w, const struct ks_rec *rec)
{
	switch (rec->type) {
	case KS_LOCK_TRY:
		return !w->p.wait_threshold;
	case KS_LOCK_ACQ:
		return rec->b >= w->p.wait_threshold;
	case KS_LOCK_REL:
		return rec->flags & (KS_F_WAITERS | KS_F_COARSE) ||
		       rec->b >> 32 >= w->p.hold_threshold;
	}
	return false;
}

/* A kept record shows that it waits for nothing but what the trace tells. */
void truth_clear(struct vcpu *v, const struct ks_rec *rec)
{
	bool lock = passes(v->w, rec);
	uint8_t where = rec->flags & (KS_F_CTX_MASK | KS_F_DEPTH_MASK);

	if (v->stray && ((lock && !(where & KS_F_DEPTH_MASK)) || rec->type == KS_IDLE_ENTER)) {
		truth_lock(v->stray);
		set_stray(v, NULL);
	}
	/* What was lost is known when the ring is drained. */
	if (!v->unclear || emit_whole_until(v->w) < v->lost_at)
		return;
	if ((lock && !where) || rec->type == KS_IDLE_ENTER) {
		accrue_vm(v->vm);
		v->unclear = false;
		v->vm->nunclear--;
	}
}

/* ---- the life of a wait ---- */

struct wait *truth_try(struct vcpu *v, struct lock *l, const struct op *op, uint8_t flags)
{
	struct wait *wt = must_alloc(sizeof(*wt));

	wt->v = v;
	wt->l = l;
	wt->ip = op->ip;
	wt->pid = guest_pid(v);
	wt->flags = flags;
	wt->seen = v->vm->recording;
	wt->try_stamp = v->w->now;
	wt->try_own = emit_guest_now(v->vm);
	v->waits[v->nwaits++] = wt;
	return wt;
}

void truth_queued(struct wait *wt)
{
	wt->queued = true;
	wt->try_true = wt->last = wt->since = wt->v->w->now;
}

void truth_acquired(struct wait *wt)
{
	wt->queued = false;
	wt->acq_true = wt->v->w->now;
	if (wt->l->raced)
		wt->raced = true;
}

/*
 * The hold ends. What the waiters saw under it can be known if the trace has its release, which
 * tells both ends; with its acquire alone, as long as the ring that lost the release was whole.
 */
void truth_hold_end(struct lock *l)
{
	uint64_t known = l->acq_kept ? l->rel_drained : 0;

	for (uint32_t i = 0; i < l->nq; i++) {
		struct wait *wt = l->q[i];

		for (uint32_t k = wt->hold_from; k < wt->nst && !l->rel_kept; k++)
			if (wt->st[k].to > known && wt->st[k].class != KS_C_SELF)
				wt->st[k].hidden = true;
		wt->hold_from = wt->nst;
	}
}

static enum ks_class largest(const uint64_t *share)
{
	enum ks_class best = KS_C_SELF;

	for (enum ks_class c = 0; c < KS_C_WAIT_MAX; c++)
		if (share[c] > share[best])
			best = c;
	return best;
}

static void sum_up(const struct wait *wt, struct done *d)
{
	for (uint32_t i = 0; i < wt->nst; i++) {
		const struct stretch *s = &wt->st[i];

		d->share[s->class] += s->to - s->from;
		if (!s->hidden)
			d->visible[s->class] += s->to - s->from;
	}
	d->verdict = largest(d->share);
	for (uint32_t i = 0; i < wt->nst; i++)
		if (wt->st[i].class == d->verdict)
			d->blamed[wt->st[i].whose] += wt->st[i].to - wt->st[i].from;
}

static void print(FILE *out, const struct done *d)
{
	fprintf(out,
		"{\"vm\":%u,\"vcpu\":%u,\"pid\":%u,\"lock\":\"0x%llx\",\"try\":%llu,"
		"\"acq\":%llu,\"verdict\":\"%s\"",
		d->vm, d->vcpu, d->pid, (unsigned long long)d->lock,
		(unsigned long long)d->try_true, (unsigned long long)d->acq_true,
		ks_class_name(d->verdict));
	for (int k = 0; k < 2; k++) {
		fprintf(out, ",\"%s\":{", k ? "ple" : "share");
		for (enum ks_class c = 0; c < KS_C_UNKNOWN; c++)
			fprintf(out, "%s\"%s\":%llu", c ? "," : "", ks_class_name(c),
				(unsigned long long)(k ? d->ple[c] : d->share[c]));
		fputc('}', out);
	}
	fprintf(out, ",\"try_kept\":%s,\"acq_kept\":%s,\"raced\":%s}\n",
		d->try_kept ? "true" : "false", d->acq_kept ? "true" : "false",
		d->raced ? "true" : "false");
}

static void keep(struct truth *t, const struct done *d)
{
	if (t->out) {
		if (!d->stray)
			print(t->out, d);
		return;
	}
	if (t->ndone == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 1024;
		t->done = must_realloc(t->done, t->cap * sizeof(*t->done));
	}
	t->done[t->ndone++] = *d;
}

/* No wait at all, but a reader may take it for one. */
void truth_stray(struct vcpu *v, struct lock *l)
{
	struct world *w = v->w;
	struct done d = { .vm = v->vm->id,
			  .vcpu = v->idx,
			  .pid = guest_pid(v),
			  .lock = l->addr,
			  .try_stamp = w->now,
			  .acq_stamp = w->now,
			  .try_true = w->now,
			  .acq_true = w->now,
			  .since = w->now,
			  .stray = true };

	truth_lock(l);
	set_stray(v, l);
	if (w->truth->on && v->vm->recording)
		keep(w->truth, &d);
}

void truth_drop(struct wait *wt)
{
	free(wt->st);
	free(wt);
}

static void finish(struct wait *wt)
{
	struct world *w = wt->v->w;
	struct done d = { .vm = wt->v->vm->id,
			  .vcpu = wt->v->idx,
			  .pid = wt->pid,
			  .lock = wt->l->addr,
			  .try_stamp = wt->try_stamp,
			  .acq_stamp = w->now,
			  .try_true = wt->try_true,
			  .acq_true = wt->acq_true,
			  .since = wt->since,
			  .nhost = wt->nhost,
			  .nguest = wt->nguest,
			  .ple_over = wt->ple_over,
			  .try_kept = wt->try_kept,
			  .acq_kept = wt->acq_kept };

	d.raced = wt->raced || wt->l->raced;
	d.unclear = wt->unclear;
	for (enum ks_class c = 0; d.raced && c < KS_C_WAIT_MAX; c++)
		wt->v->raced_ple += wt->ple[c];
	memcpy(d.ple, wt->ple, sizeof(d.ple));
	if (!w->truth->on || !wt->seen)
		return;
	sum_up(wt, &d);
	keep(w->truth, &d);
	wt->seen = false;
}

void truth_stamped(struct wait *wt)
{
	finish(wt);
	wt->v->nwaits--; /* waits nest: it is the last one */
	truth_drop(wt);
}

/* The guest's recording ends; those that still wait are known until here. */
void truth_stop(struct vm *vm)
{
	for (uint32_t i = 0; i < vm->w->p.locks; i++)
		truth_lock(&vm->locks[i]);
	for (uint32_t i = 0; i < vm->nvcpus; i++)
		for (uint32_t k = 0; k < vm->vcpus[i].nwaits; k++) {
			struct wait *wt = vm->vcpus[i].waits[k];

			if (wt->queued)
				wt->acq_true = vm->w->now;
			if (wt->acq_true)
				finish(wt);
			wt->seen = false;
		}
}

void truth_ple(struct vcpu *v, const struct frame *top)
{
	struct wait *wt = top->wait;
	enum ks_class c;

	if (!v->w->recording || !v->w->truth->on)
		return;
	if (!v->vm->recording || (wt && !wt->seen)) {
		v->unclear_ple++; /* it may be classed by its address */
		return;
	}
	for (uint32_t i = 0; i < v->nwaits; i++)
		if (v->waits[i] != wt)
			v->waits[i]->ple_over++;
	if (wt) {
		c = truth_class(wt);
		wt->ple[c]++;
	} else {
		c = script_ip_class(NULL, v->vm->id, guest_ip(v));
	}
	v->tot.ple[c]++;
	v->unclear_ple += v->unclear;
}
