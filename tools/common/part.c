// SPDX-License-Identifier: GPL-2.0
#include "part.h"

#include "args.h"
#include "cli.h"
#include "options.h"

enum { OPT_FROM = 0x400, OPT_TO };

static const struct argp_option options[] = {
	CLI_FROM(OPT_FROM),
	CLI_TO(OPT_TO),
	{ 0 },
};

static void parse_time(const char *name, const char *arg, uint64_t *t)
{
	struct ks_err err;

	if (ks_arg_duration(name, arg, 1000000000, t, &err))
		cli_usage(&err);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct part *p = state->input;

	switch (key) {
	case OPT_FROM:
		parse_time("--from", arg, &p->from);
		return 0;
	case OPT_TO:
		parse_time("--to", arg, &p->to);
		p->has_to = true;
		return 0;
	case ARGP_KEY_END:
		if (p->has_to && p->to <= p->from)
			cli_bad_usage("--to is not behind --from: nothing is between them");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp part_argp = { .options = options, .parser = parse };

/* What would be behind the end of all time is at it. */
static uint64_t later(uint64_t t, uint64_t by)
{
	return by > UINT64_MAX - t ? UINT64_MAX : t + by;
}

void part_times(const struct part *p, uint64_t first, uint64_t *from, uint64_t *to)
{
	*from = later(first, p->from);
	*to = p->has_to ? later(first, p->to) : UINT64_MAX;
}
