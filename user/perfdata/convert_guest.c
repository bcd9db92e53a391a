// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "model.h"

#define OPEN 16384u /* locks waited for or held at a time; a power of two */
#define PROBES 8u   /* places that one may be in */

enum state { NONE, WAITING, HELD };

/* A lock that a thread waits for or holds, as far as it is on record. */
struct open {
	uint64_t lock;
	uint64_t site; /* of the wait */
	uint64_t since;
	uint32_t tid;
	uint32_t state;
};

struct ks_pd_guest {
	struct ks_pd_context c;
	uint32_t vm;
	const struct ks_pd_host *host;
	const uint32_t *vcpu;
	uint32_t ncpus;
	uint64_t *since; /* by CPU: time of the last switch, 0 = not known */
	struct open open[OPEN];
};

int ks_pd_guest_new(struct ks_pd_guest **out, const struct ks_pd_context *c, uint32_t vm,
		    const uint32_t *vcpu, uint32_t ncpus, const struct ks_pd_host *host)
{
	struct ks_pd_guest *g = calloc(1, sizeof(*g));

	*out = g;
	if (!g)
		return -ENOMEM;
	g->c = *c;
	g->vm = vm;
	g->host = host;
	g->vcpu = vcpu;
	g->ncpus = ncpus;
	g->since = calloc(ncpus + 1ul, sizeof(*g->since));
	return g->since ? 0 : -ENOMEM;
}

void ks_pd_guest_free(struct ks_pd_guest *g)
{
	if (!g)
		return;
	free(g->since);
	free(g);
}

/* ---- samples ---- */

static uint32_t thread(const struct ks_pd_guest *g, uint32_t cpu, uint32_t tid)
{
	return tid || !g->host ? tid : KS_PD_IDLE + cpu;
}

static struct ks_pd_sample sample(const struct ks_pd_guest *g, enum ks_pd_event event,
				  uint64_t time, uint32_t cpu, uint32_t tid)
{
	uint32_t vcpu = g->vcpu[cpu];

	return (struct ks_pd_sample){
		.event = event,
		.time = time,
		.pid = thread(g, cpu, tid),
		.tid = thread(g, cpu, tid),
		.cpu = g->host ? ks_pd_host_pcpu(g->host, vcpu) : cpu,
		.id = ks_pd_layout_id(g->c.layout, event, vcpu),
		.machine = KS_PD_GUEST(g->vm),
		.vm = g->vm,
	};
}

static void push(struct ks_pd_guest *g, enum ks_pd_event event, uint64_t time,
		 const struct ks_rec *r, uint64_t site)
{
	struct ks_pd_sample s = sample(g, event, time, r->cpu, r->id);

	s.v[0] = r->a;
	s.v[2] = site;
	ks_pd_order_push(g->c.order, &s);
}

/* ---- locks ---- */

/*
 * Its place, or a free one, or if there is none, that of the one that is forgotten: perf then sees
 * its release come from nowhere, and passes over it.
 */
static struct open *find(struct ks_pd_guest *g, const struct ks_rec *r)
{
	uint32_t tid = r->id ? r->id : KS_PD_IDLE + r->cpu;
	uint64_t hash = (r->a ^ (uint64_t)tid << 32) * 0x9e3779b97f4a7c15ull;
	struct open *o, *spare = NULL;
	uint32_t i;

	for (i = 0; i < PROBES; i++) {
		o = &g->open[((hash >> 32) + i) & (OPEN - 1)];
		if (o->state != NONE && o->tid == tid && o->lock == r->a)
			return o;
		if (!spare && o->state == NONE)
			spare = o;
	}
	spare = spare ?: &g->open[(hash >> 32) & (OPEN - 1)];
	*spare = (struct open){ .lock = r->a, .tid = tid };
	return spare;
}

/* A short hold that nobody waited for has no release on record: it ended before the next begins. */
static void close_hold(struct ks_pd_guest *g, struct open *o, uint64_t time, const struct ks_rec *r)
{
	if (o->state == HELD)
		push(g, PD_RELEASE, time, r, 0);
	o->state = NONE;
}

/*
 * lock_acquire and lock_contended are what `perf lock report` goes by, contention_begin is what
 * `perf lock contention` does. The former takes note of contention_begin as well, unless it knows of
 * the wait already: so it comes last.
 */
static void begin_wait(struct ks_pd_guest *g, struct open *o, uint64_t time, const struct ks_rec *r,
		       uint64_t site)
{
	close_hold(g, o, time, r);
	push(g, PD_ACQUIRE, time, r, 0);
	push(g, PD_CONTENDED, time, r, 0);
	push(g, PD_WAIT_BEGIN, time, r, site);
	o->site = site;
	o->since = time;
	o->state = WAITING;
}

/* Both take contention_end; lock_acquired as well would be one too many. */
static void end_wait(struct ks_pd_guest *g, struct open *o, uint64_t time, const struct ks_rec *r)
{
	push(g, PD_WAIT_END, time, r, o->site);
	o->state = HELD;
}

