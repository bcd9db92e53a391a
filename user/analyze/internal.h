/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside the analysis. Rules: docs/verdicts.md.
 *
 * A wait lives in three stages: open (KS_LOCK_TRY seen), pending (it ended; held back until
 * records that may be stamped a little later have come), resolved (classified and reported).
 */
#ifndef KVMSCHED_ANALYZE_INTERNAL_H
#define KVMSCHED_ANALYZE_INTERNAL_H

#include <stddef.h>

#include "analyze.h"
#include "history.h"
#include "loss.h"

#define AN_NEVER UINT64_MAX
#define AN_OPEN_MAX 8u		/* waits open at once on one vCPU: Linux needs four at most */
#define AN_BUDGET (24ull << 20) /* bytes that histories may grow to, all together */
#define AN_PENDING_MAX 65536u
#define AN_PLE_MAX 8192u	  /* PLE exits kept for one wait, the newest are dropped */
#define AN_BURST_HOLD 20000000ull /* ns a wait is held back when the trace has folded bursts */

/* PLE exits of one wait: one, or a part of a folded burst. */
struct an_exit {
	uint64_t first, last, ip;
	uint64_t count;
};

/* A look at the guest's lock page in a wait. */
struct an_look {
	uint64_t exit, time; /* of the PLE exit, and when the page was read */
	uint32_t named;	     /* vCPU, KS_NO_VCPU: none that is known */
	bool several;	     /* more than one says that it holds the lock */
	bool open;	     /* the lock was free: right or wrong turns out when it is taken */
	uint32_t last;	     /* ... and this one held it last, KS_NO_VCPU: not known */
};

/* A boost that is not over: picked, then in its turn, then done with it. */
struct an_boost {
	enum { AN_NO_BOOST, AN_PICKED, AN_TURN, AN_TURNED } stage;
	uint64_t time, until; /* of the boost; the end of the turn */
	uint64_t lock;	      /* that the spinner waits for, 0 = not known */
	uint32_t pcpu;	      /* where it is to run, KS_RING_ANY: elsewhere */
	bool let_go;
};

struct an_wait {
	uint64_t try_time, acq_time;
	uint64_t addr, ip;
	uint64_t ready; /* when it ended, as the stream goes */
	uint64_t seq;	/* its place in the lock's queue */
	uint32_t vm, vcpu, pid;
	uint8_t flags;
	bool acquired, partial;
	struct an_lock *lock;
	struct an_wait *next; /* free list, or the vCPU's pending list */
	struct an_exit *ple;
	uint32_t nple, cple;
	uint64_t ple_over; /* PLE exits that found no room */
	struct an_look *look;
	uint32_t nlook, clook;
};

/* One that waits or waited for a lock. */
struct an_queued {
	uint64_t try_time, end; /* end = AN_NEVER: still waiting */
	uint64_t ip;
	uint32_t vcpu, pid;
	uint8_t doubt;	  /* a later record contradicts it: when it ended is not known */
	uint8_t resolved; /* nobody asks for it on its own account any more */
};

struct an_hold {
	uint64_t acq, rel, ip;
	uint32_t vcpu, pid; /* vcpu KS_NO_VCPU: somebody */
};

/* What happened to a lock as far back as its unresolved waits need. */
struct an_past {
	struct an_hold *h;
	struct an_queued *q;
	uint32_t hcap, qcap;		     /* powers of two */
	uint64_t hhead, htail, qhead, qtail; /* sequence numbers */
	uint64_t qlive;			     /* everything before it is resolved */
	uint64_t from;			     /* before this time something may be missing */
	uint64_t base_rel;		     /* last release before the first hold kept; 0 = none */
	uint32_t base_vcpu;		     /* whose that was */
	bool unsorted;			     /* the queue is not in order of try_time */
	struct an_past *next;
};

struct an_lock {
	uint64_t addr;
	uint32_t vm;
	uint32_t nwait; /* open and pending waits */
	uint32_t epoch; /* of last use */
	uint32_t owner; /* vCPU that acquired it after a wait and has not released it */
	uint32_t owner_pid;
	uint64_t owner_acq, owner_ip;
	uint64_t last_rel; /* 0 = none seen */
	uint32_t last_vcpu;
	struct an_past *past;
	struct an_lock *next;
};

struct an_locks {
	struct an_lock *pool;
	struct an_lock *free;
	uint32_t *index; /* 0 = empty, else number in the pool + 1 */
	uint32_t cap, mask, epoch, used;
	struct an_past *pasts; /* free ones */
};

