// SPDX-License-Identifier: GPL-2.0
/* sim: simulated worlds, with the truth known, for the analysis to be measured against. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "fault.h"
#include "sim.h"
#include "util.h"

enum { OPT_NO_TRUTH = 256, OPT_ALL, OPT_KEEP };

struct options {
	const char *command, *scenario, *out;
	uint64_t first, last; /* seeds */
	uint64_t events;
	bool no_truth, all, keep, verbose;
};

static const struct argp_option option_table[] = {
	{ "scenario", 's', "NAME", 0, "kind of world (list: sim scenarios)", 0 },
	{ "seed", 'n', "N", 0, "seed of the world, default 1", 0 },
	{ "seeds", 'N', "A-B", 0, "check these seeds", 0 },
	{ "out", 'o', "DIR", 0, "generate: where the traces go", 0 },
	{ "events", 'e', "N", 0, "generate: end after so many records", 0 },
	{ "no-truth", OPT_NO_TRUTH, NULL, 0, "generate: traces only", 0 },
	{ "all", OPT_ALL, NULL, 0, "check: all scenarios", 0 },
	{ "keep", OPT_KEEP, NULL, 0, "check: leave the traces where they are", 0 },
	{ "verbose", 'v', NULL, 0, "check: print what was classified wrong", 0 },
	{ 0 },
};

static uint64_t number(struct argp_state *st, const char *s, char **end)
{
	uint64_t n;

	errno = 0;
	n = strtoull(s, end, 10);
	if (errno || *end == s || *s == '-')
		argp_error(st, "\"%s\" is not a number", s);
	return n;
}

static void whole_number(struct argp_state *st, const char *s, uint64_t *n)
{
	char *end;

	*n = number(st, s, &end);
	if (*end)
		argp_error(st, "\"%s\" is not a number", s);
}

static void range(struct argp_state *st, const char *s, struct options *o)
{
	char *end;

	o->first = o->last = number(st, s, &end);
	if (*end == '-')
		whole_number(st, end + 1, &o->last);
	else if (*end)
		argp_error(st, "\"%s\" is not a range", s);
	if (o->last < o->first)
		argp_error(st, "\"%s\" is empty", s);
}

static error_t parse(int key, char *arg, struct argp_state *st)
{
	struct options *o = st->input;

	switch (key) {
	case 's':
		o->scenario = arg;
		break;
	case 'n':
		whole_number(st, arg, &o->first);
		o->last = o->first;
		break;
	case 'N':
		range(st, arg, o);
		break;
	case 'o':
		o->out = arg;
		break;
	case 'e':
		whole_number(st, arg, &o->events);
		break;
	case 'v':
		o->verbose = true;
		break;
	case OPT_NO_TRUTH:
		o->no_truth = true;
		break;
	case OPT_ALL:
		o->all = true;
		break;
	case OPT_KEEP:
		o->keep = true;
		break;
	case ARGP_KEY_ARG:
		if (o->command)
			argp_usage(st);
		o->command = arg;
		break;
	case ARGP_KEY_END:
		if (!o->command)
			argp_usage(st);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static void scenario(struct params *p, const char *name, uint64_t seed)
{
	if (params_scenario(p, name, seed))
		die("no scenario \"%s\": see sim scenarios", name);
}

static int generate(const struct options *o)
{
	struct params p;
	struct world *w;

	if (!o->out)
		die("generate needs --out DIR");
	if (mkdir(o->out, 0777) && errno != EEXIST)
		die("%s: %s", o->out, strerror(errno));
	scenario(&p, o->scenario ? o->scenario : "multi-vm", o->first);
	if (o->events)
		params_limit(&p, o->events);
	p.truth = p.truth_file = !o->no_truth;
	w = world_new(&p, o->out);
	world_run(w);
	printf("%llu records, %.3f s\n", (unsigned long long)w->records,
	       (double)(w->end - w->start) / 1e9);
	world_free(w);
	return 0;
}

static int check_seeds(const struct options *o, const char *name)
{
	int bad = 0;

	for (uint64_t seed = o->first; seed <= o->last; seed++) {
		struct params p;

		scenario(&p, name, seed);
		bad += check_run(&p,
				 &(struct check_opts){ .keep = o->keep, .verbose = o->verbose });
	}
	return bad;
}

static int check(const struct options *o)
{
	int bad = 0;

	if (!o->all && !o->scenario)
		die("check needs --scenario NAME or --all");
	check_header();
	for (unsigned int i = 0; o->all && params_name(i); i++)
		bad += check_seeds(o, params_name(i));
	if (!o->all)
		bad += check_seeds(o, o->scenario);
	if (bad)
		printf("%d worlds were analysed wrong\n", bad);
	return bad ? 1 : 0;
}

/* Does the check notice an analysis that is wrong? One world per kind of fault. */
static int selftest(void)
{
	const char *name, *where;
	int missed = 0;

	for (unsigned int i = 0; (name = fault_name(i, &where)); i++) {
		struct check_opts sound = { .quiet = true },
				  spoilt = { .quiet = true, .fault = name };
		struct params p;
		int before, after;

		scenario(&p, where, 1);
		before = check_run(&p, &sound);
		after = check_run(&p, &spoilt);
		if (before || !after)
			missed++;
		printf("%-12s in %-12s %s\n", name, where,
		       before ? "the world is wrong already" :
		       after  ? "noticed" :
				"NOT NOTICED");
	}
	return missed ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		option_table,
		parse,
		"generate|check|selftest|scenarios",
		"Simulate hosts and guests, write their traces and the truth about every wait; "
		"or check the analysis against it; see whether the check notices mistakes.",
		NULL,
		NULL,
		NULL
	};
	struct options o = { .first = 1, .last = 1 };

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	if (!strcmp(o.command, "generate"))
		return generate(&o);
	if (!strcmp(o.command, "check"))
		return check(&o);
	if (!strcmp(o.command, "selftest"))
		return selftest();
	if (strcmp(o.command, "scenarios"))
		die("no command \"%s\"", o.command);
	for (unsigned int i = 0; params_name(i); i++)
		puts(params_name(i));
	return 0;
}
