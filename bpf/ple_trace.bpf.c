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

static __always_inline __u32 free_slot(void)
{
	__u32 head = *(volatile __u32 *)&ks_free_slots.head;
	__u32 slot = *(volatile __u32 *)&ks_free_slots.slot[head & (KS_FREE_SLOTS - 1)];

	/* Read before it is taken: then the place is the loader's. If another CPU is faster, a slot that was never used will do. */
	if (head != *(volatile __u32 *)&ks_free_slots.tail &&
	    __sync_val_compare_and_swap(&ks_free_slots.head, head, head + 1) == head)
		return slot;
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

/* ---- exits ---- */

/*
 * Compiled four times over, so that the path of an exit holds only what it needs: for AMD or Intel,
 * every PAUSE a record or folded. `cast` tells how to read (ks_read()); all are constants.
 */
struct exit_kind {
	bool svm, fold, cast;
	bool sure; /* it is known that c->vcpu is the vCPU */
};

static __always_inline __u32 svm_index(__u32 code)
{
	if (code < KS_SVM_HIGH)
		return code;
	if (code - 0x400 < 0x20)
		return code - 0x400 + KS_SVM_HIGH;
	if (code >= KS_SVM_NEGATIVE - KS_REASON_OTHER)
		return code + KS_REASON_OTHER;
	return KS_REASON_OTHER;
}

static __always_inline bool is_hlt(bool svm, __u32 idx)
{
	if (svm)
		return idx == KS_SVM_HLT || idx == KS_SVM_IDLE_HLT;
	return idx == KS_VMX_HLT;
}

static __always_inline __u64 svm_vmcb(__u64 vcpu, bool cast)
{
	return ks_read(vcpu + ks_offset(struct vcpu_svm___ks, vmcb), cast);
}

static __always_inline __u64 svm_code_at(__u64 vmcb)
{
	return vmcb + ks_offset(struct vmcb___ks, control.exit_code);
}

/*
 * Where the code of this exit lies, nearly always without a look: c->svm_code holds while no guest
 * nests. It is 0 as long as nobody knows this vCPU.
 */
static __always_inline __u64 exit_code_at(const struct ks_running *c,
					  const struct kvm_vcpu___ks *vcpu, bool cast)
{
	__u64 vmcb;

	if (__builtin_expect(ks_field(vcpu, stat.guest_mode) != 0, 0)) {
		vmcb = svm_vmcb((__u64)vcpu, cast);
		/* Two loads, as the verifier wants it: they are of different kinds. */
		asm volatile("%0 = %0" : "+r"(vmcb));
		return svm_code_at(vmcb);
	}
	return c->svm_code;
}

static __always_inline __u32 vmx_index(__u64 vcpu, bool cast)
{
	__u32 reason;

	if (bpf_core_field_exists(struct vcpu_vmx___ks, vt))
		reason = ks_read(vcpu + ks_offset(struct vcpu_vmx___ks, vt.exit_reason.full), cast);
	else
		reason = ks_read(vcpu + ks_offset(struct vcpu_vmx___pre_v616, exit_reason.full),
				 cast);
	reason &= 0xffff;
	return reason < KS_REASON_OTHER ? reason : KS_REASON_OTHER;
}

static __always_inline __u64 vcpu_rip(const struct kvm_vcpu___ks *vcpu)
{
	__u64 ip;

	/* The asm keeps the compiler from making one load of two, with an offset to be computed. */
	if (__builtin_expect(bpf_core_field_exists(struct kvm_vcpu_arch___ks, rip), 1)) {
		ip = ks_field(vcpu, arch.rip);
	} else {
		ip = ks_field(vcpu, arch.regs[KS_REG_RIP]);
		asm volatile("%0 = %0" : "+r"(ip));
	}
	return ip;
}

/* VMX: has KVM asked the hardware for the instruction pointer? */
static __always_inline bool rip_is_read(const struct kvm_vcpu___ks *vcpu)
{
	__u64 avail;

	if (bpf_core_field_exists(struct kvm_vcpu_arch___ks, regs_avail))
		avail = ks_field(vcpu, arch.regs_avail[0]);
	else
		avail = ks_field((const struct kvm_vcpu___pre_v701 *)vcpu, arch.regs_avail);
	return avail >> KS_REG_RIP & 1;
}

/*
 * What is known of the place of an exit, as flags. Nothing with SEV-ES and SEV-SNP: what KVM has there is where the guest
 * began, for good.
 */
static __noinline __u32 svm_ip_flags(const struct kvm_vcpu___ks *vcpu)
{
	__u64 vmcb;

	if (ks_isa != KS_ISA_SVM || ks_field(vcpu, arch.guest_state_protected))
		return 0;
	vmcb = svm_vmcb((__u64)vcpu, ks_can_cast());
	return KS_F_IP | KS_F_CPL |
	       (ks_peek(vmcb + ks_offset(struct vmcb___ks, save.cpl)) & KS_F_CPL_MASK);
}

/*
 * Where the guest was. SVM: KVM has the instruction pointer in the vCPU by now, the privilege level
 * is in the control block. VMX: both stay in hardware until KVM asks; the instruction pointer is
 * taken only if KVM has asked, and the level from the half of the address space.
 *
 * True, and nothing noted: the thread has gone on to another vCPU. To look for that at every PAUSE
 * would cost too much; as long as the place is the same, so is what is known of it.
 */
static __always_inline bool note_ip(struct exit_kind k, struct ks_running *c,
				    const struct kvm_vcpu___ks *vcpu)
{
	__u64 ip = vcpu_rip(vcpu);

	if (!k.svm && !rip_is_read(vcpu)) {
		c->ip = c->ip_flags = 0;
		return false;
	}
	/* A vCPU that spins comes back to one place, and one place runs at one level. */
	if (c->ip == ip)
		return false;
	if (!k.sure && c->vcpu != (__u64)vcpu)
		return true;
	c->ip = ip;
	if (k.svm)
		c->ip_flags = svm_ip_flags(vcpu);
	else
		c->ip_flags = KS_F_IP | KS_F_CPL | ((long long)ip < 0 ? 0 : 3);
	return false;
}

/* How many PAUSEs the guest may do before the next PLE exit (AMD), or for how many cycles (Intel). */
static __always_inline __u32 ple_window(bool svm, __u64 vcpu, __u64 vmcb, bool cast)
{
	__u32 at = ks_offset(struct vmcb___ks, control.pause_filter_count);

	if (svm)
		return (__u16)ks_read(vmcb + at, cast);
	return ks_read(vcpu + ks_offset(struct vcpu_vmx___ks, ple_window), cast);
}

static __always_inline void tell_window(struct ks_vcpu_state *v, __u32 cpu, __u32 slot)
{
	bool svm = ks_isa == KS_ISA_SVM, cast = ks_can_cast();
	__u32 window = ple_window(svm, v->vcpu, svm ? svm_vmcb(v->vcpu, cast) : 0, cast);

	if (window == v->ple_window)
		return;
	ks_emit(cpu, KS_PLE_WINDOW, 0, cpu, slot, v->ple_window, window);
	v->ple_window = window;
}

/*
 * The open burst becomes a record. Its window is read now, not at every exit: KVM has not run the
 * guest since the last one, or has, and then the window is newer.
 */
static __always_inline void burst_flush(struct ks_running *c, struct ks_vcpu_state *v, __u32 cpu,
					__u32 slot)
{
	__u64 count = (__u32)c->pauses - c->burst_base, last, ns;
	struct ks_rec *rec;

	if (!c->burst_until)
		return;
	last = __sync_lock_test_and_set(&c->burst_until, 0) - ks_burst_gap;
	if (last == -ks_burst_gap) /* user space was faster */
		return;
	ns = last > c->burst_first ? last - c->burst_first : 0; /* clocks step back by a few ns */
	if (ns >> 32)
		ns = 0xffffffff;
	rec = ks_reserve(cpu, KS_BURST, count);
	if (rec)
		ks_commit(rec, last, KS_BURST, c->ip_flags, cpu, slot, c->ip,
			  ns << 32 | (__u32)count);
	tell_window(v, cpu, slot);
}

/* This CPU runs no vCPU, or one that has had no exit yet: it must not look into another's. */
static __always_inline void run_nobody(struct ks_running *c)
{
	c->slot1 = 0;
	c->vcpu = 0;
	c->svm_code = 0;
}

/*
 * What a CPU must know of the vCPU that runs there from now on. User space looks on: while the
 * number of exits changes it is nobody's.
 */
static __always_inline struct ks_vcpu_state *run_vcpu(struct ks_running *c, __u32 slot1)
{
	struct ks_vcpu_state *v = state_of(slot1 - 1);

	run_nobody(c);
	c->ip = c->ip_flags = 0;
	barrier();
	if (v)
		c->pauses = v->counts[ks_isa == KS_ISA_SVM ? KS_SVM_PAUSE : KS_VMX_PAUSE];
	barrier();
	c->slot1 = slot1;
	if (!v)
		return NULL;
	c->vcpu = v->vcpu;
	c->halt = v->halted ? ks_halt_mark(c->pauses) : 0;
	if (ks_isa == KS_ISA_SVM)
		c->svm_code =
			svm_code_at(ks_peek(v->vcpu + ks_offset(struct vcpu_svm___ks, vmcb01.ptr)));
	return v;
}

/* Keep what a CPU knows of the vCPU that stops running there. NULL if it is another thread's. */
static __always_inline struct ks_vcpu_state *park_vcpu(struct ks_running *c, __u32 cpu, __u32 tid)
{
	__u32 slot = c->slot1 - 1; /* of KS_IGNORED: beyond every slot */
	struct ks_vcpu_state *v = state_of(slot);

	if (!v)
		return NULL;
	if (ks_fold)
		burst_flush(c, v, cpu, slot);
	if (v->owner != tid)
		return NULL;
	v->halted = c->halt == ks_halt_mark(c->pauses);
	v->counts[ks_isa == KS_ISA_SVM ? KS_SVM_PAUSE : KS_VMX_PAUSE] = c->pauses;
	return v;
}

/* An exit of another vCPU than the one that ran here, or of the first one. */
static __noinline int bind_vcpu(__u64 vcpu, __u32 cpu)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct ks_running *c;

	if (cpu >= KS_MAX_CPUS)
		return 0;
	c = &ks_running[cpu];
	if (c->slot1 && park_vcpu(c, cpu, tid))
		ks_emit(cpu, KS_VCPU_OUT, KS_OUT_BLOCKED, cpu, c->slot1 - 1, tid, 0);
	run_vcpu(c, vcpu_slot1(vcpu, cpu));
	if (c->slot1)
		c->vcpu = vcpu; /* also of one to be ignored: no need to look again */
	return 0;
}

