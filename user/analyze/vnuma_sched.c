// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's records: its run queues, followed from switch to switch. The guest is not trusted:
 * nothing in them is taken for granted.
 */
#include <errno.h>
#include <string.h>

#include "vnuma_priv.h"

/* ---- cases ---- */

const char *ks_passed_name(enum ks_passed_why why)
{
	static const char *const names[KS_PASSED_MAX] = {
		[KS_PASSED_UNKNOWN] = "unknown",
		[KS_PASSED_FLAGGED] = "flagged",
		[KS_PASSED_NODE] = "other_node",
	};

	return (unsigned int)why < KS_PASSED_MAX ? names[why] : "invalid";
}

static void keep_worst(struct ks_vnuma_disease *d, const struct ks_vnuma_case *c)
{
	uint32_t i;

	if (d->nworst < KS_VN_WORST)
		d->nworst++;
	else if (d->worst[KS_VN_WORST - 1].cost_ns >= c->cost_ns)
		return;
	for (i = d->nworst - 1; i && d->worst[i - 1].cost_ns < c->cost_ns; i--)
		d->worst[i] = d->worst[i - 1];
	d->worst[i] = *c;
}

static void count(struct ks_vnuma_disease *d, const struct ks_vnuma_case *c)
{
	d->count++;
	d->cost_ns += c->cost_ns;
	keep_worst(d, c);
}

/* Its wait is over: it runs. */
static void judge(struct ks_vnuma *v, struct vn_vm *m, const struct vn_task *t, uint64_t now)
{
	struct ks_vnuma_case c = {
		.time = t->since,
		.wait_ns = now - t->since,
		.cost_ns = vn_idle_time(m, t),
		.pid = t->tid,
		.cpu = t->put,
		.other = t->other,
		.why = t->why,
	};

	if (!t->woken || !vn_counts(m, t->since) || !vn_counts(m, now))
		return;
	if (t->passed && c.cost_ns >= v->opts.min_ns) {
		count(&m->out.passed, &c);
		if (m->watch->passed)
			m->watch->passed(m->watch->ctx, m->index, &c);
		m->out.passed_why[t->why]++;
	}
	if (t->overloaded && c.wait_ns >= v->opts.min_ns) {
		c.cost_ns = c.wait_ns;
		c.other = t->pulled;
		c.why = KS_PASSED_UNKNOWN;
		count(&m->out.overloaded, &c);
		if (m->watch->overloaded)
			m->watch->overloaded(m->watch->ctx, m->index, &c);
	}
}

/* ---- waits begin and end ---- */

static void begin_wait(struct ks_vnuma *v, struct vn_vm *m, struct vn_task *t, uint32_t cpu,
		       uint64_t now)
{
	t->since = now;
	t->put = cpu;
	t->idle_sum = 0;
	t->passed = t->overloaded = t->woken = false;
	t->why = KS_PASSED_UNKNOWN;
	if (vn_task_wait(m, t, cpu))
		v->no_memory = true;
}

/* Put it where it is known to be now; t stays valid. */
static void leave_queue(struct vn_vm *m, struct vn_task *t)
{
	if (t->where == VN_WAITS)
		vn_task_unwait(m, t);
}

/* What was pulled onto the CPU has left it: whoever wakes up there later does not wait for that. */
static void pulled_leaves(struct vn_cpu *c, uint32_t tid)
{
	if (c->pulled == tid)
		c->pulled_at = 0;
}

/* ---- switches ---- */

static void switched_out(struct ks_vnuma *v, struct vn_vm *m, const struct ks_event *ev)
{
	const struct ks_rec *r = ev->rec;
	struct vn_task *t;

	if (!r->a || r->a >= VN_NONE)
		return;
	if (!r->b)
		pulled_leaves(&m->cpu[r->cpu], (uint32_t)r->a);
	if (!r->b && r->flags & KS_SWITCH_DEAD) {
		vn_task_end(m, (uint32_t)r->a);
		return;
	}
	t = vn_task_get(m, (uint32_t)r->a);
	if (!t)
		return;
	leave_queue(m, t);
	if (r->b) {
		t->allowed = r->flags & KS_ALLOWED_MASK;
		begin_wait(v, m, t, r->cpu, ev->time);
	} else {
		t->where = VN_SLEEPS;
		t->since = ev->time;
		t->cpu = r->cpu;
	}
}

