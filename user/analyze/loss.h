/* SPDX-License-Identifier: GPL-2.0 */
/* Losses of one trace: when, of what, and which of them the stream has come to. */
#ifndef KVMSCHED_ANALYZE_LOSS_H
#define KVMSCHED_ANALYZE_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace.h"

#define AN_LATEST (1ull << 61) /* no guest's record is later, so that sums of times do not wrap */

struct an_span {
	uint64_t from, to;
};

/* To no earlier than that. */
static inline void an_raise(uint64_t *t, uint64_t than)
{
	if (*t < than)
		*t = than;
}

/* Times that are covered: disjoint spans, in order. */
struct an_cover {
	struct an_span *v;
	size_t n, room;
};

struct an_loss {
	uint64_t from, to, count;
	uint16_t cpu; /* KS_RING_ANY: any */
	uint8_t type; /* KS_NONE: any */
};

struct an_losses {
	struct an_loss *v;    /* those known ahead, in order of their beginning */
	size_t n, next;	      /* next: first one that the stream has not come to */
	struct an_span *late; /* the last that was not known ahead, by ring; NULL: there was none */
	uint64_t late_to;     /* end of the last of all of these; each begins when it comes */
	struct an_cover cover, late_cover; /* where a release may be lost, by either */
};

enum an_late {
	AN_LOSS_KNOWN, /* ahead */
	AN_LOSS_NEW,   /* it begins now, or has begun */
	AN_LOSS_MORE,  /* further records of one that came before */
};

/*
 * Those among the control records; map NULL = identity. Of as many as a reader hands out
 * (ks_reader_control()), each stays what it is. 0 or -ENOMEM.
 */
int an_losses_init(struct an_losses *l, const struct ks_rec *ctl, size_t n, ks_map_fn map,
		   void *ctx);
/*
 * A KS_LOSS that the stream brings. Most are known as control records; a chunk that turned out
 * unreadable is not: it is told where it begins, all of it, and again where it ends, with the rest
 * of its records. Fills in x; returns enum an_late, or -ENOMEM.
 */
int an_losses_late(struct an_losses *l, const struct ks_rec *r, ks_map_fn map, void *ctx,
		   struct an_loss *x);
void an_losses_free(struct an_losses *l);
/* End of the last loss of releases that began at or before time; 0 if none. */
uint64_t an_losses_floor(const struct an_losses *l, uint64_t time);

#endif /* KVMSCHED_ANALYZE_LOSS_H */
