// SPDX-License-Identifier: GPL-2.0
#include <bpf/bpf.h>

#include "now.h"
#include "resets.h"

/* An entry begins with a number that no earlier one of this process had: the time. */
uint64_t ks_resets_of(int map_fd, uint32_t tgid)
{
	uint64_t n;

	if (!bpf_map_lookup_elem(map_fd, &tgid, &n))
		return n;
	n = ks_now_ns();
	bpf_map_update_elem(map_fd, &tgid, &n, BPF_NOEXIST);
	return n;
}

void ks_resets_forget(int map_fd, uint32_t tgid)
{
	bpf_map_delete_elem(map_fd, &tgid);
}
