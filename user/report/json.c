// SPDX-License-Identifier: GPL-2.0
/* The report as JSON; docs/report-json.md is its schema. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#include "clockbreaks.h"
#include "exits.h"
#include "model.h"
#include "priv.h"
#include "put.h"

#define SCHEMA 1

static void put_addr(struct json_object *o, const char *key, uint64_t addr)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "0x%" PRIx64, addr);
	put(o, key, addr ? json_object_new_string(buf) : NULL);
}

static void put_sym(struct json_object *o, const char *key, const struct ks_report *r, uint32_t vm,
		    uint64_t addr)
{
	char buf[REP_NAME];

	put_str(o, key,
		addr && rep_has_sym(r, vm, addr) ? rep_sym(r, vm, addr, buf, sizeof(buf)) : NULL);
}

static struct json_object *classes(const uint64_t *v, int n)
{
	struct json_object *o = json_object_new_object();
	int c;

	for (c = 0; c < n; c++)
		put_num(o, ks_class_name(c), v[c]);
	return o;
}

/* ---- exits ---- */

static struct json_object *exits(const struct ks_report *r, const struct rep_exit *e, uint32_t n)
{
	struct json_object *list = json_object_new_array(), *o;
	const char *name;
	uint32_t i;

	for (i = 0; i < n; i++) {
		o = json_object_new_object();
		name = r->isa ? ks_exit_name(r->isa, e[i].reason) : NULL;
		put_num(o, "reason", e[i].reason);
		put_str(o, "name", name);
		put_num(o, "count", e[i].count);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *vcpu(const struct ks_report *r, uint32_t i)
{
	const struct ks_vcpu_totals *t = ks_analysis_vcpu_totals(r->a, i);
	const struct ks_vcpu *v = &r->vcpus[i];
	struct json_object *o = json_object_new_object(), *st = json_object_new_object();
	const struct rep_exit *e;
	uint32_t n;
	int s;

	put_num(o, "vcpu", v->vcpu_id);
	put(o, "guest_cpu", v->guest_cpu < 0 ? NULL : json_object_new_int(v->guest_cpu));
	put_num(o, "tid", v->tid);
	put_num(o, "slot", v->slot);
	put_num(o, "pause", t->pause);
	put_num(o, "hlt", t->hlt);
	put_num(o, "bursts", t->bursts);
	put_num(o, "longest_burst", t->longest_burst);
	for (s = 0; s < KS_V_MAX; s++)
		put_num(st, ks_vstate_name(s), t->state_ns[s]);
	put(o, "state_ns", st);
	put(o, "ple_by_class", classes(t->ple, KS_C_MAX));
	put_num(o, "migrations", t->migrations);
	put_num(o, "node_migrations", t->node_migrations);
	put_num(o, "pingpongs", t->pingpongs);
	e = rep_exits_vcpu(r, i, &n);
	put(o, "exits", exits(r, e, n));
	return o;
}

static struct json_object *vcpus(const struct ks_report *r, uint32_t vm)
{
	struct json_object *list = json_object_new_array();
	uint32_t i;

	for (i = 0; i < r->nvcpus; i++)
		if (r->vcpus[i].vm == vm)
			json_object_array_add(list, vcpu(r, i));
	return list;
}

/* ---- waits ---- */

static void put_task(struct json_object *o, const char *key, const struct ks_report *r, uint32_t vm,
		     uint32_t pid)
{
	char comm[64];
	struct json_object *t = json_object_new_object();

	put_num(t, "pid", pid);
	put_str(t, "comm", rep_comm(r, vm, pid, comm, sizeof(comm)));
	put(o, key, t);
}

static struct json_object *blamed(const struct ks_report *r, const struct ks_wait *w)
{
	struct json_object *o;

	if (w->blame_vcpu == KS_NO_VCPU)
		return NULL;
	o = json_object_new_object();
	put_str(o, "class", ks_class_name(w->blame_class));
	put_num(o, "vcpu", r->vcpus[w->blame_vcpu].vcpu_id);
	put_task(o, "task", r, w->vm, w->blame_pid);
	put_addr(o, "site", w->blame_ip);
	put_sym(o, "site_symbol", r, w->vm, w->blame_ip);
	put_num(o, "off_cpu_ns", w->blame_off_ns);
	return o;
}

static struct json_object *wait(const struct ks_report *r, const struct ks_wait *w)
{
	struct json_object *o = json_object_new_object();
	uint64_t ple[KS_C_WAIT_MAX];
	int c;

	for (c = 0; c < KS_C_WAIT_MAX; c++)
		ple[c] = w->ple[c];
	put_num(o, "try_ns", w->try_time);
	put_num(o, "ns", w->acq_time - w->try_time);
	put(o, "acquired", json_object_new_boolean(w->acquired));
	put(o, "partial", json_object_new_boolean(w->partial));
	put_num(o, "vcpu", r->vcpus[w->vcpu].vcpu_id);
	put_task(o, "task", r, w->vm, w->pid);
	put_str(o, "context", ks_context_name(w->ctx_flags));
	put_addr(o, "lock", w->lock);
	put_sym(o, "lock_symbol", r, w->vm, w->lock);
	put_addr(o, "site", w->ip);
	put_sym(o, "site_symbol", r, w->vm, w->ip);
	put_str(o, "verdict", ks_class_name(w->verdict));
	put(o, "share_ns", classes(w->share, KS_C_WAIT_MAX));
	put_num(o, "ple", w->ple_total);
	put(o, "ple_by_class", classes(ple, KS_C_WAIT_MAX));
	put(o, "blamed", blamed(r, w));
	return o;
}

static struct json_object *worst(const struct ks_report *r, const struct rep_heap *h)
{
	struct json_object *list = json_object_new_array();
	uint32_t i;

	for (i = 0; i < h->n; i++)
		json_object_array_add(list, wait(r, &h->w[i]));
	return list;
}

static struct json_object *sites(const struct ks_report *r, uint32_t vm, const struct topk_entry *e)
{
	struct json_object *list = json_object_new_array(), *o;
	uint32_t i;

	for (i = 0; i < TOPK_SITES; i++) {
		if (!e->site[i].count || !e->site[i].ip)
			continue;
		o = json_object_new_object();
		put_addr(o, "address", e->site[i].ip);
		put_sym(o, "symbol", r, vm, e->site[i].ip);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *table(const struct ks_report *r, uint32_t vm, const struct topk *t,
				 bool locks)
{
	struct json_object *list = json_object_new_array(), *o;
	const struct topk_entry **e;
	uint32_t i, n;

	e = topk_sorted(t, &n);
	for (i = 0; i < n && i < r->opts.top; i++) {
		o = json_object_new_object();
		put_addr(o, "address", e[i]->key);
		put_sym(o, "symbol", r, vm, e[i]->key);
		put_num(o, "waits", e[i]->count);
		put_num(o, "wait_ns", e[i]->ns);
		put_num(o, "error_ns", e[i]->error);
		put_num(o, "longest_ns", e[i]->max_ns);
		put_num(o, "ple", e[i]->ple);
		put(o, "lost_ns", classes(e[i]->class_ns, KS_C_WAIT_MAX));
		if (locks)
			put(o, "sites", sites(r, vm, e[i]));
		json_object_array_add(list, o);
	}
	free(e);
	return list;
}

static struct json_object *waits(const struct ks_report *r, uint32_t vm)
{
	const struct ks_vm_totals *t = ks_analysis_vm_totals(r->a, vm);
	const struct rep_vm *v = &r->vm[vm];
	struct json_object *o = json_object_new_object(), *p = json_object_new_object();

	put_num(o, "count", t->waits);
	put_num(o, "ns", t->wait_ns);
	put(o, "lost_ns", classes(t->lost_ns, KS_C_WAIT_MAX));
	put(o, "verdicts", classes(t->verdicts, KS_C_WAIT_MAX));
	put_num(p, "p50", t->ple_per_wait[0]);
	put_num(p, "p99", t->ple_per_wait[1]);
	put_num(p, "max", t->ple_per_wait[2]);
	put(o, "ple_per_acquisition", p);
	put(o, "worst", worst(r, &v->worst[REP_ANY]));
	put(o, "worst_lhp", worst(r, &v->worst[REP_LHP]));
	put(o, "worst_lwp", worst(r, &v->worst[REP_LWP]));
	put(o, "locks", table(r, vm, &v->locks, true));
	put(o, "sites", table(r, vm, &v->sites, false));
	return o;
}

static struct json_object *holds(const struct ks_report *r, uint32_t vm)
{
	const struct rep_vm *v = &r->vm[vm];
	struct json_object *o = json_object_new_object();

	put_num(o, "count", ks_analysis_vm_totals(r->a, vm)->holds);
	put_num(o, "ns", v->hold_ns);
	put_num(o, "preempted", v->holds_off);
	put_num(o, "preempted_ns", v->hold_off_ns);
	put_num(o, "longest_ns", v->longest_hold);
	return o;
}

/* ---- VM ---- */

static struct json_object *moves(uint64_t n, uint64_t nodes, uint64_t pingpongs, uint64_t span)
{
	struct json_object *o = json_object_new_object();

	put_num(o, "count", n);
	put(o, "per_minute", json_object_new_double(span ? n * 60e9 / span : 0));
	put_num(o, "across_nodes", nodes);
	put_num(o, "pingpongs", pingpongs);
	return o;
}

static struct json_object *migrations(const struct ks_report *r, uint32_t vm)
{
	const struct ks_vm_totals *t = ks_analysis_vm_totals(r->a, vm);
	const struct rep_vm *v = &r->vm[vm];
	struct json_object *o = json_object_new_object();

	put(o, "vcpus", moves(v->migrations, v->node_migrations, v->pingpongs, t->span_ns));
	put(o, "tasks",
	    moves(t->task_migrations, t->task_node_migrations, t->task_pingpongs,
		  t->guest_recorded_ns));
	return o;
}

static void put_meta(struct json_object *o, struct json_object *meta, const char *key)
{
	struct json_object *v;

	if (!json_object_object_get_ex(meta, key, &v))
		put(o, key, NULL);
	else if (json_object_is_type(v, json_type_string))
		put_str(o, key, json_object_get_string(v));
	else if (json_object_is_type(v, json_type_int))
		put_num(o, key, json_object_get_int64(v));
}

static struct json_object *trace_file(struct ks_reader *rd)
{
	struct json_object *o = json_object_new_object(), *meta = ks_reader_meta(rd);

	put_str(o, "path", ks_reader_path(rd));
	put_meta(o, meta, "hostname");
	put_meta(o, meta, "kernel");
	put_meta(o, meta, "mode");
	put_num(o, "lost_records", ks_reader_lost(rd));
	put_num(o, "bad_bytes", ks_reader_bad_bytes(rd));
	put(o, "truncated", json_object_new_boolean(ks_reader_truncated(rd)));
	return o;
}

static struct json_object *guest(const struct ks_report *r, uint32_t vm)
{
	struct ks_reader *rd = ks_session_guest(r->s, vm);
	const struct ks_link *l = ks_session_link(r->s, vm);
	struct json_object *o;

	if (!rd)
		return NULL;
	o = trace_file(rd);
	put_meta(o, ks_reader_meta(rd), "wait_threshold_ns");
	put_meta(o, ks_reader_meta(rd), "hold_threshold_ns");
	put_meta(o, ks_reader_meta(rd), "short_waits_left_out");
	put_num(o, "unmatched_releases", ks_meta_uint(ks_reader_meta(rd), "unseen_acquires"));
	put_meta(o, ks_reader_meta(rd), "unseen_recursion");
	put_meta(o, ks_reader_meta(rd), "unseen_acquires");
	put_meta(o, ks_reader_meta(rd), "unseen_releases");
	put_num(o, "recorded_ns", ks_analysis_vm_totals(r->a, vm)->guest_recorded_ns);
	put_num(o, "clock_error_ns", l->error_ns);
	put_num(o, "clock_steps", l->steps);
	put_num(o, "clock_largest_step_ns", l->step_ns);
	put(o, "clock_breaks", clockbreaks_json(l->clock));
	put_str(o, "matched_by", l->how);
	put_num(o, "halts_checked", l->halts);
	put_num(o, "halts_explained", l->explained);
	put_num(o, "halts_by_chance", l->chance);
	return o;
}

static struct json_object *spinning(const struct ks_report *r, const struct rep_vm *v)
{
	struct json_object *list = json_object_new_array(), *o;
	uint32_t i;

	for (i = 0; i < v->nspin && i < r->opts.top; i++) {
		o = json_object_new_object();
		put_str(o, "function", v->spin[i].name);
		put_num(o, "ple", v->spin[i].exits);
		json_object_array_add(list, o);
	}
	return list;
}

/* ---- a policy ---- */

typedef const char *(*name_fn)(unsigned int i);

static struct json_object *by_name(const uint64_t *v, unsigned int n, name_fn name)
{
	struct json_object *o = json_object_new_object();
	unsigned int i;

	for (i = 0; i < n; i++)
		put_num(o, name(i), v[i]);
	return o;
}

static const char *yes_no_name(unsigned int i)
{
	static const char *const names[KS_YES_NO_MAX] = { "no", "yes", "unknown" };

	return names[i];
}

static struct json_object *policy(const struct ks_report *r, uint32_t vm)
{
	const struct ks_policy_totals *t = &ks_analysis_vm_totals(r->a, vm)->policy;
	struct json_object *o = json_object_new_object(), *agree = json_object_new_object();

	put(o, "boosts", by_name(t->boosts, KS_BOOST_OUTS, ks_boost_out_name));
	put(o, "picked", by_name(t->why, KS_BW_MAX, ks_boost_why_name));
	put(o, "ran_next", by_name(t->ran_next, KS_YES_NO_MAX, yes_no_name));
	put(o, "let_go", by_name(t->let_go, KS_YES_NO_MAX, yes_no_name));
	put(o, "looks", by_name(t->looks, KS_LOOK_MAX, ks_look_name));
	if (ks_session_guest(r->s, vm)) {
		put(agree, "held", by_name(t->held, KS_LM_MAX, ks_look_match_name));
		put(agree, "free", by_name(t->free, KS_LM_MAX, ks_look_match_name));
		put_num(agree, "unsure", t->unsure);
		put(o, "agreement", agree);
	} else {
		json_object_put(agree);
		put(o, "agreement", NULL);
	}
	return o;
}

static struct json_object *vm(const struct ks_report *r, uint32_t i)
{
	const struct ks_vm_totals *t = ks_analysis_vm_totals(r->a, i);
	const struct rep_vm *v = &r->vm[i];
	struct json_object *o = json_object_new_object();
	const struct rep_exit *e;
	uint32_t n;

	put_str(o, "name", r->vms[i].name);
	put_num(o, "pid", r->vms[i].tgid);
	put_str(o, "uuid", *r->vms[i].uuid ? r->vms[i].uuid : NULL);
	put(o, "cid", r->vms[i].cid ? json_object_new_int64(r->vms[i].cid) : NULL);
	put_num(o, "span_ns", t->span_ns);
	put_num(o, "guest_span_ns", t->guest_span_ns);
	put_num(o, "lost_records", t->lost_records);
	put_num(o, "pause", v->pause);
	put_num(o, "hlt", v->hlt);
	put_num(o, "bursts", v->bursts);
	put_num(o, "longest_burst", v->longest_burst);
	put(o, "ple_by_class", classes(v->ple, KS_C_MAX));
	put(o, "spinning", spinning(r, v));
	put_num(o, "spinning_elsewhere", v->spun_elsewhere);
	e = rep_exits_vm(r, i, &n);
	put(o, "exits", exits(r, e, n));
	put(o, "policy", policy(r, i));
	put(o, "guest", guest(r, i));
	if (ks_session_guest(r->s, i)) {
		put(o, "waits", waits(r, i));
		put(o, "holds", holds(r, i));
		put_num(o, "wasted_idle_ns", t->wasted_idle_ns);
	}
	put(o, "migrations", migrations(r, i));
	put(o, "vcpus", vcpus(r, i));
	return o;
}

static struct json_object *trace(const struct ks_report *r)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	struct json_object *host = trace_file(ks_session_host(r->s));
	uint32_t i;

	put_meta(host, ks_reader_meta(ks_session_host(r->s)), "isa");
	put_meta(host, ks_reader_meta(ks_session_host(r->s)), "unseen_vcpus");
	put_meta(host, ks_reader_meta(ks_session_host(r->s)), "unseen_exits");
	put_meta(host, ks_reader_meta(ks_session_host(r->s)), "unseen_marks");
	put(o, "host", host);
	put_num(o, "first_ns", r->first);
	put_num(o, "last_ns", r->last);
	put_num(o, "ignored_records", ks_analysis_ignored(r->a));
	for (i = 0; i < r->nvms; i++)
		json_object_array_add(list, vm(r, i));
	put(o, "vms", list);
	return o;
}

int ks_report_json(struct ks_report *const *r, size_t n, enum ks_report_kind kind, bool compact,
		   FILE *out)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	int flags = compact ? JSON_C_TO_STRING_PLAIN :
			      JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	size_t i;

	put_num(o, "schema", SCHEMA);
	put_str(o, "tool", kind == KS_REPORT_LOCKS ? "lock-timeline" : "ple-trace");
	for (i = 0; i < n; i++)
		json_object_array_add(list, trace(r[i]));
	put(o, "traces", list);
	errno = 0;
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(o, flags | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return ferror(out) ? -(errno ? errno : EIO) : 0;
}
