// SPDX-License-Identifier: GPL-2.0
/* What rows there are and what is in them: the one description that everything else follows. */
#include <stddef.h>

#include "rows_priv.h"
#include "vnuma.h"

#define TYPE(t) (1ull << (t))

/* Records of vCPUs, by the host; of a guest's CPUs, by the guest. */
#define OF_VCPU                                                                                    \
	(TYPE(KS_VCPU_NEW) | TYPE(KS_VCPU_GONE) | TYPE(KS_TSC_OFFSET) | TYPE(KS_PLE_WINDOW) |      \
	 TYPE(KS_PAUSE) | TYPE(KS_HLT) | TYPE(KS_BURST) | TYPE(KS_VCPU_IN) | TYPE(KS_VCPU_OUT) |   \
	 TYPE(KS_VCPU_WAKE) | TYPE(KS_VCPU_MIGRATE) | TYPE(KS_HALT_POLL) | TYPE(KS_BOOST) |        \
	 TYPE(KS_LOOK))
#define OF_LOCK (TYPE(KS_LOCK_TRY) | TYPE(KS_LOCK_ACQ) | TYPE(KS_LOCK_REL))
#define OF_GUEST                                                                                   \
	(OF_LOCK | TYPE(KS_TASK_MIGRATE) | TYPE(KS_IDLE_ENTER) | TYPE(KS_IDLE_EXIT) |              \
	 TYPE(KS_TASK_WAKE) | TYPE(KS_RQ_BUSY) | TYPE(KS_RQ_CALM) | TYPE(KS_TASK_SWITCH) |         \
	 TYPE(KS_TASK_CPUS) | TYPE(KS_TASK_PASSED) | TYPE(KS_CPU_ONLINE))
#define OF_EXIT (TYPE(KS_PAUSE) | TYPE(KS_HLT) | TYPE(KS_BURST))
#define OF_MOVE (TYPE(KS_VCPU_MIGRATE) | TYPE(KS_TASK_MIGRATE))
#define OF_TASK                                                                                    \
	(OF_LOCK | TYPE(KS_TASK_MIGRATE) | TYPE(KS_TASK_WAKE) | TYPE(KS_TASK_SWITCH) |             \
	 TYPE(KS_TASK_CPUS) | TYPE(KS_TASK_PASSED))
#define UNKNOWN TYPE(KS_NONE)

static const char *const record_types[KS_TYPE_MAX] = {
	[KS_NONE] = "unknown",
	[KS_CLOCK] = "clock",
	[KS_LOSS] = "loss",
	[KS_VCPU_NEW] = "vcpu_new",
	[KS_VCPU_GONE] = "vcpu_gone",
	[KS_TSC_OFFSET] = "tsc_offset",
	[KS_PLE_WINDOW] = "ple_window",
	[KS_PAUSE] = "pause",
	[KS_HLT] = "hlt",
	[KS_BURST] = "burst",
	[KS_VCPU_IN] = "vcpu_in",
	[KS_VCPU_OUT] = "vcpu_out",
	[KS_VCPU_WAKE] = "vcpu_wake",
	[KS_VCPU_MIGRATE] = "vcpu_migrate",
	[KS_HALT_POLL] = "halt_poll",
	[KS_BOOST] = "boost",
	[KS_LOOK] = "look",
	[KS_VM_MEMORY] = "vm_memory",
	[KS_LOCK_TRY] = "lock_try",
	[KS_LOCK_ACQ] = "lock_acq",
	[KS_LOCK_REL] = "lock_rel",
	[KS_TASK_MIGRATE] = "task_migrate",
	[KS_IDLE_ENTER] = "idle_enter",
	[KS_IDLE_EXIT] = "idle_exit",
	[KS_TASK_WAKE] = "task_wake",
	[KS_RQ_BUSY] = "rq_busy",
	[KS_RQ_CALM] = "rq_calm",
	[KS_TASK_SWITCH] = "task_switch",
	[KS_TASK_CPUS] = "task_cpus",
	[KS_TASK_PASSED] = "task_passed",
	[KS_CPU_ONLINE] = "cpu_online",
};

const char *rows_record_type(unsigned int type)
{
	return type < KS_TYPE_MAX ? record_types[type] : NULL;
}

/* ---- words ---- */

static const char *any_class(unsigned int i)
{
	return i < KS_C_MAX ? ks_class_name((enum ks_class)i) : NULL;
}

static const char *wait_class(unsigned int i)
{
	return i < KS_C_WAIT_MAX ? any_class(i) : NULL;
}

static const char *vstate(unsigned int i)
{
	return i < KS_V_MAX ? ks_vstate_name((enum ks_vstate)i) : NULL;
}

static const char *side(unsigned int i)
{
	static const char *const words[] = { "host", "guest", NULL };

	return words[i];
}

static const char *context(unsigned int i)
{
	static const char *const words[] = { "task", "softirq", "hardirq", "nmi", NULL };

	return words[i];
}

