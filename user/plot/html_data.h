/* SPDX-License-Identifier: GPL-2.0 */
/* What is in a scene of spinlocks, for its page. */
#ifndef KVMSCHED_HTML_DATA_H
#define KVMSCHED_HTML_DATA_H

#include "html_pack.h"
#include "scene.h"

struct html_data {
	const struct ks_scene *s;
	struct html_pack p;
	struct html_intern syms, locks, tasks; /* filled by the writers; 0 is index 0 in each */
};

/* Each writes one string of base64, without quotes. */
void html_waits(struct html_data *d);
void html_holds(struct html_data *d);
void html_segs(struct html_data *d);
void html_ples(struct html_data *d);
void html_cells(struct html_data *d, const struct sc_vec *cells);

#endif /* KVMSCHED_HTML_DATA_H */
