// SPDX-License-Identifier: GPL-2.0
/* The report on virtual NUMA as JSON; docs/schema/vnuma.json is its schema. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clockbreaks.h"
#include "model.h"
#include "put.h"
#include "vnuma_report.h"

#define SCHEMA 1

/* -1 stands for what is not known. */
static void put_node(struct json_object *o, const char *key, int32_t node)
{
	put(o, key, node < 0 ? NULL : json_object_new_int(node));
}

static struct json_object *nums(const uint64_t *v, uint64_t n)
{
	struct json_object *a = json_object_new_array();
	uint64_t i;

	for (i = 0; i < n; i++)
		json_object_array_add(a, num(v[i]));
	return a;
}

/* ---- what the guest believes: its own words, so only numbers are taken over ---- */

static struct json_object *meta_ints(struct json_object *meta, const char *key)
{
	struct json_object *a = json_object_new_array();
	uint32_t n = 0, i;
	int32_t *v = NULL;

	if (ks_meta_ints(meta, key, 4096, &v, &n))
		n = 0;
	for (i = 0; i < n; i++)
		json_object_array_add(a, v[i] < 0 ? NULL : json_object_new_int(v[i]));
	free(v);
	return a;
}

static struct json_object *distances(struct json_object *meta)
{
	struct json_object *a = json_object_new_array(), *rows, *row;
	size_t i, n;

	if (!json_object_object_get_ex(meta, "node_distance", &rows) ||
	    !json_object_is_type(rows, json_type_array))
		return a;
	n = json_object_array_length(rows);
	for (i = 0; i < n && i < KS_VN_NODES; i++) {
		row = json_object_new_object();
		put(row, "row", json_object_get(json_object_array_get_idx(rows, i)));
		json_object_array_add(a, meta_ints(row, "row"));
		json_object_put(row);
	}
	return a;
}

static struct json_object *domains(struct json_object *meta)
{
	struct json_object *a = json_object_new_array(), *names, *name;
	char safe[64];
	size_t i;

	if (!json_object_object_get_ex(meta, "sched_domains", &names) ||
	    !json_object_is_type(names, json_type_array))
		return a;
	for (i = 0; i < json_object_array_length(names) && i < 16; i++) {
		name = json_object_array_get_idx(names, i);
		if (!json_object_is_type(name, json_type_string))
			continue;
		ks_printable(safe, sizeof(safe), json_object_get_string(name),
			     (size_t)json_object_get_string_len(name));
		json_object_array_add(a, json_object_new_string(safe));
	}
	return a;
}

static struct json_object *topology(const struct ks_vnuma_vm *m, struct ks_reader *guest)
{
	struct json_object *o = json_object_new_object(), *home = json_object_new_array();
	struct json_object *meta = ks_reader_meta(guest);
	uint32_t g;

	for (g = 0; g < m->guest_nodes; g++)
		json_object_array_add(home,
				      m->home[g] < 0 ? NULL : json_object_new_int(m->home[g]));
	put_num(o, "nodes", m->guest_nodes);
	put(o, "host_node", home);
	put(o, "host_node_by_number", json_object_new_boolean(m->same_nodes));
	put(o, "cpu_node", meta_ints(meta, "cpu_node"));
	put(o, "cpu_package", meta_ints(meta, "cpu_package"));
	put(o, "cpu_core", meta_ints(meta, "cpu_core"));
	put(o, "node_distance", distances(meta));
	put(o, "sched_domains", domains(meta));
	return o;
}

/* ---- the host's side ---- */

static struct json_object *vcpu_json(const struct ks_vnuma_report *r, const struct ks_vcpu *c,
				     uint32_t i)
{
	const struct ks_vcpu_totals *t = ks_analysis_vcpu_totals(ks_session_analysis(r->s), i);
	const struct ks_vnuma_vcpu *v = ks_vnuma_vcpu(r->v, i);
	struct json_object *o = json_object_new_object();

	put_num(o, "vcpu", c->vcpu_id);
	put_node(o, "guest_cpu", c->guest_cpu);
	put_node(o, "believed_node", v->believed);
	put(o, "node_ns", nums(v->node_ns, ks_vnuma_nodes(r->v)));
	put_num(o, "nowhere_ns", v->nowhere_ns);
	put_num(o, "away_ns", v->away_ns);
	put_num(o, "runnable_ns", t->state_ns[KS_V_RUNNABLE]);
	put_num(o, "halted_ns", t->state_ns[KS_V_HALTED]);
	put_num(o, "blocked_ns", t->state_ns[KS_V_BLOCKED]);
	put_num(o, "unknown_ns", t->state_ns[KS_V_UNKNOWN]);
	put_num(o, "node_changes", v->node_changes);
	put_num(o, "idle_ns", v->idle_ns);
	return o;
}

