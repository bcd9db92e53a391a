// SPDX-License-Identifier: GPL-2.0
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emit.h"
#include "lockfilter.h"
#include "trace.h"
#include "truth.h"
#include "util.h"

#define FLUSH_EVERY 10 /* drains */

struct ring {
	struct ks_rec *buf;
	uint32_t n, cap;
	uint64_t lost[KS_TYPE_MAX];
	uint64_t drop_until; /* dropping on purpose */
	bool lossy;
};

struct recorder {
	struct ks_writer *out;
	struct ks_lockfilter *filter; /* a guest's: leaves short waits out */
	struct ring *rings;
	uint32_t nrings, limit, drop_ppm;
	int vm; /* -1: the host */
	uint64_t lost;
};

struct emit {
	struct recorder *rec; /* the host's, then the guests' */
	uint32_t n;
	uint64_t drained; /* when the rings were emptied last */
	uint32_t drains;
	struct lost *lost;
	size_t nlost, cap;
};

static void check(int err, const char *what)
{
	if (err)
		die("%s: %s", what, strerror(-err));
}

static int take(void *out, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	return ks_writer_add(out, ring, recs, n);
}

/* From a ring to the writer, in a guest by way of the filter. */
static void pass(struct recorder *r, uint32_t ring, const struct ks_rec *recs, size_t n)
{
	check(r->filter ? ks_lockfilter_feed(r->filter, ring, recs, n) :
			  ks_writer_add(r->out, ring, recs, n),
	      "writing");
}

static void recorder_open(struct world *w, struct recorder *r, int vm, const char *dir)
{
	struct ks_err err;
	char path[512];

	r->vm = vm;
	r->nrings = vm < 0 ? w->p.pcpus : w->p.vcpus;
	r->limit = vm < 0 ? w->p.host_ring : w->p.guest_ring;
	r->drop_ppm = vm < 0 ? w->p.host_drop_ppm : w->p.guest_drop_ppm;
	r->rings = must_alloc(sizeof(*r->rings) * r->nrings);
	if (vm < 0)
		snprintf(path, sizeof(path), "%s/host.kvs", dir);
	else
		snprintf(path, sizeof(path), "%s/guest%d.kvs", dir, vm);
	if (ks_writer_open(&r->out, path, vm < 0 ? KS_SIDE_HOST : KS_SIDE_GUEST, r->nrings, &err))
		die("%s", err.msg);
	if (vm >= 0)
		check(ks_lockfilter_new(&r->filter, w->p.wait_threshold, w->p.hold_threshold, take,
					r->out),
		      "lock filter");
}

void emit_open(struct world *w, const char *dir)
{
	struct emit *e = must_alloc(sizeof(*e));

	w->emit = e;
	e->n = 1 + w->p.vms;
	e->rec = must_alloc(sizeof(*e->rec) * e->n);
	for (uint32_t i = 0; i < e->n; i++)
		recorder_open(w, &e->rec[i], (int)i - 1, dir);
}

/* ---- metadata ---- */

static void host_meta(struct world *w, struct json_object *m)
{
	struct json_object *nodes = json_object_new_array(), *vms = json_object_new_object();
	char key[16];

	for (uint32_t i = 0; i < w->p.pcpus; i++)
		json_object_array_add(nodes, json_object_new_int(w->pcpus[i].node));
	for (uint32_t i = 0; i < w->p.vms; i++) {
		struct json_object *vm = json_object_new_object();

		json_object_object_add(vm, "name", json_object_new_string(w->vms[i].name));
		json_object_object_add(vm, "cid", json_object_new_int(3 + i));
		snprintf(key, sizeof(key), "%u", w->vms[i].tgid);
		json_object_object_add(vms, key, vm);
	}
	json_object_object_add(m, "mode", json_object_new_string("events"));
	json_object_object_add(m, "isa",
			       json_object_new_string(w->vms[0].clk.frac == 32 ? "svm" : "vmx"));
	json_object_object_add(m, "tsc_ratio_frac", json_object_new_int(w->vms[0].clk.frac));
	json_object_object_add(m, "burst_gap_ns", json_object_new_int64(1000000));
	json_object_object_add(m, "ncpus", json_object_new_int(w->p.pcpus));
	json_object_object_add(m, "cpu_node", nodes);
	json_object_object_add(m, "vms", vms);
}

