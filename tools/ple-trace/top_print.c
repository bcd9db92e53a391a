// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <json-c/json.h>

#include "symbols.h"
#include "text.h"
#include "top.h"

#define SYM 64
#define VM_WIDTH 16

/* Where it spins; NULL without PLE exits in this interval. */
static const char *spinning(const struct top_view *t, const struct top_row *r, char *buf)
{
	if (!r->pauses || !r->v->ip)
		return NULL;
	if ((int64_t)r->v->ip > 0)
		return "(user space)";
	return ks_symbols_name(t->symbols, r->v->ip, buf, SYM);
}

static void print_row(const struct top_view *t, const struct top_row *r)
{
	const struct ks_live_vcpu *v = r->v;
	char buf[SYM], pcpu[16] = "-", vm[4 * VM_WIDTH + 1];
	const char *in = spinning(t, r, buf);

	if (v->pcpu >= 0)
		snprintf(pcpu, sizeof(pcpu), "%d", v->pcpu);
	printf("%s %4u %4s %10.0f %9.0f %7llu %8llu %6.1f %6.1f %6.1f  %s\n",
	       ks_column(vm, sizeof(vm), r->vm, VM_WIDTH), v->vcpu_id, pcpu, r->pause, r->hlt,
	       (unsigned long long)v->bursts, (unsigned long long)v->longest_burst,
	       100 * r->share[KS_V_RUNNING], 100 * r->share[KS_V_RUNNABLE],
	       100 * r->share[KS_V_HALTED], in ? in : "-");
}

void top_print_table(const struct top_view *t)
{
	double pause = 0, hlt = 0;
	uint32_t i, fit = t->n;

	for (i = 0; i < t->n; i++) {
		pause += t->rows[i].pause;
		hlt += t->rows[i].hlt;
	}
	if (t->screen) {
		printf("\033[H\033[J");
		if (t->lines > 4 && fit > t->lines - 4)
			fit = t->lines - 4;
	}
	printf("%u vCPUs, %.0f PAUSE and %.0f HLT exits/s", t->n, pause, hlt);
	if (t->lost)
		printf(", %llu records lost", (unsigned long long)t->lost);
	if (t->unseen)
		printf(", no room for %llu vCPUs (--max-vcpus)", (unsigned long long)t->unseen);
	printf("\n%-*s %4s %4s %10s %9s %7s %8s %6s %6s %6s  %s\n", VM_WIDTH, "VM", "vCPU", "pCPU",
	       "PAUSE/s", "HLT/s", "bursts", "longest", "run%", "wait%", "halt%", "spins in");
	for (i = 0; i < fit; i++)
		print_row(t, &t->rows[i]);
	if (fit < t->n)
		printf("... and %u more\n", t->n - fit);
	if (!t->screen)
		putchar('\n');
	fflush(stdout);
}

static struct json_object *row_json(const struct top_view *t, const struct top_row *r)
{
	struct json_object *j = json_object_new_object();
	const struct ks_live_vcpu *v = r->v;
	char buf[SYM];
	const char *in = spinning(t, r, buf);

	json_object_object_add(j, "vm", json_object_new_string(r->vm));
	json_object_object_add(j, "pid", json_object_new_int64(v->tgid));
	json_object_object_add(j, "tid", json_object_new_int64(v->tid));
	json_object_object_add(j, "vcpu", json_object_new_int64(v->vcpu_id));
	json_object_object_add(j, "pcpu", v->pcpu < 0 ? NULL : json_object_new_int(v->pcpu));
	json_object_object_add(j, "pause", json_object_new_uint64(r->pauses));
	json_object_object_add(j, "hlt", json_object_new_uint64(r->hlts));
	json_object_object_add(j, "bursts", json_object_new_uint64(v->bursts));
	json_object_object_add(j, "longest_burst", json_object_new_uint64(v->longest_burst));
	json_object_object_add(j, "running_ns", json_object_new_uint64(v->state_ns[KS_V_RUNNING]));
	json_object_object_add(j, "runnable_ns",
			       json_object_new_uint64(v->state_ns[KS_V_RUNNABLE]));
	json_object_object_add(j, "halted_ns", json_object_new_uint64(v->state_ns[KS_V_HALTED]));
	json_object_object_add(j, "blocked_ns", json_object_new_uint64(v->state_ns[KS_V_BLOCKED]));
	json_object_object_add(j, "migrations", json_object_new_uint64(v->migrations));
	json_object_object_add(j, "spins_in", in ? json_object_new_string(in) : NULL);
	return j;
}

void top_print_json(const struct top_view *t, uint64_t time_ns)
{
	struct json_object *j = json_object_new_object(), *rows = json_object_new_array();
	uint32_t i;

	for (i = 0; i < t->n; i++)
		json_object_array_add(rows, row_json(t, &t->rows[i]));
	json_object_object_add(j, "schema", json_object_new_int(1));
	json_object_object_add(j, "mono_ns", json_object_new_uint64(time_ns));
	json_object_object_add(j, "interval_ns", json_object_new_uint64(t->seconds * 1e9));
	json_object_object_add(j, "lost_records", json_object_new_uint64(t->lost));
	json_object_object_add(j, "unseen_vcpus", json_object_new_uint64(t->unseen));
	json_object_object_add(j, "vcpus", rows);
	puts(json_object_to_json_string_ext(j, JSON_C_TO_STRING_PLAIN));
	fflush(stdout);
	json_object_put(j);
}
