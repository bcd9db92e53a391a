// SPDX-License-Identifier: GPL-2.0
/* A guest's records. The guest is not trusted: nothing in them is taken for granted. */
#include "internal.h"

#define LONG_HOLD 1000000ull /* from here on a hold's length is mapped, not just subtracted */

/* Task, softirq, hardirq, NMI: each interrupts those before it, and none interrupts itself. */
static unsigned int level_of(unsigned int flags)
{
	return flags & KS_F_CTX_MASK;
}

/* How many locks the CPU held or waited for below this one. */
static unsigned int depth_of(unsigned int flags)
{
	return flags & KS_F_DEPTH_MASK;
}

/*
 * While a CPU waits, whatever interrupts it begins above the wait: a record that has no more below
 * it than the wait itself says that the wait is over, though its end was not seen (or that the
 * thread was switched out before it began to wait in earnest). The level alone tells nothing:
 * interrupts take locks on their way out, after they have ceased to count as interrupts.
 */
static void contradict(struct ks_analysis *a, uint32_t vcpu, const struct ks_rec *r)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	uint32_t keep = v->nopen;

	while (keep && depth_of(v->open[keep - 1]->flags) >= depth_of(r->flags))
		keep--;
	if (keep < v->nopen)
		an_wait_drop_from(a, vcpu, keep);
}

/* Below a thread that holds no other lock nothing is held or waited for. */
static void proved_by_level(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	if (!(ev->rec->flags & (KS_F_CTX_MASK | KS_F_DEPTH_MASK)))
		an_proved(a, vcpu, ev->time);
}

static void lock_try(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	struct an_wait *w;

	contradict(a, vcpu, ev->rec);
	proved_by_level(a, vcpu, ev);
	if (v->nopen == AN_OPEN_MAX)
		an_wait_drop_from(a, vcpu, 0);
	w = an_wait_open(a, vcpu, ev->rec, ev->time, ev->rec->b, false);
	if (w)
		v->open[v->nopen++] = w;
}

/* The open wait for this lock at this level, that began at try_time or so; nopen if none. */
static uint32_t find_open(struct ks_analysis *a, uint32_t vcpu, const struct ks_rec *r,
			  uint64_t try_time, uint64_t tolerance)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	const struct an_wait *w;
	uint32_t i;

	for (i = v->nopen; i--;) {
		w = v->open[i];
		if (w->addr != r->a || level_of(w->flags) != level_of(r->flags))
			continue;
		if (w->try_time > try_time + tolerance || try_time > w->try_time + tolerance)
			continue;
		return i;
	}
	return v->nopen;
}

static void end_open(struct ks_analysis *a, uint32_t vcpu, uint32_t i, uint64_t acq_time)
{
	struct an_vcpu *v = &a->vcpu[vcpu];

	an_wait_drop_from(a, vcpu, i + 1);
	v->nopen--;
	an_wait_end(a, v->open[i], acq_time, true);
}

/* A time `ago` ns (guest) before the event, on the common clock, not before the first event. */
static uint64_t before(const struct ks_analysis *a, uint32_t vm, const struct ks_event *ev,
		       uint64_t ago)
{
	const struct an_vm *m = &a->vm[vm];
	uint64_t t;

	if (m->map && ago >= LONG_HOLD)
		t = m->map(m->map_ctx, ev->rec->time > ago ? ev->rec->time - ago : 0);
	else
		t = ev->time > ago ? ev->time - ago : 0;
	if (t > ev->time)
		t = ev->time;
	return t > a->first ? t : a->first;
}

static void set_owner(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev, uint64_t ip)
{
	struct an_lock *k = an_lock_find(&a->locks, a->model.vcpus[vcpu].vm, ev->rec->a);

	if (!k)
		return;
	k->owner = vcpu;
	k->owner_pid = ev->rec->id;
	k->owner_acq = ev->time;
	k->owner_ip = ip;
}

static void lock_acq(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	const struct ks_rec *r = ev->rec;
	uint64_t try_time = before(a, a->model.vcpus[vcpu].vm, ev, r->b);
	/* The two clocks' rates may differ by a thousandth at most. */
	uint32_t i = find_open(a, vcpu, r, try_time, a->opts.slack_ns + (r->b >> 10));
	struct an_wait *w = NULL;
	uint64_t ip = 0;

	if (i < v->nopen) {
		ip = v->open[i]->ip;
		end_open(a, vcpu, i, ev->time);
	} else {
		contradict(a, vcpu, r);
		w = an_wait_open(a, vcpu, r, try_time, 0, true);
		if (w)
			an_wait_end(a, w, ev->time, true);
	}
	set_owner(a, vcpu, ev, ip);
	proved_by_level(a, vcpu, ev);
}

static uint64_t hold_ns(const struct ks_rec *r)
{
	uint64_t h = r->b >> 32;

	return r->flags & KS_F_COARSE ? h << 10 : h;
}

