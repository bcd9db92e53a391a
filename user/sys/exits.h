/* SPDX-License-Identifier: GPL-2.0 */
/* Names of exit reasons, as the kernel's kvm_exit tracepoint and perf print them. */
#ifndef KVMSCHED_EXITS_H
#define KVMSCHED_EXITS_H

#include <stddef.h>
#include <stdint.h>

/* As in the kvm_exit tracepoint's `isa`. */
enum ks_isa { KS_ISA_VMX = 1, KS_ISA_SVM = 2 };

#define KS_SVM_EXIT_HLT 0x78u
#define KS_SVM_EXIT_PAUSE 0x77u
/* HLT without a pending interrupt: what processors with the Idle HLT intercept (Zen 5 and later)
 * report in place of 0x78 under kernels that use it. Count it as a HLT. */
#define KS_SVM_EXIT_IDLE_HLT 0xa6u
#define KS_EXIT_OTHER 0xffff0000u /* in counts: reasons for which the probe has no counter */
#define KS_VMX_EXIT_HLT 12u
#define KS_VMX_EXIT_PAUSE 40u

/*
 * Name of a reason ("pause", "PAUSE_INSTRUCTION"), NULL if not known. Only the low 16 bits of a
 * VMX reason count: the others are flags (bit 31: the entry failed).
 * Sources: AMD64 Architecture Programmer's Manual vol. 2, appendix C; Intel SDM vol. 3, appendix C.
 */
const char *ks_exit_name(enum ks_isa isa, uint32_t reason);

/* The same into buf, "0x77" style if not known; returns buf. */
const char *ks_exit_str(enum ks_isa isa, uint32_t reason, char *buf, size_t size);

#endif /* KVMSCHED_EXITS_H */