/* Who moved a thread, from the first that is known on. */
static const char *mover(unsigned int i)
{
	return ks_move_name(i + KS_MOVE_UNKNOWN + 1);
}

const char *rows_allowed(unsigned int i)
{
	static const char *const words[] = { "any", "one", "some", NULL };

	return words[i];
}

/* The i-th type that has a name and is told as a record, or as lost in a loss. */
static const char *nth_type(unsigned int i, unsigned int first)
{
	unsigned int t;

	for (t = first; t < KS_TYPE_MAX; t++)
		if (record_types[t] && t != KS_LOSS && !i--)
			return record_types[t];
	return NULL;
}

static const char *type(unsigned int i)
{
	return nth_type(i, KS_NONE);
}

const char *rows_part(enum rows_type t, unsigned int i)
{
	switch (t) {
	case RC_WAIT_CLASSES:
		return wait_class(i);
	case RC_PLE_CLASSES:
		return any_class(i);
	default:
		return vstate(i);
	}
}

/* ---- the kinds ---- */

/* A member of the struct ROW; of records, those types that have it; strings, the words there are. */
#define WORD_OF(name_, type_, member, of_, word_, doc_)                                            \
	{                                                                                          \
		.name = name_,                                                                     \
		.type = (type_),                                                                   \
		.off = offsetof(ROW, member),                                                      \
		.of = (of_),                                                                       \
		.word = word_,                                                                     \
		.doc = doc_,                                                                       \
	}
#define COL_OF(name, type, member, of, doc) WORD_OF(name, type, member, of, NULL, doc)
#define WORD(name, type, member, word, doc) WORD_OF(name, type, member, ROWS_ALL, word, doc)
#define COL(name, type, member, doc) COL_OF(name, type, member, ROWS_ALL, doc)
/* Members of an object, up to END_GROUP. */
#define GROUP(name_, of_, doc_)                                                                    \
	{                                                                                          \
		.name = name_,                                                                     \
		.type = RC_GROUP,                                                                  \
		.of = (of_),                                                                       \
		.doc = doc_,                                                                       \
	}
#define END_GROUP                                                                                  \
	{                                                                                          \
		.name = "",                                                                        \
		.type = RC_END,                                                                    \
		.of = ROWS_ALL,                                                                    \
		.doc = "",                                                                         \
	}
#define LIST(name_, kind)                                                                          \
	{                                                                                          \
		.name = name_,                                                                     \
		.type = RC_LIST,                                                                   \
		.off = (kind),                                                                     \
		.of = ROWS_ALL,                                                                    \
		.doc = "",                                                                         \
	}

#define ROW struct row_header
static const struct rows_col header_cols[] = {
	COL("schema", RC_U32, schema,
	    "1; members may be added without a change of it, never renamed or given another "
	    "meaning"),
	COL("tool", RC_STR, tool, "`trace-export`"),
	COL("version", RC_STR, version, "of the tool"),
	WORD("clock", RC_STR, clock, side,
	     "whose `CLOCK_MONOTONIC` times are on: the host's, or the guest's own if there is no "
	     "host's file"),
	COL("isa", RC_STR | RC_NULL, isa, "`svm` or `vmx`: numbers the exit reasons"),
	COL("tsc_ratio_frac", RC_U32, tsc_ratio_frac, "fraction bits of `tsc_ratio`"),
	COL("first_ns", RC_U64 | RC_NULL, first,
	    "first record of the host's file (alone: of the guest's)"),
	COL("last_ns", RC_U64 | RC_NULL, last, "last one"),
	COL("from_ns", RC_U64 | RC_NULL, from, "`--from`"),
	COL("to_ns", RC_U64 | RC_NULL, to,
	    "`--to`; rows that lie outside are left out, totals are of everything"),
	LIST("files", ROW_FILE),
	LIST("vms", ROW_VM),
	LIST("vcpus", ROW_VCPU),
};
#undef ROW

