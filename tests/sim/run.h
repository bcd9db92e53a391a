/* SPDX-License-Identifier: GPL-2.0 */
/* The real analysis, run over a simulated recording as the tools do it; what it said. */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vnuma.h"

struct run_vm {
	uint32_t tgid;
	uint64_t clock_error; /* the bound that it states, ns */
	struct ks_vm_totals tot;
	uint64_t wasted_ns, passed, passed_ns; /* what the analysis of virtual NUMA says */
	uint64_t overloaded, overloaded_ns;    /* the same */
	uint64_t holds, hold_ns, hold_off, hold_waiters; /* sums over the holds reported */
	struct ks_wait *waits;
	size_t nwaits, cap;
};

struct run_vcpu {
	uint32_t vm, vcpu_id;
	struct ks_vcpu_totals tot;
	uint64_t segments[KS_V_MAX]; /* sum of the stretches that it reported */
	uint64_t bursts, burst_exits;
};

struct run {
	struct run_vm *vms;
	uint32_t nvms;
	struct run_vcpu *vcpus;
	uint32_t nvcpus;
	uint64_t ignored;
};

/* Runs it on the traces in dir: host.kvs and guest0.kvs ... of processes tgids[]. */
void run_analysis(struct run *r, const char *dir, const uint32_t *tgids, uint32_t nguests);
void run_free(struct run *r);

#endif /* SIM_RUN_H */
