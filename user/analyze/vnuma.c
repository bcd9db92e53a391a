// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "model.h"
#include "vnuma_priv.h"

#define SECOND 1000000000ull
#define SECONDS_MAX (30ull * 24 * 3600) /* of which the waste is told one by one */

void vn_opts(struct ks_vnuma_opts *to, const struct ks_vnuma_opts *opts)
{
	if (opts)
		*to = *opts;
	if (!to->short_ns)
		to->short_ns = 1000000;
	if (!to->min_ns)
		to->min_ns = 100000;
}

int ks_vnuma_new(struct ks_vnuma **out, const struct ks_vnuma_opts *opts)
{
	struct ks_vnuma *v = calloc(1, sizeof(*v));

	*out = v;
	if (!v)
		return -ENOMEM;
	vn_opts(&v->opts, opts);
	return 0;
}

void vn_vm_free(struct vn_vm *m)
{
	free(m->out.second_ns);
	free(m->cpu);
	free(m->task);
	free(m->bucket);
	free(m->group);
	an_losses_free(&m->loss);
	free(m->match);
}

void ks_vnuma_free(struct ks_vnuma *v)
{
	uint32_t i;

	if (!v)
		return;
	for (i = 0; v->vm && i < v->nvms; i++)
		vn_vm_free(&v->vm[i]);
	free(v->vm);
	free(v->vcpu);
	free(v->last_node);
	free(v->src_vm);
	free(v->pcpu_node);
	free(v);
}

/* ---- begin ---- */

int ks_vnuma_begin(struct ks_vnuma *v, const struct ks_analysis *a, struct ks_reader *host)
{
	uint32_t i;
	int err;

	ks_analysis_vcpus(a, &v->nvcpus);
	ks_analysis_vms(a, &v->nvms);
	v->a = a;
	v->vm = calloc(v->nvms + 1, sizeof(*v->vm));
	v->vcpu = calloc(v->nvcpus + 1, sizeof(*v->vcpu));
	v->last_node = malloc((v->nvcpus + 1) * sizeof(*v->last_node));
	if (!v->vm || !v->vcpu || !v->last_node)
		return -ENOMEM;
	for (i = 0; i < v->nvms; i++) {
		v->vm[i].opts = &v->opts;
		v->vm[i].watch = &v->watch;
		v->vm[i].index = i;
	}
	for (i = 0; i < v->nvcpus; i++) {
		v->vcpu[i].believed = -1;
		v->last_node[i] = -1;
	}
	err = ks_meta_ints(ks_reader_meta(host), "cpu_node", VN_CPUS, &v->pcpu_node, &v->npcpus);
	for (i = 0; i < v->npcpus; i++)
		vn_count_node(v->pcpu_node[i], &v->nnodes);
	return err;
}

static uint64_t mapped(ks_map_fn map, void *ctx, uint64_t own)
{
	return map ? map(ctx, own) : own;
}

int vn_cpus_new(struct vn_vm *m)
{
	uint32_t i;

	m->cpu = calloc(m->ncpus + 1, sizeof(*m->cpu));
	m->match = calloc(m->ncpus + 1, sizeof(*m->match));
	m->bucket = malloc(VN_BUCKETS * sizeof(*m->bucket));
	if (!m->cpu || !m->match || !m->bucket)
		return -ENOMEM;
	m->seed = ks_hash_seed();
	memset(m->bucket, 0xff, VN_BUCKETS * sizeof(*m->bucket));
	m->free_task = VN_NONE;
	for (i = 0; i < m->ncpus; i++)
		m->cpu[i] = (struct vn_cpu){ .vcpu = KS_NO_VCPU, .cur = VN_NONE, .node = -1 };
	vn_queues_forget(m);
	return 0;
}

/* As the analysis maps them; a vCPU that comes back in a new slot is taken up when it does. */
static int map_cpus(struct ks_vnuma *v, struct vn_vm *m, uint32_t vm)
{
	const struct ks_vcpu *vcpus = ks_analysis_vcpus(v->a, &v->nvcpus);
	uint32_t i;

	for (i = 0; i < v->nvcpus; i++)
		if (vcpus[i].vm == vm && vcpus[i].guest_cpu >= 0 &&
		    (uint32_t)vcpus[i].guest_cpu >= m->ncpus)
			m->ncpus = (uint32_t)vcpus[i].guest_cpu + 1;
	if (vn_cpus_new(m))
		return -ENOMEM;
	for (i = v->nvcpus; i--;)
		if (vcpus[i].vm == vm && vcpus[i].guest_cpu >= 0)
			m->cpu[vcpus[i].guest_cpu].vcpu = i;
	return 0;
}