#define ROW struct row_file
static const struct rows_col file_cols[] = {
	COL("path", RC_STR, path, "as given"),
	WORD("side", RC_STR, side, side, ""),
	COL("vm", RC_STR | RC_NULL, vm, "the VM, as `vm` in `vms`"),
	COL("hostname", RC_STR | RC_NULL, hostname, "`uname -n`"),
	COL("kernel", RC_STR | RC_NULL, kernel, "`uname -r`"),
	COL("mode", RC_STR | RC_NULL, mode,
	    "host: `events`, `bursts`; guest: `full`, `contention`, `sched`"),
	COL("first_ns", RC_U64 | RC_NULL, first,
	    "first record, on the clock of the machine that recorded"),
	COL("last_ns", RC_U64 | RC_NULL, last, "last one"),
	COL("start_mono_ns", RC_U64 | RC_NULL, start_mono,
	    "the beginning on `CLOCK_MONOTONIC` ..."),
	COL("start_realtime_ns", RC_U64 | RC_NULL, start_realtime,
	    "... and on `CLOCK_REALTIME`: the difference turns times into dates"),
	COL("wait_threshold_ns", RC_U64 | RC_NULL, wait_threshold,
	    "guest: shorter waits are not recorded"),
	COL("hold_threshold_ns", RC_U64 | RC_NULL, hold_threshold, "guest: nor shorter holds"),
	COL("clock_error_ns", RC_U64 | RC_NULL, clock_error,
	    "guest: bound on the error of its times on the host's clock"),
	COL("clock_steps", RC_U64 | RC_NULL, clock_steps, "guest: how often its TSC was stepped"),
	COL("clock_largest_step_ns", RC_U64 | RC_NULL, clock_largest_step,
	    "guest: by how much its clock jumped with it at most"),
	COL("clock_breaks", RC_U64 | RC_NULL, clock_breaks,
	    "guest: how often its clock stood still or ran ahead by itself, as when its VM is "
	    "stopped: within these seconds its times are uncertain, and causes `unknown`"),
	COL("clock_largest_break_ns", RC_U64 | RC_NULL, clock_largest_break,
	    "guest: for how long at most"),
	COL("matched_by", RC_STR | RC_NULL, matched_by, "guest: how its VM was found"),
};
#undef ROW

#define ROW struct row_vm
static const struct rows_col vm_cols[] = {
	COL("vm", RC_STR, vm,
	    "what rows call it, and no other: its name; with `-PID` behind it if several would be "
	    "called so"),
	COL("name", RC_STR, name, ""),
	COL("pid", RC_U32, pid, "host process"),
	COL("uuid", RC_STR | RC_NULL, uuid, ""),
	COL("cid", RC_INT | RC_NULL, cid, "vsock"),
	COL("vcpu_count", RC_U32, nvcpus, ""),
};
#undef ROW

#define ROW struct row_vcpu
static const struct rows_col vcpu_cols[] = {
	COL("vm", RC_STR, vm, "the VM, as `vm` in `vms`"),
	COL("vcpu", RC_U32, vcpu, "KVM's vcpu_id"),
	COL("slot", RC_U32, slot, "number of the vCPU in the host's file"),
	COL("guest_cpu", RC_INT | RC_NULL, guest_cpu,
	    "its number in the guest, if a guest's file tells"),
	COL("tid", RC_U32, tid, "host thread"),
};
#undef ROW

