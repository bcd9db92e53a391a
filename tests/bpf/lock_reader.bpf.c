// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the lock pages of guests at their PLE exits and counts what it finds, for
 * tests/aids/lock-reader.c. It changes nothing.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "compat.bpf.h"
#include "lock_reader.bpf.h"
#include "lock_reader_test.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32); /* tgid */
	__type(value, struct ks_lp_vm);
} vms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} looks SEC(".maps");

struct lr_counts counts;

static struct ks_lp_vm no_page;

static __always_inline void tell(__u32 tgid, __u32 vcpu, const struct ks_lp_found *f)
{
	struct lr_look *l = bpf_ringbuf_reserve(&looks, sizeof(*l), 0);

	if (!l) {
		__sync_fetch_and_add(&counts.lost, 1);
		return;
	}
	l->time = bpf_ktime_get_ns();
	l->tgid = tgid;
	l->vcpu = vcpu;
	l->found = *f;
	bpf_ringbuf_submit(l, 0);
}

/* Said when it is over, and has been counted for sure. */
static __always_inline void tell_reset(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct ks_lp_found none = {};

	tell(tgid, LR_RESET, &none);
}

SEC("fexit/kvm_vcpu_reset")
int BPF_PROG(was_reset)
{
	tell_reset();
	return 0;
}

SEC("fexit/kvm_arch_vcpu_ioctl_set_mpstate")
int BPF_PROG(state_was_set)
{
	tell_reset();
	return 0;
}

SEC("fentry/kvm_vcpu_on_spin")
int BPF_PROG(spin, struct kvm_vcpu *vcpu)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, id;
	struct ks_lp_vm *vm = bpf_map_lookup_elem(&vms, &tgid);
	struct kvm_vcpu___ks *v = (void *)vcpu;
	struct ks_lp_found f;
	__u32 what;

	id = BPF_CORE_READ(v, vcpu_id);
	what = ks_lp_find(vm ?: &no_page, id, &f);
	if (what < KS_LP_WHATS)
		__sync_fetch_and_add(&counts.what[what], 1);
	if (what == KS_LP_HOLDER && f.holders > 1)
		__sync_fetch_and_add(&counts.several, 1);
	if (f.unread)
		__sync_fetch_and_add(&counts.unread, 1);
	tell(tgid, id, &f);
	return 0;
}
