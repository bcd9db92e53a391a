/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every record that crosses from a BPF program to user space, and from there into a trace file.
 *
 * A record is 32 bytes, little endian, and is written by the BPF program in its final form: user
 * space moves bytes. The numbers below are part of the trace format (docs/trace-format.md): append
 * only, never reuse.
 *
 * Included by BPF programs (after vmlinux.h) and by user space (after <linux/types.h>).
 */
#ifndef KVMSCHED_RECORDS_H
#define KVMSCHED_RECORDS_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

struct ks_rec {
	__u64 time; /* CLOCK_MONOTONIC of the machine that recorded, ns */
	__u8 type;  /* enum ks_type */
	__u8 flags; /* per type, KS_F_* */
	__u16 cpu;  /* the CPU that the record speaks of: pCPU on the host, vCPU in a guest */
	__u32 id;   /* host: vCPU slot (see KS_VCPU_NEW); guest: thread id */
	__u64 a;    /* per type */
	__u64 b;    /* per type */
};

#ifndef __cplusplus
_Static_assert(sizeof(struct ks_rec) == 32, "a record is 32 bytes");
#endif

enum ks_type {
	KS_NONE = 0,

	/* Either side, written by the recorder itself. */
	KS_CLOCK = 1, /* a clock sample: a = TSC, b = half the width of the bracket, ns */
	KS_LOSS = 2,  /* ring `cpu` lost b records of type `flags` (KS_NONE: of any) between
		       * a (ns) and time; of KS_BURST, b counts the exits that were in them */

	/* Host. id = slot, a small number that stands for one vCPU during one recording. */
	KS_VCPU_NEW = 16,     /* a = tgid << 32 | tid of the thread that runs it, b = vcpu_id;
			       * other threads may run it later */
	KS_VCPU_GONE = 17,    /* the thread or the vCPU is gone; its slot is not used again */
	KS_TSC_OFFSET = 18,   /* from `time` on: a = L1 TSC offset (s64), b = ratio, fixed point
			     * with the fraction bits given in the metadata; 0 = not scaled */
	KS_PLE_WINDOW = 19,   /* a = old window, b = new window; written behind a KS_BURST; where
			     * every exit is a record, the window stands in it */
	KS_PAUSE = 20,	      /* a PLE exit: a = guest instruction pointer, b = PLE window in force
			     * (PAUSEs on AMD, TSC cycles on Intel) */
	KS_HLT = 21,	      /* an exit on HLT: a = guest instruction pointer, b = 0 */
	KS_BURST = 22,	      /* PLE exits folded: time = last, a = guest ip of the last,
			     * b = (first to last, ns) << 32 | count */
	KS_VCPU_IN = 23,      /* the vCPU thread got pCPU `cpu`: a = tid that left it */
	KS_VCPU_OUT = 24,     /* it lost pCPU `cpu`: a = tid that took it, flags = KS_OUT_* */
	KS_VCPU_WAKE = 25,    /* it was woken (sched_waking): a = tid of the waker */
	KS_VCPU_MIGRATE = 26, /* sched_migrate_task: a = from pCPU, b = to pCPU */
	KS_HALT_POLL = 27,    /* kvm_vcpu_wakeup: a = ns since the HLT exit, flags = KS_HALT_* */
	KS_BOOST = 28,	      /* a policy on pCPU `cpu`: id = slot of the vCPU whose slice was given
			       * up, a = slot of the vCPU that was picked for it (KS_NO_SLOT: none,
			       * or not known), flags = KS_BOOST_*, b = tgid, 0 = not known */
	KS_LOOK = 29,	      /* a policy read the guest's lock page at a PLE exit of this vCPU:
			       * flags = KS_LOOK_*, a = the lock that it waits for (0: none),
			       * b = slot that the page names (KS_NO_SLOT: none) | vCPUs that
			       * say they hold the lock << 32 | vCPUs that wait for it << 48 */
	KS_VM_MEMORY = 30,    /* a VM's memory on node `cpu`: id = tgid, a = bytes, b = the guest's
			       * node that it is of, plus 1; 0 = not known. Records of one process
			       * and one time are one sample, which names every node */

	/* Guest. cpu = guest CPU number (its APIC id is in the metadata), id = thread id. */
	KS_LOCK_TRY = 48,     /* begins to wait for a contended lock: a = lock, b = call site */
	KS_LOCK_ACQ = 49,     /* got it: a = lock, b = wait, ns: try = time - b */
	KS_LOCK_REL = 50,     /* released it: a = lock, b = call site (low 32 bits, sign-extended),
			    * of the acquire if that had to wait, else of the release | hold << 32;
			    * hold in ns, or in 1024 ns if KS_F_COARSE: acquire = time - hold */
	KS_TASK_MIGRATE = 51, /* sched_migrate_task: a = from CPU, b = to CPU, flags = KS_MOVE_* */
	KS_IDLE_ENTER = 52,   /* the CPU's idle loop goes to sleep: a = C-state index */
	KS_IDLE_EXIT = 53,
	KS_TASK_WAKE = 54, /* sched_wakeup: id = woken thread, a = its CPU, b = waker's thread,
			    * flags = KS_ALLOWED_*, of the woken one, and KS_WAKE_NEW */
	KS_RQ_BUSY =
		55, /* run queue of `cpu` now has more than one runnable thread: a = how many */
	KS_RQ_CALM = 56,     /* and now it has one or none: a = how many */
	KS_TASK_SWITCH = 57, /* sched_switch on `cpu`: id = next thread, a = previous thread,
			      * b = 1 if the previous one is still runnable, flags = KS_ALLOWED_*
			      * of it; KS_SWITCH_DEAD if it never will be again */
	KS_TASK_CPUS = 58,   /* the CPUs that thread id may run on: a = 0 to 63, b = 64 to 127, as
			    * bits; comes before the record that says KS_ALLOWED_SOME */
	KS_TASK_PASSED = 59, /* behind a KS_TASK_WAKE: thread id was put on CPU b, which has others
			      * to run, while CPU `cpu` and further ones that it may use were idle:
			      * a = how many << 32 | of these, flagged as preempted */
	KS_CPU_ONLINE = 60,  /* hotplug: from now on CPU `cpu` can run threads (a = 1), or cannot
			      * any more (a = 0) */