#define ROW struct row_record
static const struct rows_col record_cols[] = {
	WORD("type", RC_STR, type, type, ""),
	COL("time_ns", RC_U64, time, "when, on the header's clock; never runs backwards"),
	COL("own_ns", RC_U64, own, "as recorded: on the clock of the machine that recorded"),
	WORD("side", RC_STR, side, side, "who recorded"),
	COL("vm", RC_STR | RC_NULL, vm, "the VM, as `vm` in `vms`"),
	COL_OF("vcpu", RC_INT | RC_NULL, vcpu, OF_VCPU | OF_GUEST, "KVM's vcpu_id"),
	COL_OF("slot", RC_INT | RC_NULL, slot, OF_VCPU, "number of the vCPU in the host's file"),
	COL_OF("guest_cpu", RC_INT | RC_NULL, guest_cpu, OF_GUEST,
	       "CPU in the guest; of `task_passed`, the first of the idle ones, and `vcpu` is "
	       "that one's"),
	COL_OF("pcpu", RC_INT | RC_NULL, pcpu, OF_VCPU, "CPU of the host"),
	GROUP("task", OF_TASK, "guest thread"),
	COL_OF("pid", RC_U32, task.pid, OF_TASK, "0: the idle thread"),
	COL_OF("comm", RC_STR | RC_NULL, task.comm, OF_TASK, "its name"),
	END_GROUP,
	COL_OF("ip", RC_ADDR | RC_NULL, ip, OF_EXIT, "guest's instruction pointer"),
	COL_OF("ip_symbol", RC_STR | RC_NULL, ip_symbol, OF_EXIT, "its name"),
	COL_OF("cpl", RC_INT | RC_NULL, cpl, OF_EXIT, "guest's privilege level, 3 = user"),
	COL_OF("window", RC_U64, window, TYPE(KS_PAUSE),
	       "PLE window in force: PAUSEs (AMD), TSC cycles (Intel)"),
	COL_OF("count", RC_U64, count, TYPE(KS_BURST), "PLE exits folded into it"),
	COL_OF("length_ns", RC_U64, length, TYPE(KS_BURST),
	       "from the first of them to the last, which is at `time_ns`"),
	COL_OF("old_window", RC_U64, old_window, TYPE(KS_PLE_WINDOW), "PLE window before"),
	COL_OF("new_window", RC_U64, new_window, TYPE(KS_PLE_WINDOW), "PLE window from now on"),
	COL_OF("prev_tid", RC_U32, prev_tid, TYPE(KS_VCPU_IN), "host thread that left the CPU"),
	COL_OF("next_tid", RC_U32, next_tid, TYPE(KS_VCPU_OUT), "host thread that took the CPU"),
	WORD_OF("state", RC_STR, state, TYPE(KS_VCPU_OUT), vstate, "what the vCPU is from now on"),
	COL_OF("waker_tid", RC_U32, waker_tid, TYPE(KS_VCPU_WAKE), "host thread that woke it"),
	COL_OF("from_cpu", RC_INT | RC_NULL, from_cpu, OF_MOVE,
	       "CPU (of the host, of the guest) that it leaves"),
	COL_OF("to_cpu", RC_INT | RC_NULL, to_cpu,
	       OF_MOVE | TYPE(KS_TASK_WAKE) | TYPE(KS_TASK_PASSED),
	       "CPU that it goes to, or is on"),
	COL_OF("from_node", RC_INT | RC_NULL, from_node, OF_MOVE, "NUMA node of `from_cpu`"),
	COL_OF("to_node", RC_INT | RC_NULL, to_node, OF_MOVE, "NUMA node of `to_cpu`"),
	WORD_OF("moved_by", RC_STR | RC_NULL, moved_by, TYPE(KS_TASK_MIGRATE), mover,
		"its wake-up, newly idle balancing, periodic balancing, NUMA balancing, its "
		"exec(), a "
		"changed affinity, active balancing"),
	COL_OF("since_hlt_ns", RC_U64, since_hlt, TYPE(KS_HALT_POLL), "since the exit on HLT"),
	COL_OF("slept", RC_BOOL, slept, TYPE(KS_HALT_POLL),
	       "it slept; otherwise it was woken while KVM polled"),
	COL_OF("valid", RC_BOOL, valid, TYPE(KS_HALT_POLL), "the wake-up was for a reason"),
	WORD_OF("outcome", RC_STR | RC_NULL, outcome, TYPE(KS_BOOST), ks_boost_out_name,
		"what became of the slice: `here`, `remote`: `picked_vcpu` runs next, on this CPU, "
		"on "
		"its own; `failed`: it could not be brought there; `none`: nobody was picked"),
	COL_OF("picked_vcpu", RC_INT | RC_NULL, other_vcpu, TYPE(KS_BOOST), "KVM's vcpu_id"),
	COL_OF("exact", RC_BOOL, exact, TYPE(KS_BOOST), "the guest's lock page named it"),
	COL_OF("did_not_spin", RC_BOOL, did_not_spin, TYPE(KS_BOOST),
	       "when it lost its CPU, it had not been spinning"),
	COL_OF("in_kernel", RC_BOOL, in_kernel, TYPE(KS_BOOST), "but ran the guest's kernel"),
	WORD_OF("says", RC_STR | RC_NULL, says, TYPE(KS_LOOK), ks_look_name,
		"what the guest's lock page said of this vCPU, which spins: waits for the lock's "
		"`holder`, for the one that is to get it (`waiter`, `self`), for an answer to an "
		"IPI; "
		"`nothing` that is published; the page is not there, or not proved"),
	COL_OF("named_vcpu", RC_INT | RC_NULL, other_vcpu, TYPE(KS_LOOK),
	       "the vCPU that it names, KVM's vcpu_id"),
	COL_OF("lock_holders", RC_U32, lock_holders, TYPE(KS_LOOK),
	       "vCPUs that say that they hold the lock, or are about to"),
	COL_OF("lock_waiters", RC_U32, lock_waiters, TYPE(KS_LOOK),
	       "vCPUs that wait for it; 0: not counted"),
	COL_OF("lock", RC_ADDR | RC_NULL, lock, OF_LOCK | TYPE(KS_LOOK), ""),
	COL_OF("lock_symbol", RC_STR | RC_NULL, lock_symbol, OF_LOCK | TYPE(KS_LOOK), "its name"),
	COL_OF("site", RC_ADDR | RC_NULL, site, TYPE(KS_LOCK_TRY) | TYPE(KS_LOCK_REL),
	       "where it was wanted; for a release, of a lock that was waited for where it was "
	       "acquired, else where it is released"),
	COL_OF("site_symbol", RC_STR | RC_NULL, site_symbol, TYPE(KS_LOCK_TRY) | TYPE(KS_LOCK_REL),
	       "its name"),
	WORD_OF("context", RC_STR, context, OF_LOCK, context, ""),
	COL_OF("depth", RC_U32, depth, OF_LOCK,
	       "spinlocks held or waited for on this CPU below this one"),
	COL_OF("wait_ns", RC_U64, wait, TYPE(KS_LOCK_ACQ), "how long it waited"),
	COL_OF("hold_ns", RC_U64, hold, TYPE(KS_LOCK_REL), "how long it was held"),
	COL_OF("coarse", RC_BOOL, coarse, TYPE(KS_LOCK_REL),
	       "`hold_ns` is rounded down to 1,024 ns"),
	COL_OF("waiters", RC_BOOL, waiters, TYPE(KS_LOCK_REL), "somebody waited for it then"),
	COL_OF("c_state", RC_INT | RC_NULL, c_state, TYPE(KS_IDLE_ENTER), "index of the C-state"),
	COL_OF("waker_pid", RC_U32, waker_pid, TYPE(KS_TASK_WAKE), "guest thread that woke it"),
	WORD_OF("allowed", RC_STR | RC_NULL, allowed, TYPE(KS_TASK_WAKE), rows_allowed,
		"CPUs that it may run on: every one, the one that it is on, those of its last "
		"`task_cpus`"),
	COL_OF("cpus_allowed_list", RC_STR | RC_NULL, cpus, TYPE(KS_TASK_CPUS),
	       "CPUs that it may run on, as in `/proc/PID/status`: `0-3,8`"),
	COL_OF("idle_cpus", RC_U32, idle_cpus, TYPE(KS_TASK_PASSED),
	       "CPUs that it may run on and that were idle when it was woken on `to_cpu`, which "
	       "has others to run"),
	COL_OF("flagged_cpus", RC_INT | RC_NULL, flagged_cpus, TYPE(KS_TASK_PASSED),
	       "of these, flagged as preempted (`preempted` of KVM's steal time); null: the guest "
	       "has no such flags"),
	COL_OF("online", RC_BOOL, online, TYPE(KS_CPU_ONLINE),
	       "the CPU can run threads from now on; false: it cannot any more"),
	COL_OF("runnable", RC_INT | RC_NULL, runnable, TYPE(KS_RQ_BUSY) | TYPE(KS_RQ_CALM),
	       "threads on the run queue"),
	COL_OF("prev_pid", RC_U32, prev_pid, TYPE(KS_TASK_SWITCH), "thread that left the CPU"),
	COL_OF("prev_runnable", RC_BOOL, prev_runnable, TYPE(KS_TASK_SWITCH), "and wants it still"),
	WORD_OF("prev_allowed", RC_STR | RC_NULL, allowed, TYPE(KS_TASK_SWITCH), rows_allowed,
		"CPUs that it may run on, as in `allowed`; null, too, if it does not want one"),
	COL_OF("vm_pid", RC_U32, vm_pid, TYPE(KS_VCPU_NEW) | TYPE(KS_VM_MEMORY), "host process"),
	COL_OF("node", RC_U32, node, TYPE(KS_VM_MEMORY),
	       "NUMA node of the host; a sample is all records of one `vm_pid` and `own_ns`, and "
	       "names every node"),
	COL_OF("guest_node", RC_INT | RC_NULL, guest_node, TYPE(KS_VM_MEMORY),
	       "NUMA node of the guest that the memory is of"),
	COL_OF("bytes", RC_U64, bytes, TYPE(KS_VM_MEMORY), "of the VM's memory that lie there"),
	COL_OF("tid", RC_U32, tid, TYPE(KS_VCPU_NEW), "host thread"),
	COL_OF("tsc", RC_DEC, tsc, TYPE(KS_CLOCK), ""),
	COL_OF("bracket_ns", RC_U64, bracket, TYPE(KS_CLOCK),
	       "the TSC was this at `own_ns`, give or take so much"),
	COL_OF("tsc_offset", RC_SDEC, tsc_offset, TYPE(KS_TSC_OFFSET),
	       "guest's TSC less the host's (scaled)"),
	COL_OF("tsc_ratio", RC_DEC | RC_NULL, tsc_ratio, TYPE(KS_TSC_OFFSET),
	       "guest's rate to the host's, fixed point; null: not scaled"),
	COL_OF("number", RC_U32, number, UNKNOWN,
	       "of a type that this version does not know, or that this side cannot send"),
	COL_OF("flags", RC_U32, flags, UNKNOWN, ""),
	COL_OF("cpu", RC_U32, cpu, UNKNOWN, ""),
	COL_OF("id", RC_U32, id, UNKNOWN, ""),
	COL_OF("a", RC_ADDR, a, UNKNOWN, ""),
	COL_OF("b", RC_ADDR, b, UNKNOWN, ""),
};
#undef ROW

