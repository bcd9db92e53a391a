// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "reader_priv.h"

struct ks_merge {
	struct ks_mux *mux;
	unsigned int sources;
};

int ks_merge_new(struct ks_merge **out)
{
	struct ks_merge *m = calloc(1, sizeof(*m));

	if (m)
		m->mux = ks_mux_new();
	if (!m || !m->mux) {
		free(m);
		return -ENOMEM;
	}
	*out = m;
	return 0;
}

int ks_merge_add(struct ks_merge *m, struct ks_reader *r, ks_map_fn map, void *ctx)
{
	int ret = ks_mux_add(m->mux, &r->ctl, map, ctx, m->sources);

	for (uint32_t i = 0; i < r->header.rings && !ret; i++)
		if (r->stream[i])
			ret = ks_mux_add(m->mux, r->stream[i], map, ctx, m->sources);
	return ret ? ret : (int)m->sources++;
}

int ks_merge_next(struct ks_merge *m, struct ks_event *ev, struct ks_err *err)
{
	return ks_mux_next(m->mux, ev, err);
}

void ks_merge_free(struct ks_merge *m)
{
	if (!m)
		return;
	ks_mux_free(m->mux);
	free(m);
}
