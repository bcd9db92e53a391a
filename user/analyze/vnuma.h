/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual NUMA: the topology that a guest believes against what its host does, and what the guest's
 * scheduler makes of it. One pass, fed by the callbacks of an analysis; rules: docs/vnuma.md.
 * Memory is bounded by vCPUs, nodes and the guests' threads (of which at most 65,536 per VM are
 * remembered); only the wasted time takes 8 bytes per second of the trace.
 */
#ifndef KVMSCHED_VNUMA_H
#define KVMSCHED_VNUMA_H

#include <stdbool.h>
#include <stdint.h>

#include "analyze.h"

#define KS_VN_NODES 64	/* further nodes count as not known */
#define KS_VN_MOVES 256 /* changes of node that are told one by one, per VM */
#define KS_VN_WORST 128 /* worst cases told one by one, per VM and disease */
#define KS_VN_SLEEPS 40 /* sleeps by length: from 2^i ns up to twice that */
#define KS_VN_CAUSES 8	/* KS_MOVE_* */

/* Zero-initialise it: 0 stands for each default. */
struct ks_vnuma_opts {
	uint64_t short_ns; /* a sleep up to this long is short: 1 ms */
	uint64_t min_ns;   /* shorter waits are no case of a disease: 100 us */
};

/* Times in ns on the host's CLOCK_MONOTONIC, durations in ns. */
struct ks_vnuma_vcpu {
	int32_t believed;	       /* the guest's node of it, -1 if not known */
	uint64_t node_ns[KS_VN_NODES]; /* running, by the host's node */
	uint64_t nowhere_ns;	       /* running, the node is not known */
	uint64_t away_ns;      /* running on a node that the believed one does not stand for */
	uint64_t node_changes; /* from running on one node to running on another */
	uint64_t idle_ns;      /* in the guest's eyes, and free to run */
};

/* KS_MOVE_* in a word; NULL if there is none. */
const char *ks_move_name(unsigned int by);

struct ks_vnuma_move {
	uint64_t time;
	uint32_t vcpu; /* index into ks_analysis_vcpus() */
	int32_t from, to;
};

/* Why an idle vCPU was not taken. */
enum ks_passed_why {
	KS_PASSED_UNKNOWN,
	KS_PASSED_FLAGGED, /* every one of them was flagged as preempted */
	KS_PASSED_NODE,	   /* all of them were on other nodes than the CPU that was taken */
	KS_PASSED_MAX,
};

const char *ks_passed_name(enum ks_passed_why why);

/* One wait of a thread. */
struct ks_vnuma_case {
	uint64_t time;	  /* of the wake-up */
	uint64_t wait_ns; /* until it ran */
	uint64_t
		cost_ns; /* of it, while a vCPU that it may use was idle (passed over), or all of it */
	uint32_t pid;
	uint32_t cpu;	/* where the wake-up put it; it may have run on another one */
	uint32_t other; /* passed over: an idle CPU; overloaded: the thread that was pulled */
	enum ks_passed_why why;
};

struct ks_vnuma_disease {
	uint64_t count, cost_ns;
	struct ks_vnuma_case worst[KS_VN_WORST]; /* the dearest first */
	uint32_t nworst;
};

struct ks_vnuma_vm {
	/* what the guest believes */
	bool guest;		   /* there is a guest's trace */
	bool queues;		   /* with switches in it: below `span_ns` there are numbers */
	uint32_t guest_nodes;	   /* highest number + 1, 0 if not known */
	int32_t home[KS_VN_NODES]; /* host node that a guest node stands for, -1 if none */
	bool same_nodes;	   /* it stands for the one of its number: both have the same */
	/* host */
	uint64_t nmoves;
	struct ks_vnuma_move moves[KS_VN_MOVES]; /* the first of them */
	uint64_t memory_samples;
	uint64_t memory_first[KS_VN_NODES + 1][KS_VN_NODES]; /* bytes by guest node, host node; */
	uint64_t memory_last[KS_VN_NODES + 1][KS_VN_NODES];  /* [KS_VN_NODES]: not known of which */
	/* the guest's threads, while both sides were recorded */
	uint64_t span_ns;     /* in which both sides were recorded */
	uint64_t blind_ns;    /* of it, records of the guest are lost: not looked at */
	uint64_t wait_ns;     /* sum over threads: runnable and not running */
	uint64_t unplaced_ns; /* of it, nobody tells where the thread may run */
	uint64_t wasted_ns;   /* vCPU time idle while somebody waited that could have run there */
	uint64_t *second_ns;  /* of it, by second from `begin` on */
	uint64_t nseconds, begin;
	struct ks_vnuma_disease passed, overloaded;
	uint64_t passed_why[KS_PASSED_MAX];
	uint64_t flags_looked, flags_set; /* idle vCPUs whose preempted flag was looked at; set */
	uint64_t moves_by[KS_VN_CAUSES], node_moves_by[KS_VN_CAUSES]; /* threads, by KS_MOVE_* */
	uint64_t sleeps[KS_VN_SLEEPS], nsleeps, short_sleeps;
	uint64_t forgotten; /* threads, for want of room */
};

/* A thread of the guest that changed its CPU. */
struct ks_vnuma_migration {
	uint64_t time;
	uint32_t tid;
	uint32_t from, to; /* index into ks_analysis_vcpus(), KS_NO_VCPU if not known */
	uint8_t by;	   /* KS_MOVE_* */
};

