// SPDX-License-Identifier: GPL-2.0
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "run.h"
#include "symbols.h"
#include "trace.h"
#include "util.h"

struct guest {
	struct ks_reader *reader;
	struct ks_clockmap *map;
	struct ks_guestclock *clock;
	struct ks_symbols *syms;
	uint32_t vm;
};

struct session {
	struct run *r;
	struct ks_reader *host;
	struct ks_clockmap *hostmap;
	struct guest *guests;
	uint32_t n;
	struct ks_merge *merge;
	struct ks_analysis *a;
	struct ks_vnuma *vnuma;
};

/* ---- what the analysis says ---- */

static void on_wait(void *ctx, const struct ks_wait *w)
{
	struct run_vm *vm = &((struct session *)ctx)->r->vms[w->vm];

	if (vm->nwaits == vm->cap) {
		vm->cap = vm->cap ? vm->cap * 2 : 1024;
		vm->waits = must_realloc(vm->waits, vm->cap * sizeof(*vm->waits));
	}
	vm->waits[vm->nwaits++] = *w;
}

static void on_hold(void *ctx, const struct ks_hold *h)
{
	struct run_vm *vm = &((struct session *)ctx)->r->vms[h->vm];

	vm->holds++;
	vm->hold_ns += h->rel_time - h->acq_time;
	vm->hold_off += h->off_ns;
	vm->hold_waiters += h->waiters;
}

static void on_event(void *ctx, const struct ks_event *ev)
{
	ks_vnuma_event(((struct session *)ctx)->vnuma, ev);
}

static void on_segment(void *ctx, const struct ks_segment *s)
{
	ks_vnuma_segment(((struct session *)ctx)->vnuma, s);
	((struct session *)ctx)->r->vcpus[s->vcpu].segments[s->state] += s->to - s->from;
}

static void on_burst(void *ctx, const struct ks_burst *b)
{
	struct run_vcpu *v = &((struct session *)ctx)->r->vcpus[b->vcpu];

	v->bursts++;
	v->burst_exits += b->exits;
}

static enum ks_class ip_class(void *ctx, uint32_t vm, uint64_t ip)
{
	struct session *s = ctx;

	if (!(ip >> 63))
		return KS_C_USER;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->guests[i].vm == vm)
			return ks_symbols_ip_class(s->guests[i].syms, ip) == KS_IP_IPI ? KS_C_IPI :
											 KS_C_OTHER;
	return KS_C_OTHER;
}

/* ---- opening ---- */

static void need(int err, const struct ks_err *e, const char *what)
{
	if (err)
		die("%s: %s (%s)", what, e ? e->msg : "", strerror(-err));
}

static void open_host(struct session *s, const char *dir)
{
	const struct ks_rec *ctl;
	struct ks_err err = { "" };
	char path[512];
	size_t n;

	snprintf(path, sizeof(path), "%s/host.kvs", dir);
	need(ks_reader_open(&s->host, path, &err), &err, "host trace");
	ctl = ks_reader_control(s->host, &n);
	need(ks_clockmap_new(&s->hostmap, ctl, n), NULL, "host clock");
	need(ks_merge_new(&s->merge), NULL, "merge");
	need(ks_merge_add(s->merge, s->host, NULL, NULL), NULL, "merge");
}

/* The offsets of the VM's lowest vCPU. */
static struct ks_rec *offsets_of(struct session *s, uint32_t tgid, size_t *count)
{
	size_t n;
	const struct ks_rec *ctl = ks_reader_control(s->host, &n);
	struct ks_rec *out = must_alloc(n * sizeof(*out));
	uint64_t lowest = UINT64_MAX;
	uint32_t slot = 0;

	for (size_t i = 0; i < n; i++)
		if (ctl[i].type == KS_VCPU_NEW && ctl[i].a >> 32 == tgid && ctl[i].b < lowest) {
			lowest = ctl[i].b;
			slot = ctl[i].id;
		}
	*count = 0;
	for (size_t i = 0; i < n; i++)
		if (ctl[i].type == KS_TSC_OFFSET && ctl[i].id == slot)
			out[(*count)++] = ctl[i];
	return out;
}

static unsigned int frac_bits(struct session *s)
{
	struct json_object *v;

	if (!json_object_object_get_ex(ks_reader_meta(s->host), "tsc_ratio_frac", &v))
		die("host trace: no tsc_ratio_frac");
	return json_object_get_int(v);
}

static void open_guest(struct session *s, struct guest *g, const char *path, uint32_t tgid)
{
	struct ks_err err = { "" };
	const struct ks_rec *ctl;
	struct ks_rec *offsets;
	const char *text;
	size_t n;

	need(ks_reader_open(&g->reader, path, &err), &err, "guest trace");
	ctl = ks_reader_control(g->reader, &n);
	need(ks_clockmap_new(&g->map, ctl, n), NULL, "guest clock");
	offsets = offsets_of(s, tgid, &n);
	need(ks_guestclock_new(&g->clock, g->map, s->hostmap, offsets, n, frac_bits(s)), NULL,
	     "guest clock on the host's");
	free(offsets);
	text = ks_reader_symbols(g->reader, &n);
	if (!text)
		die("%s: no symbols", path);
	need(ks_symbols_parse(&g->syms, text, n, &err), &err, "guest symbols");
}

