// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>

#include "cli.h"
#include "drain.h"
#include "now.h"
#include "probe.h"
#include "records.h"
#include "text.h"
#include "top.h"
#include "topology.h"
#include "vnuma.h"

#define STAT_MAX (4u << 20)

struct top {
	struct toploop *loop;
	struct ks_sched *probe;
	struct ks_vnuma_live *live;
	struct drain drain;
	uint64_t *steal, *steal_before; /* by CPU, ns since the boot */
	uint32_t ncpus;
	struct ks_vnuma_vm before; /* sums up to the last table */
	uint64_t lost, until;	   /* up to the last table; that is up to then */
};

/* ---- steal time ---- */

/* "cpu3 user nice system idle iowait irq softirq steal ...", in ticks; old kernels tell less. */
static void steal_line(struct top *t, const char *line, uint64_t tick_ns)
{
	unsigned long long v[8];
	unsigned int cpu;

	if (sscanf(line, "cpu%u %llu %llu %llu %llu %llu %llu %llu %llu", &cpu, &v[0], &v[1], &v[2],
		   &v[3], &v[4], &v[5], &v[6], &v[7]) == 9 &&
	    cpu < t->ncpus)
		t->steal[cpu] = v[7] * tick_ns;
}

static void read_steal(struct top *t)
{
	uint64_t tick_ns = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);
	char *text, *line, *next;
	size_t len;

	memcpy(t->steal_before, t->steal, t->ncpus * sizeof(*t->steal));
	if (ks_read_file("/proc/stat", STAT_MAX, &text, &len))
		return;
	for (line = text; line && *line; line = next ? next + 1 : NULL) {
		next = strchr(line, '\n');
		steal_line(t, line, tick_ns);
	}
	free(text);
}

/* ---- what is shown ---- */

struct view {
	const struct ks_vnuma_live_cpu *cpu;
	const struct ks_vnuma_vm *vm;
	uint32_t n;
	uint64_t interval_ns, lost;
};

static double per_second(const struct view *w, uint64_t n)
{
	return (double)n * 1e9 / (double)w->interval_ns;
}

static double percent(const struct view *w, uint64_t ns)
{
	return 100.0 * (double)ns / (double)w->interval_ns;
}

static uint64_t steal_of(const struct top *t, uint32_t cpu)
{
	return t->steal[cpu] > t->steal_before[cpu] ? t->steal[cpu] - t->steal_before[cpu] : 0;
}

static void print_head(const struct top *t, const struct view *w)
{
	printf("%u CPUs, vCPU time wasted %.1f%% of one (at most), %.0f wake-ups/s past an idle "
	       "CPU, "
	       "%.0f/s to an overloaded one",
	       w->n, percent(w, w->vm->wasted_ns - t->before.wasted_ns),
	       per_second(w, w->vm->passed.count - t->before.passed.count),
	       per_second(w, w->vm->overloaded.count - t->before.overloaded.count));
	if (w->lost)
		printf(", %" PRIu64 " records lost", w->lost);
	printf("\n%4s %4s %6s %6s %6s", "CPU", "node", "busy%", "idle%", "steal%");
	printf(" %9s %9s %9s %9s %8s %8s\n", "woken/s", "pulled/s", "balance/s", "other/s",
	       "passed/s", "overl./s");
}

static void print_row(const struct top *t, const struct view *w, uint32_t i)
{
	const struct ks_vnuma_live_cpu *c = &w->cpu[i];
	char node[16] = "-";
	uint64_t other = 0;

	if (c->node >= 0)
		snprintf(node, sizeof(node), "%" PRId32, c->node);
	printf("%4u %4s %6.1f %6.1f %6.1f", i, node, percent(w, c->busy_ns), percent(w, c->idle_ns),
	       percent(w, steal_of(t, i)));
	for (unsigned int k = 0; k < KS_VN_CAUSES; k++)
		other += c->in[k];
	other -= c->in[KS_MOVE_WAKE] + c->in[KS_MOVE_NEWIDLE] + c->in[KS_MOVE_PERIODIC];
	printf(" %9.0f %9.0f %9.0f %9.0f", per_second(w, c->in[KS_MOVE_WAKE]),
	       per_second(w, c->in[KS_MOVE_NEWIDLE]), per_second(w, c->in[KS_MOVE_PERIODIC]),
	       per_second(w, other));
	printf(" %8.0f %8.0f\n", per_second(w, c->passed), per_second(w, c->overloaded));
}

static void print_table(const struct top *t, const struct view *w)
{
	uint32_t fit = toploop_fit(w->n, 4);

	print_head(t, w);
	for (uint32_t i = 0; i < fit; i++)
		print_row(t, w, i);
	if (fit < w->n)
		printf("... and %u more\n", w->n - fit);
	if (!isatty(STDOUT_FILENO))
		putchar('\n');
	fflush(stdout);
}

static void put_num(struct json_object *o, const char *name, uint64_t v)
{
	json_object_object_add(o, name, json_object_new_uint64(v));
}

