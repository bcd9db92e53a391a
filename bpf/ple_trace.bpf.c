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

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 ks_isa = KS_ISA_SVM;
const volatile __u32 ks_nslots = 1;       /* entries of ks_vcpus */
const volatile bool ks_filter = false; /* only the processes in ks_vm_filter */
const volatile bool ks_fold = false;   /* mode bursts */
const volatile __u64 ks_burst_gap = 1000000;
const volatile __u64 ks_burst_max = 1000000000; /* ends a burst: its length must fit 32 bits */

struct ks_host_faults ks_faults;
__u32 ks_slots_used;

/* The slot + 1 of the vCPU whose thread runs on a CPU; 0: none or not known yet; or: */
#define KS_IGNORED 0xffffffffu
struct {
	__u32 slot1;
} __attribute__((aligned(64))) ks_current[KS_MAX_CPUS];

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ks_vcpu_state);
} ks_vcpus SEC(".maps");

struct ks_task {
	__u32 slot1;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ks_task);
} ks_tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32); /* tgid */
	__type(value, __u8);
} ks_vm_filter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64); /* tgid << 32 | vcpu_id */
	__type(value, __u32);
} ks_by_id SEC(".maps");

/* ---- what a vCPU is ---- */

static __always_inline __u64 vcpu_word(__u64 vcpu, __u32 offset)
{
	return ks_peek(vcpu + offset);
}

static __always_inline __u32 vcpu_id_of(__u64 vcpu)
{
	return vcpu_word(vcpu, ks_offset(struct kvm_vcpu___ks, vcpu_id));
}

static __always_inline __u64 vcpu_tsc_offset(__u64 vcpu)
{
	return vcpu_word(vcpu, ks_offset(struct kvm_vcpu___ks, arch.l1_tsc_offset));
}

static __always_inline __u64 vcpu_tsc_ratio(__u64 vcpu)
{
	return vcpu_word(vcpu, ks_offset(struct kvm_vcpu___ks, arch.l1_tsc_scaling_ratio));
}

static __always_inline void emit_tsc(__u32 cpu, __u32 slot, struct ks_vcpu_state *v)
{
	ks_emit(cpu, KS_TSC_OFFSET, 0, cpu, slot, v->tsc_offset, v->tsc_ratio);
}

static __always_inline bool wanted(__u32 tgid)
{
	return !ks_filter || bpf_map_lookup_elem(&ks_vm_filter, &tgid);
}

/* The first exit of a vCPU thread: give it a slot and tell user space. Returns slot + 1. */
static __noinline __u32 vcpu_new(__u64 vcpu, __u32 cpu)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct ks_vcpu_state *v;
	struct ks_task *t;
	__u32 slot, id;
	__u64 key;

	if (!wanted(pid_tgid >> 32))
		return KS_IGNORED;
	t = bpf_task_storage_get(&ks_tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t) {
		__sync_fetch_and_add(&ks_faults.no_storage, 1);
		return 0;
	}
	if (t->slot1)
		return t->slot1;
	slot = __sync_fetch_and_add(&ks_slots_used, 1);
	v = bpf_map_lookup_elem(&ks_vcpus, &slot);
	if (!v) {
		__sync_fetch_and_sub(&ks_slots_used, 1);
		__sync_fetch_and_add(&ks_faults.no_slot, 1);
		return KS_IGNORED;
	}
	v->vcpu = vcpu;
	v->tsc_offset = vcpu_tsc_offset(vcpu);
	v->tsc_ratio = vcpu_tsc_ratio(vcpu);
	t->slot1 = slot + 1;
	id = vcpu_id_of(vcpu);
	key = (pid_tgid & 0xffffffff00000000ULL) | id;
	bpf_map_update_elem(&ks_by_id, &key, &slot, BPF_ANY);
	ks_emit(cpu, KS_VCPU_NEW, 0, cpu, slot, pid_tgid, id);
	emit_tsc(cpu, slot, v);
	return slot + 1;
}

