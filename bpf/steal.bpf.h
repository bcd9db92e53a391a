/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which vCPUs the host keeps waiting, as a guest can see it: by its steal time. The flag `preempted`
 * beside it is believed only of a vCPU that had some steal lately, for hosts before 6.1 set it for
 * every vCPU that halts, also where nobody else wants the pCPU.
 *
 * KVM's steal is all the time for which the host had a vCPU wait, that until it is woken up included: where threads
 * run for moments only, that alone would be a quarter of what they run.
 */
#ifndef KVMSCHED_STEAL_BPF_H
#define KVMSCHED_STEAL_BPF_H

#include "compat.bpf.h"
#include "scx.bpf.h"
#include "vnuma_wake.h"

#define CPUTIME_STEAL_KS 7	 /* CPUTIME_STEAL */
#define STEAL_SPAN_NS 4000000ull /* judged after so much time that it had or wanted to have */
#define STEAL_PART 4		 /* a quarter of it: others want the pCPU */
#define DOUBT_PART 32
#define WAKE_UP_NS                                                                                 \
	200000ull /* of a pCPU that nobody else wants, on the way from halted to running */

struct kernel_cpustat___ks {
	u64 cpustat[10];
} __attribute__((preserve_access_index));

extern const struct kernel_cpustat___ks kernel_cpustat __ksym __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct wake_cpu);
} cpus SEC(".maps");

static __always_inline struct wake_cpu *this_cpu(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&cpus, &zero);
}

static __always_inline struct wake_cpu *other_cpu(s32 cpu)
{
	u32 zero = 0;

	return bpf_map_lookup_percpu_elem(&cpus, &zero, cpu);
}

/* ns: KVM's own figure, else what the kernel has booked with its last tick. */
static __always_inline u64 steal_now(s32 cpu)
{
	const struct kernel_cpustat___ks *booked;
	const struct kvm_steal_time___ks *kvm;

	if (bpf_ksym_exists(&steal_time)) {
		kvm = bpf_per_cpu_ptr(&steal_time, cpu);
		if (kvm && kvm->steal)
			return kvm->steal;
	}
	if (!bpf_ksym_exists(&kernel_cpustat))
		return 0;
	booked = bpf_per_cpu_ptr(&kernel_cpustat, cpu);
	return booked ? booked->cpustat[CPUTIME_STEAL_KS] : 0;
}

/* What its host says. */
static __always_inline bool says_preempted(s32 cpu)
{
	const struct kvm_steal_time___ks *kvm;

	if (!bpf_ksym_exists(&steal_time))
		return false;
	kvm = bpf_per_cpu_ptr(&steal_time, cpu);
	return kvm && kvm->preempted;
}

/* Does it say that this one is preempted, and is that likely to be true? */
static __always_inline bool is_preempted(s32 cpu)
{
	struct wake_cpu *c = other_cpu(cpu);

	return c && c->doubt && says_preempted(cpu);
}

static __always_inline u64 at_most(u64 ns, u64 most)
{
	return ns < most ? ns : most;
}

/* ns of steal from then to now; the source may have changed. */
static __always_inline u64 steal_since(u64 then, u64 now)
{
	return before(then, now) ? now - then : 0;
}

/* It becomes idle, or no longer is: what a wake-up of a halted one costs by itself, others have not taken. */
static __always_inline void note_idle(struct wake_cpu *c, s32 cpu, bool idle, bool halted)
{
	u64 now = steal_now(cpu), late, woken;

	if (!idle && c->idle) {
		late = steal_since(c->idle_steal, now);
		woken = halted ? at_most(late, WAKE_UP_NS) : 0;
		c->woken += woken;
		c->wanted += late - woken;
	}
	c->idle_steal = now;
	c->idle = idle;
}

/* What part of the time that CPUs had or wanted the host kept them waiting, in CROWD_ONE, of all, the later times counting more. */
#define CROWD_ONE 1024
#define CROWD_SPANS 16 /* of them one counts a 16th */
__u64 crowd;

static __always_inline void note_crowd(u64 steal, u64 wanted)
{
	u64 spans = at_most(wanted / STEAL_SPAN_NS, CROWD_SPANS);

	crowd = ((CROWD_SPANS - spans) * crowd +
		 spans * at_most(steal * CROWD_ONE / wanted, CROWD_ONE)) /
		CROWD_SPANS;
}

/* Are there more vCPUs that want to run than pCPUs, all the time? Not just that the host had something else to do now and then. */
static __always_inline bool is_crowded(void)
{
	return crowd > CROWD_ONE / 2;
}

/* Is this CPU one to avoid? -1 if it is too early to say. */
static __always_inline int judge_steal(struct wake_cpu *c, s32 cpu)
{
	u64 now, steal, wanted = c->wanted;

	if (wanted < STEAL_SPAN_NS)
		return -1;
	now = steal_now(cpu);
	steal = steal_since(c->steal + c->woken, now);
	c->n.steal_ns += steal_since(c->steal, now);
	c->steal = now;
	c->wanted = c->woken = 0;
	note_crowd(steal, wanted);
	c->doubt = steal * DOUBT_PART > wanted;
	return steal * STEAL_PART > wanted;
}

#endif /* KVMSCHED_STEAL_BPF_H */
