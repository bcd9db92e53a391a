/* SPDX-License-Identifier: GPL-2.0 */
/* What the loaders of both probes share: trial by BTF, errors in words. Internal to probe/. */
#ifndef KVMSCHED_LOAD_H
#define KVMSCHED_LOAD_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "trace.h"

struct bpf_object;
struct bpf_program;
struct json_object;
struct btf;

/* Send libbpf's messages to the last-error buffer instead of the terminal. */
void ks_load_quiet(void);

/* err = "what: why", with what to do for the usual causes (no root, no BTF, lockdown). */
int ks_load_err(struct ks_err *err, int code, const char *what);

/* The same for the load of a probe that reads the scheduler's run queues. */
int ks_load_sched_err(struct ks_err *err, int code);

/* 0, or -ENOTSUP with err if this kernel shows no BTF. */
int ks_need_btf(struct ks_err *err);

/* Does the kernel (or the module, NULL = vmlinux) have tracepoint / function `name` in its BTF? */
bool ks_has_tracepoint(const char *module, const char *name);
bool ks_has_function(const char *name);
/* Is kernel.ftrace_enabled 0? Then programs are attached to functions without an error, and never run. */
bool ks_ftrace_is_off(void);

/*
 * Do programs run at the entry of functions? With kernel.ftrace_enabled=0 they are attached without an error and never do. By
 * a program at bpf_fentry_test1 that counts its runs, and is attached.
 */
bool ks_fentry_runs(int trial, const volatile __u64 *trials);
/* What an enum of vmlinux calls so, as a flag: 0 if there is none. */
uint64_t ks_enumerator(const char *type, const char *name);

/*
 * Round up to a power of two within the limits of rings. 0 = the default: as many as fit in 128 MiB
 * for all possible CPUs, 4096 to 65536.
 */
unsigned int ks_ring_slots_round(unsigned int slots, int cpus);

/* Note in the programs' object that `name` is attached, or why not. */
void ks_note_program(struct json_object *programs, const char *name, const char *state);

#endif /* KVMSCHED_LOAD_H */
