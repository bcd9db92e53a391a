// SPDX-License-Identifier: GPL-2.0
/*
 * The policy ple-boost: after a PLE exit the rest of the time slice goes to a vCPU of the same VM
 * that waits for a pCPU and did not spin itself, for one of these may hold the lock.
 *
 * KVM's PLE handler names a candidate through ops.yield(), which ends the spinner's slice. Which
 * vCPU then runs is decided in ops.dispatch(), among all that wait: KVM goes round its vCPUs, we
 * take one that did not spin, preempted in the guest's kernel rather than outside, and of these the
 * one off-CPU longest.
 *
 * Otherwise a plain fair scheduler: one queue per NUMA node, by virtual time. Who gives up a slice
 * gives its turn with it: the two vCPUs exchange their virtual times. So a boost moves time within
 * a VM and takes none from others, however long a chain of boosts is, and what is given up is not
 * lost to the VM.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "boost_choose.bpf.h"
#include "boost_looks.bpf.h"
#include "boost_spin.bpf.h"
#include "boost_state.bpf.h"
#include "patience.bpf.h"
#include "ple_boost.h"
#include "scx.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define OWED_MAX_NS 100000000ull
#define NODE_SLICES 4 /* memory of another node costs time, too */

/* ---- the scheduler ---- */

/*
 * What a stretch on a pCPU costs. The vCPUs of a VM with a weight share it: each pays for all that
 * want to run, so that the VM as a whole gets its part however many they are.
 */
static __always_inline u64 price(const struct task_struct *p, const struct boost_task *t, u64 ran)
{
	const struct boost_vm *vm = vm_at(t->vm);
	u32 active = vm->active, weight = vm->weight;

	if (weight)
		return ran * 100 * (active ? active : 1) / weight;
	return ran * 100 / (p->scx.weight ? p->scx.weight : 1);
}

/*
 * A vCPU that wakes up far behind the one that runs there need not wait for the slice's end. Unless
 * that is of the same VM: to interrupt it may be to interrupt the holder of a lock, and the VM gains no
 * time by it.
 */
static __always_inline bool is_behind(s32 cpu, u32 vm, u64 vtime, u64 now)
{
	struct boost_cpu *c = other_cpu(cpu);

	return c && c->vtime && c->runs != vm && before(vtime + slice_ns / 2, vtime_of(c, now));
}

/*
 * Its place in the queue: by what it had. Sleep saves up no more than a slice; somebody who had to
 * wait is owed more, but not so much that it would keep a pCPU from others for long. Nor is anything saved up by the
 * vCPUs of a VM that sleep in turn, and have one awake between them all the time: what the VM had as a whole counts. Who gave up
 * a slice stands one behind, once.
 */
static __always_inline u64 place(struct boost_task *t, u64 enq_flags)
{
	struct boost_vm *vm = vm_at(t->vm);
	bool woken = enq_flags & ENQ_WAKEUP;

	raise(&t->vtime, vtime_now - (woken ? slice_ns : OWED_MAX_NS));
	if (woken && vm->weight) {
		raise(&vm->vtime, vtime_now - OWED_MAX_NS);
		if (before(vtime_now + OWED_MAX_NS, vm->vtime))
			vm->vtime = vtime_now + OWED_MAX_NS;
		raise(&t->vtime, vm->vtime - slice_ns);
	}
	if (!t->gave)
		return t->vtime;
	t->gave = false;
	return t->vtime + slice_ns;
}

SEC("struct_ops/boost_select_cpu")
s32 BPF_PROG(boost_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
	struct boost_task *t = idle ? task_of(p) : NULL;

	if (t) /* it will not come to enqueue() */
		place(t, ENQ_WAKEUP);
	if (idle)
		scx_insert(p, DSQ_LOCAL, slice_ns, 0);
	return cpu;
}

/* Where any CPU of the node finds it. */
static __always_inline void wait_for_turn(struct task_struct *p, s32 cpu, u64 slice, u64 vtime,
					  u64 enq_flags)
{
	if (fifo)
		scx_insert(p, node_of(cpu), slice, enq_flags);
	else
		scx_insert_vtime(p, node_of(cpu), slice, vtime, enq_flags);
}

