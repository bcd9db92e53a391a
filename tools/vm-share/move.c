// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "err.h"
#include "journal.h"
#include "now.h"
#include "options.h"
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

static int read_words(struct move *m, char **words, struct ks_err *err)
{
	int n = 0;

	while (words && words[n])
		n++;
	if (n != 4 || strcmp(words[0], "cpu"))
		return ks_fail(err, -EINVAL, "use: vm-share move cpu LIST FROM TO");
	m->from = words[2];
	m->to = words[3];
	return ks_cpus_parse("cpu", words[1], &m->cpus, err);
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
	return ret;
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

/* begun: when it was asked for. */
static int move(struct turn *t, const struct turn_options *o, const struct move *m, uint64_t begun,
		struct ks_err *err)
{
	int from, to, ret;

	t->sharer.times = (struct ks_sharer_times){ 0 };
	ks_sharer_bury(t->book);
	ret = write_down(t->book, m, &from, &to, err);
	if (!ret)
		ret = ks_hand_over(t->book, &t->sharer.ops, false, err);
	if (!ret)
		print(o, t, m, from, to, ks_now_ns() - begun);
	return ret;
}

/* ---- one, or line by line ---- */

static int in_turn(struct turn *t, const struct turn_options *o, const struct move *m,
		   uint64_t begun)
{
	struct ks_err err = { "out of memory" };
	int ret = turn_take_settled(t, o);

	if (ret)
		return ret;
	ret = move(t, o, m, begun, &err);
	turn_leave(t);
	return ret ? cli_fail(ret, &err) : CLI_EXIT_OK;
}

static int move_one(const struct turn_options *o)
{
	uint64_t begun = ks_now_ns();
	struct ks_err err;
	struct move m;
	struct turn t;
	int ret;

	if (read_words(&m, o->args, &err))
		cli_usage(&err);
	turn_init(&t, o);
	ret = in_turn(&t, o, &m, begun);
	turn_end(&t);
	return ret;
}

/* Too many words are as wrong as too few. */
static void split(char *line, char *words[6])
{
	unsigned int n = 0;
	char *word;

	while (n < 5 && (word = strsep(&line, " \t\n")))
		if (*word)
			words[n++] = word;
	words[n] = NULL;
}

/* Whoever puts in lines gets one for each. */
static int move_line(struct turn *t, const struct turn_options *o, char *line)
{
	uint64_t begun = ks_now_ns();
	struct ks_err err;
	char *words[6];
	struct move m;
	int ret;

	split(line, words);
	ret = read_words(&m, words, &err);
	ret = ret ? cli_fail(ret, &err) : in_turn(t, o, &m, begun);
	if (ret && o->json)
		puts("{\"schema\":1,\"ns\":null}");
	return ret;
}

/* For whoever decides on it all the time: agents stay connected, and no process is started for each. */
static int move_lines(const struct turn_options *o)
{
	int ret, first = CLI_EXIT_OK;
	char *line = NULL;
	size_t size = 0;
	struct turn t;

	turn_init(&t, o);
	while (getline(&line, &size, stdin) > 0) {
		ret = move_line(&t, o, line);
		first = first ? first : ret;
		fflush(stdout);
	}
	free(line);
	turn_end(&t);
	return first;
}

int share_move(int argc, char **argv)
{
	const struct argp argp = {
		.options = options,
		.parser = turn_parse,
		.args_doc = "cpu LIST FROM TO\n-",
		.doc = "Hand CPUs of one VM over to another one; `free' stands for nobody. With "
		       "`-' such words are read from the standard input, a hand-over per line, "
		       "and agents stay connected meanwhile.\v"
		       "Examples:\n"
		       "  vm-share move cpu 4-5 db web\n"
		       "  vm-share move cpu 7 web free\n"
		       "  my-balancer | vm-share move --json -\n"
	};
	struct turn_options o;
	int ret;

	turn_defaults(&o);
	ret = cli_parse(&argp, argc, argv, &o);
	if (ret)
		return ret;
	return o.args && o.args[0] && !strcmp(o.args[0], "-") && !o.args[1] ? move_lines(&o) :
									      move_one(&o);
}
