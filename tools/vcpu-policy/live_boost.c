// SPDX-License-Identifier: GPL-2.0
/* ple-boost and holder-boost. */
#include <stddef.h>
#include <stdlib.h>

#include "boost.h"
#include "cli.h"
#include "live.h"

struct live_boost {
	struct live live;
	struct ks_boost_opts opts;
	enum ks_boost_backend how;
	struct ks_vmset vms;
	struct ks_share share;
	struct ks_boost *boost;
};

static const struct state_count counts[] = {
	{ "ple", offsetof(struct boost_counts, ple) },
	{ "bursts", offsetof(struct boost_counts, bursts) },
	{ "asked", offsetof(struct boost_counts, asked) },
	{ "boosted", offsetof(struct boost_counts, boosted) },
	{ "boosted_in_kernel", offsetof(struct boost_counts, kernel) },
	{ "boosted_elsewhere", offsetof(struct boost_counts, remote) },
	{ "nobody", offsetof(struct boost_counts, none) },
	{ "slices_given", offsetof(struct boost_counts, given) },
	{ "given_ns", offsetof(struct boost_counts, given_ns) },
	{ "switches", offsetof(struct boost_counts, switches) },
	{ "run_ns", offsetof(struct boost_counts, run_ns) },
	{ "react_ns", offsetof(struct boost_counts, react_ns) },
	{ "exact", offsetof(struct boost_counts, exact) },
	{ "says_holder", offsetof(struct boost_counts, says_holder) },
	{ "says_waiter", offsetof(struct boost_counts, says_waiter) },
	{ "says_self", offsetof(struct boost_counts, says_self) },
	{ "says_ipi", offsetof(struct boost_counts, says_ipi) },
	{ "says_nothing", offsetof(struct boost_counts, says_nothing) },
	{ "no_page", offsetof(struct boost_counts, no_page) },
	{ "no_proof", offsetof(struct boost_counts, no_proof) },
	{ "graces", offsetof(struct boost_counts, graces) },
	{ "graced_ns", offsetof(struct boost_counts, graced_ns) },
	{ "overdrawn", offsetof(struct boost_counts, overdrawn) },
	{ "handed", offsetof(struct boost_counts, handed) },
	{ "parted", offsetof(struct boost_counts, parted) },
	{ "rescued", offsetof(struct boost_counts, rescued) },
	{ 0 },
};

_Static_assert(sizeof(struct boost_counts) <= sizeof(((struct state *)0)->sum), "too many counts");

static struct live_boost *boost_of(const struct live *l)
{
	return (struct live_boost *)l;
}

static int attach(struct live *l, struct ks_err *err)
{
	struct live_boost *b = boost_of(l);
	int ret = ks_boost_attach(&b->boost, b->how, &b->opts, &b->vms, l->journal, err);

	if (!ret)
		l->state.backend = ks_boost_backend(b->boost);
	return ret;
}

static int poll(struct live *l, int timeout_ms, struct ks_err *err)
{
	return ks_boost_poll(boost_of(l)->boost, timeout_ms, err);
}

static void refresh(struct live *l)
{
	ks_boost_refresh(boost_of(l)->boost);
}

static void tell(struct live *l)
{
	struct live_boost *b = boost_of(l);
	struct state *s = &l->state;

	ks_boost_counts(b->boost, (struct boost_counts *)s->sum);
	ks_share_read(&b->share, &b->vms);
	ks_boost_threads(b->boost, &s->taken, &s->left);
	ks_boost_pages(b->boost, &s->pages, &s->doubt);
	s->quota = ks_vmset_with_quota(&b->vms);
}

static int detach(struct live *l, struct ks_undone *u)
{
	return ks_boost_detach(boost_of(l)->boost, u);
}

static void summary(const struct live *l, const struct ks_undone *u)
{
	const struct boost_counts *sum = (const struct boost_counts *)l->state.sum;
	const struct state *s = &l->state;

	cli_note("%u vCPU threads, %llu slices given up, %llu boosts; %u changes undone", s->taken,
		 (unsigned long long)sum->given, (unsigned long long)sum->boosted, u->undone);
	if (s->left)
		cli_warn("%u vCPU threads left alone: not scheduled by the fair class, or in a "
			 "cgroup "
			 "that cannot be divided without touching others",
			 s->left);
	if (s->quota)
		cli_warn("%u VMs with a CPU quota are left alone; --ignore-quota takes them",
			 s->quota);
}

static const struct live_ops ops = {
	.attach = attach,
	.poll = poll,
	.refresh = refresh,
	.tell = tell,
	.detach = detach,
	.summary = summary,
};

struct live *live_boost(const struct ks_boost_opts *o, bool by_cgroup, const char *const *vms,
			unsigned int nvms, bool ignore_quota)
{
	struct live_boost *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->opts = *o;
	b->how = by_cgroup ? KS_BOOST_CGROUP : KS_BOOST_SCX;
	b->vms.chosen = vms;
	b->vms.nchosen = nvms;
	/* In cgroups the kernel's own scheduler goes on, and its quotas hold. */
	b->vms.ignore_quota = ignore_quota || by_cgroup;
	b->live.ops = &ops;
	b->live.state.counts = counts;
	b->live.state.vms = &b->vms;
	b->live.state.share = &b->share;
	return &b->live;
}
