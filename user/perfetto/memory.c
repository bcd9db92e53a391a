// SPDX-License-Identifier: GPL-2.0
/*
 * Memory by node as counters. A node's memory may be of several of the guest's nodes, each in a
 * record of its own, so a sample is written when the next one begins.
 */
#include <stdio.h>

#include "world.h"

static uint64_t add_track(struct pf_export *x, uint32_t vm, unsigned int node)
{
	char name[32];
	struct pf_track t = { .uuid = pf_id(x),
			      .parent = x->pvm[vm].track,
			      .name = name,
			      .rank = 3 + node,
			      .unit = "bytes" };

	snprintf(name, sizeof(name), "memory on node %u", node);
	pf_track(&x->w, &t);
	return t.uuid;
}

void pf_memory_put(struct pf_export *x, uint32_t vm)
{
	struct pf_memory *m = &x->pvm[vm].memory;
	unsigned int node;

	for (node = 0; node < KS_VN_NODES; node++) {
		if (!(m->named >> node & 1))
			continue;
		if (!m->track[node])
			m->track[node] = add_track(x, vm, node);
		pf_event(&x->w, PF_COUNTER, m->time, m->track[node]);
		pf_value(&x->w, m->bytes[node]);
		pf_send(&x->w);
		m->bytes[node] = 0;
	}
	m->named = 0;
}

void pf_memory(struct pf_export *x, const struct ks_event *ev)
{
	const struct ks_rec *r = ev->rec;
	struct pf_memory *m;
	uint32_t vm;

	for (vm = 0; vm < x->nvms && x->vm[vm].tgid != r->id; vm++)
		;
	if (vm == x->nvms || r->cpu >= KS_VN_NODES)
		return;
	m = &x->pvm[vm].memory;
	if (m->own != r->time)
		pf_memory_put(x, vm);
	m->own = r->time;
	m->time = ev->time;
	m->bytes[r->cpu] += r->a;
	m->named |= 1ull << r->cpu;
}