static struct json_object *row_json(const struct top *t, const struct view *w, uint32_t i)
{
	const struct ks_vnuma_live_cpu *c = &w->cpu[i];
	struct json_object *o = json_object_new_object(), *in = json_object_new_object();

	put_num(o, "cpu", i);
	json_object_object_add(o, "believed_node",
			       c->node < 0 ? NULL : json_object_new_int(c->node));
	put_num(o, "busy_ns", c->busy_ns);
	put_num(o, "idle_ns", c->idle_ns);
	put_num(o, "steal_ns", steal_of(t, i));
	for (unsigned int k = 0; k < KS_VN_CAUSES; k++)
		put_num(in, ks_move_name(k), c->in[k]);
	json_object_object_add(o, "migrations_to", in);
	put_num(o, "passed_over", c->passed);
	put_num(o, "overloaded", c->overloaded);
	return o;
}

static void print_json(const struct top *t, const struct view *w)
{
	struct json_object *o = json_object_new_object(), *cpus = json_object_new_array();

	for (uint32_t i = 0; i < w->n; i++)
		json_object_array_add(cpus, row_json(t, w, i));
	put_num(o, "schema", 1);
	json_object_object_add(o, "side", json_object_new_string("guest"));
	put_num(o, "mono_ns", t->drain.until);
	put_num(o, "interval_ns", w->interval_ns);
	put_num(o, "lost_records", w->lost);
	put_num(o, "wait_ns", w->vm->wait_ns - t->before.wait_ns);
	put_num(o, "wasted_ns", w->vm->wasted_ns - t->before.wasted_ns);
	put_num(o, "passed_over", w->vm->passed.count - t->before.passed.count);
	put_num(o, "overloaded", w->vm->overloaded.count - t->before.overloaded.count);
	json_object_object_add(o, "cpus", cpus);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	fflush(stdout);
	json_object_put(o);
}

/* ---- from table to table ---- */

static int pull(void *probe, ks_rings_fn fn, void *ctx)
{
	return ks_sched_drain(probe, fn, ctx);
}

static void drain(void *ctx)
{
	struct top *t = ctx;

	drain_all(&t->drain, pull, t->probe);
	ks_vnuma_live_drain(t->live, t->drain.recs, t->drain.n, t->drain.all, t->drain.until);
}

static void next(struct top *t, uint64_t lost)
{
	t->before = *ks_vnuma_live_vm(t->live);
	t->lost = lost;
	t->until = t->drain.until;
	ks_vnuma_live_next(t->live);
}

static void show(void *ctx)
{
	struct top *t = ctx;
	uint64_t now = ks_now_ns(), lost;
	struct view w = { .vm = ks_vnuma_live_vm(t->live) };

	drain(t);
	lost = ks_rings_lost(ks_sched_rings(t->probe));
	w.interval_ns = t->drain.until - t->until;
	w.lost = lost - t->lost;
	w.cpu = ks_vnuma_live_cpus(t->live, &w.n);
	read_steal(t);
	if (t->loop->json)
		print_json(t, &w);
	else
		print_table(t, &w);
	next(t, lost);
	t->loop->last = now;
}

/* What came before the first interval, while the probe was attached, is in no table. */
static void begin(struct top *t)
{
	drain(t);
	next(t, ks_rings_lost(ks_sched_rings(t->probe)));
	read_steal(t);
}

static int prepare(struct top *t, struct ks_err *err)
{
	struct ks_numa *numa;
	int32_t *node = NULL;
	int ret = ks_numa_new(&numa, NULL);

	snprintf(err->msg, sizeof(err->msg), "the topology of this machine: %s",
		 strerror(ret ? -ret : ENOMEM));
	if (ret)
		return ret;
	t->ncpus = ks_numa_cpus(numa);
	node = calloc(t->ncpus, sizeof(*node));
	t->steal = calloc(t->ncpus, sizeof(*t->steal));
	t->steal_before = calloc(t->ncpus, sizeof(*t->steal));
	for (uint32_t i = 0; node && i < t->ncpus; i++)
		node[i] = ks_numa_node(numa, i);
	ks_numa_free(numa);
	ret = -ENOMEM;
	if (node && t->steal && t->steal_before)
		ret = ks_vnuma_live_new(&t->live, NULL, node, t->ncpus);
	free(node);
	return ret;
}

int top_guest(struct toploop *loop)
{
	struct top t = { .loop = loop };
	struct ks_err err = { "" };
	int ret = prepare(&t, &err);

	if (!ret)
		ret = ks_sched_open(&t.probe, 0, &err);
	if (!ret) {
		loop->drain = drain;
		loop->show = show;
		loop->ctx = &t;
		begin(&t);
		ret = toploop_run(loop, &err);
		loop->ctx = NULL;
	}
	if (ret)
		ret = cli_fail(ret, &err);
	ks_sched_free(t.probe);
	ks_vnuma_live_free(t.live);
	drain_free(&t.drain);
	free(t.steal);
	free(t.steal_before);
	return ret;
}
