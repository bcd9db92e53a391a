/* SPDX-License-Identifier: GPL-2.0 */
/* ple-trace: the vCPUs that are known, each in a slot of its own, as they come and go. */
#ifndef KVMSCHED_PLE_VCPUS_BPF_H
#define KVMSCHED_PLE_VCPUS_BPF_H

#include "compat.bpf.h"
#include "ple_trace.h"
#include "records.h"
#include "ring.bpf.h"

const volatile __u32 ks_isa = KS_ISA_SVM;
const volatile __u32 ks_nslots = 1;    /* entries of ks_vcpus */
const volatile bool ks_filter = false; /* only the processes in ks_vm_filter */
const volatile bool ks_fold = false;   /* mode bursts */
const volatile __u64 ks_burst_gap = 1000000;

struct ks_host_faults ks_faults;
__u32 ks_slots_used;

struct ks_free_slots ks_free_slots;

struct ks_running ks_running[KS_MAX_CPUS];

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ks_vcpu_state);
} ks_vcpus SEC(".maps");

struct ks_task {
	__u32 slot1;
	__u32 unseen; /* there was no slot for it */
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
	__type(key, __u64); /* tgid << 32 | vcpu_id, and the address of the struct kvm_vcpu */
	__type(value, __u32);
} ks_slot_of SEC(".maps");

/* ---- what a vCPU is ---- */

static __always_inline __u64 vcpu_word(__u64 vcpu, __u32 offset)
{
	return ks_peek(vcpu + offset);
}

static __always_inline __u32 vcpu_id_of(__u64 vcpu)
{
	return vcpu_word(vcpu, ks_offset(struct kvm_vcpu___ks, vcpu_id));
}

static __always_inline __u64 vcpu_kvm(__u64 vcpu)
{
	return vcpu_word(vcpu, ks_offset(struct kvm_vcpu___ks, kvm));
}

static __always_inline __u64 vcpu_tsc_offset(__u64 vcpu)
{
	return vcpu_word(vcpu, ks_offset(struct kvm_vcpu___ks, arch.l1_tsc_offset));
}

static __always_inline __u64 vcpu_tsc_ratio(__u64 vcpu)
{
	return vcpu_word(vcpu, ks_offset(struct kvm_vcpu___ks, arch.l1_tsc_scaling_ratio));
}

/*
 * The offset and the ratio of this vCPU are these from now on. If the ring is full they stay as
 * they were told, and whoever looks next tells the difference, with the time of the first look.
 */
static __always_inline void tell_tsc(struct ks_vcpu_state *v, __u32 cpu, __u32 slot, __u64 offset,
				     __u64 ratio)
{
	__u64 time = v->tsc_late;

	/* Not if that one was taken back, and this is another. */
	if (!time || v->tsc_late_offset != offset)
		time = bpf_ktime_get_ns();
	v->tsc_late = time;
	v->tsc_late_offset = offset;
	if (!ks_tell(cpu, time, KS_TSC_OFFSET, cpu, slot, offset, ratio))
		return;
	v->tsc_late = 0;
	v->tsc_before = v->tsc_offset;
	v->tsc_offset = offset;
	v->tsc_ratio = ratio;
}

/* Tell user space what is behind a slot; what finds no room it makes up from the state. */
static __always_inline void introduce(struct ks_vcpu_state *v, __u32 cpu, __u32 slot)
{
	__u32 untold = 0;

	if (!ks_tell(cpu, v->since, KS_VCPU_NEW, cpu, slot, v->who, v->id))
		untold = KS_UNTOLD_NEW;
	if (!ks_tell(cpu, v->since, KS_TSC_OFFSET, cpu, slot, v->tsc_offset, v->tsc_ratio))
		untold |= KS_UNTOLD_TSC;
	if (!untold)
		return;
	v->untold = untold;
	__sync_fetch_and_add(&ks_faults.untold, 1);
}

static __always_inline bool wanted(__u32 tgid)
{
	return !ks_filter || bpf_map_lookup_elem(&ks_vm_filter, &tgid);
}

static __always_inline struct ks_vcpu_state *state_of(__u32 slot)
{
	return bpf_map_lookup_elem(&ks_vcpus, &slot);
}

static __always_inline __u64 key_of(const struct ks_vcpu_state *v)
{
	return (v->who & 0xffffffff00000000ULL) | v->id;
}

/* Another vCPU may have the key by now: in the same memory, or with the same number. */
static __always_inline void forget_key(__u64 key, __u32 slot)
{
	__u32 *known = bpf_map_lookup_elem(&ks_slot_of, &key);

	if (known && *known == slot)
		bpf_map_delete_elem(&ks_slot_of, &key);
}

