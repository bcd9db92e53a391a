// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "force.h"
#include "sharer.h"
#include "state.h"

#define SCHEMA 1
#define LOOK_NS 100000000u
#define RUNS_NS (LOOK_NS / 10) /* of it: a given-up vCPU that uses more does not idle */

static struct ks_vcpu_look before[KS_BOOK_VMS][KS_CPUS];

static void put(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

static void put_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, text ? json_object_new_string(text) : NULL);
}

static void put_set(struct json_object *o, const char *key, const struct ks_cpus *set)
{
	char text[KS_CPUS_TEXT];

	put_text(o, key, ks_cpus_print(set, text, sizeof(text)));
}

/* ---- who keeps to it ---- */

static void look(const struct ks_book *b)
{
	struct ks_cpus may, given;
	unsigned int vm, i;

	for (vm = 0; vm < KS_BOOK_VMS; vm++) {
		const struct ks_book_vm *v = &b->vm[vm];

		if (!v->tgid)
			continue;
		ks_sharer_vcpus(b, (int)vm, &may, &given);
		for (i = ks_cpus_next(&given, 0); i < v->vcpus; i = ks_cpus_next(&given, i + 1))
			if (ks_vcpu_look(NULL, v->tgid, v->vcpu[i].tid, &before[vm][i]))
				before[vm][i].ran_ns = UINT64_MAX;
	}
}

static void find_running(const struct ks_book *b, int vm, struct ks_cpus *run)
{
	const struct ks_book_vm *v = &b->vm[vm];
	struct ks_cpus may, given;
	struct ks_vcpu_look now;
	unsigned int i;

	memset(run, 0, sizeof(*run));
	ks_sharer_vcpus(b, vm, &may, &given);
	for (i = ks_cpus_next(&given, 0); i < v->vcpus; i = ks_cpus_next(&given, i + 1))
		if (!ks_vcpu_look(NULL, v->tgid, v->vcpu[i].tid, &now) &&
		    now.ran_ns > before[vm][i].ran_ns &&
		    now.ran_ns - before[vm][i].ran_ns > RUNS_NS)
			ks_cpus_add(run, i);
}

/* ---- JSON ---- */

static struct json_object *memory_json(const struct ks_book_vm *v)
{
	struct json_object *list = json_object_new_array(), *o;
	unsigned int i;

	for (i = 0; i < KS_BOOK_NODES; i++) {
		if (v->mem[i] == UINT64_MAX)
			continue;
		o = json_object_new_object();
		put(o, "node", i);
		put(o, "bytes", v->mem[i]);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *vm_json(const struct ks_book *b, int vm)
{
	const struct ks_book_vm *v = &b->vm[vm];
	struct json_object *o = json_object_new_object();
	struct ks_cpus set;
	bool there = ks_sharer_is_there(v);
	unsigned int i;

	put_text(o, "name", v->name);
	put(o, "pid", v->tgid);
	json_object_object_add(o, "running", json_object_new_boolean(there));
	put(o, "vcpus", v->vcpus);
	put(o, "first", v->first);
	ks_book_may(b, vm, &set);
	put_set(o, "cpus", &set);
	put_text(o, "manner", ks_manner_name(v->manner));
	put_text(o, "why", v->why);
	memset(&set, 0, sizeof(set));
	for (i = 0; i < v->vcpus; i++)
		if (v->vcpu[i].home)
			ks_cpus_add(&set, i);
	put_set(o, "held_down", &set);
	if (there)
		find_running(b, vm, &set);
	else
		memset(&set, 0, sizeof(set));
	put_set(o, "not_idle", &set);
	json_object_object_add(o, "memory", memory_json(v));
	return o;
}

static void put_vm(struct json_object *o, const char *key, const struct ks_book *b, int vm)
{
	put_text(o, key, vm == KS_NOBODY ? NULL : b->vm[vm].name);
}

static struct json_object *cpu_json(const struct ks_book *b, unsigned int cpu)
{
	const struct ks_book_cpu *c = &b->cpu[cpu];
	struct json_object *o = json_object_new_object();
	char note[300];

	put(o, "cpu", cpu);
	put_text(o, "step", ks_step_name(c->step));
	put_vm(o, "owner", b, c->owner);
	put_vm(o, "from", b, c->from);
	put_vm(o, "to", b, c->to);
	put_text(o, "note", ks_book_explain(b, cpu, note, sizeof(note)));
	return o;
}

struct json_object *state_json(const struct ks_book *b, int busy)
{
	const struct timespec while_ = { 0, LOOK_NS };
	struct json_object *o = json_object_new_object(), *vms = json_object_new_array(),
			   *cpus = json_object_new_array();
	unsigned int i;

	look(b);
	nanosleep(&while_, NULL);
	put(o, "schema", SCHEMA);
	json_object_object_add(o, "plan", json_object_new_boolean(true));
	json_object_object_add(o, "settled", json_object_new_boolean(ks_book_is_settled(b)));
	json_object_object_add(o, "releasing", json_object_new_boolean(b->releasing));
	json_object_object_add(o, "busy_pid", busy < 0 ? NULL : json_object_new_int(busy));
	json_object_object_add(o, "pin", json_object_new_boolean(!b->no_pin));
	for (i = 0; i < KS_BOOK_VMS; i++)
		if (b->vm[i].tgid)
			json_object_array_add(vms, vm_json(b, (int)i));
	json_object_object_add(o, "vms", vms);
	for (i = 0; i < KS_CPUS; i++)
		if (b->cpu[i].step != KS_STEP_NONE)
			json_object_array_add(cpus, cpu_json(b, i));
	json_object_object_add(o, "cpus", cpus);
	return o;
}

/* ---- for people ---- */

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v;
}

static const char *text_of(struct json_object *o, const char *key)
{
	const char *text = json_object_get_string(get(o, key));

	return text ? text : "";
}

static void print_memory(struct json_object *list)
{
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		printf("%s%" PRIu64 " MiB of node %" PRIu64,
		       i ? ", " : "  memory: ", json_object_get_uint64(get(o, "bytes")) >> 20,
		       json_object_get_uint64(get(o, "node")));
	}
	if (i)
		putchar('\n');
}

