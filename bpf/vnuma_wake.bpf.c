// SPDX-License-Identifier: GPL-2.0
/*
 * The policy vnuma-wake, for a guest's own threads (or a host's): who wakes up runs where it ran before
 * if that CPU is idle, else on an idle CPU of its node, else on any idle CPU; who sleeps for moments
 * only stays where it is. docs/vnuma-wake.md says why.
 *
 * Otherwise a plain fair scheduler by virtual time: a queue per NUMA node, and one per CPU for threads
 * that may run nowhere else. A thread is bound to a CPU only when that is idle, or when it takes it over at
 * once, so that none waits behind a vCPU that the host has preempted. A CPU with nothing to do on its own
 * node takes what waits on others.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "scx.bpf.h"
#include "steal.bpf.h"
#include "idle_cpus.bpf.h"
#include "idle_poll.bpf.h"
#include "cgroup_weight.bpf.h"
#include "vnuma_wake.h"
#include "wake_state.bpf.h"
#include "wake_turn.bpf.h"
#include "wake_where.bpf.h"

char LICENSE[] SEC("license") = "GPL";

extern const struct cpumask *scx_bpf_get_online_cpumask(void) __ksym;
extern void scx_bpf_put_cpumask(const struct cpumask *cpumask) __ksym;

/* ---- the scheduler ---- */

SEC("struct_ops/wake_select_cpu")
s32 BPF_PROG(wake_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct wake_task *t = task_of(p);
	s32 cpu;

	if (!t)
		return prev_cpu;
	cpu = find_idle(p, home_of(t, prev_cpu), prev_cpu);
	if (cpu < 0)
		return queued_by(p, prev_cpu, cpu == WAITS_HERE);
	place(t, ENQ_WAKEUP);
	note_sent(t, cpu);
	scx_insert(p, DSQ_LOCAL, slice_ns, 0);
	return cpu;
}

/* A thread that may run here only; this CPU's run queue is locked. */
static __always_inline bool wakes_own_cpu(s32 cpu, struct wake_cpu *c)
{
	struct wake_cpu *own = other_cpu(cpu);

	if (!own || !own->idle)
		return false;
	put_in(idle_cpus, cpu, false);
	c->n.prev_idle++;
	return true;
}

SEC("struct_ops/wake_enqueue")
void BPF_PROG(wake_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 idle = -1, cpu = scx_bpf_task_cpu(p), home;
	bool pinned = p->nr_cpus_allowed == 1;
	struct wake_task *t = task_of(p);
	struct wake_cpu *c = this_cpu();
	u64 vtime;

	if (!t || !c || scx_is_fixed(p)) {
		scx_insert(p, DSQ_LOCAL, slice_ns, enq_flags);
		return;
	}
	give_back(t);
	vtime = place(t, enq_flags);
	t->yielded = false;
	t->sent_at = 0;
	home = pinned ? cpu : home_of(t, cpu);
	if (pinned)
		idle = wakes_own_cpu(cpu, c) ? cpu : -1;
	else /* also if none was idle in select_cpu: one may be by now */
		idle = find_idle(p, home, cpu);
	if (idle >= 0) {
		note_sent(t, idle);
		t->sent_to = idle + 1;
		scx_insert(p, DSQ_LOCAL_ON | idle, slice_ns, enq_flags);
		return;
	}
	if (!may_use(p, home))
		home = cpu;
	if (enq_flags & ENQ_WAKEUP && takes_over(home, vtime, pinned)) {
		c->n.preempted++;
		c->n.kept += is_short_sleeper(t);
		scx_insert(p, DSQ_LOCAL_ON | home, slice_ns, enq_flags | ENQ_PREEMPT);
		return;
	}
	c->n.queued++;
	if (idle == WAITS_HERE) {
		c->n.sooner++;
		home = bpf_get_smp_processor_id();
	}
	t->since = bpf_ktime_get_ns();
	scx_insert_vtime(p, pinned ? PINNED | cpu : node_of(home), slice_ns, vtime, enq_flags);
}

