// SPDX-License-Identifier: GPL-2.0
/* The boosts of a policy, and what came of them. */
#include "internal.h"

const char *ks_boost_why_name(unsigned int why)
{
	static const char *const names[KS_BW_MAX] = {
		[KS_BW_EXACT] = "exact",
		[KS_BW_KERNEL] = "in_kernel",
		[KS_BW_NO_SPIN] = "did_not_spin",
		[KS_BW_LONGEST] = "longest_off_cpu",
	};

	return why < KS_BW_MAX ? names[why] : NULL;
}

const char *ks_boost_out_name(unsigned int out)
{
	static const char *const names[KS_BOOST_OUTS] = {
		[KS_BOOST_HERE] = "here",
		[KS_BOOST_REMOTE] = "remote",
		[KS_BOOST_FAILED] = "failed",
		[KS_BOOST_NONE] = "none",
	};

	return out < KS_BOOST_OUTS ? names[out] : NULL;
}

static enum ks_boost_why why_of(unsigned int flags)
{
	if (flags & KS_BOOST_EXACT)
		return KS_BW_EXACT;
	if (flags & KS_BOOST_KERNEL)
		return KS_BW_KERNEL;
	return flags & KS_BOOST_NO_SPIN ? KS_BW_NO_SPIN : KS_BW_LONGEST;
}

static struct ks_policy_totals *totals_of(struct ks_analysis *a, uint32_t vcpu)
{
	return &a->vm[a->model.vcpus[vcpu].vm].tot.policy;
}

/*
 * Is it known whether the lock was let go in that turn? Every release that is waited for is told. The turn's times are the
 * host's, the guest's may be off by the clock's error.
 */
static enum ks_yes_no let_go(const struct ks_analysis *a, uint32_t vcpu)
{
	const struct an_vm *m = &a->vm[a->model.vcpus[vcpu].vm];
	const struct an_boost *b = &a->vcpu[vcpu].boost;

	const uint64_t e = m->clock_error, until = b->until + e;

	if (b->let_go)
		return KS_YES;
	if (b->stage != AN_TURNED || !b->lock || !m->full || m->end < until ||
	    (m->end == AN_NEVER && m->last < until) || a->any_out_lost >= b->time ||
	    an_blind_within(m, b->time, b->until) ||
	    an_losses_floor(&m->loss, until + a->opts.slack_ns) + e >= b->time)
		return KS_NOT_KNOWN;
	return KS_NO;
}

static void finish(struct ks_analysis *a, uint32_t vcpu)
{
	struct an_boost *b = &a->vcpu[vcpu].boost;

	if (b->stage == AN_NO_BOOST)
		return;
	if (b->stage == AN_PICKED)
		totals_of(a, vcpu)->ran_next[KS_NOT_KNOWN]++;
	totals_of(a, vcpu)->let_go[let_go(a, vcpu)]++;
	b->stage = AN_NO_BOOST;
}

/* The lock that the vCPU waits for, as the guest's records say; 0 = they do not. */
static uint64_t wanted_lock(const struct ks_analysis *a, uint32_t vcpu)
{
	const struct an_vcpu *v = vcpu == KS_NO_VCPU ? NULL : &a->vcpu[vcpu];

	if (v && an_is_blind(&a->vm[a->model.vcpus[vcpu].vm], a->now))
		return 0;
	return v && v->nopen && !v->doubt ? v->open[v->nopen - 1]->addr : 0;
}

static void picked(struct ks_analysis *a, uint32_t vcpu, uint32_t giver, const struct ks_event *ev)
{
	finish(a, vcpu);
	a->vcpu[vcpu].boost = (struct an_boost){
		.stage = AN_PICKED,
		.time = ev->time,
		.lock = wanted_lock(a, giver),
		.pcpu = (ev->rec->flags & KS_BOOST_OUT_MASK) == KS_BOOST_HERE ? ev->rec->cpu :
										KS_RING_ANY,
	};
}

static uint32_t vm_of_process(const struct ks_analysis *a, uint64_t tgid)
{
	uint32_t i;

	for (i = 0; i < a->model.nvms; i++)
		if (a->model.vms[i].tgid == tgid)
			return i;
	return KS_NO_VCPU;
}

void an_boost(struct ks_analysis *a, const struct ks_event *ev)
{
	uint32_t giver = ks_model_slot(&a->model, ev->rec->id);
	uint32_t taker = ks_model_slot(&a->model, (uint32_t)ev->rec->a);
	uint32_t vm = vm_of_process(a, ev->rec->b), out = ev->rec->flags & KS_BOOST_OUT_MASK;
	struct ks_policy_totals *t;

	if (vm == KS_NO_VCPU && giver != KS_NO_VCPU)
		vm = a->model.vcpus[giver].vm;
	if (vm == KS_NO_VCPU)
		return; /* of a VM that is not looked at, or of none that is known */
	if (out >= KS_BOOST_OUTS) {
		a->ignored++;
		return;
	}
	t = &a->vm[vm].tot.policy;
	t->boosts[out]++;
	if (out != KS_BOOST_HERE && out != KS_BOOST_REMOTE)
		return;
	t->why[why_of(ev->rec->flags)]++;
	if (taker != KS_NO_VCPU && a->model.vcpus[taker].vm == vm) {
		picked(a, taker, giver, ev);
		return;
	}
	t->ran_next[KS_NOT_KNOWN]++;
	t->let_go[KS_NOT_KNOWN]++;
}

static enum ks_yes_no ran_next(const struct ks_analysis *a, const struct an_boost *b, uint32_t pcpu)
{
	if (a->in_lost >= b->time && a->in_lost)
		return KS_NOT_KNOWN;
	if (b->pcpu != KS_RING_ANY && b->pcpu != pcpu)
		return KS_NO;
	return a->vcpu_in[pcpu] > b->time ? KS_NO : KS_YES;
}

static void begins_to_run(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	struct an_boost *b = &a->vcpu[vcpu].boost;
	uint32_t pcpu = ev->rec->cpu;

	if (pcpu >= a->nrings)
		return;
	if (b->stage == AN_PICKED) {
		totals_of(a, vcpu)->ran_next[ran_next(a, b, pcpu)]++;
		b->stage = AN_TURN;
	} else {
		finish(a, vcpu);
	}
	a->vcpu_in[pcpu] = ev->time;
}

void an_boost_step(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev)
{
	struct an_boost *b = &a->vcpu[vcpu].boost;

	switch (ev->rec->type) {
	case KS_VCPU_IN:
		begins_to_run(a, vcpu, ev);
		break;
	case KS_VCPU_OUT:
		if (b->stage != AN_TURN)
			break;
		b->stage = AN_TURNED;
		b->until = ev->time;
		break;
	case KS_VCPU_GONE:
		finish(a, vcpu);
		break;
	}
}

/* Releases are stamped on the guest's clock: one of the turn's end may seem to come behind it. */
void an_boost_release(struct ks_analysis *a, uint32_t vcpu, uint64_t lock, uint64_t time)
{
	const struct an_vm *m = &a->vm[a->model.vcpus[vcpu].vm];
	uint64_t e = m->clock_error + a->opts.slack_ns;
	struct an_boost *b = &a->vcpu[vcpu].boost;

	if (b->stage == AN_NO_BOOST || b->lock != lock || !lock || an_is_blind(m, time))
		return;
	if (b->stage != AN_TURNED || time <= b->until + e)
		b->let_go = true;
}

void an_boost_end(struct ks_analysis *a, uint32_t vcpu)
{
	finish(a, vcpu);
}
