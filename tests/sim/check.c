// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "compare.h"
#include "emit.h"
#include "fault.h"
#include "run.h"
#include "util.h"

#define WAITS_RIGHT 0.99
#define TIME_RIGHT 0.999

void check_header(void)
{
	printf("%-14s %4s %7s %7s %8s %8s %8s %7s %5s %5s %5s %6s\n", "scenario", "seed", "waits",
	       "right", "time", "strict", "unknown", "doubt", "off", "bound", "raced", "wrong");
}

static double part(double a, double of)
{
	return of > 0 ? a / of : 1;
}

static void print_confusion(const struct score *s)
{
	printf("  %-9s", "truth");
	for (enum ks_class c = 0; c < KS_C_WAIT_MAX; c++)
		printf(" %8s", ks_class_name(c));
	putchar('\n');
	for (enum ks_class t = 0; t < KS_C_UNKNOWN; t++) {
		printf("  %-9s", ks_class_name(t));
		for (enum ks_class c = 0; c < KS_C_WAIT_MAX; c++)
			printf(" %8llu", (unsigned long long)s->confusion[t][c]);
		putchar('\n');
	}
}

static uint64_t worst_clock(const struct run *r)
{
	uint64_t worst = 0;

	for (uint32_t i = 0; i < r->nvms; i++)
		if (r->vms[i].clock_error > worst)
			worst = r->vms[i].clock_error;
	return worst;
}

static uint64_t wrongs(const struct score *s)
{
	return s->missing + s->phantom + s->false_claims + s->guesses + s->ple_wrong +
	       s->blame_wrong + s->clock_wrong + s->totals_wrong;
}

static bool good(const struct score *s)
{
	return !wrongs(s) && s->waits && part(s->right, s->waits) >= WAITS_RIGHT &&
	       part(s->ns_right, s->ns) >= TIME_RIGHT;
}

static void print_result(const struct score *s, const struct run *r, const struct params *p)
{
	uint64_t wrong = wrongs(s);

	printf("%-14s %4llu %7llu %6.2f%% %7.3f%% %7.3f%% %7.3f%% %6.2f%% %5llu %5llu %5llu "
	       "%6llu\n",
	       p->scenario, (unsigned long long)p->seed, (unsigned long long)s->waits,
	       100 * part(s->right, s->waits), 100 * part(s->ns_right, s->ns),
	       100 * part(s->ns_strict, s->ns), 100 * part(s->ns_unknown, s->ns),
	       100 * part(s->doubtful, s->waits), (unsigned long long)s->clock_worst,
	       (unsigned long long)worst_clock(r), (unsigned long long)s->raced,
	       (unsigned long long)wrong);
	if (r->ignored && s->verbose)
		printf("  ignored records: %llu\n", (unsigned long long)r->ignored);
	if (wrong)
		printf("  missing %llu, phantom %llu, false claims %llu, guesses %llu, "
		       "PLE exits %llu, blame %llu, clock %llu, totals %d\n",
		       (unsigned long long)s->missing, (unsigned long long)s->phantom,
		       (unsigned long long)s->false_claims, (unsigned long long)s->guesses,
		       (unsigned long long)s->ple_wrong, (unsigned long long)s->blame_wrong,
		       (unsigned long long)s->clock_wrong, s->totals_wrong);
	if (!good(s))
		print_confusion(s);
}

static void remove_traces(const char *dir, uint32_t guests)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/host.kvs", dir);
	unlink(path);
	for (uint32_t i = 0; i < guests; i++) {
		snprintf(path, sizeof(path), "%s/guest%u.kvs", dir, i);
		unlink(path);
	}
	rmdir(dir);
}

static void temporary(char *dir, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	if (!tmp)
		tmp = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
	snprintf(dir, size, "%s/kvmsched-sim.XXXXXX", tmp);
	if (!mkdtemp(dir))
		die("%s: cannot be made", dir);
}

int check_run(const struct params *p, const struct check_opts *o)
{
	struct score s = { .verbose = o->verbose, .quiet = o->quiet };
	uint32_t tgids[64];
	struct world *w;
	struct run r;
	char dir[256];
	int bad;

	temporary(dir, sizeof(dir));
	w = world_new(p, dir);
	world_run(w);
	for (uint32_t i = 0; i < p->vms; i++)
		tgids[i] = w->vms[i].tgid;
	run_analysis(&r, dir, tgids, p->vms);
	if (o->fault)
		fault_apply(&r, o->fault);
	compare_waits(&s, w, &r);
	compare_totals(&s, w, &r);
	bad = !good(&s);
	if (!o->quiet)
		print_result(&s, &r, p);
	if (o->keep)
		printf("  traces: %s\n", dir);
	else
		remove_traces(dir, p->vms);
	run_free(&r);
	world_free(w);
	return bad;
}
