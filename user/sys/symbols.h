/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names of kernel addresses: of this machine's kernel, or of a guest's, whose kallsyms text is
 * hostile input, or from a vmlinux with its symbol table and, where it has it, DWARF.
 */
#ifndef KVMSCHED_SYMBOLS_H
#define KVMSCHED_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ks_err;
struct ks_symbols;

/*
 * Symbols from text in the format of /proc/kallsyms ("address type name [module]" lines). text
 * need not end in NUL or newline. Lines that do not parse, absolute symbols (per-CPU offsets) and
 * symbols at 0 are left out, names are made printable and cut at 511 bytes. At most 256 MiB of
 * text and 4 million symbols; memory is bounded by four times len, twice that while it sorts.
 * The text is not kept. 0; -ENODATA if no line was usable (err says so, and if the addresses were
 * all 0, as kptr_restrict leaves them); -EFBIG; -ENOMEM.
 */
int ks_symbols_parse(struct ks_symbols **s, const char *text, size_t len, struct ks_err *err);

/*
 * Symbols of an ELF file with a symbol table (vmlinux, or a separate debug file). Addresses are
 * those of the link until ks_symbols_slide(). 0; -ENOENT, -EINVAL (no ELF of x86-64), -ENODATA
 * (no symbol table), each with err.
 */
int ks_symbols_vmlinux(struct ks_symbols **s, const char *path, struct ks_err *err);

/*
 * Move all of s by the KASLR offset, so that its _text (or _stext) gets the address that it has
 * in `running`. 0, -ENODATA if either side has neither of the two.
 */
int ks_symbols_slide(struct ks_symbols *s, const struct ks_symbols *running);

/* Move by a known offset; adds to former ones. */
void ks_symbols_slide_by(struct ks_symbols *s, int64_t offset);

void ks_symbols_free(struct ks_symbols *s); /* NULL is fine */

size_t ks_symbols_count(const struct ks_symbols *s);
/* Lines left out because they did not parse: broken, or hostile. */
size_t ks_symbols_bad_lines(const struct ks_symbols *s);

struct ks_symbol {
	const char *name;   /* borrowed, lives as long as the table */
	const char *module; /* without brackets, NULL = the kernel itself */
	uint64_t addr;	    /* of its first byte */
	uint64_t next;	    /* where the next symbol begins, 0 if this is the last one */
	char type;	    /* as in kallsyms: t T w W = code, else data */
};

/*
 * The symbol that addr lies in. kallsyms has no sizes: an address far behind a symbol's start
 * (1 MiB; 16 MiB for the kernel's own data) or behind the kernel's `_end` is in none. Of several
 * symbols at one address the plainest is taken: code, global, without leading underscores.
 * 0 or -ENOENT.
 */
int ks_symbols_lookup(const struct ks_symbols *s, uint64_t addr, struct ks_symbol *sym);

/* Address of a symbol, its first by address if there are several. 0 or -ENOENT. */
int ks_symbols_addr(const struct ks_symbols *s, const char *name, uint64_t *addr);

/*
 * "name", "name+0x1a", "name+0x1a [module]", or "0xffff..." for an address in no symbol (s may be
 * NULL then). Cut to fit; returns buf.
 */
const char *ks_symbols_name(const struct ks_symbols *s, uint64_t addr, char *buf, size_t size);

/*
 * "kernel/fork.c:1234" of a code address, from the DWARF in the ELF file that s was read from
 * (opened when first asked for). 0; -ENODATA if there is none; -ENOENT if it does not cover addr.
 */
int ks_symbols_source(struct ks_symbols *s, uint64_t addr, char *buf, size_t size);

/* ---- what a spinning address is doing ---- */

enum ks_ipclass {
	KS_IP_UNKNOWN,	/* in no symbol */
	KS_IP_SPINLOCK, /* waits for a spinning lock: qspinlock, qrwlock */
	KS_IP_OPTSPIN,	/* spins on the owner of a sleeping lock: mutex, rwsem, rtmutex */
	KS_IP_IPI,	/* waits for other CPUs to answer an IPI or to rendezvous */
	KS_IP_IDLE,	/* the idle loop */
	KS_IP_OTHER,
};

const char *ks_ipclass_name(enum ks_ipclass c);

/* Of a function's name; suffixes such as ".constprop.0" and ".cold" do not matter. */
enum ks_ipclass ks_ipclass_of_name(const char *name);

/* Of an address. */
enum ks_ipclass ks_symbols_ip_class(const struct ks_symbols *s, uint64_t ip);

/* The i-th row of the table of names behind it, for documentation and tests; NULL at its end. */
struct ks_ipclass_row {
	const char *name;
	enum ks_ipclass class;
	const char *kernels; /* "6.1-7.2": found in the BTF of 6.1, 6.12, 6.18 and 7.2 (or of
			      * those of them within the range); else a remark in words */
};
const struct ks_ipclass_row *ks_ipclass_row(size_t i);

/* ---- the running kernel ---- */

/*
 * /proc/kallsyms below root, code and data symbols only, without those that no address of
 * interest lies in (export tables, padding): text for ks_writer_symbols(). *text is malloc()ed,
 * the caller's. 0; -EPERM if the kernel hides the addresses (kptr_restrict, not root); -errno;
 * err says what to do.
 */
int ks_symbols_running(const char *root, char **text, size_t *len, struct ks_err *err);

#endif /* KVMSCHED_SYMBOLS_H */
