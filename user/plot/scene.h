/* SPDX-License-Identifier: GPL-2.0 */
/* What a scene holds; for the files of this directory only. */
#ifndef KVMSCHED_SCENE_H
#define KVMSCHED_SCENE_H

#include "plot.h"
#include "vcpulist.h"

#define SC_DEFAULT_MAX 200000
#define SC_LEAST_MAX 100
#define SC_STATES KS_V_GONE /* states that are drawn: unknown to blocked */
#define SC_MIXED KS_V_MAX   /* state of a segment that is several folded into one */
#define SC_MAX_LEVEL 3	    /* rows of waits in a lane, and of boxes in boxes */
#define SC_MAX_PCPUS 256
#define SC_MAX_VCPU 65535 /* index; what is beyond is no vCPU */

enum sc_link { SC_LINK_NONE, SC_LINK_HOLD, SC_LINK_WAIT };

struct sc_wait {
	struct ks_wait w;
	uint32_t lane;
	uint32_t link; /* index of the blamed hold, or of the blamed waiter's wait */
	uint8_t link_kind;
	uint8_t level; /* 0: no other wait around it */
};

struct sc_hold {
	struct ks_hold h;
	uint32_t lane;
	uint8_t level;
};

struct sc_seg {
	uint64_t from, to;
	uint32_t vcpu, lane;
	int32_t pcpu;
	uint8_t state;
	float ns[SC_STATES]; /* if SC_MIXED */
};

struct sc_ple {
	uint64_t from, to; /* of the first and the last exit */
	uint64_t ip;	   /* of the last */
	uint32_t vcpu, lane;
	uint32_t count;
	uint8_t class;
};

/* Many short waits or holds as one. */
struct sc_cell {
	uint64_t from, to;
	uint32_t vcpu, lane;
	uint32_t count, ple;
	float ns[KS_C_WAIT_MAX]; /* waits: by class; holds: all in [0] */
};

struct sc_vec {
	void *v;
	size_t n, cap, size; /* size of one */
};

/* Sums over everything that was collected of one vCPU, folded or not. */
struct sc_sums {
	uint64_t waits[KS_C_WAIT_MAX], wait_ns[KS_C_WAIT_MAX];
	uint64_t ple[KS_C_MAX];
	uint64_t ple_in_waits;	   /* so many of those */
	uint64_t holds, holds_off; /* holds; those during which the vCPU was off-CPU */
	uint64_t segments;
	uint64_t state_ns[SC_STATES];
	int32_t pcpu[SC_MAX_PCPUS]; /* where it ran, ascending */
	uint32_t npcpus;	    /* may be more than there is room for */
};

struct sc_lane {
	uint32_t vcpu; /* index of the analysis */
	uint32_t vcpu_id;
	int32_t guest_cpu;
	struct sc_sums sums;
	/* Ranges in the sorted arrays. */
	size_t wait0, wait1, hold0, hold1, seg0, seg1, ple0, ple1;
	size_t wcell0, wcell1, hcell0, hcell1;
};

struct ks_scene {
	struct ks_scene_opts opts; /* strings are our own copies */
	struct ks_vcpulist list;
	int error; /* of a callback */

	struct sc_vec waits, holds, segs, ples;	   /* struct sc_wait, ... */
	struct sc_vec wcells, hcells;		   /* struct sc_cell */
	uint64_t ple_cell, seg_cell, wcell, hcell; /* widths of folding, ns; 0 = not folded */
	uint64_t folded_waits, folded_holds;

	struct sc_sums *sums; /* by vCPU index */
	uint32_t nsums;
	uint8_t *skip; /* by vCPU index: not in this picture; NULL before begin() */
	uint32_t nskip;

	/* From finish() on. */
	struct sc_lane *lanes;
	uint32_t nlanes;
	struct sc_sums total;
	uint64_t t0, t1;
	uint32_t vm;
	char vm_name[64];
	uint32_t vm_tgid;
	uint64_t lost;
	bool guest;	     /* there is a guest's trace */
	unsigned int levels; /* rows of waits that the deepest lane needs, at least 1 */
};

static inline struct sc_wait *sc_waits(const struct ks_scene *s)
{
	return s->waits.v;
}
static inline struct sc_hold *sc_holds(const struct ks_scene *s)
{
	return s->holds.v;
}
static inline struct sc_seg *sc_segs(const struct ks_scene *s)
{
	return s->segs.v;
}
static inline struct sc_ple *sc_ples(const struct ks_scene *s)
{
	return s->ples.v;
}
static inline struct sc_cell *sc_wcells(const struct ks_scene *s)
{
	return s->wcells.v;
}
static inline struct sc_cell *sc_hcells(const struct ks_scene *s)
{
	return s->hcells.v;
}

/* A zeroed new element at the end, or NULL without memory. */
void *sc_vec_add(struct sc_vec *v);

/* Why a call failed, into err if there is one; returns code. */
int sc_fail(struct ks_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Fold what exceeds opts.max_items. fold.c */
int sc_fold(struct ks_scene *s);

/* By name first, else by PID; or -ENOENT. select.c */
int sc_find_vm(const struct ks_scene_world *w, const char *name, struct ks_err *err);
/* Every range of the list has a vCPU of this VM (-1: of any), or -ENOENT. */
int sc_check_ids(const struct ks_vcpulist *list, const struct ks_scene_world *w, int vm,
		 struct ks_err *err);

/* Mark the vCPUs that are not wanted; *vm is the VM drawn, if it is known. select.c */
int sc_select(struct ks_scene *s, const struct ks_scene_world *w);

/* The time of a wait in which another vCPU should have run and did not. */
uint64_t sc_blamed_ns(const struct ks_wait *w);

/* Of the waits that are drawn the one that others cost most; if none, the longest; or NULL. */
const struct sc_wait *sc_worst(const struct ks_scene *s);

/* All PLE exits of a lane or of the scene. */
uint64_t sc_sum_ple(const struct sc_sums *sums);
/* All waits, and the time in them. */
uint64_t sc_sum_waits(const struct sc_sums *sums);
uint64_t sc_sum_wait_ns(const struct sc_sums *sums);

/* One line when there is no wait to tell of. */
const char *sc_no_waits(const struct ks_scene *s);

/* Name of a guest address or thread, always something; into buf. */
const char *sc_sym(const struct ks_scene *s, uint64_t addr, char *buf, size_t len);
const char *sc_task(const struct ks_scene *s, uint32_t pid, char *buf, size_t len);

#endif /* KVMSCHED_SCENE_H */
