/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When what grows is written into a trace once more: at once when it has changed, and the longer it
 * goes on changing, the less often, down to once a minute. A reader wants the last only.
 */
#ifndef KVMSCHED_TRACE_PACE_H
#define KVMSCHED_TRACE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

/* All 0 at first: nothing was written, and the sum is 0. */
struct ks_pace {
	uint64_t due, gap; /* ns */
	uint64_t sum;	   /* as it was written */
};

/* Is it time to look again? */
bool ks_pace_due(const struct ks_pace *p, uint64_t now);
/* sum: of all numbers, which only grow. True if it is to be written now, for it has changed. */
bool ks_pace_changed(struct ks_pace *p, uint64_t now, uint64_t sum);
/*
 * Write metadata that are such numbers if they have changed and it is time, or at the end; before
 * that only as long as they leave room for the rest. The object stays the caller's. 0 or -errno.
 */
int ks_pace_meta(struct ks_pace *p, struct ks_writer *w, struct json_object *numbers, uint64_t now,
		 bool last);

#endif /* KVMSCHED_TRACE_PACE_H */
