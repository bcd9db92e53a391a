// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "args.h"
#include "child.h"
#include "cli.h"
#include "commands.h"
#include "err.h"
#include "force.h"
#include "journal.h"
#include "now.h"
#include "pause.h"
#include "ready.h"
#include "turn.h"

#define NS 1000000000ULL

enum { OPT_INTERVAL = 0x100, OPT_PLAN };

static const struct argp_option options[] = {
	{ "every", OPT_INTERVAL, "TIME", 0, "interval between looks (1s)", 0 },
	{ "plan", OPT_PLAN, "FILE", 0,
	  "restore and apply this plan first, and again when a VM of it is there that was not", 0 },
	TURN_AGENT,
	TURN_DIR,
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct turn_options *o = state->input;
	struct ks_err err;

	if (key == OPT_PLAN) {
		o->plan = arg;
		return 0;
	}
	if (key != OPT_INTERVAL)
		return turn_parse_alone(key, arg, state);
	if (ks_arg_duration("--every", arg, NS, &o->every_ns, &err))
		cli_usage(&err);
	if (o->every_ns < NS / 10 || o->every_ns > 3600 * NS)
		cli_bad_usage("--every: use 100ms to 1h");
	return 0;
}

/* Memory that is handed over takes its time, and we have nothing else to do. */
#define WAIT_MS (60 * TURN_WAIT_MS)

/* What did not work is tried again after a while, and that doubles. */
#define PAUSE_NS (10 * NS)
#define PAUSE_MOST_NS (32 * PAUSE_NS)

/*
 * For how long each given-up vCPU had run when we looked last; of another VM in this place it says nothing. (Not for how
 * long it has waited: a guest's kernel wakes it up for a moment now and then, and then it waits for the owner.)
 */
struct seen {
	uint64_t start[KS_BOOK_VMS], ran[KS_BOOK_VMS][KS_CPUS];
	uint64_t looked_ns[KS_BOOK_VMS];     /* at that */
	uint64_t threads[KS_BOOK_VMS];	     /* see book.h */
	bool held[KS_BOOK_VMS][KS_CPUS];     /* down, by then */
	uint32_t got[KS_BOOK_VMS][KS_CPUS];  /* its CPU, so often by then */
	uint64_t pause_ns[KS_BOOK_VMS];	     /* before its agent is asked again, */
	uint64_t ask_ns[KS_BOOK_VMS];	     /* when it is, */
	uint64_t rest_ns[KS_BOOK_VMS];	     /* until when we leave it alone, */
	uint64_t rest_pause_ns[KS_BOOK_VMS]; /* and how long that is in all */
	uint64_t keep_ns, keep_pause_ns;     /* likewise, the plan */
	bool releasing; /* when we looked last, a release that was interrupted stood in the book */
	bool mended, begun;	    /* restored; and the book is the plan's, as far as can be */
	bool believed[KS_BOOK_VMS]; /* it ran, and its agent said that all is well */
	uint64_t at_ns;
};

/*
 * Pinned, a VM's first vCPU may run, given up or not, and does so on the VM's own CPUs: firmware, boot loader and the
 * beginning of a kernel know no other.
 */
static bool is_judged(const struct ks_book *b, const struct ks_cpus *given, unsigned int vcpu)
{
	return ks_cpus_has(given, vcpu) && (vcpu || b->no_pin);
}

static bool has_run(struct seen *s, const struct ks_book *b, int vm)
{
	const struct ks_book_vm *v = &b->vm[vm];
	struct ks_cpus may, given;
	struct ks_vcpu_look look;
	uint64_t now = ks_now_ns(), most_ns = (now - s->looked_ns[vm]) / 10;
	bool same = s->start[vm] == v->start, run = false;
	unsigned int i;

	if (!same)
		s->pause_ns[vm] = 0;
	s->start[vm] = v->start;
	s->looked_ns[vm] = now;
	ks_sharer_vcpus(b, vm, &may, &given);
	for (i = 0; i < v->vcpus; i++) {
		uint64_t before = s->ran[vm][i];
		bool held = v->vcpu[i].home;

		if (held != s->held[vm][i] || v->vcpu[i].got != s->got[vm][i])
			before = UINT64_MAX;
		s->held[vm][i] = held;
		s->got[vm][i] = v->vcpu[i].got;
		if (!is_judged(b, &given, i) ||
		    ks_vcpu_look(NULL, v->tgid, v->vcpu[i].tid, &look)) {
			s->ran[vm][i] = UINT64_MAX; /* its own time does not count */
			continue;
		}
		s->ran[vm][i] = look.ran_ns;
		run |= same && before != UINT64_MAX && look.ran_ns - before > most_ns;
	}
	return run;
}

