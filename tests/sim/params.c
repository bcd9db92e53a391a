// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "params.h"

#define US 1000ull
#define MS 1000000ull

/* One VM of eight vCPUs on four pCPUs, FIFO locks, good clocks, rings that never overflow. */
static void base(struct params *p)
{
	*p = (struct params){
		.duration = 250 * MS,
		.warmup = 10 * MS,
		.guest_skew = 2 * MS,
		.truth = true,
		.pcpus = 4,
		.nodes = 1,
		.vms = 1,
		.vcpus = 8,
		.policy = HOST_FAIR,
		.slice = 3 * MS,
		.balance_every = 4 * MS,
		.noise = 2,
		.yield_ppm = 300000,
		.fault_ppm = 2000,
		.threads = 10,
		.locks = 6,
		.algo = LOCK_FIFO,
		.user_ns = 20 * US,
		.kernel_ns = 4 * US,
		.hold_ns = 2 * US,
		.long_hold_ns = 25 * US,
		.sleep_ns = 400 * US,
		.long_hold_ppm = 60000,
		.nest_ppm = 120000,
		.sleep_ppm = 60000,
		.ipi_ppm = 5000,
		.spin_ppm = 3000,
		.wake_ppm = 20000,
		.lock_ppm = 900000,
		.irq_every = 2 * MS,
		.tick = 4 * MS,
		.irq_lock_ppm = 400000,
		.softirq_ppm = 300000,
		.pull_ppm = 400000,
		.pv_spin = 35 * US,
		.hold_threshold = 10 * US,
		.drain_every = 5 * MS,
		.host_ring = 1 << 20,
		.guest_ring = 1 << 20,
		.sample_every = 25 * MS,
		.bracket = 30,
		.slew_ppm = 0.1,
		.slew_every = 40 * MS,
		.kvmclock = true,
	};
}

static void fifo(struct params *p)
{
	p->irq_every = 0;
	p->ipi_ppm = p->spin_ppm = p->nest_ppm = p->fault_ppm = 0;
	p->policy = HOST_FIFO;
}

static void unfair(struct params *p)
{
	p->algo = LOCK_UNFAIR;
}

static void pv(struct params *p)
{
	p->algo = LOCK_PV;
	p->nest_ppm = 250000;
}

static void overcommit2(struct params *p)
{
	p->vcpus = 8;
	p->threads = 8;
	p->sleep_ppm = 5000;
}

static void overcommit4(struct params *p)
{
	p->vcpus = 16;
	p->threads = 16;
	p->sleep_ppm = 5000;
	p->yield_ppm = 100000;
}

static void ipi_storm(struct params *p)
{
	p->ipi_ppm = 200000;
	p->spin_ppm = 30000;
	p->lock_ppm = 500000;
}

static void multi_vm(struct params *p)
{
	p->vms = 3;
	p->vcpus = 4;
	p->threads = 6;
	p->apic_gap = 3;
	p->scaled = true;
}

static void idle_heavy(struct params *p)
{
	p->threads = 12;
	p->sleep_ppm = 500000;
	p->sleep_ns = 250 * US;
	p->wake_ppm = 150000;
	p->pull_ppm = 900000;
}

/* Losses of every kind: rings that overflow, and drops, between drains that follow fast. */
static void lossy(struct params *p)
{
	p->duration = 400 * MS;
	p->drain_every = p->seed % 2 ? 1 * MS : 4 * MS;
	p->algo = p->seed % 3;
}

static void lossy_host(struct params *p)
{
	lossy(p);
	p->host_ring = p->seed % 2 ? 70 : 260;
	p->host_drop_ppm = 1500;
}

static void lossy_guest(struct params *p)
{
	lossy(p);
	p->guest_ring = p->seed % 2 ? 30 : 75;
	p->guest_drop_ppm = 3000;
}

static void clock_drift(struct params *p)
{
	p->slew_ppm = 3;
	p->slew_every = 15 * MS;
	p->bracket = 90;
	p->kvmclock = false;
}