#define ROW struct row_loss
static const struct rows_col loss_cols[] = {
	COL("time_ns", RC_U64, time, "end of the time in which they were lost"),
	COL("from_ns", RC_U64, from, "its beginning"),
	COL("own_ns", RC_U64, own, "`time_ns` on the clock of the machine that recorded"),
	WORD("side", RC_STR, side, side, "who lost them"),
	COL("vm", RC_STR | RC_NULL, vm, "the VM, as `vm` in `vms`"),
	COL("ring", RC_INT | RC_NULL, ring, "CPU whose ring was full; null: not known"),
	WORD("lost_type", RC_STR | RC_NULL, lost_type, type, "type of the records; null: any"),
	COL("lost", RC_U64, lost, "how many; of type burst: the PLE exits in them"),
};
#undef ROW

#define ROW struct row_wait
static const struct rows_col wait_cols[] = {
	COL("vm", RC_STR, vm, "the VM, as `vm` in `vms`"),
	COL("try_ns", RC_U64, try_time, "when it began to wait"),
	COL("ns", RC_U64, ns, "length"),
	COL("acquired", RC_BOOL, acquired, "false: the trace ended first"),
	COL("partial", RC_BOOL, partial,
	    "its beginning was lost, or the guest's clock stood still in it: not all of its PLE "
	    "exits are told"),
	COL("vcpu", RC_U32, vcpu, "KVM's vcpu_id"),
	COL("slot", RC_U32, slot, "number of the vCPU in the host's file"),
	GROUP("task", ROWS_ALL, "guest thread"),
	COL("pid", RC_U32, task.pid, "0: the idle thread"),
	COL("comm", RC_STR | RC_NULL, task.comm, "its name"),
	END_GROUP,
	WORD("context", RC_STR, context, context, ""),
	COL("lock", RC_ADDR | RC_NULL, lock, ""),
	COL("lock_symbol", RC_STR | RC_NULL, lock_symbol, "its name"),
	COL("site", RC_ADDR | RC_NULL, site, "where it was wanted"),
	COL("site_symbol", RC_STR | RC_NULL, site_symbol, "its name"),
	WORD("verdict", RC_STR, verdict, wait_class, "class of the largest share"),
	COL("share_ns", RC_WAIT_CLASSES, share, "by class; sums up to `ns`"),
	COL("ple", RC_U64, ple, "PLE exits of the waiter in it"),
	COL("ple_by_class", RC_WAIT_CLASSES, ple_by, "sums up to `ple`"),
	COL("blamed", RC_GROUP | RC_NULL, blamed,
	    "the other vCPU that most of it is due to: the holder, or the next waiter"),
	WORD("class", RC_STR, blame_class, wait_class, ""),
	COL("vcpu", RC_U32, blame_vcpu, ""),
	GROUP("task", ROWS_ALL, "guest thread"),
	COL("pid", RC_U32, blame_task.pid, "0: the idle thread"),
	COL("comm", RC_STR | RC_NULL, blame_task.comm, "its name"),
	END_GROUP,
	COL("site", RC_ADDR | RC_NULL, blame_site,
	    "where the holder acquired it, if that had waited for it, else where it released it; "
	    "or where the next waiter wanted it"),
	COL("site_symbol", RC_STR | RC_NULL, blame_symbol, "its name"),
	COL("off_cpu_ns", RC_U64, blame_off, "time of that vCPU off its CPU, within the wait"),
	END_GROUP,
};
#undef ROW

