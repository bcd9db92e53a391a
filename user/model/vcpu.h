/* SPDX-License-Identifier: GPL-2.0 */
/* What is known of VMs and their vCPUs. */
#ifndef KVMSCHED_VCPU_H
#define KVMSCHED_VCPU_H

#include <stdint.h>

#include "api.h"

KS_API_BEGIN

#define KS_NO_VCPU UINT32_MAX

/* What a vCPU is, as its host sees it. */
enum ks_vstate {
	KS_V_UNKNOWN,  /* no event yet, or records lost since the last one */
	KS_V_RUNNING,  /* on a pCPU, in the guest or in KVM or the VMM on its behalf */
	KS_V_RUNNABLE, /* wants a pCPU and has none */
	KS_V_HALTED,   /* asleep after HLT */
	KS_V_BLOCKED,  /* asleep for another reason */
	KS_V_GONE,
	KS_V_MAX,
};

const char *ks_vstate_name(enum ks_vstate s);

struct ks_vcpu {
	uint32_t slot;	   /* of the host trace */
	uint32_t vm;	   /* index of its VM */
	uint32_t vcpu_id;  /* KVM's number of it = APIC id in practice */
	uint32_t tid;	   /* host thread */
	int32_t guest_cpu; /* CPU number inside the guest, -1 if no guest trace tells */
	int32_t pcpu;	   /* where it runs or ran last, -1 if not known */
	enum ks_vstate state;
	uint64_t since; /* ns, of state */
};

struct ks_vm {
	uint32_t tgid; /* host process */
	char name[64];
	char uuid[40]; /* empty if not known */
	uint32_t cid;  /* vsock CID, 0 if not known */
	uint32_t nvcpus;
	int guest_src; /* source number of the guest's trace, -1 if none */
};

KS_API_END

#endif /* KVMSCHED_VCPU_H */
