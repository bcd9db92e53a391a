/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Samples of where the memory of VMs lies. The kernel walks all pages of a process for one, so a
 * thread of its own asks, and the rings are emptied meanwhile.
 */
#ifndef KVMSCHED_MEMORY_SAMPLER_H
#define KVMSCHED_MEMORY_SAMPLER_H

#include <stdint.h>

#include "trace.h"

/*
 * Samples come late, and in bulk: among the records of a CPU they would be out of order.
 */
#define MEMORY_RING KS_MAX_CPUS

struct memory;

/* A sample of each VM as soon as it is known and then every so often. 0 or -errno. */
int memory_new(struct memory **m, uint64_t interval_ns);
void memory_free(struct memory *m);

/* One more VM; one that is known already is no news. */
void memory_vm(struct memory *m, uint32_t tgid);

/* Write what was sampled, into MEMORY_RING; last: after one more sample. 0 or the writer's -errno. */
int memory_write(struct memory *m, struct ks_writer *w, bool last);

#endif /* KVMSCHED_MEMORY_SAMPLER_H */
