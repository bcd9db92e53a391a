/* SPDX-License-Identifier: GPL-2.0 */
/* sched_ext on this machine: is it there, is it free? */
#ifndef KVMSCHED_SCX_H
#define KVMSCHED_SCX_H

#include <stddef.h>

#include "trace.h"

enum ks_scx_state { KS_SCX_NONE, KS_SCX_FREE, KS_SCX_USED };

/*
 * root: prefix of /sys, see text.h. ops[size]: name of the scheduler that is loaded, if one is.
 */
enum ks_scx_state ks_scx_state(const char *root, char *ops, size_t size);

/* 0 if a scheduler can be loaded; -ENODEV (the kernel has none), -EBUSY (one is loaded), + err. */
int ks_scx_free(const char *root, struct ks_err *err);

#endif /* KVMSCHED_SCX_H */
