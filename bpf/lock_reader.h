/* SPDX-License-Identifier: GPL-2.0 */
/* What a reader of lock pages on the host (lock_reader.bpf.h) and its user space share. */
#ifndef KVMSCHED_LOCK_READER_H
#define KVMSCHED_LOCK_READER_H

#include "lock_page.h"

#define KS_LP_RESETS 32768u /* counts of resets, by tgid; a power of two */
#define KS_LP_GUESTS 1024u  /* whose pages can be known at a time */
#define KS_LP_FEW 4u	    /* vCPUs: no more to look at than the last holder takes by itself */
#define KS_LP_LASTS 8u	    /* locks whose last holder is remembered; a power of two */
#define KS_LP_IDS 1024u	    /* vcpu_ids: with odd topologies they leave numbers out */

/* Where the lock page of a VM lies, once it is proved to be one; made by user/channel. */
struct ks_lp_vm {
	__u64 cookie; /* 0: none */
	__u32 vcpus;  /* slots */
	__u32 nought; /* 0; but the verifier must not know, or it would count along */
	__u32 tgid;   /* the VM's process */
	__u32 spare;
	__u64 resets;		      /* lp_resets[] of the VM when its guest was last heard */
	__u64 hva[KS_LP_PAGES];	      /* addresses in the VM's process */
	__u64 ram, ram_size, ram_low; /* where its RAM lies there: see struct ks_ram */
	/* By slot: where the CPU's preempt count lies there; 0: not known. */
	__u64 preempt[KS_LP_VCPUS];
	__u16 slot_of[KS_LP_IDS];   /* by vcpu_id: its slot + 1, 0 = none */
	__u16 vcpu_of[KS_LP_VCPUS]; /* by slot: its vcpu_id + 1, 0 = none */
	/* Written by looks, by lock: the slot + 1 of the holder that was found last; a guess. */
	__u16 last[KS_LP_LASTS];
};

/* What one look at a PLE exit found. Numbers are shown by name, and only appended to. */
enum ks_lp_what {
	KS_LP_HOLDER,	/* the vCPU that holds the wanted lock, or is about to take it */
	KS_LP_WAITER,	/* nobody holds it: the vCPU that has waited longest */
	KS_LP_SELF,	/* nobody holds it, and the spinner itself is next */
	KS_LP_IPI,	/* it waits for other vCPUs to answer an IPI: ks_lp_found.ipi */
	KS_LP_NOTHING,	/* it waits for nothing that is published */
	KS_LP_NO_PAGE,	/* no lock page of this VM is known */
	KS_LP_NO_SLOT,	/* none of its slots belongs to this vCPU */
	KS_LP_NO_READ,	/* the memory is not there just now */
	KS_LP_NO_PROOF, /* what was read is not, or no longer, of the publisher */
	KS_LP_WHATS,
};

struct ks_lp_found {
	__u32 what;  /* enum ks_lp_what */
	__u32 vcpu;  /* HOLDER, WAITER: its vcpu_id */
	__u64 lock;  /* the wanted lock, if any; an address in the guest */
	__u64 since; /* when the spinner (WAITER: the one found) began to wait, guest's clock, ns; IPI: see ks_lp_slot.ipi */
	__u64 ipi;   /* IPI: slots (of the first 64) that are to answer; see ks_lp_vm.vcpu_of */
	__u16 holders; /* vCPUs that hold the lock or are about to: more than one may say so; as far as looked at */
	__u16 waiters; /* vCPUs that wait for it, the spinner included; 0: not looked at */
	__u32 unread;  /* slots of other vCPUs that could not be read or proved */
};

#endif /* KVMSCHED_LOCK_READER_H */
