// SPDX-License-Identifier: GPL-2.0
#include <bpf/bpf.h>

#include "lock_reader.h"
#include "resets.h"

uint64_t ks_resets_of(int map_fd, uint32_t tgid)
{
	uint32_t at = tgid & (KS_LP_RESETS - 1);
	uint64_t n = 0;

	bpf_map_lookup_elem(map_fd, &at, &n);
	return n;
}
