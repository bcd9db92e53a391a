// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>

#include "cli.h"
#include "commands.h"
#include "journal.h"
#include "options.h"
#include "state.h"
#include "turn.h"

static const struct argp_option options[] = {
	CLI_JSON(TURN_OPT_JSON),
	TURN_DIR,
	{ 0 },
};

#define LOOKS 3

/*
 * The book first, then who is at work: between the two a hand-over may have ended. One that was interrupted stays so, however
 * often it is looked at. (Again and again another one may be under way in just that moment; not often.)
 */
static int load(const struct turn_options *o, struct ks_book **b, int *busy, struct ks_err *err)
{
	int i, ret;

	for (i = 0;; i++) {
		ret = ks_book_load(b, o->dir, err);
		if (ret)
			return ret;
		*busy = turn_of(o->dir);
		if (*busy || ks_book_is_settled(*b) || i == LOOKS)
			return 0;
		ks_book_free(*b);
	}
}

static int print(const struct turn_options *o)
{
	struct json_object *state;
	struct ks_book *b;
	struct ks_err err;
	int busy, ret = load(o, &b, &busy, &err);

	if (ret == -ENOENT) {
		puts(o->json ? "{\"schema\":1,\"plan\":false}" : "no plan is applied");
		return CLI_EXIT_FAILED;
	}
	if (ret)
		return cli_fail(ret, &err);
	state = state_json(b, busy);
	if (o->json)
		puts(json_object_to_json_string_ext(state, JSON_C_TO_STRING_PLAIN));
	else
		state_print(state);
	json_object_put(state);
	ks_book_free(b);
	return CLI_EXIT_OK;
}

int share_status(int argc, char **argv)
{
	const struct argp argp = {
		.options = options,
		.parser = turn_parse_alone,
		.doc = "Who has which CPUs, how each VM is held to them, who does not keep to it, "
		       "and "
		       "how far a hand-over has come. Exit code 1 if no plan is applied.\v"
		       "Examples:\n"
		       "  vm-share status\n"
		       "  vm-share status --json | jq '.cpus[] | select(.step != \"owned\")'\n"
	};
	struct turn_options o;
	int ret;

	turn_defaults(&o);
	ret = cli_parse(&argp, argc, argv, &o);
	return ret ? ret : cli_end(print(&o));
}
