// SPDX-License-Identifier: GPL-2.0
/*
 * The default layouts are those of Linux 6.12 on x86-64 (Documentation/trace/events.rst tells how to
 * read them), for traces that do not bring their own. The four lock_* events exist in kernels with
 * lockdep only; `perf lock report` works on them whatever the kernel was.
 */
#include "events.h"

#define COMMON                                                                                     \
	"format:\n"                                                                                \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"             \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

#define FIELD(decl, offset, size, sign)                                                            \
	"\tfield:" decl ";\toffset:" #offset ";\tsize:" #size ";\tsigned:" #sign ";\n"

#define LOCKDEP_FORMAT(name, id)                                                                   \
	"name: " name "\nID: " #id "\n" COMMON FIELD("__data_loc char[] name", 8, 4, 0)            \
		FIELD("void * lockdep_addr", 16, 8, 0)

#define LOCKDEP_FIELDS                                                                             \
	{                                                                                          \
		{ "lockdep_addr", PD_S_V0, true, "%p", 0 },                                        \
		{ "name", PD_S_LOCK, true, "%s", 0 },                                              \
	}

#define SWITCH_FORMAT                                                                              \
	"name: sched_switch\nID: 310\n" COMMON FIELD("char prev_comm[16]", 8, 16, 0)               \
		FIELD("pid_t prev_pid", 24, 4, 1) FIELD("int prev_prio", 28, 4, 1)                 \
			FIELD("long prev_state", 32, 8, 1) FIELD("char next_comm[16]", 40, 16, 0)  \
				FIELD("pid_t next_pid", 56, 4, 1) FIELD("int next_prio", 60, 4, 1)

/* perf takes the letters of states from this. */
#define STATES                                                                                     \
	"(REC->prev_state & 0xff) ? __print_flags(REC->prev_state & 0xff, \"|\", "                 \
	"{ 0x00000001, \"S\" }, { 0x00000002, \"D\" }, { 0x00000004, \"T\" }, "                    \
	"{ 0x00000008, \"t\" }, { 0x00000010, \"X\" }, { 0x00000020, \"Z\" }, "                    \
	"{ 0x00000040, \"P\" }, { 0x00000080, \"I\" }) : \"R\""

#define SWITCH_FIELDS                                                                              \
	{                                                                                          \
		{ "prev_comm", PD_S_COMM0, true, "prev_comm=%s", 0 },                              \
		{ "prev_pid", PD_S_V0, true, "prev_pid=%d", 0 },                                   \
		{ "prev_prio", PD_S_PRIO, false, 0, 0 },                                           \
		{ "prev_state", PD_S_V2, true, "prev_state=%s ==>", STATES },                      \
		{ "next_comm", PD_S_COMM1, true, "next_comm=%s", 0 },                              \
		{ "next_pid", PD_S_V1, true, "next_pid=%d", 0 },                                   \
		{ "next_prio", PD_S_PRIO, false, 0, 0 },                                           \
	}

#define WAKE_FORMAT(name, id)                                                                      \
	"name: " name "\nID: " #id "\n" COMMON FIELD("char comm[16]", 8, 16, 0)                    \
		FIELD("pid_t pid", 24, 4, 1) FIELD("int prio", 28, 4, 1)                           \
			FIELD("int target_cpu", 32, 4, 1)

#define WAKE_FIELDS                                                                                \
	{                                                                                          \
		{ "comm", PD_S_COMM0, true, "comm=%s", 0 },                                        \
		{ "pid", PD_S_V0, true, "pid=%d", 0 },                                             \
		{ "prio", PD_S_PRIO, false, 0, 0 },                                                \
		{ "target_cpu", PD_S_V1, true, "target_cpu=%03d", 0 },                             \
	}

#define MIGRATE_FORMAT                                                                             \
	"name: sched_migrate_task\nID: 309\n" COMMON FIELD("char comm[16]", 8, 16, 0)              \
		FIELD("pid_t pid", 24, 4, 1) FIELD("int prio", 28, 4, 1)                           \
			FIELD("int orig_cpu", 32, 4, 1) FIELD("int dest_cpu", 36, 4, 1)

#define MIGRATE_FIELDS                                                                             \
	{                                                                                          \
		{ "comm", PD_S_COMM0, true, "comm=%s", 0 },                                        \
		{ "pid", PD_S_V0, true, "pid=%d", 0 },                                             \
		{ "prio", PD_S_PRIO, false, 0, 0 },                                                \
		{ "orig_cpu", PD_S_V1, true, "orig_cpu=%d", 0 },                                   \
		{ "dest_cpu", PD_S_V2, true, "dest_cpu=%d", 0 },                                   \
	}

#define RUNTIME_FORMAT                                                                             \
	"name: sched_stat_runtime\nID: 297\n" COMMON FIELD("char comm[16]", 8, 16, 0)              \
		FIELD("pid_t pid", 24, 4, 1) FIELD("u64 runtime", 32, 8, 0)

