/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside the rows: the structs that rows_table.c describes, and the way from the analysis to them.
 * Strings are borrowed and live until the row is written.
 */
#ifndef KVMSCHED_ROWS_PRIV_H
#define KVMSCHED_ROWS_PRIV_H

#include "model.h"
#include "rows.h"
#include "rows_names.h"

struct row_task {
	uint32_t pid;
	const char *comm;
};

struct row_header {
	uint32_t schema;
	const char *tool, *version, *clock, *isa;
	uint32_t tsc_ratio_frac;
	uint64_t first, last, from, to;
};

struct row_file {
	const char *path, *side, *vm, *hostname, *kernel, *mode, *matched_by;
	uint64_t first, last, start_mono, start_realtime;
	uint64_t wait_threshold, hold_threshold;
	uint64_t clock_error, clock_steps, clock_largest_step;
	uint64_t clock_breaks, clock_largest_break;
};

struct row_vm {
	const char *vm, *name, *uuid;
	uint32_t pid, nvcpus;
	int32_t cid;
};

struct row_vcpu {
	const char *vm;
	uint32_t vcpu, slot, tid;
	int32_t guest_cpu;
};

#define ROWS_CPUS 128u	   /* that a KS_TASK_CPUS tells of */
#define ROWS_CPU_LIST 384u /* room for any of them in words: "0-3,8" */

struct row_record {
	const char *type, *side, *vm;
	uint64_t time, own;
	int32_t vcpu, slot, guest_cpu, pcpu;
	struct row_task task;
	uint64_t ip;
	const char *ip_symbol;
	int32_t cpl;
	uint64_t window, old_window, new_window, count, length;
	uint64_t lock, site, wait, hold;
	const char *lock_symbol, *site_symbol, *context, *state;
	uint32_t depth;
	bool coarse, waiters, slept, valid, prev_runnable, online;
	int32_t from_cpu, to_cpu, from_node, to_node;
	int32_t c_state, runnable;
	uint32_t prev_tid, next_tid, waker_tid, prev_pid, waker_pid, vm_pid, tid;
	uint64_t since_hlt;
	const char *outcome, *says;
	int32_t other_vcpu;
	bool exact, did_not_spin, in_kernel;
	uint32_t lock_holders, lock_waiters;
	const char *moved_by, *allowed, *cpus;
	char cpu_list[ROWS_CPU_LIST];
	uint32_t idle_cpus, node;
	int32_t flagged_cpus, guest_node;
	uint64_t bytes;
	uint64_t tsc, bracket, tsc_offset, tsc_ratio;
	uint32_t number, flags, cpu, id;
	uint64_t a, b;
};

struct row_loss {
	uint64_t time, from, own;
	const char *side, *vm, *lost_type;
	int32_t ring;
	uint64_t lost;
};

struct row_wait {
	const char *vm;
	uint64_t try_time, ns;
	bool acquired, partial;
	uint32_t vcpu, slot;
	struct row_task task;
	const char *context;
	uint64_t lock, site;
	const char *lock_symbol, *site_symbol, *verdict;
	uint64_t share[KS_C_WAIT_MAX], ple, ple_by[KS_C_WAIT_MAX];
	bool blamed;
	const char *blame_class;
	uint32_t blame_vcpu;
	struct row_task blame_task;
	uint64_t blame_site;
	const char *blame_symbol;
	uint64_t blame_off;
};

struct row_hold {
	const char *vm;
	uint64_t acq_time, ns;
	uint32_t vcpu, slot;
	struct row_task task;
	uint64_t lock, site;
	const char *lock_symbol, *site_symbol;
	uint64_t off;
	bool waiters;
};

struct row_segment {
	const char *vm, *state;
	uint32_t vcpu, slot;
	int32_t pcpu;
	uint64_t from, ns;
};

struct row_burst {
	const char *vm, *ip_symbol;
	uint32_t vcpu, slot;
	uint64_t first, ns, exits, ip;
};

struct row_ple {
	const char *vm, *class, *ip_symbol, *lock_symbol, *site_symbol;
	uint32_t vcpu, slot, count;
	uint64_t time, ip, lock, site;
};

