// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "err.h"
#include "journal.h"
#include "memory.h"
#include "now.h"
#include "plan.h"
#include "turn.h"

enum { OPT_DRY_RUN = 0x100 };

static const struct argp_option options[] = {
	{ "dry-run", OPT_DRY_RUN, NULL, 0, "say whether the plan can be, and do nothing", 0 },
	TURN_AGENT,
	TURN_DIR,
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct turn_options *o = state->input;

	if (key != OPT_DRY_RUN)
		return turn_parse(key, arg, state);
	o->dry_run = true;
	return 0;
}

/* A word with '=' is a part of a plan; any other one names a file. */
static int read_plan(struct ks_plan *p, char **words, struct ks_err *err)
{
	int ret = 0;

	for (; words && *words && !ret; words++) {
		if (strchr(*words, '=') || !strcmp(*words, "no-pin"))
			ret = ks_plan_word(p, *words, err);
		else
			ret = ks_plan_file(p, *words, err);
	}
	if (!ret)
		ret = ks_plan_check(p, err);
	return ret ? ret : ks_mem_check(p, err);
}

static int hand_over(struct turn *t, struct ks_plan *p)
{
	uint64_t begun = ks_now_ns();
	struct ks_vmlist list;
	struct ks_err err = { "out of memory" };
	int ret = ks_vm_list(NULL, &list);

	if (ret) {
		ks_fail(&err, ret, "/proc: %s", strerror(-ret));
		return cli_fail(ret, &err);
	}
	ret = ks_sharer_plan(t->book, &list, p, &err);
	ks_vm_list_free(&list);
	if (!ret)
		ret = ks_mem_check_book(t->book, p, &err);
	if (!ret)
		ret = ks_hand_over(t->book, &t->sharer.ops, true, &err);
	if (!ret)
		ret = ks_mem_plan(&t->sharer, t->book, p, &err);
	if (ret)
		return cli_fail(ret, &err);
	cli_note("applied in %.1f ms", (double)(ks_now_ns() - begun) / 1e6);
	return CLI_EXIT_OK;
}

static int apply(const struct turn_options *o, struct ks_plan *p)
{
	struct turn t;
	int ret = turn_begin(&t, o, TURN_WAIT_MS);

	if (ret)
		return ret;
	if (t.book && !ks_book_is_settled(t.book)) {
		cli_error("a hand-over was interrupted: `vm-share restore` first");
		ret = CLI_EXIT_FAILED;
	}
	if (!t.book)
		t.book = ks_book_new();
	if (!ret)
		ret = t.book ? hand_over(&t, p) : CLI_EXIT_FAILED;
	turn_end(&t);
	return ret;
}

int share_hold_to(const struct turn_options *o, char **words)
{
	struct ks_err err = { "out of memory" };
	struct ks_plan *p = ks_plan_new();
	int ret = p ? read_plan(p, words, &err) : -ENOMEM;

	if (ret == -EINVAL || ret == -ERANGE || ret == -E2BIG) {
		free(p);
		cli_usage(&err);
	}
	if (ret)
		ret = cli_fail(ret, &err);
	else if (!o->dry_run)
		ret = apply(o, p);
	free(p);
	return ret;
}

int share_apply(int argc, char **argv)
{
	const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "FILE|VM=cpus:LIST[,mem:NODE=SIZE]...",
		.doc = "Hold VMs to a plan, from now on and live: each CPU is one VM's. What "
		       "changes "
		       "against the plan before is taken first, verified, then given.\v"
		       "Examples:\n"
		       "  vm-share apply web=cpus:0-3 db=cpus:4-7\n"
		       "  vm-share apply /etc/kvmsched/share\n"
	};
	struct turn_options o;
	int ret;

	turn_defaults(&o);
	ret = cli_parse(&argp, argc, argv, &o);
	return ret ? ret : share_hold_to(&o, o.args);
}
