/* SPDX-License-Identifier: GPL-2.0 */
/* What has come from the host's probe since the last time, for those who show it live. */
#ifndef KVMSCHED_DRAIN_H
#define KVMSCHED_DRAIN_H

#include <stddef.h>

#include "records.h"

struct ks_host;

struct drain {
	struct ks_rec *recs; /* of the last drain, by time */
	size_t n, cap;
};

/* Empty the rings of all CPUs into d. 0 or -errno. */
int drain_all(struct drain *d, struct ks_host *host);
void drain_free(struct drain *d);

#endif /* KVMSCHED_DRAIN_H */