struct row_exits {
	const char *vm, *name;
	uint32_t vcpu, slot, reason;
	uint64_t count;
};

struct row_file_total {
	const char *path, *side, *vm;
	uint64_t lost, bad_bytes;
	bool truncated;
};

struct row_vcpu_total {
	const char *vm;
	uint32_t vcpu, slot;
	struct ks_vcpu_totals t;
};

struct row_vm_total {
	const char *vm;
	uint64_t pause, hlt, bursts, longest_burst, ple[KS_C_MAX];
	uint64_t migrations, node_migrations, pingpongs;
	struct ks_vm_totals t;
	bool guest;
};

struct row_end {
	uint64_t rows, ignored, first, last;
};

struct rows;

/* What the two formats do with a row; `of` as in struct rows_col, ROWS_ALL if not a record. */
typedef void (*rows_emit_fn)(struct rows *r, enum rows_kind_id k, const void *row, uint64_t of);

/* Common part of the exporters, at the beginning of theirs. */
struct rows {
	rows_emit_fn emit;
	uint32_t on; /* 1 << enum rows_kind_id: these are wanted */
	uint64_t nrows;
	struct rows_names names;
	const struct ks_session *session;
	const struct ks_analysis *analysis; /* the session's, NULL without */
	struct ks_reader *alone;
	const struct ks_vm *vms;
	const struct ks_vcpu *vcpus;
	uint32_t nvms, nvcpus;
	bool one_vm; /* --vm: leave out what is of others */
	struct rows_source {
		uint32_t vm;	    /* KS_NO_VCPU: the host */
		uint32_t *cpu_vcpu; /* guest CPU -> index, KS_NO_VCPU if none */
		int32_t *cpu_node;
		uint32_t ncpus, nnodes;
		struct ks_guestclock *clock;
	} *src;
	uint32_t nsrc;
};

/* Write a row and count it. */
static inline void rows_put(struct rows *r, enum rows_kind_id k, const void *row, uint64_t of)
{
	if (!rows_kinds[k].nested)
		r->nrows++;
	r->emit(r, k, row, of);
}

/* Is the value of a member that may be null not known? */
static inline bool rows_is_null(const struct rows_col *c, const void *row)
{
	const void *p = (const char *)row + c->off;

	switch (c->type) {
	case RC_STR | RC_NULL:
		return !*(const char *const *)p;
	case RC_U64 | RC_NULL:
		return *(const uint64_t *)p == ROWS_NONE;
	case RC_INT | RC_NULL:
		return *(const int32_t *)p < 0;
	case RC_ADDR | RC_NULL:
	case RC_DEC | RC_NULL:
		return !*(const uint64_t *)p;
	case RC_GROUP | RC_NULL:
		return !*(const bool *)p;
	}
	return false;
}

static inline bool rows_wanted(const struct rows *r, enum rows_kind_id k)
{
	return r->on >> k & 1;
}

/* A thread's KS_ALLOWED_* in a word, from ANY on; NULL if there is none. */
const char *rows_allowed(unsigned int i);

/* Index of the vCPU that has this slot of the host's file, KS_NO_VCPU: none, or there is no host. */
uint32_t rows_vcpu_in(const struct rows *r, uint32_t slot);

/* The exporters' configure, ops and begin: begin writes the header. self: a struct rows. */
int rows_configure(void *self, const struct ks_export_opts *opts, struct ks_err *err);
void rows_ops(void *self, struct ks_analysis_ops *ops);
int rows_begin(void *self, const struct ks_export_input *in, struct ks_err *err);
/* The rows behind the last event. */
void rows_tail(struct rows *r);
void rows_free(struct rows *r);

/* Emit the header; each file, VM, vCPU. */
void rows_header(struct rows *r, const struct ks_export_input *in);
void rows_files(struct rows *r);
void rows_machines(struct rows *r);
void rows_vcpus(struct rows *r);

void rows_event(void *self, const struct ks_event *ev);

#endif /* KVMSCHED_ROWS_PRIV_H */
