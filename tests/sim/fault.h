/* SPDX-License-Identifier: GPL-2.0 */
/* Spoils what the analysis said, to see that the check notices. */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "run.h"

/* Name of fault i, NULL behind the last; *scenario: a kind of world in which it must show. */
const char *fault_name(unsigned int i, const char **scenario);
void fault_apply(struct run *r, const char *name);

#endif /* SIM_FAULT_H */
