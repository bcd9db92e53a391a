/* SPDX-License-Identifier: GPL-2.0 */
/* Why a guest's lock page is not read: said by the host, heard by the guest. */
#ifndef KVMSCHED_REFUSAL_H
#define KVMSCHED_REFUSAL_H

#include <stddef.h>
#include <linux/types.h>

#include "lock_page.h"

/*
 * The host, before it hangs up for this -errno of hello.h and prove.h, or -EBUSY: somebody else has the
 * place. Nothing is said to who has hung up itself or was never heard (-EPIPE, -ETIMEDOUT, -ESTALE), nor
 * by a host that ends (0). Does not wait: who does not take it does without.
 */
void ks_refusal_say(int fd, int error);

/* The guest's ear, one per connection. Begins as zeros. */
struct ks_refusal {
	struct ks_lp_refusal in;
	size_t got; /* bytes of it */
};

/*
 * Listen, without waiting. 0: the host is there; 1: it has hung up; -errno: the connection is no more,
 * for there is another host (the VM was migrated, or put back to a snapshot).
 */
int ks_refusal_hear(struct ks_refusal *r, int fd);

/* Why, as a part of a line: "the host does not read this guest's pages: ..."; NULL if it has not said. */
const char *ks_refusal_words(const struct ks_refusal *r);

#endif /* KVMSCHED_REFUSAL_H */