static void guest_meta(struct vm *vm, struct json_object *m)
{
	struct json_object *apic = json_object_new_array(), *nodes = json_object_new_array();

	for (uint32_t i = 0; i < vm->nvcpus; i++) {
		json_object_array_add(apic, json_object_new_int(vm->vcpus[i].apic));
		json_object_array_add(nodes, json_object_new_int(vm->vcpus[i].node));
	}
	json_object_object_add(m, "mode",
			       json_object_new_string(vm->w->p.contention ? "contention" : "full"));
	json_object_object_add(m, "cid", json_object_new_int(3 + vm->id));
	json_object_object_add(m, "ncpus", json_object_new_int(vm->nvcpus));
	json_object_object_add(m, "apic_ids", apic);
	json_object_object_add(m, "cpu_node", nodes);
	json_object_object_add(m, "hold_threshold_ns",
			       json_object_new_int64(vm->w->p.hold_threshold));
}

static void write_meta(struct world *w, struct recorder *r)
{
	struct json_object *m = json_object_new_object();
	char host[32];

	snprintf(host, sizeof(host), r->vm < 0 ? "sim-host" : "sim-guest%d", r->vm);
	json_object_object_add(m, "side", json_object_new_string(r->vm < 0 ? "host" : "guest"));
	json_object_object_add(m, "tool",
			       json_object_new_string(r->vm < 0 ? "ple-trace" : "lock-timeline"));
	json_object_object_add(m, "hostname", json_object_new_string(host));
	json_object_object_add(m, "kernel", json_object_new_string("simulated"));
	if (r->vm < 0)
		host_meta(w, m);
	else
		guest_meta(&w->vms[r->vm], m);
	check(ks_writer_meta(r->out, m), "writing metadata");
	json_object_put(m);
}

/* ---- records ---- */

static uint64_t own_now(struct world *w, int vm)
{
	return vm < 0 ? w->now : simclock_guest_mono(&w->vms[vm].clk, &w->clk, w->now);
}

uint64_t emit_guest_now(struct vm *vm)
{
	return own_now(vm->w, vm->id);
}

uint64_t emit_guest_since(struct vm *vm, uint64_t own)
{
	uint64_t now = emit_guest_now(vm);

	return now > own ? now - own : 0;
}

/* Now and then a ring drops what comes, one record or some hundred microseconds of them. */
static bool drops(struct world *w, struct recorder *r, struct ring *q)
{
	if (rng_chance(&w->rng, r->drop_ppm))
		q->drop_until = w->now + rng_exp(&w->rng, 100000);
	return w->now < q->drop_until;
}

static bool put(struct world *w, struct recorder *r, uint32_t ring, const struct ks_rec *rec)
{
	struct ring *q = &r->rings[ring];

	if (q->n >= r->limit || drops(w, r, q)) {
		uint64_t n = rec->type == KS_BURST ? (uint32_t)rec->b : 1;

		q->lost[rec->type] += n;
		q->lossy = true;
		r->lost += n;
		return false;
	}
	if (q->n == q->cap) {
		q->cap = q->cap ? q->cap * 2 : 256;
		q->buf = must_realloc(q->buf, q->cap * sizeof(*q->buf));
	}
	q->buf[q->n++] = *rec;
	w->records++;
	w->last_rec = w->now;
	return true;
}

bool emit_host_at(struct world *w, uint32_t pcpu, const struct ks_rec *rec)
{
	return w->recording && put(w, &w->emit->rec[0], pcpu, rec);
}

bool emit_host(struct world *w, uint32_t pcpu, const struct ks_rec *rec)
{
	struct ks_rec copy = *rec;

	copy.time = w->now;
	return emit_host_at(w, pcpu, &copy);
}

bool emit_guest_of(struct vcpu *by, const struct ks_rec *rec)
{
	struct world *w = by->w;
	struct ks_rec copy = *rec;

	if (!by->vm->recording)
		return false;
	copy.time = emit_guest_now(by->vm);
	if (!put(w, &w->emit->rec[1 + by->vm->id], by->idx, &copy)) {
		truth_lost(by);
		return false;
	}
	truth_clear(by, &copy);
	truth_proof(by);
	return true;
}

bool emit_guest(struct vcpu *v, const struct ks_rec *rec)
{
	struct ks_rec copy = *rec;

	copy.cpu = v->idx;
	return emit_guest_of(v, &copy);
}

