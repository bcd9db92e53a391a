// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "exits.h"
#include "model.h"
#include "priv.h"
#include "text.h"

#define MOST 1000u

int ks_report_new(struct ks_report **out, const struct ks_report_opts *o)
{
	struct ks_report *r = calloc(1, sizeof(*r));

	*out = r;
	if (!r)
		return -ENOMEM;
	if (o)
		r->opts = *o;
	if (!r->opts.worst)
		r->opts.worst = 10;
	if (!r->opts.top)
		r->opts.top = 10;
	if (r->opts.worst > MOST)
		r->opts.worst = MOST;
	if (r->opts.top > MOST)
		r->opts.top = MOST;
	return 0;
}

void ks_report_free(struct ks_report *r)
{
	uint32_t i, way;

	if (!r)
		return;
	for (i = 0; i < r->nvms; i++) {
		topk_free(&r->vm[i].locks);
		topk_free(&r->vm[i].sites);
		topk_free(&r->vm[i].spins);
		for (way = 0; way < REP_WORST; way++)
			free(r->vm[i].worst[way].w);
		free(r->vm[i].spin);
	}
	rep_exits_free(r);
	free(r->place);
	free(r->vm);
	free(r);
}

void ks_report_ops(struct ks_report *r, struct ks_analysis_ops *ops)
{
	ops->wait = ks_report_wait;
	ops->hold = ks_report_hold;
	ops->ple = ks_report_ple;
	ops->ctx = r;
}

struct rep_vm *rep_vm(struct ks_report *r, uint32_t vm)
{
	struct rep_vm *v;

	if (vm < r->nvms)
		return &r->vm[vm];
	v = realloc(r->vm, (vm + 1) * sizeof(*v));
	if (!v) {
		r->no_memory = true;
		return NULL;
	}
	memset(v + r->nvms, 0, (vm + 1 - r->nvms) * sizeof(*v));
	r->vm = v;
	r->nvms = vm + 1;
	return &v[vm];
}

/*
 * ---- the worst waits: heaps with the least bad of them on top ----
 * What a wait lost because its vCPU was off-CPU itself, it would have lost without the lock.
 */

static uint64_t length(const struct ks_wait *w)
{
	return w->acq_time - w->try_time;
}

static uint64_t badness(const struct ks_wait *w, enum rep_worst way)
{
	switch (way) {
	case REP_LHP:
		return w->blame_class == KS_C_LHP ? w->share[KS_C_LHP] : 0;
	case REP_LWP:
		return w->blame_class == KS_C_LWP ? w->share[KS_C_LWP] : 0;
	default:
		return length(w) - w->share[KS_C_SELF];
	}
}

static void sift_down(struct rep_heap *h, enum rep_worst way)
{
	struct ks_wait w = h->w[0];
	uint64_t bad = badness(&w, way);
	uint32_t i = 0, c;

	while ((c = 2 * i + 1) < h->n) {
		if (c + 1 < h->n && badness(&h->w[c + 1], way) < badness(&h->w[c], way))
			c++;
		if (badness(&h->w[c], way) >= bad)
			break;
		h->w[i] = h->w[c];
		i = c;
	}
	h->w[i] = w;
}