#define ROW struct row_hold
static const struct rows_col hold_cols[] = {
	COL("vm", RC_STR, vm, "the VM, as `vm` in `vms`"),
	COL("acquire_ns", RC_U64, acq_time, "when"),
	COL("ns", RC_U64, ns, "length"),
	COL("vcpu", RC_U32, vcpu, "KVM's vcpu_id"),
	COL("slot", RC_U32, slot, "number of the vCPU in the host's file"),
	GROUP("task", ROWS_ALL, "guest thread"),
	COL("pid", RC_U32, task.pid, "0: the idle thread"),
	COL("comm", RC_STR | RC_NULL, task.comm, "its name"),
	END_GROUP,
	COL("lock", RC_ADDR | RC_NULL, lock, ""),
	COL("lock_symbol", RC_STR | RC_NULL, lock_symbol, "its name"),
	COL("site", RC_ADDR | RC_NULL, site, "where it was acquired, if there was a wait"),
	COL("site_symbol", RC_STR | RC_NULL, site_symbol, "its name"),
	COL("preempted_ns", RC_U64, off, "of `ns`: its vCPU was runnable and not running"),
	COL("waiters", RC_BOOL, waiters, "somebody waited when it was released"),
};
#undef ROW

#define ROW struct row_segment
static const struct rows_col segment_cols[] = {
	COL("vm", RC_STR, vm, "the VM, as `vm` in `vms`"),
	COL("vcpu", RC_U32, vcpu, "KVM's vcpu_id"),
	COL("slot", RC_U32, slot, "number of the vCPU in the host's file"),
	WORD("state", RC_STR, state, vstate, ""),
	COL("pcpu", RC_INT | RC_NULL, pcpu, "CPU of the host, of the last one if it is off-CPU"),
	COL("from_ns", RC_U64, from, "when it began"),
	COL("ns", RC_U64, ns, "length"),
};
#undef ROW