static void start(struct session *s)
{
	struct ks_analysis_opts opts = { .ip_class = ip_class, .ip_ctx = s };
	struct ks_analysis_ops ops = {
		.wait = on_wait,
		.hold = on_hold,
		.segment = on_segment,
		.burst = on_burst,
		.event = on_event,
		.ctx = s,
	};
	struct ks_err err = { "" };
	struct run *r = s->r;
	const struct ks_vcpu *v;
	const struct ks_vm *vms;

	need(ks_analysis_new(&s->a, s->host, &opts, &ops, &err), &err, "analysis");
	need(ks_vnuma_new(&s->vnuma, NULL), NULL, "vNUMA");
	need(ks_vnuma_begin(s->vnuma, s->a, s->host), NULL, "vNUMA");
	vms = ks_analysis_vms(s->a, &r->nvms);
	r->vms = must_alloc(r->nvms * sizeof(*r->vms));
	for (uint32_t i = 0; i < r->nvms; i++)
		r->vms[i].tgid = vms[i].tgid;
	v = ks_analysis_vcpus(s->a, &r->nvcpus);
	r->vcpus = must_alloc(r->nvcpus * sizeof(*r->vcpus));
	for (uint32_t i = 0; i < r->nvcpus; i++) {
		r->vcpus[i].vm = v[i].vm;
		r->vcpus[i].vcpu_id = v[i].vcpu_id;
	}
}

static void join(struct session *s, struct guest *g, uint32_t tgid)
{
	const struct ks_clockbreak *breaks;
	struct ks_err err = { "" };
	size_t n;
	int src;

	for (g->vm = 0; g->vm < s->r->nvms && s->r->vms[g->vm].tgid != tgid; g->vm++)
		;
	if (g->vm == s->r->nvms)
		die("the analysis does not know the VM with process %u", tgid);
	src = ks_merge_add(s->merge, g->reader, ks_guestclock_map, g->clock);
	need(src < 0 ? src : 0, NULL, "merge");
	need(ks_analysis_guest(s->a, src, g->reader, g->vm, ks_guestclock_map, g->clock, &err),
	     &err, "analysis");
	s->r->vms[g->vm].clock_error = ks_guestclock_error(g->clock);
	ks_analysis_guest_error(s->a, g->vm, s->r->vms[g->vm].clock_error);
	breaks = ks_guestclock_breaks(g->clock, &n);
	need(ks_analysis_guest_breaks(s->a, g->vm, breaks, n), NULL, "analysis");
	need(ks_vnuma_guest(s->vnuma, s->host, g->reader, g->vm, ks_guestclock_map, g->clock), NULL,
	     "vNUMA");
}

static void feed(struct session *s)
{
	struct ks_err err = { "" };
	struct ks_event ev;
	int ret;

	while ((ret = ks_merge_next(s->merge, &ev, &err)) > 0)
		need(ks_analysis_feed(s->a, &ev), NULL, "analysis");
	need(ret, &err, "merge");
	need(ks_analysis_end(s->a), NULL, "analysis");
	need(ks_vnuma_end(s->vnuma), NULL, "vNUMA");
}

static void collect(struct session *s)
{
	struct run *r = s->r;

	for (uint32_t i = 0; i < r->nvms; i++) {
		const struct ks_vnuma_vm *v = ks_vnuma_vm(s->vnuma, i);

		r->vms[i].tot = *ks_analysis_vm_totals(s->a, i);
		r->vms[i].wasted_ns = v->wasted_ns;
		r->vms[i].passed = v->passed.count;
		r->vms[i].passed_ns = v->passed.cost_ns;
		r->vms[i].overloaded = v->overloaded.count;
		r->vms[i].overloaded_ns = v->overloaded.cost_ns;
	}
	for (uint32_t i = 0; i < r->nvcpus; i++)
		r->vcpus[i].tot = *ks_analysis_vcpu_totals(s->a, i);
	r->ignored = ks_analysis_ignored(s->a);
}

static void close_all(struct session *s)
{
	ks_vnuma_free(s->vnuma);
	ks_analysis_free(s->a);
	ks_merge_free(s->merge);
	for (uint32_t i = 0; i < s->n; i++) {
		ks_guestclock_free(s->guests[i].clock);
		ks_clockmap_free(s->guests[i].map);
		ks_symbols_free(s->guests[i].syms);
		ks_reader_close(s->guests[i].reader);
	}
	free(s->guests);
	ks_clockmap_free(s->hostmap);
	ks_reader_close(s->host);
}

void run_analysis(struct run *r, const char *dir, const uint32_t *tgids, uint32_t nguests)
{
	struct session s = { .r = r, .n = nguests };
	char path[512];

	memset(r, 0, sizeof(*r));
	s.guests = must_alloc(nguests * sizeof(*s.guests));
	open_host(&s, dir);
	for (uint32_t i = 0; i < nguests; i++) {
		snprintf(path, sizeof(path), "%s/guest%u.kvs", dir, i);
		open_guest(&s, &s.guests[i], path, tgids[i]);
	}
	start(&s);
	for (uint32_t i = 0; i < nguests; i++)
		join(&s, &s.guests[i], tgids[i]);
	feed(&s);
	collect(&s);
	close_all(&s);
}

void run_free(struct run *r)
{
	for (uint32_t i = 0; i < r->nvms; i++)
		free(r->vms[i].waits);
	free(r->vms);
	free(r->vcpus);
}
