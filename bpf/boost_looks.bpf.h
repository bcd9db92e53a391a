/* SPDX-License-Identifier: GPL-2.0 */
/*
 * holder-boost: a timer looks at the vCPU that runs, for what its guest says of its locks. Who holds one when
 * its slice is over has a grace; who was boosted for one, and has let go of it, gives way to the next in
 * line.
 */
#ifndef KVMSCHED_BOOST_LOOKS_BPF_H
#define KVMSCHED_BOOST_LOOKS_BPF_H

#include "boost_state.bpf.h"
#include "lock_pages.bpf.h"
#include "lock_reader.bpf.h"

#define CLOCK_MONOTONIC 1
#define PART_LOOKS 4  /* has the vCPU had the lock that it was boosted for? So often at most */
#define GRACE_LOOKS 4 /* has the vCPU let go of its locks? So often within a grace */

/* By CPU: when the vCPU that runs there is to be looked at. Ticks alone are too far apart. */
struct look {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* the loader: as many as there are CPUs */
	__type(key, u32);
	__type(value, struct look);
} looks SEC(".maps");

/* ---- a grace for who holds a lock ---- */

/* What does the vCPU of the current thread? As ks_lp_own(). */
static __always_inline int own_part(struct boost_task *t)
{
	return ks_lp_own(ks_lp_page(&t->page), t->vcpu_id);
}

/* Where a CPU cannot be told to choose anew, the first that waits is put before the one that runs. */
static __always_inline void end_slice_of(struct task_struct *p, s32 cpu)
{
	struct task_struct *next;

	if (bpf_ksym_exists(scx_bpf_kick_cpu)) {
		scx_bpf_kick_cpu(cpu, KICK_PREEMPT);
		return;
	}
	scx_set_slice(p, 0);
	bpf_for_each(scx_dsq, next, node_of(cpu), 0)
	{
		if (!bpf_cpumask_test_cpu(cpu, next->cpus_ptr))
			continue;
		scx_move(BPF_FOR_EACH_ITER, next, DSQ_LOCAL_ON | cpu, ENQ_PREEMPT);
		break;
	}
}

static __always_inline void look_after(struct look *l, u64 ns)
{
	bpf_timer_start(&l->timer, ns, BPF_F_TIMER_CPU_PIN);
}

/* Not always after the same time: what repeats itself would be seen at the same point for ever. */
static __always_inline void look_within(struct look *l, u64 from, u64 span)
{
	look_after(l, from + bpf_get_prandom_u32() % (span + 1));
}

/* Is its grace over? */
static __always_inline bool look_at_grace(struct look *l, struct boost_task *t)
{
	if (bpf_ktime_get_ns() - t->grace >= grace_ns || own_part(t) != KS_LP_HOLDER)
		return true;
	look_after(l, grace_ns / GRACE_LOOKS);
	return false;
}

/* ---- convoys ---- */

/*
 * Where vCPUs queue for a lock, whoever has had it and asks for it again stands at the end. If they lose
 * their pCPUs only when they stand in the queue again, as spinners do, it never ends, and each
 * acquisition takes a switch between them. So who was boosted for a lock is looked at while it runs, at
 * some moment before it is likely to spin again: by how long the last ones ran. If it holds no lock
 * then, and waits for none, it gives way to the next in line, and the queue is shorter by one.
 */
static __always_inline void watch(struct boost_task *t, struct boost_cpu *c)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct look *l = bpf_map_lookup_elem(&looks, &cpu);
	u64 pass;

	if (!l)
		return;
	c->n.handed++;
	t->looks = 0;
	pass = vm_at(t->vm)->pass_ns;
	look_within(l, pass / 2, pass / 2);
}

/* Is it to give way? */
static __always_inline bool look_at_handed(struct look *l, struct boost_task *t)
{
	struct ks_lp_vm *page = ks_lp_page(&t->page);
	struct boost_cpu *c = this_cpu();
	struct ks_lp_found f;
	u64 pass;
	int what;

	if (!page || !c)
		return false;
	what = ks_lp_own(page, t->vcpu_id);
	pass = vm_at(t->vm)->pass_ns;
	if (what == KS_LP_WAITER && ++t->looks < PART_LOOKS)
		look_within(l, 0, pass / 4);
	if (what == KS_LP_HOLDER && ++t->looks < PART_LOOKS)
		look_within(l, 0, pass / 16);
	if (what != KS_LP_NOTHING)
		return false;
	what = ks_lp_successor(page, t->vcpu_id, t->handed, &f);
	if (what != KS_LP_HOLDER && what != KS_LP_WAITER)
		return false;
	c->n.parted++;
	c->end_slice = true;
	t->parted = true;
	t->lock = t->handed;
	t->wants = f.vcpu + 1;
	t->ipi = 0;
	return true;
}

/* In an interrupt of the vCPU that is to be looked at, unless it has left its pCPU since. */
static int look_at_vcpu(void *map, u32 *cpu, struct look *l)
{
	struct task_struct *p = bpf_get_current_task_btf();
	struct boost_task *t = task_of(p);
	bool over = false;

	if (t && t->grace)
		over = look_at_grace(l, t);
	else if (t && t->handed)
		over = look_at_handed(l, t);
	if (over)
		end_slice_of(p, bpf_get_smp_processor_id());
	return 0;
}

static __always_inline void begin_grace(s32 cpu)
{
	struct look *l = bpf_map_lookup_elem(&looks, &cpu);

	if (l)
		look_after(l, grace_ns / GRACE_LOOKS);
}

static __always_inline int make_looks(void)
{
	int ret = 0;
	u32 i;

	if (!holder || (!grace_ns && !part))
		return 0;
	bpf_for(i, 0, nr_cpus)
	{
		struct look *l = bpf_map_lookup_elem(&looks, &i);

		if (!l)
			break;
		ret = bpf_timer_init(&l->timer, &looks, CLOCK_MONOTONIC);
		ret = ret ?: bpf_timer_set_callback(&l->timer, look_at_vcpu);
		if (ret)
			break;
	}
	return ret;
}

/*
 * Its slice is over, somebody else waits, and it holds a lock: it may go on for a moment, once per
 * slice, and pays for it as for all its time. The guest's memory can be read here, for what runs is
 * still prev.
 */
static __always_inline bool may_finish(s32 cpu, u32 node, struct task_struct *prev,
				       struct boost_task *t, struct boost_cpu *c)
{
	if (!holder || !grace_ns || t->grace || c->vm || c->end_slice || !waiting(node))
		return false;
	if (prev != bpf_get_current_task_btf() || own_part(t) != KS_LP_HOLDER)
		return false;
	t->grace = bpf_ktime_get_ns();
	c->n.graces++;
	scx_set_slice(prev, grace_ns);
	begin_grace(cpu);
	return true;
}

/* The vCPU leaves its pCPU, in a grace or not. */
static __always_inline void end_grace(struct boost_task *t, struct boost_cpu *c)
{
	u64 had = bpf_ktime_get_ns() - t->grace;

	if (!t->grace)
		return;
	c->n.graced_ns += had;
	c->n.overdrawn += had > grace_ns + grace_ns / GRACE_LOOKS;
	t->grace = 0;
}

#endif /* KVMSCHED_BOOST_LOOKS_BPF_H */