/* KVM's helpers, which a vCPU's thread has started: nothing is known of them. */
static __always_inline void enqueue_helper(struct task_struct *p, s32 cpu, u64 enq_flags)
{
	s32 idle;

	if (!(enq_flags & ENQ_REENQ)) {
		scx_insert(p, DSQ_LOCAL, slice_ns, enq_flags);
		return;
	}
	idle = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (idle >= 0)
		scx_insert(p, DSQ_LOCAL_ON | idle, slice_ns, enq_flags);
	else
		wait_for_turn(p, cpu, slice_ns, vtime_now, enq_flags);
}

/*
 * A higher class takes the pCPU of this one, whose slice is not over. In the CPU's own queue, where the kernel would
 * leave it, no other CPU finds it: so its slice ends here, and enqueue() gives it the rest of it elsewhere.
 */
static __always_inline void note_interruption(struct task_struct *p, struct boost_task *t)
{
	t->rest = others_first() ? p->scx.slice : 0;
	if (t->rest)
		scx_set_slice(p, 0);
}

/* Its turn was interrupted, not over: it goes on before those who wait already. */
static __always_inline u64 in_front(s32 cpu, u64 vtime)
{
	u64 first;

	return first_of(node_of(cpu), cpu, &first) && before(first, vtime) ? first - 1 : vtime;
}

SEC("struct_ops/boost_enqueue")
void BPF_PROG(boost_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 idle, cpu = scx_bpf_task_cpu(p);
	u64 vtime, rest, now = bpf_ktime_get_ns();
	struct boost_task *t = task_of(p);
	struct boost_cpu *c = this_cpu();

	if (!t || !c || scx_is_fixed(p)) {
		enqueue_helper(p, cpu, enq_flags);
		return;
	}
	t->since = now;
	rest = t->rest;
	t->rest = 0;
	vtime = place(t, enq_flags);
	idle = fifo ? -1 : scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (idle >= 0) {
		c->n.rescued += rest || enq_flags & ENQ_REENQ;
		scx_insert(p, DSQ_LOCAL_ON | idle, slice_ns, enq_flags);
	} else if (rest) {
		wait_for_turn(p, cpu, rest, in_front(cpu, vtime), enq_flags);
	} else if (!fifo && enq_flags & ENQ_WAKEUP && is_behind(cpu, t->vm, vtime, now)) {
		scx_insert(p, DSQ_LOCAL_ON | cpu, slice_ns, enq_flags | ENQ_PREEMPT);
	} else {
		wait_for_turn(p, cpu, slice_ns, vtime, enq_flags);
	}
}

static __always_inline void give_up(struct task_struct *p, struct boost_task *t,
				    struct boost_cpu *c)
{
	c->vm = t->vm;
	t->gave = true;
	c->n.given++;
	c->n.given_ns += p->scx.slice;
	scx_set_slice(p, 0);
}

/*
 * The node whose first one is to be taken: this one, unless another's waits a good deal longer, as
 * it does where more vCPUs want to run than here, or nobody waits here.
 */
static __always_inline u32 most_behind(s32 cpu)
{
	u32 i, node = node_of(cpu), found = node;
	u64 least = 0, vtime = 0;
	bool any;

	if (nr_nodes < 2 || fifo)
		return node;
	any = first_of(node, cpu, &least);
	least -= NODE_SLICES * slice_ns;
	bpf_for(i, 0, nr_nodes)
	{
		if (i == node || !first_of(i, cpu, &vtime) || (any && !before(vtime, least)))
			continue;
		any = true;
		least = vtime;
		found = i;
	}
	return found;
}

/* Its slice is over, but by virtual time it is still its turn, for it is in no queue to be found there. */
static __always_inline bool is_still_first(s32 cpu, u32 node, struct task_struct *prev,
					   struct boost_task *t, struct boost_cpu *c)
{
	u64 first, ran = prev->se.sum_exec_runtime - t->paid;

	if (fifo || c->vm || c->end_slice || t->gave || !first_of(node, cpu, &first) ||
	    !before(t->vtime + price(prev, t, ran), first) ||
	    bpf_ktime_get_ns() - c->ran_from > TURN_MOST_NS)
		return false;
	end_grace(t, c);
	scx_set_slice(prev, slice_ns);
	return true;
}

/*
 * It goes on, for there is nobody else; but somebody may come, and waits for no more than a slice. What it has had alone
 * nobody is owed: paid for as a whole when somebody comes, it would be out of its turn for as long.
 */