#define ANOTHER_VCPU 1

/*
 * No burst is open, or this exit comes too late for it. The result is `now`; 0 if this is no vCPU
 * to look at; ANOTHER_VCPU.
 */
static __noinline __u64 burst_begin(const struct kvm_vcpu___ks *vcpu, __u64 now)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct ks_vcpu_state *v;
	struct ks_running *c;

	if (cpu >= KS_MAX_CPUS)
		return 0;
	c = &ks_running[cpu];
	if (c->vcpu != (__u64)vcpu)
		return ANOTHER_VCPU;
	v = state_of(c->slot1 - 1);
	if (!v)
		return 0;
	v->counts[ks_isa == KS_ISA_SVM ? KS_SVM_PAUSE : KS_VMX_PAUSE] = c->pauses;
	burst_flush(c, v, cpu, c->slot1 - 1);
	c->burst_base = c->pauses;
	c->burst_first = now;
	return now;
}

static __noinline int unfolded_exit(const struct kvm_vcpu___ks *vcpu, __u32 idx);

/* What looked like a PAUSE was read from another vCPU: once more. */
static __always_inline int not_this_one(struct exit_kind k, const struct kvm_vcpu___ks *vcpu)
{
	return k.sure ? 0 : unfolded_exit(vcpu, k.svm ? KS_SVM_PAUSE : KS_VMX_PAUSE);
}