static void offset_change(struct params *p)
{
	p->offset_changes = 2;
	p->scaled = p->seed % 3 == 0;
	p->kvmclock = p->seed % 2;
}

static void nested_irq(struct params *p)
{
	p->irq_every = 150 * US;
	p->irq_lock_ppm = 900000;
	p->softirq_ppm = 800000;
	p->nest_ppm = 400000;
	p->locks = 10;
	p->fault_ppm = 5000;
}

static void migration(struct params *p)
{
	p->pcpus = 8;
	p->nodes = 2;
	p->vcpus = 12;
	p->threads = 18;
	p->balance_every = 300 * US;
	p->noise = 8;
	p->pull_ppm = 1000000;
	p->sleep_ppm = 200000;
}

static void late_guest(struct params *p)
{
	p->vms = 2;
	p->vcpus = 6;
	p->threads = 8;
	p->warmup = 60 * MS;
	p->guest_skew = 50 * MS;
}

static void bursts(struct params *p)
{
	p->bursts = true;
	p->ipi_ppm = 20000;
}

static void looks(struct params *p)
{
	fifo(p);
	p->looks = true;
}

/* What the recorder does by default: waits and holds below 10 us are left out. */
static void thresholds(struct params *p)
{
	p->wait_threshold = 10 * US;
	p->irq_every = 300 * US;
	p->irq_lock_ppm = 800000;
}

static void stray_try(struct params *p)
{
	p->stray_ppm = 20000;
	p->threads = 16;
}

static void come_and_go(struct params *p)
{
	multi_vm(p);
	p->come_and_go = true;
}

/* What is not `self` cannot be known then. */
static void contention(struct params *p)
{
	p->contention = true;
	p->algo = p->seed % 3;
}

/* Guest run queues recorded, threads that come and go, wake-ups that pass over idle vCPUs. */
static void vnuma(struct params *p)
{
	p->duration = 400 * MS;
	p->switches = true;
	p->memory = true;
	p->nodes = 2;
	p->vms = 1 + p->seed % 2;
	p->vcpus = 6;
	p->threads = p->seed % 3 ? 12 : 7;
	p->sleep_ppm = 300000;
	p->sleep_ns = 200 * US;
	p->wake_ppm = 100000;
	p->pull_ppm = 300000;
	p->skip_ppm = 250000;
}

static const struct {
	const char *name;
	void (*set)(struct params *p);
} scenarios[] = {
	{ "fifo", fifo },
	{ "unfair", unfair },
	{ "pv", pv },
	{ "overcommit2", overcommit2 },
	{ "overcommit4", overcommit4 },
	{ "ipi-storm", ipi_storm },
	{ "multi-vm", multi_vm },
	{ "idle-heavy", idle_heavy },
	{ "lossy-host", lossy_host },
	{ "lossy-guest", lossy_guest },
	{ "clock-drift", clock_drift },
	{ "offset-change", offset_change },
	{ "nested-irq", nested_irq },
	{ "migration", migration },
	{ "late-guest", late_guest },
	{ "bursts", bursts },
	{ "looks", looks },
	{ "thresholds", thresholds },
	{ "stray-try", stray_try },
	{ "contention", contention },
	{ "come-and-go", come_and_go },
	{ "vnuma", vnuma },
};

#define NSCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

const char *params_name(unsigned int i)
{
	return i < NSCENARIOS ? scenarios[i].name : NULL;
}

int params_scenario(struct params *p, const char *name, uint64_t seed)
{
	for (unsigned int i = 0; i < NSCENARIOS; i++) {
		if (strcmp(scenarios[i].name, name))
			continue;
		base(p);
		p->scenario = scenarios[i].name;
		p->seed = seed;
		scenarios[i].set(p);
		return 0;
	}
	return -1;
}

void params_limit(struct params *p, uint64_t events)
{
	p->max_events = events;
	p->duration = UINT64_MAX / 4;
	p->sample_every = 1000 * MS;
	p->slew_every = 4000 * MS;
	p->drain_every = 50 * MS;
}
