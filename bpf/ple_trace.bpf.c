// SPDX-License-Identifier: GPL-2.0
/*
 * The host's probe: PLE and HLT exits, all other exits counted, and what the host's scheduler does
 * with the vCPU threads. The exit path does no map look-up by hash and takes no lock: the vCPU that
 * runs on a CPU is noted there when it is switched in.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "records.h"
#include "compat.bpf.h"
#include "ring.bpf.h"
#include "ple_trace.h"
#include "ple_vcpus.bpf.h"
#include "ple_exits.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* ---- the host's scheduler ---- */

/* 0 also if another thread has taken over the vCPU. */
static __always_inline __u32 task_slot1(struct task_struct *p)
{
	struct ks_vcpu_state *v;
	struct ks_task *t;

	/* Nearly every thread has no storage at all: spare it the call. */
	if (!((struct task_struct___ks *)p)->bpf_storage)
		return 0;
	t = bpf_task_storage_get(&ks_tasks, p, 0, 0);
	if (!t)
		return 0;
	v = state_of(t->slot1 - 1);
	return v && v->owner == (__u32)p->pid ? t->slot1 : 0;
}

static __always_inline __u8 out_flags(const struct ks_running *c, bool preempt, unsigned int state)
{
	if (preempt || !state)
		return KS_OUT_RUNNABLE;
	if (state & (0x10 | 0x20 | 0x80)) /* EXIT_DEAD, EXIT_ZOMBIE, TASK_DEAD */
		return KS_OUT_DEAD;
	if (c->halt == ks_halt_mark(c->pauses))
		return KS_OUT_HALTED;
	return KS_OUT_BLOCKED;
}

/*
 * The offset and the ratio may have changed while the vCPU was away, in any thread. Or the VM was
 * closed, the thread lives on, and this memory is another's: then the result is false.
 */
static __always_inline bool check_tsc(struct ks_vcpu_state *v, __u32 cpu, __u32 slot)
{
	__u64 offset = vcpu_tsc_offset(v->vcpu), ratio = vcpu_tsc_ratio(v->vcpu);

	if (offset == v->tsc_offset)
		v->tsc_before = offset;
	/* A thread may lose its CPU after it has announced an offset and before it stores it. */
	if ((offset == v->tsc_offset || offset == v->tsc_before) && ratio == v->tsc_ratio)
		return true;
	if (vcpu_kvm(v->vcpu) != v->kvm || vcpu_id_of(v->vcpu) != v->id)
		return false;
	tell_tsc(v, cpu, slot, offset, ratio);
	return true;
}

static __always_inline void vcpu_out(struct ks_running *c, __u32 cpu, bool preempt,
				     struct task_struct *prev, struct task_struct *next,
				     unsigned int state)
{
	struct ks_vcpu_state *v = park_vcpu(c, cpu, prev->pid);

	if (!v)
		return;
	ks_emit(cpu, KS_VCPU_OUT, out_flags(c, preempt, state), cpu, c->slot1 - 1, next->pid, 0);
	if (v->dying)
		vcpu_gone(v, cpu, c->slot1 - 1);
}

static __always_inline void vcpu_in(struct ks_running *c, __u32 cpu, __u32 slot1,
				    struct task_struct *prev)
{
	struct ks_vcpu_state *v = run_vcpu(c, slot1);

	if (!v)
		return;
	ks_emit(cpu, KS_VCPU_IN, 0, cpu, slot1 - 1, prev->pid, 0);
	if (check_tsc(v, cpu, slot1 - 1))
		return;
	vcpu_gone(v, cpu, slot1 - 1);
	run_nobody(c);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	__u32 cpu = bpf_get_smp_processor_id() & (KS_MAX_CPUS - 1), slot1;
	struct ks_running *c = &ks_running[cpu];