static __always_inline void go_on(struct task_struct *prev, u32 node, struct boost_task *t,
				  struct boost_cpu *c)
{
	u64 ran = prev->se.sum_exec_runtime - t->paid, most = vtime_now + price(prev, t, slice_ns);

	t->gave = false;
	scx_set_slice(prev, slice_ns);
	if (waiting(node) || !before(most, t->vtime + price(prev, t, ran)))
		return;
	t->vtime = most;
	t->paid += ran;
	c->vtime = most;
	c->ran_from = bpf_ktime_get_ns();
	c->n.run_ns += ran;
}

/*
 * Somebody may wait though a CPU that he may use idles: it had found nobody a moment before he came to the queue, and goes to
 * sleep without a look back. So there is one look with each tick.
 */
__noinline int rescue(u32 node)
{
	struct boost_cpu *c = this_cpu();
	struct task_struct *p;
	u32 looked = 0;
	s32 cpu;

	if (!c)
		return 0;
	bpf_for_each(scx_dsq, p, node, 0)
	{
		if (looked++ >= LOOKED_AT)
			break;
		cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
		if (cpu < 0)
			continue;
		if (scx_move(BPF_FOR_EACH_ITER, p, DSQ_LOCAL_ON | cpu, 0))
			c->n.rescued++;
		else if (bpf_ksym_exists(scx_bpf_kick_cpu))
			scx_bpf_kick_cpu(cpu, 0); /* so that it says once more that it idles */
		break;
	}
	return 0;
}

/* prev is in no queue yet: its turn ends after this. */
SEC("struct_ops/boost_dispatch")
void BPF_PROG(boost_dispatch, s32 cpu, struct task_struct *prev)
{
	struct boost_cpu *c = other_cpu(cpu);
	struct boost_task *t = is_queued(prev) ? task_of(prev) : NULL;
	u32 i, node = most_behind(cpu);
	bool done = false;

	if (STALLS())
		return;
	if (c && c->ticked) {
		c->ticked = false;
		if (!fifo)
			rescue(node_of(cpu));
	}
	if (c && is_turn_of_old(&c->look_for_old) && take_old(cpu, node_of(cpu), node_of(cpu))) {
		c->look_for_old = LOOK_LATER;
		c->vm = 0;
		c->end_slice = false;
		return;
	}
	if (c && t && (is_still_first(cpu, node, prev, t, c) || may_finish(cpu, node, prev, t, c)))
		return;
	if (c && t && c->end_slice)
		give_up(prev, t, c);
	if (c && c->vm)
		done = boost_sibling(cpu, node, t ? prev : NULL, c);
	if (c) {
		c->vm = 0;
		c->end_slice = false;
	}
	bpf_for(i, 0, nr_nodes)
	{
		if (done)
			break;
		done = scx_take((node + i) % nr_nodes);
	}
	if (c && t && !done)
		go_on(prev, node_of(cpu), t, c);
}

SEC("struct_ops/boost_yield")
bool BPF_PROG(boost_yield, struct task_struct *from, struct task_struct *to)
{
	struct boost_task *f = task_of(from);
	struct boost_cpu *c = this_cpu();

	if (!to) { /* sched_yield(2) */
		if (f)
			f->gave = true;
		scx_set_slice(from, 0);
		return false;
	}
	if (!f || !c || !boost)
		return false;
	c->n.asked++;
	f->named = true;
	give_up(from, f, c);
	return true;
}

/* The spinner for whom KVM found nobody. */
SEC("struct_ops/boost_tick")
void BPF_PROG(boost_tick, struct task_struct *p)
{
	struct boost_task *t = task_of(p);
	struct boost_cpu *c = this_cpu();

	if (!c || !t)
		return;
	c->ticked = true;
	note_time(&c->looked_at, &c->look_for_old);
	if (!c->end_slice)
		return;
	c->end_slice = false;
	give_up(p, t, c);
}

SEC("struct_ops/boost_runnable")
void BPF_PROG(boost_runnable, struct task_struct *p, u64 enq_flags)
{
	struct boost_task *t = task_of(p);

	/* All of it slept: then it has saved up no more than one of its vCPUs. */
	if (t && begin_to_count(t))
		raise(&vm_at(t->counted)->vtime, vtime_now - slice_ns);
}

SEC("struct_ops/boost_quiescent")
void BPF_PROG(boost_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct boost_task *t = task_of(p);

	if (t && __sync_lock_test_and_set(&t->is_counted, 0))
		__sync_fetch_and_add(&vm_at(t->counted)->active, -1);
}

