// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apply.h"
#include "cli.h"
#include "commands.h"
#include "err.h"
#include "journal.h"
#include "memory.h"
#include "turn.h"

static const struct argp_option options[] = {
	TURN_AGENT,
	TURN_DIR,
	{ 0 },
};

static int begin(int argc, char **argv, const struct argp *argp, struct turn_options *o)
{
	turn_defaults(o);
	return cli_parse(argp, argc, argv, o);
}

/* ---- restore ---- */

static int release_book(struct turn *t)
{
	struct ks_err err = { "out of memory" };
	int ret;

	if (!t->sharer.port)
		cli_note("no agent is told: guests that one has confined stay so");
	ret = ks_sharer_release(&t->sharer, t->book, &err);
	return ret ? cli_fail(ret, &err) : CLI_EXIT_OK;
}

/* There is no way back for who has been released: nobody knows where it is by now. */
static int finish_release(struct turn *t)
{
	int ret = release_book(t);

	if (!ret)
		cli_note("a release was interrupted: it is finished");
	return ret;
}

static int mend_book(struct turn *t)
{
	bool settled = ks_book_is_settled(t->book);
	struct ks_err err = { "out of memory" };
	unsigned int ended = ks_sharer_bury(t->book);
	int ret;

	ret = ks_hand_mend(t->book, &t->sharer.ops, &err);
	if (!ret)
		ret = ks_mem_mend(t->book, &err);
	if (ret)
		return cli_fail(ret, &err);
	cli_note("%s; %u VMs have ended", settled ? "no hand-over was interrupted" : "mended",
		 ended);
	return CLI_EXIT_OK;
}

int restore_mend(const struct turn_options *o)
{
	struct turn t;
	int ret = turn_begin(&t, o, TURN_WAIT_MS);

	if (ret)
		return ret;
	if (t.book)
		ret = t.book->releasing ? finish_release(&t) : mend_book(&t);
	else
		cli_note("no plan is applied");
	turn_end(&t);
	return ret;
}

int share_restore(int argc, char **argv)
{
	const struct argp argp = {
		.options = options,
		.parser = turn_parse_alone,
		.doc = "Mend what an interrupted hand-over has left: what was being taken stays "
		       "with its giver, what was taken is given, and every VM is held to what is "
		       "its own. A release that was interrupted is finished. Does no harm where "
		       "nothing is wrong.\v"
		       "Examples:\n"
		       "  vm-share restore\n"
	};
	struct turn_options o;
	int ret = begin(argc, argv, &argp, &o);

	return ret ? ret : restore_mend(&o);
}

/* ---- release ---- */

int share_release(int argc, char **argv)
{
	const struct argp argp = {
		.options = options,
		.parser = turn_parse_alone,
		.doc = "End it: agents let their guests use all CPUs, vCPUs run where and as much "
		       "as before, and there is no plan any more.\v"
		       "Examples:\n"
		       "  vm-share release\n"
	};
	struct turn_options o;
	struct turn t;
	int ret = begin(argc, argv, &argp, &o);

	if (!ret)
		ret = turn_begin(&t, &o, TURN_WAIT_MS);
	if (ret)
		return ret;
	if (t.book)
		ret = release_book(&t);
	else
		cli_note("no plan is applied");
	turn_end(&t);
	return ret;
}
