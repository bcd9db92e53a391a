// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "text.h"
#include "world.h"

/* splitmix64: different numbers stay different. */
uint64_t pf_id(struct pf_export *x)
{
	uint64_t z = x->seed + ++x->ids * 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	z ^= z >> 31;
	return z ? z : 1; /* 0 is the root track */
}

static void on_rate(void *ctx, uint64_t time, int64_t per_second)
{
	struct pf_counter *c = ctx;

	if (!c->track) {
		c->track = pf_id(c->x);
		pf_track(&c->x->w, &(struct pf_track){ .uuid = c->track,
						       .parent = c->parent,
						       .name = c->name,
						       .rank = c->rank,
						       .unit = "exits/s" });
	}
	pf_event(&c->x->w, PF_COUNTER, time, c->track);
	pf_value(&c->x->w, per_second);
	pf_send(&c->x->w);
}

static void init_counter(struct pf_counter *c, struct pf_export *x, uint64_t parent, int32_t rank)
{
	c->x = x;
	c->parent = parent;
	c->rank = rank;
	c->rate.emit = on_rate;
	c->rate.ctx = c;
	c->rate.origin = x->origin;
}

static void add_vm(struct pf_export *x, uint32_t i)
{
	char name[2 * sizeof(x->vm->name)];
	const struct ks_vm *vm = &x->vm[i];

	ks_printable(name, sizeof(name), vm->name, strlen(vm->name));
	x->pvm[i].track = pf_id(x);
	pf_track(&x->w,
		 &(struct pf_track){
			 .uuid = x->pvm[i].track, .rank = i + 1, .pid = vm->tgid, .who = name });
	init_counter(&x->pvm[i].ple, x, x->pvm[i].track, 1);
	snprintf(x->pvm[i].ple.name, sizeof(x->pvm[i].ple.name), "PLE exits/s");
}

static int by_thread(const void *pa, const void *pb, void *ctx)
{
	const struct ks_vcpu *vcpu = ctx;
	uint32_t i = *(const uint32_t *)pa, k = *(const uint32_t *)pb;

	if (vcpu[i].vm != vcpu[k].vm)
		return vcpu[i].vm < vcpu[k].vm ? -1 : 1;
	if (vcpu[i].tid != vcpu[k].tid)
		return vcpu[i].tid < vcpu[k].tid ? -1 : 1;
	return i < k ? -1 : i > k;
}

static int find_shared(struct pf_export *x)
{
	uint32_t i, *order = malloc((x->nvcpus + 1ul) * sizeof(*order));
	const struct ks_vcpu *v, *before = NULL;

	if (!order)
		return -ENOMEM;
	for (i = 0; i < x->nvcpus; i++)
		order[i] = i;
	qsort_r(order, x->nvcpus, sizeof(*order), by_thread, (void *)x->vcpu);
	for (i = 0; i < x->nvcpus; i++, before = v) {
		v = &x->vcpu[order[i]];
		x->pvcpu[order[i]].shared = before && before->vm == v->vm && before->tid == v->tid;
	}
	free(order);
	return 0;
}

static void add_vcpu(struct pf_export *x, uint32_t i)
{
	const struct ks_vcpu *v = &x->vcpu[i];
	struct pf_vcpu *p = &x->pvcpu[i];
	char who[32], name[64];

	snprintf(who, sizeof(who), "vCPU %" PRIu32, v->vcpu_id);
	snprintf(name, sizeof(name), "vCPU %" PRIu32 " (tid %" PRIu32 ")", v->vcpu_id, v->tid);
	p->track = pf_id(x);
	pf_track(&x->w, &(struct pf_track){ .uuid = p->track,
					    .parent = x->pvm[v->vm].track,
					    .name = name,
					    .rank = i + 1,
					    .pid = p->shared ? 0 : x->vm[v->vm].tgid,
					    .tid = p->shared ? 0 : v->tid,
					    .who = who });
	init_counter(&p->ple, x, p->track, 3);
	snprintf(p->ple.name, sizeof(p->ple.name), "vCPU %" PRIu32 " PLE exits/s", v->vcpu_id);
}

static uint64_t meta_ns(struct json_object *meta, const char *key)
{
	struct json_object *v;
	int64_t ns = 0;

	if (json_object_object_get_ex(meta, key, &v) && json_object_is_type(v, json_type_int))
		ns = json_object_get_int64(v);
	return ns > 0 ? ns : 0;
}

static void add_clocks(struct pf_export *x, struct ks_reader *host)
{
	struct json_object *meta = ks_reader_meta(host);
	struct pf_clocks c = {
		.monotonic = meta_ns(meta, "start_mono_ns"),
		.realtime = meta_ns(meta, "start_realtime_ns"),
		.boottime = meta_ns(meta, "start_boottime_ns"),
	};

	if (!c.monotonic)
		c = (struct pf_clocks){ .monotonic = x->origin ? x->origin : 1 };
	pf_clocks(&x->w, &c);
}

/* What the guest's trace is worth, where the VM's track begins. */
static void add_guest(struct pf_export *x, const struct ks_export_input *in, uint32_t vm)
{
	const struct ks_link *l = ks_session_link(in->session, vm);
	struct ks_reader *guest = ks_session_guest(in->session, vm);

	if (!l || !guest)
		return;
	pf_event(&x->w, PF_INSTANT, in->from > x->origin ? in->from : x->origin, x->pvm[vm].track);
	pf_name(&x->w, "guest's trace");
	pf_category(&x->w, "recording");
	pf_number(&x->w, "clock_error_ns", l->error_ns);
	pf_number(&x->w, "clock_steps", l->steps);
	pf_text(&x->w, "matched_by", l->how);
	pf_send(&x->w);
	pf_clock_breaks(x, in, vm);
}

int pf_world_begin(struct pf_export *x, const struct ks_export_input *in, struct ks_err *err)
{
	struct ks_analysis *a = ks_session_analysis(in->session);
	struct ks_reader *host = ks_session_host(in->session);
	uint64_t last;
	uint32_t i;

	x->session = in->session;
	x->vm = ks_analysis_vms(a, &x->nvms);
	x->vcpu = ks_analysis_vcpus(a, &x->nvcpus);
	x->pvm = calloc(x->nvms + 1, sizeof(*x->pvm));
	x->pvcpu = calloc(x->nvcpus + 1, sizeof(*x->pvcpu));
	if (!x->pvm || !x->pvcpu || find_shared(x) ||
	    rows_names_init(&x->names, in->names, x->vm, x->nvms))
		return ks_fail(err, -ENOMEM, "out of memory");
	if (!ks_reader_span(host, &x->origin, &last))
		x->origin = 0;
	x->seed = x->origin ^ (x->nvms ? (uint64_t)x->vm[0].tgid << 40 : 0);
	add_clocks(x, host);
	pf_ordered(&x->w);
	for (i = 0; i < x->nvms; i++)
		add_vm(x, i);
	for (i = 0; i < x->nvcpus; i++)
		add_vcpu(x, i);
	for (i = 0; i < x->nvms; i++)
		add_guest(x, in, i);
	return x->w.err ? ks_fail(err, x->w.err, "out of memory") : 0;
}

void pf_world_free(struct pf_export *x)
{
	uint32_t i;

	for (i = 0; x->pvcpu && i < x->nvcpus; i++) {
		lanes_free(&x->pvcpu[i].waits);
		lanes_free(&x->pvcpu[i].holds);
		held_free(&x->pvcpu[i].held);
	}
	rows_names_free(&x->names);
	free(x->pvm);
	free(x->pvcpu);
}
