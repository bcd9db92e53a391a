/* SPDX-License-Identifier: GPL-2.0 */
/* What kind of world to simulate: parameters, and named scenarios that set them. */
#ifndef SIM_PARAMS_H
#define SIM_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

enum lock_algo { LOCK_FIFO, LOCK_UNFAIR, LOCK_PV };
enum host_policy { HOST_FAIR, HOST_FIFO };

/* Times in ns; names that end in _ppm are chances per million. */
struct params {
	const char *scenario;
	uint64_t seed;
	uint64_t duration;   /* of the recording */
	uint64_t warmup;     /* the world runs for this long before the recording starts */
	uint64_t guest_skew; /* a guest's recording begins and ends up to this earlier or later */
	uint64_t max_events; /* ends the recording earlier; 0 = no limit */
	bool truth, truth_file; /* follow it; write it to truth.jsonl */

	/* host */
	uint32_t pcpus, nodes, vms, vcpus;
	bool come_and_go; /* of three VMs one boots later, one is killed */
	enum host_policy policy;
	uint64_t slice, balance_every;
	uint32_t noise;	    /* other threads of the host */
	uint32_t yield_ppm; /* a directed yield that finds and runs somebody */
	uint32_t fault_ppm; /* of a critical section to be stopped by the host's page fault */

	/* guest */
	uint32_t threads, locks;
	enum lock_algo algo;
	uint64_t user_ns, kernel_ns, hold_ns, long_hold_ns, sleep_ns;
	uint32_t long_hold_ppm, nest_ppm, sleep_ppm, ipi_ppm, spin_ppm, wake_ppm, lock_ppm;
	uint64_t irq_every; /* device interrupts of a vCPU, mean distance; 0 = none */
	uint64_t tick;	    /* guest's timer tick */
	uint32_t irq_lock_ppm, softirq_ppm;
	uint32_t pull_ppm; /* newly idle vCPU pulls a thread */
	uint32_t skip_ppm; /* a wake-up that does not look for an idle vCPU */
	uint64_t pv_spin;  /* a PV waiter halts after this */
	uint32_t apic_gap; /* every so many APIC ids one is left out; 0 = none */

	/* recorder */
	uint64_t wait_threshold, hold_threshold, drain_every;
	bool bursts;			/* the host folds PLE exits */
	bool looks;			/* a policy reads lock pages that are never wrong */
	bool contention;		/* guests record waits only, no releases */
	bool switches;			/* guests record switches of threads, too */
	bool memory;			/* the host records on which nodes VMs' memory lies */
	uint32_t stray_ppm;		/* tries whose thread is switched out before it waits */
	uint32_t host_ring, guest_ring; /* records until a ring overflows */
	uint32_t host_drop_ppm, guest_drop_ppm; /* dropped on purpose */

	/* clocks */
	uint64_t sample_every, bracket;
	double slew_ppm; /* how much a clock's rate changes at a time */
	uint64_t slew_every;
	uint32_t offset_changes;
	bool scaled, kvmclock;
};

/* 0, or -1 if there is no such scenario. */
int params_scenario(struct params *p, const char *name, uint64_t seed);
/* Name of scenario i, NULL behind the last. */
const char *params_name(unsigned int i);
/* As long a recording as it takes to have so many records. */
void params_limit(struct params *p, uint64_t events);

#endif /* SIM_PARAMS_H */
