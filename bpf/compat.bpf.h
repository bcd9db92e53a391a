/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels, in one place. Each entry names the version that brought the change.
 *
 * KVM's own types live in the BTF of its modules; the flavours below (the part from ___ on is not
 * compared) hold just the members that are read, so programs build against any vmlinux.h.
 */
#ifndef KVMSCHED_COMPAT_BPF_H
#define KVMSCHED_COMPAT_BPF_H

/* A full vmlinux.h has them as an enum, a trimmed one has not. */
#ifndef true
#define true 1
#define false 0
#endif

/* 6.2: reads through a typed pointer, a plain load instead of a helper call. */
extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

/* For tests: take the road for kernels without the kfunc. */
const volatile bool ks_no_rdonly_cast = false;

/* Some type of every kernel whose first member is a number of eight bytes. */
struct timespec64___ks {
	long tv_sec;
};

static __always_inline bool ks_can_cast(void)
{
	return bpf_ksym_exists(bpf_rdonly_cast) && !ks_no_rdonly_cast;
}

/*
 * Eight bytes of kernel memory; 0 if the address is not readable. cast: the kernel has the kfunc,
 * as a constant in programs that are chosen by it, for then nothing is left of the question.
 */
static __always_inline __u64 ks_read(__u64 addr, bool cast)
{
	__u64 v = 0;

	if (cast) {
		struct timespec64___ks *p;

		p = bpf_rdonly_cast((void *)addr, bpf_core_type_id_kernel(struct timespec64___ks));
		return p->tv_sec;
	}
	bpf_probe_read_kernel(&v, sizeof(v), (void *)addr);
	return v;
}

static __always_inline __u64 ks_peek(__u64 addr)
{
	return ks_read(addr, ks_can_cast());
}

/* A member of a structure that the verifier knows by its type, relocated. */
#define ks_field(ptr, member) __builtin_preserve_access_index((ptr)->member)

struct task_struct___ks {
	void *bpf_storage;
} __attribute__((preserve_access_index));

/* ---- per-CPU variables of the kernel ---- */

struct pcpu_hot___ks {
	int preempt_count;
} __attribute__((preserve_access_index));

struct raw_spinlock___ks {
} __attribute__((preserve_access_index));

struct scx_rq___ks {
	u32 nr_running;
} __attribute__((preserve_access_index));

/* Threads of the fair class, those in its groups included. */
struct cfs_rq___ks {
	unsigned int h_nr_delayed;		 /* 6.12, 6.13 */
	unsigned int h_nr_queued, h_nr_runnable; /* since 6.14 */
} __attribute__((preserve_access_index));

struct rq___ks {
	struct raw_spinlock___ks __lock;
	unsigned int nr_running; /* of all classes */
	int online;
	struct cfs_rq___ks cfs;
	unsigned int core_enabled; /* with CONFIG_SCHED_CORE: its lock is another one's */
	struct scx_rq___ks scx;	   /* 6.12, with sched_ext */
	__u64 prev_steal_time_rq;  /* with CONFIG_PARAVIRT_TIME_ACCOUNTING */
} __attribute__((preserve_access_index));

extern const int __preempt_count __ksym __weak;		  /* to 6.1, and since 6.15 */
extern const struct pcpu_hot___ks pcpu_hot __ksym __weak; /* 6.2 to 6.14 */
extern const struct rq___ks runqueues __ksym;

/* What a KVM guest's host writes, per CPU; not in kernels without CONFIG_KVM_GUEST. */
struct kvm_steal_time___ks {
	__u64 steal; /* ns */
	__u8 preempted;
} __attribute__((preserve_access_index));

extern const struct kvm_steal_time___ks steal_time __ksym __weak;

