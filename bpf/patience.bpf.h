/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Somebody of little weight may wait for longer than the kernel lets anybody (15 s, and it ends the scheduler), where virtual
 * time goes slowly, or others come. So once in a while a CPU looks whether somebody has waited for PATIENCE_NS: such threads are
 * next, the oldest first, by turns with those whose turn it is. To be included behind the policy's state: task_of(), and
 * `since`, ns, and `vtime` in what it returns.
 */
#ifndef KVMSCHED_PATIENCE_BPF_H
#define KVMSCHED_PATIENCE_BPF_H

#include "scx.bpf.h"

#define PATIENCE_NS 4000000000ull
#define PATIENCE_LOOK_NS 1000000000ull

#define LOOK_NOW 1   /* with the next dispatch */
#define LOOK_LATER 2 /* with the one after it: one of them has just run */

/* With each tick; *looked_at: when it was time to look last. */
static __always_inline void note_time(u64 *looked_at, u32 *look)
{
	u64 now = bpf_ktime_get_ns();

	if (now - *looked_at < PATIENCE_LOOK_NS)
		return;
	*looked_at = now;
	*look = LOOK_NOW;
}

static __always_inline bool is_turn_of_old(u32 *look)
{
	u32 is = *look;

	if (is)
		*look = is == LOOK_LATER ? LOOK_NOW : 0;
	return is == LOOK_NOW;
}

/* Who waits in this queue since before *since; it becomes that one's. 0: nobody. */
__noinline s32 oldest(s32 cpu, u64 dsq, u64 *since)
{
	struct task_struct *p;
	s32 pid = 0;

	if (!since)
		return 0;
	bpf_for_each(scx_dsq, p, dsq, 0)
	{
		__auto_type t = task_of(p);

		if (!t || !before(t->since, *since) || !bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		*since = t->since;
		pid = p->pid;
	}
	return pid;
}

/* Its turn is now: else virtual time would go on from where it was to come. */
__noinline int take_one(u64 dsq, s32 pid)
{
	struct task_struct *p;
	bool taken = false;

	bpf_for_each(scx_dsq, p, dsq, 0)
	{
		__auto_type t = task_of(p);

		if (p->pid != pid)
			continue;
		taken = scx_move(BPF_FOR_EACH_ITER, p, DSQ_LOCAL, 0);
		if (taken && t && before(vtime_now, t->vtime))
			t->vtime = vtime_now;
		break;
	}
	return taken;
}

/* The one that has waited longest in these two queues (which may be one), if that is too long. Returns whether there was one. */
static __always_inline bool take_old(s32 cpu, u64 dsq, u64 dsq2)
{
	u64 since = bpf_ktime_get_ns() - PATIENCE_NS;
	s32 pid = oldest(cpu, dsq, &since), pid2 = dsq2 == dsq ? 0 : oldest(cpu, dsq2, &since);

	if (pid2)
		return take_one(dsq2, pid2);
	return pid && take_one(dsq, pid);
}

#endif /* KVMSCHED_PATIENCE_BPF_H */
