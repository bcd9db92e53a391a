/* SPDX-License-Identifier: GPL-2.0 */
/* A policy while it is attached: from taking the journal to giving it back, whatever the policy. */
#ifndef KVMSCHED_POLICY_LIVE_H
#define KVMSCHED_POLICY_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "child.h"
#include "journal.h"
#include "state.h"

struct live;

/* Functions return 0 or -errno + err where they take one. */
struct live_ops {
	/*
	 * poll() has nothing to wait for: it is called once a second, or when a signal has come. Whatever we do
	 * in between takes a CPU from threads that the policy is for.
	 */
	bool rests;
	/* Load and attach: the policy works from now on. Also state.backend and what else is fixed. */
	int (*attach)(struct live *l, struct ks_err *err);
	/* Do what is due, for at most timeout_ms. -ESHUTDOWN: the kernel has thrown it out. */
	int (*poll)(struct live *l, int timeout_ms, struct ks_err *err);
	/* Once a second. */
	void (*refresh)(struct live *l);
	/* What it does, into state; state.sum is about to be state.last. */
	void (*tell)(struct live *l);
	int (*detach)(struct live *l, struct ks_undone *u);
	/* For people, when it has been detached. */
	void (*summary)(const struct live *l, const struct ks_undone *u);
};

/* Begins each policy's own struct. */
struct live {
	const struct live_ops *ops;
	const char *dir;      /* of journal and status */
	uint64_t duration_ns; /* 0: until it is ended */
	char **command;	      /* or until this ends; NULL: none */
	struct ks_journal *journal;
	struct child child;
	struct state state;
	bool stop;
};

/* All of it. 0 or -errno + err; *code: exit code if it is 0. */
int live_run(struct live *l, int *code, struct ks_err *err);

/* The policies: from options to a struct for live_run(), malloc()ed, the caller's; NULL: no memory. */
struct ks_boost_opts;
struct ks_wake_opts;
struct live *live_boost(const struct ks_boost_opts *o, bool by_cgroup, const char *const *vms,
			unsigned int nvms, bool ignore_quota);
struct live *live_wake(const struct ks_wake_opts *o);

#endif /* KVMSCHED_POLICY_LIVE_H */
