// SPDX-License-Identifier: GPL-2.0
#include "palette.h"
#include "records.h"

#define W "#ffffff"
#define K "#101418"

const struct ks_paint ks_class_paint[KS_C_MAX] = {
	[KS_C_SELF] = { "SELF", "waiter itself off-CPU", "#38b2f2", "#3cc6ff", K, K,
			KS_P_VERTICAL },
	[KS_C_LHP] = { "LHP", "lock-holder preemption", "#c24a00", "#f07a1e", W, K, KS_P_RISING },
	[KS_C_BUSY] = { "BUSY", "holder running", "#0f9a63", "#16a862", W, K, KS_P_SOLID },
	[KS_C_HALTED] = { "HALT", "holder halted or blocked", "#1257b4", "#5273d6", W, W,
			  KS_P_HORIZONTAL },
	[KS_C_LWP] = { "LWP", "lock-waiter preemption", "#8a1263", "#ff9ec4", W, K, KS_P_FALLING },
	[KS_C_HANDOFF] = { "HAND", "being handed over", "#d0a800", "#ffe23d", K, K, KS_P_DOTS },
	[KS_C_UNKNOWN] = { "?", "unknown", "#92949a", "#74767c", K, W, KS_P_CROSS },
	[KS_C_IPI] = { "IPI", "waiting for an IPI's answer", "#1c0a8c", "#8a66ff", W, W,
		       KS_P_SOLID },
	[KS_C_USER] = { "USER", "in guest user space", "#5a3210", "#c8d98c", W, K, KS_P_SOLID },
	[KS_C_OTHER] = { "OTHER", "elsewhere in guest kernel", "#141c28", "#f2f4f7", W, K,
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

const struct ks_paint *ks_node_paint(unsigned int node)
{
	/* Neighbours are those that differ most; none of them near the colour of `runnable`. */
	static const uint8_t class[KS_NODE_PAINTS] = {
		KS_C_BUSY,    KS_C_SELF, KS_C_LWP,    KS_C_IPI,
		KS_C_HANDOFF, KS_C_USER, KS_C_HALTED, KS_C_UNKNOWN,
	};

	return &ks_class_paint[class[node % KS_NODE_PAINTS]];
}

const struct ks_line ks_move_line[KS_VN_CAUSES] = {
	[KS_MOVE_UNKNOWN] = { "?", "cause not known", "#5c636e", "#a9b1bc", "1 2" },
	[KS_MOVE_WAKE] = { "wake", "by a wake-up", "#17202b", "#e6edf3", "" },
	[KS_MOVE_NEWIDLE] = { "newidle", "pulled by a CPU newly idle", "#b3005e", "#ff7ab8",
			      "6 2" },
	[KS_MOVE_PERIODIC] = { "periodic", "by the periodic load balancer", "#0a5fd0", "#6fb1ff",
			       "3 2" },
	[KS_MOVE_NUMA] = { "numa", "by NUMA balancing", "#7a3fd0", "#c3a0ff", "8 2 2 2" },
	[KS_MOVE_EXEC] = { "exec", "at its exec()", "#0b7d6b", "#4fd6c0", "4 1" },
	[KS_MOVE_AFFINITY] = { "affinity", "by a changed affinity", "#8a5a00", "#e0b050", "2 1" },
	[KS_MOVE_ACTIVE] = { "active", "by active balancing", "#c0392b", "#ff8f80", "8 2" },
};
