// SPDX-License-Identifier: GPL-2.0
/*
 * How fast traces are read and merged. Writes a host trace and two guest traces of made-up records
 * and reads them three ways: one reader, a merge on one clock, a merge with mapped guest clocks.
 *
 *   bench_merge [MILLIONS-OF-RECORDS [DIRECTORY]]
 *
 * One JSON object per line. Times are CPU times of this process (user and system).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "trace.h"

#define SOURCES 3
#define RINGS 8
#define GUEST_OFFSET 5000000000ull /* ns; the guests' clocks started so much later */

struct source {
	char path[256];
	struct ks_reader *reader;
	struct ks_clockmap *clock;
	struct ks_guestclock *guest;
};

static void die(const char *what, const struct ks_err *err)
{
	fprintf(stderr, "bench_merge: %s: %s\n", what, err ? err->msg : "failed");
	exit(1);
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* TSC at 2.5 GHz; the guests' TSC counts from the beginning of their clock. */
static void add_clock(struct ks_writer *w, uint64_t mono)
{
	struct ks_rec rec = { .time = mono, .type = KS_CLOCK, .a = mono * 5 / 2, .b = 20 };

	if (ks_writer_add(w, 0, &rec, 1))
		die("clock", NULL);
}

/* Records come in short runs from one ring, as those of a real CPU do. */
static void write_records(struct ks_writer *w, uint64_t n, uint64_t seed, uint64_t t)
{
	uint64_t left = 0, next_clock = t;
	unsigned int ring = 0;

	for (uint64_t i = 0; i < n; i++) {
		struct ks_rec rec = { .type = KS_PAUSE, .a = 0xffffffff81000000 + i };

		if (!left--) {
			ring = (unsigned int)next_random(&seed) % RINGS;
			left = next_random(&seed) % 8;
		}
		if (t >= next_clock) {
			add_clock(w, t);
			next_clock += 1000000000;
		}
		t += next_random(&seed) % 200;
		rec.time = t;
		rec.cpu = (uint16_t)ring;
		if (ks_writer_add(w, ring, &rec, 1))
			die("write", NULL);
	}
	add_clock(w, t + 1);
}

static void write_trace(const struct source *s, uint64_t n, unsigned int i)
{
	struct ks_rec offset = { .time = GUEST_OFFSET, .type = KS_TSC_OFFSET };
	struct ks_writer *w;
	struct ks_err err;

	unlink(s->path);
	if (ks_writer_open(&w, s->path, i ? KS_SIDE_GUEST : KS_SIDE_HOST, RINGS, &err))
		die("open", &err);
	offset.a = -(GUEST_OFFSET * 5 / 2);
	if (!i && ks_writer_add(w, 0, &offset, 1))
		die("offset", NULL);
	write_records(w, n, 88172645463325252 + i, i ? 0 : GUEST_OFFSET);
	if (ks_writer_close(w, &err))
		die("close", &err);
}

static void open_source(struct source *s)
{
	const struct ks_rec *control;
	struct ks_err err;
	size_t n;

	if (ks_reader_open(&s->reader, s->path, &err))
		die("open", &err);
	control = ks_reader_control(s->reader, &n);
	if (ks_clockmap_new(&s->clock, control, n))
		die("clock map", NULL);
}

static void make_guest_clock(struct source *s, const struct source *host)
{
	const struct ks_rec *control, *offset = NULL;
	size_t n;

	control = ks_reader_control(host->reader, &n);
	for (size_t i = 0; i < n; i++)
		if (control[i].type == KS_TSC_OFFSET)
			offset = &control[i];
	if (!offset || ks_guestclock_new(&s->guest, s->clock, host->clock, offset, 1, 32))
		die("guest clock", NULL);
}

static void close_source(struct source *s)
{
	ks_guestclock_free(s->guest);
	ks_clockmap_free(s->clock);
	ks_reader_close(s->reader);
	s->guest = NULL;
}

static long peak_kib(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

static void print_result(const char *what, uint64_t n, double seconds, uint64_t sum)
{
	printf("{\"bench\":\"%s\",\"records\":%" PRIu64 ",\"seconds\":%.3f,"
	       "\"records_per_s\":%.0f,\"peak_kib\":%ld,\"checksum\":%" PRIu64 "}\n",
	       what, n, seconds, (double)n / seconds, peak_kib(), sum);
	fflush(stdout);
}

static void bench_reader(struct source *s)
{
	double t0 = cpu_seconds();
	const struct ks_rec *rec;
	uint64_t n = 0, sum = 0;
	struct ks_err err;
	int ret;

	open_source(s);
	while ((ret = ks_reader_next(s->reader, &rec, &err)) > 0) {
		n++;
		sum += rec->a;
	}
	if (ret)
		die("read", &err);
	print_result("read", n, cpu_seconds() - t0, sum);
	close_source(s);
}

static void bench_merge(struct source *s, const char *what, bool mapped)
{
	double t0 = cpu_seconds();
	uint64_t n = 0, sum = 0;
	struct ks_merge *m;
	struct ks_event ev;
	struct ks_err err;
	int ret;

	if (ks_merge_new(&m))
		die("merge", NULL);
	for (unsigned int i = 0; i < SOURCES; i++) {
		open_source(&s[i]);
		if (i && mapped)
			make_guest_clock(&s[i], &s[0]);
		if (ks_merge_add(m, s[i].reader, i && mapped ? ks_guestclock_map : NULL,
				 s[i].guest) < 0)
			die("merge", NULL);
	}
	while ((ret = ks_merge_next(m, &ev, &err)) > 0) {
		n++;
		sum += ev.rec->a ^ ev.time;
	}
	if (ret)
		die("merge", &err);
	print_result(what, n, cpu_seconds() - t0, sum);
	ks_merge_free(m);
	for (unsigned int i = 0; i < SOURCES; i++)
		close_source(&s[i]);
}

int main(int argc, char **argv)
{
	uint64_t total = (argc > 1 ? strtoull(argv[1], NULL, 10) : 6) * 1000000;
	const char *dir = argc > 2 ? argv[2] : "/tmp";
	struct source s[SOURCES] = { 0 };
	double t0;

	if (!total) {
		fprintf(stderr, "usage: bench_merge [MILLIONS-OF-RECORDS [DIRECTORY]]\n");
		return 2;
	}
	for (unsigned int i = 0; i < SOURCES; i++)
		snprintf(s[i].path, sizeof(s[i].path), "%s/bench_merge.%d.%u.kvs", dir,
			 (int)getpid(), i);
	t0 = cpu_seconds();
	for (unsigned int i = 0; i < SOURCES; i++)
		write_trace(&s[i], total / SOURCES, i);
	print_result("write", total / SOURCES * SOURCES, cpu_seconds() - t0, 0);
	bench_reader(&s[0]);
	bench_merge(s, "merge", false);
	bench_merge(s, "merge-mapped", true);
	for (unsigned int i = 0; i < SOURCES; i++)
		unlink(s[i].path);
	return 0;
}
