/* SPDX-License-Identifier: GPL-2.0 */
/* The losses of a trace, however many it tells of, in bounded memory. Internal to user/trace. */
#ifndef KVMSCHED_TRACE_LOSSIN_H
#define KVMSCHED_TRACE_LOSSIN_H

#include <stddef.h>

#include "format.h"

#define KS_MAX_LOSSES (1u << 18)

/* As they are told, until they are too many: then what lies close together is one. */
struct ks_lossin {
	struct ks_rec *v;
	size_t n, room;
};

/*
 * Add a KS_LOSS. If there is no room for one more, of each ring and type those with the shortest
 * pauses between them are taken together, until half are left: what they count stays the same, and
 * what they cover does not shrink. 0 or -ENOMEM.
 */
int ks_lossin_add(struct ks_lossin *l, const struct ks_rec *loss);
void ks_lossin_release(struct ks_lossin *l);

#endif /* KVMSCHED_TRACE_LOSSIN_H */
