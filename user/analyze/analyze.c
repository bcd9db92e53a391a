// SPDX-License-Identifier: GPL-2.0
/* Beginning, end, and the way of each event through the analysis. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define GUEST_CPUS 4096u
#define SOURCES 4096u
#define PENDING_FIRST 256u

const char *ks_class_name(enum ks_class c)
{
	static const char *const names[KS_C_MAX] = {
		[KS_C_SELF] = "self",	    [KS_C_LHP] = "lhp", [KS_C_BUSY] = "busy",
		[KS_C_HALTED] = "halted",   [KS_C_LWP] = "lwp", [KS_C_HANDOFF] = "handoff",
		[KS_C_UNKNOWN] = "unknown", [KS_C_IPI] = "ipi", [KS_C_USER] = "user",
		[KS_C_OTHER] = "other",
	};

	return (unsigned int)c < KS_C_MAX ? names[c] : "invalid";
}

const char *ks_context_name(unsigned int flags)
{
	switch (flags & KS_F_CTX_MASK) {
	case KS_F_CTX_SOFTIRQ:
		return "softirq";
	case KS_F_CTX_HARDIRQ:
		return "hardirq";
	case KS_F_CTX_NMI:
		return "nmi";
	}
	return "task";
}

/* ---- begin ---- */

static void set_defaults(struct ks_analysis_opts *o)
{
	if (!o->pingpong_ns)
		o->pingpong_ns = 10000000;
	if (!o->slack_ns)
		o->slack_ns = 2000;
}

static int init_vcpus(struct ks_analysis *a)
{
	uint32_t i, n = a->model.nvcpus;
	int err;

	a->vcpu = calloc(n + 1, sizeof(*a->vcpu));
	a->blame = calloc(n + 1, sizeof(*a->blame));
	a->blamed = calloc(n + 1, sizeof(*a->blamed));
	if (!a->vcpu || !a->blame || !a->blamed)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		err = ks_history_init(&a->vcpu[i].hist);
		if (err)
			return err;
		a->vcpu[i].pend_tail = &a->vcpu[i].pend;
		a->vcpu[i].since_pcpu = -1;
	}
	return 0;
}

static int init_vms(struct ks_analysis *a)
{
	uint32_t i, vm;

	a->vm = calloc(a->model.nvms + 1, sizeof(*a->vm));
	if (!a->vm)
		return -ENOMEM;
	for (i = 0; i < a->model.nvms; i++) {
		a->vm[i].clock_error = a->opts.clock_error_ns;
		a->vm[i].wasting = AN_NEVER;
		a->vm[i].end = AN_NEVER;
	}
	for (i = a->model.nvcpus; i--;) {
		vm = a->model.vcpus[i].vm;
		a->vm[vm].first = i;
		a->vm[vm].n++;
	}
	return 0;
}

/* The gap that the recorder folded with, so that both modes count the same bursts. */
static uint64_t burst_gap(struct ks_reader *host)
{
	struct json_object *v;
	int64_t gap = 0;

	if (json_object_object_get_ex(ks_reader_meta(host), "burst_gap_ns", &v))
		gap = json_object_get_int64(v);
	return gap > 0 ? gap : 1000000;
}

static int init(struct ks_analysis *a, struct ks_reader *host)
{
	int err = init_vcpus(a);
	uint64_t last;

	if (!err)
		err = init_vms(a);
	if (!err)
		err = an_locks_init(&a->locks, a->model.nvcpus);
	if (!err)
		err = an_hostloss_init(a, host);
	if (err)
		return err;
	a->pending = malloc(PENDING_FIRST * sizeof(*a->pending));
	if (!a->pending)
		return -ENOMEM;
	a->pcap = PENDING_FIRST;
	if (!a->opts.burst_gap_ns)
		a->opts.burst_gap_ns = burst_gap(host);
	if (!strcmp(ks_meta_str(ks_reader_meta(host), "mode"), "bursts"))
		a->burst_hold = AN_BURST_HOLD;
	a->host_end = AN_NEVER;
	if (ks_reader_span(host, &a->host_begin, &last)) {
		a->host_end = a->host_stopped = ks_reader_stopped(host);
		an_due(a, a->host_end + 1);
	}
	return 0;
}

