/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The analysis: one pass over the merged events; waits and their verdicts, PLE exits and bursts,
 * vCPU states, migrations, wasted idle time. Rules: docs/verdicts.md.
 *
 * Results leave through callbacks as soon as they are final; totals are asked for at the end.
 * Memory is bounded by vCPUs, locks in use and open waits, not by the length of the trace.
 */
#ifndef KVMSCHED_ANALYZE_H
#define KVMSCHED_ANALYZE_H

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "trace.h"
#include "vcpu.h"

KS_API_BEGIN

/* Why time was lost in a wait, and why a PLE exit happened. */
enum ks_class {
	KS_C_SELF,    /* the waiter itself was off-CPU */
	KS_C_LHP,     /* the holder was runnable and not running: lock-holder preemption */
	KS_C_BUSY,    /* the holder was running */
	KS_C_HALTED,  /* the holder was halted or blocked */
	KS_C_LWP,     /* lock free, the next in order off-CPU: lock-waiter preemption */
	KS_C_HANDOFF, /* lock free, the next in order running */
	KS_C_UNKNOWN, /* holder not seen, records lost, within the clock's error */
	/* Only for PLE exits outside every wait, by guest instruction pointer: */
	KS_C_IPI,   /* waits for another vCPU to answer an IPI */
	KS_C_USER,  /* guest user space */
	KS_C_OTHER, /* elsewhere in the guest's kernel */
	KS_C_MAX,
};
#define KS_C_WAIT_MAX (KS_C_UNKNOWN + 1)

const char *ks_class_name(enum ks_class c);

/* Where a lock was wanted, from the flags of its record: "task", "softirq", "hardirq", "nmi". */
const char *ks_context_name(unsigned int flags);

/* Why a policy took that vCPU of those that waited for a pCPU: the first of these that held. */
enum ks_boost_why {
	KS_BW_EXACT,   /* the guest's lock page named it */
	KS_BW_KERNEL,  /* it had not spun, and was preempted in the guest's kernel */
	KS_BW_NO_SPIN, /* it had not spun */
	KS_BW_LONGEST, /* all had: it was off-CPU longest */
	KS_BW_MAX,
};

/* enum ks_boost_why, enum ks_look_match,
 * KS_BOOST_HERE etc. and KS_LOOK_HOLDER etc. of records.h in a word; NULL if there is none. */
const char *ks_boost_why_name(unsigned int why);
const char *ks_look_match_name(unsigned int match);
const char *ks_boost_out_name(unsigned int out);
const char *ks_look_name(unsigned int look);

/*
 * The vCPU that a lock page named, compared with the recording: with the lock's holder, or, where
 * the lock was free, with the vCPU that took it next.
 */
enum ks_look_match {
	KS_LM_RIGHT, /* that one */
	KS_LM_LAST,  /* the lock was free: the one that held it last, maybe on its way to let go */
	KS_LM_SEVERAL, /* another one, but several vCPUs say that they hold it: no claim to know */
	KS_LM_WRONG,   /* another one */
	KS_LM_MAX,
};

/* What came of it: of a boost, in the turn that the vCPU got. */
enum ks_yes_no { KS_NO, KS_YES, KS_NOT_KNOWN, KS_YES_NO_MAX };

/* What a policy did to a VM, as recorded. */
struct ks_policy_totals {
	uint64_t boosts[KS_BOOST_OUTS]; /* by what became of the slice that was given up */
	uint64_t why[KS_BW_MAX];	/* of `here` and `remote` */
	/* Of these, too: was the vCPU the next one that got that pCPU? */
	uint64_t ran_next[KS_YES_NO_MAX];
	/* ... and did it, in its turn, let go the lock that the spinner waited for? */
	uint64_t let_go[KS_YES_NO_MAX];
	uint64_t looks[KS_LOOK_MAX]; /* at the lock page, by what it said */
	/* Looks that said for whom the spinner waits, where the recording knows: */
	uint64_t held[KS_LM_MAX], free[KS_LM_MAX];
	uint64_t unsure; /* the rest of them: it does not, or things changed meanwhile */
};