	KS_TYPE_MAX = 64,
};

/* A longer KS_BURST ends at the next exit for another reason: its length must fit 32 bits. */
#define KS_BURST_MAX_NS 1000000000ULL

/* flags of KS_PAUSE, KS_HLT, KS_BURST */
#define KS_F_CPL_MASK 0x03u /* guest privilege level, if KS_F_CPL */
#define KS_F_CPL 0x04u	    /* the level is known */
#define KS_F_IP 0x08u	    /* the instruction pointer is known */

/* flags of KS_VCPU_OUT: what the vCPU is from now on */
#define KS_OUT_RUNNABLE 0u /* preempted or yielded: wants the pCPU and has it not */
#define KS_OUT_HALTED 1u   /* sleeps, its last exit was HLT */
#define KS_OUT_BLOCKED 2u /* not run: page fault, I/O in user space, stopped, another vCPU's turn */
#define KS_OUT_DEAD 3u

/* flags of KS_HALT_POLL */
#define KS_HALT_WAITED 0x01u /* it slept; otherwise it was woken while KVM polled */
#define KS_HALT_VALID 0x02u  /* the wake-up was for a reason (kvm_vcpu_wakeup's `valid`) */

#define KS_NO_SLOT 0xffffffffu

/* flags of KS_BOOST: what became of the slice, and why that vCPU */
#define KS_BOOST_OUT_MASK 0x0fu
#define KS_BOOST_HERE 0u   /* the vCPU in `a` is to run next on this pCPU */
#define KS_BOOST_REMOTE 1u /* ... on the pCPU that its affinity binds it to */
#define KS_BOOST_FAILED 2u /* it was picked, and could not be brought to a pCPU */
#define KS_BOOST_NONE 3u   /* no vCPU of the VM was waiting, or it was not their turn */
#define KS_BOOST_OUTS 4u
#define KS_BOOST_EXACT 0x10u   /* the lock page named it */
#define KS_BOOST_NO_SPIN 0x20u /* it had not spun when it lost its pCPU */
#define KS_BOOST_KERNEL 0x40u  /* ... but was in the guest's kernel; else: longest off-CPU */

/* flags of KS_LOOK: what the page said */
#define KS_LOOK_HOLDER 0u   /* who holds the lock, or is about to take it */
#define KS_LOOK_WAITER 1u   /* nobody holds it; who has waited longest */
#define KS_LOOK_SELF 2u	    /* nobody holds it, and the spinner is next */
#define KS_LOOK_IPI 3u	    /* who has not answered an IPI yet: one of them */
#define KS_LOOK_NOTHING 4u  /* it waits for nothing that is published */
#define KS_LOOK_NO_PAGE 5u  /* no page of this VM is believed, or no slot is this vCPU's */
#define KS_LOOK_NO_PROOF 6u /* it could not be read just now, or is not the publisher's */
#define KS_LOOK_MAX 7u

/* flags of KS_TASK_WAKE and KS_TASK_SWITCH: where a thread may run */
#define KS_ALLOWED_MASK 0x03u
#define KS_ALLOWED_UNKNOWN 0u
#define KS_ALLOWED_ANY 1u
#define KS_ALLOWED_ONE 2u  /* on the CPU where it is, alone */
#define KS_ALLOWED_SOME 3u /* see KS_TASK_CPUS */

/* flags of KS_TASK_WAKE and KS_TASK_SWITCH: lives of threads, whose numbers are given out again */
#define KS_WAKE_NEW 0x04u    /* it has never run: a fork, no sleep, is over */
#define KS_SWITCH_DEAD 0x04u /* the previous thread has ended */

/* flags of KS_TASK_MIGRATE: who moved it */
#define KS_MOVE_UNKNOWN 0u
#define KS_MOVE_WAKE 1u	    /* it was asleep: its wake-up chose the CPU */
#define KS_MOVE_NEWIDLE 2u  /* a CPU that had nothing left to run pulled it */
#define KS_MOVE_PERIODIC 3u /* the load balancer, in its softirq */
#define KS_MOVE_NUMA 4u	    /* NUMA balancing */
#define KS_MOVE_EXEC 5u	    /* it called exec() */
#define KS_MOVE_AFFINITY 6u /* it may not run any more where it was */
#define KS_MOVE_ACTIVE 7u   /* active balancing: the load balancer had it taken off its CPU */
#define KS_MOVE_MAX 8u

/* flags of KS_TASK_PASSED */
#define KS_PASSED_FLAGS                                                                            \
	0x01u /* the guest has the flags: the count of flagged ones means something */

/* flags of KS_LOCK_* */
#define KS_F_DEPTH_MASK 0x0fu /* spinlocks held or waited for on this CPU below this one */
#define KS_F_CTX_MASK 0x30u   /* where: */
#define KS_F_CTX_TASK 0x00u
#define KS_F_CTX_SOFTIRQ 0x10u
#define KS_F_CTX_HARDIRQ 0x20u
#define KS_F_CTX_NMI 0x30u
#define KS_F_WAITERS 0x40u /* KS_LOCK_REL: somebody was waiting when it was released */
#define KS_F_COARSE 0x80u  /* KS_LOCK_REL: hold is in units of 1024 ns */

#endif /* KVMSCHED_RECORDS_H */