static void switched_in(struct ks_vnuma *v, struct vn_vm *m, const struct ks_event *ev)
{
	const struct ks_rec *r = ev->rec;
	struct vn_task *t = r->id ? vn_task_get(m, r->id) : NULL;

	m->cpu[r->cpu].cur = r->id;
	if (!t)
		return;
	if (t->where == VN_WAITS) {
		judge(v, m, t, ev->time);
		vn_task_unwait(m, t);
	}
	t->where = VN_RUNS;
	t->cpu = r->cpu;
	t->ran_from = ev->time;
}

/* ---- wake-ups ---- */

static void count_sleep(struct ks_vnuma *v, struct ks_vnuma_vm *o, uint64_t ns)
{
	uint32_t i = 0;

	while (i + 1 < KS_VN_SLEEPS && ns >> i > 1)
		i++;
	o->sleeps[i]++;
	o->nsleeps++;
	o->short_sleeps += ns <= v->opts.short_ns;
}

/* It was put where it cannot run at once, and a vCPU that it may use has nothing to do. */
static void check_passed(struct vn_vm *m, struct vn_task *t, uint64_t now)
{
	const struct vn_cpu *c = &m->cpu[t->cpu];
	bool other_nodes = true;
	uint32_t i;

	if ((!c->cur || c->cur == VN_NONE) && c->nwait < 2 && !vn_lacks_pcpu(m, c, now))
		return;
	for (i = 0; i < m->ncpus; i++) {
		if (!m->cpu[i].free || !vn_may_run(t, i))
			continue;
		if (!t->passed)
			t->other = i;
		t->passed = true;
		other_nodes &= m->cpu[i].node >= 0 && c->node >= 0 && m->cpu[i].node != c->node;
	}
	if (t->passed && other_nodes)
		t->why = KS_PASSED_NODE;
}

/*
 * What was pulled onto its CPU for its short sleep is still there. It is the sleeper's own schedule() that
 * pulls, on its way to the switch from which the sleep is timed: the pull comes before.
 */
static void check_overloaded(struct ks_vnuma *v, struct vn_vm *m, struct vn_task *t,
			     uint64_t slept_from, uint32_t slept_on, uint64_t now)
{
	const struct vn_cpu *c = &m->cpu[t->cpu];
	const struct vn_task *p;

	if (slept_on != t->cpu || now - slept_from > v->opts.short_ns)
		return;
	if (c->pulled_at <= t->ran_from || c->pulled == t->tid)
		return;
	p = vn_task_find(m, c->pulled);
	t->overloaded = c->cur == c->pulled || (p && p->where == VN_WAITS && p->cpu == t->cpu);
	t->pulled = c->pulled;
}

static void woken(struct ks_vnuma *v, struct vn_vm *m, const struct ks_event *ev)
{
	const struct ks_rec *r = ev->rec;
	struct vn_task *t;
	uint64_t slept_from;
	uint32_t slept_on;
	bool slept;

	if (r->a >= m->ncpus || !r->id)
		return;
	if (r->flags & KS_WAKE_NEW)
		vn_task_end(m, r->id); /* its end is not in the trace */
	t = vn_task_get(m, r->id);
	if (!t || t->where == VN_WAITS)
		return;
	/* Woken on its way to sleep it has not been off its CPU: no wait, and no sleep that was pulled for. */
	if (t->where == VN_RUNS) {
		t->ran_from = ev->time;
		return;
	}
	slept = t->where == VN_SLEEPS;
	slept_from = t->since;
	slept_on = t->cpu;
	if (slept && vn_counts(m, ev->time))
		count_sleep(v, &m->out, ev->time - slept_from);
	t->allowed = r->flags & KS_ALLOWED_MASK;
	begin_wait(v, m, t, (uint32_t)r->a, ev->time);
	t->woken = t->where == VN_WAITS;
	vn_look(m, ev->time);
	check_passed(m, t, ev->time);
	if (slept)
		check_overloaded(v, m, t, slept_from, slept_on, ev->time);
}

/* What the guest itself saw as it woke the thread: were the idle ones flagged as preempted? */
static void passed_over(struct vn_vm *m, const struct ks_event *ev)
{
	const struct ks_rec *r = ev->rec;
	struct vn_task *t = vn_task_find(m, r->id);
	uint32_t idle = r->a >> 32, flagged = (uint32_t)r->a;

	if (!(r->flags & KS_PASSED_FLAGS) || flagged > idle)
		return;
	if (vn_counts(m, ev->time)) {
		m->out.flags_looked += idle;
		m->out.flags_set += flagged;
	}
	if (t && t->where == VN_WAITS && t->passed && idle && flagged == idle)
		t->why = KS_PASSED_FLAGGED;
}