/* The vCPU, or the only thread that ran it, is no more. Its slot is not used again. */
static __noinline int vcpu_gone(struct ks_vcpu_state *v, __u32 cpu, __u32 slot)
{
	if (!v)
		return 0;
	ks_emit(cpu, KS_VCPU_GONE, 0, cpu, slot, 0, 0);
	v->owner = 0;
	forget_key(v->vcpu, slot);
	forget_key(key_of(v), slot);
	return 0;
}

/* Other threads may have run this vCPU before, and others may have been run by this thread. */
static __always_inline struct ks_vcpu_state *vcpu_seen(__u64 vcpu, __u32 tgid, __u32 *slot)
{
	__u32 *known = bpf_map_lookup_elem(&ks_slot_of, &vcpu);
	struct ks_vcpu_state *v;

	if (!known)
		return NULL;
	*slot = *known;
	v = state_of(*known);
	if (!v || v->vcpu != vcpu || v->kvm != vcpu_kvm(vcpu) || v->who >> 32 != tgid ||
	    v->id != vcpu_id_of(vcpu))
		return NULL;
	return v;
}

static __always_inline void fill_in(struct ks_vcpu_state *v, __u64 vcpu, __u64 pid_tgid, __u32 cpu)
{
	v->vcpu = vcpu;
	v->kvm = vcpu_kvm(vcpu);
	v->owner = (__u32)pid_tgid;
	v->who = pid_tgid;
	v->since = bpf_ktime_get_ns();
	v->id = vcpu_id_of(vcpu);
	v->cpu = cpu;
	v->tsc_offset = v->tsc_before = vcpu_tsc_offset(vcpu);
	v->tsc_ratio = vcpu_tsc_ratio(vcpu);
}

/* The same thread comes with another vCPU of the same number: then its VM was made anew. */
static __always_inline void forget_former(const struct ks_vcpu_state *v, __u32 cpu)
{
	__u64 key = key_of(v);
	__u32 *slot = bpf_map_lookup_elem(&ks_slot_of, &key), former;
	struct ks_vcpu_state *f;

	if (!slot)
		return;
	former = *slot;
	f = state_of(former);
	if (f && f->owner == (__u32)v->who)
		vcpu_gone(f, cpu, former);
}

/* Read once it is known to be there, and before it is taken: then the place is the loader's again. */
static __always_inline __u32 free_slot(void)
{
	__u32 head = *(volatile __u32 *)&ks_free_slots.head, slot;

	if (head != *(volatile __u32 *)&ks_free_slots.tail) {
		slot = *(volatile __u32 *)&ks_free_slots.slot[head & (KS_FREE_SLOTS - 1)];
		if (__sync_val_compare_and_swap(&ks_free_slots.head, head, head + 1) == head)
			return slot;
	}
	/* None, or another CPU is faster: one that was never used will do. */
	return __sync_fetch_and_add(&ks_slots_used, 1);
}

/* Returns slot + 1. */
static __noinline __u32 vcpu_new(__u64 vcpu, struct ks_task *t, __u32 cpu)
{
	__u32 slot = free_slot();
	struct ks_vcpu_state *v = state_of(slot);
	__u64 key;

	if (!v) {
		__sync_fetch_and_sub(&ks_slots_used, 1);
		if (!t->unseen)
			__sync_fetch_and_add(&ks_faults.no_slot, 1);
		t->unseen = 1;
		return KS_IGNORED;
	}
	fill_in(v, vcpu, bpf_get_current_pid_tgid(), cpu);
	forget_former(v, cpu);
	key = key_of(v);
	bpf_map_update_elem(&ks_slot_of, &key, &slot, BPF_ANY);
	bpf_map_update_elem(&ks_slot_of, &vcpu, &slot, BPF_ANY);
	introduce(v, cpu, slot);
	return slot + 1;
}

/* The slot, plus 1, of a vCPU that this thread has not run just before. */
static __noinline __u32 vcpu_slot1(__u64 vcpu, __u32 cpu)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct ks_vcpu_state *v;
	struct ks_task *t;
	__u32 slot = 0;

	if (!wanted(pid_tgid >> 32))
		return KS_IGNORED;
	t = bpf_task_storage_get(&ks_tasks, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t) {
		__sync_fetch_and_add(&ks_faults.no_storage, 1);
		return 0;
	}
	v = vcpu_seen(vcpu, pid_tgid >> 32, &slot);
	if (!v) {
		slot = vcpu_new(vcpu, t, cpu);
		t->slot1 = slot == KS_IGNORED ? 0 : slot;
		return slot;
	}
	v->owner = (__u32)pid_tgid;
	v->dying = 0; /* the thread that ends is its owner no more */
	t->slot1 = slot + 1;
	ks_emit(cpu, KS_VCPU_IN, 0, cpu, slot, v->owner, 0);
	return slot + 1;
}

#endif /* KVMSCHED_PLE_VCPUS_BPF_H */
