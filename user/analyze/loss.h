/* SPDX-License-Identifier: GPL-2.0 */
/* Losses of one trace: when, of what, and which of them the stream has come to. */
#ifndef KVMSCHED_ANALYZE_LOSS_H
#define KVMSCHED_ANALYZE_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace.h"

struct an_span {
	uint64_t from, to;
};

struct an_loss {
	uint64_t from, to, count;
	uint16_t cpu; /* KS_RING_ANY: any */
	uint8_t type; /* KS_NONE: any */
	bool late;    /* not among the control records */
};

/* Losses of one trace, in order of their beginning. */
struct an_losses {
	struct an_loss *v;
	struct an_span *cover;	/* where a release may be lost: disjoint, in order */
	size_t n, ncover, next; /* next: first one that the stream has not come to */
};

/* Those among the control records; map NULL = identity. 0 or -ENOMEM. */
int an_losses_init(struct an_losses *l, const struct ks_rec *ctl, size_t n, ks_map_fn map,
		   void *ctx);
/*
 * A KS_LOSS that the stream brings. Most are known as control records; a chunk that turned out
 * unreadable is not: it is told where it begins, all of it, and again where it ends, with the rest
 * of its records. 1 if it adds records to what is known to be lost, 0, -ENOMEM.
 */
int an_losses_late(struct an_losses *l, const struct ks_rec *r, ks_map_fn map, void *ctx);
void an_losses_free(struct an_losses *l);
/* End of the last loss of releases that began at or before time; 0 if none. */
uint64_t an_losses_floor(const struct an_losses *l, uint64_t time);

#endif /* KVMSCHED_ANALYZE_LOSS_H */
