/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A plan: which VM has which CPUs of this host, and how much memory of each of its nodes. As words, on
 * a command line or in a file:
 *
 *	VM=cpus:LIST[,mem:NODE=SIZE]...[,first:CPU][,qmp:PATH]
 *	no-pin
 */
#ifndef KVMSCHED_SHARE_PLAN_H
#define KVMSCHED_SHARE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "cpus.h"

struct ks_err;

#define KS_PLAN_VMS 64u
#define KS_PLAN_NODES 64u

struct ks_plan_vm {
	char name[64];	     /* name, UUID or PID, as the user wrote it */
	struct ks_cpus cpus; /* of the host */
	uint32_t first;	     /* the host's CPU that vCPU 0 stands for; vCPU i: first + i */
	uint64_t mem
		[KS_PLAN_NODES]; /* bytes of the host's node, all of the VM's; UINT64_MAX: as it is */
	char qmp[108];		 /* socket; "" = look in the VMM's command line */
	int place;		 /* in the book, once ks_sharer_plan() has put it there */
};

struct ks_plan {
	bool no_pin; /* the affinity of vCPU threads is left alone */
	unsigned int n;
	struct ks_plan_vm vm[KS_PLAN_VMS];
};

/* An empty plan, free() it; NULL without memory. */
struct ks_plan *ks_plan_new(void);

/* Add one word. 0 or -EINVAL, -ERANGE, -E2BIG + err. */
int ks_plan_word(struct ks_plan *p, const char *word, struct ks_err *err);

/* Add a file: words and blanks, '#' begins a comment. err names file and line. */
int ks_plan_file(struct ks_plan *p, const char *path, struct ks_err *err);

/*
 * Is it one that can be applied: VMs, each with a CPU, none twice, no CPU of two? 0 or -EINVAL + err,
 * which names the CPU and both VMs.
 */
int ks_plan_check(const struct ks_plan *p, struct ks_err *err);

#endif /* KVMSCHED_SHARE_PLAN_H */
