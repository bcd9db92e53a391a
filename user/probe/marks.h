/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a policy does, recorded: finds the programs of a policy among those that the kernel has
 * loaded, and attaches to their functions for that (bpf/boost_marks.bpf.h). Internal to probe/.
 */
#ifndef KVMSCHED_MARKS_H
#define KVMSCHED_MARKS_H

#include <stdint.h>

struct bpf_link;
struct ple_trace_bpf;

#define KS_MARKS_MAX 16u /* functions at a time; a policy has three */

struct ks_marks {
	const struct ple_trace_bpf *host; /* whose rings and slots are used; loaded */
	uint32_t seen;			  /* programs up to this id have been looked at */
	unsigned int n;
	struct bpf_link *link[KS_MARKS_MAX];
	int prog[KS_MARKS_MAX]; /* file descriptors */
	uint64_t unseen;	/* marks missed by those that are gone */
	int error;		/* the last one, 0 if all could be attached */
	char why[160];		/* in words */
};

/* Attach to what is new, let go what has ended. At the start, and once a second. */
void ks_marks_step(struct ks_marks *m);
/* Marks that the kernel left out, for it does not run a program in an interrupt of itself. */
uint64_t ks_marks_unseen(const struct ks_marks *m);
void ks_marks_release(struct ks_marks *m);

#endif /* KVMSCHED_MARKS_H */
