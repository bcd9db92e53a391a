/* SPDX-License-Identifier: GPL-2.0 */
/* Files of cgroups that a policy has written, put back as its journal says. Internal to policy/. */
#ifndef KVMSCHED_UNDO_FILE_H
#define KVMSCHED_UNDO_FILE_H

#include <stdbool.h>

#include "cgroup.h"
#include "journal.h"

#define KS_ENTRY_KEY (KS_CGROUP_PATH + 64)

struct json_object;

/* A string of a journal's entry, borrowed; NULL: it has none of that name. */
const char *ks_entry_text(struct json_object *entry, const char *key);

/* key: names the file of a cgroup. Does this entry judge it, so that older ones of this key do not count? */
bool ks_entry_judges(struct json_object *entry, char key[KS_ENTRY_KEY]);

struct ks_undo_files {
	const char *root; /* prefix of /sys, see text.h */
	/* An object whose keys are the files that a newer entry has judged: what is older says nothing new of them. */
	struct json_object *judged;
};

/*
 * One entry: "in", "file", "back", and from some build on "ours": the numbers that were to be written. Where it has
 * them, a file that says something else by now is its owner's, and is left so (u->left). With them, or with "alone",
 * the newest entry of a file counts; else, as of older builds, each is written, the oldest last. 1: written; 0: nothing
 * to do; -errno.
 */
int ks_undo_file(struct ks_undo_files *f, struct json_object *entry, struct ks_undone *u);

#endif /* KVMSCHED_UNDO_FILE_H */
