// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "err.h"
#include "journal.h"
#include "options.h"
#include "record.h"
#include "turn.h"

static const struct argp_option options[] = {
	CLI_JSON(TURN_OPT_JSON),
	TURN_AGENT,
	TURN_DIR,
	{ 0 },
};

struct move {
	struct ks_cpus cpus;
	const char *from, *to;
};

static void read_words(struct move *m, char **words)
{
	struct ks_err err;
	int n = 0;

	while (words && words[n])
		n++;
	if (n != 4 || strcmp(words[0], "cpu"))
		cli_bad_usage("use: vm-share move cpu LIST FROM TO");
	if (ks_cpus_parse("cpu", words[1], &m->cpus, &err))
		cli_usage(&err);
	m->from = words[2];
	m->to = words[3];
}

/* A VM of the book, or `free' for nobody. */
static int find(const struct ks_book *b, const char *name, int *vm, struct ks_err *err)
{
	*vm = strcmp(name, "free") ? ks_book_find(b, name) : KS_NOBODY;
	if (*vm == KS_NOBODY && strcmp(name, "free"))
		return ks_fail(err, -ENOENT, "no VM '%.60s' in the plan that is applied", name);
	return 0;
}

static int check_one(const struct ks_book *b, unsigned int cpu, int from, int to,
		     struct ks_err *err)
{
	const struct ks_book_cpu *c = &b->cpu[cpu];

	if (c->step == KS_STEP_NONE)
		return ks_fail(err, -EINVAL, "CPU %u is not shared by the plan", cpu);
	if (c->owner != from)
		return ks_fail(err, -EINVAL, "CPU %u is not %s's: it is %s", cpu,
			       from == KS_NOBODY ? "nobody" : b->vm[from].name,
			       c->owner == KS_NOBODY ? "free" : b->vm[c->owner].name);
	if (to != KS_NOBODY && ks_book_vcpu_of(&b->vm[to], cpu) == KS_NOBODY)
		return ks_fail(err, -EINVAL, "%s has no vCPU for CPU %u", b->vm[to].name, cpu);
	return 0;
}

static int write_down(struct ks_book *b, const struct move *m, int *from, int *to,
		      struct ks_err *err)
{
	unsigned int i;
	struct ks_cpus left;
	int ret = find(b, m->from, from, err);

	if (!ret)
		ret = find(b, m->to, to, err);
	if (!ret && *from == *to)
		ret = ks_fail(err, -EINVAL, "from %.60s to itself", m->from);
	for (i = ks_cpus_next(&m->cpus, 0); i < KS_CPUS && !ret;
	     i = ks_cpus_next(&m->cpus, i + 1)) {
		ret = check_one(b, i, *from, *to, err);
		if (!ret)
			ks_book_move(b, i, *to);
	}
	if (ret || *from == KS_NOBODY)
		return ret;
	ks_book_may(b, *from, &left);
	return ks_cpus_count(&left) ?
		       0 :
		       ks_fail(err, -EINVAL, "%s would be left without a CPU", b->vm[*from].name);
}

static const char *manner_of(const struct ks_book *b, int vm)
{
	return vm == KS_NOBODY ? "free" : ks_manner_name(b->vm[vm].manner);
}

static void print(const struct turn_options *o, const struct turn *t, const struct move *m,
		  int from, int to, uint64_t ns)
{
	char cpus[KS_CPUS_TEXT];

	ks_cpus_print(&m->cpus, cpus, sizeof(cpus));
	if (o->json)
		printf("{\"schema\":1,\"cpus\":\"%s\",\"ns\":%" PRIu64
		       ",\"giver\":\"%s\",\"receiver\":\"%s\",\"asking_ns\":%" PRIu64
		       ",\"looking_ns\":%" PRIu64 ",\"forcing_ns\":%" PRIu64
		       ",\"saving_ns\":%" PRIu64 "}\n",
		       cpus, ns, manner_of(t->book, from), manner_of(t->book, to),
		       t->sharer.times.asking, t->sharer.times.looking, t->sharer.times.forcing,
		       t->sharer.times.saving);
	else
		cli_note("CPU %s: %s to %s in %.1f ms (%s)", cpus, m->from, m->to, (double)ns / 1e6,
			 manner_of(t->book, from));
}

static int move(struct turn *t, const struct turn_options *o, const struct move *m)
{
	uint64_t begun = record_clock_ns();
	struct ks_err err = { "out of memory" };
	int from, to, ret;

	ks_sharer_bury(t->book);
	ret = write_down(t->book, m, &from, &to, &err);
	if (!ret)
		ret = ks_hand_over(t->book, &t->sharer.ops, false, &err);
	if (ret)
		return cli_fail(ret, &err);
	print(o, t, m, from, to, record_clock_ns() - begun);
	return CLI_EXIT_OK;
}

int share_move(int argc, char **argv)
{
	const struct argp argp = {
		.options = options,
		.parser = turn_parse,
		.args_doc = "cpu LIST FROM TO",
		.doc = "Hand CPUs of one VM over to another one; `free' stands for nobody.\v"
		       "Examples:\n"
		       "  vm-share move cpu 4-5 db web\n"
		       "  vm-share move cpu 7 web free\n"
	};
	struct turn_options o;
	struct move m;
	struct turn t;
	int ret;

	turn_defaults(&o);
	ret = cli_parse(&argp, argc, argv, &o);
	if (ret)
		return ret;
	read_words(&m, o.args);
	ret = turn_begin_settled(&t, &o);
	if (ret)
		return ret;
	ret = move(&t, &o, &m);
	turn_end(&t);
	return ret;
}
