// SPDX-License-Identifier: GPL-2.0
/*
 * Wasted idle time: a vCPU is halted while another one of its VM has more than one runnable
 * thread.
 */
#include "internal.h"

static void waste(struct an_vm *m, uint64_t time)
{
	bool on = m->nidle && m->nbusy;

	if (on && m->wasting == AN_NEVER) {
		m->wasting = time;
	} else if (!on && m->wasting != AN_NEVER) {
		if (time > m->wasting)
			m->tot.wasted_idle_ns += time - m->wasting;
		m->wasting = AN_NEVER;
	}
}

/* A halted vCPU with a busy run queue of its own is about to be woken. */
void an_idle_update(struct ks_analysis *a, uint32_t vcpu, uint64_t time)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	struct an_vm *m = &a->vm[a->model.vcpus[vcpu].vm];
	enum ks_vstate s = a->model.vcpus[vcpu].state;
	/* What the host says counts; the guest, if the host's records are missing. */
	bool idle = !v->busy && (s == KS_V_HALTED || (s == KS_V_UNKNOWN && v->guest_idle));

	if (idle == v->idle)
		return;
	v->idle = idle;
	m->nidle += idle ? 1 : -1;
	waste(m, time);
}

void an_busy_update(struct ks_analysis *a, uint32_t vcpu, uint64_t time, bool busy)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	struct an_vm *m = &a->vm[a->model.vcpus[vcpu].vm];

	if (busy != v->busy) {
		v->busy = busy;
		m->nbusy += busy ? 1 : -1;
		an_idle_update(a, vcpu, time);
		waste(m, time);
	}
}

void an_idle_end(struct ks_analysis *a, uint32_t vm, uint64_t time)
{
	struct an_vm *m = &a->vm[vm];

	if (m->wasting != AN_NEVER && time > m->wasting)
		m->tot.wasted_idle_ns += time - m->wasting;
	m->wasting = AN_NEVER;
}
