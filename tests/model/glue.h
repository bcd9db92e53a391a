/* SPDX-License-Identifier: GPL-2.0 */
/* What both policies' programs have in common; to be included behind the policy's source, whose variables these are. */
#ifndef MODEL_GLUE_H
#define MODEL_GLUE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

const struct rq___ks runqueues;
const struct kvm_steal_time___ks steal_time;

static void tell_runqueue(void *to, u32 running, u32 running_ext)
{
	struct rq___ks *rq = to;

	rq->nr_running = running;
	rq->scx.nr_running = running_ext;
}

static void tell_steal(void *to, u64 ns, bool preempted)
{
	struct kvm_steal_time___ks *kvm = to;

	kvm->steal = ns;
	kvm->preempted = preempted;
}

#define MODEL_POLICY(the_ops)                                                                      \
	.ops = &(the_ops), .runqueues = &runqueues, .runqueue_size = sizeof(runqueues),            \
	.steal_time = &steal_time, .steal_size = sizeof(steal_time),                               \
	.tell_runqueue = tell_runqueue, .tell_steal = tell_steal

/* As its loader. */
#define SET(var, value)                                                                            \
	do {                                                                                       \
		__typeof__(var) set_to = (value);                                                  \
		model_set(&(var), (const void *)&set_to, sizeof(var));                             \
	} while (0)

/* ---- dice ---- */

static u64 rng;

static void seed_dice(u64 seed)
{
	rng = seed * 0x9e3779b97f4a7c15ull + 1;
}

static u32 below(u32 n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (u32)(rng >> 33) % n;
}

/* ---- results ---- */

#define FORGOTTEN_NS                                                                               \
	8000000000ull /* nobody may wait so long: the kernel ends a scheduler after 15 s */

static u32 failures;
static bool verbose;

/* seed: 0 for a case. */
__attribute__((format(printf, 3, 4))) static void fail(const char *name, u64 seed, const char *fmt,
						       ...)
{
	va_list ap;

	failures++;
	printf("FAIL %s", name);
	if (seed)
		printf(" (seed %llu)", seed);
	printf(": ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* The rest of main(): the worlds of these seeds, or of the first ones; -x: until one fails. */
static int run_worlds(int argc, char **argv, u64 most, void (*world)(u64 seed))
{
	u64 from = 1, to = most;
	bool one = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-v"))
			verbose = true;
		else if (!strcmp(argv[i], "-x"))
			one = true;
		else if (!strcmp(argv[i], "--seeds") && i + 1 < argc)
			sscanf(argv[++i], "%llu-%llu", &from, &to);
	}
	for (u64 seed = from; seed <= to && !(one && failures); seed++)
		world(seed);
	printf("%u failures\n", failures);
	return failures != 0;
}

#endif /* MODEL_GLUE_H */
