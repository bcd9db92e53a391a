// SPDX-License-Identifier: GPL-2.0
/* What a scene takes from an analysis. */
#include <errno.h>
#include <stdlib.h>

#include "plot.h"

int ks_scene_begin(struct ks_scene *s, const struct ks_analysis *a)
{
	struct ks_scene_world w = { 0 };

	w.vms = ks_analysis_vms(a, &w.nvms);
	w.vcpus = ks_analysis_vcpus(a, &w.nvcpus);
	return ks_scene_begin_world(s, &w);
}

int ks_scene_finish(struct ks_scene *s, const struct ks_analysis *a)
{
	struct ks_scene_world w = { 0 };
	uint64_t *lost;
	int err;

	w.vms = ks_analysis_vms(a, &w.nvms);
	w.vcpus = ks_analysis_vcpus(a, &w.nvcpus);
	lost = calloc(w.nvms + 1, sizeof(*lost));
	if (!lost)
		return -ENOMEM;
	for (uint32_t i = 0; i < w.nvms; i++)
		lost[i] = ks_analysis_vm_totals(a, i)->lost_records;
	w.lost = lost;
	err = ks_scene_finish_world(s, &w);
	free(lost);
	return err;
}
