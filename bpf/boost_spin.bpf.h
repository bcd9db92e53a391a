/* SPDX-License-Identifier: GPL-2.0 */
/* ple-boost and holder-boost: which threads run vCPUs, which of them spin, and for whom, as far as their guest says so. */
#ifndef KVMSCHED_BOOST_SPIN_BPF_H
#define KVMSCHED_BOOST_SPIN_BPF_H

#include "boost_marks.bpf.h"
#include "boost_state.bpf.h"
#include "kvm_thread.bpf.h"
#include "lock_pages.bpf.h"
#include "lock_reader.bpf.h"

static __always_inline void note_vcpu(struct boost_task *t, struct kvm_vcpu *vcpu)
{
	struct kvm_vcpu___thread *v = (void *)vcpu;

	if (t->vcpu == (u64)vcpu)
		return;
	t->vcpu = (u64)vcpu;
	t->vcpu_id = BPF_CORE_READ(v, vcpu_id);
}

/* SCHED_EXT already: it is told of no more, and may have run without being known. */
static __always_inline void note_taken(struct boost_task *t, struct task_struct *p)
{
	join_vm(t, p);
	t->paid = p->se.sum_exec_runtime;
	begin_to_count(t);
}

/*
 * A thread that is seen for the first time. The kernel makes no storage for it while another one was preempted on this CPU as it
 * asked for its own; and that one may be of sched_ext, and wait until this one is, too. So it is told of in any case,
 * and known with one of its next turns.
 */
static __always_inline struct boost_task *meet(struct task_struct *p)
{
	struct boost_new *e = NULL;
	struct boost_task *t;

	if (p->policy != SCHED_EXT) {
		e = bpf_ringbuf_reserve(&fresh, sizeof(*e), 0);
		if (!e)
			return NULL; /* the next time */
		e->tgid = p->tgid;
		e->tid = p->pid;
	}
	t = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (e)
		bpf_ringbuf_submit(e, 0);
	if (t && p->policy == SCHED_EXT) /* by now, if it was told of before */
		note_taken(t, p);
	return t;
}

SEC("fentry/kvm_arch_vcpu_load")
int BPF_PROG(vcpu_load, struct kvm_vcpu *vcpu)
{
	struct task_struct *p = bpf_get_current_task_btf();
	struct boost_task *t = task_of(p);

	if (!kvm_runs(vcpu, p))
		return 0;
	if (!t)
		t = meet(p);
	if (t)
		note_vcpu(t, vcpu);
	return 0;
}

/* Its guest does not say who has answered; but who has run since has, see choose(). */
static __always_inline void note_ipi(struct boost_task *t, const struct ks_lp_vm *page,
				     const struct ks_lp_found *f)
{
	u32 slot, vcpu;

	if (t->ipi == f->ipi && t->ipi_since == f->since)
		return;
	t->ipi = f->ipi;
	t->ipi_since = f->since;
	t->asked = bpf_ktime_get_ns();
	t->answers = 0;
	bpf_for(slot, 0, KS_LP_IPI_VCPUS)
	{
		if (slot >= page->vcpus)
			break;
		vcpu = page->vcpu_of[slot & (KS_LP_VCPUS - 1)] - 1u;
		if (f->ipi >> slot & 1 && vcpu < 64 && vcpu != t->vcpu_id)
			t->answers |= 1ull << (t->ipi_to = vcpu);
	}
}

/* Returns the vCPU (+ 1) that it names. */
static __always_inline u32 said(struct boost_task *t, const struct ks_lp_found *f, u32 named,
				u32 flags)
{
	ks_mark_look(t->vcpu_id + 1, flags, f->lock, named, f->holders | (u32)f->waiters << 16);
	return named;
}

/* For whom does it spin? The guest's word: a wrong one costs its own VM a turn. */
static __noinline u32 ask_page(struct boost_task *t, struct boost_counts *n)
{
	struct ks_lp_found f = {};
	struct ks_lp_vm *page;
	int what;

	if (!t || !n)
		return 0;
	t->lock = 0;
	page = ks_lp_page(&t->page);
	if (!page) {
		n->no_page++;
		t->ipi = 0;
		return said(t, &f, 0, KS_LOOK_NO_PAGE);
	}
	what = ks_lp_find(page, t->vcpu_id, &f);
	if (what == KS_LP_IPI)
		note_ipi(t, page, &f);
	else
		t->ipi = 0;
	switch (what) {
	case KS_LP_HOLDER:
		n->says_holder++;
		t->lock = f.lock;
		return said(t, &f, f.vcpu + 1, KS_LOOK_HOLDER);
	case KS_LP_WAITER:
		n->says_waiter++;
		t->lock = f.lock;
		return said(t, &f, f.vcpu + 1, KS_LOOK_WAITER);
	case KS_LP_SELF:
		/* And yet it spins: who has released the lock may have lost its pCPU in the middle of that. */
		n->says_self++;
		said(t, &f, t->vcpu_id + 1, KS_LOOK_SELF);
		return 0;
	case KS_LP_IPI:
		n->says_ipi++;
		said(t, &f, t->answers ? t->ipi_to + 1 : 0, KS_LOOK_IPI);
		return 0;
	case KS_LP_NOTHING:
		n->says_nothing++;
		return said(t, &f, 0, KS_LOOK_NOTHING);
	case KS_LP_NO_READ:
	case KS_LP_NO_PROOF:
		n->no_proof++;
		return said(t, &f, 0, KS_LOOK_NO_PROOF);
	default:
		n->no_page++;
		return said(t, &f, 0, KS_LOOK_NO_PAGE);
	}
}

/* A vCPU that was boosted for a lock spins: how long did it run? The mean of the last few. */
static __always_inline void note_pass(const struct boost_task *t, const struct boost_cpu *c,
				      u64 now)
{
	struct boost_vm *vm = vm_at(t->vm);
	u64 ran = now - c->ran_from;

	if (ran < slice_ns)
		vm->pass_ns = vm->pass_ns - vm->pass_ns / 8 + ran / 8;
}

SEC("fentry/kvm_vcpu_on_spin")
int BPF_PROG(spin_begin)
{
	struct boost_task *t = task_of(bpf_get_current_task_btf());
	struct boost_cpu *c = this_cpu();
	u64 now;

	if (!t || !t->vm || !c)
		return 0;
	now = bpf_ktime_get_ns();
	c->n.ple++;
	c->n.bursts += now - t->last_ple > BOOST_GAP_NS;
	t->last_ple = now;
	t->named = false;
	if (t->handed)
		note_pass(t, c, now);
	if (holder)
		t->wants = ask_page(t, &c->n);
	return 0;
}

/*
 * KVM found nobody to yield to: all others run, sleep or wait elsewhere. To spin on would keep the
 * pCPU from other VMs; where it cannot be given up now, it is with the next tick.
 */
SEC("fexit/kvm_vcpu_on_spin")
int BPF_PROG(spin_end)
{
	struct boost_task *t = task_of(bpf_get_current_task_btf());
	struct boost_cpu *c = this_cpu();
	s32 cpu = bpf_get_smp_processor_id();

	if (!boost || !t || !t->vm || !c || t->named || !waiting(node_of(cpu)))
		return 0;
	c->end_slice = true;
	if (bpf_ksym_exists(scx_bpf_kick_cpu))
		scx_bpf_kick_cpu(cpu, KICK_PREEMPT);
	return 0;
}

#endif /* KVMSCHED_BOOST_SPIN_BPF_H */
