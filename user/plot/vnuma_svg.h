/* SPDX-License-Identifier: GPL-2.0 */
/* What the files that write the SVG of virtual NUMA share. */
#ifndef KVMSCHED_VNUMA_SVG_H
#define KVMSCHED_VNUMA_SVG_H

#include "svg.h"
#include "vnuma_scene.h"

struct vsvg {
	struct svg g; /* first: callbacks get it; its scene is none */
	const struct ks_vscene *s;
	double lane_h;
	double *lane_y;
};

static inline const struct vsvg *vsvg_of(const struct svg *g)
{
	return (const struct vsvg *)g;
}

int vsvg_lane(struct vsvg *v, uint32_t lane); /* vnuma_svg_lane.c: states and drift; 0 or -ENOMEM */
int vsvg_moves(struct vsvg *v);		      /* vnuma_svg_marks.c: arrows; 0 or -ENOMEM */
void vsvg_cases(struct vsvg *v);

#endif /* KVMSCHED_VNUMA_SVG_H */
