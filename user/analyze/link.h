/* SPDX-License-Identifier: GPL-2.0 */
/* How a guest's trace hangs together with its host's. */
#ifndef KVMSCHED_LINK_H
#define KVMSCHED_LINK_H

#include <stdint.h>

#include "clock.h"

KS_API_BEGIN

/* A guest trace on its host's clock. */
struct ks_link {
	struct ks_clockmap *guest_map;
	struct ks_guestclock *clock; /* ks_guestclock_map() with this is the map for the merge */
	uint64_t error_ns;	     /* bound of its error, but for ks_guestclock_breaks() */
	unsigned int steps; /* of the guest's TSC while it was recorded, and by how many ... */
	uint64_t step_ns;   /* ... ns its clock jumped with it at most: near one error_ns
				      * does not hold */
	uint32_t vm;	    /* index into the model's VMs */
	const char *how;    /* by "name", "uuid", "cid", "there being one VM", "evidence" */
	uint64_t halts, explained; /* HLT exits looked at; of them, after an idle entry */
	uint64_t chance;	   /* ... so many by chance alone */
};

KS_API_END

#endif /* KVMSCHED_LINK_H */