static void now_control(struct world *w, struct recorder *r, struct ks_rec rec)
{
	rec.time = own_now(w, r->vm);
	check(ks_writer_add(r->out, 0, &rec, 1), "writing");
	w->records++;
}

/* ---- drains ---- */

static void note_lost(struct world *w, int vm, uint64_t count)
{
	struct emit *e = w->emit;

	if (e->nlost == e->cap) {
		e->cap = e->cap ? e->cap * 2 : 64;
		e->lost = must_realloc(e->lost, e->cap * sizeof(*e->lost));
	}
	e->lost[e->nlost++] = (struct lost){ e->drained, w->now, count, vm };
}

static void write_losses(struct world *w, struct recorder *r, uint32_t ring, uint64_t since)
{
	struct ring *q = &r->rings[ring];
	uint64_t sum = 0;

	for (uint32_t t = 0; t < KS_TYPE_MAX; t++) {
		struct ks_rec rec = { .time = own_now(w, r->vm),
				      .type = KS_LOSS,
				      .flags = t,
				      .cpu = ring,
				      .a = since,
				      .b = q->lost[t] };

		if (!q->lost[t])
			continue;
		sum += q->lost[t];
		q->lost[t] = 0;
		pass(r, ring, &rec, 1);
	}
	q->lossy = false;
	note_lost(w, r->vm, sum);
}

static void drain(struct world *w, struct recorder *r, uint64_t since, bool flush)
{
	for (uint32_t i = 0; i < r->nrings; i++) {
		struct ring *q = &r->rings[i];

		pass(r, i, q->buf, q->n);
		q->n = 0;
		if (q->lossy)
			write_losses(w, r, i, since);
	}
	if (flush)
		check(ks_writer_flush(r->out), "writing");
}

static void drain_guest(struct world *w, struct vm *vm, bool flush)
{
	drain(w, &w->emit->rec[1 + vm->id], vm->drained_own, flush);
	vm->drained_own = emit_guest_now(vm);
}

/* Each node's memory wanders; the last is of no node of the guest, and goes for a while. */
static void memory(struct world *w, const struct vm *vm)
{
	uint64_t step = w->now / 1000000;

	for (uint32_t g = 0; g <= w->p.nodes; g++) {
		bool known = g < w->p.nodes;

		for (uint32_t h = 0; h < w->p.nodes && (known || step % 3); h++)
			now_control(w, &w->emit->rec[0],
				    (struct ks_rec){ .type = KS_VM_MEMORY,
						     .cpu = h,
						     .id = vm->tgid,
						     .a = (step * (h + 1) + g) << 12,
						     .b = known ? g + 1 : 0 });
	}
}

void emit_drain(struct world *w)
{
	struct emit *e = w->emit;
	bool flush = ++e->drains % FLUSH_EVERY == 0;

	if (w->recording)
		drain(w, &e->rec[0], e->drained, flush);
	for (uint32_t i = 0; i < w->p.vms; i++) {
		if (w->vms[i].recording)
			drain_guest(w, &w->vms[i], flush);
	}
	/* Behind the flush, which holds the newest 8 of a ring back: a sample may be more. */
	for (uint32_t i = 0; w->recording && w->p.memory && flush && i < w->p.vms; i++)
		memory(w, &w->vms[i]);
	e->drained = w->now;
}

/* ---- clocks ---- */

static void sample(struct world *w, struct recorder *r)
{
	double half = w->p.bracket * (0.6 + rng_unit(&w->rng) * 0.8);
	/* The TSC may have been read anywhere between the two readings of the clock. */
	double off = half * (2 * rng_unit(&w->rng) - 1) * w->clk.rate;
	long double tsc = simclock_host_tsc(&w->clk, w->now) + off;
	struct ks_rec rec = { .type = KS_CLOCK, .b = (uint64_t)half + 1 };

	if (r->vm >= 0)
		tsc = simclock_guest_tsc(&w->vms[r->vm].clk, tsc);
	rec.a = (uint64_t)tsc;
	now_control(w, r, rec);
}

void emit_sample(struct world *w)
{
	simclock_host_slew(&w->clk, &w->p, &w->rng, w->now);
	for (uint32_t i = 0; i < w->p.vms; i++)
		simclock_guest_slew(&w->vms[i].clk, &w->clk, &w->p, &w->rng, w->now);
	sample(w, &w->emit->rec[0]);
	for (uint32_t i = 0; i < w->p.vms; i++)
		if (w->vms[i].recording)
			sample(w, &w->emit->rec[1 + i]);
}

