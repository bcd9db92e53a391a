/* SPDX-License-Identifier: GPL-2.0 */
/* What a relocation that does not resolve means: an error, or nothing to worry about. */
#ifndef VG_VERDICT_H
#define VG_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

/* Names of functions, as shell patterns; the strings are borrowed. */
struct vg_globs {
	const char **all;
	bool *seen; /* has a function matched it? */
	size_t nr;
};

/* 0 or -ENOMEM. */
int vg_globs_add(struct vg_globs *g, const char *glob);
void vg_globs_free(struct vg_globs *g);
/* Does any match? Those that do are marked as seen. */
bool vg_globs_match(struct vg_globs *g, const char *function);
/* The first that has matched no function; NULL if all have. */
const char *vg_globs_unseen(const struct vg_globs *g);

struct vg_rules {
	struct vg_globs skips; /* functions left out */
	struct vg_globs
		required; /* programs that must resolve although libbpf calls them optional */
};

enum vg_verdict {
	VG_RESOLVED,
	VG_UNREACHED, /* cannot be resolved, in code that cannot run */
	VG_OPTIONAL,  /* cannot be resolved, in a program that need not be loaded */
	VG_BROKEN,    /* cannot be resolved, and it matters */
};

/* section: libbpf's, "?..." for optional programs. bad: not resolved. live: can be reached. */
enum vg_verdict vg_judge(struct vg_rules *rules, const char *section, const char *function,
			 bool bad, bool live);

#endif /* VG_VERDICT_H */
