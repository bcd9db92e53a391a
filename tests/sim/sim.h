/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The simulated world: pCPUs, vCPUs, guest threads, locks. Time is the host's true
 * CLOCK_MONOTONIC in ns. Each part of the world is one file; what they call each other for is
 * declared here.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "analyze.h"
#include "params.h"
#include "queue.h"
#include "records.h"
#include "rng.h"
#include "simclock.h"

#define MAX_OPS 40
#define MAX_OPEN 8 /* locks that one vCPU holds or waits for */

struct world;
struct vcpu;
struct vm;
struct wait;

enum occ_kind {
	OCC_GUEST,   /* vcpu: the step it is in is done */
	OCC_PLE,     /* vcpu: it has spun for a window */
	OCC_SLICE,   /* pcpu: time slice over */
	OCC_RESCHED, /* pcpu: somebody wants it */
	OCC_NOISE,   /* ent: a host thread sleeps or wakes */
	OCC_BALANCE, /* host's load balancer */
	OCC_UNBLOCK, /* vcpu: its page fault is served */
	OCC_TIMER,   /* thread: its sleep is over */
	OCC_TICK,    /* vcpu */
	OCC_DEVICE,  /* vcpu: device interrupt */
	OCC_DRAIN,   /* recorders empty their rings */
	OCC_SAMPLE,  /* recorders read their clocks */
	OCC_OFFSET,  /* vm: its TSC offset changes */
	OCC_START,   /* the host's recording starts, or (vm) a guest's */
	OCC_STOP,    /* vm: its recording ends */
	OCC_BOOT,    /* vm */
	OCC_KILL,    /* vcpu */
	OCC_END,
};

/* ---- host ---- */

struct ent {		   /* what the host schedules: a vCPU's thread, or another one */
	struct vcpu *vcpu; /* NULL: another thread */
	uint32_t tid;
	uint32_t pcpu; /* where it runs, waits or ran last */
	uint32_t gen;
	bool queued, asleep;
	uint64_t vruntime;
	uint64_t since; /* when it began to run */
	uint64_t left;	/* when it left its pCPU, or was moved, last */
	uint64_t rem;	/* another thread: what is left of its burst */
};

struct pcpu {
	uint32_t id, node, gen;
	struct ent *cur; /* NULL: idle */
	struct ent *next_buddy;
	bool resched;
	uint64_t slice_end;
	struct ent **rq;
	uint32_t nrq;
};

/* ---- guest ---- */

enum op_kind {
	OP_USER,   /* compute in user space */
	OP_SPIN,   /* spin in user space */
	OP_KERNEL, /* compute in the kernel */
	OP_LOCK,
	OP_UNLOCK,
	OP_IPI, /* make all busy vCPUs of the VM answer */
	OP_ACK, /* answer: arg = bitmap of who asked */
	OP_SLEEP,
	OP_WAKE,  /* wake some sleeping thread */
	OP_TIMER, /* wake the threads whose time has come */
	OP_TICK,  /* guest scheduler */
	OP_FAULT, /* touch a page that the host has to bring */
	OP_IDLE,
	OP_END,
};

struct op {
	uint8_t kind;
	uint64_t arg; /* ns, or number of the lock, or a bitmap */
	uint64_t ip;
};

/* Steps of OP_LOCK and OP_UNLOCK; the others have one only. */
enum phase {
	PH_START,
	PH_TRIED, /* try is stamped, not queued yet */
	PH_SPIN,
	PH_GRAB,    /* sees the lock free, is about to take it */
	PH_TAKEN,   /* has it, not stamped yet */
	PH_LETTING, /* release is stamped, still has it */
};

struct frame { /* what runs in one context of a vCPU */
	struct op ops[MAX_OPS];
	uint8_t n, pc, phase, ctx; /* ctx: KS_F_CTX_* */
	bool late;		   /* an interrupt's: the kernel says that it is in a thread */
	uint8_t irqoff, bhoff;	   /* nesting */
	uint64_t rem;		   /* ns left of the step */
	struct wait *wait;
};