/* The last migration of a thread. */
struct an_move {
	uint64_t time;
	uint32_t key, from, to;
};

struct an_vcpu {
	struct ks_history hist;
	uint64_t hist_keep; /* nobody asks for anything older: a lower bound */
	struct ks_vcpu_totals tot;
	struct ks_burst burst; /* exits = 0: none open */
	struct an_boost boost;
	uint64_t last_pause; /* a PLE exit with a record of its own; 0 = none */
	struct an_move move;
	struct an_wait *open[AN_OPEN_MAX];
	uint32_t nopen;
	struct an_wait *pend, **pend_tail; /* in order of their end */
	int32_t since_pcpu;		   /* pCPU of the present state */
	uint64_t woken;			   /* see ks_vstate_after() */
	bool busy, idle;		   /* run queue in the guest; halted on the host */
	bool doubt;	     /* records of its guest ring were lost; may be waiting unseen */
	uint64_t doubt_to;   /* end of the loss */
	uint64_t queue_lost; /* until when records of its run queue may be lost */
};

struct an_hist {
	uint64_t n, max;
	uint64_t *bucket;
};

#define AN_MOVES 4096u

struct an_vm {
	struct ks_vm_totals tot;
	struct an_losses loss;
	int32_t *cpu_node;
	uint32_t ncpu_node;
	uint32_t *cpu_vcpu; /* guest CPU -> vCPU, KS_NO_VCPU if none */
	int32_t *apic_ids;
	uint32_t napic, ncpus;
	uint32_t first, n; /* its vCPUs in the model */
	uint64_t clock_error;
	struct ks_clockbreak *breaks;
	struct an_span *blind; /* the same, widened by the clock's error: disjoint, in order */
	size_t nbreaks, nblind, blind_next; /* next: first one that the stream has not come to */
	ks_map_fn map;			    /* of the guest's clock, NULL = identity */
	void *map_ctx;
	bool full;	      /* every release with a waiter was recorded */
	bool is_over;	      /* its recorder had been stopped by now */
	uint64_t end;	      /* when it was; AN_NEVER if not known, or passed */
	uint64_t begin, last; /* its first and last event */
	struct an_move *moves;
	struct an_hist per_wait;
	uint32_t ndoubt;
	uint64_t doubt_since; /* of the vCPUs in doubt now: the earliest loss */
	uint64_t doubt_end;   /* when the last doubt was cleared; 0 = there was none */
	uint32_t nidle, nbusy, nboth;
	uint64_t wasting; /* since when, AN_NEVER = not now */
};

/* Time blamed on one vCPU within one wait. */
struct an_blame {
	struct {
		uint64_t ns, longest;
		uint64_t ip; /* of the longest stretch of that class */
		uint32_t pid;
	} by[KS_C_WAIT_MAX];
	bool listed;
};

struct ks_analysis {
	struct ks_analysis_opts opts;
	struct ks_analysis_ops ops;
	struct ks_model model;
	struct an_vcpu *vcpu;
	struct an_vm *vm;
	uint32_t *src_vm; /* source -> VM, KS_NO_VCPU if none */
	uint32_t nsrc;
	struct an_locks locks;
	struct an_losses hloss;
	uint64_t host_lost; /* records */
	/*
	 * Until when records may be lost: departures by ring, of a ring that is not known (it may be
	 * every one), of any at all; wake-ups and arrivals of any.
	 */
	uint64_t *out_lost, every_out_lost, any_out_lost, wake_lost, in_lost;
	uint64_t *vcpu_in; /* when a vCPU got this pCPU last; 0 = never */
	uint32_t nrings;
	uint64_t burst_hold; /* AN_BURST_HOLD if the host trace has folded bursts, else 0 */

	struct an_wait **pending; /* ring */
	uint32_t pcap, phead, ptail;
	struct an_wait *free_waits;
	struct an_part *parts; /* of the burst that is split, see burst.c */
	uint32_t nparts;       /* there is room for */
	struct an_blame *blame;
	uint32_t *blamed;
	uint32_t nblamed;

	uint64_t first, now;   /* of the events fed */
	uint64_t host_begin;   /* first record of the host trace */
	uint64_t host_end;     /* its recorder was stopped; AN_NEVER if not known, or passed */
	uint64_t host_stopped; /* the same, also when it has passed */
	bool host_is_over;     /* ... that has passed */
	uint64_t host_first, host_last; /* of the host's events */
	uint64_t tick;			/* next time something is due besides events */
	bool any;
	uint64_t budget;
	uint64_t count[KS_TYPE_MAX];
	uint64_t ignored;
};

