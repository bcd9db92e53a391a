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
#include "lock_pages.bpf.h"
#include "lock_reader.bpf.h"

char LICENSE[] SEC("license") = "GPL";

__u32 spinner; /* its vcpu_id */
bool looks;    /* false: what is measured besides */
__u32 page;    /* what a thread keeps */
struct ks_lp_found found;
__u32 what;

SEC("fentry/bpf_fentry_test1")
int BPF_PROG(look)
{
	if (looks)
		what = ks_lp_find(ks_lp_page(&page), spinner, &found);
	return 0;
}
