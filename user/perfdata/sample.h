/* SPDX-License-Identifier: GPL-2.0 */
/* One event on its way into the file, before it is bytes. */
#ifndef KVMSCHED_PERFDATA_SAMPLE_H
#define KVMSCHED_PERFDATA_SAMPLE_H

#include <stdint.h>

struct ks_pd_sample {
	uint64_t time; /* ns, CLOCK_MONOTONIC of the host */
	uint64_t v[3]; /* by event, see enum ks_pd_event */
	uint32_t pid, tid;
	uint32_t cpu;	  /* of the host; a guest alone: its own */
	uint32_t id;	  /* of the event, and of whose it is: the guest and its vCPU */
	uint32_t machine; /* KS_PD_HOST, KS_PD_GUEST() */
	uint32_t event;	  /* enum ks_pd_event */
	uint32_t vm;	  /* of v's addresses; index */
};

#endif /* KVMSCHED_PERFDATA_SAMPLE_H */
