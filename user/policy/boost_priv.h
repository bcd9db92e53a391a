/* SPDX-License-Identifier: GPL-2.0 */
/* What the back ends of ple-boost share. Internal to policy/. */
#ifndef KVMSCHED_BOOST_PRIV_H
#define KVMSCHED_BOOST_PRIV_H

#include "boost.h"

#define BOOST_SLICE_NS 3000000ull
#define BOOST_SPIN_NS 200000ull

struct ring_buffer;

/* Begins each back end's own struct. */
struct ks_boost {
	const struct ks_boost_ops *ops;
	struct ks_vmset *vms;
	struct ks_journal *journal;
	struct ring_buffer *events;
	unsigned int left;
	int error; /* the first that came up in a callback */
};

/* One way to do it. Functions return 0 or -errno, + err where they take one. */
struct ks_boost_ops {
	const char *name;
	/* Beside KVM, which all need; NULL: nothing. */
	int (*usable)(const char *root, struct ks_err *err);
	/* Load and attach; *b is set even if it fails, for free(). The caller fills in the base. */
	int (*attach)(struct ks_boost **b, const struct ks_boost_opts *o, struct ks_err *err);
	/* This VM's number now means this process; and no longer. */
	int (*enter)(struct ks_boost *b, uint32_t number);
	void (*gone)(struct ks_boost *b, uint32_t number);
	/* A thread of the VM runs a vCPU. 1: it is ours now; 0: left alone; -ESRCH: it has ended, or was ours already. */
	int (*take)(struct ks_boost *b, uint32_t number, uint32_t tid);
	/* Each second, after the VM set has been looked at again. */
	void (*refresh)(struct ks_boost *b);
	/* Between events: what is due, and in how many ms at most to come again (may be NULL). */
	int (*due)(struct ks_boost *b, int timeout_ms);
	/* Has the kernel thrown it out (may be NULL)? */
	int (*ended)(struct ks_boost *b, struct ks_err *err);
	/* holder-boost (may be NULL): see ks_boost_pages(). */
	void (*pages)(const struct ks_boost *b, unsigned int *pages, const char **doubt);
	int (*counts)(const struct ks_boost *b, struct boost_counts *sum);
	/* No new threads from now on; then, after the journal was undone, let go of everything. */
	void (*stop)(struct ks_boost *b);
	void (*free)(struct ks_boost *b);
};

extern const struct ks_boost_ops ks_boost_scx, ks_boost_cgroup;

/* A ring's event: this thread runs a vCPU and is seen for the first time. */
void ks_boost_fresh(struct ks_boost *b, uint32_t tgid, uint32_t tid);

#endif /* KVMSCHED_BOOST_PRIV_H */
