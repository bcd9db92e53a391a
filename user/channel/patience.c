// SPDX-License-Identifier: GPL-2.0
#include "patience.h"
#include "pause.h"

#define SECOND 1000000000ull
#define LONG_NS (10 * SECOND)
#define PAUSE_MOST_NS (300 * SECOND)
#define SLACK_NS (SECOND / 2) /* who looks once a second does not do so on the dot */

void ks_patience_hung_up(struct ks_patience *p, uint64_t lasted_ns, uint64_t now_ns)
{
	if (lasted_ns >= LONG_NS) {
		ks_patience_anew(p);
		return;
	}
	p->pause_ns = ks_pause_longer(p->pause_ns, SECOND, PAUSE_MOST_NS);
	p->until_ns = now_ns + p->pause_ns - SLACK_NS;
}

void ks_patience_anew(struct ks_patience *p)
{
	*p = (struct ks_patience){ 0 };
}

bool ks_patience_may_try(const struct ks_patience *p, uint64_t now_ns)
{
	return now_ns >= p->until_ns;
}

bool ks_patience_is_tried(const struct ks_patience *p)
{
	return p->pause_ns > SECOND;
}
