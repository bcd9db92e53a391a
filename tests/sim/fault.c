// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "fault.h"
#include "util.h"

/* The n-th wait whose verdict is c. */
static struct ks_wait *wait_with(struct run *r, enum ks_class c, size_t n)
{
	for (size_t i = 0; i < r->vms[0].nwaits; i++)
		if (r->vms[0].waits[i].verdict == c && !n--)
			return &r->vms[0].waits[i];
	die("no such wait to spoil");
}

static void move_share(struct ks_wait *w, enum ks_class from, enum ks_class to, uint64_t ns)
{
	if (ns > w->share[from])
		ns = w->share[from];
	w->share[from] -= ns;
	w->share[to] += ns;
}

/* Lock-holder preemption taken for a holder that runs, in every tenth wait. */
static void lhp_busy(struct run *r)
{
	for (size_t i = 0; i < r->vms[0].nwaits; i += 10) {
		struct ks_wait *w = &r->vms[0].waits[i];

		move_share(w, KS_C_LHP, KS_C_BUSY, UINT64_MAX);
		if (w->verdict == KS_C_LHP)
			w->verdict = KS_C_BUSY;
	}
}

/* Half a percent of everybody's time is given up as unknown. */
static void shy(struct run *r)
{
	for (size_t i = 0; i < r->vms[0].nwaits; i++)
		for (enum ks_class c = 0; c < KS_C_UNKNOWN; c++)
			move_share(&r->vms[0].waits[i], c, KS_C_UNKNOWN,
				   r->vms[0].waits[i].share[c] / 200 + 1000);
}

/* Whatever is not known is said to be this or that. */
static void bold(struct run *r)
{
	for (size_t i = 0; i < r->vms[0].nwaits; i++)
		move_share(&r->vms[0].waits[i], KS_C_UNKNOWN, i % 2 ? KS_C_BUSY : KS_C_LWP,
			   UINT64_MAX);
}

static void blame(struct run *r)
{
	struct ks_wait *w = wait_with(r, KS_C_LHP, 5);

	w->blame_vcpu = w->blame_vcpu == w->vcpu ? w->vcpu + 1 : w->vcpu;
}

static void unseen(struct run *r)
{
	*wait_with(r, KS_C_BUSY, 5) = r->vms[0].waits[--r->vms[0].nwaits];
}

static void invented(struct run *r)
{
	struct ks_wait *w = wait_with(r, KS_C_BUSY, 5);

	/* At the expense of another one of the same vCPU: the number stays. */
	w->lock += 8;
}

static void late(struct run *r)
{
	struct ks_wait *w = wait_with(r, KS_C_SELF, 5);

	w->try_time += r->vms[0].clock_error + 20;
}

static void exits(struct run *r)
{
	wait_with(r, KS_C_LHP, 5)->ple_total++;
}

static void sums(struct run *r)
{
	r->vcpus[1].tot.pause++;
}

static void idle(struct run *r)
{
	r->vms[0].tot.wasted_idle_ns += r->vms[0].tot.wasted_idle_ns / 10;
}

static void wasted(struct run *r)
{
	r->vms[0].wasted_ns -= r->vms[0].wasted_ns / 25;
}

static void overloaded(struct run *r)
{
	r->vms[0].overloaded += 3;
}

static const struct {
	const char *name, *scenario;
	void (*apply)(struct run *r);
} faults[] = {
	{ "lhp-as-busy", "unfair", lhp_busy }, { "shy", "overcommit2", shy },
	{ "bold-host", "lossy-host", bold },   { "bold-guest", "lossy-guest", bold },
	{ "blame", "overcommit2", blame },     { "unseen", "fifo", unseen },
	{ "invented", "fifo", invented },      { "late", "clock-drift", late },
	{ "exits", "unfair", exits },	       { "sums", "pv", sums },
	{ "idle", "idle-heavy", idle },	       { "wasted", "vnuma", wasted },
	{ "overloaded", "vnuma", overloaded },
};

#define NFAULTS (sizeof(faults) / sizeof(faults[0]))

const char *fault_name(unsigned int i, const char **scenario)
{
	if (i >= NFAULTS)
		return NULL;
	*scenario = faults[i].scenario;
	return faults[i].name;
}

void fault_apply(struct run *r, const char *name)
{
	for (unsigned int i = 0; i < NFAULTS; i++)
		if (!strcmp(faults[i].name, name)) {
			faults[i].apply(r);
			return;
		}
	die("no fault \"%s\"", name);
}
