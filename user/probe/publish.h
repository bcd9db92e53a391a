/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's publisher of its locks (bpf/lock_page.h): load, attach, say where the pages lie. */
#ifndef KVMSCHED_PUBLISH_H
#define KVMSCHED_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#include "lock_page.h"
#include "trace.h"

struct ks_publisher;

struct ks_publisher_opts {
	bool at_end; /* note locks at the end of the lock functions */
};

/*
 * Load the programs and make the pages, with a new cookie; nothing is attached yet. 0, or -errno
 * with err: -EPERM, -ENOTSUP (this kernel inlines its lock functions, runs no BPF at the entry of
 * functions), -E2BIG (too many CPUs), ...
 */
int ks_publisher_open(struct ks_publisher **p, const struct ks_publisher_opts *opts,
		      struct ks_err *err);

/* Attach the programs: from now on the pages are true. 0 or -errno with err. */
int ks_publisher_attach(struct ks_publisher *p, struct ks_err *err);

/* What the host must be told. Valid as long as p is. */
const struct ks_lp_hello *ks_publisher_hello(const struct ks_publisher *p);

/* CPUs that came online since the last call tell their numbers to the host only now. */
void ks_publisher_learn_cpus(struct ks_publisher *p);

/*
 * A recorder that was started later would run its programs before these at a contended lock, and walk a stack of thousands of
 * instructions there while the page does not say yet that the CPU waits. So they are attached anew, if so. 0 or -errno with err:
 * the pages are not true any more.
 */
int ks_publisher_stay_first(struct ks_publisher *p, struct ks_err *err);

/* See ks_guest_blind(): what is in the pages is not true then. */
bool ks_publisher_blind(const struct ks_publisher *p);

/* Take the cookie out of the pages, detach, free. NULL is fine. */
void ks_publisher_free(struct ks_publisher *p);

#endif /* KVMSCHED_PUBLISH_H */
