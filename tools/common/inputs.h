/* SPDX-License-Identifier: GPL-2.0 */
/* Commands that read traces: their common options, and the way from files to an analysis. */
#ifndef KVMSCHED_INPUTS_H
#define KVMSCHED_INPUTS_H

#include <argp.h>

#include "names.h"
#include "session.h"

struct inputs {
	struct ks_session_opts files;
	struct ks_names_opts names;
	struct ks_analysis_opts analysis;
	char **args; /* HOST.kvs GUEST.kvs... */
	int nargs;
};

/* --vm, --guest-kallsyms, --guest-vmlinux, --burst-gap, files; its input: inputs. */
extern const struct argp inputs_argp;

/* The first of the files is a host's, the others are its guests'. */
void inputs_host_and_guests(struct inputs *in);

/* An opened session with its names, before the analysis runs. */
struct opened {
	struct ks_session *session;
	struct ks_names *names;
};

/* Make o->names, so that callbacks can be given it; they have names once the analysis runs. */
int inputs_names(struct opened *o, const struct inputs *in, struct ks_err *err);
/* Open the files of `in` and begin the analysis. 0 or -errno with err; close it in any case. */
int inputs_open(struct opened *o, const struct inputs *in, const struct ks_analysis_ops *ops,
		struct ks_err *err);
/* Run it, with SIGINT and SIGTERM ending it early; -ECANCELED then. */
int inputs_run(struct opened *o, struct ks_err *err);
/* The same, with a look in between: on the progress, and at what may end it early. */
int inputs_watch(struct opened *o, const struct ks_session_watch *w, struct ks_err *err);
/* Set by these signals, for loops that do without a session. After inputs_catch(). */
extern volatile int inputs_stop;
void inputs_catch(void);
void inputs_close(struct opened *o);

#endif /* KVMSCHED_INPUTS_H */
