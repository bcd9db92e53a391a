// SPDX-License-Identifier: GPL-2.0
/*
 * Four kinds of parallel work with OpenMP, after the characters of the NAS Parallel Benchmarks; how a thread waits is
 * the run-time library's business (GOMP_SPINCOUNT). Written for this; nothing of NPB is in it.
 *
 * lu: a pipeline: in each step a thread relaxes a plane of its stripe, one plane behind its neighbour above.
 * cg: a sparse matrix times a vector, read in no order, and two passes with a sum, over and over.
 * ep: independent work. One wait at the end.
 * ft: butterflies over the rows, then everybody reads a part of everybody's rows (a transposition).
 *
 * All of it is arithmetic of integers modulo 2^64, so that the result does not depend on the number of threads.
 */
#include <getopt.h>
#include <inttypes.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "guest.h"

#define MAX_THREADS 256
#define MAX_SIZE 4096
#define PLANES 16     /* lu */
#define ENTRIES 8     /* cg: of a row of the matrix */
#define EP_BLOCKS 64  /* ep: pieces of a round */
#define EP_PAIRS 1000 /* ep: of a piece */

enum kind { KIND_LU, KIND_CG, KIND_EP, KIND_FT };

static const char *const kind_names[] = { "lu", "cg", "ep", "ft" };

static struct {
	unsigned int kind;
	unsigned int threads;
	unsigned int rounds;
	unsigned int size;
} opt = { .threads = 4, .rounds = 50, .size = 64 };

static uint64_t mixed(uint64_t x)
{
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static uint64_t *numbers(size_t n)
{
	uint64_t *v = calloc(n, sizeof(*v));

	for (size_t i = 0; v && i < n; i++)
		v[i] = mixed(i + 1);
	return v;
}

static uint64_t sum_of(const uint64_t *v, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += v[i];
	return sum;
}

/* ---- lu ---- */

/* Rows from `from` to `to` of a plane; each number depends on those before it in its row, its plane and the last plane. */
static void relax(uint64_t *plane, const uint64_t *below, unsigned int from, unsigned int to)
{
	unsigned int n = opt.size;

	for (unsigned int i = from; i < to; i++) {
		for (unsigned int j = 0; j < n; j++) {
			uint64_t x = plane[i * n + j];

			x += i ? plane[(i - 1) * n + j] >> 1 : 0;
			x += j ? plane[i * n + j - 1] >> 2 : 0;
			x += below ? below[i * n + j] >> 3 : 0;
			plane[i * n + j] = x * 5 + 1;
		}
	}
}

/* One sweep: a plane of thread t is due t steps after that of thread 0. */
static void sweep(uint64_t *v, unsigned int self, unsigned int threads)
{
	size_t plane = (size_t)opt.size * opt.size;
	unsigned int from = opt.size * self / threads, to = opt.size * (self + 1) / threads;

	for (unsigned int step = 0; step < PLANES + threads - 1; step++) {
		if (step >= self && step - self < PLANES) {
			uint64_t *here = v + (step - self) * plane;

			relax(here, step > self ? here - plane : NULL, from, to);
		}
#pragma omp barrier
	}
}

static int run_lu(uint64_t *sum)
{
	size_t n = (size_t)opt.size * opt.size * PLANES;
	uint64_t *v = numbers(n);

	if (!v)
		return -ENOMEM;
#pragma omp parallel
	for (unsigned int i = 0; i < opt.rounds; i++)
		sweep(v, omp_get_thread_num(), omp_get_num_threads());
	*sum = sum_of(v, n);
	free(v);
	return 0;
}

/* ---- cg ---- */

static uint64_t row_times(const uint64_t *x, size_t row, size_t rows)
{
	uint64_t column = row + 1, sum = x[row];

	for (unsigned int k = 0; k < ENTRIES; k++) {
		column = mixed(column);
		sum += x[column % rows] * (column >> 32);
	}
	return sum;
}

/* The same ones for all threads. */
static uint64_t alpha, beta;

static void iterate(uint64_t *x, uint64_t *y, size_t rows)
{
#pragma omp for schedule(static)
	for (size_t i = 0; i < rows; i++)
		y[i] = row_times(x, i, rows);
#pragma omp single
	alpha = beta = 0;
#pragma omp for schedule(static) reduction(+ : alpha)
	for (size_t i = 0; i < rows; i++)
		alpha += x[i] * y[i];
#pragma omp for schedule(static) reduction(+ : beta)
	for (size_t i = 0; i < rows; i++) {
		x[i] += alpha * y[i];
		beta += x[i];
	}
#pragma omp for schedule(static)
	for (size_t i = 0; i < rows; i++)
		x[i] = x[i] * 3 + beta;
}

static int run_cg(uint64_t *sum)
{
	size_t rows = (size_t)opt.size * 64;
	uint64_t *x = numbers(rows), *y = numbers(rows);
	int err = x && y ? 0 : -ENOMEM;

	if (!err) {
#pragma omp parallel
		for (unsigned int i = 0; i < opt.rounds; i++)
			iterate(x, y, rows);
		*sum = sum_of(x, rows);
	}
	free(x);
	free(y);
	return err;
}

/* ---- ep ---- */

/* How many of so many random points of a square lie within the circle. */
static uint64_t points_inside(uint64_t seed)
{
	uint64_t x = seed, inside = 0;

	for (unsigned int i = 0; i < EP_PAIRS; i++) {
		uint64_t a, b;

		x = mixed(x);
		a = x & 0xffff;
		b = x >> 16 & 0xffff;
		inside += a * a + b * b < 1ull << 32;
	}
	return inside;
}

static int run_ep(uint64_t *sum)
{
	uint64_t inside = 0;

#pragma omp parallel for schedule(static) reduction(+ : inside)
	for (uint64_t i = 0; i < (uint64_t)opt.rounds * EP_BLOCKS; i++)
		inside += points_inside(i + 1);
	*sum = inside;
	return 0;
}

/* ---- ft ---- */

static void butterflies(uint64_t *row)
{
	for (unsigned int half = 1; half < opt.size; half *= 2) {
		for (unsigned int i = 0; i < opt.size; i++) {
			uint64_t a = row[i], b = row[i | half];

			if (i & half)
				continue;
			row[i] = mixed(a + b + 1);
			row[i + half] = mixed(a - b + 2);
		}
	}
}

static void transform(uint64_t *from, uint64_t *to)
{
	unsigned int n = opt.size;

#pragma omp for schedule(static)
	for (unsigned int i = 0; i < n; i++)
		butterflies(from + (size_t)i * n);
#pragma omp for schedule(static)
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int j = 0; j < n; j++)
			to[(size_t)i * n + j] = from[(size_t)j * n + i];
}

