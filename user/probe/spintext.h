/* SPDX-License-Identifier: GPL-2.0 */
/* Where this kernel has its spinlock functions. */
#ifndef KVMSCHED_SPINTEXT_H
#define KVMSCHED_SPINTEXT_H

#include "spin_text.h"

struct ks_symbols;

/* Both stay as they are if a function that every kernel has is not there. */
void ks_spin_text_in(const struct ks_symbols *s, struct ks_code_range spin[KS_SPIN_FUNCTIONS],
		     struct ks_code_range *text);

/* The same of the running kernel; as they are if its symbols cannot be read. */
void ks_spin_text_running(struct ks_code_range spin[KS_SPIN_FUNCTIONS], struct ks_code_range *text);

#endif /* KVMSCHED_SPINTEXT_H */
