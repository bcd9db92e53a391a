/* SPDX-License-Identifier: GPL-2.0 */
/* From what a guest said to addresses in its VM's process, with proof. Internal to channel/. */
#ifndef KVMSCHED_CHANNEL_PROVE_H
#define KVMSCHED_CHANNEL_PROVE_H

#include <stdint.h>

#include "hello.h"
#include "lock_reader.h"

struct ks_err;

/*
 * Which VM has this CID? The kernel vouches for the CID, command lines say whose it is. 0 and
 * *tgid, *ram (bytes); -ENOENT: none; -EACCES: none, but there are processes that we may not look into;
 * -ENOTUNIQ: several say so; err says more.
 */
int ks_prove_vm(const char *root, uint32_t cid, uint32_t *tgid, uint64_t *ram, struct ks_err *err);

/*
 * Find the pages of a hello in the VM's process and fill in *vm. 0; -ENODEV: the memory is laid out
 * in a way that is not known; -EACCES: it may not be read; -EBADMSG: what lies there is not what the
 * guest says. err says more.
 */
int ks_prove_find(const char *root, uint32_t tgid, uint64_t ram, const struct ks_lp_hello *hello,
		  struct ks_lp_vm *vm, struct ks_err *err);

/* Is it all still there? Takes up vCPUs that are new. As above. */
int ks_prove_again(const char *root, uint32_t tgid, const struct ks_lp_hello *hello,
		   struct ks_lp_vm *vm, struct ks_err *err);

#endif /* KVMSCHED_CHANNEL_PROVE_H */
