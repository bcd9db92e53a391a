/* SPDX-License-Identifier: GPL-2.0 */
/* What the analysis said, against the truth. */
#ifndef SIM_COMPARE_H
#define SIM_COMPARE_H

#include "run.h"
#include "sim.h"
#include "truth.h"

struct score {
	uint64_t waits, right;	   /* waits whose verdict counts, and of these right ones */
	uint64_t doubtful;	   /* of them, those that losses may have touched */
	uint64_t raced;		   /* left out: stopped between an operation and its stamp */
	uint64_t missing, phantom; /* not reported; reported and never were */
	uint64_t false_claims;	   /* a wrong class where records were lost */
	uint64_t guesses;	   /* a class that the records left cannot tell */
	uint64_t ple_wrong;	   /* waits whose PLE exits are wrong */
	uint64_t blame_wrong;	   /* waits that blame another vCPU */
	uint64_t clock_worst;	   /* error of the map from the guest's clock, ns */
	uint64_t clock_wrong;	   /* waits where it was larger than its stated bound */
	double ns, ns_right;	   /* waiting time, and of it right within the clocks' error */
	double ns_strict;	   /* the same without any allowance */
	double ns_unknown;	   /* of it, said to be unknown */
	uint64_t confusion[KS_C_WAIT_MAX][KS_C_WAIT_MAX]; /* [truth][analysis] */
	int totals_wrong;
	bool verbose, quiet;
};

void compare_waits(struct score *s, const struct world *w, const struct run *r);
/* Adds to totals_wrong what does not agree; prints it. */
void compare_totals(struct score *s, const struct world *w, const struct run *r);

/* The analysis's number of a vCPU of the world. */
const struct run_vcpu *compare_vcpu(const struct run *r, const struct vcpu *v);
const struct run_vm *compare_vm(const struct run *r, const struct vm *vm);

#endif /* SIM_COMPARE_H */
