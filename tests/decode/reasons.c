// SPDX-License-Identifier: GPL-2.0
/* Exits as processors number them, and what they are to be told as. */
#include <string.h>

#include "bench.h"

#define NOT_KNOWN KS_EXIT_OTHER /* what reasons beyond the table are counted as */

static const struct reason svm_reasons[] = {
	{ 0x000, 0x000, "read_cr0" },
	{ 0x04e, 0x04e, "PF excp" },
	{ 0x060, 0x060, "interrupt" },
	{ 0x061, 0x061, "nmi" },
	{ 0x064, 0x064, "vintr" },
	{ 0x072, 0x072, "cpuid" },
	{ 0x077, 0x077, "pause" },
	{ 0x078, 0x078, "hlt" },
	{ 0x07b, 0x07b, "io" },
	{ 0x07c, 0x07c, "msr" },
	{ 0x07f, 0x07f, "shutdown" },
	{ 0x081, 0x081, "hypercall" },
	{ 0x08d, 0x08d, "xsetbv" },
	{ 0x0a6, 0x0a6, "idle-halt" },
	{ 0x0bf, 0x0bf, NULL },
	{ 0x0c0, NOT_KNOWN, NULL },
	{ 0x3ff, NOT_KNOWN, NULL },
	{ 0x400, 0x400, "npf" },
	{ 0x401, 0x401, "avic_incomplete_ipi" },
	{ 0x402, 0x402, "avic_unaccelerated_access" },
	{ 0x403, 0x403, "vmgexit" },
	{ 0x41f, 0x41f, NULL },
	{ 0x420, NOT_KNOWN, NULL },
	{ 0xf0000000, NOT_KNOWN, NULL },
	{ 0xffffffffffffffff, 0xffffffff, "invalid_guest_state" },
	{ 0xfffffffffffffffe, 0xfffffffe, NULL },
	{ 0xfffffffffffffff1, 0xfffffff1, NULL },
	{ 0xfffffffffffffff0, NOT_KNOWN, NULL },
};

static const struct reason vmx_reasons[] = {
	{ 0, 0, "EXCEPTION_NMI" },
	{ 1, 1, "EXTERNAL_INTERRUPT" },
	{ 7, 7, "INTERRUPT_WINDOW" },
	{ 10, 10, "CPUID" },
	{ 12, 12, "HLT" },
	{ 18, 18, "VMCALL" },
	{ 28, 28, "CR_ACCESS" },
	{ 30, 30, "IO_INSTRUCTION" },
	{ 31, 31, "MSR_READ" },
	{ 32, 32, "MSR_WRITE" },
	{ 40, 40, "PAUSE_INSTRUCTION" },
	{ 48, 48, "EPT_VIOLATION" },
	{ 49, 49, "EPT_MISCONFIG" },
	{ 52, 52, "PREEMPTION_TIMER" },
	{ 55, 55, "XSETBV" },
	{ 74, 74, "BUS_LOCK" },
	{ 85, 85, "MSR_WRITE_IMM" },
	{ 0x80000021, 33, "INVALID_STATE" },
	{ 0x80000022, 34, "MSR_LOAD_FAIL" },
	{ 0x80000029, 41, "MCE_DURING_VMENTRY" },
	{ 0x0800000c, 12, "HLT" },
	{ 0x04000028, 40, "PAUSE_INSTRUCTION" },
	{ 0x04000030, 48, "EPT_VIOLATION" },
	{ 254, 254, NULL },
	{ 255, NOT_KNOWN, NULL },
	{ 0x0000ffff, NOT_KNOWN, NULL },
};

void find_reasons(struct bench *b)
{
	b->reasons = b->isa == KS_ISA_SVM ? svm_reasons : vmx_reasons;
	b->nreasons = b->isa == KS_ISA_SVM ? COUNT(svm_reasons) : COUNT(vmx_reasons);
}

uint64_t reason_of(const struct bench *b, const char *what)
{
	bool svm = b->isa == KS_ISA_SVM;

	if (!strcmp(what, "pause"))
		return svm ? KS_SVM_EXIT_PAUSE : KS_VMX_EXIT_PAUSE;
	if (!strcmp(what, "hlt"))
		return svm ? KS_SVM_EXIT_HLT : KS_VMX_EXIT_HLT;
	return svm ? 0x72 : 10; /* cpuid */
}

bool is_pause(const struct bench *b, uint32_t told)
{
	return told == (b->isa == KS_ISA_SVM ? KS_SVM_EXIT_PAUSE : KS_VMX_EXIT_PAUSE);
}

bool is_hlt(const struct bench *b, uint32_t told)
{
	if (b->isa == KS_ISA_SVM)
		return told == KS_SVM_EXIT_HLT || told == KS_SVM_EXIT_IDLE_HLT;
	return told == KS_VMX_EXIT_HLT;
}
