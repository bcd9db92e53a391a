// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"
#include "text.h"

#define MAX_STATE (1u << 20)

static void put(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static uint64_t count(const uint64_t *sum, const struct state_count *c)
{
	return sum[c->offset / sizeof(*sum)];
}

static struct json_object *totals(const struct state *s)
{
	struct json_object *o = json_object_new_object();
	const struct state_count *c;

	for (c = s->counts; c->name; c++)
		put(o, c->name, count(s->sum, c));
	return o;
}

static struct json_object *rates(const struct state *s)
{
	struct json_object *o = json_object_new_object();
	double seconds = (double)(s->now_ns - s->last_ns) / 1e9;
	const struct state_count *c;

	for (c = s->counts; c->name; c++)
		put(o, c->name,
		    seconds > 0 ?
			    (uint64_t)((double)(count(s->sum, c) - count(s->last, c)) / seconds) :
			    0);
	return o;
}

static void put_part(struct json_object *o, const char *key, double v)
{
	char text[16];

	snprintf(text, sizeof(text), "%.4f", v);
	json_object_object_add(o, key, json_object_new_double_s(v, text));
}

static struct json_object *late_json(const struct late *l)
{
	struct json_object *o = json_object_new_object();
	struct late_sum sum;

	late_read(l, &sum);
	put(o, "samples", sum.samples);
	put(o, "p50_ns", sum.p50_ns);
	put(o, "p99_ns", sum.p99_ns);
	put(o, "max_ns", sum.max_ns);
	return o;
}

static struct json_object *vms(const struct ks_vmset *set, const struct ks_share *share)
{
	struct json_object *list = json_object_new_array(), *o;
	uint32_t i;

	for (i = 1; i < KS_VMSET_MAX; i++) {
		if (!ks_vmset_is_taken(&set->vm[i]))
			continue;
		o = json_object_new_object();
		json_object_object_add(o, "name", json_object_new_string(set->vm[i].name));
		put(o, "pid", set->vm[i].tgid);
		put(o, "vcpus", set->vm[i].vcpus);
		put(o, "weight", set->vm[i].weight);
		put(o, "cpu_ns", share->cpu_ns[i]);
		put_part(o, "share", ks_share_had(share, i));
		put_part(o, "due", ks_share_due(set, i));
		json_object_array_add(list, o);
	}
	return list;
}

static void put_vms(struct json_object *o, const struct state *s)
{
	put(o, "threads", s->taken);
	put(o, "threads_left_alone", s->left);
	put(o, "vms_with_quota", s->quota);
	put(o, "lock_pages", s->pages);
	json_object_object_add(o, "lock_page_doubt", json_object_new_string(s->doubt ?: ""));
	json_object_object_add(o, "vms", vms(s->vms, s->share));
	put_part(o, "fairness", ks_share_jain(s->share, s->vms));
}

static struct json_object *state_json(const struct state *s)
{
	struct json_object *o = json_object_new_object();

	put(o, "schema", STATE_SCHEMA);
	json_object_object_add(o, "policy", json_object_new_string(s->policy));
	json_object_object_add(o, "backend", json_object_new_string(s->backend));
	put(o, "pid", getpid());
	put(o, "attached_ns", s->now_ns - s->begun_ns);
	if (s->vms)
		put_vms(o, s);
	json_object_object_add(o, "wakeup_late", late_json(s->late));
	json_object_object_add(o, "total", totals(s));
	json_object_object_add(o, "per_second", rates(s));
	return o;
}

int state_write(const char *dir, const struct state *s)
{
	struct json_object *o = state_json(s);
	char path[4096], tmp[4096];
	int ret = 0;

	snprintf(path, sizeof(path), "%s/status.json", dir);
	snprintf(tmp, sizeof(tmp), "%s/status.json.partial", dir);
	if (json_object_to_file_ext(tmp, o, JSON_C_TO_STRING_PLAIN) || rename(tmp, path))
		ret = errno ? -errno : -EIO;
	json_object_put(o);
	return ret;
}

int state_read(const char *dir, char **text)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/status.json", dir);
	return ks_read_file(path, MAX_STATE, text, NULL);
}

void state_remove(const char *dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/status.json", dir);
	unlink(path);
}

/* ---- for people ---- */

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v;
}

static void print_vms(struct json_object *list)
{
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *vm = json_object_array_get_idx(list, i);

		printf("  %-24s pid %-8" PRIu64 " %3" PRIu64 " vCPUs, %4.1f %% of the VMs' CPU "
		       "time (%4.1f %% due), ",
		       json_object_get_string(get(vm, "name")),
		       json_object_get_uint64(get(vm, "pid")),
		       json_object_get_uint64(get(vm, "vcpus")),
		       100 * json_object_get_double(get(vm, "share")),
		       100 * json_object_get_double(get(vm, "due")));
		if (json_object_get_uint64(get(vm, "weight")))
			printf("weight %" PRIu64 "\n", json_object_get_uint64(get(vm, "weight")));
		else
			puts("each for itself");
	}
}

static void print_late(struct json_object *late, const char *who)
{
	printf("  %s wake up late by %.0f us (median), %.0f us (99 %%), %.0f us at most\n", who,
	       (double)json_object_get_uint64(get(late, "p50_ns")) / 1e3,
	       (double)json_object_get_uint64(get(late, "p99_ns")) / 1e3,
	       (double)json_object_get_uint64(get(late, "max_ns")) / 1e3);
}

/* holder-boost: how many VMs' pages are read, and why the last that is not is not. */
static void print_pages(struct json_object *o)
{
	const char *doubt = json_object_get_string(get(o, "lock_page_doubt"));

	if (strcmp(json_object_get_string(get(o, "policy")), "holder-boost"))
		return;
	printf("  lock pages of %" PRIu64 " VMs are read%s%s\n",
	       json_object_get_uint64(get(o, "lock_pages")), *doubt ? "; not, or no longer: " : "",
	       doubt);
}

/* What there is of a policy for VMs alone. */
static void print_for_vms(struct json_object *o)
{
	printf(", %" PRIu64 " vCPU threads\n", json_object_get_uint64(get(o, "threads")));
	print_vms(get(o, "vms"));
	if (json_object_array_length(get(o, "vms")) > 1)
		printf("  fairness between VMs (Jain) %.3f\n",
		       json_object_get_double(get(o, "fairness")));
	print_late(get(o, "wakeup_late"), "tasks of no VM");
	print_pages(o);
}

static void print_for_all(struct json_object *o)
{
	puts(", all threads of the fair class");
	print_late(get(o, "wakeup_late"), "threads that sleep for 1 s");
}

void state_print(struct json_object *o)
{
	struct json_object *rate = get(o, "per_second");

	printf("%s on %s, process %" PRIu64 ", attached %.0f s",
	       json_object_get_string(get(o, "policy")), json_object_get_string(get(o, "backend")),
	       json_object_get_uint64(get(o, "pid")),
	       (double)json_object_get_uint64(get(o, "attached_ns")) / 1e9);
	if (get(o, "vms"))
		print_for_vms(o);
	else
		print_for_all(o);
	printf("  %-22s %16s %12s\n", "", "total", "per second");
	json_object_object_foreach(get(o, "total"), name, total)
		printf("  %-22s %16" PRIu64 " %12" PRIu64 "\n", name, json_object_get_uint64(total),
		       json_object_get_uint64(get(rate, name)));
}
