/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For holder-boost: guests that publish their locks (`lock-timeline publish`), from their connection
 * to the map in which the scheduler finds their pages.
 */
#ifndef KVMSCHED_HOLDERS_H
#define KVMSCHED_HOLDERS_H

#include "trace.h"

struct ks_holders;

/*
 * Listen on vsock. pages_fd, numbers_fd: lp_pages and lp_numbers of bpf/lock_pages.bpf.h; resets_fd: lp_resets of
 * bpf/lock_reader.bpf.h. 0 or -errno + err.
 */
int ks_holders_new(struct ks_holders **h, int pages_fd, int numbers_fd, int resets_fd,
		   struct ks_err *err);

/* Take what has come, prove pages again if it is time; does not wait. 0 or -errno. */
int ks_holders_turn(struct ks_holders *h);

/* VMs whose page is believed now; and the last word of those that are not ("" if there was none). */
unsigned int ks_holders_pages(const struct ks_holders *h);
const char *ks_holders_doubt(const struct ks_holders *h);

/* NULL is fine. */
void ks_holders_free(struct ks_holders *h);

#endif /* KVMSCHED_HOLDERS_H */
