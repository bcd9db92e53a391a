/* SPDX-License-Identifier: GPL-2.0 */
/* Which part of a recording: --from and --to, which count from the first record of the host's file. */
#ifndef KVMSCHED_PART_H
#define KVMSCHED_PART_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

struct part {
	uint64_t from, to; /* ns since then */
	bool has_to;
};

/* --from, --to; its input: part. That nothing is between them is refused. */
extern const struct argp part_argp;

/* As times of the recording that began at `first`, ns; without --to: UINT64_MAX. */
void part_times(const struct part *p, uint64_t first, uint64_t *from, uint64_t *to);

#endif /* KVMSCHED_PART_H */
