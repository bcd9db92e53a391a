/* SPDX-License-Identifier: GPL-2.0 */
/* ple-boost and holder-boost: a slice was given up; which vCPU of the same VM has the rest of it? */
#ifndef KVMSCHED_BOOST_CHOOSE_BPF_H
#define KVMSCHED_BOOST_CHOOSE_BPF_H

#include "boost_marks.bpf.h"
#include "boost_state.bpf.h"
#include "kvm_thread.bpf.h"
#include "scx.bpf.h"

/*
 * Who did not spin may hold the lock, above all if it was preempted in the guest's kernel. If all have
 * spun, the lock is free or about to be, and waits for the next in line, who spun as well: then they
 * run in the order in which they lost their pCPUs, and each is reached after one turn of all others.
 */
#define EXACT (1ull << 63) /* the one that the spinner waits for */
#define DID_NOT_SPIN (1ull << 62)
#define IN_KERNEL (1ull << 61) /* of those that did not spin */

#define WHY (EXACT | DID_NOT_SPIN | IN_KERNEL)

struct choice {
	u32 wants; /* these three as in struct boost_task, of the spinner; answers: 0 = it waits for none */
	u64 answers, asked;
	u64 dsq, score;
	s32 pid, cpu; /* for this one */
	u32 vcpu_id, tgid;
	s32 first;   /* whose turn comes first there, of the VM's; 0: none */
	bool here;   /* it may run here */
	bool others; /* somebody of another VM, or of none, waits there ... */
	u64 turn;    /* that of `first` */
	u64 theirs;  /* ... whose turn is then */
};

/* Is its turn no later than that of the vCPU that runs on its pCPU? */
static __always_inline bool is_due(const struct task_struct *p, const struct boost_task *t)
{
	struct boost_cpu *c = other_cpu(scx_bpf_task_cpu(p));

	return c && c->vtime && before(t->vtime, vtime_of(c, bpf_ktime_get_ns()));
}

/* When it is its turn. It may have given that to another one, and stands where it stood. */
static __always_inline u64 turn_of(const struct task_struct *p, const struct boost_task *t)
{
	return before(p->scx.dsq_vtime, t->vtime) ? t->vtime : p->scx.dsq_vtime;
}

/* It may run here: whose turn is it by virtual time, of the VM's and of all others? t: only if own. */
static __always_inline void note_turn(struct choice *best, const struct task_struct *p,
				      const struct boost_task *t, bool own)
{
	if (own && (!best->first || before(turn_of(p, t), best->turn))) {
		best->first = p->pid;
		best->turn = turn_of(p, t);
	} else if (!own && !best->others) {
		best->others = true;
		best->theirs = p->scx.dsq_vtime;
	}
}

/* It is to answer the IPI that the spinner waits for, and has not run since. */
static __always_inline bool is_to_answer(const struct choice *best, const struct boost_task *t)
{
	return t->vcpu_id < 64 && best->answers >> t->vcpu_id & 1 && before(t->left, best->asked);
}

/* Of the VM's vCPUs that wait in best's queue, which one? (Not static: so it is verified once.) */
__noinline int choose(u32 vm, struct choice *best)
{
	u64 now = bpf_ktime_get_ns();
	struct task_struct *p;

	if (!best)
		return 0;
	bpf_for_each(scx_dsq, p, best->dsq, 0)
	{
		struct boost_task *t = task_of(p);
		bool here = bpf_cpumask_test_cpu(best->cpu, p->cpus_ptr);
		u64 score;

		if (here) /* who may not has no turn here */
			note_turn(best, p, t, t && t->vm == vm);
		if (!t || t->vm != vm || (!here && !is_due(p, t)))
			continue;
		score = (now - t->since) & (IN_KERNEL - 1);
		if (!t->spun)
			score |= DID_NOT_SPIN;
		if (!t->spun && kvm_preempted_in_kernel(t->vcpu))
			score |= IN_KERNEL;
		if (best->wants && t->vcpu_id + 1 == best->wants)
			score |= EXACT;
		if (t->parted)
			score = 1; /* it waits for no lock, and is to stay out of the queue */
		if (is_to_answer(best, t))
			score |= EXACT;
		if (score < best->score)
			continue;
		best->score = score;
		best->pid = p->pid;
		best->vcpu_id = t->vcpu_id;
		best->tgid = p->tgid;
		best->here = here;
	}
	return 0;
}

/* Of all that wait, in this node's queue or another's if there is one there that is more likely to be the one. */
static __always_inline void choose_near(s32 cpu, u32 vm, const struct boost_task *from,
					struct choice *best)
{
	struct choice spinner = { .cpu = cpu };
	u64 likely = IN_KERNEL;
	u32 i, node = node_of(cpu);

