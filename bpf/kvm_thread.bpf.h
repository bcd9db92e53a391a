/* SPDX-License-Identifier: GPL-2.0 */
/* Which threads run vCPUs, as policies need to know it. */
#ifndef KVMSCHED_KVM_THREAD_BPF_H
#define KVMSCHED_KVM_THREAD_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

struct kvm_vcpu_arch___thread {
	bool preempted_in_kernel;
} __attribute__((preserve_access_index));

struct kvm_vcpu___thread {
	bool wants_to_run; /* 6.11 */
	bool ready;
	int vcpu_id;
	struct pid *pid; /* of the thread that was the last to call KVM_RUN */
	struct kvm_vcpu_arch___thread arch;
} __attribute__((preserve_access_index));

struct task_struct___thread {
	struct pid *thread_pid;
} __attribute__((preserve_access_index));

/* Within KVM_RUN? A VMM's other threads load a vCPU, too, to make it or to read its registers. */
static __always_inline bool kvm_runs(struct kvm_vcpu *vcpu, struct task_struct *current)
{
	struct kvm_vcpu___thread *v = (void *)vcpu;
	struct task_struct___thread *t = (void *)current;

	if (bpf_core_field_exists(v->wants_to_run))
		return BPF_CORE_READ(v, wants_to_run);
	return BPF_CORE_READ(v, pid) == BPF_CORE_READ(t, thread_pid);
}

/* Was the guest's kernel running, not its user space, when it lost its pCPU? */
static __always_inline bool kvm_preempted_in_kernel(u64 vcpu)
{
	struct kvm_vcpu___thread *v = (void *)vcpu;

	return vcpu && BPF_CORE_READ(v, arch.preempted_in_kernel);
}

/* Does it wait for a pCPU? */
static __always_inline bool kvm_waits(u64 vcpu)
{
	struct kvm_vcpu___thread *v = (void *)vcpu;

	return vcpu && BPF_CORE_READ(v, ready);
}

#endif /* KVMSCHED_KVM_THREAD_BPF_H */
