// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#include "clock.h"
#include "now.h"

/* In program order: neither before the loads and reads ahead of it nor behind those after it. */
static uint64_t tsc_ordered(void)
{
	uint64_t tsc;

	_mm_lfence();
	tsc = __rdtsc();
	_mm_lfence();
	return tsc;
}

/*
 * The TSC between two readings of the clock: the bracket is in nanoseconds then, whatever clock
 * source the kernel uses, and no TSC rate is needed to know its width. (It is as wide as that of
 * a reading between two TSCs: one call's time.) The clock cuts off fractions: the true time of the
 * TSC lies in [m0, m1 + 1).
 */
int ks_clock_sample(struct ks_rec *rec, unsigned int tries)
{
	uint64_t best = UINT64_MAX;

	if (!tries)
		return -EINVAL;
	memset(rec, 0, sizeof(*rec));
	rec->type = KS_CLOCK;
	for (unsigned int i = 0; i < tries; i++) {
		uint64_t m0 = ks_now_ns();
		uint64_t tsc = tsc_ordered();
		uint64_t width = ks_now_ns() - m0;

		if (width >= best)
			continue;
		best = width;
		rec->time = m0 + width / 2;
		rec->a = tsc;
		rec->b = width / 2 + width % 2 + 1;
		rec->cpu = (__u16)sched_getcpu();
	}
	return 0;
}
