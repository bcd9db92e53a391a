/* SPDX-License-Identifier: GPL-2.0 */
/* Internal to sys: what a VMM's command line says about its VM. */
#ifndef KVMSCHED_VMARGS_H
#define KVMSCHED_VMARGS_H

#include <stddef.h>

#include "vm.h"

/* Which VMM a program is, by the name of its file ("qemu-system-x86_64") or its thread. */
enum ks_vmm ks_vmm_of_program(const char *name);

/*
 * Fill name, named, uuid, cid and ram of vm (vm->vmm is set) from argv as /proc/PID/cmdline holds
 * it: len bytes of NUL-terminated words. Takes any bytes.
 */
void ks_vmargs_parse(struct ks_vminfo *vm, const char *cmdline, size_t len);

/*
 * Value of `key` in a QEMU-style list "first,key=value,other=x" ("," in a value is written ",,");
 * a first item without "=" counts as `implied`'s value if that is key. Returns 0 and the value in
 * buf (raw, cut to fit), or -ENOENT.
 */
int ks_vmargs_item(const char *list, const char *key, const char *implied, char *buf, size_t size);

#endif /* KVMSCHED_VMARGS_H */
