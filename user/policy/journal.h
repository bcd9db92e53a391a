/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The journal of a policy: what it changes on the machine is written here before it is changed, so
 * that it can be undone by whoever comes next, whatever became of the one that changed it. Lies in
 * a folder that does not survive a reboot (neither do the changes): STATE_DIR/journal, a JSON
 * object per line. One process at a time holds it (a record lock).
 */
#ifndef KVMSCHED_JOURNAL_H
#define KVMSCHED_JOURNAL_H

#include <stdint.h>

#include "thread.h"
#include "trace.h"

#define KS_STATE_DIR "/run/kvmsched"

struct ks_journal;

/*
 * Take the journal in this folder (made if it is not there, readable by its owner alone).
 * -EBUSY + err if somebody holds it: err names the process.
 */
int ks_journal_open(struct ks_journal **j, const char *dir, struct ks_err *err);
/* For tests: prefix of /sys/fs/cgroup, NULL = none; borrowed. */
void ks_journal_root(struct ks_journal *j, const char *root);
/* Let go of it; entries stay. */
void ks_journal_close(struct ks_journal *j);

/* Begin anew for this policy; the journal must be empty (see undo). 0 or -errno. */
int ks_journal_begin(struct ks_journal *j, const char *policy);
/* "Threads of this VM will be changed": others of it that inherit SCHED_EXT are put back, too. */
int ks_journal_vm(struct ks_journal *j, uint32_t tgid);
/* "This thread is scheduled like so, and will be in SCHED_EXT." 0 or -errno. */
int ks_journal_thread(struct ks_journal *j, const struct ks_thread *t);
/* "This thread's nice value is so, and will be the other one for a moment." 0 or -errno. */
int ks_journal_nice(struct ks_journal *j, const struct ks_thread *t, int other);
/*
 * "This file of a cgroup will be written; to undo it, write this, whatever it says by then." The newest entry of a file
 * counts: what its owner has written meanwhile is to be told anew, what we have must not be. 0 or -errno.
 */
int ks_journal_file(struct ks_journal *j, const char *path, const char *file, const char *back);
/* What is told of files of that name, oldest first; strings are borrowed. 0 or -errno. */
int ks_journal_files(struct ks_journal *j, const char *file,
		     void (*tell)(void *ctx, const char *path, const char *back), void *ctx);
/*
 * "The cpu.weight of this cgroup is so, and will be one of ours for a moment." If it is something else when it is
 * to be undone, its owner has changed it, and it stays so. The newest entry of a cgroup counts: it has to name all
 * that may have been written. 0 or -errno.
 */
int ks_journal_weight(struct ks_journal *j, const char *path, uint32_t back, const uint32_t *ours,
		      unsigned int nours);

/*
 * "This file, which is of no cgroup, will be written; to undo it, write this." What the kernel does not take back is
 * no failure: an interrupt may be one that nobody moves, or its CPUs may be gone. 0 or -errno.
 */
int ks_journal_path(struct ks_journal *j, const char *path, const char *back);

struct ks_undone {
	unsigned int entries; /* changes that the journal knew of */
	unsigned int undone;  /* of them put back now; the others had ended, or were back already */
	unsigned int failed;
	unsigned int left;   /* files that their owners have changed meanwhile: they stay so */
	char left_path[256]; /* one of them, printable */
};

/* Put everything back, newest first, and empty the journal if all went well. 0 or -errno. */
int ks_journal_undo(struct ks_journal *j, struct ks_undone *u);

/*
 * Put back the threads of this process alone that are in the class `from`; what is written of them stays, and is found
 * done by ks_journal_undo(). How many, or -errno of the last that could not be.
 */
int ks_journal_undo_threads(struct ks_journal *j, uint32_t tgid, uint32_t from);

/* Is there anything in the journal of this folder? A holder that has ended well has emptied it. */
bool ks_journal_is_used(const char *dir);

/*
 * The other process that holds the journal in this folder, 0 if none does; -errno. Not for the
 * holder itself: its lock would go with the file that is closed here.
 */
int ks_journal_holder(const char *dir);

#endif /* KVMSCHED_JOURNAL_H */
