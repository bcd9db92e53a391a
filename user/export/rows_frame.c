// SPDX-License-Identifier: GPL-2.0
/* The rows around the others: what was read, and the sums. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "exits.h"
#include "rows_priv.h"
#include "text.h"

/* A string of a file's metadata, safe to print; NULL if there is none. */
static const char *meta_word(struct ks_reader *rd, const char *key, char *buf, size_t size)
{
	const char *s = ks_meta_str(ks_reader_meta(rd), key);

	return *s ? ks_printable(buf, size, s, strlen(s)) : NULL;
}

static uint64_t meta_number(struct ks_reader *rd, const char *key)
{
	struct json_object *v;
	int64_t n;

	if (!json_object_object_get_ex(ks_reader_meta(rd), key, &v) ||
	    !json_object_is_type(v, json_type_int))
		return ROWS_NONE;
	n = json_object_get_int64(v);
	return n < 0 ? ROWS_NONE : (uint64_t)n;
}

static void span_of(struct ks_reader *rd, uint64_t *first, uint64_t *last)
{
	if (!ks_reader_span(rd, first, last))
		*first = *last = ROWS_NONE;
}

void rows_header(struct rows *r, const struct ks_export_input *in)
{
	struct ks_reader *rd = r->alone ? r->alone : ks_session_host(r->session);
	uint64_t frac = meta_number(rd, "tsc_ratio_frac");
	char isa[16];
	struct row_header o = {
		.schema = ROWS_SCHEMA,
		.tool = "trace-export",
		.version = KVMSCHED_VERSION,
		.clock = r->alone ? "guest" : "host",
		.isa = meta_word(rd, "isa", isa, sizeof(isa)),
		.tsc_ratio_frac = frac <= 64 ? frac : 0,
		.from = in->from ? in->from : ROWS_NONE,
		.to = in->to, /* at its default nothing is known, too */
	};

	span_of(rd, &o.first, &o.last);
	rows_put(r, ROW_HEADER, &o, ROWS_ALL);
}

static void count_breaks(struct row_file *o, const struct ks_guestclock *clock)
{
	const struct ks_clockbreak *most = ks_guestclock_largest_break(clock);
	size_t n;

	ks_guestclock_breaks(clock, &n);
	o->clock_breaks = n;
	o->clock_largest_break = most ? ks_clockbreak_ns(most) : 0;
}

static void put_file(struct rows *r, struct ks_reader *rd, uint32_t vm)
{
	const struct ks_link *l = vm == KS_NO_VCPU ? NULL : ks_session_link(r->session, vm);
	char path[1024], hostname[128], kernel[128], mode[32];
	const char *name = ks_reader_path(rd);
	struct row_file o = {
		.path = ks_printable(path, sizeof(path), name, strlen(name)),
		.side = ks_reader_side(rd) == KS_SIDE_HOST ? "host" : "guest",
		.vm = rows_label(&r->names, vm),
		.hostname = meta_word(rd, "hostname", hostname, sizeof(hostname)),
		.kernel = meta_word(rd, "kernel", kernel, sizeof(kernel)),
		.mode = meta_word(rd, "mode", mode, sizeof(mode)),
		.start_mono = meta_number(rd, "start_mono_ns"),
		.start_realtime = meta_number(rd, "start_realtime_ns"),
		.wait_threshold = meta_number(rd, "wait_threshold_ns"),
		.hold_threshold = meta_number(rd, "hold_threshold_ns"),
		.clock_error = l ? l->error_ns : ROWS_NONE,
		.clock_steps = l ? l->steps : ROWS_NONE,
		.clock_largest_step = l ? l->step_ns : ROWS_NONE,
		.clock_breaks = ROWS_NONE,
		.clock_largest_break = ROWS_NONE,
		.matched_by = l ? l->how : NULL,
	};

	if (l)
		count_breaks(&o, l->clock);
	span_of(rd, &o.first, &o.last);
	rows_put(r, ROW_FILE, &o, ROWS_ALL);
}

static void put_file_total(struct rows *r, struct ks_reader *rd, uint32_t vm)
{
	const char *name = ks_reader_path(rd);
	char path[1024];
	struct row_file_total o = {
		.path = ks_printable(path, sizeof(path), name, strlen(name)),
		.side = ks_reader_side(rd) == KS_SIDE_HOST ? "host" : "guest",
		.vm = rows_label(&r->names, vm),
		.lost = ks_reader_lost(rd),
		.bad_bytes = ks_reader_bad_bytes(rd),
		.truncated = ks_reader_truncated(rd),
	};

	rows_put(r, ROW_FILE_TOTAL, &o, ROWS_ALL);
}

typedef void (*file_fn)(struct rows *r, struct ks_reader *rd, uint32_t vm);

static void each_file(struct rows *r, file_fn fn)
{
	struct ks_reader *guest;
	uint32_t i;

	if (r->alone)
		fn(r, r->alone, KS_NO_VCPU);
	else
		fn(r, ks_session_host(r->session), KS_NO_VCPU);
	for (i = 0; i < r->nvms; i++) {
		guest = ks_session_guest(r->session, i);
		if (guest)
			fn(r, guest, i);
	}
}

void rows_files(struct rows *r)
{
	each_file(r, put_file);
}

