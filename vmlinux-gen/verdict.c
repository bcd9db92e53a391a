// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>

#include "verdict.h"

int vg_globs_add(struct vg_globs *g, const char *glob)
{
	const char **all = reallocarray(g->all, g->nr + 1, sizeof(*all));
	bool *seen;

	if (!all)
		return -ENOMEM;
	g->all = all;
	seen = reallocarray(g->seen, g->nr + 1, sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	g->seen = seen;
	g->seen[g->nr] = false;
	g->all[g->nr++] = glob;
	return 0;
}

void vg_globs_free(struct vg_globs *g)
{
	free(g->all);
	free(g->seen);
	*g = (struct vg_globs){};
}

bool vg_globs_match(struct vg_globs *g, const char *function)
{
	bool any = false;
	size_t i;

	for (i = 0; i < g->nr; i++) {
		if (fnmatch(g->all[i], function, 0))
			continue;
		g->seen[i] = any = true;
	}
	return any;
}

const char *vg_globs_unseen(const struct vg_globs *g)
{
	size_t i;

	for (i = 0; i < g->nr; i++)
		if (!g->seen[i])
			return g->all[i];
	return NULL;
}

enum vg_verdict vg_judge(struct vg_rules *rules, const char *section, const char *function,
			 bool bad, bool live)
{
	if (!bad)
		return VG_RESOLVED;
	if (!live)
		return VG_UNREACHED;
	if (*section == '?' && !vg_globs_match(&rules->required, function))
		return VG_OPTIONAL;
	return VG_BROKEN;
}
