/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The picture of virtual NUMA: a lane per vCPU, by the node that the guest believes it to be on, with
 * the node where its host runs it; threads that change their CPU, and idle vCPUs wasted meanwhile.
 *
 * A scene is collected while the analysis runs; its memory is bounded by max_items and the number of
 * lanes.
 */
#ifndef KVMSCHED_VNUMA_PLOT_H
#define KVMSCHED_VNUMA_PLOT_H

#include <stdint.h>
#include <stdio.h>

#include "vnuma.h"

struct ks_vscene_opts {
	uint64_t from, to; /* ns on the common clock, from < to */
	const char *vcpus; /* list of vCPU ids such as "0,2-3"; NULL = all */
	const char *title;
	const char *vm; /* VM drawn, by name or pid; NULL = the first one with a guest's trace */
	/* Name of a guest thread, into buf; NULL from it or no callback: the number alone. */
	const char *(*task)(void *ctx, uint32_t vm, uint32_t pid, char *buf, size_t len);
	void *task_ctx;
	size_t max_items;	 /* more than this: fold neighbours and say so; 0 = 200,000 */
	uint64_t clock_error_ns; /* bound on the error of the guest's times; 0 = not known */
	struct ks_err *err;	 /* why a call failed; outlives them; or NULL */
};

struct ks_vscene;

/* -EINVAL: the vCPU list or the range of time is none; -ENOMEM. The strings must outlive it. */
int ks_vscene_new(struct ks_vscene **out, const struct ks_vscene_opts *opts);
void ks_vscene_free(struct ks_vscene *s);

/* Hook the scene, and v with it, into ops (segment, event; sets ctx), before the analysis is made. */
void ks_vscene_ops(struct ks_vscene *s, struct ks_vnuma *v, struct ks_analysis_ops *ops);
/* Once v knows its VMs and guests, before the first event. -ENOENT: there is no such VM or vCPU. */
int ks_vscene_begin(struct ks_vscene *s, const struct ks_analysis *a);
/* After ks_vnuma_end(). -ENODATA: nothing to draw; -ENOMEM also if a callback had none before. */
int ks_vscene_finish(struct ks_vscene *s);

/* The bound that opts.clock_error_ns was not known for yet; any time before drawing. */
void ks_vscene_clock_error(struct ks_vscene *s, uint64_t ns);

/* 0 or -errno (of the stream). */
int ks_vscene_svg(const struct ks_vscene *s, FILE *out);
int ks_vscene_html(const struct ks_vscene *s, FILE *out);

/* What is in the picture, for a line on the terminal and for tests. */
struct ks_vscene_stats {
	uint64_t from, to; /* ns on the common clock */
	uint32_t lanes;
	uint64_t segments, migrations, passed, overloaded; /* drawn one by one or folded */
	uint64_t away_ns, running_ns, wasted_ns;	   /* in the picture */
	uint64_t segment_cell_ns, migration_cell_ns; /* closer than this was merged; 0 = none was */
	uint64_t folded_cases;			     /* not drawn: the cheapest */
};
/* After finish(). */
void ks_vscene_stats(const struct ks_vscene *s, struct ks_vscene_stats *st);

#endif /* KVMSCHED_VNUMA_PLOT_H */