int ks_analysis_new(struct ks_analysis **out, struct ks_reader *host,
		    const struct ks_analysis_opts *opts, const struct ks_analysis_ops *ops,
		    struct ks_err *err)
{
	struct ks_analysis *a = calloc(1, sizeof(*a));
	int ret;

	*out = NULL;
	if (!a)
		return -ENOMEM;
	if (opts)
		a->opts = *opts;
	if (ops)
		a->ops = *ops;
	set_defaults(&a->opts);
	a->budget = AN_BUDGET;
	a->tick = AN_NEVER;
	ret = ks_model_init(&a->model, host, a->opts.vm, err);
	if (!ret)
		ret = init(a, host);
	a->opts.vm = NULL; /* the caller's string may go */
	if (ret) {
		ks_analysis_free(a);
		return ret;
	}
	*out = a;
	return 0;
}

static void free_waits(struct an_wait *w)
{
	struct an_wait *next;

	for (; w; w = next) {
		next = w->next;
		an_wait_free(w);
	}
}

static void free_vcpus(struct ks_analysis *a)
{
	uint32_t i, j;

	for (i = 0; a->vcpu && i < a->model.nvcpus; i++) {
		for (j = 0; j < a->vcpu[i].nopen; j++)
			an_wait_free(a->vcpu[i].open[j]);
		free_waits(a->vcpu[i].pend);
		ks_history_free(&a->vcpu[i].hist);
	}
	free(a->vcpu);
}

void ks_analysis_free(struct ks_analysis *a)
{
	uint32_t i;

	if (!a)
		return;
	free_vcpus(a);
	free_waits(a->free_waits);
	for (i = 0; a->vm && i < a->model.nvms; i++) {
		an_losses_free(&a->vm[i].loss);
		free(a->vm[i].breaks);
		free(a->vm[i].blind);
		free(a->vm[i].cpu_node);
		free(a->vm[i].cpu_vcpu);
		free(a->vm[i].apic_ids);
		free(a->vm[i].moves);
		free(a->vm[i].per_wait.bucket);
	}
	free(a->vm);
	an_locks_free(&a->locks);
	an_losses_free(&a->hloss);
	free(a->out_lost);
	free(a->vcpu_in);
	free(a->src_vm);
	free(a->pending);
	free(a->parts);
	free(a->blame);
	free(a->blamed);
	ks_model_free(&a->model);
	free(a);
}

/* ---- a guest's trace ---- */

static uint32_t vcpu_with_id(const struct ks_analysis *a, const struct an_vm *m, uint32_t id)
{
	uint32_t i;

	for (i = m->first; i < m->first + m->n; i++)
		if (a->model.vcpus[i].vcpu_id == id)
			return i;
	return KS_NO_VCPU;
}

/* Guest CPU number -> vCPU, by APIC ids, or by number if the trace does not tell them. */
static int map_cpus(struct ks_analysis *a, struct an_vm *m, struct json_object *meta)
{
	uint32_t i, n, id;
	int err = ks_meta_ints(meta, "apic_ids", GUEST_CPUS, &m->apic_ids, &m->napic);

	if (err)
		return err;
	n = m->napic;
	for (i = m->first; !m->napic && i < m->first + m->n; i++)
		if (a->model.vcpus[i].vcpu_id < GUEST_CPUS && a->model.vcpus[i].vcpu_id >= n)
			n = a->model.vcpus[i].vcpu_id + 1;
	m->cpu_vcpu = malloc((n + 1) * sizeof(*m->cpu_vcpu));
	if (!m->cpu_vcpu)
		return -ENOMEM;
	m->ncpus = n;
	for (i = 0; i < n; i++) {
		id = m->napic ? (uint32_t)m->apic_ids[i] : i;
		m->cpu_vcpu[i] = vcpu_with_id(a, m, id);
	}
	/* Every vCPU with this id, also those that come later in a new slot. */
	for (id = m->first; id < m->first + m->n; id++)
		for (i = 0; i < n; i++)
			if (m->cpu_vcpu[i] != KS_NO_VCPU &&
			    a->model.vcpus[m->cpu_vcpu[i]].vcpu_id == a->model.vcpus[id].vcpu_id)
				a->model.vcpus[id].guest_cpu = i;
	return 0;
}

