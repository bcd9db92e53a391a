/* SPDX-License-Identifier: GPL-2.0 */
/* What the guest's probe (lock_timeline.bpf.c) and its loader share besides the records. */
#ifndef KVMSCHED_LOCK_TIMELINE_H
#define KVMSCHED_LOCK_TIMELINE_H

#include "records.h"

#define KS_LOCK_WAITS 8	 /* spinlocks waited for at once on one CPU: interrupts nest */
#define KS_LOCK_DEPTH 16 /* entries for locks held on one CPU, the first of which is none */

/* A wait that has begun on this CPU. */
struct ks_lock_wait {
	__u64 lock;
	__u64 try_time;
	__u64 acq_time; /* 0 until the slow path says that it has the lock */
	__u64 ip;
	__u32 level; /* task, softirq, hardirq, NMI */
};

/* A hold that has begun on this CPU. */
struct ks_lock_hold {
	__u64 lock;
	__u64 since; /* when it began; 0 if it was waited for: then every release is worth a record */
	__u32 ip;    /* call site, if it was waited for, else 0 */
	__u32 context;	/* the preempt count's bits for NMI, hardirq, softirq; or 0, of the first */
	__u64 acq_time; /* when it began, if it was waited for */
};

#define KS_HOLD_STEP ((__u32)sizeof(struct ks_lock_hold))
_Static_assert(!(KS_HOLD_STEP & (KS_HOLD_STEP - 1)), "offsets of entries can be masked");

/* Locks waited for and held on one CPU; only that CPU writes. */
struct ks_lock_cpu {
	/* The first entry is of no lock: nobody asks for it. */
	struct ks_lock_hold hold[KS_LOCK_DEPTH];
	union {
		struct {
			__u32 top;     /* of the youngest hold, its offset in hold[]; 0: none */
			__u32 pending; /* entries of wait[] */
		};
		__u64 busy; /* both at one look */
	};
	__u64 unmatched; /* releases of locks whose acquire was not seen */
	__u64 stale;	 /* holds whose release was not seen */
	struct ks_lock_wait wait[KS_LOCK_WAITS];
} __attribute__((aligned(64)));

#endif /* KVMSCHED_LOCK_TIMELINE_H */
