/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The picture: a lane per vCPU with its states behind, PLE exits as ticks, waits and holds with
 * the colour of their verdict. As SVG for paper and README, as one HTML file for exploring.
 *
 * A scene is collected from the analysis's callbacks, then drawn; it owns what it is given.
 */
#ifndef KVMSCHED_PLOT_H
#define KVMSCHED_PLOT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "analyze.h"

struct ks_scene_opts {
	uint64_t from, to; /* ns on the common clock; 0, 0 = everything; to = 0: to the end */
	uint64_t lock;	   /* only waits and holds of this lock; 0 = all */
	const char *vcpus; /* list of vCPU ids such as "0,2-3"; NULL = all */
	const char *title;
	const char *vm; /* VM drawn, by name or pid; NULL = the first one with waits */
	uint32_t pid; /* without vm: that of the VM drawn, which may lack some of vcpus; 0 = any */
	/* Name of a guest address ("do_dup2+0x1a"), into buf; may be NULL. */
	const char *(*sym)(void *ctx, uint32_t vm, uint64_t addr, char *buf, size_t len);
	void *sym_ctx;
	size_t max_items; /* more than this: fold neighbours and say so; 0 = 200,000 */
	/* Name of a guest thread, into buf; NULL from it or no callback: the number alone. */
	const char *(*task)(void *ctx, uint32_t vm, uint32_t pid, char *buf, size_t len);
	void *task_ctx;
	uint64_t clock_error_ns; /* bound on the error of the guest's times; 0 = not known */
	struct ks_err *err;	 /* why new(), begin() or finish() failed; outlives them; or NULL */
};

struct ks_scene;

/* -EINVAL: the vCPU list or the range of time is none; -ENOMEM. */
int ks_scene_new(struct ks_scene **out, const struct ks_scene_opts *opts);
/* Hook the scene's collectors into ops (wait, hold, segment, ple; sets ctx). */
void ks_scene_ops(struct ks_scene *s, struct ks_analysis_ops *ops);
/*
 * Optional, before the first event: tell the vCPUs, so that what vm and vcpus leave out takes no
 * room in memory. -ENOENT: there is no such VM or vCPU.
 */
int ks_scene_begin(struct ks_scene *s, const struct ks_analysis *a);
/* Would this wait be in the picture? After begin(), whether or not the scene collects. */
bool ks_scene_wants(const struct ks_scene *s, const struct ks_wait *w);
/*
 * After the analysis ended: lanes, names, limits. -ENOENT as above, -ENODATA: nothing to draw,
 * -ENOMEM also if a callback had no memory before.
 */
int ks_scene_finish(struct ks_scene *s, const struct ks_analysis *a);
/* The bound that opts.clock_error_ns was not known for yet; any time before drawing. */
void ks_scene_clock_error(struct ks_scene *s, uint64_t ns);
void ks_scene_free(struct ks_scene *s);

/* What begin() and finish() take from an analysis, for whoever has the events but none. */
struct ks_scene_world {
	const struct ks_vm *vms;
	uint32_t nvms;
	const struct ks_vcpu *vcpus; /* indexed as in the callbacks */
	uint32_t nvcpus;
	const uint64_t *lost; /* lost records by VM; NULL = none */
};
int ks_scene_begin_world(struct ks_scene *s, const struct ks_scene_world *w);
int ks_scene_finish_world(struct ks_scene *s, const struct ks_scene_world *w);

/* 0 or -errno (of the stream). */
int ks_scene_svg(const struct ks_scene *s, FILE *out);
int ks_scene_html(const struct ks_scene *s, FILE *out);

/* What is in the picture, for a line on the terminal and for tests. */
struct ks_scene_stats {
	uint64_t from, to; /* ns on the common clock */
	uint32_t lanes;
	uint64_t waits, holds, ples, segments; /* all of them: drawn one by one or folded */
	uint64_t folded_waits, folded_holds;   /* drawn as density only */
	uint64_t ple_cell_ns, segment_cell_ns; /* closer than this was merged; 0 = nothing was */
	uint64_t lost;
};
/* After finish(). */
void ks_scene_stats(const struct ks_scene *s, struct ks_scene_stats *st);

#endif /* KVMSCHED_PLOT_H */
