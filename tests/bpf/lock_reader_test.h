/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMSCHED_LOCK_READER_TEST_H
#define KVMSCHED_LOCK_READER_TEST_H

#include "lock_reader.h"

struct lr_counts {
	__u64 what[KS_LP_WHATS];
	__u64 several; /* HOLDER, and there was more than one */
	__u64 unread;  /* looks in which another vCPU's slot could not be read */
	__u64 lost;    /* looks that are counted, but not told */
};

#define LR_RESET ~0u /* lr_look.vcpu: no look; the VM was reset, or is given another state */

/* One look, for the log. */
struct lr_look {
	__u64 time; /* CLOCK_MONOTONIC of the host, ns */
	__u32 tgid, vcpu;
	struct ks_lp_found found;
};

#endif /* KVMSCHED_LOCK_READER_TEST_H */