/* ---- exits ---- */

static __always_inline __u32 svm_index(__u32 code)
{
	if (code < KS_SVM_HIGH)
		return code;
	if (code - 0x400 < 0x20)
		return code - 0x400 + KS_SVM_HIGH;
	return KS_REASON_OTHER;
}

static __always_inline bool is_hlt(__u32 idx)
{
	if (ks_isa == KS_ISA_SVM)
		return idx == KS_SVM_HLT || idx == KS_SVM_IDLE_HLT;
	return idx == KS_VMX_HLT;
}

static __always_inline __u64 svm_vmcb(__u64 vcpu)
{
	return vcpu_word(vcpu, ks_offset(struct vcpu_svm___ks, vmcb));
}

static __always_inline __u32 vmx_index(__u64 vcpu)
{
	__u32 reason;

	if (bpf_core_field_exists(struct vcpu_vmx___ks, vt))
		reason = vcpu_word(vcpu, ks_offset(struct vcpu_vmx___ks, vt.exit_reason.full));
	else
		reason = vcpu_word(vcpu, ks_offset(struct vcpu_vmx___pre_v616, exit_reason.full));
	reason &= 0xffff;
	return reason < KS_REASON_OTHER ? reason : KS_REASON_OTHER;
}

static __always_inline __u64 vcpu_rip(__u64 vcpu)
{
	if (bpf_core_field_exists(struct kvm_vcpu_arch___ks, rip))
		return vcpu_word(vcpu, ks_offset(struct kvm_vcpu___ks, arch.rip));
	return vcpu_word(vcpu, ks_offset(struct kvm_vcpu___ks, arch.regs) + KS_REG_RIP * 8);
}

/* VMX: has KVM asked the hardware for the instruction pointer? */
static __always_inline bool rip_is_read(__u64 vcpu)
{
	__u64 avail;

	if (bpf_core_field_exists(struct kvm_vcpu_arch___ks, regs_avail))
		avail = vcpu_word(vcpu, ks_offset(struct kvm_vcpu___ks, arch.regs_avail));
	else
		avail = vcpu_word(vcpu, ks_offset(struct kvm_vcpu___pre_v701, arch.regs_avail));
	return avail >> KS_REG_RIP & 1;
}

/*
 * Where the guest was. SVM: KVM has the instruction pointer in the vCPU by now, the privilege level
 * is in the control block. VMX: both stay in hardware until KVM asks; the instruction pointer is
 * taken only if KVM has asked, and the level from the half of the address space.
 */
static __always_inline __u64 guest_ip(__u64 vcpu, __u64 vmcb, __u8 *flags)
{
	__u64 ip = vcpu_rip(vcpu);

	if (ks_isa == KS_ISA_SVM) {
		*flags = KS_F_IP | KS_F_CPL |
			 (ks_peek(vmcb + ks_offset(struct vmcb___ks, save.cpl)) & KS_F_CPL_MASK);
		return ip;
	}
	if (!rip_is_read(vcpu)) {
		*flags = 0;
		return 0;
	}
	*flags = KS_F_IP | KS_F_CPL | ((long long)ip < 0 ? 0 : 3);
	return ip;
}

/* How many PAUSEs the guest may do before the next PLE exit (AMD), or for how many cycles (Intel). */
static __always_inline __u32 ple_window(__u64 vcpu, __u64 vmcb)
{
	if (ks_isa == KS_ISA_SVM)
		return (__u16)ks_peek(vmcb + ks_offset(struct vmcb___ks, control.pause_filter_count));
	return vcpu_word(vcpu, ks_offset(struct vcpu_vmx___ks, ple_window));
}