struct moved { /* the last migration of something */
	uint64_t time;
	uint32_t from;
};

struct thread {
	struct vm *vm;
	uint32_t pid;
	uint32_t cpu;	    /* guest CPU where it runs, waits or ran last */
	bool sleeping, due; /* due: its timer has fired */
	bool fresh;	    /* its op has not begun yet */
	uint32_t gen;
	uint64_t slice;
	struct moved moved;
	bool told;	   /* that it waits is in the trace */
	bool passed;	   /* its wake-up passed over a free vCPU, ... */
	bool passed_known; /* ... and the recording can tell */
	uint64_t free_at;  /* vm->free_clock then */
	uint64_t slept_at, woken_at;
	uint32_t slept_on;
	bool slept_known; /* that it sleeps is in the trace */
	bool overloaded;  /* it was woken where another one had been pulled, and still is */
	const struct thread *pulled; /* the last that was pulled to its CPU while it sleeps */
	struct frame f;
	struct thread *next; /* of the run queue */
};

enum lock_ctx { LC_PLAIN, LC_BH, LC_IRQ }; /* plain: only in threads; irq: taken with irqs off */

struct lock {
	struct vm *vm;
	uint64_t addr;
	enum lock_ctx ctx;
	uint32_t num;
	struct vcpu *holder;
	struct wait **q; /* waiters in order */
	uint32_t nq;
	/* of the hold */
	uint64_t acq_true, acq_stamp, acq_own, ip; /* own: on the guest's clock */
	uint64_t acq_off;			   /* holder's off_ns then */
	bool acq_known;				   /* and whether its state was known */
	uint32_t pid, serial;
	uint8_t flags;
	bool contended;
	bool seen; /* the probe was there when it was acquired */
	/* what an observer of the trace knows of it */
	bool acq_kept, rel_kept;
	uint64_t rel_drained; /* when the ring that lost the release was last known to be whole */
	bool raced;	      /* stopped between the operation and its time stamp */
	bool murky;	      /* free, but the trace has no sign of it */
	uint32_t raced_tries; /* waiters stopped between try and queue */
	uint32_t strays;      /* vCPUs that seem to wait for it, and do not */
};

enum mode { M_OUT, M_ENTER, M_GUEST, M_EXIT, M_POLL, M_SLEEP }; /* sleep: on its way to */
enum exit_why { X_PREEMPT, X_PLE, X_HLT, X_PVHLT, X_FAULT, X_IRQ, X_DEAD };

#define PEND_TICK 1u
#define PEND_TIMER 2u
#define PEND_DEVICE 4u
#define PEND_IPI 8u
#define PEND_RESCHED 16u

struct vcpu {
	struct world *w;
	struct vm *vm;
	struct ent ent;
	uint32_t slot, idx, apic; /* host slot; guest CPU number; its APIC id = KVM's vcpu_id */
	uint32_t node;		  /* the guest's */

	/* host side */
	enum ks_vstate hs;
	enum mode mode;
	enum exit_why why;
	uint32_t gen;
	bool slept;  /* since its HLT exit */
	bool kicked; /* a PV kick came */
	bool early;  /* woken on its way to sleep */
	bool born;   /* the recording knows of it: it has had an exit since */
	bool dying;  /* its VM was killed */
	bool early_kept;
	uint64_t hlt_time, step_start;
	uint32_t window;     /* PLE */
	struct ks_rec burst; /* PLE exits folded: time = first; a; b = count */
	uint64_t burst_last;