/* ---- host.c, hostloss.c, burst.c ---- */
void an_host_event(struct ks_analysis *a, const struct ks_event *ev);
void an_set_state(struct ks_analysis *a, uint32_t vcpu, uint64_t time, enum ks_vstate s,
		  int32_t pcpu);
/* The present state of the vCPU lasted until time. */
void an_end_segment(struct ks_analysis *a, uint32_t vcpu, uint64_t time);
int an_hostloss_init(struct ks_analysis *a, struct ks_reader *host);
void an_hostloss_step(struct ks_analysis *a, uint64_t now);
/* May a record that is lost now hide what a vCPU in this state (on this pCPU) does next? */
bool an_hostloss_doubt(const struct ks_analysis *a, enum ks_vstate s, uint32_t pcpu);
void an_hostloss_late(struct ks_analysis *a, const struct ks_event *ev);
void an_pause(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev);
void an_burst(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev);
void an_burst_flush(struct ks_analysis *a, uint32_t vcpu);
/* w: the wait that it belongs to, NULL if none. */
void an_ple(struct ks_analysis *a, uint32_t vcpu, const struct an_exit *x, enum ks_class c,
	    const struct an_wait *w);

/* ---- guest.c, guestloss.c ---- */
void an_guest_event(struct ks_analysis *a, uint32_t vm, const struct ks_event *ev);
/* The guest began to record at this time. */
void an_guest_begins(struct ks_analysis *a, uint32_t vm, uint64_t time);
void an_guestloss_step(struct ks_analysis *a, uint32_t vm, uint64_t now);
void an_guestloss_late(struct ks_analysis *a, uint32_t vm, const struct ks_event *ev);
void an_proved(struct ks_analysis *a, uint32_t vcpu, uint64_t time);

/* ---- blind.c: where the guest's times are not known ---- */
/* The first such span that ends after time; NULL: none. */
const struct an_span *an_blind_after(const struct an_vm *m, uint64_t time);
/* Is there one within [from, to]? */
bool an_blind_within(const struct an_vm *m, uint64_t from, uint64_t to);
static inline bool an_is_blind(const struct an_vm *m, uint64_t time)
{
	return m->nblind && an_blind_within(m, time, time);
}
/* How long the vCPU was in these states within two times of the guest, without what is not known. */
uint64_t an_time_seen(const struct ks_analysis *a, uint32_t vcpu, uint64_t from, uint64_t to,
		      unsigned int states);
void an_blind_step(struct ks_analysis *a, uint32_t vm, uint64_t now);

/* ---- lock.c ---- */
int an_locks_init(struct an_locks *l, uint32_t nvcpus);
void an_locks_free(struct an_locks *l);
struct an_lock *an_lock_find(struct an_locks *l, uint32_t vm, uint64_t addr);
/* Found or made; NULL if the table is full of locks that are waited for. */
struct an_lock *an_lock_get(struct an_locks *l, uint32_t vm, uint64_t addr);

/* ---- past.c ---- */
/* The lock's past, begun now if it has none. NULL without memory. */
struct an_past *an_past_get(struct ks_analysis *a, struct an_lock *k, uint64_t now);
/* Nobody waits for the lock any more. */
void an_past_put(struct ks_analysis *a, struct an_lock *k);
void an_past_hold(struct ks_analysis *a, struct an_past *p, const struct an_hold *h);
/* From `from` to `to` somebody held the lock, and nothing tells who. */
void an_past_unseen(struct ks_analysis *a, struct an_past *p, uint64_t from, uint64_t to);
uint64_t an_past_queue(struct ks_analysis *a, struct an_past *p, const struct an_queued *q);
static inline struct an_queued *an_past_queued(const struct an_past *p, uint64_t seq)
{
	return seq >= p->qhead && seq < p->qtail ? &p->q[seq & (p->qcap - 1)] : NULL;
}
/* Forget what no unresolved wait needs. */
void an_past_trim(struct an_past *p);

/* ---- wait.c ---- */
struct an_wait *an_wait_open(struct ks_analysis *a, uint32_t vcpu, const struct ks_rec *r,
			     uint64_t try_time, uint64_t ip, bool partial);
