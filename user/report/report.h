/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The report: results of one analysis, collected from its callbacks and totals, as text for people
 * and as JSON for programs (docs/report-json.md). Memory is bounded, whatever the trace.
 */
#ifndef KVMSCHED_REPORT_H
#define KVMSCHED_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "analyze.h"
#include "session.h"

KS_API_BEGIN

struct ks_report;

/* Zero-initialise it: 0 and NULL stand for the defaults. */
struct ks_report_opts {
	unsigned int worst; /* how many of the worst waits are told in full; 10, at most 1000 */
	unsigned int top;   /* rows in tables of locks, call sites, functions; 10, at most 1000 */
	/* Name of a guest address ("do_dup2+0x1a"), into buf; may be NULL. */
	const char *(*sym)(void *ctx, uint32_t vm, uint64_t addr, char *buf, size_t len);
	void *sym_ctx;
	/* Name of a guest thread, into buf; NULL from it or no callback: the number alone. */
	const char *(*task)(void *ctx, uint32_t vm, uint32_t pid, char *buf, size_t len);
	void *task_ctx;
};

/* 0 or -ENOMEM. */
int ks_report_new(struct ks_report **out, const struct ks_report_opts *o);
void ks_report_free(struct ks_report *r);

/* Between ks_session_start() and ks_session_run(): tell it the vCPUs. */
void ks_report_begin(struct ks_report *r, const struct ks_session *s);

/* Hook the report's collectors into ops (wait, hold, ple; sets ctx). */
void ks_report_ops(struct ks_report *r, struct ks_analysis_ops *ops);

/*
 * For whoever needs the callbacks for something else as well: what the hooks do; ctx: the report.
 */
void ks_report_wait(void *ctx, const struct ks_wait *w);
void ks_report_hold(void *ctx, const struct ks_hold *h);
void ks_report_ple(void *ctx, const struct ks_ple *p);

/*
 * After ks_session_run(): totals, losses, clocks. The session must outlive the report. 0 or
 * -ENOMEM (also if a callback had no memory before).
 */
int ks_report_finish(struct ks_report *r, const struct ks_session *s);

/* What a report is about; the rest is the same. */
enum ks_report_kind { KS_REPORT_LOCKS, KS_REPORT_PLE };

/* At most 100 columns; color: with ANSI colours. 0 or -errno of the stream. */
int ks_report_text(const struct ks_report *r, enum ks_report_kind kind, bool color, FILE *out);

/* One JSON object over n reports, in one line if compact. 0 or -errno. */
int ks_report_json(struct ks_report *const *r, size_t n, enum ks_report_kind kind, bool compact,
		   FILE *out);

KS_API_END

#endif /* KVMSCHED_REPORT_H */