	/* guest side */
	struct frame idle, soft, hard;
	struct frame *stk[3];
	uint32_t depth;	    /* frames above the thread's or the idle one: 0..2 */
	struct thread *cur; /* NULL: idle */
	struct thread *rq, **rq_tail;
	uint32_t nr_running;
	bool in_idle, need_resched;
	uint32_t pend, soft_pend;
	uint64_t ipi_from, ipi_left; /* asked by whom; answers that it still waits for */
	uint64_t spun;		     /* ns spun in the wait on top, for PV */
	struct lock *held[MAX_OPEN];
	uint32_t nheld;
	struct wait *waits[MAX_OPEN];
	uint32_t nwaits;

	/* what an observer of the trace knows */
	bool hidden;	  /* its last change of state is not in the trace */
	uint64_t evident; /* when the trace last told its state */
	bool unclear;	  /* it may wait for a lock without the trace telling */
	uint64_t lost_at;
	struct lock *stray; /* the trace has it try this one, which it does not */

	/* true totals */
	struct ks_vcpu_totals tot;
	bool seen;			    /* the recording has a switch of it */
	bool rq_seen;			    /* and a change of its run queue */
	bool switch_seen;		    /* and a switch of its threads */
	uint64_t changed, before[KS_V_MAX]; /* last change of state; times before `seen` */
	uint64_t ple_last, ple_run;
	uint64_t off_ns;      /* runnable but not running, all its life */
	uint64_t raced_ple;   /* PLE exits in waits that nobody can judge */
	uint64_t unclear_ple; /* and while the trace could not tell what it waits for */
	struct moved moved;
};

struct vm {
	struct world *w;
	uint32_t id, tgid, nvcpus;
	char name[16];
	struct vcpu *vcpus;
	struct thread *threads;
	struct lock *locks;
	struct sim_guest_clock clk;
	/* true totals */
	struct ks_vm_totals tot;
	uint32_t nhalted, nbusy; /* vCPUs asleep; with more than one runnable thread */
	uint32_t nunclear;
	bool recording;
	uint64_t start, stop; /* of its recording */
	uint64_t waste_since, waste_known, idle_changes;
	/* Time of free vCPUs beside waiting threads, of it known to the recording; of any free one. */
	uint64_t free_since, free_wasted, free_known, free_clock;
	uint64_t passed, passed_ns, known_passed, known_passed_ns;
	uint64_t overloaded, overloaded_ns, known_overloaded, known_overloaded_ns;
	uint64_t overloaded_most;					     /* ns of the longest */
	uint64_t hold_ns, hold_off, hold_off_known, hold_waiters, hold_offs; /* sums over holds */
	uint64_t drained_own; /* when its rings were emptied last, its own clock */
};

struct world {
	struct params p;
	struct rng rng;
	struct queue q;
	uint64_t now, start, end, last_rec;
	bool recording, over;
	struct pcpu *pcpus;
	struct vm *vms;
	struct vcpu **vcpus; /* by slot */
	uint32_t nvcpus;
	struct ent *noise;
	struct sim_host_clock clk;
	struct emit *emit;
	struct truth *truth;
	uint64_t records;
	uint64_t (*exits)[2]; /* by slot: interrupts, page faults */
};

/* world.c */
struct world *world_new(const struct params *p, const char *dir);
void world_run(struct world *w);
void world_free(struct world *w);
static inline void world_at(struct world *w, uint64_t delay, enum occ_kind k, void *t, uint32_t gen)
{
	queue_put(&w->q, w->now + delay, k, t, gen);
}

/* sched.c: the host's scheduler */
void sched_wake(struct world *w, struct ent *e, uint32_t waker_tid, uint32_t waker_pcpu);
void sched_resched(struct world *w, struct pcpu *p); /* let the next one run, soon */
void sched_switch(struct world *w, struct pcpu *p);  /* now: cur is out of the guest */
void sched_now(struct world *w, struct pcpu *p);
void sched_slice(struct world *w, struct pcpu *p);
void sched_noise(struct world *w, struct ent *e);
void sched_balance(struct world *w);
void sched_yield_to(struct world *w, struct vcpu *from);

