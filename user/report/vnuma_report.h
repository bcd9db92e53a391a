/* SPDX-License-Identifier: GPL-2.0 */
/* The report on virtual NUMA, as text for people and as JSON (docs/vnuma.md, docs/schema/vnuma.json). */
#ifndef KVMSCHED_VNUMA_REPORT_H
#define KVMSCHED_VNUMA_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "names.h"
#include "session.h"
#include "vnuma.h"

struct ks_vnuma_report {
	const struct ks_session *s; /* run */
	const struct ks_vnuma *v;   /* ended */
	struct ks_names *names;	    /* of threads */
};

/* Between ks_session_start() and ks_session_run(): v takes up the session's VMs. 0 or -ENOMEM. */
int ks_vnuma_session(struct ks_vnuma *v, const struct ks_session *s);

/* 0 or -errno of the stream. */
int ks_vnuma_text(const struct ks_vnuma_report *r, FILE *out);
int ks_vnuma_json(const struct ks_vnuma_report *r, bool compact, FILE *out);

#endif /* KVMSCHED_VNUMA_REPORT_H */
