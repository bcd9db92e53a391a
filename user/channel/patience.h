/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When a guest that waits for a host to read its pages tries again. To be refused is dear: programs are
 * loaded, and put at all its locks, for nothing.
 */
#ifndef KVMSCHED_PATIENCE_H
#define KVMSCHED_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: it may be tried at once. Times are in ns of one clock. */
struct ks_patience {
	uint64_t pause_ns, until_ns;
};

/*
 * The host has hung up on a connection that lasted so long. A short one was a refusal, said or not: the
 * pause before the next try doubles, from the second that it takes anyway to minutes. A long one was
 * none.
 */
void ks_patience_hung_up(struct ks_patience *p, uint64_t lasted_ns, uint64_t now_ns);

/* Who listens next may think otherwise: nobody does now, or it is another host. */
void ks_patience_anew(struct ks_patience *p);

bool ks_patience_may_try(const struct ks_patience *p, uint64_t now_ns);

/* Was it hung up on more than once in a row? Once may be a host that has just ended. */
bool ks_patience_is_tried(const struct ks_patience *p);

#endif /* KVMSCHED_PATIENCE_H */
