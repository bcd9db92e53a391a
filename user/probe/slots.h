/* SPDX-License-Identifier: GPL-2.0 */
/* The host probe's vCPU slots, as user space sees them. Internal to probe/ and its tests. */
#ifndef KVMSCHED_SLOTS_H
#define KVMSCHED_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "ple_trace.h"
#include "rings.h"

struct ks_slots {
	const struct ks_vcpu_state *state; /* the probe's ks_vcpus, mapped */
	uint32_t n;			   /* slots there are */
	const uint32_t *used;		   /* the probe's ks_slots_used: may be beyond n */
	const uint64_t *untold;		   /* its ks_faults.untold */
	uint64_t seen;			   /* untold, as of the last look */
	uint8_t *told;			   /* by slot: KS_UNTOLD_* made up for */
	bool *ended;			   /* by slot, as of the last look */
	struct ks_free_slots *free;	   /* the probe's */
};

/* With state, n, used, untold and free filled in; they stay the caller's. 0 or -ENOMEM. */
int ks_slots_init(struct ks_slots *s);
void ks_slots_release(struct ks_slots *s);

/* Slots that were ever in use. */
uint32_t ks_slots_used(const struct ks_slots *s);

/*
 * KS_VCPU_NEW and the first KS_TSC_OFFSET of vCPUs for which the rings had no room, for fn. To be
 * called whenever rings are emptied; costs nothing while there are none.
 */
int ks_slots_make_up(struct ks_slots *s, ks_rings_fn fn, void *ctx);

/* True: the vCPU in the slot is gone, and was so already when this was asked last. */
bool ks_slots_ended(struct ks_slots *s, uint32_t slot);

/* Its state is all zeros: a new one may have the slot. Only if there is room for one more. */
bool ks_slots_room(const struct ks_slots *s);
void ks_slots_reuse(struct ks_slots *s, uint32_t slot);

#endif /* KVMSCHED_SLOTS_H */
