// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "late.h"
#include "thread.h"

#define NS 1000000000ull
#define STEPS 8 /* buckets to a power of two */
#define BUCKETS (64 * STEPS)

struct late {
	pthread_t thread;
	uint64_t period_ns;
	sem_t stop; /* ends its sleep at once, however long the period */
	_Atomic uint64_t bucket[BUCKETS], max;
};

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int log = 63 - __builtin_clzll(ns | STEPS);

	return log * STEPS + ((ns >> (log - 3)) & (STEPS - 1));
}

/* The first value that no longer lies in it. */
static uint64_t end_of(unsigned int bucket)
{
	unsigned int log = bucket / STEPS;

	return (1ull << log) + ((bucket % STEPS + 1ull) << (log - 3));
}

static uint64_t ns_of(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * NS + ts->tv_nsec;
}

/* SCHED_OTHER, nice 0, whatever the thread that started it has. */
static void be_usual(void)
{
	const struct ks_thread usual = { .nice = 0 };

	ks_thread_set(&usual, 0);
}

static void *run(void *arg)
{
	struct late *l = arg;
	struct timespec due, now;
	uint64_t ns, late;

	be_usual();
	clock_gettime(CLOCK_MONOTONIC, &due);
	for (;;) {
		ns = ns_of(&due) + l->period_ns;
		due = (struct timespec){ ns / NS, ns % NS };
		if (!sem_clockwait(&l->stop, CLOCK_MONOTONIC, &due))
			break;
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (ns_of(&now) < ns) /* another error than ETIMEDOUT */
			continue;
		late = ns_of(&now) - ns;
		atomic_fetch_add(&l->bucket[bucket_of(late)], 1);
		if (late > atomic_load(&l->max))
			atomic_store(&l->max, late);
		if (late > l->period_ns)
			due = now; /* not the same delay again and again */
	}
	return NULL;
}

struct late *late_start(uint64_t period_ns)
{
	struct late *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->period_ns = period_ns;
	sem_init(&l->stop, 0, 0);
	if (!pthread_create(&l->thread, NULL, run, l))
		return l;
	sem_destroy(&l->stop);
	free(l);
	return NULL;
}

static uint64_t percentile(const struct late *l, uint64_t samples, unsigned int percent)
{
	uint64_t seen = 0, rank = (samples * percent + 99) / 100;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++) {
		seen += l->bucket[i];
		if (seen >= rank)
			break;
	}
	return end_of(i) < l->max ? end_of(i) : l->max;
}

void late_read(const struct late *l, struct late_sum *sum)
{
	unsigned int i;

	*sum = (struct late_sum){ 0 };
	for (i = 0; l && i < BUCKETS; i++)
		sum->samples += l->bucket[i];
	if (!sum->samples)
		return;
	sum->max_ns = l->max;
	sum->p50_ns = percentile(l, sum->samples, 50);
	sum->p99_ns = percentile(l, sum->samples, 99);
}

void late_stop(struct late *l)
{
	if (!l)
		return;
	sem_post(&l->stop);
	pthread_join(l->thread, NULL);
	sem_destroy(&l->stop);
	free(l);
}