/* Where a running thread stands, its stretch so far included. */
static __always_inline u64 vtime_so_far(const struct task_struct *p, const struct wake_task *t)
{
	return t->vtime + priced(p->se.sum_exec_runtime - t->paid, t->rate);
}

/* For this CPU, or for any of its node. */
static __always_inline bool somebody_waits(s32 cpu, u64 nodes)
{
	return has_node(nodes, node_of(cpu)) || scx_bpf_dsq_nr_queued(PINNED | cpu);
}

/* What it had since it was looked at last is its cgroup's, too, if it could have been another's. */
static __always_inline void charge_group(struct wake_task *t, struct cgroup *cgrp, bool waited_for)
{
	if (waited_for)
		group_charge(cgrp, t->uncharged);
	t->uncharged = 0;
	hold_to_group(t, cgrp, false);
}

/*
 * It had so much of its CPU. What it has to pay is asked anew once it is old: threads that run for moments only would ask all
 * the time. runnable: it has to give way to somebody, of a higher class or one who may be off the queue already.
 */
static __always_inline void pay(struct task_struct *p, struct wake_task *t, s32 cpu, u64 had,
				bool runnable)
{
	u64 now = bpf_ktime_get_ns();
	struct cgroup *cgrp;

	t->uncharged += had;
	if (now - t->rate_at < WEIGHT_AGE_NS) {
		t->vtime += priced(had, t->rate);
		return;
	}
	cgrp = scx_bpf_task_cgroup(p);
	t->rate = group_rate(cgrp, p->scx.weight, now);
	t->rate_at = now;
	t->vtime += priced(had, t->rate);
	charge_group(t, cgrp,
		     (runnable && !others_first()) || somebody_waits(cpu, waiting_nodes()));
	bpf_cgroup_release(cgrp);
}

/*
 * It runs on. What it had so far is settled at the price of now: of a long stretch the last price would be that of all of it,
 * though others of its cgroup came at its very end. Who takes it over at the same moment finds it taken over.
 */
static __always_inline void settle(struct task_struct *p, struct wake_task *t, struct wake_cpu *c,
				   s32 cpu)
{
	u64 theirs = c->vtime;

	pay(p, t, cpu, p->se.sum_exec_runtime - t->paid, false);
	t->paid = p->se.sum_exec_runtime;
	if (!theirs)
		return;
	c->rate = t->rate;
	c->vtime_at = bpf_ktime_get_ns();
	__sync_val_compare_and_swap(&c->vtime, theirs, t->vtime ?: 1);
}

/*
 * There is nobody else here who wants to run: what it has now, nobody is owed. If somebody waits on another
 * node, it may get so far ahead that it is that one's turn.
 */
static __always_inline void pay_alone(const struct task_struct *p, struct wake_task *t,
				      struct wake_cpu *c, u64 nodes)
{
	u64 slice = priced(slice_ns, t->rate), vtime = vtime_so_far(p, t), most = vtime_now + slice;

	if (nodes)
		most = vtime_now + LONE_SLICES * (slice > slice_ns ? slice : slice_ns);
	if (!before(most, vtime))
		return;
	t->vtime = c->vtime = most;
	t->paid = p->se.sum_exec_runtime;
	c->vtime_at = bpf_ktime_get_ns();
}

/* It has this CPU for another slice; somebody may come, and waits for no more than that. */
static __always_inline void goes_on(struct task_struct *p, struct wake_task *t, struct wake_cpu *c,
				    s32 cpu, u64 nodes)
{
	if (!somebody_waits(cpu, nodes)) {
		pay_alone(p, t, c, nodes);
		c->turn_from = bpf_ktime_get_ns();
	}
	if (!c->vtime) { /* who was to take it over has gone elsewhere */
		c->vtime = vtime_so_far(p, t) ?: 1;
		c->vtime_at = bpf_ktime_get_ns();
	}
	scx_set_slice(p, slice_ns);
}

/* Is what runs here the only one of this run queue, those included that are bound to it or given to it already? */
static __always_inline bool is_alone(void)
{
	const struct rq___ks *rq = bpf_this_cpu_ptr(&runqueues);

	return rq->nr_running == 1;
}