static int read_nodes(struct ks_vnuma *v, struct vn_vm *m, uint32_t vm, struct json_object *meta)
{
	const struct ks_vcpu *vcpus = ks_analysis_vcpus(v->a, &v->nvcpus);
	uint32_t i, n;
	int32_t *node;
	int err = ks_meta_ints(meta, "cpu_node", VN_CPUS, &node, &n);

	for (i = 0; i < n && i < m->ncpus; i++) {
		m->cpu[i].node = node[i] < KS_VN_NODES ? node[i] : -1;
		vn_count_node(node[i], &m->out.guest_nodes);
	}
	for (i = 0; i < v->nvcpus; i++)
		if (vcpus[i].vm == vm && vcpus[i].guest_cpu >= 0)
			v->vcpu[i].believed = m->cpu[vcpus[i].guest_cpu].node;
	free(node);
	return err;
}

/*
 * What was lost, and where the guest's clock broke: whether a vCPU was idle on both sides nobody knows
 * there.
 */
static int read_losses(struct ks_vnuma *v, struct vn_vm *m, struct ks_reader *guest, ks_map_fn map,
		       void *ctx)
{
	size_t n, nbreaks, i, k = 0;
	const struct ks_clockbreak *b = ks_analysis_breaks(v->a, m->index, &nbreaks);
	const struct ks_rec *ctl = ks_reader_control(guest, &n);
	struct ks_rec *all = malloc((n + nbreaks + 1) * sizeof(*all));
	int err;

	if (!all)
		return -ENOMEM;
	m->map = map;
	m->map_ctx = ctx;
	for (i = 0; i < n; i++)
		if (ctl[i].type == KS_LOSS)
			all[k++] = ctl[i];
	for (i = 0; i < nbreaks; i++)
		all[k++] = (struct ks_rec){ .time = b[i].own_to,
					    .type = KS_LOSS,
					    .cpu = KS_RING_ANY,
					    .a = b[i].own_from,
					    .b = 1 };
	err = an_losses_init(&m->loss, all, k, map, ctx);
	free(all);
	return err;
}

/* Both sides' recordings, as far as they overlap. */
static int find_span(struct vn_vm *m, struct ks_reader *guest, ks_map_fn map, void *ctx,
		     struct ks_reader *host)
{
	uint64_t first, last, hfirst, hlast;

	if (!ks_reader_span(guest, &first, &last) || !ks_reader_span(host, &hfirst, &hlast))
		return 0;
	first = mapped(map, ctx, first);
	last = mapped(map, ctx, ks_reader_whole_until(guest));
	hlast = ks_reader_whole_until(host);
	if (last > hlast)
		last = hlast;
	if (last > AN_LATEST)
		last = AN_LATEST;
	m->out.begin = first > hfirst ? first : hfirst;
	if (last <= m->out.begin)
		return 0;
	m->end = last;
	m->out.span_ns = m->end - m->out.begin;
	m->last = m->out.begin;
	m->out.nseconds = (m->out.span_ns + SECOND - 1) / SECOND;
	if (m->out.nseconds > SECONDS_MAX)
		m->out.nseconds = SECONDS_MAX;
	m->out.second_ns = calloc(m->out.nseconds, sizeof(*m->out.second_ns));
	return m->out.second_ns ? 0 : -ENOMEM;
}

/* Guests come in the order of the VMs, their sources in that of the files: a smaller one may follow. */
static int add_source(struct ks_vnuma *v, uint32_t src, uint32_t vm)
{
	uint32_t *s;

	if (src >= v->nsrc) {
		s = realloc(v->src_vm, (src + 1) * sizeof(*s));
		if (!s)
			return -ENOMEM;
		v->src_vm = s;
		for (; v->nsrc <= src; v->nsrc++)
			s[v->nsrc] = KS_NO_VCPU;
	}
	v->src_vm[src] = vm;
	return 0;
}

int ks_vnuma_guest(struct ks_vnuma *v, struct ks_reader *host, struct ks_reader *guest, uint32_t vm,
		   ks_map_fn map, void *map_ctx)
{
	struct vn_vm *m = &v->vm[vm];
	uint32_t n;
	int src = ks_analysis_vms(v->a, &n)[vm].guest_src;
	int err;

	if (src < 0 || m->out.guest)
		return -EINVAL;
	m->out.guest = true;
	err = map_cpus(v, m, vm);
	if (!err)
		err = read_nodes(v, m, vm, ks_reader_meta(guest));
	if (!err)
		err = read_losses(v, m, guest, map, map_ctx);
	if (!err)
		err = find_span(m, guest, map, map_ctx, host);
	return err ? err : add_source(v, (uint32_t)src, vm);
}

/* ---- events ---- */

