// SPDX-License-Identifier: GPL-2.0
/* C layout (System V x86-64 ABI) of structs that lost members. */
#include "graph.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>

enum { UNSEEN, KEPT, CHANGED };

struct layout {
	struct vg_graph *graph;
	unsigned char *state;
};

static bool place(struct layout *l, int type);

static const struct vg_node *real_type(const struct vg_graph *graph, int type)
{
	const struct vg_node *node = vg_graph_node(graph, type);

	while (node->kind == BTF_KIND_TYPEDEF || node->kind == BTF_KIND_CONST ||
	       node->kind == BTF_KIND_VOLATILE || node->kind == BTF_KIND_RESTRICT)
		node = vg_graph_node(graph, node->ref);
	return node;
}

static __u32 size_of(const struct vg_graph *graph, int type)
{
	const struct vg_node *node = real_type(graph, type);

	if (node->kind == BTF_KIND_PTR)
		return 8;
	if (node->kind == BTF_KIND_ARRAY)
		return node->size * size_of(graph, node->ref);
	return node->size;
}

/* As a compiler sees it: a struct kept as it is may be packed, then some offset gives it away. */
static __u32 align_of(const struct vg_graph *graph, int type)
{
	const struct vg_node *node = real_type(graph, type);
	__u32 align = 1, one;
	size_t i;

	switch (node->kind) {
	case BTF_KIND_PTR:
		return 8;
	case BTF_KIND_ARRAY:
		return align_of(graph, node->ref);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		for (i = 0; i < node->nr_members; i++) {
			one = align_of(graph, node->members[i].type);
			if (!node->members[i].bit_size && node->members[i].bit_off % (8 * one))
				return 1;
			align = one > align ? one : align;
		}
		return node->size % align ? 1 : align;
	default:
		return node->size ? node->size : 1;
	}
}

static __u32 round_up(__u32 value, __u32 to)
{
	return (value + to - 1) / to * to;
}

static void lay_out(struct vg_graph *graph, struct vg_node *node)
{
	__u32 off = 0, end = 0, align = 1;
	size_t i;

	for (i = 0; i < node->nr_members; i++) {
		struct vg_member *m = &node->members[i];
		__u32 own = align_of(graph, m->type), size = 8 * size_of(graph, m->type);

		if (node->kind == BTF_KIND_UNION)
			off = 0;
		if (!m->bit_size)
			off = round_up(off, 8 * own);
		else if (off / size != (off + m->bit_size - 1) / size)
			off = round_up(off, size);
		m->bit_off = off;
		off += m->bit_size ? m->bit_size : size;
		end = off > end ? off : end;
		align = own > align ? own : align;
	}
	node->size = round_up(end, 8 * align) / 8;
}

/* A struct changes if members were left out, or if one that it contains changes. */
static bool place_struct(struct layout *l, struct vg_node *node)
{
	bool changed = node->trimmed;
	size_t i;

	for (i = 0; i < node->nr_members; i++)
		changed |= place(l, node->members[i].type);
	if (changed)
		lay_out(l->graph, node);
	return changed;
}

static bool place(struct layout *l, int type)
{
	struct vg_node *node;
	bool changed = false;

	if (!type)
		return false;
	if (l->state[type - 1] != UNSEEN)
		return l->state[type - 1] == CHANGED;
	node = vg_graph_node(l->graph, type);
	switch (node->kind) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		changed = place_struct(l, node);
		break;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_ARRAY:
		changed = place(l, node->ref);
		break;
	}
	l->state[type - 1] = changed ? CHANGED : KEPT;
	return changed;
}

int vg_graph_layout(struct vg_graph *graph)
{
	struct layout l = { .graph = graph, .state = calloc(graph->nr + 1, 1) };
	size_t i;

	if (!l.state)
		return -ENOMEM;
	for (i = 0; i < graph->nr; i++)
		place(&l, i + 1);
	free(l.state);
	return 0;
}
