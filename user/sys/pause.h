/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMSCHED_PAUSE_H
#define KVMSCHED_PAUSE_H

#include <stdint.h>

/*
 * What was of no avail is tried again after a pause, and that doubles each time, from the least to
 * the most. pause_ns: the last one; 0: there was none.
 */
static inline uint64_t ks_pause_longer(uint64_t pause_ns, uint64_t least_ns, uint64_t most_ns)
{
	pause_ns = pause_ns ? pause_ns * 2 : least_ns;
	return pause_ns < most_ns ? pause_ns : most_ns;
}

#endif /* KVMSCHED_PAUSE_H */
