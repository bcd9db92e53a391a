/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Somebody of little weight may wait for longer than the kernel lets anybody (15 s, and it ends the scheduler), where virtual
 * time goes slowly, or others come: who has waited for PATIENCE_NS is next. To be included behind the policy's state: task_of(),
 * and `since`, ns, and `vtime` in what it returns.
 */
#ifndef KVMSCHED_PATIENCE_BPF_H
#define KVMSCHED_PATIENCE_BPF_H

#include "scx.bpf.h"

#define PATIENCE_NS 4000000000ull
#define PATIENCE_LOOK_NS 1000000000ull

/* Once in a while: *looked_at is when it was so last. */
static __always_inline bool is_time_to_look(u64 *looked_at)
{
	u64 now = bpf_ktime_get_ns();

	if (now - *looked_at < PATIENCE_LOOK_NS)
		return false;
	*looked_at = now;
	return true;
}

/*
 * One who has waited in the queue for too long, if there is one. Its turn is now: else virtual time would go on from where it was
 * to come. Returns whether there was; there may be more.
 */
__noinline int take_old(s32 cpu, u64 dsq)
{
	u64 now = bpf_ktime_get_ns();
	struct task_struct *p;
	bool taken = false;

	bpf_for_each(scx_dsq, p, dsq, 0)
	{
		__auto_type t = task_of(p);

		if (!t || before(now, t->since + PATIENCE_NS) ||
		    !bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		if (before(vtime_now, t->vtime))
			t->vtime = vtime_now;
		taken = scx_move(BPF_FOR_EACH_ITER, p, DSQ_LOCAL, 0);
		break;
	}
	return taken;
}

#endif /* KVMSCHED_PATIENCE_BPF_H */