/* It ended at acq_time. Goes to the pending ones. */
void an_wait_end(struct ks_analysis *a, struct an_wait *w, uint64_t acq_time, bool acquired);
/* It is contradicted: nothing is known of its end. */
void an_wait_drop(struct ks_analysis *a, struct an_wait *w);
/* Drop the open waits of the vCPU down to depth `keep` of its stack. */
void an_wait_drop_from(struct ks_analysis *a, uint32_t vcpu, uint32_t keep);
void an_wait_exits(struct ks_analysis *a, struct an_wait *w, const struct an_exit *x);
/* False: there is no room for it. */
bool an_wait_look(struct ks_analysis *a, struct an_wait *w, const struct an_look *x);
/* Free it with all that hangs on it. */
void an_wait_free(struct an_wait *w);
/* Resolve what is due; all of it at the end of the trace. */
void an_pending_step(struct ks_analysis *a, uint64_t now, bool all);
/* Earliest beginning of an unresolved wait of this VM; now if there is none. */
uint64_t an_oldest_try(const struct ks_analysis *a, uint32_t vm);

/* ---- verdict.c, sweep.c ---- */
void an_resolve(struct ks_analysis *a, struct an_wait *w);

/* A stretch of a wait in which the lock has one holder, or is free with one next in order. */
enum an_kind { AN_HELD, AN_FREE_NEXT, AN_FREE_SELF, AN_UNSEEN };

struct an_piece {
	enum an_kind kind;
	uint32_t other; /* holder or next in order */
	uint32_t last;	/* free: who held it last, KS_NO_VCPU = not known */
	uint32_t pid;
	uint64_t ip;
	uint64_t from, to;
};

typedef void (*an_piece_fn)(void *ctx, const struct an_piece *p);
/* Cut [from, to) of the wait into pieces, in order, without gaps. */
void an_sweep(struct ks_analysis *a, const struct an_wait *w, uint64_t from, uint64_t to,
	      an_piece_fn fn, void *ctx);

/* ---- boost.c ---- */
void an_boost(struct ks_analysis *a, const struct ks_event *ev);
/* A record about where the vCPU runs. */
void an_boost_step(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev);
void an_boost_release(struct ks_analysis *a, uint32_t vcpu, uint64_t lock, uint64_t time);
/* No more records. */
void an_boost_end(struct ks_analysis *a, uint32_t vcpu);

/* ---- look.c ---- */
struct an_looks {
	struct an_wait *w;
	struct ks_policy_totals *t;
	uint32_t next; /* look to be judged */
	uint32_t open; /* the first one that waits for who takes the lock */
};

void an_look(struct ks_analysis *a, const struct ks_event *ev);
/* The next look, if it is in this piece; known: and the recording knows all about that moment. */
struct an_look *an_looks_in(struct an_looks *l, const struct an_piece *p);
void an_looks_judge(struct an_looks *l, const struct an_piece *p, bool known);
/* Looks at a free lock: taker got it, or nobody knows who (KS_NO_VCPU). */
void an_looks_taken(struct an_looks *l, uint32_t taker);
/* The rest of them. */
void an_looks_end(struct an_looks *l);

/* ---- move.c, idle.c, histogram.c ---- */
void an_vcpu_migrate(struct ks_analysis *a, uint32_t vcpu, const struct ks_event *ev);
void an_task_migrate(struct ks_analysis *a, uint32_t vm, const struct ks_event *ev);
void an_idle_update(struct ks_analysis *a, uint32_t vcpu, uint64_t time);
void an_busy_update(struct ks_analysis *a, uint32_t vcpu, uint64_t time, bool busy);
void an_idle_end(struct ks_analysis *a, uint32_t vm, uint64_t time);
int an_hist_add(struct an_hist *h, uint64_t value);
/* Smallest value that at least the fraction num/den of the values do not exceed. */
uint64_t an_hist_quantile(const struct an_hist *h, uint64_t num, uint64_t den);

static inline void an_due(struct ks_analysis *a, uint64_t time)
{
	if (time < a->tick)
		a->tick = time;
}

/* How long an ended wait is held back. */
static inline uint64_t an_hold_back(const struct ks_analysis *a, uint32_t vm)
{
	uint64_t e = a->vm[vm].clock_error, s = a->opts.slack_ns;

	e = e > s ? e : s;
	return e > a->burst_hold ? e : a->burst_hold;
}

#endif /* KVMSCHED_ANALYZE_INTERNAL_H */