static void offset_rec(struct world *w, struct vcpu *v)
{
	struct ks_rec rec = { .type = KS_TSC_OFFSET,
			      .id = v->slot,
			      .a = (uint64_t)v->vm->clk.offset,
			      .b = v->vm->clk.ratio };

	if (v->born)
		now_control(w, &w->emit->rec[0], rec);
}

void emit_vcpu(struct vcpu *v)
{
	struct ks_rec rec = { .type = KS_VCPU_NEW,
			      .cpu = v->ent.pcpu,
			      .id = v->slot,
			      .a = (uint64_t)v->vm->tgid << 32 | v->ent.tid,
			      .b = v->apic };

	now_control(v->w, &v->w->emit->rec[0], rec);
	offset_rec(v->w, v);
}

void emit_offset(struct world *w, struct vm *vm)
{
	simclock_offset(&vm->clk, &w->clk, &w->rng, w->now);
	for (uint32_t i = 0; i < vm->nvcpus; i++)
		offset_rec(w, &vm->vcpus[i]);
}

/* ---- start and end ---- */

void emit_start(struct world *w)
{
	struct emit *e = w->emit;

	write_meta(w, &e->rec[0]);
	e->drained = w->now;
	w->start = w->now;
	w->recording = true;
	emit_sample(w);
}

void emit_start_guest(struct world *w, struct vm *vm)
{
	struct recorder *r = &w->emit->rec[1 + vm->id];

	write_meta(w, r);
	vm->drained_own = emit_guest_now(vm);
	vm->start = w->now;
	vm->stop = UINT64_MAX;
	totals_idle(vm);
	vm->recording = true;
	for (uint32_t i = 0; i < vm->nvcpus; i++)
		truth_lost(&vm->vcpus[i]); /* what went before is not known */
	sample(w, r);
}

void emit_stop_guest(struct world *w, struct vm *vm)
{
	struct recorder *r = &w->emit->rec[1 + vm->id];
	size_t len;
	char *syms;

	if (!vm->recording)
		return;
	totals_idle(vm);
	truth_stop(vm);
	sample(w, r);
	drain_guest(w, vm, true);
	check(ks_lockfilter_flush(r->filter), "writing");
	vm->recording = false;
	vm->stop = w->now;
	syms = script_symbols(&len);
	check(ks_writer_symbols(r->out, syms, len), "writing symbols");
	free(syms);
}

static void exit_counts(struct world *w)
{
	for (uint32_t i = 0; i < w->nvcpus; i++) {
		bool svm = w->vms[0].clk.frac == 32;
		const struct ks_vcpu_totals *t = &w->vcpus[i]->tot;
		struct ks_exit_count c[] = {
			{ i, svm ? 0x77 : 40, t->pause },
			{ i, svm ? 0x78 : 12, t->hlt },
			{ i, svm ? 0x60 : 1, w->exits[i][0] },
			{ i, svm ? 0x400 : 48, w->exits[i][1] },
		};

		check(ks_writer_exit_counts(w->emit->rec[0].out, c, 4), "writing exit counts");
	}
}

void emit_close(struct world *w)
{
	struct emit *e = w->emit;
	struct ks_err err;

	for (uint32_t i = 0; i < w->p.vms; i++)
		emit_stop_guest(w, &w->vms[i]);
	for (uint32_t i = 0; i < w->nvcpus; i++)
		vcpu_last_burst(w->vcpus[i]);
	emit_sample(w);
	emit_drain(w);
	exit_counts(w);
	for (uint32_t i = 0; i < e->n; i++) {
		ks_lockfilter_free(e->rec[i].filter);
		if (ks_writer_close(e->rec[i].out, &err))
			die("%s", err.msg);
	}
}

void emit_free(struct emit *e)
{
	for (uint32_t i = 0; i < e->n; i++) {
		for (uint32_t k = 0; k < e->rec[i].nrings; k++)
			free(e->rec[i].rings[k].buf);
		free(e->rec[i].rings);
	}
	free(e->rec);
	free(e->lost);
	free(e);
}

uint64_t emit_whole_until(const struct world *w)
{
	return w->emit->drained;
}

const struct lost *emit_losses(const struct world *w, size_t *n)
{
	*n = w->emit->nlost;
	return w->emit->lost;
}

uint64_t emit_lost(const struct world *w, int vm)
{
	return w->emit->rec[vm + 1].lost;
}