/* 1, for it had to be; -errno. */
static int hold(struct turn *t, int vm, const char *what, struct ks_err *err)
{
	char name[sizeof(t->book->vm[vm].name)];
	int ret;

	memcpy(name, t->book->vm[vm].name, sizeof(name));
	ret = t->sharer.ops.take(t->sharer.ops.ctx, t->book, vm, err);
	if (!ret)
		ret = t->sharer.ops.save(t->sharer.ops.ctx, t->book, err);
	if (!ret)
		cli_warn("%s %s: held to its own again (%s)", name, what,
			 ks_manner_name(t->book->vm[vm].manner));
	return ret == -ESRCH ? 0 : ret ? ret : 1;
}

/* Is the agent of a VM that is held down there again, or do its vCPUs idle now? Then they are let go. */
static int ask_again(struct turn *t, struct seen *s, int vm, struct ks_err *err)
{
	const struct ks_book_vm *v = &t->book->vm[vm];
	int ret;

	if (v->manner != KS_MANNER_FORCED || !v->cid || !t->sharer.port) {
		/* It has kept its word for as long as it was not asked. */
		if (s->at_ns >= s->ask_ns[vm])
			s->pause_ns[vm] = 0;
		return 0;
	}
	if (s->pause_ns[vm] && s->at_ns < s->ask_ns[vm])
		return 0;
	s->pause_ns[vm] = ks_pause_longer(s->pause_ns[vm], PAUSE_NS, PAUSE_MOST_NS);
	s->ask_ns[vm] = s->at_ns + s->pause_ns[vm];
	ret = t->sharer.ops.take(t->sharer.ops.ctx, t->book, vm, err);
	if (!ret && t->sharer.changed)
		ret = t->sharer.ops.save(t->sharer.ops.ctx, t->book, err);
	if (!ret && v->manner == KS_MANNER_AGENT)
		cli_note("%s does as its agent is told again", v->name);
	return ret == -ESRCH ? 0 : ret;
}

/* Once its agent is asked again. Who answers that all is well, and goes on, is not asked any more. */
static int hold_runner(struct turn *t, struct seen *s, int vm, struct ks_err *err)
{
	int ret;

	t->sharer.doubt = s->believed[vm] ? "it ran on though its agent had confined it" : NULL;
	ret = hold(t, vm, "used CPUs that it had given up", err);
	t->sharer.doubt = NULL;
	s->believed[vm] = ret == 1 && t->book->vm[vm].manner == KS_MANNER_AGENT;
	return ret;
}

static int look_at_vm(struct turn *t, struct seen *s, int vm, struct ks_err *err)
{
	struct ks_book_vm *v = &t->book->vm[vm];
	bool renewed, run;
	struct ks_cpus own;

	ks_book_may(t->book, vm, &own);
	if (!ks_cpus_count(&own))
		return 0; /* what it may use is not known */
	if (s->threads[vm] && s->start[vm] == v->start)
		v->threads = s->threads[vm];
	renewed = ks_vcpus_renew(NULL, v);
	if (renewed)
		s->start[vm] = 0; /* other threads: what they had used before is not known */
	else			  /* otherwise once it is in the book */
		s->threads[vm] = v->threads;
	run = has_run(s, t->book, vm);
	if (renewed)
		return hold(t, vm, "has other vCPU threads", err);
	if (!ks_sharer_is_pinned(t->book, vm))
		return hold(t, vm, "had vCPUs elsewhere than they belong", err);
	if (run)
		return hold_runner(t, s, vm, err);
	s->believed[vm] = false;
	return ask_again(t, s, vm, err);
}

/* What is of no avail, or cannot be done, about one is no reason to leave the others, nor to say so each second. */
static void rest(struct seen *s, int vm, int ret, const struct ks_err *err)
{
	if (ret < 0)
		cli_warn("%s", err->msg);
	s->rest_pause_ns[vm] = ret ? ks_pause_longer(s->rest_pause_ns[vm], NS, PAUSE_MOST_NS) : 0;
	s->rest_ns[vm] = s->at_ns + s->rest_pause_ns[vm];
}