/* Is it the idle thread that is asking for another one? */
static __always_inline bool idles(void)
{
	return !bpf_get_current_task_btf()->pid;
}

/* prev is in no queue yet; it will be if its turn ends here. */
SEC("struct_ops/wake_dispatch")
void BPF_PROG(wake_dispatch, s32 cpu, struct task_struct *prev)
{
	struct wake_task *t = is_queued(prev) ? task_of(prev) : NULL;
	struct wake_cpu *c = other_cpu(cpu);
	u64 nodes = waiting_nodes();
	bool found;
	u32 i, which;

	if (STALLS() || !c)
		return;
	found = is_turn_of_old(&c->look_for_old) && take_old(cpu, PINNED | cpu, node_of(cpu));
	if (found)
		c->look_for_old = LOOK_LATER;
	else
		found = take_next(cpu, t ? vtime_so_far(prev, t) : 0, t && !t->yielded, nodes);
	if (!found && t) {
		t->yielded = false;
		goes_on(prev, t, c, cpu, nodes);
	} else if (!found && idles()) {
		/* Woken up for nothing; or since before we were there. */
		if (!c->idle)
			becomes_idle(c, cpu, true);
		put_in(idle_cpus, cpu, true);
	}
	/* What is taken off the queue here may sleep soon, and take the next one; if it does not, its next tick comes here. */
	which = found && !t && gathers() && !others_first() ? 0 : IDLE_STOLEN;
	bpf_for(i, 0, nr_nodes)
	{
		if (has_node(nodes, i) && may_rescue(i, which))
			rescue(i, which);
	}
}

SEC("struct_ops/wake_update_idle")
void BPF_PROG(wake_update_idle, s32 cpu, bool idle)
{
	struct wake_cpu *c = other_cpu(cpu);

	put_in(idle_cpus, cpu, idle);
	if (idle)
		look_again(node_of(cpu));
	if (c)
		becomes_idle(c, cpu, idle);
}

/* What runs here has run until now; who goes on is never told to stop. */
static __always_inline void count_run(struct wake_cpu *c, u64 now)
{
	u64 ran = now - c->ran_to;

	c->wanted += ran;
	c->n.run_ns += ran;
	c->ran_to = now;
}

static __always_inline void look_at_steal(s32 cpu, struct wake_cpu *c)
{
	int stolen = judge_steal(c, cpu);

	if (stolen >= 0)
		put_in(stolen_cpus, cpu, stolen);
}

/* Until 6.12.16, 6.13.4 and 6.14 the kernel ends a scheduler that asks for a thread's cgroup there. (From 6.15 on this shows.) */
static __always_inline bool can_ask_in_tick(void)
{
	return bpf_core_enum_value_exists(enum scx_ops_flags, SCX_OPS_ENQ_MIGRATION_DISABLED);
}

/* The end of a slice is the end of a tick: who is alone in all of the machine's queues need not ask for another. */
SEC("struct_ops/wake_tick")
void BPF_PROG(wake_tick, struct task_struct *p)
{
	s32 cpu = bpf_get_smp_processor_id();
	struct wake_task *t = task_of(p);
	struct wake_cpu *c = this_cpu();
	u64 nodes = waiting_nodes();
	u32 i;

	if (!c || !t)
		return;
	if (c->vtime)
		count_run(c, bpf_ktime_get_ns());
	look_at_steal(cpu, c);
	if (can_ask_in_tick())
		settle(p, t, c, cpu);
	note_time(&c->looked_at, &c->look_for_old);
	if (!nodes && is_alone()) {
		goes_on(p, t, c, cpu, nodes);
		return;
	}
	bpf_for(i, 0, nr_nodes)
	{
		if (has_node(nodes, i) && may_rescue(i, IDLE_STOLEN))
			scx_set_slice(p, 0); /* see rescue() */
	}
}