	if (from) {
		spinner.wants = from->wants;
		spinner.answers = from->ipi ? from->answers : 0;
		spinner.asked = from->asked;
		if (spinner.wants || spinner.answers)
			likely = EXACT;
	}
	bpf_for(i, 0, nr_nodes)
	{
		struct choice one = spinner;

		one.dsq = (node + i) % nr_nodes;
		choose(vm, &one);
		if (one.pid && (!best->pid || (one.score & WHY) > (best->score & WHY)))
			*best = one;
		if (best->score & likely)
			break;
	}
}

/* The turn goes with the slice: who was further behind in virtual time is now the other one. */
static __always_inline void exchange(struct boost_task *from, struct boost_task *to)
{
	u64 vtime = from->vtime;

	if (!before(vtime, to->vtime))
		return;
	from->vtime = to->vtime;
	to->vtime = vtime;
	from->gave = false;
}

/* to runs next, for from has given up its slice. */
static __always_inline void hand_over(struct boost_task *from, struct boost_task *to, u64 score,
				      struct boost_cpu *c)
{
	if (!from->parted)
		c->n.react_ns += bpf_ktime_get_ns() - from->last_ple;
	if (!to->spun)
		exchange(from, to);
	if (part && score & EXACT)
		to->handed = from->lock;
}

/* Let it run next: here, or where it is bound to run if it is its turn there. KS_BOOST_*: which? */
static __always_inline u32 bring(s32 cpu, const struct choice *best, struct task_struct *prev,
				 struct boost_cpu *c)
{
	struct boost_task *from = prev ? task_of(prev) : NULL, *t;
	u32 how = KS_BOOST_FAILED;
	struct task_struct *p;

	bpf_for_each(scx_dsq, p, best->dsq, 0)
	{
		if (p->pid != best->pid)
			continue;
		t = task_of(p);
		if (bpf_cpumask_test_cpu(cpu, p->cpus_ptr)) {
			if (!scx_move(BPF_FOR_EACH_ITER, p, DSQ_LOCAL, 0))
				break;
			how = KS_BOOST_HERE;
			c->n.boosted++;
			c->n.kernel += !!(best->score & IN_KERNEL);
			c->n.exact += !!(best->score & EXACT);
			if (from && t)
				hand_over(from, t, best->score, c);
		} else if (t && is_due(p, t) &&
			   scx_move(BPF_FOR_EACH_ITER, p, DSQ_LOCAL_ON | scx_bpf_task_cpu(p),
				    ENQ_PREEMPT)) {
			how = KS_BOOST_REMOTE;
			c->n.remote++;
		}
		break;
	}
	return how;
}

/* KS_BOOST_*, of what choose() has chosen. */
static __always_inline u32 why_it(u64 score)
{
	return (score & EXACT ? KS_BOOST_EXACT : 0) |
	       (score & DID_NOT_SPIN ? KS_BOOST_NO_SPIN : 0) |
	       (score & IN_KERNEL ? KS_BOOST_KERNEL : 0);
}

/* Is it this VM's turn by virtual time, whichever of its vCPUs runs? behind: the node whose first one waits a good deal longer. */
static __always_inline bool is_own_turn(const struct choice *best, u32 behind)
{
	if (behind != node_of(best->cpu) && behind != best->dsq)
		return false;
	return best->first && (!best->others || before(best->turn, best->theirs));
}

/*
 * Another one than the VM's first is to run in its turn: the two exchange theirs. The first one stands in the queue where it
 * stood, but if it was for ever its turn there, others would never have theirs.
 */
__noinline int take_turn(struct choice *best)
{
	struct boost_task *first = NULL, *chosen = NULL;
	struct task_struct *p;

	if (!best || best->first == best->pid)
		return 0;
	bpf_for_each(scx_dsq, p, best->dsq, 0)
	{
		if (p->pid == best->first)
			first = task_of(p);
		else if (p->pid == best->pid)
			chosen = task_of(p);
		if (first && chosen)
			break;
	}
	if (first && chosen)
		exchange(first, chosen);
	return 0;
}

/* The slice given up here goes to a vCPU of the same VM. behind: as above. */
static __always_inline bool boost_sibling(s32 cpu, u32 behind, struct task_struct *prev,
					  struct boost_cpu *c)
{
	struct boost_task *from = prev ? task_of(prev) : NULL;
	u32 from1 = from ? from->vcpu_id + 1 : 0, how;
	struct choice best = {};

	choose_near(cpu, c->vm, from, &best);
	/* Spinners hand the pCPU round for ever: that must not be at other VMs' cost. */
	if (!best.pid || (!(best.score & DID_NOT_SPIN) && !is_own_turn(&best, behind))) {
		c->n.none++;
		ks_mark_boost(prev ? prev->tgid : 0, from1, 0, KS_BOOST_NONE);
		return false;
	}
	if (!(best.score & DID_NOT_SPIN) && best.here)
		take_turn(&best);
	how = bring(cpu, &best, prev, c);
	ks_mark_boost(best.tgid, from1, best.vcpu_id + 1, how | why_it(best.score));
	return how == KS_BOOST_HERE;
}

#endif /* KVMSCHED_BOOST_CHOOSE_BPF_H */
