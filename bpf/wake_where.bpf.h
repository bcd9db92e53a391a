/* SPDX-License-Identifier: GPL-2.0 */
/* vnuma-wake: where a thread that wakes up goes, and where it stands in the queue if no CPU is idle. */
#ifndef KVMSCHED_WAKE_WHERE_BPF_H
#define KVMSCHED_WAKE_WHERE_BPF_H

#include "idle_cpus.bpf.h"
#include "idle_poll.bpf.h"
#include "steal.bpf.h"
#include "wake_state.bpf.h"

/* ---- sleep ---- */

static __always_inline bool is_short_sleeper(const struct wake_task *t)
{
	return t->sleeps == 4 && t->sleep_ns < short_ns;
}

static __always_inline void note_sleep(struct wake_task *t, u64 ns)
{
	t->sleep_ns = t->sleeps ? (3 * t->sleep_ns + ns) / 4 : ns;
	if (t->sleeps < 4)
		t->sleeps++;
}

/* It goes to sleep; ran: what it had of CPUs in all. (Clocks differ, and steal may be booked late.) */
static __always_inline void note_awake(struct wake_task *t, u64 ran)
{
	u64 ns = before(t->ran, ran) ? at_most(ran - t->ran, AWAKE_MOST_NS) : 0;

	t->awake_ns = t->ran ? (3 * t->awake_ns + ns) / 4 : ns;
	t->ran = ran;
}

/* Where it runs now; a short sleeper belongs there only if it does not come back from there for long. */
static __always_inline void note_place(struct wake_task *t, s32 cpu)
{
	if (cpu == t->home) {
		t->away = 0;
	} else if (!is_short_sleeper(t) || ++t->away >= AWAY_MAX) {
		t->home = cpu;
		t->away = 0;
	}
}

/* ---- where to ---- */

/* Do threads share vCPUs rather than wake up others? How long that takes is known only where it is measured: note_sent(). */
static __always_inline bool gathers(void)
{
	return gather && polls() && is_crowded();
}

/* Is steal in what the kernel says that a thread had? Not where it keeps that account (CONFIG_PARAVIRT_TIME_ACCOUNTING). */
static __always_inline bool has_steal(void)
{
	return !bpf_core_field_exists(struct rq___ks, prev_steal_time_rq);
}

static __always_inline bool may_use(const struct task_struct *p, s32 cpu)
{
	return cpu >= 0 && bpf_cpumask_test_cpu(cpu, p->cpus_ptr);
}

/* Its own place, if it is idle and the host has let it run. *avoided: the host has not. */
static __always_inline bool claim_own(const struct task_struct *p, s32 cpu, bool *avoided)
{
	if (!may_use(p, cpu) || !is_in(idle_cpus, cpu))
		return false;
	if (is_in(stolen_cpus, cpu) || is_preempted(cpu)) {
		*avoided = true;
		return false;
	}
	return claim(cpu);
}

static __always_inline s32 claim_near(struct task_struct *p, u32 node)
{
	s32 cpu = smt ? claim_any(p, node, IDLE_WHOLE_CORE) : -1;

	return cpu < 0 ? claim_any(p, node, 0) : cpu;
}

/* How long it takes to run there is what halting costs; of what an interrupt wakes up where it arrives only its host knows. */
static __always_inline void note_sent(struct wake_task *t, s32 cpu)
{
	if (polls() && cpu != (s32)bpf_get_smp_processor_id())
		t->sent_at = bpf_ktime_get_ns();
}

/* What it had of CPUs in all, without what the host had on them meanwhile. */
static __always_inline u64 ran_of(const struct task_struct *p, const struct wake_task *t)
{
	return p->se.sum_exec_runtime - t->stolen;
}

/* Since when does it run what it runs, without what the host had on it meanwhile? (The kernel's account is as of the last tick.) */
static __always_inline u64 runs_for(const struct wake_cpu *c, s32 cpu)
{
	u64 ns = bpf_ktime_get_ns() - c->run_at;
	u64 stolen = steal_since(c->run_steal, steal_now(cpu));

	return stolen < ns ? ns - stolen : 0;
}

/* How long until what runs here sleeps, if it does as it mostly does; ~0: long, or nobody knows. */
static __always_inline u64 sleeps_in(struct task_struct *cur, s32 cpu)
{
	struct wake_task *t = cur->pid ? task_of(cur) : NULL;
	struct wake_cpu *c = this_cpu();

	/* A real-time thread that was one of ours once tells nothing, and goes first here. */
	if (!t || !c || !t->ran || !t->counted || others_first() ||
	    t->awake_ns < runs_for(c, cpu) / 2)
		return ~0ull;
	return t->awake_ns;
}

/*
 * Only vCPUs idle that the host keeps waiting: is this one to be had sooner? If what runs on it sleeps as soon as it
 * mostly does, and who waits for it is like the one that wakes up. A thread that runs for longer is worth the wait, and would
 * be in the way here. (Twice what a halted vCPU takes: its pCPU it has from another one, often of this guest.)
 */
