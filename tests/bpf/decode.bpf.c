// SPDX-License-Identifier: GPL-2.0
/*
 * The host's probe with its exits open to BPF_PROG_TEST_RUN, for tests/decode: the source as
 * it is, behind raw_tp programs, because those for tp_btf/kvm_exit run for real exits alone. So the
 * kernel does not know the vCPU's type here, and its members are read by copying.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "compat.bpf.h"

/*
 * Or the compiler makes one load of two, of the kernel's memory and of our own, which the verifier
 * refuses: "same insn cannot be used with different pointers".
 */
static __always_inline __u64 apart(__u64 value)
{
	barrier_var(value);
	return value;
}

#define ks_read(addr, cast) apart(ks_read(addr, cast))

#undef ks_field
#define ks_field(ptr, member) BPF_CORE_READ(ptr, member)

#include "ple_trace.bpf.c"

#define DECODE(name, svm, fold, cast)                                                              \
	SEC("?raw_tp/kvm_exit") int name(struct bpf_raw_tracepoint_args *ctx)                      \
	{                                                                                          \
		return exited((struct exit_kind){ svm, fold, cast, false },                        \
			      (const struct kvm_vcpu___ks *)ctx->args[0]);                         \
	}

DECODE(decode_svm_events, true, false, true)
DECODE(decode_svm_bursts, true, true, true)
DECODE(decode_vmx_events, false, false, true)
DECODE(decode_vmx_bursts, false, true, true)
DECODE(decode_svm_events_copy, true, false, false)
DECODE(decode_svm_bursts_copy, true, true, false)
DECODE(decode_vmx_events_copy, false, false, false)
DECODE(decode_vmx_bursts_copy, false, true, false)
