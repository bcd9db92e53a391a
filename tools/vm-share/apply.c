// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
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
	{ "dry-run", OPT_DRY_RUN, NULL, 0,
	  "say whether the plan is sound (VMs are not looked for), and do nothing", 0 },
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

static int hand_over(struct turn *t, const struct ks_vmlist *list, struct ks_plan *p, bool *begun)
{
	uint64_t from = ks_now_ns();
	struct ks_err err = { "out of memory" };
	int ret = ks_sharer_plan(t->book, list, p, &err);

	if (!ret)
		ret = ks_mem_check_book(t->book, p, &err);
	if (!ret) {
		*begun = true;
		ret = ks_hand_over(t->book, &t->sharer.ops, true, &err);
	}
	if (!ret)
		ret = ks_mem_plan(&t->sharer, t->book, p, &err);
	if (ret)
		return cli_fail(ret, &err);
	cli_note("applied in %.1f ms", (double)(ks_now_ns() - from) / 1e6);
	return CLI_EXIT_OK;
}

/* Whoever keeps a plan comes here again and again. */
static void warn_unclear(unsigned int i, const struct ks_err *err)
{
	static struct ks_err told[KS_PLAN_VMS];

	if (!strcmp(told[i].msg, err->msg))
		return;
	told[i] = *err;
	cli_warn("left out: %s", err->msg);
}

/* Is each of these VMs in the book, by its process, and has something? */
static bool has_all(const struct ks_book *b, const struct ks_plan *p, const struct ks_vmlist *list)
{
	struct ks_cpus own;
	struct ks_err err;
	unsigned int i;
	uint32_t tgid;
	int vm;

	for (i = 0; i < p->n; i++) {
		if (ks_sharer_resolve(b, list, p->vm[i].name, &tgid, &err))
			return false;
		vm = ks_sharer_find(b, tgid);
		if (vm == KS_NOBODY || !ks_sharer_is_there(&b->vm[vm]))
			return false;
		ks_book_may(b, vm, &own);
		if (!ks_cpus_count(&own))
			return false;
	}
	return true;
}

/* Asked in our turn: a release that we have waited for is one. */
static bool is_kept(const struct ks_book *b, const struct ks_plan *p, const struct ks_vmlist *list)
{
	return !b || has_all(b, p, list);
}

static int in_turn(struct turn *t, const struct ks_vmlist *list, struct ks_plan *p,
		   enum apply_how how, bool *begun)
{
	const char *obstacle = t->book ? turn_obstacle(t->book) : NULL;

	if (obstacle) {
		cli_error("%s", obstacle);
		return CLI_EXIT_FAILED;
	}
	if (how == APPLY_LACKING && is_kept(t->book, p, list))
		return CLI_EXIT_OK;
	if (!t->book)
		t->book = ks_book_new();
	return t->book ? hand_over(t, list, p, begun) : CLI_EXIT_FAILED;
}

/* Another vm-share, for which we have waited, may know of VMs that were not there before. */
static int listed(struct turn *t, struct ks_plan *p, enum apply_how how, bool *begun)
{
	struct ks_vmlist list;
	struct ks_err err;
	int ret = ks_vm_list(NULL, &list);

	if (ret) {
		ks_fail(&err, ret, "/proc: %s", strerror(-ret));
		return cli_fail(ret, &err);
	}
	if (how != APPLY_ALL)
		ks_sharer_drop_absent(t->book, &list, p, warn_unclear);
	ret = in_turn(t, &list, p, how, begun);
	ks_vm_list_free(&list);
	return ret;
}

static int apply(const struct turn_options *o, struct ks_plan *p, enum apply_how how, bool *begun)
{
	struct turn t;
	int ret = turn_begin(&t, o, TURN_WAIT_MS);

	if (!ret) {
		ret = listed(&t, p, how, begun);
		turn_end(&t);
	}
	return ret;
}

int apply_plan(const struct turn_options *o, const struct ks_plan *plan, enum apply_how how,
	       bool *begun)
{
	struct ks_plan *p = ks_plan_new();
	int ret = CLI_EXIT_FAILED;

	if (p) {
		*p = *plan;
		ret = apply(o, p, how, begun);
	}
	free(p);
	return ret;
}

int apply_read(char **words, struct ks_plan **plan)
{
	struct ks_err err = { "out of memory" };
	int ret;

	*plan = ks_plan_new();
	ret = *plan ? read_plan(*plan, words, &err) : -ENOMEM;
	if (!ret)
		return CLI_EXIT_OK;
	free(*plan);
	*plan = NULL;
	if (ret == -EINVAL || ret == -ERANGE || ret == -E2BIG)
		cli_usage(&err);
	return cli_fail(ret, &err);
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
	struct ks_plan *p = NULL;
	bool begun = false;
	int ret;

	turn_defaults(&o);
	ret = cli_parse(&argp, argc, argv, &o);
	if (!ret)
		ret = apply_read(o.args, &p);
	if (!ret && !o.dry_run)
		ret = apply(&o, p, APPLY_ALL, &begun);
	free(p);
	return ret;
}