#define RUNTIME_FIELDS                                                                             \
	{                                                                                          \
		{ "comm", PD_S_COMM0, true, "comm=%s", 0 },                                        \
		{ "pid", PD_S_V0, true, "pid=%d", 0 },                                             \
		{ "runtime", PD_S_V1, true, "runtime=%Lu [ns]",                                    \
		  "(unsigned long long)REC->runtime" },                                            \
	}

#define EXIT_REASONS                                                                               \
	"(REC->isa == 1) ? __print_symbolic(REC->exit_reason & 0xffff, { 12, \"HLT\" }, "          \
	"{ 40, \"PAUSE_INSTRUCTION\" }) : __print_symbolic(REC->exit_reason, "                     \
	"{ 0x077, \"pause\" }, { 0x078, \"hlt\" }, { 0x0a6, \"idle-halt\" })"

const struct ks_pd_tracepoint ks_pd_tracepoints[PD_EVENTS] = {
	[PD_KVM_EXIT] = { "kvm",
			  "kvm_exit",
			  "name: kvm_exit\nID: 1619\n" COMMON FIELD(
				  "unsigned int exit_reason", 8, 4,
				  0) FIELD("unsigned long guest_rip", 16, 8, 0)
				  FIELD("u32 isa", 24, 4, 0) FIELD("u64 info1", 32, 8, 0) FIELD(
					  "u64 info2", 40, 8, 0) FIELD("u32 intr_info", 48, 4, 0)
					  FIELD("u32 error_code", 52, 4, 0)
						  FIELD("unsigned int vcpu_id", 56, 4, 0),
			  { { "vcpu_id", PD_S_V2, false, 0, 0 },
			    { "exit_reason", PD_S_V1, true, "reason %s", EXIT_REASONS },
			    { "isa", PD_S_ISA, true, 0, 0 },
			    { "guest_rip", PD_S_V0, true, "rip 0x%lx", 0 } } },
	[PD_KVM_ENTRY] = { "kvm",
			   "kvm_entry",
			   "name: kvm_entry\nID: 1620\n" COMMON FIELD("unsigned int vcpu_id", 8, 4,
								      0)
				   FIELD("unsigned long rip", 16, 8, 0)
					   FIELD("bool immediate_exit", 24, 1, 0),
			   { { "vcpu_id", PD_S_V2, true, "vcpu %u,", 0 },
			     { "rip", PD_S_V0, false, 0, 0 } } },
	[PD_SWITCH] = { "sched", "sched_switch", SWITCH_FORMAT, SWITCH_FIELDS },
	[PD_WAKING] = { "sched", "sched_waking", WAKE_FORMAT("sched_waking", 313), WAKE_FIELDS },
	[PD_MIGRATE] = { "sched", "sched_migrate_task", MIGRATE_FORMAT, MIGRATE_FIELDS },
	[PD_RUNTIME] = { "sched", "sched_stat_runtime", RUNTIME_FORMAT, RUNTIME_FIELDS },
	[PD_G_SWITCH] = { "sched", "sched_switch", SWITCH_FORMAT, SWITCH_FIELDS },
	[PD_G_WAKEUP] = { "sched", "sched_wakeup", WAKE_FORMAT("sched_wakeup", 312), WAKE_FIELDS },
	[PD_G_MIGRATE] = { "sched", "sched_migrate_task", MIGRATE_FORMAT, MIGRATE_FIELDS },
	[PD_G_RUNTIME] = { "sched", "sched_stat_runtime", RUNTIME_FORMAT, RUNTIME_FIELDS },
	[PD_WAIT_BEGIN] = { "lock",
			    "contention_begin",
			    "name: contention_begin\nID: 346\n" COMMON FIELD("void * lock_addr", 8,
									     8, 0)
				    FIELD("unsigned int flags", 16, 4, 0),
			    { { "lock_addr", PD_S_V0, true, "%p", 0 },
			      { "flags", PD_S_SPIN, true, "(flags=%s)",
				"__print_flags(REC->flags, \"|\", { 1, \"SPIN\" })" } } },
	[PD_WAIT_END] = { "lock",
			  "contention_end",
			  "name: contention_end\nID: 345\n" COMMON FIELD(
				  "void * lock_addr", 8, 8, 0) FIELD("int ret", 16, 4, 1),
			  { { "lock_addr", PD_S_V0, true, "%p", 0 } } },
	[PD_ACQUIRE] = { "lock", "lock_acquire",
			 "name: lock_acquire\nID: 360\n" COMMON FIELD("unsigned int flags", 8, 4, 0)
				 FIELD("__data_loc char[] name", 12, 4, 0)
					 FIELD("void * lockdep_addr", 16, 8, 0),
			 LOCKDEP_FIELDS },
	[PD_CONTENDED] = { "lock", "lock_contended", LOCKDEP_FORMAT("lock_contended", 361),
			   LOCKDEP_FIELDS },
	[PD_ACQUIRED] = { "lock", "lock_acquired", LOCKDEP_FORMAT("lock_acquired", 362),
			  LOCKDEP_FIELDS },
	[PD_RELEASE] = { "lock", "lock_release", LOCKDEP_FORMAT("lock_release", 363),
			 LOCKDEP_FIELDS },
};
