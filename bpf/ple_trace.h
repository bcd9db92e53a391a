/* SPDX-License-Identifier: GPL-2.0 */
/* What the host's probe (ple_trace.bpf.c) and its loader share besides the records. */
#ifndef KVMSCHED_PLE_TRACE_H
#define KVMSCHED_PLE_TRACE_H

#include "records.h"

/*
 * Exit reasons, folded to a dense index. SVM: 0x000-0x0bf as they are, 0x400-0x41f (nested page
 * faults, AVIC, SEV) from 0xc0 on, the processor's negative ones (-1: no valid guest state) before
 * the last; VMX: basic reasons as they are. Everything else is the last.
 */
#define KS_NREASONS 256
#define KS_SVM_HIGH 0xc0u
#define KS_SVM_NEGATIVE 0xf0u
#define KS_REASON_OTHER 0xffu
#define KS_REASON_NOT_KNOWN 0xffff0000u /* how the last is told: no processor's number */

#define KS_SVM_PAUSE 0x77u
#define KS_SVM_HLT 0x78u
#define KS_SVM_IDLE_HLT 0xa6u /* HLT with nothing pending: processors with that intercept, 6.15+ */
#define KS_VMX_PAUSE 40u
#define KS_VMX_HLT 12u

static inline __u32 ks_reason_of_index(__u32 isa_is_svm, __u32 idx)
{
	if (idx == KS_REASON_OTHER)
		return KS_REASON_NOT_KNOWN;
	if (isa_is_svm && idx >= KS_SVM_NEGATIVE)
		return idx - KS_REASON_OTHER;
	if (isa_is_svm && idx >= KS_SVM_HIGH)
		return 0x400u + idx - KS_SVM_HIGH;
	return idx;
}

/* One vCPU, by slot; only the thread that runs it writes, user space maps and reads. */
struct ks_vcpu_state {
	__u64 vcpu;	  /* struct kvm_vcpu of the kernel */
	__u64 kvm;	  /* and its struct kvm */
	__u64 who;	  /* tgid << 32 | tid of the thread that ran it first */
	__u64 since;	  /* time of its first exit */
	__u32 id;	  /* KVM's vcpu_id */
	__u32 cpu;	  /* where its first exit was */
	__u32 owner;	  /* tid of the thread that ran it last, 0 when it is gone */
	__u32 dying;	  /* that thread exits */
	__u32 untold;	  /* KS_UNTOLD_*: records that found no room, for user space to make up */
	__u32 halted;	  /* while it does not run: its last exit was HLT */
	__u32 ple_window; /* in the last KS_PLE_WINDOW, mode bursts only */
	__u64 tsc_offset; /* as told */
	__u64 tsc_ratio;
	__u64 tsc_before;      /* what it was when a change was told that KVM had not stored yet */
	__u64 tsc_late;	       /* since when another one waits for room in the ring; 0: none does */
	__u64 tsc_late_offset; /* and which */
	__u64 counts[KS_NREASONS]; /* that of PLE exits lags while the vCPU runs */
};

#define KS_UNTOLD_NEW 1u
#define KS_UNTOLD_TSC 2u

/*
 * The vCPU whose thread runs on a CPU, with all that a PLE exit needs of it in one cache line. Only
 * that CPU writes. A burst ends when its thread leaves the CPU, so it needs no other place.
 */
struct ks_running {
	__u32 slot1;	/* slot + 1; 0: no vCPU, or one not known yet; KS_IGNORED */
	__u32 ip_flags; /* KS_F_* */
	__u64 vcpu;	/* whose exits these are: struct kvm_vcpu, 0 = not known */
	__u64 ip;	/* of the last PLE or HLT exit, 0 if not known */
	__u64 svm_code; /* AMD: where its own control block (vmcb01) has the exit code */
	__u64 pauses;	/* its PLE exits so far */
	__u32 halt;	/* ks_halt_mark() as of its last exit for HLT, 0 if another one followed */
	__u32 burst_base; /* pauses before the open burst; all of these: mode bursts only */
	__u64 burst_first;
	__u64 burst_until; /* ks_burst_gap behind its last exit; 0 if none is open. Whoever
			    * exchanges it for 0 makes the record: here, or user space */
} __attribute__((aligned(64)));

/* Of a vCPU that has halted after so many PLE exits, and had none since. Never 0. */
static inline __u32 ks_halt_mark(__u64 pauses)
{
	return (__u32)pauses << 1 | 1;
}

_Static_assert(sizeof(struct ks_running) == 64, "one cache line");

#define KS_IGNORED 0xffffffffu

/*
 * Slots that may be used again, a ring: user space puts in those of vCPUs that are gone, once it
 * has shown them, and moves `tail`; the probe takes them out. Not while a trace is written: there a
 * slot stands for one vCPU.
 */
#define KS_FREE_SLOTS 4096u

struct ks_free_slots {
	__u32 head, tail;
	__u32 slot[KS_FREE_SLOTS];
};

/* Numbers of what went wrong in the kernel's part, read by user space at the end. */
struct ks_host_faults {
	__u64 no_slot;	  /* threads with vCPUs beyond the last slot */
	__u64 no_storage; /* exits of threads for which no storage could be had */
	__u64 untold;	  /* vCPUs that came with something untold */
};

#endif /* KVMSCHED_PLE_TRACE_H */
