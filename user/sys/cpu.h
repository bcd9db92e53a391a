/* SPDX-License-Identifier: GPL-2.0 */
/* What machine this is: processor, virtualization, TSC, identity. */
#ifndef KVMSCHED_CPU_H
#define KVMSCHED_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ks_machine {
	char vendor[16];	      /* "GenuineIntel", "AuthenticAMD", "HygonGenuine" */
	char model[64];		      /* "AMD EPYC 7763 64-Core Processor" */
	bool svm, vmx;		      /* the processor can virtualize, as its flags say */
	bool kvm, kvm_amd, kvm_intel; /* modules loaded (or built in) that are this processor's */
	bool guest;		      /* a hypervisor says that it is there (CPUID 1, ECX bit 31) */
	char hypervisor[16]; /* its signature (CPUID 0x40000000): "KVMKVMKVM", "TCGTCGTCGTCG" */
	bool constant_tsc, nonstop_tsc;
	uint64_t tsc_khz; /* 0 if nobody tells */
	char clocksource[32];
	char boot_id[40];
	char product_uuid[40]; /* DMI; "" if not readable */
	char release[68];      /* kernel */
	char hostname[68];
	unsigned int ncpus; /* highest CPU number listed + 1: length of apic_id */
	uint32_t *apic_id;  /* by CPU number; UINT32_MAX = offline or not known */
};

/*
 * Read it. root: see text.h; CPUID and perf are asked only without a root. What cannot be read is
 * empty or 0. 0 or -ENOMEM; release it.
 */
int ks_machine_read(const char *root, struct ks_machine *m);
void ks_machine_release(struct ks_machine *m);

/* By the hypervisor's signature; false, too, if it was read of another root. */
bool ks_machine_is_kvm_guest(const struct ks_machine *m);

/* KVM_FEATURE_* and KVM_HINTS_* of the guest that this is: Documentation/virt/kvm/x86/cpuid.rst. Ask no other machine. */
void ks_kvm_features(uint32_t *features, uint32_t *hints);

/*
 * The kernel's own TSC frequency, kHz: from the conversion that it publishes in a perf_event's
 * mapped page, else CPUID leaf 0x15 or 0x40000010; 0 if none of them tells.
 */
uint64_t ks_tsc_khz(void);

#endif /* KVMSCHED_CPU_H */
