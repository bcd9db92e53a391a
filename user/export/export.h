/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ways out: one pass over traces, written as files that other tools read. Each format is a
 * struct ks_exporter; several of them can share one pass.
 */
#ifndef KVMSCHED_EXPORT_H
#define KVMSCHED_EXPORT_H

#include "analyze.h"
#include "names.h"
#include "outfile.h"
#include "session.h"

/* What is exported. */
struct ks_export_input {
	/* The host's trace and its guests', analysed; NULL for a guest's trace alone. */
	const struct ks_session *session;
	/* A guest's trace without its host's, on its own clock; NULL if there is a session. */
	struct ks_reader *alone;
	struct ks_names *names; /* of the session's VMs; alone: of VM 0 */
	const char *vm;		/* only this VM was asked for; NULL = all */
	uint64_t from, to; /* ns on the common clock: nothing outside [from, to) is passed on */
	/* Set while an exporter writes: it may end early, with -ECANCELED. NULL = never. */
	const volatile int *stop;
};

/* What the formats can be told. */
struct ks_export_opts {
	const char *rows; /* kinds of rows to write, separated by commas; NULL = all */
};

/*
 * One format. The calls come in this order: open, configure, ops, begin, then the callbacks that `ops` has set (all
 * optional), finish, commit, close. Events carry src 0 for the host; a guest alone has src 1.
 * Callbacks cannot fail: an exporter keeps its first error, says so by failed(), and drops what
 * comes after it.
 */
struct ks_exporter {
	const char *name; /* as the option that asks for it: "perf" */
	const char *help; /* what it writes, for the option's help */
	bool guest_alone; /* it makes sense without a host's trace */
	/*
	 * It writes a folder of files: `out` has a path and nothing else, and to give the files and
	 * the folder their names is commit's part, to leave nothing behind without it close's.
	 */
	bool folder;
	/*
	 * Allocate *self; out is open, the caller's, and outlives it. What is written with
	 * ks_outfile_write() needs no failed(). 0 or -errno + err.
	 */
	int (*open)(void **self, struct ks_outfile *out, struct ks_err *err);
	/* Optional, after open: 0, or -EINVAL + err for what makes no sense. */
	int (*configure)(void *self, const struct ks_export_opts *opts, struct ks_err *err);
	/* Hook into the analysis; ops->ctx is to be `self`. */
	void (*ops)(void *self, struct ks_analysis_ops *ops);
	/* The session has started (its VMs and vCPUs are known), nothing was fed yet. */
	int (*begin)(void *self, const struct ks_export_input *in, struct ks_err *err);
	/* Optional: after finish, one line that the user should know of; NULL if there is none. */
	const char *(*warning)(const void *self);
	/* Optional: 0, or the -errno of what went wrong in a callback: the pass is ended. */
	int (*failed)(const void *self);
	/*
	 * Everything was fed; write what is left, so that nothing but a name can fail any more. The
	 * caller syncs `out`, and commits it when all outputs have got as far. 0 or -errno + err.
	 */
	int (*finish)(void *self, const struct ks_export_input *in, struct ks_err *err);
	/* Of a folder: give the names. 0 or -errno + err. */
	int (*commit)(void *self, struct ks_err *err);
	void (*close)(void *self);
};

/* All of them, ending with NULL. */
extern const struct ks_exporter *const ks_exporters[];

#endif /* KVMSCHED_EXPORT_H */