static void report_hold(struct ks_analysis *a, const struct ks_rec *r, const struct an_hold *h)
{
	struct ks_hold out;

	a->vm[a->model.vcpus[h->vcpu].vm].tot.holds++;
	if (!a->ops.hold)
		return;
	out = (struct ks_hold){
		.vm = a->model.vcpus[h->vcpu].vm,
		.vcpu = h->vcpu,
		.lock = r->a,
		.ip = h->ip,
		.pid = h->pid,
		.acq_time = h->acq,
		.rel_time = h->rel,
		.off_ns = an_time_seen(a, h->vcpu, h->acq, h->rel, 1u << KS_V_RUNNABLE),
		.waiters = r->flags & KS_F_WAITERS,
	};
	a->ops.hold(a->ops.ctx, &out);
}

static void lock_rel(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	const struct ks_rec *r = ev->rec;
	uint32_t vm = a->model.vcpus[vcpu].vm;
	struct an_hold h = {
		.acq = before(a, vm, ev, hold_ns(r)),
		.rel = ev->time,
		.ip = (uint64_t)(int64_t)(int32_t)(uint32_t)r->b,
		.vcpu = vcpu,
		.pid = r->id,
	};
	struct an_lock *k;

	contradict(a, vcpu, r);
	k = an_lock_get(&a->locks, vm, r->a);
	if (k) {
		k->last_rel = ev->time;
		k->last_vcpu = vcpu;
		k->owner = KS_NO_VCPU;
		if (k->past)
			an_past_hold(a, k->past, &h);
	}
	an_boost_release(a, vcpu, r->a, ev->time);
	report_hold(a, r, &h);
	proved_by_level(a, vcpu, ev);
}

/* The vCPU went to sleep or switched threads: it is in no spinlock. */
static void in_no_lock(struct ks_analysis *a, uint32_t vcpu, uint64_t time)
{
	if (a->vcpu[vcpu].nopen)
		an_wait_drop_from(a, vcpu, 0);
	an_proved(a, vcpu, time);
}

static uint32_t vcpu_of(const struct ks_analysis *a, uint32_t vm, uint32_t cpu)
{
	return cpu < a->vm[vm].ncpus ? a->vm[vm].cpu_vcpu[cpu] : KS_NO_VCPU;
}

/*
 * Whoever writes records runs; on which pCPU, they do not tell. Of use only while the host is
 * recorded, too: else nobody tells when it stops running.
 */
static void it_runs(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	const struct an_vm *m = &a->vm[a->model.vcpus[vcpu].vm];
	uint64_t e = m->clock_error;

	if (a->model.vcpus[vcpu].state != KS_V_UNKNOWN || an_is_blind(m, ev->time))
		return;
	/* It may really have been written before a departure that was lost. */
	if (a->any_out_lost && a->any_out_lost + e >= a->now)
		return;
	if (ev->time < a->host_begin + e || a->host_end == AN_NEVER || ev->time + e > a->host_end)
		return;
	if (ev->rec->type == KS_RQ_BUSY || ev->rec->type == KS_RQ_CALM ||
	    ev->rec->type == KS_TASK_PASSED || ev->rec->type == KS_CPU_ONLINE)
		return; /* may be written by another vCPU */
	a->model.vcpus[vcpu].pcpu = -1;
	an_set_state(a, vcpu, ev->time, KS_V_RUNNING, -1);
}

static void vcpu_event(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	it_runs(a, vcpu, ev);
	switch (ev->rec->type) {
	case KS_LOCK_TRY:
		lock_try(a, vcpu, ev);
		break;
	case KS_LOCK_ACQ:
		lock_acq(a, vcpu, ev);
		break;
	case KS_LOCK_REL:
		lock_rel(a, vcpu, ev);
		break;
	case KS_IDLE_ENTER:
	case KS_IDLE_EXIT:
	case KS_TASK_SWITCH:
		in_no_lock(a, vcpu, ev->time);
		break;
	case KS_RQ_BUSY:
	case KS_RQ_CALM:
		an_busy_update(a, vcpu, ev->time,
			       ev->rec->type == KS_RQ_BUSY && ev->time > a->vcpu[vcpu].queue_lost &&
				       !an_is_blind(&a->vm[a->model.vcpus[vcpu].vm], ev->time));
		break;
	case KS_TASK_CPUS:
	case KS_TASK_PASSED:
	case KS_CPU_ONLINE:
		break; /* what vnuma.c reads */
	default:
		a->ignored++;
	}
}

void an_guest_event(struct ks_analysis *a, uint32_t vm, const struct ks_event *ev)
{
	struct an_vm *m = &a->vm[vm];
	uint32_t vcpu;

	if (ev->time > AN_LATEST) {
		a->ignored++;
		return;
	}
	if (!m->is_over) {
		m->last = ev->time;
		if (!m->begin)
			m->begin = m->last;
	}
	switch (ev->rec->type) {
	case KS_CLOCK:
	case KS_TASK_WAKE:
		return;
	case KS_LOSS:
		an_guestloss_late(a, vm, ev);
		return;
	case KS_TASK_MIGRATE:
		an_task_migrate(a, vm, ev);
		return;
	}
	vcpu = vcpu_of(a, vm, ev->rec->cpu);
	if (vcpu == KS_NO_VCPU)
		a->ignored++;
	else
		vcpu_event(a, vcpu, ev);
}
