/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hands CPUs over, step by step: what is to happen stands in the book, see ks_book_move(). First
 * all are taken, verified, then given; between any two things done to a VM the book is saved.
 */
#ifndef KVMSCHED_SHARE_HAND_H
#define KVMSCHED_SHARE_HAND_H

#include "book.h"

/* What does it. Each returns 0 or -errno + err. */
struct ks_hand_ops {
	/* Save the book. */
	int (*save)(void *ctx, const struct ks_book *b, struct ks_err *err);
	/*
	 * Hold the VM to ks_book_may(), which is not empty, and make sure that it uses no other CPU
	 * of the book. To be done again without harm. May write down in the book's VM how it did it,
	 * and save it before. -ESRCH: the VM has ended.
	 */
	int (*take)(void *ctx, struct ks_book *b, int vm, struct ks_err *err);
	/* Let the VM use ks_book_may(), in which there is more than before. -ESRCH likewise. */
	int (*give)(void *ctx, struct ks_book *b, int vm, struct ks_err *err);
	/* The VM has ended, and is about to be dropped: take away what was made for it. */
	void (*end)(void *ctx, struct ks_book *b, int vm);
	/* It is about to be dropped though it lives: undo what was done to it. If that fails it stays, with nothing. */
	int (*let_go)(void *ctx, struct ks_book *b, int vm, struct ks_err *err);
	void *ctx;
};

/*
 * Carry out what the book says is to be moved. all: hold every VM to what is its own, not only those
 * that give something (for plans that are new, and for restore). VMs that have ended are buried.
 * If a giver cannot be held, everything stays with, or goes back to, whom it was taken from: -errno. A VM that is new
 * and has nothing then, or cannot be held to what it gets, is dropped, unless what was done to it cannot be undone.
 * Who is to let go of all that it has cannot: -EINVAL, and nothing is begun.
 */
int ks_hand_over(struct ks_book *b, const struct ks_hand_ops *ops, bool all, struct ks_err *err);

/* Mend what an interrupted one has left: turned back what was being taken, complete the rest. */
int ks_hand_mend(struct ks_book *b, const struct ks_hand_ops *ops, struct ks_err *err);

#endif /* KVMSCHED_SHARE_HAND_H */
