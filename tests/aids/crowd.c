// SPDX-License-Identifier: GPL-2.0
/*
 * Provokes what vnuma-trace calls "overloaded on wake-up", and says how often it was there: a thread on CPU X sleeps
 * for MS ms beside two busy ones on CPU Y, the second of which may use X as well, so that X pulls it when it has
 * nothing else to run. The sleeper does not preempt (SCHED_BATCH), and so has to wait when it wakes.
 *
 * usage: crowd X Y TIMES MS
 *
 * One line: the sleeper's thread, how often it was moved in on and had to wait for a ms and more, and how often neither
 * (the rest is in doubt).
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "now.h"

#define IDLE_NS 50000000 /* a CPU that has not been idle for long of late does not pull */
#define AWAKE_NS 5000000
#define LATE_NS 1000000
#define CALM_NS 1000000000 /* within which who is moved has to be there */

static volatile int *where; /* the second one runs on this CPU */

static void on(pid_t pid, int a, int b)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(a, &set);
	CPU_SET(b, &set);
	if (sched_setaffinity(pid, sizeof(set), &set)) {
		perror("crowd: sched_setaffinity");
		exit(1);
	}
}

static pid_t busy(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;)
		*where = sched_getcpu();
}

static void compute(uint64_t ns)
{
	uint64_t end = ks_now_ns() + ns;

	while (ks_now_ns() < end)
		;
}

/* By how much it was late. */
static uint64_t doze(long ns)
{
	const struct timespec t = { 0, ns };
	uint64_t begun = ks_now_ns(), slept;

	nanosleep(&t, NULL);
	slept = ks_now_ns() - begun;
	return slept > (uint64_t)ns ? slept - (uint64_t)ns : 0;
}

/* Both of them on Y. */
static int gather(pid_t second, int x, int y)
{
	uint64_t end = ks_now_ns() + CALM_NS;

	on(second, y, y);
	while (*where != y)
		if (ks_now_ns() > end)
			return -1;
	doze(IDLE_NS);
	on(second, x, y);
	compute(AWAKE_NS);
	return *where == y ? 0 : -1;
}

int main(int argc, char **argv)
{
	const struct sched_param none = { 0 };
	int x, y, times, i, crowded = 0, alone = 0;
	pid_t first, second;
	long nap;

	if (argc != 5)
		return 2;
	x = atoi(argv[1]);
	y = atoi(argv[2]);
	times = atoi(argv[3]);
	nap = atol(argv[4]) * 1000000;
	where = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (where == MAP_FAILED)
		return 1;
	*where = -1;
	second = busy();
	on(second, y, y);
	first = fork();
	if (!first)
		for (;;)
			;
	on(first, y, y);
	on(0, x, x);
	sched_setscheduler(0, SCHED_BATCH, &none);
	for (i = 0; i < times; i++) {
		uint64_t late;
		int at;

		if (gather(second, x, y))
			continue;
		late = doze(nap);
		at = *where;
		if (at == x && late >= LATE_NS)
			crowded++;
		else if (at == y && late < LATE_NS)
			alone++;
	}
	kill(first, SIGKILL);
	kill(second, SIGKILL);
	while (wait(NULL) > 0)
		;
	printf("%d %d %d\n", (int)getpid(), crowded, alone);
	return 0;
}