static __always_inline int pause_folded(struct exit_kind k, struct ks_running *c,
					const struct kvm_vcpu___ks *vcpu)
{
	__u64 now = bpf_ktime_get_ns();

	if (now > c->burst_until) {
		now = burst_begin(vcpu, now);
		if (now <= ANOTHER_VCPU)
			return now ? not_this_one(k, vcpu) : 0;
	}
	if (note_ip(k, c, vcpu))
		return not_this_one(k, vcpu);
	c->burst_until = now + ks_burst_gap;
	c->pauses++;
	return 0;
}

static __always_inline void pause_event(struct exit_kind k, struct ks_running *c, __u32 cpu,
					const struct kvm_vcpu___ks *vcpu)
{
	__u64 vmcb = k.svm ? exit_code_at(c, vcpu, k.cast) - svm_code_at(0) : 0;

	note_ip(k, c, vcpu);
	ks_emit(cpu, KS_PAUSE, c->ip_flags, cpu, c->slot1 - 1, c->ip,
		ple_window(k.svm, (__u64)vcpu, vmcb, k.cast));
}

/* The place of an open burst stays what it is. */
static __always_inline void halt_event(struct exit_kind k, struct ks_running *c, __u32 cpu,
				       const struct kvm_vcpu___ks *vcpu)
{
	struct ks_running own = {}, *at = k.fold ? &own : c;

	c->halt = ks_halt_mark(c->pauses);
	note_ip(k, at, vcpu);
	ks_emit(cpu, KS_HLT, at->ip_flags, cpu, c->slot1 - 1, at->ip, 0);
}

