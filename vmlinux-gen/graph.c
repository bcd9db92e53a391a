// SPDX-License-Identifier: GPL-2.0
#include "graph.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int vg_graph_add(struct vg_graph *graph, int kind, const char *name)
{
	struct vg_node *node;

	if (graph->nr == graph->room) {
		size_t room = graph->room ? 2 * graph->room : 256;

		node = reallocarray(graph->nodes, room, sizeof(*node));
		if (!node)
			return -ENOMEM;
		graph->nodes = node;
		graph->room = room;
	}
	node = &graph->nodes[graph->nr];
	*node = (struct vg_node){ .kind = kind };
	if (name && *name) {
		node->name = strdup(name);
		if (!node->name)
			return -ENOMEM;
	}
	return ++graph->nr;
}

struct vg_member *vg_node_add_member(struct vg_node *node, const char *name)
{
	struct vg_member *member;
	char *copy = NULL;

	if (name && *name) {
		copy = strdup(name);
		if (!copy)
			return NULL;
	}
	member = reallocarray(node->members, node->nr_members + 1, sizeof(*member));
	if (!member) {
		free(copy);
		return NULL;
	}
	node->members = member;
	member += node->nr_members++;
	*member = (struct vg_member){ .name = copy };
	return member;
}

void vg_graph_free(struct vg_graph *graph)
{
	size_t i, j;

	for (i = 0; i < graph->nr; i++) {
		struct vg_node *node = &graph->nodes[i];

		for (j = 0; j < node->nr_members; j++)
			free(node->members[j].name);
		free(node->members);
		free(node->name);
	}
	free(graph->nodes);
	*graph = (struct vg_graph){};
}

static int write_members(struct btf *btf, const struct vg_node *node)
{
	const struct vg_member *m;
	int err = 0;
	size_t i;

	for (i = 0; i < node->nr_members && !err; i++) {
		m = &node->members[i];
		switch (node->kind) {
		case BTF_KIND_ENUM:
			err = btf__add_enum_value(btf, m->name, m->value);
			break;
		case BTF_KIND_ENUM64:
			err = btf__add_enum64_value(btf, m->name, m->value);
			break;
		case BTF_KIND_FUNC_PROTO:
			err = btf__add_func_param(btf, m->name, m->type);
			break;
		default:
			err = btf__add_field(btf, m->name, m->type, m->bit_off, m->bit_size);
		}
	}
	return err;
}

#define KFLAG (1U << 31)

/* libbpf writes every enum as unsigned and looks at the values instead: mark it as it was. */
static void mark_signed(struct btf *btf, int type, bool is_signed)
{
	struct btf_type *t = (struct btf_type *)btf__type_by_id(btf, type);

	t->info = (t->info & ~KFLAG) | (is_signed ? KFLAG : 0);
}

static int array_index_type(const struct vg_graph *graph)
{
	size_t i;

	for (i = 0; i < graph->nr; i++)
		if (graph->nodes[i].kind == BTF_KIND_INT && graph->nodes[i].size == 4)
			return i + 1;
	return 0;
}

static int write_head(struct btf *btf, const struct vg_graph *graph, const struct vg_node *node)
{
	switch (node->kind) {
	case BTF_KIND_INT:
		return btf__add_int(btf, node->name, node->size, node->encoding);
	case BTF_KIND_FLOAT:
		return btf__add_float(btf, node->name, node->size);
	case BTF_KIND_PTR:
		return btf__add_ptr(btf, node->ref);
	case BTF_KIND_CONST:
		return btf__add_const(btf, node->ref);
	case BTF_KIND_VOLATILE:
		return btf__add_volatile(btf, node->ref);
	case BTF_KIND_RESTRICT:
		return btf__add_restrict(btf, node->ref);
	case BTF_KIND_TYPEDEF:
		return btf__add_typedef(btf, node->name, node->ref);
	case BTF_KIND_ARRAY:
		return btf__add_array(btf, array_index_type(graph), node->ref, node->size);
	case BTF_KIND_STRUCT:
		return btf__add_struct(btf, node->name, node->size);
	case BTF_KIND_UNION:
		return btf__add_union(btf, node->name, node->size);
	case BTF_KIND_ENUM:
		return btf__add_enum(btf, node->name, node->size);
	case BTF_KIND_ENUM64:
		return btf__add_enum64(btf, node->name, node->size, node->encoding);
	case BTF_KIND_FWD:
		return btf__add_fwd(btf, node->name,
				    node->encoding ? BTF_FWD_UNION : BTF_FWD_STRUCT);
	case BTF_KIND_FUNC_PROTO:
		return btf__add_func_proto(btf, node->ref);
	}
	return -EINVAL;
}

int vg_graph_to_btf(const struct vg_graph *graph, struct btf **out)
{
	struct btf *btf = btf__new_empty();
	int err = 0, type;
	size_t i;

	*out = NULL;
	if (!btf)
		return -errno;
	btf__set_pointer_size(btf, 8);
	for (i = 0; i < graph->nr && !err; i++) {
		type = write_head(btf, graph, &graph->nodes[i]);
		if (type < 0 || (size_t)type != i + 1)
			err = type < 0 ? type : -EINVAL;
		else
			err = write_members(btf, &graph->nodes[i]);
		if (!err && graph->nodes[i].kind == BTF_KIND_ENUM)
			mark_signed(btf, type, graph->nodes[i].encoding);
	}
	if (err)
		btf__free(btf);
	else
		*out = btf;
	return err;
}

struct enumerator {
	const char *name;
	int generation;
};

static int cmp_enumerator(const void *a, const void *b)
{
	const struct enumerator *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool is_enum(const struct vg_node *node)
{
	return node->kind == BTF_KIND_ENUM || node->kind == BTF_KIND_ENUM64;
}

static size_t collect_enumerators(const struct vg_graph *graph, struct enumerator *all)
{
	size_t i, j, nr = 0;

	for (i = 0; i < graph->nr; i++) {
		const struct vg_node *node = &graph->nodes[i];

		for (j = 0; is_enum(node) && j < node->nr_members; j++, nr++)
			if (all)
				all[nr] = (struct enumerator){ node->members[j].name,
							       node->generation };
	}
	return nr;
}

const char *vg_graph_clash(const struct vg_graph *graph)
{
	size_t nr = collect_enumerators(graph, NULL), i;
	struct enumerator *all = calloc(nr + 1, sizeof(*all));
	const char *clash = NULL;

	if (!all)
		return NULL;
	collect_enumerators(graph, all);
	qsort(all, nr, sizeof(*all), cmp_enumerator);
	for (i = 1; i < nr && !clash; i++)
		if (!strcmp(all[i - 1].name, all[i].name) &&
		    all[i - 1].generation != all[i].generation)
			clash = all[i].name;
	free(all);
	return clash;
}
