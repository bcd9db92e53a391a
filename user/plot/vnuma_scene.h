/* SPDX-License-Identifier: GPL-2.0 */
/* What a scene of virtual NUMA holds; for the files of this directory only. */
#ifndef KVMSCHED_VNUMA_SCENE_H
#define KVMSCHED_VNUMA_SCENE_H

#include "scene.h"
#include "vnuma_plot.h"

#define VS_NODES 8 /* that are told apart in the picture; the others are one kind */
#define VS_NONE UINT32_MAX

/* What a stretch of a vCPU is: running on node 0 to 7, or one of these. */
enum vs_kind {
	VS_OTHER_NODE = VS_NODES, /* running on a higher one */
	VS_NOWHERE,		  /* running, the node is not known */
	VS_RUNNABLE,
	VS_HALTED,
	VS_BLOCKED,
	VS_UNKNOWN,
	VS_KINDS,
	VS_MIXED = VS_KINDS, /* several stretches folded into one */
};

struct vs_seg {
	uint64_t from, to;
	uint32_t lane;
	int8_t node; /* running: KS_VN_NODES at most, else -1 */
	uint8_t kind;
	float ns[VS_KINDS]; /* if VS_MIXED */
};

struct vs_move {	   /* of guest threads: one, or several of a kind that lie close together */
	uint64_t from, to; /* of the first and the last */
	uint32_t a, b;	   /* lanes, VS_NONE: not in the picture */
	uint32_t tid;	   /* of the last */
	uint32_t count;
	uint8_t by;
};

struct vs_case {
	struct ks_vnuma_case c;
	uint32_t lane, other; /* other: the lane of the idle CPU */
	bool overloaded;
};

struct vs_waste {
	uint64_t from, to;
	float ns; /* vCPU time */
};

struct vs_lane {
	uint32_t vcpu, vcpu_id;
	int32_t guest_cpu, believed, home; /* home: the node of the host that this stands for */
	uint64_t ns[VS_KINDS], away_ns;
	size_t seg0, seg1;
};

struct ks_vscene {
	struct ks_vscene_opts opts;
	struct ks_vcpulist list;
	struct ks_vnuma *v;
	const struct ks_analysis *a;
	int error; /* of a callback */
	uint32_t vm;
	struct vs_lane *lanes;
	uint32_t nlanes;
	uint32_t *lane_of; /* by vCPU index */
	uint32_t nlane_of;
	struct sc_vec segs, moves, cases, wastes;
	uint64_t seg_cell, move_cell, waste_cell;
	uint64_t nsegs, npassed, noverloaded, folded_cases, wasted_ns;
	uint64_t moves_by[KS_VN_CAUSES], node_moves;
};

static inline struct vs_seg *vs_segs(const struct ks_vscene *s)
{
	return s->segs.v;
}
static inline struct vs_move *vs_moves(const struct ks_vscene *s)
{
	return s->moves.v;
}
static inline struct vs_case *vs_cases(const struct ks_vscene *s)
{
	return s->cases.v;
}
static inline struct vs_waste *vs_wastes(const struct ks_vscene *s)
{
	return s->wastes.v;
}

/* Does a stretch of this kind (of this node, if one is known) lie away from the lane's home? */
static inline bool vs_away(const struct vs_lane *l, unsigned int kind, int node)
{
	if (l->home < 0 || kind > VS_OTHER_NODE)
		return false;
	if (node >= 0)
		return node != l->home;
	return kind == VS_OTHER_NODE ? l->home < VS_NODES : (int32_t)kind != l->home;
}

/* From one of the guest's nodes to another: of both lanes it must be known. */
static inline bool vs_crosses(const struct ks_vscene *s, uint32_t a, uint32_t b)
{
	return a != VS_NONE && b != VS_NONE && s->lanes[a].believed >= 0 &&
	       s->lanes[b].believed >= 0 && s->lanes[a].believed != s->lanes[b].believed;
}

/* A node of the guest on a lane and the next: does a new group begin? */
static inline bool vs_new_group(const struct ks_vscene *s, uint32_t lane)
{
	return !lane || s->lanes[lane].believed != s->lanes[lane - 1].believed;
}

/* Fold what has too much of max_items. vnuma_fold.c */
int vs_fold(struct ks_vscene *s);
/* Merge moves of one cause between the same two lanes within a cell; how many are left. */
size_t vs_merge_moves(struct vs_move *v, size_t n, uint64_t cell);
/* In the order of lanes and times. */
void vs_sort_segs(struct ks_vscene *s);

/* Lines of text, the same in both pictures; plain, to be escaped. */
void vs_caption(const struct ks_vscene *s, FILE *f);
void vs_story(const struct ks_vscene *s, FILE *f);
void vs_foot(const struct ks_vscene *s, FILE *f);
const char *vs_title(const struct ks_vscene *s);
/* "node 1 of the guest, for node 0 of the host" */
void vs_group_name(const struct ks_vscene *s, const struct vs_lane *l, char *buf, size_t len);

#endif /* KVMSCHED_VNUMA_SCENE_H */