static void sift_up(struct rep_heap *h, enum rep_worst way)
{
	uint32_t i = h->n - 1;
	struct ks_wait w = h->w[i];
	uint64_t bad = badness(&w, way);

	while (i && badness(&h->w[(i - 1) / 2], way) > bad) {
		h->w[i] = h->w[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	h->w[i] = w;
}

static void keep_worst(struct ks_report *r, struct rep_heap *h, const struct ks_wait *w,
		       enum rep_worst way)
{
	uint64_t bad = badness(w, way);

	if (!bad)
		return;
	if (!h->w)
		h->w = calloc(r->opts.worst, sizeof(*h->w));
	if (!h->w) {
		r->no_memory = true;
		return;
	}
	if (h->n < r->opts.worst) {
		h->w[h->n++] = *w;
		sift_up(h, way);
	} else if (bad > badness(&h->w[0], way)) {
		h->w[0] = *w;
		sift_down(h, way);
	}
}

/* By repeatedly taking the least bad from the top. */
static void sort_worst(struct rep_heap *h, enum rep_worst way)
{
	uint32_t n = h->n;
	struct ks_wait w;

	while (h->n > 1) {
		w = h->w[0];
		h->w[0] = h->w[--h->n];
		sift_down(h, way);
		h->w[h->n] = w;
	}
	h->n = n;
}

/* ---- what the analysis tells ---- */

static struct topk_entry *count_wait(struct ks_report *r, struct topk *t, uint64_t key,
				     const struct ks_wait *w)
{
	struct topk_entry *e = topk_add(t, key, length(w));
	int c;

	if (!e) {
		r->no_memory = true;
		return NULL;
	}
	e->count++;
	e->ns += length(w);
	if (length(w) > e->max_ns)
		e->max_ns = length(w);
	e->ple += w->ple_total;
	for (c = 0; c < KS_C_WAIT_MAX; c++)
		e->class_ns[c] += w->share[c];
	return e;
}

void ks_report_wait(void *ctx, const struct ks_wait *w)
{
	struct ks_report *r = ctx;
	struct rep_vm *v = rep_vm(r, w->vm);
	struct topk_entry *e;
	int way;

	if (!v)
		return;
	e = count_wait(r, &v->locks, w->lock, w);
	if (e)
		topk_site(e, w->ip);
	count_wait(r, &v->sites, w->ip, w);
	for (way = 0; way < REP_WORST; way++)
		keep_worst(r, &v->worst[way], w, way);
}

void ks_report_hold(void *ctx, const struct ks_hold *h)
{
	struct ks_report *r = ctx;
	struct rep_vm *v = rep_vm(r, h->vm);
	uint64_t ns = h->rel_time - h->acq_time;

	if (!v)
		return;
	v->hold_ns += ns;
	v->hold_off_ns += h->off_ns;
	v->holds_off += h->off_ns > 0;
	if (ns > v->longest_hold)
		v->longest_hold = ns;
}

void ks_report_begin(struct ks_report *r, const struct ks_session *s)
{
	r->s = s;
	r->a = ks_session_analysis(s);
	r->vcpus = ks_analysis_vcpus(r->a, &r->nvcpus);
}

/* ---- finish ---- */

static void sum_vcpu(struct rep_vm *v, const struct ks_vcpu_totals *t)
{
	int c;

	v->pause += t->pause;
	v->hlt += t->hlt;
	v->bursts += t->bursts;
	if (t->longest_burst > v->longest_burst)
		v->longest_burst = t->longest_burst;
	v->migrations += t->migrations;
	v->node_migrations += t->node_migrations;
	v->pingpongs += t->pingpongs;
	for (c = 0; c < KS_C_MAX; c++)
		v->ple[c] += t->ple[c];
}

static void find_isa(struct ks_report *r)
{
	const char *isa = ks_meta_str(ks_reader_meta(ks_session_host(r->s)), "isa");

	r->isa = !strcmp(isa, "svm") ? KS_ISA_SVM : !strcmp(isa, "vmx") ? KS_ISA_VMX : 0;
}

int ks_report_finish(struct ks_report *r, const struct ks_session *s)
{
	uint32_t i, nvms;
	int err = 0, way;

	ks_report_begin(r, s);
	r->vms = ks_analysis_vms(r->a, &nvms);
	ks_reader_span(ks_session_host(s), &r->first, &r->last);
	r->last = ks_reader_stopped(ks_session_host(s));
	find_isa(r);
	if (nvms && !rep_vm(r, nvms - 1))
		return -ENOMEM;
	r->nvms = nvms;
	for (i = 0; i < r->nvcpus; i++)
		sum_vcpu(&r->vm[r->vcpus[i].vm], ks_analysis_vcpu_totals(r->a, i));
	for (i = 0; i < nvms && !err; i++) {
		for (way = 0; way < REP_WORST; way++)
			sort_worst(&r->vm[i].worst[way], way);
		if (ks_session_guest(s, i))
			r->vm[i].guest_lost = ks_reader_lost(ks_session_guest(s, i));
		err = rep_spins_name(r, i);
	}
	if (!err)
		err = rep_exits_init(r);
	return r->no_memory ? -ENOMEM : err;
}

/* ---- names ---- */

bool rep_has_sym(const struct ks_report *r, uint32_t vm, uint64_t addr)
{
	char buf[REP_NAME];

	return r->opts.sym && r->opts.sym(r->opts.sym_ctx, vm, addr, buf, sizeof(buf));
}

const char *rep_sym(const struct ks_report *r, uint32_t vm, uint64_t addr, char *buf, size_t len)
{
	const char *s = NULL;

	if (!addr)
		return strncpy(buf, "-", len);
	if (r->opts.sym)
		s = r->opts.sym(r->opts.sym_ctx, vm, addr, buf, len);
	if (!s)
		snprintf(buf, len, "0x%" PRIx64, addr);
	else if (s != buf)
		snprintf(buf, len, "%s", s);
	return buf;
}

const char *rep_comm(const struct ks_report *r, uint32_t vm, uint32_t pid, char *buf, size_t len)
{
	if (!pid)
		return NULL;
	return r->opts.task ? r->opts.task(r->opts.task_ctx, vm, pid, buf, len) : NULL;
}

const char *rep_task(const struct ks_report *r, uint32_t vm, uint32_t pid, char *buf, size_t len)
{
	char comm[64];
	const char *s = rep_comm(r, vm, pid, comm, sizeof(comm));

	if (!pid)
		snprintf(buf, len, "idle thread");
	else if (s)
		snprintf(buf, len, "%s (%u)", s, pid);
	else
		snprintf(buf, len, "thread %u", pid);
	return buf;
}

const char *rep_class_words(enum ks_class c)
{
	static const char *const words[KS_C_MAX] = {
		[KS_C_SELF] = "the waiter's own vCPU was off-CPU",
		[KS_C_LHP] = "holder preempted: runnable, not running",
		[KS_C_BUSY] = "holder running",
		[KS_C_HALTED] = "holder halted or blocked",
		[KS_C_LWP] = "lock free, next waiter off-CPU",
		[KS_C_HANDOFF] = "lock free, next waiter running",
		[KS_C_UNKNOWN] = "not seen, lost, or within the clock's error",
		[KS_C_IPI] = "waits for other vCPUs to answer an IPI",
		[KS_C_USER] = "guest user space",
		[KS_C_OTHER] = "elsewhere in the guest's kernel",
	};

	return words[c];
}