	slot1 = task_slot1(next);
	if (c->slot1)
		vcpu_out(c, cpu, preempt, prev, next, prev_state);
	if (slot1)
		vcpu_in(c, cpu, slot1, prev);
	else
		run_nobody(c);
	return 0;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(sched_waking, struct task_struct *p)
{
	__u32 slot1 = task_slot1(p);

	if (slot1)
		ks_emit(bpf_get_smp_processor_id(), KS_VCPU_WAKE, 0, p->thread_info.cpu, slot1 - 1,
			(__u32)bpf_get_current_pid_tgid(), 0);
	return 0;
}

SEC("tp_btf/sched_migrate_task")
int BPF_PROG(sched_migrate_task, struct task_struct *p, int dest_cpu)
{
	__u32 slot1 = task_slot1(p), from = p->thread_info.cpu;

	if (slot1)
		ks_emit(bpf_get_smp_processor_id(), KS_VCPU_MIGRATE, 0, dest_cpu, slot1 - 1, from,
			dest_cpu);
	return 0;
}

/*
 * The thread can be preempted here, so what ends with it is done when it leaves the CPU next. After
 * that it closes the VM, perhaps for long, and frees the vCPUs: nobody may look there any more.
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *p)
{
	__u32 slot1 = task_slot1(p);
	struct ks_vcpu_state *v = state_of(slot1 - 1);
	struct ks_task *t;

	if (!slot1 || !v)
		return 0;
	v->dying = 1;
	t = bpf_task_storage_get(&ks_tasks, p, 0, 0);
	if (t)
		t->slot1 = 0;
	return 0;
}

/* ---- rare events of KVM ---- */

SEC("?raw_tp/kvm_vcpu_wakeup")
int kvm_vcpu_wakeup(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct ks_running *c;

	if (cpu >= KS_MAX_CPUS)
		return 0;
	c = &ks_running[cpu];
	if (!c->slot1 || c->slot1 == KS_IGNORED)
		return 0;
	c->halt = 0;
	ks_emit(cpu, KS_HALT_POLL,
		(ctx->args[1] & 1 ? KS_HALT_WAITED : 0) | (ctx->args[2] & 1 ? KS_HALT_VALID : 0),
		cpu, c->slot1 - 1, ctx->args[0], 0);
	return 0;
}

/* Comes before KVM stores the new offset, in the vCPU's thread or another one of its process. */
SEC("?raw_tp/kvm_write_tsc_offset")
int kvm_write_tsc_offset(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 key = (bpf_get_current_pid_tgid() & 0xffffffff00000000ULL) | (__u32)ctx->args[0];
	__u32 cpu = bpf_get_smp_processor_id(), *slot, s;
	struct ks_vcpu_state *v;

	slot = bpf_map_lookup_elem(&ks_slot_of, &key);
	if (!slot)
		return 0;
	s = *slot;
	v = bpf_map_lookup_elem(&ks_vcpus, &s);
	if (v && v->tsc_offset != ctx->args[2])
		tell_tsc(v, cpu, s, ctx->args[2], v->tsc_ratio);
	return 0;
}

/* ---- what a policy does: attached to its functions, see boost_marks.bpf.h ---- */

static __always_inline __u32 slot_of(__u32 tgid, __u32 vcpu1)
{
	__u64 key = (__u64)tgid << 32 | (vcpu1 - 1);
	__u32 *slot = vcpu1 ? bpf_map_lookup_elem(&ks_slot_of, &key) : NULL;

	return slot ? *slot : KS_NO_SLOT;
}

SEC("?fentry")
int BPF_PROG(mark_boost, __u32 tgid, __u32 from1, __u32 to1, __u32 flags)
{
	__u32 cpu = bpf_get_smp_processor_id();

	if (wanted(tgid))
		ks_emit(cpu, KS_BOOST, flags, cpu, slot_of(tgid, from1), slot_of(tgid, to1), tgid);
	return 0;
}

SEC("?fentry")
int BPF_PROG(mark_look, __u32 vcpu1, __u32 flags, __u64 lock, __u32 named1, __u32 crowd)
{
	__u32 cpu = bpf_get_smp_processor_id(), tgid = bpf_get_current_pid_tgid() >> 32;

	if (wanted(tgid))
		ks_emit(cpu, KS_LOOK, flags, cpu, slot_of(tgid, vcpu1), lock,
			slot_of(tgid, named1) | (__u64)crowd << 32);
	return 0;
}
