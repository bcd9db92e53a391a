/* SPDX-License-Identifier: GPL-2.0 */
/* What guests say about their lock pages: bytes of somebody who is not trusted. */
#ifndef KVMSCHED_CHANNEL_HELLO_H
#define KVMSCHED_CHANNEL_HELLO_H

#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "lock_page.h"

struct ks_err;

/*
 * Is it a hello that this program understands, whole and sound? 0; -EPROTO: no such message;
 * -EPROTONOSUPPORT: of another version; -EINVAL: numbers that cannot be. err says which.
 */
int ks_hello_check(const void *data, size_t len, struct ks_lp_hello *hello, struct ks_err *err);

/* The next beat after `number`? 0 or -EPROTO with err. */
int ks_beat_check(const void *data, size_t len, uint64_t number, struct ks_err *err);

#endif /* KVMSCHED_CHANNEL_HELLO_H */