/* All that is not a folded PAUSE. */
static __always_inline int exit_event(struct exit_kind k, struct ks_running *c,
				      const struct kvm_vcpu___ks *vcpu, __u32 idx)
{
	__u32 pause = k.svm ? KS_SVM_PAUSE : KS_VMX_PAUSE, cpu = bpf_get_smp_processor_id();
	bool known = c->vcpu == (__u64)vcpu;
	struct ks_vcpu_state *v;

	k.sure = true;
	if (!known)
		bind_vcpu((__u64)vcpu, cpu);
	v = state_of(c->slot1 - 1);
	if (!v)
		return 0;
	if (!known) {
		if (k.svm) /* its code was not read from its own control block */
			idx = svm_index(
				ks_read(svm_code_at(svm_vmcb((__u64)vcpu, k.cast)), k.cast));
		if (k.fold && idx == pause)
			return pause_folded(k, c, vcpu);
	}
	if (!k.fold && idx == pause) {
		v->counts[pause] = ++c->pauses;
		pause_event(k, c, cpu, vcpu);
		return 0;
	}
	barrier_var(idx); /* keep the mask: the compiler knows the range, the verifier does not */
	v->counts[idx & (KS_NREASONS - 1)]++;
	v->counts[pause] = c->pauses;
	if (k.fold && c->burst_until - c->burst_first > KS_BURST_MAX_NS)
		burst_flush(c, v, cpu, c->slot1 - 1);
	c->halt = 0;
	if (is_hlt(k.svm, idx))
		halt_event(k, c, cpu, vcpu);
	return 0;
}

/*
 * Out of line, so that the program for folded PAUSEs saves no registers for the others. Twice, with
 * the processor as a constant: what is for the other one is plainly not reached then.
 */
static __noinline int unfolded_exit(const struct kvm_vcpu___ks *vcpu, __u32 idx)
{
	__u32 cpu = bpf_get_smp_processor_id();

	if (cpu >= KS_MAX_CPUS)
		return 0;
	if (ks_isa == KS_ISA_SVM)
		return exit_event((struct exit_kind){ true, true, ks_can_cast(), true },
				  &ks_running[cpu], vcpu, idx);
	return exit_event((struct exit_kind){ false, true, ks_can_cast(), true }, &ks_running[cpu],
			  vcpu, idx);
}

static __always_inline int exited(struct exit_kind k, const struct kvm_vcpu___ks *vcpu)
{
	/* The recorder refuses machines with more CPUs: a mask is cheaper than a question. */
	__u32 cpu = bpf_get_smp_processor_id() & (KS_MAX_CPUS - 1);
	struct ks_running *c;
	__u32 idx;

	if (!vcpu)
		return 0;
	c = &ks_running[cpu];
	if (k.svm)
		idx = ks_read(exit_code_at(c, vcpu, k.cast), k.cast);
	else
		idx = vmx_index((__u64)vcpu, k.cast);
	if (k.fold && idx == (k.svm ? KS_SVM_PAUSE : KS_VMX_PAUSE))
		return pause_folded(k, c, vcpu);
	if (k.svm)
		idx = svm_index(idx);
	return k.fold ? unfolded_exit(vcpu, idx) : exit_event(k, c, vcpu, idx);
}

/* User space loads the one that it needs. */
#define KVM_EXIT(name, svm, fold, cast)                                                            \
	SEC("?tp_btf/kvm_exit") int BPF_PROG(name, struct kvm_vcpu___ks *vcpu)                     \
	{                                                                                          \
		return exited((struct exit_kind){ svm, fold, cast, false }, vcpu);                 \
	}

KVM_EXIT(kvm_exit_svm_events, true, false, true)
KVM_EXIT(kvm_exit_svm_bursts, true, true, true)
KVM_EXIT(kvm_exit_vmx_events, false, false, true)
KVM_EXIT(kvm_exit_vmx_bursts, false, true, true)
KVM_EXIT(kvm_exit_svm_events_copy, true, false, false)
KVM_EXIT(kvm_exit_svm_bursts_copy, true, true, false)
KVM_EXIT(kvm_exit_vmx_events_copy, false, false, false)
KVM_EXIT(kvm_exit_vmx_bursts_copy, false, true, false)

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
