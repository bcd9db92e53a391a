/* SPDX-License-Identifier: GPL-2.0 */
/* The two sides of `vnuma-trace top`. */
#ifndef KVMSCHED_VNUMA_TRACE_TOP_H
#define KVMSCHED_VNUMA_TRACE_TOP_H

#include "filter.h"
#include "toploop.h"

/* Exit codes of the program. */
int top_guest(struct toploop *loop);
int top_host(struct toploop *loop, struct vm_filter *vms);

#endif /* KVMSCHED_VNUMA_TRACE_TOP_H */
