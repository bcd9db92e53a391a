/* SPDX-License-Identifier: GPL-2.0 */
/* What the process that holds a policy tells others: STATE_DIR/status.json, renewed each second. */
#ifndef KVMSCHED_POLICY_STATE_H
#define KVMSCHED_POLICY_STATE_H

#include <stdint.h>

#include "boost.h"
#include "late.h"
#include "share.h"

#define STATE_SCHEMA 1

struct state {
	const char *policy, *backend;
	uint64_t begun_ns, now_ns; /* CLOCK_MONOTONIC */
	struct boost_counts sum;   /* since it was attached */
	struct boost_counts last;  /* the same, a second or so before */
	uint64_t last_ns;
	unsigned int taken, left, quota;
	unsigned int pages; /* holder-boost, and the next line too: see ks_boost_pages() */
	const char *doubt;
	const struct ks_vmset *vms;
	struct ks_share share;
	struct late *late;
};

/* Write it, whole or not at all. 0 or -errno. */
int state_write(const char *dir, const struct state *s);

/* As JSON text, malloc()ed. 0; -ENOENT: no policy is attached; -errno. */
int state_read(const char *dir, char **text);

void state_remove(const char *dir);

/* For people. */
struct json_object;
void state_print(struct json_object *o);

#endif /* KVMSCHED_POLICY_STATE_H */
