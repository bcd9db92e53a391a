/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How often guests call, and how much time goes into answering them: both have an end, whatever a
 * guest does. Internal to channel/. Times are in ns of one clock, which begins well above 0.
 */
#ifndef KVMSCHED_CHANNEL_CALLERS_H
#define KVMSCHED_CHANNEL_CALLERS_H

#include <stdbool.h>
#include <stdint.h>

#include "pages.h"

/* Remembered; of more, the one that has not called for longest is forgotten. */
#define KS_CALLERS KS_LP_GUESTS

/* Each has a rate of its own: callers.c. */
enum ks_call { KS_CALL_CONNECT, KS_CALL_HELLO, KS_CALLS };

struct ks_caller {
	uint32_t cid;
	uint64_t due[KS_CALLS]; /* when the calls so far would have come at the rate that is fine */
	uint64_t last, told;
	uint64_t refused; /* calls since this was told */
};

/* All zero: nobody has called. */
struct ks_callers {
	struct ks_caller caller[KS_CALLERS];
	unsigned int n;
};

/* May it? If not, the call counts as refused; otherwise it counts against the rate. */
bool ks_callers_may(struct ks_callers *c, uint32_t cid, enum ks_call what, uint64_t now);

/* The next one to tell of, at most once a second each: how many calls were refused. */
bool ks_callers_refused(struct ks_callers *c, uint64_t now, uint32_t *cid, uint64_t *refused);

/* CPU time for one kind of work: an nth part of all, over a short while. All zero but nth: unused. */
struct ks_budget {
	unsigned int nth;
	uint64_t used; /* up to this time */
};

bool ks_budget_left(const struct ks_budget *b, uint64_t now);
void ks_budget_use(struct ks_budget *b, uint64_t now, uint64_t spent);

#endif /* KVMSCHED_CHANNEL_CALLERS_H */