#define ROW struct row_burst
static const struct rows_col burst_cols[] = {
	COL("vm", RC_STR, vm, "the VM, as `vm` in `vms`"),
	COL("vcpu", RC_U32, vcpu, "KVM's vcpu_id"),
	COL("slot", RC_U32, slot, "number of the vCPU in the host's file"),
	COL("first_ns", RC_U64, first, "its first PLE exit"),
	COL("ns", RC_U64, ns, "from there to the last one"),
	COL("exits", RC_U64, exits, ""),
	COL("ip", RC_ADDR | RC_NULL, ip, "where the last one with a known place was"),
	COL("ip_symbol", RC_STR | RC_NULL, ip_symbol, "its name"),
};
#undef ROW

#define ROW struct row_ple
static const struct rows_col ple_cols[] = {
	COL("vm", RC_STR, vm, "the VM, as `vm` in `vms`"),
	COL("vcpu", RC_U32, vcpu, "KVM's vcpu_id"),
	COL("slot", RC_U32, slot, "number of the vCPU in the host's file"),
	COL("time_ns", RC_U64, time, "when; of a folded burst, the last"),
	COL("count", RC_U32, count, "1, or the exits of a part of a folded burst"),
	WORD("class", RC_STR, class, any_class, "docs/verdicts.md"),
	COL("ip", RC_ADDR | RC_NULL, ip, "guest's instruction pointer"),
	COL("ip_symbol", RC_STR | RC_NULL, ip_symbol, "its name"),
	COL("lock", RC_ADDR | RC_NULL, lock,
	    "of the wait that it belongs to; null: outside every wait"),
	COL("lock_symbol", RC_STR | RC_NULL, lock_symbol, "its name"),
	COL("site", RC_ADDR | RC_NULL, site, "where the lock was wanted"),
	COL("site_symbol", RC_STR | RC_NULL, site_symbol, "its name"),
};
#undef ROW

#define ROW struct row_exits
static const struct rows_col exits_cols[] = {
	COL("vm", RC_STR, vm, "the VM, as `vm` in `vms`"),
	COL("vcpu", RC_U32, vcpu, "KVM's vcpu_id"),
	COL("slot", RC_U32, slot, "number of the vCPU in the host's file"),
	COL("reason", RC_U32, reason,
	    "architectural number; 4294901760 (0xffff0000): all without a counter of their own"),
	COL("name", RC_STR | RC_NULL, name, "as `perf kvm stat` has it"),
	COL("count", RC_U64, count, "exits since the recording began, as counted in the kernel"),
};
#undef ROW

#define ROW struct row_file_total
static const struct rows_col file_total_cols[] = {
	COL("path", RC_STR, path, ""),
	WORD("side", RC_STR, side, side, ""),
	COL("vm", RC_STR | RC_NULL, vm, "the VM, as `vm` in `vms`"),
	COL("lost_records", RC_U64, lost, ""),
	COL("bad_bytes", RC_U64, bad_bytes, "not readable"),
	COL("truncated", RC_BOOL, truncated, "cut off, or without an index"),
};
#undef ROW

#define ROW struct row_vcpu_total
static const struct rows_col vcpu_total_cols[] = {
	COL("vm", RC_STR, vm, "the VM, as `vm` in `vms`"),
	COL("vcpu", RC_U32, vcpu, "KVM's vcpu_id"),
	COL("slot", RC_U32, slot, "number of the vCPU in the host's file"),
	COL("pause", RC_U64, t.pause, "exits"),
	COL("hlt", RC_U64, t.hlt, "exits"),
	COL("bursts", RC_U64, t.bursts, ""),
	COL("longest_burst", RC_U64, t.longest_burst, "exits in it"),
	COL("state_ns", RC_STATES, t.state_ns, "by state"),
	COL("ple_by_class", RC_PLE_CLASSES, t.ple, "sums up to `pause`"),
	COL("migrations", RC_U64, t.migrations, "of its thread on the host"),
	COL("node_migrations", RC_U64, t.node_migrations, "of these, to another node"),
	COL("pingpongs", RC_U64, t.pingpongs, "A to B and back within 10 ms"),
};
#undef ROW

