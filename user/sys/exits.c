// SPDX-License-Identifier: GPL-2.0
/*
 * Exit reasons. Numbers from the processors' manuals (see exits.h), names as the kernel's kvm_exit
 * tracepoint and perf print them: lower case for SVM, upper case for VMX. (The kernel's two slips
 * read_rt and write_rt are read_tr and write_tr here, as in the manual.)
 */
#include <stdio.h>

#include "exits.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *const svm[] = {
	[0x000] = "read_cr0",
	[0x002] = "read_cr2",
	[0x003] = "read_cr3",
	[0x004] = "read_cr4",
	[0x008] = "read_cr8",
	[0x010] = "write_cr0",
	[0x012] = "write_cr2",
	[0x013] = "write_cr3",
	[0x014] = "write_cr4",
	[0x018] = "write_cr8",
	[0x020] = "read_dr0",
	[0x021] = "read_dr1",
	[0x022] = "read_dr2",
	[0x023] = "read_dr3",
	[0x024] = "read_dr4",
	[0x025] = "read_dr5",
	[0x026] = "read_dr6",
	[0x027] = "read_dr7",
	[0x030] = "write_dr0",
	[0x031] = "write_dr1",
	[0x032] = "write_dr2",
	[0x033] = "write_dr3",
	[0x034] = "write_dr4",
	[0x035] = "write_dr5",
	[0x036] = "write_dr6",
	[0x037] = "write_dr7",
	[0x040] = "DE excp",
	[0x041] = "DB excp",
	[0x043] = "BP excp",
	[0x044] = "OF excp",
	[0x045] = "BR excp",
	[0x046] = "UD excp",
	[0x047] = "NM excp",
	[0x048] = "DF excp",
	[0x04a] = "TS excp",
	[0x04b] = "NP excp",
	[0x04c] = "SS excp",
	[0x04d] = "GP excp",
	[0x04e] = "PF excp",
	[0x050] = "MF excp",
	[0x051] = "AC excp",
	[0x052] = "MC excp",
	[0x053] = "XF excp",
	[0x060] = "interrupt",
	[0x061] = "nmi",
	[0x062] = "smi",
	[0x063] = "init",
	[0x064] = "vintr",
	[0x065] = "cr0_sel_write",
	[0x066] = "read_idtr",
	[0x067] = "read_gdtr",
	[0x068] = "read_ldtr",
	[0x069] = "read_tr",
	[0x06a] = "write_idtr",
	[0x06b] = "write_gdtr",
	[0x06c] = "write_ldtr",
	[0x06d] = "write_tr",
	[0x06e] = "rdtsc",
	[0x06f] = "rdpmc",
	[0x070] = "pushf",
	[0x071] = "popf",
	[0x072] = "cpuid",
	[0x073] = "rsm",
	[0x074] = "iret",
	[0x075] = "swint",
	[0x076] = "invd",
	[0x077] = "pause",
	[0x078] = "hlt",
	[0x079] = "invlpg",
	[0x07a] = "invlpga",
	[0x07b] = "io",
	[0x07c] = "msr",
	[0x07d] = "task_switch",
	[0x07e] = "ferr_freeze",
	[0x07f] = "shutdown",
	[0x080] = "vmrun",
	[0x081] = "hypercall",
	[0x082] = "vmload",
	[0x083] = "vmsave",
	[0x084] = "stgi",
	[0x085] = "clgi",
	[0x086] = "skinit",
	[0x087] = "rdtscp",
	[0x088] = "icebp",
	[0x089] = "wbinvd",
	[0x08a] = "monitor",
	[0x08b] = "mwait",
	[0x08c] = "mwait_cond",
	[0x08d] = "xsetbv",
	[0x08e] = "rdpru",
	[0x08f] = "write_efer_trap",
	[0x090] = "write_cr0_trap",
	[0x091] = "write_cr1_trap",
	[0x092] = "write_cr2_trap",
	[0x093] = "write_cr3_trap",
	[0x094] = "write_cr4_trap",
	[0x095] = "write_cr5_trap",
	[0x096] = "write_cr6_trap",
	[0x097] = "write_cr7_trap",
	[0x098] = "write_cr8_trap",
	[0x099] = "write_cr9_trap",
	[0x09a] = "write_cr10_trap",
	[0x09b] = "write_cr11_trap",
	[0x09c] = "write_cr12_trap",
	[0x09d] = "write_cr13_trap",
	[0x09e] = "write_cr14_trap",
	[0x09f] = "write_cr15_trap",
	[0x0a0] = "invlpgb",
	[0x0a1] = "invlpgb_illegal",
	[0x0a2] = "invpcid",
	[0x0a3] = "mcommit",
	[0x0a4] = "tlbsync",
	[0x0a5] = "buslock",
	[0x0a6] = "idle-halt",
};