static void acquired(struct ks_pd_guest *g, const struct ks_event *ev)
{
	struct open *o = find(g, ev->rec);
	uint64_t wait = ev->rec->b < ev->time ? ev->rec->b : 0;

	if (o->state != WAITING)
		begin_wait(g, o, ev->time - wait, ev->rec, 0);
	end_wait(g, o, ev->time, ev->rec);
}

static void released(struct ks_pd_guest *g, const struct ks_event *ev)
{
	const struct ks_rec *r = ev->rec;
	uint64_t hold = (r->b >> 32) * (r->flags & KS_F_COARSE ? 1024 : 1);
	struct open *o = find(g, r);
	uint64_t from = hold < ev->time ? ev->time - hold : ev->time;

	if (o->state == WAITING && from < o->since)
		return; /* of the hold before this wait: stamped late */
	if (o->state == WAITING) {
		end_wait(g, o, from, r);
	} else if (o->state == NONE) {
		push(g, PD_ACQUIRE, from, r, 0);
		push(g, PD_ACQUIRED, from, r, 0);
	}
	push(g, PD_RELEASE, ev->time, r, 0);
	o->state = NONE;
}

/* ---- threads ---- */

static void switched(struct ks_pd_guest *g, const struct ks_event *ev)
{
	const struct ks_rec *r = ev->rec;
	struct ks_pd_sample s = sample(g, PD_G_RUNTIME, ev->time, r->cpu, r->a);
	uint64_t *since = &g->since[r->cpu];

	if (r->a && *since && *since < ev->time) {
		s.v[0] = r->a;
		s.v[1] = ev->time - *since;
		ks_pd_order_push(g->c.order, &s);
	}
	*since = ev->time;
	s = sample(g, PD_G_SWITCH, ev->time, r->cpu, r->a);
	s.v[0] = thread(g, r->cpu, r->a);
	s.v[1] = thread(g, r->cpu, r->id);
	s.v[2] = !r->b && r->a; /* asleep */
	ks_pd_order_push(g->c.order, &s);
}

static void woken(struct ks_pd_guest *g, const struct ks_event *ev)
{
	struct ks_pd_sample s = sample(g, PD_G_WAKEUP, ev->time, ev->rec->cpu, ev->rec->b);

	s.v[0] = ev->rec->id;
	s.v[1] = ev->rec->a;
	ks_pd_order_push(g->c.order, &s);
}

static void migrated(struct ks_pd_guest *g, const struct ks_event *ev)
{
	struct ks_pd_sample s = sample(g, PD_G_MIGRATE, ev->time, ev->rec->cpu, ev->rec->id);

	s.v[0] = ev->rec->id;
	s.v[1] = ev->rec->a;
	s.v[2] = ev->rec->b;
	ks_pd_order_push(g->c.order, &s);
}

static enum ks_pd_event lost_event(uint8_t type)
{
	switch (type) {
	case KS_LOCK_REL:
		return PD_RELEASE;
	case KS_TASK_SWITCH:
		return PD_G_SWITCH;
	case KS_TASK_WAKE:
		return PD_G_WAKEUP;
	case KS_TASK_MIGRATE:
		return PD_G_MIGRATE;
	default:
		return PD_WAIT_BEGIN;
	}
}

/* That of a ring that is not a CPU's goes to the first vCPU that is known. */
static void loss(struct ks_pd_guest *g, const struct ks_event *ev)
{
	uint32_t cpu = ev->rec->cpu < g->ncpus ? ev->rec->cpu : 0;
	struct ks_pd_sample s;

	while (cpu < g->ncpus && g->vcpu[cpu] == KS_NO_VCPU)
		cpu++;
	if (cpu >= g->ncpus)
		return;
	s = sample(g, lost_event(ev->rec->flags), ev->time, cpu, UINT32_MAX);
	s.event = PD_LOST;
	s.v[1] = ev->rec->b;
	ks_pd_order_push(g->c.order, &s);
	memset(g->since, 0, g->ncpus * sizeof(*g->since));
}

void ks_pd_guest_event(struct ks_pd_guest *g, const struct ks_event *ev)
{
	const struct ks_rec *r = ev->rec;

	if (r->type == KS_LOSS)
		loss(g, ev);
	if (r->cpu >= g->ncpus || g->vcpu[r->cpu] == KS_NO_VCPU || r->id >= KS_PD_IDLE)
		return;
	switch (r->type) {
	case KS_LOCK_TRY:
		begin_wait(g, find(g, r), ev->time, r, r->b);
		break;
	case KS_LOCK_ACQ:
		acquired(g, ev);
		break;
	case KS_LOCK_REL:
		released(g, ev);
		break;
	case KS_TASK_SWITCH:
		switched(g, ev);
		break;
	case KS_TASK_WAKE:
		woken(g, ev);
		break;
	case KS_TASK_MIGRATE:
		migrated(g, ev);
		break;
	}
}
