// SPDX-License-Identifier: GPL-2.0
/*
 * Wasted idle time: a vCPU is halted while another one of its VM has more than one runnable
 * thread.
 */
#include "internal.h"

static void waste(struct an_vm *m, uint64_t time)
{
	/* One that is both has threads of its own to run, and is about to be woken. */
	bool same = m->nidle == 1 && m->nbusy == 1 && m->nboth == 1;
	bool on = m->nidle && m->nbusy && !same;

	if (on && m->wasting == AN_NEVER) {
		m->wasting = time;
	} else if (!on && m->wasting != AN_NEVER) {
		if (time > m->wasting)
			m->tot.wasted_idle_ns += time - m->wasting;
		m->wasting = AN_NEVER;
	}
}

static void update(struct ks_analysis *a, uint32_t vcpu, uint64_t time, bool idle, bool busy)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	struct an_vm *m = &a->vm[a->model.vcpus[vcpu].vm];

	if (idle == v->idle && busy == v->busy)
		return;
	m->nidle += idle - v->idle;
	m->nbusy += busy - v->busy;
	m->nboth += (idle && busy) - (v->idle && v->busy);
	v->idle = idle;
	v->busy = busy;
	waste(m, time);
}

void an_idle_update(struct ks_analysis *a, uint32_t vcpu, uint64_t time)
{
	update(a, vcpu, time, a->model.vcpus[vcpu].state == KS_V_HALTED, a->vcpu[vcpu].busy);
}

void an_busy_update(struct ks_analysis *a, uint32_t vcpu, uint64_t time, bool busy)
{
	update(a, vcpu, time, a->vcpu[vcpu].idle, busy);
}

void an_idle_end(struct ks_analysis *a, uint32_t vm, uint64_t time)
{
	struct an_vm *m = &a->vm[vm];

	if (m->wasting != AN_NEVER && time > m->wasting)
		m->tot.wasted_idle_ns += time - m->wasting;
	m->wasting = AN_NEVER;
}
