// SPDX-License-Identifier: GPL-2.0
/*
 * A task that has something to do every few milliseconds, beside virtual machines: how late is it
 * woken? Deadlines are absolute. One that has passed before the task could sleep is missed: the
 * wait for it is in the latency of the one before. Runs until SIGTERM, then prints a JSON object.
 *
 * Two latencies: from the deadline on, and of that the part in a run queue (the second number of
 * /proc/self/schedstat). The rest is not the scheduler's: the timer came late.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "now.h"

#define BUCKETS 1000000 /* of a microsecond; the last holds all that is longer */

static uint32_t late[BUCKETS], queued[BUCKETS];
static volatile sig_atomic_t ended;

static void on_term(int sig)
{
	(void)sig;
	ended = 1;
}

static void sleep_until(uint64_t ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000u),
				     .tv_nsec = (long)(ns % 1000000000u) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void count(uint32_t *buckets, uint64_t ns)
{
	uint64_t us = ns / 1000;

	buckets[us < BUCKETS ? us : BUCKETS - 1]++;
}

/* Time in a run queue, without running, since this process began. */
static uint64_t queued_ns(int schedstat)
{
	char text[128];
	ssize_t n = pread(schedstat, text, sizeof(text) - 1, 0);
	char *end;

	text[n > 0 ? n : 0] = 0;
	strtoull(text, &end, 10); /* on a CPU */
	return strtoull(end, NULL, 10);
}

/* Returns how many deadlines were missed. */
static uint64_t watch(uint64_t period_ns, int schedstat)
{
	uint64_t deadline = ks_now_ns() + period_ns, missed = 0;

	for (;;) {
		uint64_t now, before = queued_ns(schedstat);

		sleep_until(deadline);
		if (ended)
			return missed;
		now = ks_now_ns();
		count(late, now - deadline);
		count(queued, queued_ns(schedstat) - before);
		for (deadline += period_ns; deadline <= now; deadline += period_ns)
			missed++;
	}
}

static uint64_t samples_in(const uint32_t *buckets)
{
	uint64_t samples = 0;

	for (unsigned int us = 0; us < BUCKETS; us++)
		samples += buckets[us];
	return samples;
}

/* The least latency that so many in a thousand samples do not exceed. */
static unsigned int quantile(const uint32_t *buckets, unsigned int permille)
{
	uint64_t seen = 0, want = (samples_in(buckets) * permille + 999) / 1000;

	for (unsigned int us = 0; us < BUCKETS; us++) {
		seen += buckets[us];
		if (seen && seen >= want)
			return us;
	}
	return 0;
}

/* By powers of two: [0] is under 1 us, [n] from 2^(n-1) us on. */
static void print_histogram(const uint32_t *buckets)
{
	unsigned int us = 0;

	for (unsigned int end = 1; us < BUCKETS; end *= 2) {
		uint64_t n = 0;

		for (; us < end && us < BUCKETS; us++)
			n += buckets[us];
		printf("%s%" PRIu64, end > 1 ? "," : "", n);
	}
}

static void print_latency(const char *prefix, const uint32_t *buckets)
{
	printf("\"%sp50_us\":%u,\"%sp99_us\":%u,\"%smax_us\":%u,\"%slog2_us\":[", prefix,
	       quantile(buckets, 500), prefix, quantile(buckets, 990), prefix,
	       quantile(buckets, 1000), prefix);
	print_histogram(buckets);
	printf("]");
}

static void print_result(unsigned int period_us, uint64_t missed)
{
	printf("{\"period_us\":%u,\"samples\":%" PRIu64 ",\"missed\":%" PRIu64 ",", period_us,
	       samples_in(late), missed);
	print_latency("", late);
	printf(",");
	print_latency("queued_", queued);
	printf("}\n");
}

int main(int argc, char **argv)
{
	struct sigaction term = { .sa_handler = on_term };
	unsigned long period_us;
	uint64_t missed;
	int schedstat;
	char *end;

	errno = 0;
	period_us = argc == 2 ? strtoul(argv[1], &end, 10) : 0;
	if (!period_us || errno || *end || period_us > BUCKETS) {
		fprintf(stderr, "Usage: periodic PERIOD-US (until SIGTERM)\n");
		return 2;
	}
	schedstat = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
	if (schedstat < 0) {
		perror("periodic: /proc/self/schedstat");
		return 1;
	}
	sigaction(SIGTERM, &term, NULL);
	/* Its own page faults are none of the scheduler's business. */
	mlockall(MCL_CURRENT);
	missed = watch(period_us * 1000, schedstat);
	print_result((unsigned int)period_us, missed);
	return 0;
}
