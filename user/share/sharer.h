/* SPDX-License-Identifier: GPL-2.0 */
/* Hand-overs on this machine: asks agents, looks at vCPUs, holds them down; see hand.h. */
#ifndef KVMSCHED_SHARE_SHARER_H
#define KVMSCHED_SHARE_SHARER_H

#include "hand.h"
#include "links.h"
#include "plan.h"
#include "vm.h"

/* Where the time of hand-overs went, ns. */
struct ks_sharer_times {
	uint64_t asking;  /* agents: from the call to the answer */
	uint64_t looking; /* at given-up vCPUs */
	uint64_t forcing; /* vCPUs held down, with saving */
	uint64_t saving;  /* the book */
};

struct ks_sharer {
	const char *dir; /* of the book */
	uint32_t port;	 /* of agents; 0: ask none, hold everybody down */
	int answer_ms; /* what an agent has for each of: the connection, the question, the answer */
	const char *doubt;  /* take() holds down without asking or looking, for this reason */
	uint64_t questions; /* asked so far */
	bool changed;	    /* the book has been changed since it was saved */
	struct ks_sharer_times times;
	struct ks_links links; /* open until ks_sharer_end() */
	struct ks_hand_ops ops;
};

/* With the usual times and port. */
void ks_sharer_init(struct ks_sharer *l, const char *dir);
void ks_sharer_end(struct ks_sharer *l);

/* Is it still the same process? */
bool ks_sharer_is_there(const struct ks_book_vm *vm);

/* The VM of this process in the book; KS_NOBODY. */
int ks_sharer_find(const struct ks_book *b, uint32_t tgid);

/*
 * The process of the VM that is meant by a name, UUID or PID: as ks_vm_resolve(), but of several that are called so the one
 * that is in the book (may be NULL), and lives. -ENOTUNIQ also of one that is not in the book if another one says that it has
 * the same vsock CID.
 */
int ks_sharer_resolve(const struct ks_book *b, const struct ks_vmlist *list, const char *name,
		      uint32_t *tgid, struct ks_err *err);

/*
 * Leave in a plan only those VMs that are there. Of others, that may be one or another, unclear() is told: by their numbers in
 * the plan as it was. Whoever gives a VM the name of another one is not to be in everybody's way.
 */
void ks_sharer_drop_absent(const struct ks_book *b, const struct ks_vmlist *list, struct ks_plan *p,
			   void (*unclear)(unsigned int i, const struct ks_err *err));

/*
 * Put a VM of this machine into the book, or find it there: its index, or -errno + err (-ENOENT: no
 * such VM; -ENOTSUP: its vCPU threads cannot be told; -E2BIG).
 */
int ks_sharer_add(struct ks_book *b, const struct ks_vmlist *list, const char *name, uint32_t first,
		  struct ks_err *err);

/*
 * Write into the book what a plan (checked by ks_plan_check()) is to change; VMs that have ended are
 * buried. Nothing is done yet: ks_hand_over(all) does it. 0 or -errno + err.
 */
int ks_sharer_plan(struct ks_book *b, const struct ks_vmlist *list, struct ks_plan *p,
		   struct ks_err *err);

/* Bury VMs that have ended. How many. */
unsigned int ks_sharer_bury(struct ks_book *b);

/* This VM has ended: take away the cgroups that were made for its vCPUs. */
void ks_sharer_clear(struct ks_book *b, int vm);

/* Are its vCPUs on CPUs that are its own? Nothing is asked of those that we have not pinned. */
bool ks_sharer_is_pinned(const struct ks_book *b, int vm);

/* vCPUs of a VM that it may use, and those that it has given up. */
void ks_sharer_vcpus(const struct ks_book *b, int vm, struct ks_cpus *may, struct ks_cpus *given);

/*
 * Everything as before: agents told so, vCPUs let go, affinities put back. 0, and the book is removed; or -errno + err of
 * one where that could not be: the book stays, with those alone that are not released, for it to be done again.
 */
int ks_sharer_release(struct ks_sharer *l, struct ks_book *b, struct ks_err *err);

#endif /* KVMSCHED_SHARE_SHARER_H */