/* The host's half of what a vCPU is, as the analysis has it now. */
static void host_event(struct ks_vnuma *v, const struct ks_event *ev)
{
	uint32_t n, vcpu;
	const struct ks_vcpu *c;
	struct vn_vm *m;

	if (ev->rec->type == KS_VM_MEMORY) {
		vn_memory(v, ev->rec);
		return;
	}
	vcpu = ks_analysis_slot(v->a, ev->rec->id);
	if (vcpu == KS_NO_VCPU)
		return;
	c = &ks_analysis_vcpus(v->a, &n)[vcpu];
	m = &v->vm[c->vm];
	if (c->guest_cpu < 0 || (uint32_t)c->guest_cpu >= m->ncpus)
		return;
	if (ev->rec->type == KS_VCPU_NEW)
		m->cpu[c->guest_cpu].vcpu = vcpu;
}

void vn_host_until(struct ks_vnuma *v, uint32_t vcpu, uint64_t time)
{
	uint32_t n;
	const struct ks_vcpu *c = &ks_analysis_vcpus(v->a, &n)[vcpu];
	struct vn_vm *m = &v->vm[c->vm];

	if (c->guest_cpu < 0 || (uint32_t)c->guest_cpu >= m->ncpus ||
	    m->cpu[c->guest_cpu].vcpu != vcpu)
		return;
	vn_advance(m, v->vcpu, time);
	m->cpu[c->guest_cpu].host = KS_V_UNKNOWN;
	m->dirty = true;
}

/* Whose state on the host has changed since the last look? */
static void look_at_host(struct ks_vnuma *v, struct vn_vm *m)
{
	uint32_t i, n;
	const struct ks_vcpu *vcpus = ks_analysis_vcpus(v->a, &n);

	for (i = 0; i < m->ncpus; i++) {
		struct vn_cpu *c = &m->cpu[i];
		enum ks_vstate s = c->vcpu == KS_NO_VCPU ? KS_V_UNKNOWN : vcpus[c->vcpu].state;

		m->dirty |= s != c->host;
		c->host = s;
		c->host_since = c->vcpu == KS_NO_VCPU ? 0 : vcpus[c->vcpu].since;
	}
}

static void guest_event(struct ks_vnuma *v, uint32_t vm, const struct ks_event *ev)
{
	struct vn_vm *m = &v->vm[vm];

	if (ev->rec->type == KS_TASK_SWITCH)
		m->out.queues = true;
	vn_guest_event(v, m, ev);
}

/* The VM that an event may change something of; KS_NO_VCPU: none. */
static uint32_t vm_of(const struct ks_vnuma *v, const struct ks_event *ev)
{
	uint32_t n, vcpu;

	if (ev->src)
		return ev->src < v->nsrc ? v->src_vm[ev->src] : KS_NO_VCPU;
	if (ev->rec->type < KS_VCPU_NEW || ev->rec->type == KS_VM_MEMORY)
		return KS_NO_VCPU;
	vcpu = ks_analysis_slot(v->a, ev->rec->id);
	return vcpu == KS_NO_VCPU ? vcpu : ks_analysis_vcpus(v->a, &n)[vcpu].vm;
}

void ks_vnuma_event(void *ctx, const struct ks_event *ev)
{
	struct ks_vnuma *v = ctx;
	uint32_t vm = vm_of(v, ev);
	struct vn_vm *m = vm == KS_NO_VCPU ? NULL : &v->vm[vm];

	if (m)
		vn_advance(m, v->vcpu, ev->time);
	if (!ev->src)
		host_event(v, ev);
	if (!m || !m->out.guest)
		return;
	look_at_host(v, m);
	vn_look(m, ev->time);
	if (ev->src)
		guest_event(v, vm, ev);
	vn_look(m, ev->time);
}

void ks_vnuma_watch(struct ks_vnuma *v, const struct ks_vnuma_watch *w)
{
	v->watch = *w;
}

void ks_vnuma_ops(struct ks_vnuma *v, struct ks_analysis_ops *ops)
{
	ops->segment = ks_vnuma_segment;
	ops->event = ks_vnuma_event;
	ops->ctx = v;
}

int ks_vnuma_end(struct ks_vnuma *v)
{
	uint32_t i;

	for (i = 0; i < v->nvms; i++) {
		vn_advance(&v->vm[i], v->vcpu, v->vm[i].end);
		vn_place_end(v, i);
	}
	return v->no_memory ? -ENOMEM : 0;
}

/* ---- results ---- */

const struct ks_vnuma_vm *ks_vnuma_vm(const struct ks_vnuma *v, uint32_t vm)
{
	return vm < v->nvms ? &v->vm[vm].out : NULL;
}

const struct ks_vnuma_vcpu *ks_vnuma_vcpu(const struct ks_vnuma *v, uint32_t vcpu)
{
	return vcpu < v->nvcpus ? &v->vcpu[vcpu] : NULL;
}

uint32_t ks_vnuma_cpu(const struct ks_vnuma *v, uint32_t vm, uint32_t cpu)
{
	return vm < v->nvms && cpu < v->vm[vm].ncpus ? v->vm[vm].cpu[cpu].vcpu : KS_NO_VCPU;
}

uint32_t ks_vnuma_nodes(const struct ks_vnuma *v)
{
	return v->nnodes;
}
