/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The simulated machines' clocks. The host's CLOCK_MONOTONIC is the time of the world; its TSC
 * runs beside it, the guests' TSCs are scaled and shifted copies of that, and each guest's
 * CLOCK_MONOTONIC runs on a rate of its own. Rates change now and then, as under NTP.
 */
#ifndef SIM_SIMCLOCK_H
#define SIM_SIMCLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "params.h"
#include "rng.h"

struct sim_host_clock {
	uint64_t mono0;
	long double tsc0;
	double nominal, rate; /* TSC ticks per ns, now */
	uint64_t next_slew;
};

struct sim_guest_clock {
	uint32_t frac;	/* fraction bits of the ratio */
	uint64_t ratio; /* fixed point; 0 = not scaled */
	int64_t offset;
	bool kvmclock; /* its monotonic clock does not see a change of the offset */
	long double mono0, host_tsc0;
	double nominal, rate; /* guest's ns per tick of the host's TSC, now */
	uint64_t next_slew;
};

void simclock_host_init(struct sim_host_clock *c, const struct params *p, struct rng *r);
void simclock_guest_init(struct sim_guest_clock *g, struct sim_host_clock *h,
			 const struct params *p, struct rng *r);

/* All of `now`, the world's time. */
long double simclock_host_tsc(const struct sim_host_clock *c, uint64_t now);
long double simclock_guest_tsc(const struct sim_guest_clock *g, long double host_tsc);
uint64_t simclock_guest_mono(const struct sim_guest_clock *g, const struct sim_host_clock *h,
			     uint64_t now);

/* Change the rates if it is time to. */
void simclock_host_slew(struct sim_host_clock *c, const struct params *p, struct rng *r,
			uint64_t now);
void simclock_guest_slew(struct sim_guest_clock *g, const struct sim_host_clock *h,
			 const struct params *p, struct rng *r, uint64_t now);

/* The host writes another TSC offset. */
void simclock_offset(struct sim_guest_clock *g, const struct sim_host_clock *h, struct rng *r,
		     uint64_t now);

#endif /* SIM_SIMCLOCK_H */
