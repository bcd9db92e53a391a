/* SPDX-License-Identifier: GPL-2.0 */
/* ple-trace: exits of vCPUs, the hot path. PAUSE exits are records of their own, or folded into bursts; all are counted. */
#ifndef KVMSCHED_PLE_EXITS_BPF_H
#define KVMSCHED_PLE_EXITS_BPF_H

#include "ple_vcpus.bpf.h"

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

#endif /* KVMSCHED_PLE_EXITS_BPF_H */
