/* SPDX-License-Identifier: GPL-2.0 */
/* What the host's probe (ple_trace.bpf.c) and its loader share besides the records. */
#ifndef KVMSCHED_PLE_TRACE_H
#define KVMSCHED_PLE_TRACE_H

#include "records.h"

/*
 * Exit reasons, folded to a dense index. SVM: 0x000-0x0bf as they are, 0x400-0x41f (nested page
 * faults, AVIC, SEV) from 0xc0 on; VMX: basic reasons as they are. Everything else is the last.
 */
#define KS_NREASONS 256
#define KS_SVM_HIGH 0xc0u
#define KS_REASON_OTHER 0xffu

#define KS_SVM_PAUSE 0x77u
#define KS_SVM_HLT 0x78u
#define KS_SVM_IDLE_HLT 0xa6u /* HLT with nothing pending: processors with that intercept, 6.15+ */
#define KS_VMX_PAUSE 40u
#define KS_VMX_HLT 12u

static inline __u32 ks_reason_of_index(__u32 isa_is_svm, __u32 idx)
{
	if (idx == KS_REASON_OTHER)
		return 0xffffffffu;
	if (isa_is_svm && idx >= KS_SVM_HIGH)
		return 0x400u + idx - KS_SVM_HIGH;
	return idx;
}

/* One vCPU, by slot; only the vCPU's own thread writes, user space maps and reads. */
struct ks_vcpu_state {
	__u64 vcpu;        /* struct kvm_vcpu of the kernel */
	__u32 last_reason; /* index of its last exit, 0 once a halt ended */
	__u32 burst_count; /* open burst, mode bursts only */
	__u64 burst_first;
	__u64 burst_last;
	__u64 burst_ip;
	__u64 burst_flags;
	__u32 ple_window;      /* at its last PLE exit */
	__u32 ple_window_told; /* in the last KS_PLE_WINDOW, mode bursts only */
	__u64 tsc_offset;
	__u64 tsc_ratio;
	__u64 counts[KS_NREASONS];
};

/* Numbers of what went wrong in the kernel's part, read by user space at the end. */
struct ks_host_faults {
	__u64 no_slot;    /* exits of vCPUs beyond the last slot */
	__u64 no_storage; /* exits of threads for which no storage could be had */
};

#endif /* KVMSCHED_PLE_TRACE_H */