SEC("struct_ops/wake_runnable")
void BPF_PROG(wake_runnable, struct task_struct *p, u64 enq_flags)
{
	struct wake_task *t = task_of(p);
	struct cgroup *cgrp;

	if (!t)
		return;
	if (t->slept_at)
		note_sleep(t, bpf_ktime_get_ns() - t->slept_at);
	t->slept_at = 0;
	cgrp = scx_bpf_task_cgroup(p);
	t->counted = p->scx.weight;
	group_count(cgrp, t->counted);
	hold_to_group(t, cgrp, enq_flags & ENQ_WAKEUP);
	bpf_cgroup_release(cgrp);
}

SEC("struct_ops/wake_quiescent")
void BPF_PROG(wake_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct wake_task *t = task_of(p);
	struct cgroup *cgrp;

	if (!t)
		return;
	give_back(t); /* it may be of another class from now on, and not come to enqueue() */
	if (deq_flags & DEQ_SLEEP) {
		t->slept_at = bpf_ktime_get_ns();
		note_awake(t, ran_of(p, t));
	}
	t->sent_at = 0;
	cgrp = scx_bpf_task_cgroup(p);
	group_count(cgrp, -t->counted);
	t->counted = 0;
	bpf_cgroup_release(cgrp);
}

SEC("struct_ops/wake_set_weight")
void BPF_PROG(wake_set_weight, struct task_struct *p, u32 weight)
{
	struct wake_task *t = task_of(p);
	struct cgroup *cgrp;

	if (!t)
		return;
	t->rate_at = 0;
	if (!t->counted)
		return;
	cgrp = scx_bpf_task_cgroup(p);
	group_reweigh(cgrp, (s32)weight - t->counted);
	t->counted = weight;
	bpf_cgroup_release(cgrp);
}

/* Who changes a running thread's class, weight or CPUs tells this, and the next, on a CPU of its own. */
SEC("struct_ops/wake_running")
void BPF_PROG(wake_running, struct task_struct *p)
{
	s32 cpu = scx_bpf_task_cpu(p);
	struct wake_task *t = task_of(p);
	struct wake_cpu *c = other_cpu(cpu);

	if (!t || !c)
		return;
	put_in(idle_cpus, cpu, false);
	t->sent_to = 0;
	note_place(t, cpu);
	look_at_steal(cpu, c);
	t->paid = p->se.sum_exec_runtime;
	c->vtime = t->vtime ? t->vtime : 1;
	c->rate = t->rate;
	c->turn_from = c->vtime_at = c->ran_to = c->run_at = bpf_ktime_get_ns();
	c->run_steal = gather && poll_ns ? steal_now(cpu) : 0;
	c->n.switches++;
	if (t->sent_at) {
		note_start(c, t->sent_at, c->ran_to);
		t->sent_at = 0;
	}
}

SEC("struct_ops/wake_stopping")
void BPF_PROG(wake_stopping, struct task_struct *p, bool runnable)
{
	s32 cpu = scx_bpf_task_cpu(p);
	struct wake_cpu *c = other_cpu(cpu);
	struct wake_task *t = task_of(p);

	if (!t || !c)
		return;
	/* The kernel's own account, switches included: who makes many has to pay for them. */
	pay(p, t, cpu, p->se.sum_exec_runtime - t->paid, runnable);
	if (gather && poll_ns && has_steal())
		t->stolen += steal_since(c->run_steal, steal_now(cpu));
	c->vtime = 0;
	count_run(c, bpf_ktime_get_ns());
}

SEC("struct_ops/wake_yield")
bool BPF_PROG(wake_yield, struct task_struct *from, struct task_struct *to)
{
	struct wake_task *t = task_of(from);

	if (t && !to)
		t->yielded = true;
	if (!to)
		scx_set_slice(from, 0);
	return false;
}

SEC("struct_ops/wake_enable")
void BPF_PROG(wake_enable, struct task_struct *p)
{
	struct wake_task *t = task_of(p);

	if (!t)
		return;
	t->vtime = vtime_now;
	t->rate = RATE_ONE * 100 / (p->scx.weight ? p->scx.weight : 1);
}

/* ---- cgroups ---- */

