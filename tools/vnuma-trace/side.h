/* SPDX-License-Identifier: GPL-2.0 */
/* Are we in a guest, or on a host of guests? */
#ifndef KVMSCHED_VNUMA_TRACE_SIDE_H
#define KVMSCHED_VNUMA_TRACE_SIDE_H

#include <stdbool.h>

#define SIDE_OPTION(key)                                                                           \
	{ "side",                                                                                  \
	  key,                                                                                     \
	  "guest|host",                                                                            \
	  0,                                                                                       \
	  "which side this machine is (a host if VMs run here, or it is none itself)",             \
	  0 }

enum side { SIDE_NOT_SAID, SIDE_GUEST, SIDE_HOST };

/* The argument of --side; ends with a usage error if it is none. */
enum side side_parse(const char *arg);

/* What was said, else what this machine is: a host of VMs, else what its hypervisor flag says. */
enum side side_of(enum side said);

#endif /* KVMSCHED_VNUMA_TRACE_SIDE_H */