static void print_vm(struct json_object *vm)
{
	const char *held = text_of(vm, "held_down"), *runs = text_of(vm, "not_idle");

	printf("%-24s pid %-8" PRIu64 " CPUs %-16s ", text_of(vm, "name"),
	       json_object_get_uint64(get(vm, "pid")), text_of(vm, "cpus"));
	if (!json_object_get_boolean(get(vm, "running")))
		puts("has ended: `vm-share restore` makes its CPUs free");
	else if (!strcmp(text_of(vm, "manner"), "forced"))
		printf("by force: %s\n", text_of(vm, "why"));
	else
		puts(strcmp(text_of(vm, "manner"), "agent") ? "not asked yet" : "by its agent");
	if (*held)
		printf("  vCPUs %s are held down to 1 ms per second\n", held);
	if (*runs)
		printf("  vCPUs %s do not idle although they are given up\n", runs);
	print_memory(get(vm, "memory"));
}

static void print_cpu(struct json_object *cpu, unsigned int *nfree)
{
	if (!strcmp(text_of(cpu, "step"), "free"))
		++*nfree;
	if (*text_of(cpu, "note"))
		printf("CPU %" PRIu64 ": %s\n", json_object_get_uint64(get(cpu, "cpu")),
		       text_of(cpu, "note"));
}

static void print_unsettled(struct json_object *o)
{
	bool releasing = json_object_get_boolean(get(o, "releasing"));
	const char *what = releasing ? "release" : "hand-over";

	if (!get(o, "busy_pid"))
		printf("a %s is under way or was interrupted: root sees which\n", what);
	else if (json_object_get_uint64(get(o, "busy_pid")))
		printf("process %" PRIu64 " is %s just now\n",
		       json_object_get_uint64(get(o, "busy_pid")),
		       releasing ? "releasing all" : "handing over");
	else if (releasing)
		puts("a release was interrupted: `vm-share release` again");
	else
		puts("a hand-over was interrupted: `vm-share restore` mends it");
}

void state_print(struct json_object *o)
{
	struct json_object *vms = get(o, "vms"), *cpus = get(o, "cpus");
	unsigned int nfree = 0;
	size_t i;

	for (i = 0; i < json_object_array_length(vms); i++)
		print_vm(json_object_array_get_idx(vms, i));
	for (i = 0; i < json_object_array_length(cpus); i++)
		print_cpu(json_object_array_get_idx(cpus, i), &nfree);
	if (nfree)
		printf("%u CPUs are free\n", nfree);
	if (!json_object_get_boolean(get(o, "settled")))
		print_unsettled(o);
}
