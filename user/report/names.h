/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names for what a guest's trace tells by number: kernel addresses, threads. From the symbols and
 * names in the trace, or from files given by the user. The callbacks fit ks_report_opts,
 * ks_scene_opts and ks_analysis_opts, with the ks_names as their ctx.
 */
#ifndef KVMSCHED_NAMES_H
#define KVMSCHED_NAMES_H

#include "analyze.h"
#include "session.h"

KS_API_BEGIN

struct ks_names;

struct ks_names_opts {
	const char *kallsyms; /* file to take instead of the trace's symbols, or NULL */
	const char *vmlinux;  /* ELF to take instead, or NULL; its place comes from the trace */
};

/* The files are opened by load. 0 or -ENOMEM. The strings of o must live until load. */
int ks_names_new(struct ks_names **out, const struct ks_names_opts *o);
void ks_names_free(struct ks_names *n);

/*
 * Between ks_session_start() and ks_session_run(). A trace without symbols, or with bad ones, is
 * no failure: its addresses stay numbers. -errno + err if a file given is of no use.
 */
int ks_names_load(struct ks_names *n, const struct ks_session *s, struct ks_err *err);

/* The same for a guest's trace without its host's: it counts as VM 0. */
int ks_names_load_guest(struct ks_names *n, struct ks_reader *guest, struct ks_err *err);

/* True if addresses of this VM have names. */
bool ks_names_has(const struct ks_names *n, uint32_t vm);

/* Address of a symbol of this VM, such as a lock. 0 or -ENOENT. */
int ks_names_addr(const struct ks_names *n, uint32_t vm, const char *name, uint64_t *addr);

/* The symbol of this VM that an address lies in. 0 or -ENOENT. */
struct ks_symbol;
int ks_names_lookup(const struct ks_names *n, uint32_t vm, uint64_t addr, struct ks_symbol *sym);

/* "do_dup2+0x1a", with source file and line if the ELF has them. NULL if there are no symbols. */
const char *ks_names_sym(void *ctx, uint32_t vm, uint64_t addr, char *buf, size_t len);
const char *ks_names_task(void *ctx, uint32_t vm, uint32_t pid, char *buf, size_t len);
enum ks_class ks_names_ip_class(void *ctx, uint32_t vm, uint64_t ip);

KS_API_END

#endif /* KVMSCHED_NAMES_H */
