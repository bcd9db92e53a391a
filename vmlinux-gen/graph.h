/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The selected types as a graph of our own: BTF can only be appended to, and a struct must be known
 * by its number before its members are. Node i becomes BTF type i + 1 when the graph is written.
 */
#ifndef VG_GRAPH_H
#define VG_GRAPH_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "list.h"

struct btf;

struct vg_member {
	char *name; /* NULL: anonymous, or a parameter without a name */
	int type;   /* type number, 0 = void */
	__u32 bit_off;
	__u32 bit_size; /* 0: not a bitfield */
	__s64 value;	/* enumerators: the value */
};

struct vg_node {
	int kind;	/* BTF_KIND_*; FWD until somebody needs the definition */
	char *name;	/* NULL: anonymous */
	int ref;	/* what it points to, is an alias of, is an array of, returns */
	__u32 size;	/* bytes; arrays: the number of elements */
	__u32 encoding; /* of an INT; of an ENUM(64) 1 = signed; of a FWD 1 = union */
	struct vg_member *members;
	size_t nr_members;
	bool defined;	/* reached by value: what it refers to must be complete */
	bool trimmed;	/* members were left out, so offsets mean nothing in C */
	int generation; /* enums: of the source it was taken from */
};

struct vg_graph {
	struct vg_node *nodes;
	size_t nr;
	size_t room;
};

/* One BTF to choose from. All sources of one generation are one kernel: image and modules. */
struct vg_source {
	const struct btf *btf;
	int generation; /* 0 = the newest kernel; the lowest that has a type wins */
};

/*
 * Collect what the list selects from the sources. Inside a generation the definition with the most
 * members wins, then the earlier source, so the order of different generations does not matter,
 * only their numbers. What is absent everywhere is left with found == false in the list.
 * 0, -ENOMEM, or -EINVAL for BTF that contradicts itself. Free with vg_graph_free().
 */
int vg_graph_pick(struct vg_graph *graph, const struct vg_source *sources, size_t nr_sources,
		  struct vg_list *list);

/*
 * Give trimmed structs, and those that contain them by value, the offsets and sizes a C compiler
 * would give them, so that no padding has to be printed for what was left out.
 */
int vg_graph_layout(struct vg_graph *graph);

/*
 * The name of an enumerator that enums of two generations define, or NULL: in C they would collide,
 * so the list should not ask for both enums. Valid as long as the graph is.
 */
const char *vg_graph_clash(const struct vg_graph *graph);

/* Write the graph as BTF; the caller frees it with btf__free(). */
int vg_graph_to_btf(const struct vg_graph *graph, struct btf **out);

/* Add a node and return its type number, or -ENOMEM. The name is copied. */
int vg_graph_add(struct vg_graph *graph, int kind, const char *name);

/* The node of a type number (> 0). */
static inline struct vg_node *vg_graph_node(const struct vg_graph *graph, int type)
{
	return &graph->nodes[type - 1];
}

/* Add a member; the name is copied, NULL or "" means none. Returns the member or NULL. */
struct vg_member *vg_node_add_member(struct vg_node *node, const char *name);

void vg_graph_free(struct vg_graph *graph);

#endif
