/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How late this host wakes a task that is none of a VM's: a thread of ours, of nice 0, that sleeps until
 * a given time, again and again. What `status` shows as the latency of non-VM tasks.
 */
#ifndef KVMSCHED_LATE_H
#define KVMSCHED_LATE_H

#include <stdint.h>

struct late;

struct late_sum {
	uint64_t samples;
	uint64_t p50_ns, p99_ns; /* to an eighth, upwards */
	uint64_t max_ns;
};

/* Begin; NULL if there is no memory or no thread to be had. */
struct late *late_start(uint64_t period_ns);
/* So far; all zero for NULL. */
void late_read(const struct late *l, struct late_sum *sum);
void late_stop(struct late *l);

#endif /* KVMSCHED_LATE_H */
