/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Losses on their way into a trace. A ring that goes on losing says so each time it is emptied:
 * what continues a loss of its ring and type that the trace tells of already is kept until the next
 * flush, and told as one. Internal to user/trace.
 */
#ifndef KVMSCHED_TRACE_LOSSOUT_H
#define KVMSCHED_TRACE_LOSSOUT_H

#include "format.h"

struct ks_kept_loss;

struct ks_lossout {
	struct ks_kept_loss **ring; /* by ring, then by type; NULL: it has lost nothing yet */
	uint32_t rings;
	uint64_t told;
};

/* 0 or -ENOMEM. */
int ks_lossout_init(struct ks_lossout *o, uint32_t rings);
void ks_lossout_release(struct ks_lossout *o);
/* Sets out[] to what is to be written now, and returns how many these are: 0 to 2. */
unsigned int ks_lossout_add(struct ks_lossout *o, const struct ks_rec *loss, struct ks_rec out[2]);
/* Hand on what was kept. Returns 0, or what fn returned if that was not 0. */
int ks_lossout_flush(struct ks_lossout *o, int (*fn)(void *ctx, const struct ks_rec *loss),
		     void *ctx);

#endif /* KVMSCHED_TRACE_LOSSOUT_H */
