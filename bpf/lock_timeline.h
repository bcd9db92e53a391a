/* SPDX-License-Identifier: GPL-2.0 */
/* What the guest's probe (lock_timeline.bpf.c) and its loader share besides the records. */
#ifndef KVMSCHED_LOCK_TIMELINE_H
#define KVMSCHED_LOCK_TIMELINE_H

#include "records.h"

#define KS_LOCK_WAITS 8	 /* spinlocks waited for at once on one CPU: interrupts nest */
#define KS_LOCK_DEPTH 16 /* spinlocks held at once on one CPU */

/* A wait that has begun on this CPU. */
struct ks_lock_wait {
	__u64 lock;
	__u64 try_time;
	__u64 acq_time; /* 0 until the slow path says that it has the lock */
	__u64 ip;
	__u32 level; /* task, softirq, hardirq, NMI */
};

struct ks_lock_hold {
	__u64 lock;
	__u64 acq_time;
	__u32 ip;      /* of a contended acquire, else 0 */
	__u32 context; /* the preempt count's bits for NMI, hardirq, softirq; KS_HOLD_CONTENDED */
};

#define KS_HOLD_CONTENDED                                                                          \
	1u /* a bit that counts preemption otherwise, and less than all contexts */

/* Locks waited for and held on one CPU; only that CPU writes. */
struct ks_lock_cpu {
	__u32 depth;	 /* entries of hold[] */
	__u32 pending;	 /* entries of wait[] */
	__u64 unmatched; /* releases of locks whose acquire was not seen */
	__u64 stale;	 /* holds whose release was not seen */
	struct ks_lock_hold hold[KS_LOCK_DEPTH];
	struct ks_lock_wait wait[KS_LOCK_WAITS];
} __attribute__((aligned(64)));

struct ks_code_range {
	__u64 start, end;
};

#endif /* KVMSCHED_LOCK_TIMELINE_H */
