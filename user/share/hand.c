// SPDX-License-Identifier: GPL-2.0
#include <errno.h>

#include "err.h"
#include "hand.h"

static bool is_vm(const struct ks_book *b, int vm)
{
	return b->vm[vm].tgid;
}

static bool is_giver(const struct ks_book *b, int vm)
{
	struct ks_cpus set;

	ks_book_in(b, vm, KS_STEP_TAKING, &set);
	return ks_cpus_count(&set);
}

static bool is_receiver(const struct ks_book *b, int vm)
{
	struct ks_cpus set;

	ks_book_in(b, vm, KS_STEP_GIVING, &set);
	return ks_cpus_count(&set);
}

/* A guest cannot be held to nothing; one that is new waits until there is something for it. */
static bool has_some(const struct ks_book *b, int vm)
{
	struct ks_cpus set;

	ks_book_may(b, vm, &set);
	return ks_cpus_count(&set);
}

static int bury(struct ks_book *b, const struct ks_hand_ops *ops, int vm, struct ks_err *err)
{
	ops->end(ops->ctx, b, vm);
	ks_book_bury(b, vm);
	return ops->save(ops->ctx, b, err);
}

/* It was never held to anything. */
static bool is_new(const struct ks_book *b, int vm)
{
	return is_vm(b, vm) && b->vm[vm].manner == KS_MANNER_UNKNOWN;
}

/* What was done to it and cannot be undone just now stays in the book, for another time. */
static void forget(struct ks_book *b, const struct ks_hand_ops *ops, int vm)
{
	struct ks_err err;

	ks_book_disown(b, vm);
	if (!ks_book_is_touched(b, vm) || !ops->let_go(ops->ctx, b, vm, &err))
		ks_book_drop(b, vm);
}

static int drop_new(struct ks_book *b, const struct ks_hand_ops *ops, int vm)
{
	struct ks_err err;

	forget(b, ops, vm);
	return ops->save(ops->ctx, b, &err);
}

static int take_all(struct ks_book *b, const struct ks_hand_ops *ops, bool all, struct ks_err *err)
{
	int vm, ret = 0;

	for (vm = 0; vm < (int)KS_BOOK_VMS && !ret; vm++) {
		if (!is_vm(b, vm) || !(all || is_giver(b, vm)) || !has_some(b, vm))
			continue;
		ret = ops->take(ops->ctx, b, vm, err);
		if (ret == -ESRCH)
			ret = bury(b, ops, vm, err);
	}
	return ret;
}

/* *failed: what kept it from getting its own; the others are not to wait for it. */
static int give_one(struct ks_book *b, const struct ks_hand_ops *ops, int vm, int *failed,
		    struct ks_err *err)
{
	int ret = ops->give(ops->ctx, b, vm, err);

	if (ret == -ESRCH)
		return bury(b, ops, vm, err);
	if (!ret) {
		ks_book_gave(b, vm);
		return 0;
	}
	*failed = ret;
	return is_new(b, vm) ? drop_new(b, ops, vm) : 0;
}

/* Those that are new first: until they are held they may be on any CPU, on those of others, too. */
static int give_all(struct ks_book *b, const struct ks_hand_ops *ops, int *failed,
		    struct ks_err *err)
{
	bool given = false;
	int vm, pass, ret;

	ks_book_give(b);
	ret = ops->save(ops->ctx, b, err);
	for (pass = 0; pass < 2; pass++)
		for (vm = 0; vm < (int)KS_BOOK_VMS && !ret; vm++) {
			if (!is_vm(b, vm) || !is_receiver(b, vm) || is_new(b, vm) != !pass)
				continue;
			given = true;
			ret = give_one(b, ops, vm, failed, err);
		}
	return !ret && given ? ops->save(ops->ctx, b, err) : ret;
}

static bool some_in(const struct ks_book *b, enum ks_step step)
{
	struct ks_cpus set;

	ks_book_in(b, KS_NOBODY, step, &set);
	return ks_cpus_count(&set);
}

/* Who was to receive may have ended meanwhile, or been dropped: then there is something to give once more. */
static int give_until_done(struct ks_book *b, const struct ks_hand_ops *ops, struct ks_err *err)
{
	int ret, failed = 0;
	unsigned int i;

	for (i = 0; i <= KS_BOOK_VMS; i++) {
		ret = give_all(b, ops, &failed, err);
		if (ret || !some_in(b, KS_STEP_TAKEN))
			return ret ? ret : failed;
	}
	return -ELOOP;
}

/* Who is to let go of all that it has could be nowhere while that is verified: it would not be. */
static int check_givers(const struct ks_book *b, struct ks_err *err)
{
	int vm;

	for (vm = 0; vm < (int)KS_BOOK_VMS; vm++)
		if (is_vm(b, vm) && is_giver(b, vm) && !has_some(b, vm))
			return ks_fail(err, -EINVAL,
				       "%s would be left without a CPU until it is given others: "
				       "leave it one of them at first",
				       b->vm[vm].name);
	return 0;
}

/* VMs that are new and were to get what could not be taken, or could not be undone before: nothing is theirs. */
static void forget_new(struct ks_book *b, const struct ks_hand_ops *ops)
{
	int vm;

	ks_book_give(b); /* what is on its way to one is its own */
	for (vm = 0; vm < (int)KS_BOOK_VMS; vm++)
		if (is_new(b, vm) && !has_some(b, vm))
			forget(b, ops, vm);
}

int ks_hand_over(struct ks_book *b, const struct ks_hand_ops *ops, bool all, struct ks_err *err)
{
	bool takes = all || some_in(b, KS_STEP_TAKING);
	int ret = check_givers(b, err);

	if (ret)
		return ret;
	if (takes) /* else giving begins with that */
		ret = ops->save(ops->ctx, b, err);
	if (!ret && takes)
		ret = take_all(b, ops, all, err);
	if (ret) {
		struct ks_err second;

		ks_book_turn_back(b);
		forget_new(b, ops);
		give_until_done(b, ops, &second);
		return ret;
	}
	ks_book_took(b);
	return give_until_done(b, ops, err);
}

int ks_hand_mend(struct ks_book *b, const struct ks_hand_ops *ops, struct ks_err *err)
{
	ks_book_turn_back(b);
	forget_new(b, ops);
	return ks_hand_over(b, ops, true, err);
}