/* vcpu.c: a vCPU enters and leaves the guest */
void vcpu_enter(struct vcpu *v);
void vcpu_exit(struct vcpu *v, enum exit_why why, uint64_t host_ns);
void vcpu_step(struct vcpu *v); /* the step it is in is done */
void vcpu_ple(struct vcpu *v);
void vcpu_kick(struct vcpu *v, struct vcpu *by); /* an interrupt or a PV kick is there */
void vcpu_unblock(struct vcpu *v);
void vcpu_last_burst(struct vcpu *v);
void vcpu_kill(struct vcpu *v); /* asks it to end; has to be asked again */
void vcpu_woken(struct vcpu *v, uint32_t waker_tid, uint32_t waker_pcpu);
void vcpu_state(struct vcpu *v, enum ks_vstate s, uint8_t type, uint64_t a);

/* guest.c: what runs inside */
void guest_resume(struct vcpu *v); /* in the guest again: interrupts first, then what is on top */
void guest_run(struct vcpu *v);	   /* go on with what is on top */
void guest_stop(struct vcpu *v);   /* out of the guest: remember how far it came */
void guest_step(struct vcpu *v);
void guest_begin(struct vcpu *v);	     /* take up the op that the frame on top has come to */
void guest_next(struct vcpu *v);	     /* the op on top is done */
void guest_for(struct vcpu *v, uint64_t ns); /* the step on top takes this long */
void guest_irq(struct vcpu *v, uint32_t pend, struct vcpu *by);
bool guest_irqs_on(const struct vcpu *v);
bool guest_unhalted(struct vcpu *v); /* what a PV waiter halts for is there */
uint64_t guest_ip(struct vcpu *v);
static inline struct frame *guest_top(const struct vcpu *v)
{
	return v->stk[v->depth];
}
static inline struct op *frame_op(struct frame *f)
{
	return &f->ops[f->pc];
}
static inline uint32_t guest_pid(const struct vcpu *v)
{
	return v->cur ? v->cur->pid : 0;
}

/* gsched.c: the guest's scheduler */
void gsched_init(struct vm *vm);
void gsched_sleep(struct vcpu *v, uint64_t ns); /* the current thread */
void gsched_wake(struct vcpu *by, struct thread *t);
void gsched_wake_any(struct vcpu *by);
void gsched_timers(struct vcpu *by); /* wake those whose time has come */
void gsched_timer(struct thread *t); /* the timer of its sleep fires */
void gsched_tick(struct vcpu *v);
void gsched_pick(struct vcpu *v);    /* leave the current thread, run the next or idle */
void gsched_requeue(struct vcpu *v); /* the current thread goes to the end of the queue */
bool gsched_preempt(struct vcpu *v); /* if it should and may: true if another one runs now */

/* locks.c */
void lock_step(struct vcpu *v, struct frame *f);   /* a step of OP_LOCK is done */
void unlock_step(struct vcpu *v, struct frame *f); /* of OP_UNLOCK */
void lock_run(struct vcpu *v, struct frame *f);	   /* begin or go on with it */
void lock_stopped(struct vcpu *v, struct frame *f, uint64_t ran);
bool lock_spinning(const struct frame *f);
bool lock_can_take(const struct wait *wt);

/* script.c: what threads and interrupts do */
void script_thread(struct thread *t);
void script_idle(struct frame *f);
void script_hardirq(struct vcpu *v, struct frame *f, uint32_t pend);
void script_softirq(struct vcpu *v, struct frame *f);
char *script_symbols(size_t *len); /* kallsyms text; malloced */
enum ks_class script_ip_class(void *ctx, uint32_t vm, uint64_t ip);
uint64_t script_spin_ip(void); /* where a waiter spins */
uint64_t script_halt_ip(bool pv);
uint64_t script_pv_spin_ip(void);
uint64_t script_ipi_ip(void);

#endif /* SIM_SIM_H */