/* One wait, classified. Times in ns on the host's CLOCK_MONOTONIC. */
struct ks_wait {
	uint32_t vm;
	uint32_t vcpu;	   /* index into ks_analysis_vcpus() */
	uint64_t lock;	   /* guest-virtual address */
	uint64_t ip;	   /* call site of the waiter, 0 if not known */
	uint32_t pid;	   /* guest thread */
	uint8_t ctx_flags; /* KS_F_CTX_*, KS_F_DEPTH_* of the try */
	bool acquired;	   /* false: the trace ended first; acq is then the end */
	bool partial; /* its KS_LOCK_TRY was lost, or its guest's clock stood still in it: not all of its PLE exits are told */
	uint64_t try_time;
	uint64_t acq_time;
	uint64_t share[KS_C_WAIT_MAX]; /* ns by class; sums up to acq - try */
	uint32_t ple[KS_C_WAIT_MAX];   /* PLE exits of the waiter in the wait, by class */
	uint32_t ple_total;
	enum ks_class verdict; /* class of the largest share */
	/*
	 * The blamed vCPU: holder (LHP, BUSY, HALTED) or next waiter (LWP) with the largest part of
	 * blame_class: the verdict if it is one of these, else that of them with the largest share.
	 */
	enum ks_class blame_class;
	uint32_t blame_vcpu;   /* index, KS_NO_VCPU if none */
	uint32_t blame_pid;    /* guest thread, 0 if not known */
	uint64_t blame_ip;     /* call site of the holder's acquire or the next waiter's try */
	uint64_t blame_off_ns; /* off-CPU time of it within the wait */
};

struct ks_hold {
	uint32_t vm, vcpu;
	uint64_t lock, ip;
	uint32_t pid;
	uint64_t acq_time, rel_time;
	uint64_t off_ns; /* of these, its vCPU was runnable but not running */
	bool waiters;	 /* somebody waited when it was released */
};

struct ks_segment { /* a stretch of one state of one vCPU, within the host trace */
	uint32_t vcpu;
	enum ks_vstate state;
	int32_t pcpu;
	uint64_t from, to;
};

struct ks_burst {
	uint32_t vcpu;
	uint64_t first, last; /* times of its first and last PLE exit */
	uint64_t exits;
	uint64_t ip; /* most recent guest ip, 0 if not known */
};

struct ks_ple {
	uint32_t vcpu;
	uint64_t time;
	uint64_t ip;	/* 0 if not known */
	uint32_t count; /* 1, or the exits of a folded burst */
#ifdef __cplusplus
	enum ks_class ple_class; /* where `class` is not a word of one's own */
#else
	enum ks_class class;
#endif
	/* The lock that its vCPU waited for and where it wanted it; 0: outside every wait. */
	uint64_t lock, site;
};

/* All optional. Called in order of completion, not of start. */
struct ks_analysis_ops {
	void (*wait)(void *ctx, const struct ks_wait *w);
	void (*hold)(void *ctx, const struct ks_hold *h);
	void (*segment)(void *ctx, const struct ks_segment *s);
	void (*burst)(void *ctx, const struct ks_burst *b);
	void (*ple)(void *ctx, const struct ks_ple *p);	     /* once its class is known */
	void (*event)(void *ctx, const struct ks_event *ev); /* every event, as it comes */
	void *ctx;
};

/* Zero-initialise it: 0 stands for each default. */
struct ks_analysis_opts {
	uint64_t burst_gap_ns;	 /* default: as recorded, else 1 ms */
	uint64_t pingpong_ns;	 /* A->B->A within this: default 10 ms */
	uint64_t clock_error_ns; /* of the guest's map; closer instants are `unknown` */
	uint64_t slack_ns;	 /* how late a lock record may be stamped: default 2 us */
	/*
	 * A waiter that halts inside its wait does so because of it (paravirtual spinlocks halt
	 * after spinning for a while): class such time by the lock's holder, as if it spun on,
	 * instead of as `self`.
	 */
	bool halted_spins;
	const char *vm; /* only this VM, by name or pid; NULL = all */
	/* Classes of guest addresses, for PLE exits outside waits; NULL: by address only. */
	enum ks_class (*ip_class)(void *ctx, uint32_t vm, uint64_t ip);
	void *ip_ctx;
};

struct ks_analysis;

/* host: the host's reader, for its metadata and control records; the caller's. */
int ks_analysis_new(struct ks_analysis **out, struct ks_reader *host,
		    const struct ks_analysis_opts *opts, const struct ks_analysis_ops *ops,
		    struct ks_err *err);