static int run_ft(uint64_t *sum)
{
	size_t n = (size_t)opt.size * opt.size;
	uint64_t *a = numbers(n), *b = numbers(n);
	int err = a && b ? 0 : -ENOMEM;

	if (!err) {
#pragma omp parallel
		for (unsigned int i = 0; i < opt.rounds; i++)
			transform(i % 2 ? b : a, i % 2 ? a : b);
		*sum = sum_of(opt.rounds % 2 ? b : a, n);
	}
	free(a);
	free(b);
	return err;
}

/* ---- all ---- */

static int (*const runs[])(uint64_t *sum) = { run_lu, run_cg, run_ep, run_ft };

/* The threads are made before the clock starts: programs that take minutes do not wait for that either. */
static int run(void)
{
	unsigned int made = 0;
	uint64_t start, sum;
	int err;

	omp_set_dynamic(0);
	omp_set_num_threads((int)opt.threads);
#pragma omp parallel reduction(+ : made)
	made++;
	if (made != opt.threads)
		return -EAGAIN;
	start = now_ns();
	err = runs[opt.kind](&sum);
	if (err)
		return err;
	printf("{\"mode\":\"omp-%s\",\"threads\":%u,\"rounds\":%u,\"size\":%u,\"elapsed_ns\":"
	       "%" PRIu64 ",\"sum\":\"%" PRIx64 "\"}\n",
	       kind_names[opt.kind], opt.threads, opt.rounds, opt.size, now_ns() - start, sum);
	return 0;
}

static const struct option long_options[] = {
	{ "kind", required_argument, NULL, 'k' },   { "threads", required_argument, NULL, 'n' },
	{ "rounds", required_argument, NULL, 'r' }, { "size", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },	    { 0 },
};

static const char usage_text[] =
	"Usage: omp [--kind lu|cg|ep|ft] [--threads N] [--rounds K] [--size S]\n"
	"  --kind K     of work: pipelined waits (lu), irregular reads with sums (cg),\n"
	"               independent (ep), all to all (ft)\n"
	"  --threads N  threads (4)\n"
	"  --rounds K   rounds of work (50)\n"
	"  --size S     how much a round is: the grid, and that of ft, is S x S, a power of two;\n"
	"               cg has 64 x S rows; ep does not depend on it (64)\n"
	"Prints the time that it took as a JSON object. GOMP_SPINCOUNT says how long threads spin\n"
	"before they sleep.\n";

static int parse_one(int c, const char *arg)
{
	switch (c) {
	case 'k':
		return parse_name(arg, kind_names, KIND_FT + 1, &opt.kind);
	case 'n':
		return parse_uint(arg, MAX_THREADS, &opt.threads);
	case 'r':
		return parse_uint(arg, UINT32_MAX, &opt.rounds);
	case 's':
		return parse_uint(arg, MAX_SIZE, &opt.size) || opt.size & (opt.size - 1) ? -EINVAL :
											   0;
	}
	return -EINVAL;
}

int main(int argc, char **argv)
{
	static const struct program program = {
		.name = "omp",
		.usage = usage_text,
		.options = long_options,
		.parse = parse_one,
		.run = run,
	};

	return program_main(&program, argc, argv);
}
