/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each vCPU did in the current interval, from the host's records as they come: for live
 * displays and, interval after interval added up, for counters. Records may come ring by ring, so
 * the times of one vCPU may jump back a little where it changed its pCPU; such steps count as
 * nothing.
 */
#ifndef KVMSCHED_LIVE_H
#define KVMSCHED_LIVE_H

#include "model.h"

/* Lengths of bursts, PLE exits: up to 1, 2, 4 ... 2^14, and longer ones. */
#define KS_LIVE_BUCKETS 16

struct ks_live_vcpu {
	bool used;
	uint32_t tgid, tid, vcpu_id;
	int32_t pcpu; /* where it ran last, -1 = not known */
	enum ks_vstate state;
	uint64_t since;		     /* ns, of state, or of the interval's begin */
	uint64_t woken;		     /* see ks_vstate_after() */
	uint64_t state_ns[KS_V_MAX]; /* in this interval */
	uint64_t bursts, burst_exits, longest_burst;
	uint64_t burst_last; /* end of the open burst, 0 = none */
	uint64_t open_exits; /* exits in it */
	uint64_t ip;	     /* where its last PLE exit was, 0 = not known */
	uint64_t migrations, node_migrations;
	uint64_t ended[KS_LIVE_BUCKETS]; /* bursts that are over, by length */
	uint64_t ended_exits;		 /* exits in these */
};

struct ks_live {
	struct ks_live_vcpu *vcpu; /* by slot */
	uint32_t n;
	uint64_t burst_gap_ns;
	uint64_t lost; /* records lost in this interval */
	/* pCPU -> NUMA node, for node_migrations: the caller's, may stay NULL. -1 = not known. */
	const int32_t *cpu_node;
	uint32_t ncpus;
};

/* 0 or -ENOMEM. */
int ks_live_init(struct ks_live *l, uint32_t slots, uint64_t burst_gap_ns);
void ks_live_free(struct ks_live *l);

/* One record of the host's probe in mode bursts. */
void ks_live_feed(struct ks_live *l, const struct ks_rec *rec);

/* Bring the states' times up to now (ns), so that shares can be read. */
void ks_live_settle(struct ks_live *l, uint64_t now);

/* Begin a new interval: counters to zero, states stay. For all vCPUs, or for that of one slot. */
void ks_live_next(struct ks_live *l);
void ks_live_next_slot(struct ks_live *l, uint32_t slot);

#endif /* KVMSCHED_LIVE_H */
