// SPDX-License-Identifier: GPL-2.0
/* The host's records: what the vCPUs are, and their exits. */
#include "internal.h"

/* Room in the vCPU's history for one more change, grown if an unresolved wait needs all of it. */
static void make_room(struct ks_analysis *a, uint32_t vcpu)
{
	struct an_vcpu *v = &a->vcpu[vcpu];
	size_t more;

	if (!ks_history_full(&v->hist, v->hist_keep))
		return;
	v->hist_keep = an_oldest_try(a, a->model.vcpus[vcpu].vm);
	if (!ks_history_full(&v->hist, v->hist_keep) || a->budget < (v->hist.mask + 1) * 8ull)
		return;
	more = ks_history_grow(&v->hist);
	a->budget -= more;
}

void an_end_segment(struct ks_analysis *a, uint32_t vcpu, uint64_t time)
{
	struct ks_vcpu *m = &a->model.vcpus[vcpu];
	struct ks_segment seg;

	if (time <= m->since)
		return;
	a->vcpu[vcpu].tot.state_ns[m->state] += time - m->since;
	if (!a->ops.segment)
		return;
	seg = (struct ks_segment){
		.vcpu = vcpu,
		.state = m->state,
		.pcpu = a->vcpu[vcpu].since_pcpu,
		.from = m->since,
		.to = time,
	};
	a->ops.segment(a->ops.ctx, &seg);
}

void an_set_state(struct ks_analysis *a, uint32_t vcpu, uint64_t time, enum ks_vstate s,
		  int32_t pcpu)
{
	struct ks_vcpu *m = &a->model.vcpus[vcpu];

	if (pcpu >= 0)
		m->pcpu = pcpu;
	if (s == m->state)
		return;
	if (time < m->since)
		time = m->since;
	an_end_segment(a, vcpu, time);
	make_room(a, vcpu);
	ks_history_push(&a->vcpu[vcpu].hist, time, s);
	m->state = s;
	m->since = time;
	a->vcpu[vcpu].since_pcpu = m->pcpu;
	an_idle_update(a, vcpu, time);
}

/* A record that may change the state of its vCPU. */
static void state_event(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	struct ks_vcpu *m = &a->model.vcpus[vcpu];
	enum ks_vstate s = ks_vstate_after(m->state, ev->rec, &a->vcpu[vcpu].woken);
	bool in = ev->rec->type == KS_VCPU_IN;

	if (s == KS_V_RUNNING && m->state == s && in && m->pcpu != ev->rec->cpu) {
		/* Its departure from the other pCPU was not seen: nobody knows for how long it ran there. */
		an_set_state(a, vcpu, m->since, KS_V_UNKNOWN, -1);
	}
	an_set_state(a, vcpu, ev->time, s, s == KS_V_RUNNING ? ev->rec->cpu : -1);
	if (an_hostloss_doubt(a, s, ev->rec->cpu))
		an_set_state(a, vcpu, ev->time, KS_V_UNKNOWN, -1);
}

/* It is told at a vCPU's first exit: by then it ran. */
static void first_exit(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	struct ks_vcpu *m = &a->model.vcpus[vcpu];

	if (m->state != KS_V_UNKNOWN || m->since > ev->time)
		return;
	m->since = ev->time;
	if (!an_hostloss_doubt(a, KS_V_RUNNING, ev->rec->cpu))
		an_set_state(a, vcpu, ev->time, KS_V_RUNNING, ev->rec->cpu);
}

static void vcpu_new(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	struct ks_vcpu *m = &a->model.vcpus[vcpu];
	struct an_vm *vm = &a->vm[m->vm];

	first_exit(a, vcpu, ev);
	/* A vCPU that was unplugged and plugged again comes back in a new slot. */
	if (m->guest_cpu >= 0 && (uint32_t)m->guest_cpu < vm->ncpus)
		vm->cpu_vcpu[m->guest_cpu] = vcpu;
}

void an_host_event(struct ks_analysis *a, const struct ks_event *ev)
{
	uint32_t vcpu = ks_model_slot(&a->model, ev->rec->id);

	if (ev->rec->type == KS_BOOST)
		an_boost(a, ev); /* the vCPU need not be known */
	else if (ev->rec->type == KS_LOOK)
		an_look(a, ev);
	if (vcpu == KS_NO_VCPU)
		return;
	switch (ev->rec->type) {
	case KS_PAUSE:
		an_pause(a, vcpu, ev);
		break;
	case KS_BURST:
		an_burst(a, vcpu, ev);
		break;
	case KS_HLT:
		a->vcpu[vcpu].tot.hlt++;
		a->vcpu[vcpu].woken = 0;
		if (a->model.vcpus[vcpu].state == KS_V_UNKNOWN)
			state_event(a, vcpu, ev);
		break;
	case KS_VCPU_IN:
	case KS_VCPU_OUT:
	case KS_VCPU_WAKE:
	case KS_VCPU_GONE:
		state_event(a, vcpu, ev);
		an_boost_step(a, vcpu, ev);
		break;
	case KS_VCPU_NEW:
		vcpu_new(a, vcpu, ev);
		break;
	case KS_VCPU_MIGRATE:
		an_vcpu_migrate(a, vcpu, ev);
		break;
	}
}
