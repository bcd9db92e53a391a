/* SPDX-License-Identifier: GPL-2.0 */
/* What has come from a probe since the last time, for those who show it live. */
#ifndef KVMSCHED_DRAIN_H
#define KVMSCHED_DRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "rings.h"

struct drain {
	struct ks_rec *recs; /* of the last drain, by time */
	size_t n;	     /* of them, up to `until` */
	uint64_t until;	     /* ns: all that was recorded by then has come */
	size_t all, cap;
};

/*
 * Empty the rings of all CPUs into d. They are emptied one after the other, and a vCPU may move from one that is done to
 * one that is not yet: what was recorded meanwhile waits for the next time. 0 or -errno.
 */
typedef int (*drain_fn)(void *probe, ks_rings_fn fn, void *ctx);
int drain_all(struct drain *d, drain_fn pull, void *probe);
void drain_free(struct drain *d);

#endif /* KVMSCHED_DRAIN_H */
