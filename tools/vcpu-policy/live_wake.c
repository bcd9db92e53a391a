// SPDX-License-Identifier: GPL-2.0
/* vnuma-wake. */
#include <stddef.h>
#include <stdlib.h>

#include "cli.h"
#include "live.h"
#include "wake.h"

struct live_wake {
	struct live live;
	struct ks_wake_opts opts;
	struct ks_wake *wake;
};

static const struct state_count counts[] = {
	{ "woken_prev_idle", offsetof(struct wake_counts, prev_idle) },
	{ "woken_node_idle", offsetof(struct wake_counts, node_idle) },
	{ "woken_any_idle", offsetof(struct wake_counts, any_idle) },
	{ "woken_preempting", offsetof(struct wake_counts, preempted) },
	{ "queued", offsetof(struct wake_counts, queued) },
	{ "queued_sooner", offsetof(struct wake_counts, sooner) },
	{ "kept_short_sleeper", offsetof(struct wake_counts, kept) },
	{ "stolen_from_other_node", offsetof(struct wake_counts, other_node) },
	{ "avoided_preempted", offsetof(struct wake_counts, avoided) },
	{ "rescued", offsetof(struct wake_counts, rescued) },
	{ "polls", offsetof(struct wake_counts, polls) },
	{ "poll_hits", offsetof(struct wake_counts, poll_hits) },
	{ "poll_ns", offsetof(struct wake_counts, poll_ns) },
	{ "halt_wakes", offsetof(struct wake_counts, halt_wakes) },
	{ "halt_wake_ns", offsetof(struct wake_counts, halt_wake_ns) },
	{ "switches", offsetof(struct wake_counts, switches) },
	{ "run_ns", offsetof(struct wake_counts, run_ns) },
	{ "steal_ns", offsetof(struct wake_counts, steal_ns) },
	{ 0 },
};

_Static_assert(sizeof(struct wake_counts) <= sizeof(((struct state *)0)->sum), "too many counts");

static struct live_wake *wake_of(const struct live *l)
{
	return (struct live_wake *)l;
}

static void tell_poll(const struct live_wake *w)
{
	const char *no = ks_wake_no_poll(w->wake);

	if (no && w->opts.poll_ns == KS_WAKE_POLL_AUTO)
		cli_note("idle CPUs do not wait awake before they halt: %s", no);
	else if (no)
		cli_warn("idle CPUs do not wait awake before they halt: %s", no);
	else if (ks_wake_poll_ns(w->wake))
		cli_note("idle CPUs wait awake for up to %.0f us before they halt",
			 (double)ks_wake_poll_ns(w->wake) / 1e3);
}

static int attach(struct live *l, struct ks_err *err)
{
	struct live_wake *w = wake_of(l);
	int ret;

	l->state.backend = "sched_ext";
	ret = ks_wake_attach(&w->wake, &w->opts, l->journal, err);
	if (!ret)
		tell_poll(w);
	return ret;
}

/* There is nothing to wait for but the end. */
static int poll(struct live *l, int timeout_ms, struct ks_err *err)
{
	(void)timeout_ms;
	return ks_wake_ended(wake_of(l)->wake, err);
}

static void refresh(struct live *l)
{
	ks_wake_refresh(wake_of(l)->wake);
}

static void tell(struct live *l)
{
	ks_wake_counts(wake_of(l)->wake, (struct wake_counts *)l->state.sum);
}

static int detach(struct live *l, struct ks_undone *u)
{
	return ks_wake_detach(wake_of(l)->wake, u);
}

static void summary(const struct live *l, const struct ks_undone *u)
{
	const struct wake_counts *sum = (const struct wake_counts *)l->state.sum;

	(void)u;
	cli_note("%llu wake-ups on an idle CPU, %llu waited for their turn",
		 (unsigned long long)(sum->prev_idle + sum->node_idle + sum->any_idle),
		 (unsigned long long)sum->queued);
	if (sum->polls)
		cli_note("idle CPUs waited awake %llu times, and were asked for %llu times",
			 (unsigned long long)sum->polls, (unsigned long long)sum->poll_hits);
}

static const struct live_ops ops = {
	.rests = true,
	.attach = attach,
	.poll = poll,
	.refresh = refresh,
	.tell = tell,
	.detach = detach,
	.summary = summary,
};

struct live *live_wake(const struct ks_wake_opts *o)
{
	struct live_wake *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->opts = *o;
	w->live.ops = &ops;
	w->live.state.counts = counts;
	return &w->live;
}
