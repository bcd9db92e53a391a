// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>
#include <stdlib.h>

#include "err.h"
#include "spintext.h"
#include "symbols.h"

#define LONGEST 256 /* none of them is longer */

/* The first one, without which nothing is known, and those that may be inlined. */
static const char *const functions[KS_SPIN_FUNCTIONS] = {
	"_raw_spin_lock",
	"_raw_spin_lock_irq",
	"_raw_spin_lock_irqsave",
	"_raw_spin_lock_bh",
};

static bool range_of(const struct ks_symbols *s, const char *name, struct ks_code_range *r)
{
	struct ks_symbol sym;
	uint64_t addr;

	if (ks_symbols_addr(s, name, &addr) || ks_symbols_lookup(s, addr, &sym))
		return false;
	r->start = addr;
	r->end = sym.next && sym.next - addr < LONGEST ? sym.next : addr + LONGEST;
	return true;
}

void ks_spin_text_in(const struct ks_symbols *s, struct ks_code_range spin[KS_SPIN_FUNCTIONS],
		     struct ks_code_range *text)
{
	uint64_t start, end;
	unsigned int i;

	if (!range_of(s, functions[0], &spin[0]))
		return;
	for (i = 1; i < KS_SPIN_FUNCTIONS; i++)
		range_of(s, functions[i], &spin[i]);
	if (!ks_symbols_addr(s, "_stext", &start) && !ks_symbols_addr(s, "_etext", &end))
		*text = (struct ks_code_range){ start, end };
}

void ks_spin_text_running(struct ks_code_range spin[KS_SPIN_FUNCTIONS], struct ks_code_range *text)
{
	struct ks_symbols *s;
	struct ks_err err;
	char *kallsyms;
	size_t len;

	if (ks_symbols_running(NULL, &kallsyms, &len, &err))
		return;
	if (!ks_symbols_parse(&s, kallsyms, len, &err)) {
		ks_spin_text_in(s, spin, text);
		ks_symbols_free(s);
	}
	free(kallsyms);
}
