// SPDX-License-Identifier: GPL-2.0
#include "palette.h"

#define W "#ffffff"
#define K "#101418"

const struct ks_paint ks_class_paint[KS_C_MAX] = {
	[KS_C_SELF] = { "SELF", "waiter itself off-CPU", "#56b4e9", "#56b4e9", K, K,
			KS_P_VERTICAL },
	[KS_C_LHP] = { "LHP", "lock-holder preemption", "#d55e00", "#f07427", W, K, KS_P_RISING },
	[KS_C_BUSY] = { "BUSY", "holder running", "#009e73", "#1fb58a", W, K, KS_P_SOLID },
	[KS_C_HALTED] = { "HALT", "holder halted or blocked", "#0072b2", "#3f9bdc", W, K,
			  KS_P_HORIZONTAL },
	[KS_C_LWP] = { "LWP", "lock-waiter preemption", "#b0357f", "#e57fb9", W, K, KS_P_FALLING },
	[KS_C_HANDOFF] = { "HAND", "being handed over", "#e6a100", "#f0c033", K, K,
			   KS_P_DOTS },
	[KS_C_UNKNOWN] = { "?", "unknown", "#8a8f98", "#8a8f98", W, K, KS_P_CROSS },
	[KS_C_IPI] = { "IPI", "waiting for an IPI's answer", "#5e4fa2", "#a795ea", W, K,
		       KS_P_SOLID },
	[KS_C_USER] = { "USER", "in guest user space", "#7a5230", "#c99b6d", W, K, KS_P_SOLID },
	[KS_C_OTHER] = { "OTHER", "elsewhere in guest kernel", "#3c4654", "#b4bfcc", W, K,
			 KS_P_SOLID },
};

const struct ks_paint ks_state_paint[KS_V_GONE] = {
	[KS_V_UNKNOWN] = { "?", "unknown", "#f4f5f7", "#14181f", K, W, KS_P_CROSS },
	[KS_V_RUNNING] = { "run", "running", "#e2f2e5", "#173a25", K, W, KS_P_SOLID },
	[KS_V_RUNNABLE] = { "wants", "runnable, has no pCPU", "#fbe2b4", "#4a3410", K, W,
			    KS_P_RISING },
	[KS_V_HALTED] = { "halt", "halted", "#e6eaf1", "#1d2530", K, W, KS_P_SOLID },
	[KS_V_BLOCKED] = { "block", "blocked (I/O, page fault)", "#e7dcf4", "#30234a", K, W,
			   KS_P_HORIZONTAL },
};

const char *const ks_state_strip[KS_V_GONE][2] = {
	[KS_V_UNKNOWN] = { "#c9cdd3", "#3d434c" },  [KS_V_RUNNING] = { "#5fae72", "#3f9558" },
	[KS_V_RUNNABLE] = { "#e89a1c", "#d18a1f" }, [KS_V_HALTED] = { "#b3bdcc", "#556274" },
	[KS_V_BLOCKED] = { "#9a7fc9", "#7f68b3" },
};
