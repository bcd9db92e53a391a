/* SPDX-License-Identifier: GPL-2.0 */
/* A recording on a host: its VMs' vCPUs, and where their memory lies. */
#ifndef KVMSCHED_HOSTSIDE_H
#define KVMSCHED_HOSTSIDE_H

#include <stdint.h>

#include "filter.h"
#include "probe.h"
#include "record.h"

struct hostside_opts {
	const char *tool; /* that records, for the metadata */
	const struct record_opts *rec;
	struct vm_filter vms;
	struct ks_host_opts host; /* filter, ring size and policies are filled in */
	uint64_t memory_ns;	  /* between samples of where memory lies; 0 = none */
};

/* much: how often by default, in parentheses */
#define HOSTSIDE_MEMORY(key, much)                                                                 \
	{ "memory", key, "TIME", 0, "look every TIME on which nodes the VMs' memory lies " much, 0 }

/* The argument of --memory; ends with a usage error if it is none. */
void hostside_memory(const char *arg, uint64_t *ns);

/* Exit code of the program. */
int hostside_record(struct hostside_opts *o);

#endif /* KVMSCHED_HOSTSIDE_H */
