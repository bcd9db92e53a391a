/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The picture: a lane per vCPU with its states behind, PLE exits as ticks, waits and holds with
 * the colour of their verdict. As SVG for paper and README, as one HTML file for exploring.
 *
 * A scene is collected from the analysis's callbacks, then drawn; it owns what it is given.
 */
#ifndef KVMSCHED_PLOT_H
#define KVMSCHED_PLOT_H

#include <stdint.h>
#include <stdio.h>

#include "analyze.h"

struct ks_scene_opts {
	uint64_t from, to;   /* ns on the common clock; 0, 0 = everything */
	uint64_t lock;       /* only waits and holds of this lock; 0 = all */
	const char *vcpus;   /* list of vCPU ids such as "0,2-3"; NULL = all */
	const char *title;
	const char *vm;      /* name of the VM drawn; NULL = the first */
	/* Name of a guest address ("do_dup2+0x1a"), into buf; may be NULL. */
	const char *(*sym)(void *ctx, uint32_t vm, uint64_t addr, char *buf, size_t len);
	void *sym_ctx;
	size_t max_items; /* more than this: fold neighbours and say so; 0 = 200,000 */
};

struct ks_scene;

int ks_scene_new(struct ks_scene **s, const struct ks_scene_opts *opts);
/* Hook the scene's collectors into ops (wait, hold, segment, ple; sets ctx). */
void ks_scene_ops(struct ks_scene *s, struct ks_analysis_ops *ops);
/* After the analysis ended: lanes, names, limits. */
int ks_scene_finish(struct ks_scene *s, const struct ks_analysis *a);
void ks_scene_free(struct ks_scene *s);

/* 0 or -errno (of the stream). */
int ks_scene_svg(const struct ks_scene *s, FILE *out);
int ks_scene_html(const struct ks_scene *s, FILE *out);

#endif /* KVMSCHED_PLOT_H */
