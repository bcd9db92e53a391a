/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The policy vnuma-wake, from attaching to detaching. docs/vnuma-wake.md says what it does. All threads
 * of the kernel's fair class are under it while it is attached; nothing about any of them is changed,
 * so nothing has to be put back.
 */
#ifndef KVMSCHED_WAKE_H
#define KVMSCHED_WAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "journal.h"
#include "vnuma_wake.h"

/*
 * 1 ms in a guest of KVM that sees its steal time, unless its kernel polls by itself (cpuidle_haltpoll); elsewhere
 * never.
 */
#define KS_WAKE_POLL_AUTO UINT64_MAX
#define KS_WAKE_POLL_MOST 10000000ull

struct ks_wake_opts {
	uint64_t slice_ns; /* 0 = 3 ms */
	uint64_t short_ns; /* who usually sleeps for less is a short sleeper; 0 = 1 ms */
	/* An idle CPU waits awake for at most so long; 0 = never. KS_WAKE_POLL_MOST at most, or _AUTO. */
	uint64_t poll_ns;
	/* Threads that run for moments go to vCPUs that the host keeps waiting, also where one that runs is to be had sooner. */
	bool no_gather;
	bool ignore_quota; /* also where a cgroup has a cpu.max, which then does not hold */
};

struct ks_wake;

/* Can this machine do it? 0; -ENODEV, -EBUSY or another -errno, + err. root: see text.h. */
int ks_wake_usable(const char *root, struct ks_err *err);

/* Load and attach; the journal is the caller's and outlives it. 0 or -errno + err. */
int ks_wake_attach(struct ks_wake **w, const struct ks_wake_opts *o, struct ks_journal *j,
		   struct ks_err *err);

/* For how long at most idle CPUs wait awake, ns; 0 = they do not. */
uint64_t ks_wake_poll_ns(const struct ks_wake *w);

/* Why idle CPUs do not wait awake, unless that was asked for; NULL if there is no reason. */
const char *ks_wake_no_poll(const struct ks_wake *w);

/* -ESHUTDOWN + err if the kernel has thrown it out: everything runs as without it. Else 0. */
int ks_wake_ended(const struct ks_wake *w, struct ks_err *err);

/* Once a second: what is long ago about the host is forgotten. */
void ks_wake_refresh(struct ks_wake *w);

/* Sums over all CPUs since it was attached. 0 or -errno. */
int ks_wake_counts(const struct ks_wake *w, struct wake_counts *sum);

/* Unload, empty the journal, free. NULL is fine. 0 or -errno: see u (may be NULL). */
int ks_wake_detach(struct ks_wake *w, struct ks_undone *u);

#endif /* KVMSCHED_WAKE_H */
