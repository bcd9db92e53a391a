/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the host can do about a vCPU by itself: look whether it idles, pin it, hold it down to the least
 * CPU bandwidth that a cgroup can have (1 ms each second).
 */
#ifndef KVMSCHED_SHARE_FORCE_H
#define KVMSCHED_SHARE_FORCE_H

#include <stdbool.h>
#include <stdint.h>

#include "book.h"

/* ---- threads ---- */

/* Highest number of a vCPU + 1. */
struct ks_vminfo;
unsigned int ks_vcpus_count(const struct ks_vminfo *info);

/* Is this thread of the process there no more? What cannot be found out has not ended. root: see text.h. */
bool ks_vcpu_has_ended(const char *root, uint32_t tgid, uint32_t tid);

/*
 * Bring the book's threads of a VM up to date: vCPUs may be unplugged (tid 0 from then on), and plugged again with
 * another thread, to which nothing has been done; there may be more of them. A thread that has not its name yet is found
 * by one of the next looks. Returns whether there was something to change.
 */
bool ks_vcpus_renew(const char *root, struct ks_book_vm *v);

/* ---- look ---- */

struct ks_vcpu_look {
	uint64_t ran_ns;  /* time on a CPU so far */
	uint64_t used_ns; /* ... and waiting for one */
	bool sleeps;	  /* neither runs nor wants to */
};

/* root: see text.h. 0; -ESRCH: no such thread of this process; -ENODATA: the kernel has not counted; -errno. */
int ks_vcpu_look(const char *root, uint32_t tgid, uint32_t tid, struct ks_vcpu_look *look);

/*
 * Wait until all these vCPUs idle, for at most so many ms: a window of 1 ms in which they use a quarter
 * at most, and sleep at its end. Those that do not are left in *busy (vCPU numbers), and so are those that cannot be
 * looked at, but for threads that have ended.
 */
void ks_vcpus_busy(const char *root, const struct ks_book_vm *vm, const struct ks_cpus *vcpus,
		   int timeout_ms, struct ks_cpus *busy);

/* ---- pin ---- */

/* The affinity of a thread (0: the caller's) as a list. 0 or -errno. */
int ks_pin_read(uint32_t tid, struct ks_cpus *cpus);
/* The same with CPUs that are offline now, if they are in it: to be put back later. */
int ks_pin_read_all(uint32_t tid, struct ks_cpus *cpus);
/* 0 or -errno; numbers that this machine does not have are left out. */
int ks_pin_write(uint32_t tid, const struct ks_cpus *cpus);

/* ---- hold down ---- */

/*
 * Find out how this vCPU would be held down, and what would undo it; nothing is changed but the book's
 * entry, which is to be saved before ks_force(). One that is in our cgroup for it already comes from the one above.
 * 0; -ENOTSUP: no cgroup v2; -errno.
 */
int ks_force_prepare(const char *root, uint32_t tgid, unsigned int vcpu, struct ks_book_vcpu *v);
/* Do it; again without harm. 0 or -errno (-ESRCH: the thread has ended). */
int ks_force(const char *root, const struct ks_book_vcpu *v);
/* Undo it, and forget it. A thread or cgroup that is gone needs nothing undone. 0 or -errno. */
int ks_force_undo(const char *root, struct ks_book_vcpu *v);
/* The VM has ended: take away what was made for it, and forget it. Its thread's number may be another's by now. */
void ks_force_clear(const char *root, struct ks_book_vcpu *v);

#endif /* KVMSCHED_SHARE_FORCE_H */
