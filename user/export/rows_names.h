/* SPDX-License-Identifier: GPL-2.0 */
/* Names in rows, remembered: a look-up costs more than the rest of the row. */
#ifndef KVMSCHED_ROWS_NAMES_H
#define KVMSCHED_ROWS_NAMES_H

#include "names.h"

#define ROWS_NAME 192

struct rows_memo;

struct rows_names {
	struct ks_names *names; /* borrowed */
	struct rows_memo *syms, *tasks;
	char (*label)[ROWS_NAME]; /* by VM: its name, with its PID if another one has the same */
	uint32_t nvms;
};

/* 0 or -ENOMEM; free it in any case. */
int rows_names_init(struct rows_names *n, struct ks_names *names, const struct ks_vm *vms,
		    uint32_t nvms);
void rows_names_free(struct rows_names *n);

/*
 * "do_dup2+0x1a" and "contend"; NULL if not known, or for 0. Valid until two more have been asked
 * for after it.
 */
const char *rows_symbol(struct rows_names *n, uint32_t vm, uint64_t addr);
const char *rows_comm(struct rows_names *n, uint32_t vm, uint32_t pid);
/* NULL for KS_NO_VCPU. */
const char *rows_label(const struct rows_names *n, uint32_t vm);

#endif /* KVMSCHED_ROWS_NAMES_H */