void ks_analysis_free(struct ks_analysis *a);

/*
 * Tell which VM the source `src` of the merge is the guest trace of; vm: index into
 * ks_analysis_vms(). map, map_ctx: the map given to the merge for this source (NULL = identity);
 * the losses in the guest's control records are put on the common clock with it, here and now.
 * 0, -EINVAL, -EEXIST (the VM has a guest trace already) or -ENOMEM.
 */
int ks_analysis_guest(struct ks_analysis *a, unsigned int src, struct ks_reader *guest, uint32_t vm,
		      ks_map_fn map, void *map_ctx, struct ks_err *err);

/* Clock error bound of this VM's guest trace, ns, instead of opts.clock_error_ns. */
void ks_analysis_guest_error(struct ks_analysis *a, uint32_t vm, uint64_t error_ns);

/*
 * Where the guest's clock broke (ks_guestclock_breaks(); copied): what takes both sides' records to
 * tell is `unknown` there. After ks_analysis_guest_error(). 0, -EINVAL (twice for a VM) or -ENOMEM.
 */
int ks_analysis_guest_breaks(struct ks_analysis *a, uint32_t vm, const struct ks_clockbreak *b,
			     size_t n);
/* Those of this VM; borrowed. */
const struct ks_clockbreak *ks_analysis_breaks(const struct ks_analysis *a, uint32_t vm, size_t *n);

/* Feed events in time order; source 0 is the host. */
int ks_analysis_feed(struct ks_analysis *a, const struct ks_event *ev);
/* No more events: close what is open. */
int ks_analysis_end(struct ks_analysis *a);

/* Known from the control records on, i.e. directly after _new(). Borrowed. */
const struct ks_vm *ks_analysis_vms(const struct ks_analysis *a, uint32_t *n);
const struct ks_vcpu *ks_analysis_vcpus(const struct ks_analysis *a, uint32_t *n);
/* Index of the vCPU that has this slot of the host's trace, KS_NO_VCPU if none. */
uint32_t ks_analysis_slot(const struct ks_analysis *a, uint32_t slot);

/* Totals per vCPU. */
struct ks_vcpu_totals {
	uint64_t pause, hlt;		/* exits */
	uint64_t bursts, longest_burst; /* exits in the longest */
	uint64_t state_ns[KS_V_MAX];
	uint64_t migrations, node_migrations, pingpongs; /* of the vCPU's thread on the host */
	uint64_t ple[KS_C_MAX];				 /* PLE exits by class */
};
const struct ks_vcpu_totals *ks_analysis_vcpu_totals(const struct ks_analysis *a, uint32_t vcpu);

/* Totals per VM. */
struct ks_vm_totals {
	uint64_t waits, holds;
	uint64_t wait_ns;		  /* sum of all waits */
	uint64_t lost_ns[KS_C_WAIT_MAX];  /* of it, by class */
	uint64_t verdicts[KS_C_WAIT_MAX]; /* waits by verdict */
	uint64_t ple_per_wait[3];	  /* PLE exits per contended acquisition: p50 p99 max */
	uint64_t task_migrations, task_node_migrations, task_pingpongs; /* inside the guest */
	uint64_t wasted_idle_ns; /* a vCPU halted while a runnable thread waited on another */
	uint64_t span_ns;	 /* from the first to the last event of the host trace */
	uint64_t lost_records;	 /* host + guest */
	uint64_t guest_span_ns;	 /* recorded on both sides: wasted_idle_ns is of this */
	struct ks_policy_totals policy;
	uint64_t guest_recorded_ns; /* all of the guest's trace: waits, holds, task_* are of this */
};
const struct ks_vm_totals *ks_analysis_vm_totals(const struct ks_analysis *a, uint32_t vm);

/* Numbers of the record types seen, by type, host and guests together. */
uint64_t ks_analysis_count(const struct ks_analysis *a, enum ks_type t);

/* Records that made no sense (CPU out of range, contradictions, unknown slot) and were left out. */
uint64_t ks_analysis_ignored(const struct ks_analysis *a);

/* Time of the first and the last event fed, ns on the common clock; false if there was none. */
bool ks_analysis_span(const struct ks_analysis *a, uint64_t *first, uint64_t *last);

KS_API_END

#endif /* KVMSCHED_ANALYZE_H */
