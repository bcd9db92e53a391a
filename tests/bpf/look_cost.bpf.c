// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at a lock page again and again, as holder-boost does at a PLE exit, for tests/bench/look.c: the VM's process
 * is the one that runs this. (At the entry of a function, for programs of the kind that may have such a stack.)
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "compat.bpf.h"
#include "lock_reader.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32); /* tgid */
	__type(value, struct ks_lp_vm);
} vms SEC(".maps");

__u32 spinner; /* its vcpu_id */
bool looks;    /* false: what is measured besides */
struct ks_lp_found found;

SEC("fentry/bpf_fentry_test1")
int BPF_PROG(look)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (looks)
		ks_lp_find(bpf_map_lookup_elem(&vms, &tgid), spinner, &found);
	return 0;
}
