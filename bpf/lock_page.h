/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The lock page: what a guest publishes about its spinlocks, and how its host finds it.
 *
 * Both sides include this, and the two may be of different versions: the layout is fixed, numbers
 * are little endian, and nothing here changes without another KS_LP_VERSION. docs/lock-page.md
 * tells the whole story.
 */
#ifndef KVMSCHED_LOCK_PAGE_H
#define KVMSCHED_LOCK_PAGE_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define KS_LP_PAGE 4096u    /* what is contiguous in the guest's physical memory */
#define KS_LP_VCPUS 512u    /* slots; a larger guest does not publish */
#define KS_LP_DEPTH 8u	    /* locks held at once; more are not published */
#define KS_LP_WAITS 2u	    /* locks waited for at once: by a thread, and by what interrupts it */
#define KS_LP_NO_VCPU ~0u   /* ks_lp_slot.vcpu of a CPU that was never online */
#define KS_LP_IPI_VCPUS 64u /* CPUs that a mask of IPIs' targets has room for */

/*
 * A lock waited for. `lock` is written last and cleared first, so `since` is of the same wait
 * whenever `lock` is not 0.
 */
struct ks_lp_wait {
	__u64 lock;  /* address in the guest's kernel; 0: none */
	__u64 since; /* the guest's CLOCK_MONOTONIC: who came first is served first */
};

/*
 * What one CPU of the guest holds and wants. Only that CPU writes, each word in one piece, without
 * atomics. The first cache line changes with every lock, the second only where one is waited for.
 *
 * There is no sequence counter, on purpose. Whoever looks is the host while this CPU stands still,
 * perhaps for long and perhaps in the middle of an update: an odd counter would hide the slot
 * just when it is needed. Instead every single store leaves the slot true, see docs/lock-page.md.
 */
struct ks_lp_slot {
	/*
	 * Locks that this CPU holds or is about to take, in no order; it is still waiting for those
	 * that are in wait[] as well. 0: a free entry.
	 */
	__u64 held[KS_LP_DEPTH];
	__u64 cookie; /* the publisher's, in every slot: proof that this is one; 0: it has ended */
	__u32 vcpu;   /* APIC id, which is KVM's vcpu_id */
	__u32 cpu;    /* the CPU's number in the guest, and of this slot */
	struct ks_lp_wait wait[KS_LP_WAITS]; /* the later ones interrupt the earlier */
	/*
	 * CPUs (numbers in the guest, of the first 64) that are to answer an IPI; 0: none. It was sent at wait[0].since, if no
	 * lock stands there (publishers that do not know this leave any time there).
	 */
	__u64 ipi;
	__u64 preempt; /* guest-physical address of the CPU's preempt count (u32); 0: not known */
} __attribute__((aligned(64)));

#define KS_LP_SLOTS_PER_PAGE (KS_LP_PAGE / (__u32)sizeof(struct ks_lp_slot))
#define KS_LP_PAGES (KS_LP_VCPUS / KS_LP_SLOTS_PER_PAGE)

/* ---- what the guest tells the host over vsock ---- */

#define KS_LP_PORT 19033u		  /* vsock port of whoever reads lock pages on the host */
#define KS_LP_MAGIC 0x3165676150736b4cULL /* "LksPage1" */
#define KS_LP_VERSION 2u		  /* 1: held[] was a stack */

/* The first message of a connection, at once and whole. */
struct ks_lp_hello {
	__u64 magic;
	__u16 version; /* of this message and of the slots */
	__u16 size;    /* of this message */
	__u32 vcpus;   /* slots in use */
	__u64 cookie;
	__u32 slot_size;
	__u32 pages;		/* entries of gpa[] in use */
	__u64 gpa[KS_LP_PAGES]; /* guest-physical addresses of the pages with the slots, in order */
};

/* Once per second from then on: somebody who is silent is not believed. */
struct ks_lp_beat {
	__u64 magic;
	__u64 number; /* 1, 2, 3, ... */
};

/*
 * The host's only words, to a guest that it does not read or no longer does, and then it hangs up. Not
 * all hosts say them, and not all guests listen: that they are hung up on they notice in any case.
 */
struct ks_lp_refusal {
	__u64 magic;
	__u64 why; /* enum ks_lp_why; a guest may not know them all */
};

/* Only appended to. */
enum ks_lp_why {
	KS_LP_WHY_OTHER,
	KS_LP_WHY_WORDS,  /* what the guest says is not understood: another version */
	KS_LP_WHY_VM,	  /* which process is the guest's VM cannot be told */
	KS_LP_WHY_RIGHTS, /* the reader may not look into it */
	KS_LP_WHY_MEMORY, /* the VM's memory is laid out in a way that is not known */
	KS_LP_WHY_PROOF,  /* what lies there is not what the guest says */
	KS_LP_WHY_CALLS,  /* a second publisher, too many calls, too many guests */
};

#define KS_LP_BEAT_MS 1000u
#define KS_LP_SILENCE_MS 5000u

#ifndef __cplusplus
_Static_assert(sizeof(struct ks_lp_slot) == 128, "two cache lines");
_Static_assert(__builtin_offsetof(struct ks_lp_slot, cookie) == 64,
	       "the second line is the cold one");
_Static_assert(__builtin_offsetof(struct ks_lp_slot, wait) == 80, "layout of version 2");
_Static_assert(__builtin_offsetof(struct ks_lp_slot, ipi) == 112, "layout of version 2");
_Static_assert(sizeof(struct ks_lp_hello) == 32 + 8 * 16, "layout of version 2");
_Static_assert(sizeof(struct ks_lp_beat) == 16, "layout of version 2");
_Static_assert(sizeof(struct ks_lp_refusal) == 16, "layout of version 2");
_Static_assert(!(KS_LP_VCPUS & (KS_LP_VCPUS - 1)), "a CPU's number can be masked");
#endif

#endif /* KVMSCHED_LOCK_PAGE_H */