#define ROW struct row_vm_total
static const struct rows_col vm_total_cols[] = {
	COL("vm", RC_STR, vm, "the VM, as `vm` in `vms`"),
	COL("span_ns", RC_U64, t.span_ns, "first to last event of the host's file"),
	COL("guest_span_ns", RC_U64, t.guest_span_ns,
	    "recorded on both sides: the time that guest.wasted_idle_ns is of"),
	COL("lost_records", RC_U64, t.lost_records, "the host's and this guest's"),
	COL("pause", RC_U64, pause, "exits"),
	COL("hlt", RC_U64, hlt, "exits"),
	COL("bursts", RC_U64, bursts, ""),
	COL("longest_burst", RC_U64, longest_burst, "exits in it"),
	COL("ple_by_class", RC_PLE_CLASSES, ple, "sums up to `pause`"),
	COL("migrations", RC_U64, migrations, "of vCPU threads on the host"),
	COL("node_migrations", RC_U64, node_migrations, "of these, to another node"),
	COL("pingpongs", RC_U64, pingpongs, "A to B and back within 10 ms"),
	COL("guest", RC_GROUP | RC_NULL, guest, "null without the guest's file"),
	COL("waits", RC_U64, t.waits, ""),
	COL("wait_ns", RC_U64, t.wait_ns, "their lengths added up"),
	COL("lost_ns", RC_WAIT_CLASSES, t.lost_ns, "of it, by class"),
	COL("verdicts", RC_WAIT_CLASSES, t.verdicts, "waits by verdict"),
	GROUP("ple_per_acquisition", ROWS_ALL,
	      "PLE exits of a wait that acquired its lock, over all of them"),
	COL("p50", RC_U64, t.ple_per_wait[0], "median"),
	COL("p99", RC_U64, t.ple_per_wait[1], "99th percentile"),
	COL("max", RC_U64, t.ple_per_wait[2], "largest"),
	END_GROUP,
	COL("holds", RC_U64, t.holds, ""),
	COL("wasted_idle_ns", RC_U64, t.wasted_idle_ns,
	    "a vCPU halted while a runnable thread waited on another"),
	COL("migrations", RC_U64, t.task_migrations, "of threads inside the guest"),
	COL("node_migrations", RC_U64, t.task_node_migrations, "of these, to another node"),
	COL("pingpongs", RC_U64, t.task_pingpongs, "A to B and back within 10 ms"),
	COL("recorded_ns", RC_U64, t.guest_recorded_ns,
	    "all of the guest's file: the time that its waits, holds and migrations are of"),
	END_GROUP,
};
#undef ROW

#define ROW struct row_end
static const struct rows_col end_cols[] = {
	COL("rows", RC_U64, rows, "how many came before it"),
	COL("ignored_records", RC_U64, ignored,
	    "records that made no sense, and waits dropped because later records contradict them"),
	COL("first_ns", RC_U64 | RC_NULL, first, "first event of all files, on the header's clock"),
	COL("last_ns", RC_U64 | RC_NULL, last, "last one"),
};
#undef ROW

#define KIND(t) t##_cols, sizeof(t##_cols) / sizeof(t##_cols[0])

const struct rows_kind rows_kinds[ROW_KINDS] = {
	[ROW_HEADER] = { "header", "export", false, false, KIND(header),
			 "The first line: what follows and what it was made from. As tables: "
			 "export, files, vms, vcpus." },
	[ROW_FILE] = { "file", "files", true, false, KIND(file), "A file that was read." },
	[ROW_VM] = { "vm", "vms", true, false, KIND(vm), "A VM of the host's file." },
	[ROW_VCPU] = { "vcpu", "vcpus", true, false, KIND(vcpu),
		       "A vCPU, from its first record to its end. A vcpu_id that came back after "
		       "an unplug has two rows, with different slots." },
	[ROW_RECORD] = { "record", "records", false, true, KIND(record),
			 "A record of a trace, in order of time. Which members it has depends on "
			 "its type." },
	[ROW_LOSS] = { "loss", "losses", false, true, KIND(loss),
		       "Records that were lost, and when. With `--from` or `--to`: every loss that "
		       "reaches into this part, whole." },
	[ROW_WAIT] = { "wait", "waits", false, true, KIND(wait),
		       "A wait for a spinlock with its verdict (docs/verdicts.md). This and the "
		       "next four come when they are complete, not in order of their beginning." },
	[ROW_HOLD] = { "hold", "holds", false, true, KIND(hold), "A hold of a spinlock." },
	[ROW_SEGMENT] = { "segment", "segments", false, true, KIND(segment),
			  "A stretch of one state of one vCPU." },
	[ROW_BURST] = { "burst", "bursts", false, true, KIND(burst),
			"PLE exits of one vCPU, each within the burst gap of the last." },
	[ROW_PLE] = { "ple", "ples", false, true, KIND(ple),
		      "PLE exits once their cause is known. Their counts by class are what the "
		      "totals say." },
	[ROW_EXITS] = { "exits", "exits", false, true, KIND(exits),
			"Exits of a vCPU for one reason, of all kinds." },
	[ROW_FILE_TOTAL] = { "file_total", "file_totals", false, false, KIND(file_total),
			     "What was lost of a file, known once it was read to its end." },
	[ROW_VCPU_TOTAL] = { "vcpu_total", "vcpu_totals", false, false, KIND(vcpu_total),
			     "A vCPU's sums, as `report` has them." },
	[ROW_VM_TOTAL] = { "vm_total", "vm_totals", false, false, KIND(vm_total),
			   "A VM's sums, as `report` has them." },
	[ROW_END] = { "end", "end", false, false, KIND(end),
		      "The last line: without it the output is not whole." },
};
