// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that do nothing, or nothing but read the clock, where the guest's probe is attached: what
 * is left of its cost when its own work is taken away (tests/bench/floor.c).
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("?fexit/_raw_spin_lock") int empty_exit(__u64 *ctx)
{
	return 0;
}

SEC("?fentry/_raw_spin_unlock") int empty_entry(__u64 *ctx)
{
	return 0;
}

SEC("?fexit/_raw_spin_lock") int clock_exit(__u64 *ctx)
{
	bpf_ktime_get_ns();
	return 0;
}

SEC("?fentry/_raw_spin_unlock") int clock_entry(__u64 *ctx)
{
	bpf_ktime_get_ns();
	return 0;
}
