/* SPDX-License-Identifier: GPL-2.0 */
/* Strings that are written once and named by number from then on. */
#ifndef KVMSCHED_PERFETTO_INTERN_H
#define KVMSCHED_PERFETTO_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_intern {
	char **name;	  /* by number - 1 */
	uint32_t *place;  /* hash table: number, 0 = free */
	uint32_t n, size; /* strings; places, a power of two */
};

/*
 * The number of a string, from 1 on; *fresh if it is a new one. The copy lives until
 * pf_intern_clear(). 0 without memory.
 */
uint32_t pf_intern(struct pf_intern *t, const char *s, bool *fresh);
/* Forget all; the numbers begin again. */
void pf_intern_clear(struct pf_intern *t);

#endif /* KVMSCHED_PERFETTO_INTERN_H */
