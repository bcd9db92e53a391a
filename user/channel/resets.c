// SPDX-License-Identifier: GPL-2.0
#include <time.h>
#include <bpf/bpf.h>

#include "resets.h"

/* An entry begins with a number that no earlier one of this process had: the time. */
uint64_t ks_resets_of(int map_fd, uint32_t tgid)
{
	struct timespec now;
	uint64_t n;

	if (!bpf_map_lookup_elem(map_fd, &tgid, &n))
		return n;
	clock_gettime(CLOCK_MONOTONIC, &now);
	n = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	bpf_map_update_elem(map_fd, &tgid, &n, BPF_NOEXIST);
	return n;
}

void ks_resets_forget(int map_fd, uint32_t tgid)
{
	bpf_map_delete_elem(map_fd, &tgid);
}