/* Who changes a running thread's class, weight or CPUs tells this, and the next, on a CPU of its own. */
SEC("struct_ops/boost_running")
void BPF_PROG(boost_running, struct task_struct *p)
{
	struct boost_cpu *c = other_cpu(scx_bpf_task_cpu(p));
	struct boost_task *t = task_of(p);

	if (!t || !c)
		return;
	t->paid = p->se.sum_exec_runtime;
	if (before(vtime_now, t->vtime))
		vtime_now = t->vtime;
	c->vm = 0; /* a slice that was given up before this, and that a higher class or an insertion took */
	c->runs = t->vm;
	c->price = price(p, t, BOOST_PRICE_NS);
	c->ran_from = bpf_ktime_get_ns();
	c->vtime = t->vtime;
	c->n.switches++;
	t->parted = false;
	t->rest = 0; /* in case it never came to enqueue() */
	if (t->handed)
		watch(t, c);
}

SEC("struct_ops/boost_stopping")
void BPF_PROG(boost_stopping, struct task_struct *p, bool runnable)
{
	struct boost_cpu *c = other_cpu(scx_bpf_task_cpu(p));
	struct boost_task *t = task_of(p);
	struct boost_vm *vm;
	u64 ran;

	if (!t || !c)
		return;
	t->left = bpf_ktime_get_ns();
	vm = vm_at(t->vm);
	/* The kernel's own account, switches included: a VM that makes many has to pay for them. */
	ran = p->se.sum_exec_runtime - t->paid;
	t->vtime += price(p, t, ran);
	if (vm->weight)
		__sync_fetch_and_add(&vm->vtime, ran * 100 / vm->weight);
	end_grace(t, c);
	t->spun = runnable && (t->parted || t->left - t->last_ple < spin_ns);
	t->handed = 0;
	if (runnable)
		note_interruption(p, t);
	c->vtime = 0;
	c->end_slice = false;
	c->n.run_ns += ran;
}

SEC("struct_ops/boost_enable")
void BPF_PROG(boost_enable, struct task_struct *p)
{
	struct boost_task *t = task_of(p);

	if (t)
		join_vm(t, p);
}

SEC("struct_ops/boost_disable")
void BPF_PROG(boost_disable, struct task_struct *p)
{
	struct boost_task *t = task_of(p);

	if (t)
		t->vm = 0;
}

/* Without these the kernel unloads the scheduler when a CPU comes or goes. */
SEC("struct_ops/boost_cpu_online")
void BPF_PROG(boost_cpu_online, s32 cpu)
{
}

SEC("struct_ops/boost_cpu_offline")
void BPF_PROG(boost_cpu_offline, s32 cpu)
{
}

SEC("struct_ops/boost_init_task")
s32 BPF_PROG(boost_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return 0;
}

SEC("struct_ops.s/boost_init")
s32 BPF_PROG(boost_init)
{
	s32 ret = make_looks();
	u32 i;

	bpf_for(i, 0, nr_nodes)
	{
		if (ret)
			break;
		ret = scx_bpf_create_dsq(i, nr_nodes > 1 ? (s32)i : -1);
	}
	return ret;
}

SEC("struct_ops/boost_exit")
void BPF_PROG(boost_exit, struct scx_exit_info *info)
{
	scx_note_end(info);
}

SEC(".struct_ops.link")
struct sched_ext_ops ple_boost = {
	.select_cpu = (void *)boost_select_cpu,
	.enqueue = (void *)boost_enqueue,
	.dispatch = (void *)boost_dispatch,
	.runnable = (void *)boost_runnable,
	.tick = (void *)boost_tick,
	.running = (void *)boost_running,
	.stopping = (void *)boost_stopping,
	.quiescent = (void *)boost_quiescent,
	.yield = (void *)boost_yield,
	.enable = (void *)boost_enable,
	.disable = (void *)boost_disable,
	.cpu_online = (void *)boost_cpu_online,
	.cpu_offline = (void *)boost_cpu_offline,
	.init_task = (void *)boost_init_task,
	.init = (void *)boost_init,
	.exit = (void *)boost_exit,
	.flags = SCX_OPS_SWITCH_PARTIAL,
	.timeout_ms = TIMEOUT_MS,
	.name = "ple_boost",
};
