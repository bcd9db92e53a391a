/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMs of a host over a long time, with counters that never go backwards while a VM lives,
 * however its vCPUs' threads come and go. Bounded: so many VMs and vCPUs at most, and a VM that has
 * ended is forgotten after a while.
 *
 * A VM is a process; a vCPU is its number in that process. A vCPU is known from its first exit on.
 */
#ifndef KVMSCHED_FLEET_H
#define KVMSCHED_FLEET_H

#include "live.h"
#include "ple_trace.h"

struct ks_vminfo;

struct ks_fleet_sums {
	uint64_t exits[KS_NREASONS]; /* by dense reason: ks_reason_of_index() */
	uint64_t state_ns[KS_V_MAX];
	uint64_t bursts; /* begun */
	uint64_t migrations, node_migrations;
	uint64_t ended[KS_LIVE_BUCKETS]; /* bursts that are over, by PLE exits */
	uint64_t ended_exits;		 /* exits in these */
};

struct ks_fleet_vcpu {
	uint32_t id;
	uint32_t threads; /* that run it now: 0 if it is gone, 1 in practice */
	struct ks_fleet_sums sums;
};

struct ks_fleet_vm {
	uint32_t tgid;
	char name[64]; /* printable */
	char uuid[37]; /* "" if not known */
	const char *vmm;
	bool described; /* name and the like are known */
	bool ended;
	uint64_t ended_ns;	     /* when */
	uint32_t threads;	     /* of vCPUs that have been seen and live */
	uint32_t expected;	     /* vCPUs that it has, seen or not; 0 = not known */
	uint32_t unseen;	     /* vCPUs that it has, but that have not exited yet */
	struct ks_fleet_vcpu **vcpu; /* by id */
	uint32_t nvcpus;
	struct ks_fleet_sums sums; /* of all its vCPUs */
};

/* Where the fleet asks for what records do not tell. */
struct ks_fleet_source {
	void *ctx;
	/* Cumulative exits of the vCPU in a slot, by dense reason. */
	void (*counts)(void *ctx, uint32_t slot, uint64_t counts[KS_NREASONS]);
	/* As ks_vm_read(). */
	int (*describe)(void *ctx, uint32_t tgid, struct ks_vminfo *vm);
	/* Is there still such a process? */
	bool (*alive)(void *ctx, uint32_t tgid);
};

struct ks_fleet_opts {
	uint32_t max_vms, max_vcpus; /* those that have ended and are still shown included */
	uint32_t slots;		     /* of the probe */
	uint64_t burst_gap_ns;
	uint64_t keep_ns;	 /* how long an ended VM is shown */
	const int32_t *cpu_node; /* pCPU -> NUMA node or -1, borrowed; may be NULL */
	uint32_t ncpus;
};

struct ks_fleet_slot;

struct ks_fleet {
	struct ks_fleet_opts opts;
	struct ks_fleet_source source;
	struct ks_live live;
	struct ks_fleet_slot *slot;
	struct ks_fleet_vm **vm; /* in order of appearance */
	uint32_t nvms, nvcpus;
	uint64_t refused; /* vCPUs for which there was no room */
};

/* 0 or -ENOMEM; free in any case. */
int ks_fleet_init(struct ks_fleet *f, const struct ks_fleet_opts *o,
		  const struct ks_fleet_source *source);
void ks_fleet_free(struct ks_fleet *f);

/* A VM that is there although none of its vCPUs has exited yet. */
void ks_fleet_found(struct ks_fleet *f, const struct ks_vminfo *vm);

/* One record of the host's probe in mode bursts. */
void ks_fleet_feed(struct ks_fleet *f, const struct ks_rec *rec);

/*
 * The vCPU in this slot has ended, which its record would have told had it not been lost. To be called
 * before its counts are taken away; now: ns, the records' clock.
 */
void ks_fleet_gone(struct ks_fleet *f, uint32_t slot, uint64_t now);

/* Bring all counters up to now (ns, the records' clock), forget what has ended long ago. */
void ks_fleet_update(struct ks_fleet *f, uint64_t now);

/*
 * Ask after the VMs themselves: ends that no record told of, vCPUs not seen yet. Reads /proc; every
 * ten seconds or so is often enough.
 */
void ks_fleet_refresh(struct ks_fleet *f, uint64_t now);

#endif /* KVMSCHED_FLEET_H */
