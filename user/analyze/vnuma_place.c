// SPDX-License-Identifier: GPL-2.0
/* Where the host ran the vCPUs and keeps the memory, against what the guest believes. */
#include <string.h>

#include "vnuma_priv.h"

int32_t ks_vnuma_node(const struct ks_vnuma *v, int32_t pcpu)
{
	int32_t node = pcpu >= 0 && (uint32_t)pcpu < v->npcpus ? v->pcpu_node[pcpu] : -1;

	return node < KS_VN_NODES ? node : -1;
}

static void moved(struct ks_vnuma *v, const struct ks_segment *s, int32_t to)
{
	uint32_t n;
	struct ks_vnuma_vm *o = &v->vm[ks_analysis_vcpus(v->a, &n)[s->vcpu].vm].out;
	int32_t from = v->last_node[s->vcpu];

	v->last_node[s->vcpu] = to;
	if (from < 0 || from == to)
		return;
	v->vcpu[s->vcpu].node_changes++;
	if (o->nmoves < KS_VN_MOVES)
		o->moves[o->nmoves] = (struct ks_vnuma_move){
			.time = s->from, .vcpu = s->vcpu, .from = from, .to = to
		};
	o->nmoves++;
}

void ks_vnuma_segment(void *ctx, const struct ks_segment *s)
{
	struct ks_vnuma *v = ctx;
	int32_t node;

	if (s->vcpu >= v->nvcpus)
		return;
	vn_host_until(v, s->vcpu, s->to);
	if (s->state != KS_V_RUNNING)
		return;
	node = ks_vnuma_node(v, s->pcpu);
	if (node < 0) {
		v->vcpu[s->vcpu].nowhere_ns += s->to - s->from;
		return;
	}
	v->vcpu[s->vcpu].node_ns[node] += s->to - s->from;
	moved(v, s, node);
}

void vn_memory(struct ks_vnuma *v, const struct ks_rec *rec)
{
	uint32_t vm, n,
		guest = rec->b && rec->b <= KS_VN_NODES ? (uint32_t)rec->b - 1 : KS_VN_NODES;
	const struct ks_vm *vms = ks_analysis_vms(v->a, &n);
	struct vn_vm *m;

	for (vm = 0; vm < n && vms[vm].tgid != rec->id; vm++)
		;
	if (vm == n || rec->cpu >= KS_VN_NODES)
		return;
	m = &v->vm[vm];
	if (rec->time != m->memory_time) {
		memset(m->out.memory_last, 0, sizeof(m->out.memory_last));
		m->memory_time = rec->time;
		m->out.memory_samples++;
	}
	m->out.memory_last[guest][rec->cpu] = rec->a;
	if (m->out.memory_samples == 1)
		m->out.memory_first[guest][rec->cpu] = rec->a;
}

/* ---- what a guest's node stands for ---- */

_Static_assert(KS_VN_NODES == 64, "a bit for each");

static uint64_t node_bit(int32_t node)
{
	return node >= 0 && node < KS_VN_NODES ? 1ull << node : 0;
}

static uint64_t host_nodes(const struct ks_vnuma *v)
{
	uint64_t nodes = 0;
	uint32_t i;

	for (i = 0; i < v->npcpus; i++)
		nodes |= node_bit(v->pcpu_node[i]);
	return nodes;
}

static uint64_t guest_nodes(const struct vn_vm *m)
{
	uint64_t nodes = 0;
	uint32_t i;

	for (i = 0; i < m->ncpus; i++)
		nodes |= node_bit(m->cpu[i].node);
	return nodes;
}

/* Where the vCPUs of this node of the guest ran most, in every slot that they had. */
static int32_t most_of(const struct ks_vnuma *v, uint32_t vm, int32_t guest_node)
{
	uint64_t ns[KS_VN_NODES] = { 0 };
	int32_t best = 0;
	uint32_t i, h, n;
	const struct ks_vcpu *vcpus = ks_analysis_vcpus(v->a, &n);

	for (i = 0; i < n; i++) {
		if (vcpus[i].vm != vm || v->vcpu[i].believed != guest_node)
			continue;
		for (h = 0; h < KS_VN_NODES; h++)
			ns[h] += v->vcpu[i].node_ns[h];
	}
	for (h = 1; h < KS_VN_NODES; h++)
		if (ns[h] > ns[best])
			best = (int32_t)h;
	return ns[best] ? best : -1;
}

static void away(struct ks_vnuma_vcpu *c, int32_t home)
{
	int32_t h;

	for (h = 0; home >= 0 && h < KS_VN_NODES; h++)
		if (h != home)
			c->away_ns += c->node_ns[h];
}

void vn_place_end(struct ks_vnuma *v, uint32_t vm)
{
	struct vn_vm *m = &v->vm[vm];
	struct ks_vnuma_vm *o = &m->out;
	uint64_t nodes = guest_nodes(m);
	int32_t g;
	uint32_t i, n;
	const struct ks_vcpu *vcpus = ks_analysis_vcpus(v->a, &n);

	memset(o->home, 0xff, sizeof(o->home));
	if (!(nodes & (nodes - 1)))
		return; /* one node: no belief that could be wrong */
	o->same_nodes = nodes == host_nodes(v);
	for (g = 0; g < KS_VN_NODES; g++)
		if (nodes & node_bit(g))
			o->home[g] = o->same_nodes ? g : most_of(v, vm, g);
	for (i = 0; i < n; i++)
		if (vcpus[i].vm == vm && v->vcpu[i].believed >= 0)
			away(&v->vcpu[i], o->home[v->vcpu[i].believed]);
}