/* ---- migrations ---- */

const char *ks_move_name(unsigned int by)
{
	_Static_assert(KS_VN_CAUSES == KS_MOVE_MAX, "a word for each");
	static const char *const names[KS_VN_CAUSES] = {
		[KS_MOVE_UNKNOWN] = "unknown",	   [KS_MOVE_WAKE] = "wake_up",
		[KS_MOVE_NEWIDLE] = "newly_idle",  [KS_MOVE_PERIODIC] = "periodic",
		[KS_MOVE_NUMA] = "numa_balancing", [KS_MOVE_EXEC] = "exec",
		[KS_MOVE_AFFINITY] = "affinity",   [KS_MOVE_ACTIVE] = "active_balance",
	};

	return by < KS_VN_CAUSES ? names[by] : NULL;
}

static void count_migration(struct vn_vm *m, const struct ks_event *ev, unsigned int by)
{
	const struct vn_cpu *from = &m->cpu[ev->rec->a], *to = &m->cpu[ev->rec->b];
	struct ks_vnuma_migration g = {
		.time = ev->time,
		.tid = ev->rec->id,
		.from = from->vcpu,
		.to = to->vcpu,
		.by = (uint8_t)by,
	};

	m->out.moves_by[by]++;
	m->out.node_moves_by[by] += from->node >= 0 && to->node >= 0 && from->node != to->node;
	if (m->watch->migration)
		m->watch->migration(m->watch->ctx, m->index, &g);
}

static void migrated(struct ks_vnuma *v, struct vn_vm *m, const struct ks_event *ev)
{
	const struct ks_rec *r = ev->rec;
	unsigned int by = r->flags < KS_VN_CAUSES ? r->flags : KS_MOVE_UNKNOWN;
	struct vn_task *t = vn_task_find(m, r->id);
	uint32_t to = (uint32_t)r->b;

	if (r->a >= m->ncpus || r->b >= m->ncpus)
		return;
	if (vn_counts(m, ev->time))
		count_migration(m, ev, by);
	pulled_leaves(&m->cpu[r->a], r->id);
	if (by == KS_MOVE_NEWIDLE) {
		m->cpu[to].pulled_at = ev->time;
		m->cpu[to].pulled = r->id;
	}
	if (!t || t->where != VN_WAITS)
		return;
	vn_queue_leave(m, t);
	t->cpu = to;
	v->no_memory |= vn_queue_join(m, t) != 0;
}

static void told_cpus(struct ks_vnuma *v, struct vn_vm *m, const struct ks_rec *r)
{
	struct vn_task *t = vn_task_get(m, r->id);

	if (!t)
		return;
	if (t->where == VN_WAITS)
		vn_queue_leave(m, t);
	t->mask[0] = r->a;
	t->mask[1] = r->b;
	if (t->where == VN_WAITS)
		v->no_memory |= vn_queue_join(m, t) != 0;
}

/* Of whatever ring: a thread may have gone from its CPU to any other. */
static void lost(struct ks_vnuma *v, struct vn_vm *m, const struct ks_rec *r)
{
	struct an_loss x;
	int late = an_losses_late(&m->loss, r, m->map, m->map_ctx, &x);

	v->no_memory |= late < 0;
	if (late != AN_LOSS_KNOWN)
		vn_tasks_forget(m);
	vn_online_forget(m, r);
}

int vn_guest_event(struct ks_vnuma *v, struct vn_vm *m, const struct ks_event *ev)
{
	const struct ks_rec *r = ev->rec;

	if (r->type == KS_LOSS)
		lost(v, m, r);
	if (r->cpu >= m->ncpus)
		return -EINVAL;
	switch (r->type) {
	case KS_TASK_SWITCH:
		switched_out(v, m, ev);
		switched_in(v, m, ev);
		m->dirty = true;
		break;
	case KS_TASK_WAKE:
		woken(v, m, ev);
		break;
	case KS_TASK_CPUS:
		told_cpus(v, m, r);
		break;
	case KS_TASK_PASSED:
		passed_over(m, ev);
		break;
	case KS_TASK_MIGRATE:
		migrated(v, m, ev);
		break;
	case KS_CPU_ONLINE:
		m->cpu[r->cpu].offline = !r->a;
		m->dirty = true;
		break;
	}
	return 0;
}