static __always_inline bool is_sooner(struct task_struct *p, s32 home)
{
	struct task_struct *cur = bpf_get_current_task_btf();
	s32 cpu = bpf_get_smp_processor_id();
	struct wake_cpu *c = other_cpu(home);
	struct wake_task *t = task_of(p);
	u64 ns, queued, limit;

	if (!gathers() || !c || !t || !t->ran || cur == p)
		return false;
	limit = 2 * c->start_ns;
	ns = sleeps_in(cur, cpu);
	if (ns >= limit || t->awake_ns >= limit || !may_use(p, cpu))
		return false;
	queued = scx_bpf_dsq_nr_queued(node_of(cpu)) + scx_bpf_dsq_nr_queued(PINNED | cpu);
	return ns + queued * t->awake_ns < limit;
}

#define NONE_IDLE (-1)
#define WAITS_HERE (-2) /* for this CPU, and not for one that idles: is_sooner() */

/* An idle CPU for a thread that belongs to `home`, claimed and counted; else one of these. */
__noinline s32 find_idle(struct task_struct *p __arg_trusted, s32 home, s32 prev)
{
	struct wake_cpu *c = this_cpu();
	bool avoided = false;
	s32 cpu;

	if (!c || !any_idle(IDLE_STOLEN))
		return NONE_IDLE;
	if (claim_own(p, home, &avoided)) {
		c->n.prev_idle++;
		c->n.kept += home != prev;
		return home;
	}
	if (prev != home && claim_own(p, prev, &avoided)) {
		c->n.prev_idle++;
		return prev;
	}
	cpu = claim_near(p, node_of(home));
	if (cpu < 0 && nr_nodes > 1)
		cpu = claim_near(p, NODE_ANY);
	if (cpu < 0 && is_sooner(p, home))
		return WAITS_HERE;
	if (cpu < 0) /* better one that has to wait for its pCPU than none */
		cpu = may_use(p, home) && claim(home) ? home : claim_any(p, NODE_ANY, IDLE_STOLEN);
	if (cpu < 0)
		return NONE_IDLE;
	c->n.avoided += avoided && cpu != home;
	if (cpu == home)
		c->n.prev_idle++;
	else if (node_of(cpu) == node_of(home))
		c->n.node_idle++;
	else
		c->n.any_idle++;
	return cpu;
}

/* The CPU that a thread which wakes up belongs to; cpu: if it has run on none yet. */
static __always_inline s32 home_of(const struct wake_task *t, s32 cpu)
{
	return t->home >= 0 ? t->home : cpu;
}

/*
 * From which CPU a thread is put into a queue that is to wait there: from its own, but not if that has to wait for its host first. Since
 * 6.15 another CPU may leave that to it, by an interrupt.
 */
static __always_inline s32 queued_by(const struct task_struct *p, s32 prev, bool waits_here)
{
	s32 cpu = bpf_get_smp_processor_id();

	return (waits_here || says_preempted(prev)) && may_use(p, cpu) ? cpu : prev;
}

/* ---- virtual time ---- */

/*
 * Its place in the queue: by what it had. Sleep saves up no more than a slice; somebody who had to wait is
 * owed more, but not so much that it would keep a CPU from others for long. Who had more than its part
 * and sleeps, for CPUs were idle, need not make up for all of it.
 */
static __always_inline u64 place(struct wake_task *t, u64 enq_flags)
{
	u64 least = vtime_now - (enq_flags & ENQ_WAKEUP ? slice_ns : OWED_MAX_NS);
	u64 slice = priced(slice_ns, t->rate), most = vtime_now + AHEAD_SLICES * slice;

	if (before(t->vtime, least))
		t->vtime = least;
	else if (enq_flags & ENQ_WAKEUP && before(most, t->vtime))
		t->vtime = most;
	return t->yielded ? t->vtime + slice : t->vtime;
}

/* No claim from before what its cgroup had as a whole. */
static __always_inline void hold_to_group(struct wake_task *t, struct cgroup *cgrp, bool wakes)
{
	raise(&t->vtime, group_least(cgrp, slice_ns, OWED_MAX_NS, wakes));
}

/* In virtual time, what runs there had since it was looked at last; which may be just now, by another CPU. */
static __always_inline u64 paid_since(const struct wake_cpu *c)
{
	s64 ran = bpf_ktime_get_ns() - c->vtime_at;

	return ran > 0 ? priced(ran, c->rate) : 0;
}

/*
 * Its turn came half a slice before that of what runs there, which need not go on until its end: then it is to take the
 * CPU over, and nobody after it until it runs. Not where the host has taken the vCPU away: what runs there has not had
 * the time since, and whoever is bound to it waits for the host. (A vCPU that has a thread of ours has not halted, so what the host
 * says of it is true.)
 */
static __always_inline bool takes_over(s32 cpu, u64 vtime, bool pinned)
{
	struct wake_cpu *c = other_cpu(cpu);
	u64 theirs = c ? c->vtime : 0;

	if (!theirs || !before(vtime + slice_ns / 2, theirs + paid_since(c)))
		return false;
	if (!pinned && (is_in(stolen_cpus, cpu) || says_preempted(cpu)))
		return false;
	return __sync_val_compare_and_swap(&c->vtime, theirs, 0) == theirs;
}

/*
 * A CPU that was claimed for it is idle, and it is not there: it may have been moved to other CPUs before it was handed over.
 * Nobody else would find that CPU.
 */
static __always_inline void give_back(struct wake_task *t)
{
	if (t->sent_to)
		unclaim(t->sent_to - 1);
	t->sent_to = 0;
}

#endif /* KVMSCHED_WAKE_WHERE_BPF_H */