static __always_inline void burst_flush(struct ks_vcpu_state *v, __u32 cpu, __u32 slot)
{
	struct ks_rec *rec;

	if (!v->burst_count)
		return;
	rec = ks_reserve(cpu, KS_BURST, v->burst_count);
	if (rec)
		ks_commit(rec, v->burst_last, KS_BURST, v->burst_flags, cpu, slot, v->burst_ip,
			  (v->burst_last - v->burst_first) << 32 | v->burst_count);
	v->burst_count = 0;
	if (v->ple_window == v->ple_window_told)
		return;
	ks_emit(cpu, KS_PLE_WINDOW, 0, cpu, slot, v->ple_window_told, v->ple_window);
	v->ple_window_told = v->ple_window;
}

static __always_inline void burst_add(struct ks_vcpu_state *v, __u32 cpu, __u32 slot, __u64 ip,
				      __u8 flags)
{
	__u64 now = bpf_ktime_get_ns();

	if (v->burst_count && (now - v->burst_last > ks_burst_gap ||
			       now - v->burst_first > ks_burst_max))
		burst_flush(v, cpu, slot);
	if (!v->burst_count)
		v->burst_first = now;
	v->burst_count++;
	v->burst_last = now;
	v->burst_ip = ip;
	v->burst_flags = flags;
}

SEC("raw_tp/kvm_exit")
int kvm_exit(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id(), slot1, slot, idx;
	__u64 vcpu = ctx->args[0], vmcb = 0, ip;
	struct ks_vcpu_state *v;
	__u8 flags;

	if (cpu >= KS_MAX_CPUS)
		return 0;
	slot1 = ks_current[cpu].slot1;
	if (!slot1)
		slot1 = ks_current[cpu].slot1 = vcpu_new(vcpu, cpu);
	slot = slot1 - 1;
	v = bpf_map_lookup_elem(&ks_vcpus, &slot);
	if (!v) /* ignored: KS_IGNORED - 1 is beyond every slot */
		return 0;

	if (ks_isa == KS_ISA_SVM) {
		vmcb = svm_vmcb(vcpu);
		idx = svm_index(ks_peek(vmcb + ks_offset(struct vmcb___ks, control.exit_code)));
	} else {
		idx = vmx_index(vcpu);
	}
	v->last_reason = idx;
	barrier_var(idx); /* keep the mask: the compiler knows the range, the verifier does not */
	v->counts[idx & (KS_NREASONS - 1)]++;

	if (idx == (ks_isa == KS_ISA_SVM ? KS_SVM_PAUSE : KS_VMX_PAUSE)) {
		ip = guest_ip(vcpu, vmcb, &flags);
		v->ple_window = ple_window(vcpu, vmcb);
		if (ks_fold)
			burst_add(v, cpu, slot, ip, flags);
		else
			ks_emit(cpu, KS_PAUSE, flags, cpu, slot, ip, v->ple_window);
	} else if (is_hlt(idx)) {
		ip = guest_ip(vcpu, vmcb, &flags);
		ks_emit(cpu, KS_HLT, flags, cpu, slot, ip, 0);
	}
	return 0;
}

/* ---- the host's scheduler ---- */

static __always_inline __u32 task_slot1(struct task_struct *p)
{
	struct ks_task *t;

	/* Nearly every thread has no storage at all: spare it the call. */
	if (!((struct task_struct___ks *)p)->bpf_storage)
		return 0;
	t = bpf_task_storage_get(&ks_tasks, p, 0, 0);
	return t ? t->slot1 : 0;
}

static __always_inline __u8 out_flags(struct ks_vcpu_state *v, bool preempt, unsigned int state)
{
	if (preempt || !state)
		return KS_OUT_RUNNABLE;
	if (state & (0x10 | 0x20 | 0x80)) /* EXIT_DEAD, EXIT_ZOMBIE, TASK_DEAD */
		return KS_OUT_DEAD;
	if (is_hlt(v->last_reason))
		return KS_OUT_HALTED;
	return KS_OUT_BLOCKED;
}

