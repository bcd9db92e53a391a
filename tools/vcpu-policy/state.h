/* SPDX-License-Identifier: GPL-2.0 */
/* What the process that holds a policy tells others: STATE_DIR/status.json, renewed each second. */
#ifndef KVMSCHED_POLICY_STATE_H
#define KVMSCHED_POLICY_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "late.h"
#include "share.h"

#define STATE_SCHEMA 1

#define STATE_COUNTS 64

/* One of a policy's counters, 64 bits wide; the last of a table has no name. */
struct state_count {
	const char *name;
	size_t offset; /* into sum */
};

struct state {
	const char *policy, *backend;
	uint64_t begun_ns, now_ns;   /* CLOCK_MONOTONIC */
	uint64_t sum[STATE_COUNTS];  /* the policy's own struct: since it was attached */
	uint64_t last[STATE_COUNTS]; /* the same, a second or so before */
	uint64_t last_ns;
	const struct state_count *counts;
	struct late *late;
	/* Of policies for VMs; vms is NULL for others. */
	const struct ks_vmset *vms;
	const struct ks_share *share;
	unsigned int taken, left, quota;
	unsigned int pages; /* holder-boost, and the next line too: see ks_boost_pages() */
	const char *doubt;
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
