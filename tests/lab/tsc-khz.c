// SPDX-License-Identifier: GPL-2.0
/*
 * Prints the rate of this machine's TSC in kHz. QEMU's emulated CPUs read the same counter, and their
 * kernel would measure its rate against an emulated timer: on a busy machine it gets that wrong by
 * tens of per cent, or by a factor of six, and all its clocks with it. So it is told.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define TRIES 200
#define INTERVAL_NS 60000000

struct sample {
	uint64_t tsc, ns;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The pair with the tightest bracket of many: nothing interrupted that one. */
static struct sample take(void)
{
	struct sample best = { 0 };
	uint64_t width = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = __rdtsc();
		uint64_t ns = now_ns();
		uint64_t after = __rdtsc();

		if (after - before < width) {
			width = after - before;
			best = (struct sample){ before + width / 2, ns };
		}
	}
	return best;
}

int main(void)
{
	const struct timespec nap = { .tv_nsec = INTERVAL_NS };
	struct sample a, b;

	a = take();
	nanosleep(&nap, NULL);
	b = take();
	if (b.ns <= a.ns || b.tsc <= a.tsc)
		return 1;
	printf("%.0f\n", (double)(b.tsc - a.tsc) * 1e6 / (double)(b.ns - a.ns));
	return 0;
}
