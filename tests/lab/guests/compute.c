// SPDX-License-Identifier: GPL-2.0
/*
 * A parallel loop as OpenMP makes it: threads do a round of arithmetic each and meet at a barrier,
 * where they sleep at once (GOMP_SPINCOUNT=0), or spin until the last one is there (an active wait
 * policy). Or a pipeline, as the lower-upper solver of NPB is one: a thread sleeps until the one before it
 * has done the same round, and the one behind it all but the last two. Or in turns: one is awake, all others sleep. Without a barrier: so much work for
 * the CPU, without a lock and without a wake-up.
 */
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define MAX_THREADS 256

enum barrier { BARRIER_NONE, BARRIER_SLEEP, BARRIER_SPIN, BARRIER_PIPE, BARRIER_TURNS };

static const char *const barrier_names[] = { "none", "sleep", "spin", "pipe", "turns" };

static struct {
	unsigned int threads;
	unsigned int rounds;
	unsigned int steps;
	unsigned int barrier; /* enum barrier */
} opt = { .threads = 8, .rounds = 100, .steps = 100000 };

static pthread_barrier_t start_line;
static atomic_uint arrived;
static _Atomic uint32_t generation;
static _Atomic uint32_t done[MAX_THREADS]; /* pipeline and turns: rounds, by thread */

/* The result is looked at, so that the compiler leaves the work in. */
static _Atomic uint64_t sum;

static uint64_t arithmetic(uint64_t x)
{
	for (unsigned int i = 0; i < opt.steps; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	return x;
}

static void wait_for_next(uint32_t seen)
{
	while (atomic_load(&generation) == seen) {
		if (opt.barrier == BARRIER_SPIN)
			__builtin_ia32_pause();
		else
			syscall(SYS_futex, &generation, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
	}
}

/* The last to arrive opens it for all. */
static void barrier(void)
{
	uint32_t seen = atomic_load(&generation);

	if (atomic_fetch_add(&arrived, 1) + 1 < opt.threads) {
		wait_for_next(seen);
		return;
	}
	atomic_store(&arrived, 0);
	atomic_store(&generation, seen + 1);
	if (opt.barrier == BARRIER_SLEEP)
		syscall(SYS_futex, &generation, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void sleep_until(unsigned int thread, uint32_t rounds)
{
	uint32_t seen;

	while ((seen = atomic_load(&done[thread])) < rounds)
		syscall(SYS_futex, &done[thread], FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

/* Pipeline: nobody is more than two rounds ahead of the one behind. */
static void wait_for_neighbours(unsigned int self, uint32_t round)
{
	if (self)
		sleep_until(self - 1, round + 1);
	if (self + 1 < opt.threads && round)
		sleep_until(self + 1, round - 1);
}

static void wait_for_turn(unsigned int self, uint32_t round)
{
	if (self)
		sleep_until(self - 1, round + 1);
	else
		sleep_until(opt.threads - 1, round);
}

static void tell_neighbours(unsigned int self, uint32_t round)
{
	atomic_store(&done[self], round + 1);
	syscall(SYS_futex, &done[self], FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void *worker_main(void *arg)
{
	unsigned int self = (uintptr_t)arg;
	uint64_t x = self + 1;

	pthread_barrier_wait(&start_line);
	for (unsigned int i = 0; i < opt.rounds; i++) {
		if (opt.barrier == BARRIER_PIPE)
			wait_for_neighbours(self, i);
		else if (opt.barrier == BARRIER_TURNS)
			wait_for_turn(self, i);
		x = arithmetic(x);
		if (opt.barrier >= BARRIER_PIPE)
			tell_neighbours(self, i);
		else if (opt.barrier != BARRIER_NONE)
			barrier();
	}
	atomic_fetch_add(&sum, x);
	return NULL;
}

static int run(void)
{
	static pthread_t threads[MAX_THREADS];
	uint64_t start;
	int err;

	pthread_barrier_init(&start_line, NULL, opt.threads + 1);
	for (uintptr_t i = 0; i < opt.threads; i++) {
		err = pthread_create(&threads[i], NULL, worker_main, (void *)i);
		if (err)
			return -err;
	}
	/* Not after the start line: the others may be half through before this thread runs again. */
	start = now_ns();
	pthread_barrier_wait(&start_line);
	for (unsigned int i = 0; i < opt.threads; i++)
		pthread_join(threads[i], NULL);
	printf("{\"mode\":\"compute-%s\",\"threads\":%u,\"rounds\":%" PRIu64
	       ",\"elapsed_ns\":%" PRIu64 ",\"sum\":\"%" PRIx64 "\"}\n",
	       barrier_names[opt.barrier], opt.threads, (uint64_t)opt.rounds * opt.threads,
	       now_ns() - start, atomic_load(&sum));
	return 0;
}

static const struct option long_options[] = {
	{ "barrier", required_argument, NULL, 'b' }, { "threads", required_argument, NULL, 'n' },
	{ "rounds", required_argument, NULL, 'r' },  { "steps", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },	     { 0 },
};

static const char usage_text[] =
	"Usage: compute [--barrier none|sleep|spin|pipe|turns] [--threads N] [--rounds K] [--steps "
	"S]\n"
	"  --barrier B  how the threads wait for each other after each round (none: they do not;\n"
	"               pipe: each for the one before it; turns: one is awake at a time)\n"
	"  --threads N  threads (8)\n"
	"  --rounds K   rounds per thread (100)\n"
	"  --steps S    of arithmetic per round (100000)\n"
	"Prints the rounds done as a JSON object.\n";

static int parse_one(int c, const char *arg)
{
	switch (c) {
	case 'b':
		return parse_name(arg, barrier_names, BARRIER_TURNS + 1, &opt.barrier);
	case 'n':
		return parse_uint(arg, MAX_THREADS, &opt.threads);
	case 'r':
		return parse_uint(arg, UINT32_MAX, &opt.rounds);
	case 's':
		return parse_uint(arg, UINT32_MAX, &opt.steps);
	}
	return -EINVAL;
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "compute",
		.usage = usage_text,
		.options = long_options,
		.parse = parse_one,
		.run = run,
	};

	return program_main(&program, argc, argv);
}
