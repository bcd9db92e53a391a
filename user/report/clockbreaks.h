/* SPDX-License-Identifier: GPL-2.0 */
/* Where a guest's clock broke, for people and as JSON. Internal to report/. */
#ifndef KVMSCHED_REPORT_CLOCKBREAKS_H
#define KVMSCHED_REPORT_CLOCKBREAKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clock.h"

struct json_object;

#define CLOCKBREAKS_LISTED 64u /* the first, in JSON: there may be as many as samples */

/* Two lines without the newlines between and behind them, each at most 90 columns wide. */
struct clockbreaks_text {
	char what[112], when[112];
};

/* False: there are none. origin: what times are told from, host ns. */
bool clockbreaks_say(const struct ks_guestclock *clock, uint64_t origin,
		     struct clockbreaks_text *text);

/* {"count", "first": [...]}, the caller's. */
struct json_object *clockbreaks_json(const struct ks_guestclock *clock);

#endif /* KVMSCHED_REPORT_CLOCKBREAKS_H */