/*
 * What is found, one by one as it is, for whoever draws it; all optional. Cases have their CPUs by the
 * guest's numbers: see ks_vnuma_cpu().
 */
struct ks_vnuma_watch {
	void (*migration)(void *ctx, uint32_t vm, const struct ks_vnuma_migration *m);
	void (*passed)(void *ctx, uint32_t vm, const struct ks_vnuma_case *c);
	void (*overloaded)(void *ctx, uint32_t vm, const struct ks_vnuma_case *c);
	/* So many vCPUs are wasted, in this stretch. */
	void (*wasted)(void *ctx, uint32_t vm, uint64_t from, uint64_t to, uint32_t vcpus);
	void *ctx;
};

struct ks_vnuma;

/* 0 or -ENOMEM; opts may be NULL. */
int ks_vnuma_new(struct ks_vnuma **out, const struct ks_vnuma_opts *opts);
void ks_vnuma_free(struct ks_vnuma *v);

/* Hook into the callbacks (segment, event; sets ctx), before the analysis is made. */
void ks_vnuma_ops(struct ks_vnuma *v, struct ks_analysis_ops *ops);

/* Before the first event. */
void ks_vnuma_watch(struct ks_vnuma *v, const struct ks_vnuma_watch *w);

/* For whoever needs the callbacks for something else as well: what the hooks do; ctx: v. */
void ks_vnuma_segment(void *ctx, const struct ks_segment *s);
void ks_vnuma_event(void *ctx, const struct ks_event *ev);

/* Once the analysis is there, before it is fed; both must outlive v. 0 or -ENOMEM. */
int ks_vnuma_begin(struct ks_vnuma *v, const struct ks_analysis *a, struct ks_reader *host);

/* Between begin and the first event, for each guest's trace, with what ks_analysis_guest() got. */
int ks_vnuma_guest(struct ks_vnuma *v, struct ks_reader *host, struct ks_reader *guest, uint32_t vm,
		   ks_map_fn map, void *map_ctx);

/* After ks_analysis_end(). 0, or -ENOMEM if there was no memory on the way. */
int ks_vnuma_end(struct ks_vnuma *v);

/* By the analysis's indices. Borrowed. */
const struct ks_vnuma_vm *ks_vnuma_vm(const struct ks_vnuma *v, uint32_t vm);
const struct ks_vnuma_vcpu *ks_vnuma_vcpu(const struct ks_vnuma *v, uint32_t vcpu);
/* The vCPU that is this CPU of the guest now, KS_NO_VCPU if none is known. */
uint32_t ks_vnuma_cpu(const struct ks_vnuma *v, uint32_t vm, uint32_t cpu);
/* The host's node of one of its CPUs, -1 if not known. */
int32_t ks_vnuma_node(const struct ks_vnuma *v, int32_t pcpu);
/* Of the host: highest node number known + 1. */
uint32_t ks_vnuma_nodes(const struct ks_vnuma *v);

/*
 * The guest's half alone, live: of its records as they come, without a host's trace. Nobody tells then
 * whether a vCPU that the guest holds for idle could run: all of them count as free, and what is said to
 * be wasted or passed over is the most that it can be.
 */
struct ks_vnuma_live_cpu { /* in this interval */
	int32_t node;
	uint64_t busy_ns, idle_ns;   /* online, a thread, or the idle thread, was current on it */
	uint64_t in[KS_VN_CAUSES];   /* threads that came to it, by KS_MOVE_* */
	uint64_t passed, overloaded; /* wake-ups that put a thread there */
};

struct ks_vnuma_live;

/* node: by CPU, -1 if not known. 0 or -ENOMEM; opts may be NULL. */
int ks_vnuma_live_new(struct ks_vnuma_live **out, const struct ks_vnuma_opts *opts,
		      const int32_t *node, uint32_t ncpus);
void ks_vnuma_live_free(struct ks_vnuma_live *l);

/* One record of the guest's scheduler, in the order of time. */
void ks_vnuma_live_feed(struct ks_vnuma_live *l, const struct ks_rec *rec);
/*
 * Bring all sums up to now (ns). What is fed later and is older is not summed up any more. -ENOMEM if there
 * was no memory on the way.
 */
int ks_vnuma_live_settle(struct ks_vnuma_live *l, uint64_t now);
/*
 * n records, which are all there are up to `until`: feed them, and settle to that. Of what came behind them,
 * up to `all`, only losses are looked at: the drain that finds one tells it with its own time, and what was
 * lost is older.
 */
int ks_vnuma_live_drain(struct ks_vnuma_live *l, const struct ks_rec *recs, size_t n, size_t all,
			uint64_t until);
/* Begin a new interval: the CPUs' sums to zero; those of the guest go on. */
void ks_vnuma_live_next(struct ks_vnuma_live *l);

const struct ks_vnuma_live_cpu *ks_vnuma_live_cpus(const struct ks_vnuma_live *l, uint32_t *n);
/* Of it: wait_ns, wasted_ns, passed, overloaded, moves_by and what goes with them. */
const struct ks_vnuma_vm *ks_vnuma_live_vm(const struct ks_vnuma_live *l);

#endif /* KVMSCHED_VNUMA_H */
