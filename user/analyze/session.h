/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The usual way from files to results: open a host trace and its guests' traces, find out which
 * guest is which VM, put all on the host's clock, merge, analyse.
 */
#ifndef KVMSCHED_SESSION_H
#define KVMSCHED_SESSION_H

#include <stddef.h>

#include "analyze.h"
#include "link.h"

KS_API_BEGIN

struct ks_session;

struct ks_session_opts {
	const char *host;	   /* path */
	const char *const *guests; /* each a path, or VM=PATH (name, UUID or PID of the VM) */
	size_t nguests;
	const char *vm; /* only this VM; guests of others are left out; NULL = all */
};

/* 0, or -errno and err: one line that says what is wrong and what to do. */
int ks_session_open(struct ks_session **out, const struct ks_session_opts *o, struct ks_err *err);
void ks_session_close(struct ks_session *s);

/*
 * Begin the analysis: opts.vm and opts.clock_error_ns are filled in by the session. From now on
 * ks_session_analysis() is there. Once per session.
 */
int ks_session_start(struct ks_session *s, const struct ks_analysis_opts *opts,
		     const struct ks_analysis_ops *ops, struct ks_err *err);
/* Looks in on a run. All optional. */
struct ks_session_watch {
	const volatile int *stop; /* set: end the analysis early (for a signal handler) */
	/*
	 * Each 65,536 events. ns of the trace done, of all; not 0: end the run with this -errno, err is filled in by
	 * the callback.
	 */
	int (*step)(void *ctx, uint64_t done, uint64_t all, struct ks_err *err);
	void *ctx;
};

/* Feed everything and end the analysis. watch may be NULL. 0 or -errno. */
int ks_session_run(struct ks_session *s, const struct ks_session_watch *watch, struct ks_err *err);

struct ks_analysis *ks_session_analysis(const struct ks_session *s);
struct ks_reader *ks_session_host(const struct ks_session *s);

/*
 * The guest trace of a VM (index into ks_analysis_vms()) and its link to the host; NULL if there
 * is none. After start. Borrowed.
 */
struct ks_reader *ks_session_guest(const struct ks_session *s, uint32_t vm);
const struct ks_link *ks_session_link(const struct ks_session *s, uint32_t vm);

KS_API_END

#endif /* KVMSCHED_SESSION_H */
