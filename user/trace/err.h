/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMSCHED_TRACE_ERR_H
#define KVMSCHED_TRACE_ERR_H

#include "trace.h"

/* Fill err (may be NULL) and return code: `return ks_fail(err, -EINVAL, "%s: ...", path);` */
int ks_fail(struct ks_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* KVMSCHED_TRACE_ERR_H */
