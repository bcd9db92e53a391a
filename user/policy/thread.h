/* SPDX-License-Identifier: GPL-2.0 */
/* How one thread is scheduled: to look at it, to change it, to put it back. */
#ifndef KVMSCHED_THREAD_H
#define KVMSCHED_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#define KS_SCHED_EXT 7 /* SCHED_EXT in the kernel's headers, from 6.12 */

struct ks_thread {
	uint32_t tid;
	uint64_t start; /* ticks since boot (/proc/TID/stat): tells a thread from a later one of
			 * the same number */
	uint32_t policy, priority;
	int32_t nice;
	uint64_t flags;	   /* as sched_getattr(2) gives them */
	uint64_t slice_ns; /* likewise: its own or the kernel's usual one, from 6.12; 0 before */
};

/* Is it of the classes that a policy may take away from the kernel's own fair scheduler? */
static inline bool ks_thread_is_fair(const struct ks_thread *t)
{
	return t->policy == 0 || t->policy == 3; /* SCHED_OTHER, SCHED_BATCH */
}

/* 0; -ESRCH: no such thread (any more); -errno. */
int ks_thread_read(uint32_t tid, struct ks_thread *t);
/* The same, for a thread of this process: -ESRCH if the number is another process's by now. */
int ks_thread_read_of(uint32_t tgid, uint32_t tid, struct ks_thread *t);

/* When it began, as in struct ks_thread. root: prefix of /proc, see text.h. 0; -ESRCH; -errno. */
int ks_thread_start(const char *root, uint32_t tid, uint64_t *start);

/* Has this thread ended, so that its number is nobody's, or another's? What cannot be found out has not. */
bool ks_thread_has_ended(const char *root, uint32_t tid, uint64_t start);

/*
 * Has this process (by its number and start) ended, whether or not its parent has taken note of that? What cannot be
 * found out has not.
 */
bool ks_process_has_ended(const char *root, uint32_t tgid, uint64_t start);

/* Schedule it by the policy (a number as in sched(7)), with the kernel's slice, all else as t says. */
int ks_thread_set(const struct ks_thread *t, uint32_t policy);

/*
 * Put it back to what t says if it is still the same thread and still in `from`; a thread that its
 * owner has changed meanwhile is left alone. 1 if it was put back, 0 if there was nothing to do,
 * -errno.
 */
int ks_thread_restore(const struct ks_thread *t, uint32_t from);

/*
 * Threads of a process that have inherited the class `from` without anybody having put them there
 * (KVM's own helpers are started by a vCPU's thread): back to SCHED_OTHER, all but those that keep()
 * says yes to (NULL = none). How many, or -errno of the first that could not be.
 */
int ks_thread_sweep(uint32_t tgid, uint32_t from, bool (*keep)(void *ctx, uint32_t tid), void *ctx);

#endif /* KVMSCHED_THREAD_H */
