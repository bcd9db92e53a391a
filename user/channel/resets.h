/* SPDX-License-Identifier: GPL-2.0 */
/* How often VMs were reset, for ks_page_reader.resets: user space's end of lp_resets (lock_reader.bpf.h). */
#ifndef KVMSCHED_CHANNEL_RESETS_H
#define KVMSCHED_CHANNEL_RESETS_H

#include <stdint.h>

/* The VM's number. map_fd: lp_resets. */
uint64_t ks_resets_of(int map_fd, uint32_t tgid);

#endif /* KVMSCHED_CHANNEL_RESETS_H */
