// SPDX-License-Identifier: GPL-2.0
#include <json-c/json.h>

#include "pace.h"

#define FIRST_NS 1000000000ull
#define MOST_NS 60000000000ull
#define EARLY_NS 500000000ull /* who looks once a second need not wait for one second more */

bool ks_pace_due(const struct ks_pace *p, uint64_t now)
{
	return now >= p->due;
}

bool ks_pace_changed(struct ks_pace *p, uint64_t now, uint64_t sum)
{
	if (sum == p->sum)
		return false;
	p->sum = sum;
	p->gap = !p->gap ? FIRST_NS : p->gap < MOST_NS / 2 ? 2 * p->gap : MOST_NS;
	p->due = now + p->gap - EARLY_NS;
	return true;
}

int ks_pace_meta(struct ks_pace *p, struct ks_writer *w, struct json_object *numbers, uint64_t now,
		 bool last)
{
	uint64_t sum = 0;
	int ret;

	json_object_object_foreach(numbers, key, number) {
		(void)key;
		sum += json_object_get_uint64(number);
	}
	if (last)
		return ks_writer_meta(w, numbers);
	if (!ks_pace_due(p, now) || !ks_pace_changed(p, now, sum))
		return 0;
	ret = ks_writer_names(w, numbers);
	return ret < 0 ? ret : 0;
}
