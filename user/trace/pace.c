// SPDX-License-Identifier: GPL-2.0
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