/* The offset and the ratio may have changed while the vCPU was away, in any thread. */
static __always_inline void check_tsc(struct ks_vcpu_state *v, __u32 cpu, __u32 slot)
{
	__u64 offset = vcpu_tsc_offset(v->vcpu), ratio = vcpu_tsc_ratio(v->vcpu);

	if (offset == v->tsc_offset && ratio == v->tsc_ratio)
		return;
	v->tsc_offset = offset;
	v->tsc_ratio = ratio;
	emit_tsc(cpu, slot, v);
}

static __always_inline void vcpu_out(__u32 cpu, __u32 slot1, bool preempt, struct task_struct *next,
				     unsigned int state)
{
	__u32 slot = slot1 - 1;
	struct ks_vcpu_state *v = bpf_map_lookup_elem(&ks_vcpus, &slot);

	if (!v)
		return;
	if (ks_fold)
		burst_flush(v, cpu, slot);
	ks_emit(cpu, KS_VCPU_OUT, out_flags(v, preempt, state), cpu, slot, next->pid, 0);
}

static __always_inline void vcpu_in(__u32 cpu, __u32 slot1, struct task_struct *prev)
{
	__u32 slot = slot1 - 1;
	struct ks_vcpu_state *v = bpf_map_lookup_elem(&ks_vcpus, &slot);

	if (!v)
		return;
	ks_emit(cpu, KS_VCPU_IN, 0, cpu, slot, prev->pid, 0);
	check_tsc(v, cpu, slot);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	__u32 cpu = bpf_get_smp_processor_id(), was, is;

	if (cpu >= KS_MAX_CPUS)
		return 0;
	was = ks_current[cpu].slot1;
	is = task_slot1(next);
	ks_current[cpu].slot1 = is;
	if (was)
		vcpu_out(cpu, was, preempt, next, prev_state);
	if (is)
		vcpu_in(cpu, is, prev);
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

SEC("tp_btf/sched_process_exit")
int BPF_PROG(sched_process_exit, struct task_struct *p)
{
	__u32 cpu = bpf_get_smp_processor_id(), slot1 = task_slot1(p);

	if (!slot1)
		return 0;
	ks_emit(cpu, KS_VCPU_GONE, 0, cpu, slot1 - 1, 0, 0);
	return 0;
}

/* ---- rare events of KVM ---- */

static __always_inline struct ks_vcpu_state *current_vcpu(__u32 cpu, __u32 *slot)
{
	if (cpu >= KS_MAX_CPUS)
		return NULL;
	*slot = ks_current[cpu].slot1 - 1;
	return bpf_map_lookup_elem(&ks_vcpus, slot);
}

SEC("?raw_tp/kvm_vcpu_wakeup")
int kvm_vcpu_wakeup(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id(), slot;
	struct ks_vcpu_state *v = current_vcpu(cpu, &slot);

	if (!v)
		return 0;
	v->last_reason = 0;
	ks_emit(cpu, KS_HALT_POLL,
		(ctx->args[1] & 1 ? KS_HALT_WAITED : 0) | (ctx->args[2] & 1 ? KS_HALT_VALID : 0), cpu,
		slot, ctx->args[0], 0);
	return 0;
}

/* Comes before KVM stores the new offset, in the vCPU's thread or another one of its process. */
SEC("?raw_tp/kvm_write_tsc_offset")
int kvm_write_tsc_offset(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 key = (bpf_get_current_pid_tgid() & 0xffffffff00000000ULL) | (__u32)ctx->args[0];
	__u32 cpu = bpf_get_smp_processor_id(), *slot, s;
	struct ks_vcpu_state *v;

	slot = bpf_map_lookup_elem(&ks_by_id, &key);
	if (!slot)
		return 0;
	s = *slot;
	v = bpf_map_lookup_elem(&ks_vcpus, &s);
	if (!v || v->tsc_offset == ctx->args[2])
		return 0;
	v->tsc_offset = ctx->args[2];
	emit_tsc(cpu, s, v);
	return 0;
}
