/* SPDX-License-Identifier: GPL-2.0 */
/* Internal to sys: the table behind ks_symbols. */
#ifndef KVMSCHED_SYMTAB_H
#define KVMSCHED_SYMTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols.h"

#define KS_SYM_MAX (4u << 20)	 /* symbols */
#define KS_SYM_NAME 512u	 /* bytes of a name, NUL included */
#define KS_SYM_TEXT (256u << 20) /* bytes of kallsyms text */

/* 16 bytes per symbol; strings lie in one pool: type character, name, NUL. */
struct ks_symrow {
	uint64_t addr;
	uint32_t name;	 /* offset of the name; its type lies one byte before */
	uint32_t module; /* offset of the module's name, 0 = none */
};

struct ks_symdwarf;

struct ks_symbols {
	struct ks_symrow *row; /* by address, the preferred name first */
	size_t n, room;
	char *pool;
	size_t pool_used, pool_room;
	uint64_t end;  /* link address of _end, 0 = not known */
	int64_t slide; /* to be added to every address of the table */
	size_t bad;
	uint8_t *class; /* by row: enum ks_ipclass + 1, 0 = not asked for yet; NULL: no memory */
	char *elf_path; /* for DWARF, NULL if from kallsyms */
	struct ks_symdwarf *dwarf;
};

/* An empty table with room for so many symbols and bytes of strings. NULL: no memory. */
struct ks_symbols *ks_symtab_new(size_t symbols, size_t bytes);
/* Add one; name and module (NULL = none) are copied, made printable. 0, -EFBIG, -ENOMEM. */
int ks_symtab_add(struct ks_symbols *s, uint64_t addr, char type, const char *name, size_t nlen,
		  const char *module, size_t mlen);
/* Sort, give back what was too much. Call once, behind the last add. */
void ks_symtab_finish(struct ks_symbols *s);

static inline bool ks_sym_is_code(char type)
{
	return type == 't' || type == 'T' || type == 'w' || type == 'W' || type == 'i';
}

/* One line of kallsyms, split: pointers into the text, lengths in bytes. */
struct ks_symline {
	uint64_t addr;
	char type;
	const char *name, *module; /* module NULL = none */
	size_t nlen, mlen;
};
/* False if the line (without its newline) has not that form. */
bool ks_symline_parse(const char *line, size_t len, struct ks_symline *out);

void ks_symdwarf_free(struct ks_symdwarf *d);

#endif /* KVMSCHED_SYMTAB_H */