void rows_machines(struct rows *r)
{
	char name[sizeof(r->vms->name)], uuid[sizeof(r->vms->uuid)];
	const struct ks_vm *v;
	struct row_vm o;
	uint32_t i;

	for (i = 0; i < r->nvms; i++) {
		v = &r->vms[i];
		ks_printable(uuid, sizeof(uuid), v->uuid, sizeof(v->uuid));
		o = (struct row_vm){
			.vm = rows_label(&r->names, i),
			.name = ks_printable(name, sizeof(name), v->name, sizeof(v->name)),
			.uuid = *uuid ? uuid : NULL,
			.pid = v->tgid,
			.nvcpus = v->nvcpus,
			.cid = v->cid && v->cid <= INT32_MAX ? (int32_t)v->cid : -1,
		};
		rows_put(r, ROW_VM, &o, ROWS_ALL);
	}
}

void rows_vcpus(struct rows *r)
{
	const struct ks_vcpu *v;
	struct row_vcpu o;

	for (v = r->vcpus; v < r->vcpus + r->nvcpus; v++) {
		o = (struct row_vcpu){
			.vm = rows_label(&r->names, v->vm),
			.vcpu = v->vcpu_id,
			.slot = v->slot,
			.tid = v->tid,
			.guest_cpu = v->guest_cpu,
		};
		rows_put(r, ROW_VCPU, &o, ROWS_ALL);
	}
}

/* ---- totals ---- */

static int isa_of(struct ks_reader *host)
{
	const char *isa = ks_meta_str(ks_reader_meta(host), "isa");

	return !strcmp(isa, "svm") ? KS_ISA_SVM : !strcmp(isa, "vmx") ? KS_ISA_VMX : 0;
}

static void put_exits(struct rows *r)
{
	struct ks_reader *host = ks_session_host(r->session);
	int isa = isa_of(host);
	const struct ks_exit_count *c;
	const struct ks_vcpu *v;
	struct row_exits o;
	uint32_t vcpu;
	size_t i, n;

	c = ks_reader_exit_counts(host, &n);
	for (i = 0; i < n; i++) {
		vcpu = rows_vcpu_in(r, c[i].slot);
		if (!c[i].count || vcpu == KS_NO_VCPU)
			continue;
		v = &r->vcpus[vcpu];
		o = (struct row_exits){
			.vm = rows_label(&r->names, v->vm),
			.name = isa ? ks_exit_name((enum ks_isa)isa, c[i].reason) : NULL,
			.vcpu = v->vcpu_id,
			.slot = v->slot,
			.reason = c[i].reason,
			.count = c[i].count,
		};
		rows_put(r, ROW_EXITS, &o, ROWS_ALL);
	}
}

static void add_vcpu(struct row_vm_total *o, const struct ks_vcpu_totals *t)
{
	int c;

	o->pause += t->pause;
	o->hlt += t->hlt;
	o->bursts += t->bursts;
	if (t->longest_burst > o->longest_burst)
		o->longest_burst = t->longest_burst;
	o->migrations += t->migrations;
	o->node_migrations += t->node_migrations;
	o->pingpongs += t->pingpongs;
	for (c = 0; c < KS_C_MAX; c++)
		o->ple[c] += t->ple[c];
}

static void put_vcpu_totals(struct rows *r, const struct ks_analysis *a)
{
	struct row_vcpu_total o;
	uint32_t i;

	for (i = 0; i < r->nvcpus; i++) {
		o = (struct row_vcpu_total){
			.vm = rows_label(&r->names, r->vcpus[i].vm),
			.vcpu = r->vcpus[i].vcpu_id,
			.slot = r->vcpus[i].slot,
			.t = *ks_analysis_vcpu_totals(a, i),
		};
		rows_put(r, ROW_VCPU_TOTAL, &o, ROWS_ALL);
	}
}

static void put_vm_totals(struct rows *r, const struct ks_analysis *a)
{
	struct row_vm_total o;
	uint32_t i, k = 0;

	for (i = 0; i < r->nvms; i++) {
		o = (struct row_vm_total){
			.vm = rows_label(&r->names, i),
			.t = *ks_analysis_vm_totals(a, i),
			.guest = ks_session_guest(r->session, i),
		};
		for (; k < r->nvcpus && r->vcpus[k].vm == i; k++) /* they come by VM */
			add_vcpu(&o, ks_analysis_vcpu_totals(a, k));
		rows_put(r, ROW_VM_TOTAL, &o, ROWS_ALL);
	}
}

void rows_tail(struct rows *r)
{
	struct ks_analysis *a = r->session ? ks_session_analysis(r->session) : NULL;
	struct row_end o = { .first = ROWS_NONE, .last = ROWS_NONE };

	if (a && rows_wanted(r, ROW_EXITS))
		put_exits(r);
	each_file(r, put_file_total);
	if (a) {
		put_vcpu_totals(r, a);
		put_vm_totals(r, a);
		o.ignored = ks_analysis_ignored(a);
		if (!ks_analysis_span(a, &o.first, &o.last))
			o.first = o.last = ROWS_NONE;
	} else {
		span_of(r->alone, &o.first, &o.last);
	}
	o.rows = r->nrows;
	rows_put(r, ROW_END, &o, ROWS_ALL);
}