static int add_source(struct ks_analysis *a, unsigned int src, uint32_t vm)
{
	uint32_t *s;

	if (src >= a->nsrc) {
		s = realloc(a->src_vm, (src + 1) * sizeof(*s));
		if (!s)
			return -ENOMEM;
		memset(s + a->nsrc, 0xff, (src + 1 - a->nsrc) * sizeof(*s));
		a->src_vm = s;
		a->nsrc = src + 1;
	}
	a->src_vm[src] = vm;
	return 0;
}

static int guest_losses(struct ks_analysis *a, struct an_vm *m, struct ks_reader *guest)
{
	const struct ks_rec *ctl;
	size_t n, i;
	int err;

	ctl = ks_reader_control(guest, &n);
	err = an_losses_init(&m->loss, ctl, n, m->map, m->map_ctx);
	for (i = 0; i < m->loss.n; i++)
		m->tot.lost_records += m->loss.v[i].count;
	if (m->loss.n)
		an_due(a, m->loss.v[0].from);
	return err;
}

/* From the first record of its trace until its recorder was stopped the guest tells what it does. */
static void guest_span(struct ks_analysis *a, uint32_t vm, struct ks_reader *guest)
{
	struct an_vm *m = &a->vm[vm];
	uint64_t first, last;

	if (!ks_reader_span(guest, &first, &last))
		return;
	an_guest_begins(a, vm, m->map ? m->map(m->map_ctx, first) : first);
	last = ks_reader_stopped(guest);
	m->end = m->map ? m->map(m->map_ctx, last) : last;
	if (m->end > AN_LATEST)
		m->end = AN_LATEST;
	an_due(a, m->end + 1);
}

static int fail(struct ks_err *err, int ret, const char *path, const char *what)
{
	if (err)
		snprintf(err->msg, sizeof(err->msg), "%s: %s", path, what);
	return ret;
}

int ks_analysis_guest(struct ks_analysis *a, unsigned int src, struct ks_reader *guest, uint32_t vm,
		      ks_map_fn map, void *map_ctx, struct ks_err *err)
{
	const char *path = ks_reader_path(guest);
	struct json_object *meta = ks_reader_meta(guest);
	struct an_vm *m;
	int ret;

	if (!src || src >= SOURCES || vm >= a->model.nvms)
		return fail(err, -EINVAL, path, "no such source or VM");
	m = &a->vm[vm];
	if (a->model.vms[vm].guest_src >= 0)
		return fail(err, -EEXIST, path, "this VM has a guest trace already");
	m->map = map;
	m->map_ctx = map_ctx;
	m->full = strcmp(ks_meta_str(meta, "mode"), "contention") != 0 &&
		  strcmp(ks_meta_str(meta, "spinlocks"), "test_and_set") != 0;
	ret = map_cpus(a, m, meta);
	if (!ret)
		ret = ks_meta_ints(meta, "cpu_node", GUEST_CPUS, &m->cpu_node, &m->ncpu_node);
	if (!ret)
		ret = guest_losses(a, m, guest);
	if (!ret)
		ret = add_source(a, src, vm);
	if (ret)
		return fail(err, ret, path, strerror(-ret));
	a->model.vms[vm].guest_src = src;
	guest_span(a, vm, guest);
	return 0;
}

void ks_analysis_guest_error(struct ks_analysis *a, uint32_t vm, uint64_t error_ns)
{
	if (vm < a->model.nvms)
		a->vm[vm].clock_error = error_ns;
}

/* ---- events ---- */

/* The host trace is over: what the vCPUs do from now on is not known. */
static void host_over(struct ks_analysis *a)
{
	uint32_t i;

	for (i = 0; i < a->model.nvcpus; i++)
		an_set_state(a, i, a->host_end, KS_V_UNKNOWN, -1);
	if (a->host_last)
		an_raise(&a->host_last, a->host_end);
	a->host_end = AN_NEVER;
	a->host_is_over = true;
}