SEC("struct_ops.s/wake_cgroup_init")
s32 BPF_PROG(wake_cgroup_init, struct cgroup *cgrp, struct scx_cgroup_init_args *args)
{
	struct group *g = bpf_cgrp_storage_get(&groups, cgrp, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!g)
		return -12; /* ENOMEM */
	g->weight = args->weight;
	return 0;
}

SEC("struct_ops.s/wake_cgroup_exit")
void BPF_PROG(wake_cgroup_exit, struct cgroup *cgrp)
{
	group_end(cgrp);
}

SEC("struct_ops/wake_cgroup_set_weight")
void BPF_PROG(wake_cgroup_set_weight, struct cgroup *cgrp, u32 weight)
{
	group_set_weight(cgrp, weight);
}

/* ---- CPUs; without these the kernel unloads the scheduler when one comes or goes ---- */

SEC("struct_ops/wake_cpu_online")
void BPF_PROG(wake_cpu_online, s32 cpu)
{
	put_in(online_cpus, cpu, true);
}

SEC("struct_ops/wake_cpu_offline")
void BPF_PROG(wake_cpu_offline, s32 cpu)
{
	put_in(online_cpus, cpu, false);
}

/* Steal counts from now on; who becomes idle before we are told so says it when it looks for a thread. */
static __always_inline void look_at_cpu(s32 cpu, bool online)
{
	const struct rq___ks *rq = bpf_per_cpu_ptr(&runqueues, cpu);
	struct wake_cpu *c = other_cpu(cpu);

	if (!rq || !c)
		return;
	c->steal = steal_now(cpu);
	put_in(online_cpus, cpu, online);
	put_in(idle_cpus, cpu, online && !rq->nr_running);
}

static __always_inline void look_at_cpus(void)
{
	const struct cpumask *online = scx_bpf_get_online_cpumask();
	u32 cpu;

	bpf_for(cpu, 0, nr_cpus)
	{
		look_at_cpu(cpu, bpf_cpumask_test_cpu(cpu, online));
	}
	scx_bpf_put_cpumask(online);
}

/* ---- life ---- */

SEC("struct_ops.s/wake_init_task")
s32 BPF_PROG(wake_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct wake_task *t = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t)
		return -12; /* ENOMEM */
	t->home = -1;
	return 0;
}

SEC("struct_ops.s/wake_init")
s32 BPF_PROG(wake_init)
{
	s32 ret = 0;
	u32 i;

	bpf_for(i, 0, nr_nodes)
	{
		ret = scx_bpf_create_dsq(i, nr_nodes > 1 ? (s32)i : -1);
		if (ret)
			return ret;
	}
	bpf_for(i, 0, nr_cpus)
	{
		ret = scx_bpf_create_dsq(PINNED | i, -1);
		if (ret)
			return ret;
	}
	look_at_cpus();
	return 0;
}

SEC("struct_ops/wake_exit")
void BPF_PROG(wake_exit, struct scx_exit_info *info)
{
	scx_note_end(info);
}

SEC(".struct_ops.link")
struct sched_ext_ops vnuma_wake = {
	.select_cpu = (void *)wake_select_cpu,
	.enqueue = (void *)wake_enqueue,
	.dispatch = (void *)wake_dispatch,
	.update_idle = (void *)wake_update_idle,
	.tick = (void *)wake_tick,
	.runnable = (void *)wake_runnable,
	.running = (void *)wake_running,
	.stopping = (void *)wake_stopping,
	.quiescent = (void *)wake_quiescent,
	.set_weight = (void *)wake_set_weight,
	.yield = (void *)wake_yield,
	.enable = (void *)wake_enable,
	.cgroup_init = (void *)wake_cgroup_init,
	.cgroup_exit = (void *)wake_cgroup_exit,
	.cgroup_set_weight = (void *)wake_cgroup_set_weight,
	.cpu_online = (void *)wake_cpu_online,
	.cpu_offline = (void *)wake_cpu_offline,
	.init_task = (void *)wake_init_task,
	.init = (void *)wake_init,
	.exit = (void *)wake_exit,
	.timeout_ms = TIMEOUT_MS,
	.name = "vnuma_wake",
};
