/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of a VM per node of the host, as its QEMU says: what it booted with, and a virtio-mem device per
 * node by which it grows and shrinks.
 */
#ifndef KVMSCHED_SHARE_MEMORY_H
#define KVMSCHED_SHARE_MEMORY_H

#include "book.h"
#include "plan.h"

struct ks_qmp;

struct ks_mem_node {
	uint64_t boot;	    /* bytes that cannot be given up */
	uint64_t size;	    /* of the virtio-mem device: plugged now */
	uint64_t requested; /* ... that the guest is asked to have plugged */
	uint64_t max, block;
	char device[64]; /* its path in QEMU; "" = there is none */
};

struct ks_mem {
	struct ks_mem_node node[KS_BOOK_NODES];
	bool unbound; /* some of it is on no single node that is known */
};

/* one_node: the host has but one, so that every backend is on it. 0 or -errno + err. */
int ks_mem_read(struct ks_qmp *q, bool one_node, struct ks_mem *m, struct ks_err *err);

/* What the VM has of this node, in bytes. */
uint64_t ks_mem_total(const struct ks_mem *m, unsigned int node);

/*
 * Can it have so much of a node in all? *want is rounded down to blocks. 0; -ERANGE + err: less than it booted with,
 * or more than its device has; -ENODEV + err: it has none.
 */
int ks_mem_fit(const struct ks_mem *m, unsigned int node, uint64_t *want, struct ks_err *err);

/* Ask the guest to have so much, if it can. 0, as ks_mem_fit(), or what QMP says. */
int ks_mem_ask(struct ks_qmp *q, const struct ks_mem *m, unsigned int node, uint64_t *want,
	       struct ks_err *err);

/*
 * Wait until the guest has at most, or at least, so much of it. *has: what it has in the end. 0; -EBUSY: it has not
 * within that time; -errno + err: what QMP says.
 */
int ks_mem_wait(struct ks_qmp *q, bool one_node, unsigned int node, uint64_t want, bool shrinks,
		int timeout_ms, uint64_t *has, struct ks_err *err);

/* ---- by plan ---- */

struct ks_sharer;

/* Does the plan give away more of a node than the host has? 0 or -EINVAL + err. */
int ks_mem_check(const struct ks_plan *p, struct ks_err *err);

/* Does it, with what VMs have of which it does not speak? Its VMs are in the book. 0 or -EINVAL + err. */
int ks_mem_check_book(const struct ks_book *b, const struct ks_plan *p, struct ks_err *err);

/*
 * Give every VM the memory that the plan says: all that shrink first, each waited for, then all that grow.
 * The plan has been checked, and its VMs are in the book. 0 or -errno + err.
 */
int ks_mem_plan(struct ks_sharer *s, struct ks_book *b, const struct ks_plan *p,
		struct ks_err *err);

/* Ask every VM once more for what the book says is its own. The first that cannot be asked: -errno + err. */
int ks_mem_mend(const struct ks_book *b, struct ks_err *err);

#endif /* KVMSCHED_SHARE_MEMORY_H */