/* What still waits was not seen to acquire; while it is in doubt, that may have been lost. */
static void end_waits(struct ks_analysis *a, uint32_t vcpu, uint64_t time)
{
	struct an_vcpu *v = &a->vcpu[vcpu];

	if (v->doubt)
		an_wait_drop_from(a, vcpu, 0);
	while (v->nopen) {
		v->nopen--;
		an_wait_end(a, v->open[v->nopen], time, false);
	}
}

/* The guest's trace is over. */
static void guest_over(struct ks_analysis *a, uint32_t vm)
{
	struct an_vm *m = &a->vm[vm];
	uint32_t i;

	for (i = m->first; i < m->first + m->n; i++) {
		end_waits(a, i, m->end);
		an_busy_update(a, i, m->end, false);
	}
	if (m->begin)
		an_raise(&m->last, m->end);
	m->end = AN_NEVER;
	m->is_over = true;
}

static void due_after(struct ks_analysis *a, uint64_t time)
{
	if (time < AN_NEVER)
		an_due(a, time + 1);
}

static void traces_over(struct ks_analysis *a, uint64_t now)
{
	uint32_t s, vm;

	if (now > a->host_end)
		host_over(a);
	due_after(a, a->host_end);
	for (s = 1; s < a->nsrc; s++) {
		vm = a->src_vm[s];
		if (vm == KS_NO_VCPU)
			continue;
		if (now > a->vm[vm].end)
			guest_over(a, vm);
		due_after(a, a->vm[vm].end);
	}
}

/* Things that are due by time, not by an event of their own. */
static void tick(struct ks_analysis *a, uint64_t now)
{
	uint32_t s;

	a->tick = AN_NEVER;
	traces_over(a, now);
	an_hostloss_step(a, now);
	for (s = 1; s < a->nsrc; s++) {
		if (a->src_vm[s] == KS_NO_VCPU)
			continue;
		an_guestloss_step(a, a->src_vm[s], now);
		an_blind_step(a, a->src_vm[s], now);
	}
	an_pending_step(a, now, false);
}

static uint32_t vm_of_source(const struct ks_analysis *a, unsigned int src)
{
	return src < a->nsrc ? a->src_vm[src] : KS_NO_VCPU;
}

/* Its recorder had been stopped: what it says then is not all that there is. What was lost it says at its end. */
static bool is_over(const struct ks_analysis *a, const struct ks_event *ev)
{
	uint32_t vm;

	if (ev->rec->type == KS_LOSS || ev->time > AN_LATEST)
		return false;
	if (!ev->src)
		return a->host_is_over;
	vm = vm_of_source(a, ev->src);
	return vm != KS_NO_VCPU && a->vm[vm].is_over;
}

/* A folded burst is told by its last exit: those before the recorder was stopped count, as if they came evenly. */
static bool is_burst_before(const struct ks_analysis *a, struct ks_event *ev, struct ks_rec *cut)
{
	uint64_t length = ev->rec->b >> 32, count = (uint32_t)ev->rec->b, first;

	if (ev->src || ev->rec->type != KS_BURST || length > ev->rec->time)
		return false;
	first = ev->rec->time - length;
	if (first > a->host_stopped)
		return false;
	if (ev->rec->time <= a->host_stopped)
		return true; /* it was told later than it was */
	*cut = *ev->rec;
	cut->time = a->host_stopped;
	count = (uint64_t)((unsigned __int128)count * (cut->time - first) / length);
	cut->b = (cut->time - first) << 32 | (count ? count : 1);
	ev->rec = cut;
	return true;
}

static void dispatch_host(struct ks_analysis *a, const struct ks_event *ev)
{
	if (!a->host_last)
		a->host_first = ev->time;
	if (!a->host_is_over)
		a->host_last = ev->time;
	if (ev->rec->type == KS_LOSS)
		an_hostloss_late(a, ev);
	else
		an_host_event(a, ev);
}