static struct json_object *changes(const struct ks_vnuma_report *r, const struct ks_vnuma_vm *m)
{
	struct json_object *a = json_object_new_array(), *o;
	uint32_t n;
	const struct ks_vcpu *vcpus = ks_analysis_vcpus(ks_session_analysis(r->s), &n);
	uint64_t i;

	for (i = 0; i < m->nmoves && i < KS_VN_MOVES; i++) {
		o = json_object_new_object();
		put_num(o, "time_ns", m->moves[i].time);
		put_num(o, "vcpu", vcpus[m->moves[i].vcpu].vcpu_id);
		put_node(o, "from", m->moves[i].from);
		put_node(o, "to", m->moves[i].to);
		json_object_array_add(a, o);
	}
	return a;
}

static struct json_object *memory_rows(const uint64_t bytes[KS_VN_NODES + 1][KS_VN_NODES],
				       uint32_t nodes)
{
	struct json_object *a = json_object_new_array(), *o;
	uint32_t g, h;

	for (g = 0; g <= KS_VN_NODES; g++) {
		uint64_t sum = 0;

		for (h = 0; h < nodes; h++)
			sum += bytes[g][h];
		if (!sum)
			continue;
		o = json_object_new_object();
		put_node(o, "guest_node", g == KS_VN_NODES ? -1 : (int32_t)g);
		put(o, "node_bytes", nums(bytes[g], nodes));
		json_object_array_add(a, o);
	}
	return a;
}

static struct json_object *memory(const struct ks_vnuma_vm *m, uint32_t nodes)
{
	struct json_object *o = json_object_new_object();

	put_num(o, "samples", m->memory_samples);
	put(o, "first", memory_rows(m->memory_first, nodes));
	put(o, "last", memory_rows(m->memory_last, nodes));
	return o;
}

/* ---- the guest's threads ---- */

static struct json_object *disease(const struct ks_vnuma_disease *d, bool passed)
{
	struct json_object *o = json_object_new_object(), *worst = json_object_new_array(), *c;
	uint32_t i;

	put_num(o, "count", d->count);
	put_num(o, "cost_ns", d->cost_ns);
	for (i = 0; i < d->nworst; i++) {
		c = json_object_new_object();
		put_num(c, "time_ns", d->worst[i].time);
		put_num(c, "wait_ns", d->worst[i].wait_ns);
		put_num(c, "cost_ns", d->worst[i].cost_ns);
		put_num(c, "pid", d->worst[i].pid);
		put_num(c, "cpu", d->worst[i].cpu);
		put_num(c, passed ? "idle_cpu" : "pulled_pid", d->worst[i].other);
		if (passed)
			put_str(c, "why", ks_passed_name(d->worst[i].why));
		json_object_array_add(worst, c);
	}
	put(o, "worst", worst);
	return o;
}

static struct json_object *passed_over(const struct ks_vnuma_vm *m)
{
	struct json_object *o = disease(&m->passed, true), *why = json_object_new_object();
	unsigned int i;

	for (i = 0; i < KS_PASSED_MAX; i++)
		put_num(why, ks_passed_name(i), m->passed_why[i]);
	put(o, "why", why);
	return o;
}

static struct json_object *migrations(const struct ks_vnuma_vm *m)
{
	struct json_object *o = json_object_new_object(), *c;
	unsigned int i;

	for (i = 0; i < KS_VN_CAUSES; i++) {
		c = json_object_new_object();
		put_num(c, "count", m->moves_by[i]);
		put_num(c, "node_changes", m->node_moves_by[i]);
		put(o, ks_move_name(i), c);
	}
	return o;
}

static struct json_object *sleeps(const struct ks_vnuma_vm *m)
{
	struct json_object *o = json_object_new_object(), *a = json_object_new_array(), *c;
	unsigned int i;

	put_num(o, "count", m->nsleeps);
	put_num(o, "short", m->short_sleeps);
	for (i = 0; i < KS_VN_SLEEPS; i++) {
		if (!m->sleeps[i])
			continue;
		c = json_object_new_object();
		put_num(c, "from_ns", i ? 1ull << i : 0);
		put_num(c, "count", m->sleeps[i]);
		json_object_array_add(a, c);
	}
	put(o, "by_length", a);
	return o;
}

