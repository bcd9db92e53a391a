/* SPDX-License-Identifier: GPL-2.0 */
/* What `status` says, as JSON and for people. */
#ifndef KVMSCHED_SHARE_STATE_H
#define KVMSCHED_SHARE_STATE_H

#include "book.h"

struct json_object;

/*
 * All that the book says, and who does not keep to it: given-up vCPUs are looked at for 100 ms. busy: the
 * process that is handing over just now, or 0; negative: not known. The caller's.
 */
struct json_object *state_json(const struct ks_book *b, int busy);

void state_print(struct json_object *o);

#endif /* KVMSCHED_SHARE_STATE_H */