static void dispatch(struct ks_analysis *a, const struct ks_event *ev)
{
	unsigned int type = ev->rec->type;
	uint32_t vm;

	if (type >= KS_TYPE_MAX) {
		a->ignored++;
		return;
	}
	a->count[type]++;
	if (!ev->src) {
		dispatch_host(a, ev);
		return;
	}
	vm = vm_of_source(a, ev->src);
	if (vm != KS_NO_VCPU)
		an_guest_event(a, vm, ev);
	else
		a->ignored++;
}

int ks_analysis_feed(struct ks_analysis *a, const struct ks_event *ev)
{
	struct ks_event late;
	struct ks_rec cut;

	if (__builtin_expect(!a->any, 0)) {
		a->any = true;
		a->first = a->now = ev->time;
	}
	if (__builtin_expect(ev->time < a->now, 0)) {
		late = *ev;
		late.time = a->now;
		ev = &late;
	}
	a->now = ev->time;
	if (ev->time >= a->tick)
		tick(a, ev->time);
	if (is_over(a, ev)) {
		late = *ev;
		ev = &late;
		if (!is_burst_before(a, &late, &cut))
			return 0;
	}
	dispatch(a, ev);
	if (a->ops.event)
		a->ops.event(a->ops.ctx, ev);
	return 0;
}

/* ---- end ---- */

static void end_vcpu(struct ks_analysis *a, uint32_t vcpu)
{
	end_waits(a, vcpu, a->now);
	an_burst_flush(a, vcpu);
	an_boost_end(a, vcpu);
	/* Of what comes after the host trace it is known only that it is not known. */
	an_end_segment(a, vcpu, a->host_last);
	a->model.vcpus[vcpu].since = a->host_last;
}

static void end_vm(struct ks_analysis *a, uint32_t vm)
{
	struct an_vm *m = &a->vm[vm];
	struct ks_vm_totals *t = &m->tot;
	uint64_t from, to;

	an_idle_end(a, vm, a->now);
	t->span_ns = a->host_last - a->host_first;
	from = m->begin > a->host_first ? m->begin : a->host_first;
	to = m->last < a->host_last ? m->last : a->host_last;
	t->guest_span_ns = m->begin && to > from ? to - from : 0;
	t->guest_recorded_ns = m->last - m->begin;
	t->lost_records += a->host_lost;
	t->ple_per_wait[0] = an_hist_quantile(&m->per_wait, 50, 100);
	t->ple_per_wait[1] = an_hist_quantile(&m->per_wait, 99, 100);
	t->ple_per_wait[2] = m->per_wait.max;
}

int ks_analysis_end(struct ks_analysis *a)
{
	uint32_t i;

	for (i = 0; i < a->model.nvcpus; i++)
		end_vcpu(a, i);
	an_pending_step(a, a->now, true);
	for (i = 0; i < a->model.nvms; i++)
		end_vm(a, i);
	return 0;
}

/* ---- results ---- */

const struct ks_vm *ks_analysis_vms(const struct ks_analysis *a, uint32_t *n)
{
	*n = a->model.nvms;
	return a->model.vms;
}

const struct ks_vcpu *ks_analysis_vcpus(const struct ks_analysis *a, uint32_t *n)
{
	*n = a->model.nvcpus;
	return a->model.vcpus;
}

uint32_t ks_analysis_slot(const struct ks_analysis *a, uint32_t slot)
{
	return ks_model_slot(&a->model, slot);
}

const struct ks_vcpu_totals *ks_analysis_vcpu_totals(const struct ks_analysis *a, uint32_t vcpu)
{
	return vcpu < a->model.nvcpus ? &a->vcpu[vcpu].tot : NULL;
}

const struct ks_vm_totals *ks_analysis_vm_totals(const struct ks_analysis *a, uint32_t vm)
{
	return vm < a->model.nvms ? &a->vm[vm].tot : NULL;
}

uint64_t ks_analysis_count(const struct ks_analysis *a, enum ks_type t)
{
	return (unsigned int)t < KS_TYPE_MAX ? a->count[t] : 0;
}

uint64_t ks_analysis_ignored(const struct ks_analysis *a)
{
	return a->ignored;
}

bool ks_analysis_span(const struct ks_analysis *a, uint64_t *first, uint64_t *last)
{
	*first = a->first;
	*last = a->now;
	return a->any;
}
