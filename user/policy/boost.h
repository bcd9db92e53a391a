/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The policy ple-boost, from attaching to putting everything back. docs/ple-boost.md says what it
 * does, and what its two back ends are.
 */
#ifndef KVMSCHED_BOOST_H
#define KVMSCHED_BOOST_H

#include <stdbool.h>
#include <stdint.h>

#include "journal.h"
#include "ple_boost.h"
#include "vmset.h"

struct ks_boost_opts {
	bool holder; /* holder-boost: whom a vCPU spins for is read in the guest's lock page */
	uint64_t slice_ns; /* 0 = 3 ms */
	uint64_t spin_ns;  /* a PLE exit so recent means "spinning"; 0 = 200 us */
	uint64_t grace_ns; /* holder-boost: more time for a vCPU that holds a lock; 0 = none */
	bool keep_convoys; /* holder-boost without what ends convoys, for comparison */
	uint64_t hold_ns; /* cgroup: how long a weight stays moved without a new reason; 0 = 6 ms */
	bool plain;	  /* the same scheduler without boosts, for comparison */
	bool fifo;	  /* first come, first served, instead of fair by weight */
};

enum ks_boost_backend { KS_BOOST_SCX, KS_BOOST_CGROUP };

struct ks_boost;

/* Can this machine do it so? 0; -ENODEV, -EBUSY, -ENOTSUP (pidns.h) or another -errno, + err. root: see text.h. */
int ks_boost_usable(const char *root, enum ks_boost_backend how, struct ks_err *err);

/* Name of the back end: "sched_ext", "cgroup". */
const char *ks_boost_backend(const struct ks_boost *b);

/*
 * Load and attach. From now on threads that run vCPUs of the VMs in `vms` are put under the policy by
 * ks_boost_poll() (into SCHED_EXT, or within reach of lever.h), each journalled before. The set and
 * the journal are the caller's and must
 * outlive it. -ENODEV, -EBUSY, -EPERM or another -errno, + err.
 */
int ks_boost_attach(struct ks_boost **b, enum ks_boost_backend how, const struct ks_boost_opts *o,
		    struct ks_vmset *vms, struct ks_journal *j, struct ks_err *err);

/*
 * Take in threads that have appeared, for at most timeout_ms. 0; -ESHUTDOWN + err if the kernel
 * has thrown the scheduler out: everything runs as without it, and ks_boost_detach() is due;
 * -errno + err.
 */
int ks_boost_poll(struct ks_boost *b, int timeout_ms, struct ks_err *err);

/* Once a second: ended VMs, changed weights. */
void ks_boost_refresh(struct ks_boost *b);

/* Sums over all CPUs since it was attached. 0 or -errno. */
int ks_boost_counts(const struct ks_boost *b, struct boost_counts *sum);

/* Threads that are taken now, and threads left alone because they are not scheduled by the fair class. */
void ks_boost_threads(const struct ks_boost *b, unsigned int *taken, unsigned int *left);

/*
 * holder-boost: VMs whose lock page is believed, and why the last one that is not was refused or
 * dropped ("" if there was none).
 */
void ks_boost_pages(const struct ks_boost *b, unsigned int *pages, const char **doubt);

/* Put the threads back by the journal, unload, free. 0 or -errno: see u. */
int ks_boost_detach(struct ks_boost *b, struct ks_undone *u);

#endif /* KVMSCHED_BOOST_H */