static const char *const svm_nested[] = {
	/* from 0x400 */
	"npf",
	"avic_incomplete_ipi",
	"avic_unaccelerated_access",
	"vmgexit",
};

static const char *const vmx[] = {
	[0] = "EXCEPTION_NMI",
	[1] = "EXTERNAL_INTERRUPT",
	[2] = "TRIPLE_FAULT",
	[3] = "INIT_SIGNAL",
	[4] = "SIPI_SIGNAL",
	[5] = "IO_SMI",
	[6] = "OTHER_SMI",
	[7] = "INTERRUPT_WINDOW",
	[8] = "NMI_WINDOW",
	[9] = "TASK_SWITCH",
	[10] = "CPUID",
	[11] = "GETSEC",
	[12] = "HLT",
	[13] = "INVD",
	[14] = "INVLPG",
	[15] = "RDPMC",
	[16] = "RDTSC",
	[17] = "RSM",
	[18] = "VMCALL",
	[19] = "VMCLEAR",
	[20] = "VMLAUNCH",
	[21] = "VMPTRLD",
	[22] = "VMPTRST",
	[23] = "VMREAD",
	[24] = "VMRESUME",
	[25] = "VMWRITE",
	[26] = "VMOFF",
	[27] = "VMON",
	[28] = "CR_ACCESS",
	[29] = "DR_ACCESS",
	[30] = "IO_INSTRUCTION",
	[31] = "MSR_READ",
	[32] = "MSR_WRITE",
	[33] = "INVALID_STATE",
	[34] = "MSR_LOAD_FAIL",
	[36] = "MWAIT_INSTRUCTION",
	[37] = "MONITOR_TRAP_FLAG",
	[39] = "MONITOR_INSTRUCTION",
	[40] = "PAUSE_INSTRUCTION",
	[41] = "MCE_DURING_VMENTRY",
	[43] = "TPR_BELOW_THRESHOLD",
	[44] = "APIC_ACCESS",
	[45] = "EOI_INDUCED",
	[46] = "GDTR_IDTR",
	[47] = "LDTR_TR",
	[48] = "EPT_VIOLATION",
	[49] = "EPT_MISCONFIG",
	[50] = "INVEPT",
	[51] = "RDTSCP",
	[52] = "PREEMPTION_TIMER",
	[53] = "INVVPID",
	[54] = "WBINVD",
	[55] = "XSETBV",
	[56] = "APIC_WRITE",
	[57] = "RDRAND",
	[58] = "INVPCID",
	[59] = "VMFUNC",
	[60] = "ENCLS",
	[61] = "RDSEED",
	[62] = "PML_FULL",
	[63] = "XSAVES",
	[64] = "XRSTORS",
	[65] = "PCONFIG",
	[66] = "SPP_EVENT",
	[67] = "UMWAIT",
	[68] = "TPAUSE",
	[69] = "LOADIWKEY",
	[70] = "ENCLV",
	[72] = "ENQCMD_PASID",
	[73] = "ENQCMDS_PASID",
	[74] = "BUS_LOCK",
	[75] = "NOTIFY",
	[76] = "SEAMCALL",
	[77] = "TDCALL",
	[78] = "RDMSRLIST",
	[79] = "WRMSRLIST",
	[80] = "URDMSR",
	[81] = "UWRMSR",
	[84] = "MSR_READ_IMM",
	[85] = "MSR_WRITE_IMM",
};

static const char *svm_name(uint32_t reason)
{
	if (reason < COUNT(svm))
		return svm[reason];
	if (reason >= 0x400 && reason - 0x400 < COUNT(svm_nested))
		return svm_nested[reason - 0x400];
	return reason == UINT32_MAX ? "invalid_guest_state" : NULL;
}

const char *ks_exit_name(enum ks_isa isa, uint32_t reason)
{
	if (reason == KS_EXIT_OTHER)
		return "other";
	if (isa == KS_ISA_SVM)
		return svm_name(reason);
	if (isa == KS_ISA_VMX && (reason & 0xffff) < COUNT(vmx))
		return vmx[reason & 0xffff];
	return NULL;
}

const char *ks_exit_str(enum ks_isa isa, uint32_t reason, char *buf, size_t size)
{
	const char *name = ks_exit_name(isa, reason);

	if (name)
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, "0x%x", reason);
	return buf;
}
