// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "commands.h"
#include "live.h"
#include "now.h"
#include "ready.h"

#define NS 1000000000u

/* What a killed predecessor has left is put back first. */
static int undo_leftovers(struct live *l, struct ks_err *err)
{
	struct ks_undone u;
	int ret = ks_journal_undo(l->journal, &u);

	if (ret)
		snprintf(err->msg, sizeof(err->msg),
			 "%s/journal: %u of %u changes of a policy that was killed cannot be "
			 "undone: %s",
			 l->dir, u.failed, u.entries, strerror(-ret));
	else if (u.undone)
		cli_warn("undid %u changes that a killed policy had left", u.undone);
	policy_tell_left(&u);
	return ret;
}

static void tell_state(struct live *l)
{
	struct state *s = &l->state;

	memcpy(s->last, s->sum, sizeof(s->last));
	s->last_ns = s->now_ns;
	s->now_ns = ks_now_ns();
	l->ops->tell(l);
	if (state_write(l->dir, s))
		cli_warn("%s/status.json cannot be written: `status` shows nothing new", l->dir);
}

/* Until then, or until the end; a signal does not have to wait for it. */
static struct timespec time_until(const struct live *l, uint64_t then)
{
	uint64_t now = ks_now_ns(), end = l->state.begun_ns + l->duration_ns;

	if (l->duration_ns && end < then)
		then = end;
	then = then > now ? then - now : 0;
	return (struct timespec){ then / NS, then % NS };
}

static void look_at_signals(struct live *l, struct timespec within)
{
	int sig = child_signal_within(&within);

	if (sig == SIGCHLD)
		l->stop |= l->child.pid && child_reaped(&l->child);
	else if (sig > 0)
		l->stop = true;
	if (l->duration_ns && ks_now_ns() - l->state.begun_ns >= l->duration_ns)
		l->stop = true;
}

static int loop(struct live *l, struct ks_err *err)
{
	const struct timespec none = { 0, 0 };
	uint64_t second = ks_now_ns();
	int ret = 0;

	while (!ret && !l->stop) {
		ret = l->ops->poll(l, 100, err);
		look_at_signals(l, l->ops->rests && !ret ? time_until(l, second + NS) : none);
		if (ks_now_ns() - second < NS)
			continue;
		second += NS;
		l->ops->refresh(l);
		tell_state(l);
	}
	return ret;
}

static int attached(struct live *l, struct ks_err *err)
{
	struct ks_undone u;
	int ret = 0, end;

	l->state.late = late_start(l->ops->rests ? NS : NS / 10);
	l->state.begun_ns = l->state.now_ns = ks_now_ns();
	tell_state(l);
	ready_tell();
	if (l->command)
		ret = child_start(&l->child, l->command);
	if (ret)
		snprintf(err->msg, sizeof(err->msg), "%s: %s", l->command[0], strerror(-ret));
	else
		ret = loop(l, err);
	tell_state(l);
	late_stop(l->state.late);
	end = l->ops->detach(l, &u);
	state_remove(l->dir);
	l->ops->summary(l, &u);
	policy_tell_left(&u);
	if (u.failed)
		cli_error("%u changes could not be undone: run `vcpu-policy restore`", u.failed);
	/* The command outlives a policy that the kernel has ended: it is the user's. */
	if (ret == -ESHUTDOWN && l->child.pid && !l->child.done) {
		cli_error("%s", err->msg);
		while (!child_reaped(&l->child))
			child_signal_within(&(struct timespec){ 1, 0 });
		return ret;
	}
	child_end(&l->child);
	return ret ? ret : end;
}

int live_run(struct live *l, int *code, struct ks_err *err)
{
	int ret;

	child_signals();
	ret = ks_journal_open(&l->journal, l->dir, err);
	if (!ret)
		ret = undo_leftovers(l, err);
	if (!ret)
		ret = l->ops->attach(l, err);
	if (!ret)
		ret = attached(l, err);
	ks_journal_close(l->journal);
	*code = l->child.pid ? l->child.code : CLI_EXIT_OK;
	return ret;
}
