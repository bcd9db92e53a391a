// SPDX-License-Identifier: GPL-2.0
#include "simclock.h"

static double slewed(double nominal, const struct params *p, struct rng *r)
{
	return nominal * (1 + p->slew_ppm * 1e-6 * (2 * rng_unit(r) - 1));
}

void simclock_host_init(struct sim_host_clock *c, const struct params *p, struct rng *r)
{
	c->mono0 = 0;
	c->tsc0 = (long double)rng_range(r, 1ull << 40, 1ull << 50);
	c->nominal = 2.1 + 1.5 * rng_unit(r);
	c->rate = slewed(c->nominal, p, r);
	c->next_slew = 0;
}

void simclock_guest_init(struct sim_guest_clock *g, struct sim_host_clock *h,
			 const struct params *p, struct rng *r)
{
	double scale = p->scaled ? 0.7 + 0.6 * rng_unit(r) : 1;

	g->frac = p->seed % 2 ? 32 : 48; /* AMD or Intel, one host */
	g->ratio = p->scaled ? (uint64_t)(scale * (double)(1ull << g->frac)) : 0;
	/* A guest's TSC starts near 0 when it boots. */
	g->offset = -(int64_t)(h->tsc0 * (long double)scale) +
		    (int64_t)rng_range(r, 1ull << 30, 1ull << 36);
	g->kvmclock = p->kvmclock;
	g->mono0 = (long double)rng_range(r, 1000000000, 100000000000);
	g->host_tsc0 = h->tsc0;
	/* The crystal's true rate is not exactly what the guest believes. */
	g->nominal = (1 + 30e-6 * (2 * rng_unit(r) - 1)) / h->nominal;
	g->rate = slewed(g->nominal, p, r);
	g->next_slew = 0;
}

long double simclock_host_tsc(const struct sim_host_clock *c, uint64_t now)
{
	return c->tsc0 + (long double)(now - c->mono0) * c->rate;
}

long double simclock_guest_tsc(const struct sim_guest_clock *g, long double host_tsc)
{
	long double scaled = host_tsc;

	if (g->ratio)
		scaled = host_tsc * (long double)g->ratio / (long double)(1ull << g->frac);
	return scaled + (long double)g->offset;
}

static long double guest_mono(const struct sim_guest_clock *g, const struct sim_host_clock *h,
			      uint64_t now)
{
	return g->mono0 + (simclock_host_tsc(h, now) - g->host_tsc0) * g->rate;
}

uint64_t simclock_guest_mono(const struct sim_guest_clock *g, const struct sim_host_clock *h,
			     uint64_t now)
{
	return (uint64_t)guest_mono(g, h, now);
}

void simclock_host_slew(struct sim_host_clock *c, const struct params *p, struct rng *r,
			uint64_t now)
{
	if (now < c->next_slew)
		return;
	c->tsc0 = simclock_host_tsc(c, now);
	c->mono0 = now;
	c->rate = slewed(c->nominal, p, r);
	c->next_slew = now + rng_range(r, p->slew_every / 2, p->slew_every * 2);
}

static void rebase(struct sim_guest_clock *g, const struct sim_host_clock *h, uint64_t now)
{
	g->mono0 = guest_mono(g, h, now);
	g->host_tsc0 = simclock_host_tsc(h, now);
}

void simclock_guest_slew(struct sim_guest_clock *g, const struct sim_host_clock *h,
			 const struct params *p, struct rng *r, uint64_t now)
{
	if (now < g->next_slew)
		return;
	rebase(g, h, now);
	/* What programs read (ktime_get_mono_fast_ns) may step back a little then. */
	g->mono0 -= (long double)rng_range(r, 0, 12);
	g->rate = slewed(g->nominal, p, r);
	g->next_slew = now + rng_range(r, p->slew_every / 2, p->slew_every * 2);
}

void simclock_offset(struct sim_guest_clock *g, const struct sim_host_clock *h, struct rng *r,
		     uint64_t now)
{
	int64_t jump = (int64_t)rng_range(r, 1ull << 20, 1ull << 32);

	if (g->kvmclock && rng_range(r, 0, 1))
		jump = -jump;
	rebase(g, h, now);
	g->offset += jump;
	/* A clock that counts the TSC itself jumps with it. */
	if (!g->kvmclock) {
		long double scale = g->ratio ?
					    (long double)g->ratio / (long double)(1ull << g->frac) :
					    1;

		g->mono0 += (long double)jump / scale * g->rate;
	}
}
