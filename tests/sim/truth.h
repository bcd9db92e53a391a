/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The truth about every wait, kept by following the world: who holds, who is next, what their
 * vCPUs do. Nothing here looks at a trace, except for what an observer of one can know.
 */
#ifndef SIM_TRUTH_H
#define SIM_TRUTH_H

#include <stdio.h>

#include "sim.h"

enum cause { BY_NOTHING, BY_GUEST, BY_HOST }; /* of a change; a host's is seen on another clock */

struct stretch { /* of a wait, one class */
	uint64_t from, to;
	uint8_t class;
	uint8_t whose; /* guest CPU of the vCPU that decides it */
	bool hidden;   /* a record without which it cannot be known is not in the trace */
};

struct wait {
	struct vcpu *v;
	struct lock *l;
	uint64_t ip;
	uint32_t pid;
	uint8_t flags;
	uint64_t try_stamp, try_own, try_true, acq_true, acq_stamp; /* own: guest's clock */
	bool seen; /* the probe was there when it began */
	bool try_kept, acq_kept;
	bool raced; /* the order of what was stamped is not the order of what happened */
	bool queued;
	bool unclear; /* somebody may be in the queue whom the trace does not show */
	/* stretches so far */
	struct stretch *st;
	uint32_t nst, cap, hold_from;
	uint64_t last, since;
	enum cause cause;
	uint32_t nhost, nguest;		       /* changes of class, by cause */
	uint32_t ple[KS_C_WAIT_MAX], ple_over; /* over: while something on top of it spun */
};

struct done { /* a wait that is over */
	uint32_t vm, vcpu, pid;
	uint64_t lock;
	uint64_t try_stamp, acq_stamp; /* ns of the world */
	uint64_t try_true, acq_true;
	uint64_t since; /* the first moment that an observer needs to know of */
	uint64_t share[KS_C_WAIT_MAX];
	uint64_t visible[KS_C_WAIT_MAX]; /* of it, where the records needed are in the trace */
	uint32_t ple[KS_C_WAIT_MAX], ple_over;
	uint32_t nhost, nguest;
	enum ks_class verdict;
	uint64_t blamed[64]; /* ns under the verdict's class, by guest CPU of holder or next */
	bool raced, unclear, try_kept, acq_kept;
	bool stray; /* no wait at all, only the record of a try */
};

struct truth {
	bool on;
	FILE *out; /* NULL: none */
	struct done *done;
	size_t ndone, cap;
};

void truth_open(struct world *w, const char *dir);
void truth_close(struct world *w);

/* Call BEFORE anything changes about the vCPU, or about who holds or waits for the lock. */
void truth_vcpu(struct vcpu *v);
void truth_lock(struct lock *l);

struct wait *truth_try(struct vcpu *v, struct lock *l, const struct op *op, uint8_t flags);
void truth_queued(struct wait *wt);
void truth_acquired(struct wait *wt); /* the lock is taken; not stamped yet */
void truth_stamped(struct wait *wt);  /* all is over; frees it */
void truth_drop(struct wait *wt);     /* the world ends */
void truth_stop(struct vm *vm);	      /* the guest's recording ends */
void truth_hold_end(struct lock *l);
void truth_ple(struct vcpu *v, const struct frame *top);
void truth_known(struct vcpu *v, bool kept);	  /* a record that tells of its state was sent */
void truth_proof(struct vcpu *v);		  /* a record that proves that it runs is kept */
void truth_lost(struct vcpu *v);		  /* a record of its guest's ring is lost */
void truth_stray(struct vcpu *v, struct lock *l); /* call after the record of its try */
void truth_clear(struct vcpu *v, const struct ks_rec *rec);
enum ks_class truth_class(const struct wait *wt);

/* totals.c */
void totals_state(struct vcpu *v, enum ks_vstate s); /* before the change */
void totals_exit(struct vcpu *v, bool pause);
void totals_migrate(struct vcpu *v, uint32_t from, uint32_t to);
void totals_task_migrate(struct thread *t, uint32_t from, uint32_t to);
void totals_hold(struct vcpu *v, const struct lock *l, uint64_t ns);
void totals_idle(struct vm *vm);     /* before or after nhalted or nbusy changed */
void totals_free(struct vm *vm);     /* before anything changes about run queues, or who runs */
void totals_woken(struct thread *t); /* it is on its queue */
void totals_runs(struct thread *t);  /* it was on its queue and is taken up */
/* What one of the two sides does not record, nobody can count. */
bool totals_both_record(const struct vm *vm);
void totals_end(struct world *w);

/* overload.c */
void overload_sleeps(struct thread *t); /* before its CPU looks for another one */
void overload_pulled(const struct vcpu *v, const struct thread *pulled);
void overload_moved(struct thread *t); /* it leaves its CPU, not to sleep */
void overload_woken(struct thread *t);
void overload_runs(struct thread *t);

#endif /* SIM_TRUTH_H */
