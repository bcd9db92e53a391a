// SPDX-License-Identifier: GPL-2.0
/* Do the CPUs that tasks were taken from idle? By the run time that the guest's scheduler counts for each. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "confine.h"
#include "text.h"

#define WINDOW_NS 1000000
#define SPARE_NS 250000 /* of the window: a tick and a softirq are not work */
#define MAX_SCHEDSTAT (4u << 20)

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/*
 * "cpu0 a b c d e f RUN WAIT n", RUN in ns: what tasks have run there, up to the last switch. 0: there
 * is no such file, and nothing can be said from here; the host looks as well.
 */
static bool read_run(const char *root, uint64_t run[KS_CPUS])
{
	char *text, *rest, *line;
	unsigned int cpu;
	uint64_t ns;

	if (ks_read_at(root, MAX_SCHEDSTAT, &text, NULL, "/proc/schedstat"))
		return false;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (sscanf(line, "cpu%u %*u %*u %*u %*u %*u %*u %" SCNu64, &cpu, &ns) == 2 &&
		    cpu < KS_CPUS)
			run[cpu] = ns;
	free(text);
	return true;
}

static void compare(const struct ks_cpus *cpus, const uint64_t before[KS_CPUS],
		    const uint64_t after[KS_CPUS], struct ks_cpus *busy)
{
	unsigned int i;

	memset(busy, 0, sizeof(*busy));
	for (i = ks_cpus_next(cpus, 0); i < KS_CPUS; i = ks_cpus_next(cpus, i + 1))
		if (after[i] - before[i] > SPARE_NS)
			ks_cpus_add(busy, i);
}

void ks_confine_busy(const char *root, const struct ks_cpus *cpus, int timeout_ms,
		     struct ks_cpus *busy)
{
	const struct timespec window = { 0, WINDOW_NS };
	uint64_t end = now_ns() + (uint64_t)timeout_ms * 1000000u;
	static uint64_t before[KS_CPUS], after[KS_CPUS];

	memset(busy, 0, sizeof(*busy));
	if (!ks_cpus_count(cpus) || !read_run(root, before))
		return;
	do {
		nanosleep(&window, NULL);
		read_run(root, after);
		compare(cpus, before, after, busy);
		memcpy(before, after, sizeof(before));
	} while (ks_cpus_count(busy) && now_ns() < end);
}