static struct json_object *threads(const struct ks_vnuma_vm *m)
{
	struct json_object *o, *flags;

	if (!m->queues)
		return NULL;
	o = json_object_new_object();
	put_num(o, "begin_ns", m->begin);
	put_num(o, "span_ns", m->span_ns);
	put_num(o, "blind_ns", m->blind_ns);
	put_num(o, "wait_ns", m->wait_ns);
	put_num(o, "unplaced_ns", m->unplaced_ns);
	put_num(o, "wasted_ns", m->wasted_ns);
	put(o, "wasted_by_second_ns", nums(m->second_ns, m->nseconds));
	put(o, "passed_over", passed_over(m));
	put(o, "overloaded", disease(&m->overloaded, false));
	flags = json_object_new_object();
	put_num(flags, "looked_at", m->flags_looked);
	put_num(flags, "set", m->flags_set);
	put(o, "preempted_flags", flags);
	put(o, "migrations", migrations(m));
	put(o, "sleeps", sleeps(m));
	put_num(o, "forgotten", m->forgotten);
	return o;
}

/* ---- all ---- */

static struct json_object *guest_json(const struct ks_vnuma_report *r, uint32_t vm)
{
	struct ks_reader *guest = ks_session_guest(r->s, vm);
	struct json_object *o;

	if (!guest)
		return NULL;
	o = json_object_new_object();
	put_str(o, "path", ks_reader_path(guest));
	put_str(o, "kernel", ks_meta_str(ks_reader_meta(guest), "kernel"));
	put_num(o, "clock_error_ns", ks_session_link(r->s, vm)->error_ns);
	put(o, "clock_breaks", clockbreaks_json(ks_session_link(r->s, vm)->clock));
	put_num(o, "lost_records", ks_reader_lost(guest));
	put(o, "truncated", json_object_new_boolean(ks_reader_truncated(guest)));
	return o;
}

static struct json_object *vm_json(const struct ks_vnuma_report *r, const struct ks_vm *vm,
				   uint32_t i)
{
	const struct ks_vnuma_vm *m = ks_vnuma_vm(r->v, i);
	struct json_object *o = json_object_new_object(), *vcpus = json_object_new_array();
	struct json_object *moves = json_object_new_object();
	uint32_t c, n;
	const struct ks_vcpu *all = ks_analysis_vcpus(ks_session_analysis(r->s), &n);

	put_str(o, "name", vm->name);
	put_num(o, "pid", vm->tgid);
	put(o, "guest", guest_json(r, i));
	put(o, "topology", m->guest ? topology(m, ks_session_guest(r->s, i)) : NULL);
	for (c = 0; c < n; c++)
		if (all[c].vm == i)
			json_object_array_add(vcpus, vcpu_json(r, &all[c], c));
	put(o, "vcpus", vcpus);
	put_num(moves, "count", m->nmoves);
	put(moves, "first", changes(r, m));
	put(o, "node_changes", moves);
	put(o, "memory", memory(m, ks_vnuma_nodes(r->v)));
	put(o, "threads", threads(m));
	return o;
}

int ks_vnuma_json(const struct ks_vnuma_report *r, bool compact, FILE *out)
{
	struct json_object *o = json_object_new_object(), *host = json_object_new_object();
	struct json_object *vms = json_object_new_array();
	struct ks_reader *rd = ks_session_host(r->s);
	int flags = compact ? JSON_C_TO_STRING_PLAIN : JSON_C_TO_STRING_PRETTY;
	uint32_t i, n;
	const struct ks_vm *all = ks_analysis_vms(ks_session_analysis(r->s), &n);

	put_num(o, "schema", SCHEMA);
	put_str(host, "path", ks_reader_path(rd));
	put_str(host, "kernel", ks_meta_str(ks_reader_meta(rd), "kernel"));
	put_num(host, "nodes", ks_vnuma_nodes(r->v));
	put_num(host, "lost_records", ks_reader_lost(rd));
	put(host, "truncated", json_object_new_boolean(ks_reader_truncated(rd)));
	put(o, "host", host);
	for (i = 0; i < n; i++)
		json_object_array_add(vms, vm_json(r, &all[i], i));
	put(o, "vms", vms);
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(o, flags | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return ferror(out) ? -(errno ? errno : EIO) : 0;
}