/* Of nr_running, those that sleep already, and are only kept until their turn comes (since 6.12: DELAY_DEQUEUE). */
static __always_inline unsigned int ks_nr_delayed(const struct rq___ks *rq)
{
	if (bpf_core_field_exists(struct cfs_rq___ks, h_nr_runnable) &&
	    bpf_core_field_exists(struct cfs_rq___ks, h_nr_queued))
		return rq->cfs.h_nr_queued - rq->cfs.h_nr_runnable;
	if (bpf_core_field_exists(struct cfs_rq___ks, h_nr_delayed))
		return rq->cfs.h_nr_delayed;
	return 0;
}

/* ---- where the running program's CPU is ---- */

#define KS_PREEMPT_DEPTH 0x000000ffu
#define KS_SOFTIRQ_SERVING 0x00000100u
#define KS_HARDIRQ_BITS 0x000f0000u
#define KS_NMI_BITS 0x00f00000u

/* 0 if this kernel does not tell. */
static __always_inline __u32 ks_preempt_bits(void)
{
	if (bpf_ksym_exists(&__preempt_count))
		return *(int *)bpf_this_cpu_ptr(&__preempt_count);
	if (bpf_ksym_exists(&pcpu_hot)) /* 6.2 to 6.14 */
		return ((struct pcpu_hot___ks *)bpf_this_cpu_ptr(&pcpu_hot))->preempt_count;
	return 0;
}

/* Of any CPU; NULL if there is no such CPU, or this kernel does not tell. */
static __always_inline const void *ks_preempt_count(__u32 cpu)
{
	if (bpf_ksym_exists(&__preempt_count))
		return bpf_per_cpu_ptr(&__preempt_count, cpu);
	if (bpf_ksym_exists(&pcpu_hot)) { /* 6.2 to 6.14 */
		const struct pcpu_hot___ks *hot = bpf_per_cpu_ptr(&pcpu_hot, cpu);

		return hot ? &hot->preempt_count : NULL;
	}
	return NULL;
}

/* ---- KVM ---- */

struct vmcb_control_area___ks {
	__u32 exit_code; /* 7.0: u64 */
	__u16 pause_filter_count;
};

struct vmcb_save_area___ks {
	__u8 cpl;
};

struct vmcb___ks {
	struct vmcb_control_area___ks control;
	struct vmcb_save_area___ks save;
};

struct kvm_vmcb_info___ks {
	struct vmcb___ks *ptr;
};

struct vcpu_svm___ks {
	struct vmcb___ks *vmcb; /* vmcb01's, or that of the guest's own guest */
	struct kvm_vmcb_info___ks vmcb01;
};

union vmx_exit_reason___ks {
	__u32 full;
};

struct vcpu_vt___ks {
	union vmx_exit_reason___ks exit_reason;
};

struct vcpu_vmx___ks {
	struct vcpu_vt___ks vt; /* since 6.16 */
	unsigned int ple_window;
};

struct vcpu_vmx___pre_v616 {
	union vmx_exit_reason___ks exit_reason;
};

struct kvm_vcpu_arch___ks {
	unsigned long regs[17];
	unsigned long rip;	     /* 7.1: no longer regs[16] */
	unsigned long regs_avail[1]; /* 7.1: a bitmap, before a u32 */
	__u64 l1_tsc_offset;
	__u64 l1_tsc_scaling_ratio;
	bool guest_state_protected; /* its registers cannot be read */
};

struct kvm_vcpu_stat___ks {
	__u64 guest_mode;
};

struct kvm___ks;

struct kvm_vcpu___ks {
	struct kvm___ks *kvm;
	int vcpu_id;
	struct kvm_vcpu_arch___ks arch;
	struct kvm_vcpu_stat___ks stat;
};

struct kvm_vcpu_arch___pre_v701 {
	__u32 regs_avail;
};

struct kvm_vcpu___pre_v701 {
	struct kvm_vcpu_arch___pre_v701 arch;
};

#define KS_REG_RIP 16
#define KS_ISA_VMX 1 /* as in the kernel's KVM_ISA_VMX, KVM_ISA_SVM */
#define KS_ISA_SVM 2

#define ks_offset(type, field) bpf_core_field_offset(type, field)

#endif /* KVMSCHED_COMPAT_BPF_H */