static int look_at_vms(struct turn *t, struct seen *s)
{
	struct ks_err err = { "" };
	unsigned int ended = ks_sharer_bury(t->book);
	int vm, ret = 0;

	if (ended) {
		cli_note("%u VMs have ended: their CPUs are free", ended);
		ret = t->sharer.ops.save(t->sharer.ops.ctx, t->book, &err);
	}
	if (ret)
		return cli_fail(ret, &err);
	for (vm = 0; vm < (int)KS_BOOK_VMS; vm++)
		if (t->book->vm[vm].tgid && s->at_ns >= s->rest_ns[vm])
			rest(s, vm, look_at_vm(t, s, vm, &err), &err);
	return 0;
}

/* Told of once. What is left of it is nobody's to hold, nor to apply a plan over. */
static void note_release(struct seen *s, const struct turn *t)
{
	bool releasing = t->book && t->book->releasing;

	if (releasing && !s->releasing)
		cli_warn("%s", turn_obstacle(t->book));
	s->releasing = releasing;
	s->begun |= releasing; /* once it is finished it stays so */
}

/* A hand-over that was interrupted is left for `restore': whoever runs that wants to know. */
static int turn(struct seen *s, const struct turn_options *o)
{
	struct turn t;
	int ret;

	s->at_ns = ks_now_ns();
	if (turn_of(o->dir))
		return 0; /* somebody hands over: next time */
	ret = turn_begin(&t, o, WAIT_MS);
	if (ret)
		return ret;
	note_release(s, &t);
	if (t.book && ks_book_is_settled(t.book))
		ret = look_at_vms(&t, s);
	turn_end(&t);
	return ret;
}

/* At first all of it; then what is missing. What is not mended is in nobody's way whom apply lets do something. */
static bool keep_now(struct seen *s, const struct turn_options *o, const struct ks_plan *plan)
{
	bool applied;

	s->mended = s->mended || !restore_mend(o);
	applied = !apply_plan(o, plan, s->begun ? APPLY_LACKING : APPLY_PRESENT, &s->begun);
	s->begun |= applied;
	s->mended &= applied; /* it may have left something half done */
	return s->mended;
}

/* Of the plan: a VM may come later, or anew. What is in the way of one may stay so, and is none of the others'. */
static void keep(struct seen *s, const struct turn_options *o, const struct ks_plan *plan)
{
	if (s->releasing || s->at_ns < s->keep_ns || turn_of(o->dir))
		return;
	s->keep_pause_ns = keep_now(s, o, plan) ?
				   PAUSE_NS :
				   ks_pause_longer(s->keep_pause_ns, PAUSE_NS, PAUSE_MOST_NS);
	s->keep_ns = s->at_ns + s->keep_pause_ns;
}

static int watch(const struct turn_options *o)
{
	const struct timespec tick = { (time_t)(o->every_ns / NS), (long)(o->every_ns % NS) };
	struct seen *s = calloc(1, sizeof(*s));
	struct ks_plan *plan = NULL;
	int ret = s ? 0 : CLI_EXIT_FAILED;

	if (!ret && o->plan)
		ret = apply_read((char *[]){ o->plan, NULL }, &plan);
	if (!ret)
		ret = turn(s, o);
	if (!ret && plan)
		keep(s, o, plan);
	if (!ret)
		ready_tell();
	while (!ret) {
		ret = turn(s, o);
		if (!ret && plan)
			keep(s, o, plan);
		if (!ret && child_signal_within(&tick) > 0)
			break;
	}
	free(plan);
	free(s);
	return ret;
}

int share_watch(int argc, char **argv)
{
	const struct argp argp = { .options = options,
				   .parser = parse,
				   .doc = "Hold VMs to the plan if they break it: given-up "
					  "vCPUs that use more than "
					  "a tenth of their CPU are asked for again, then held "
					  "down. Agents of VMs that are held down are asked now "
					  "and then. CPUs of VMs that have "
					  "ended become free. Until a signal comes.\v"
					  "Examples:\n"
					  "  vm-share watch\n"
					  "  vm-share watch --plan /etc/kvmsched/share\n" };
	struct turn_options o;
	int ret;

	turn_defaults(&o);
	o.every_ns = NS;
	ret = cli_parse(&argp, argc, argv, &o);
	if (ret)
		return ret;
	child_signals();
	return watch(&o);
}
