// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "clockbreaks.h"
#include "format.h"
#include "put.h"

static double seconds(uint64_t time, uint64_t origin)
{
	return time > origin ? (double)(time - origin) / 1e9 : 0;
}

bool clockbreaks_say(const struct ks_guestclock *clock, uint64_t origin,
		     struct clockbreaks_text *text)
{
	const struct ks_clockbreak *most = ks_guestclock_largest_break(clock);
	char ns[FMT], count[FMT];
	size_t n;

	if (!most)
		return false;
	ks_guestclock_breaks(clock, &n);
	fmt_ns(ks_clockbreak_ns(most), ns);
	if (n > 1)
		snprintf(text->what, sizeof(text->what),
			 "its clock stood still or ran ahead %s times, for %s at most (was the VM "
			 "stopped?)",
			 fmt_count(n, count), ns);
	else
		snprintf(text->what, sizeof(text->what), "its clock %s %s%s",
			 most->behind_ns < 0 ? "ran ahead by" : "stood still for", ns,
			 most->behind_ns < 0 ? "" : " (was the VM stopped?)");
	snprintf(text->when, sizeof(text->when),
		 "between %.3f and %.3f s%s: what lies there is unknown",
		 seconds(most->from, origin), seconds(most->to, origin),
		 n == 1 ? "" : ", and at other times");
	return true;
}

struct json_object *clockbreaks_json(const struct ks_guestclock *clock)
{
	struct json_object *o = json_object_new_object(), *first = json_object_new_array(), *e;
	size_t n, i;
	const struct ks_clockbreak *b = ks_guestclock_breaks(clock, &n);

	for (i = 0; i < n && i < CLOCKBREAKS_LISTED; i++) {
		e = json_object_new_object();
		put_num(e, "from_ns", b[i].from);
		put_num(e, "to_ns", b[i].to);
		put(e, "behind_ns", json_object_new_int64(b[i].behind_ns));
		json_object_array_add(first, e);
	}
	put_num(o, "count", n);
	put(o, "first", first);
	return o;
}
