/* SPDX-License-Identifier: GPL-2.0 */
/* The bench on which the host's probe decodes exits of a vCPU that is made up: see decode.c. */
#ifndef KVMSCHED_TESTS_DECODE_BENCH_H
#define KVMSCHED_TESTS_DECODE_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exits.h"
#include "layout.h"
#include "ple_trace.h"
#include "rings.h"
#include "slots.h"

struct bpf_program;
struct decode_bpf;

#define RING_SLOTS 4096
#define VCPUS 64
#define PLACES 3 /* for so many vCPUs */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum field {
	VCPU_ID,
	TSC_OFFSET,
	TSC_RATIO,
	RIP,
	NESTED,
	REASON,
	REASON_HIGH,
	WINDOW,
	RIP_READ,
	VMCB,
	VMCB01,
	CPL,
	PROTECTED,
	FIELDS,
	NO_FIELD = FIELDS
};

struct member {
	const char *name[2]; /* the newer kernels' first */
	bool in_vmcb;
	bool optional; /* not in every kernel, or does no harm in a wrong place */
};

/*
 * Exits: as the processor leaves the reason, as it is reported and named. The numbers are those
 * that processors give: AMD64 Architecture Programmer's Manual vol. 2, appendix C; Intel SDM
 * vol. 3, appendix C (bits 16 to 31 are flags: 31 the entry failed, 27 in an enclave, 26 a bus lock).
 */
struct reason {
	uint64_t raw;
	uint32_t told;
	const char *name;
};

struct bench {
	enum ks_isa isa;
	const struct member *members;
	const struct reason *reasons;
	size_t nreasons;
	struct place at[FIELDS];
	char *btf_path; /* NULL: the loaded modules' */

	int map;
	char *all;
	uint64_t all_addr; /* of all, in the kernel */
	char *mem;	   /* of the vCPU at hand */
	uint64_t addr;

	bool has_cast;	    /* the kernel has bpf_rdonly_cast */
	bool fold, no_cast; /* the kind of program */
	struct decode_bpf *skel;
	struct bpf_program *exit;
	struct ks_rings *rings;
	struct ks_vcpu_state *states; /* mapped, of slots */
	struct ks_slots slots;

	/* One run with one vCPU. */
	enum field moved;
	uint32_t vmcb_at, slot, id, window;
	uint64_t offset, ratio;
	struct ks_rec recs[RING_SLOTS];
	size_t nrecs;
	unsigned int halted, blocked; /* KS_VCPU_OUT so */
	unsigned int checks, wrong;
	bool quiet, everything; /* take the records of all vCPUs */
};

struct exit {
	uint64_t reason, ip;
	uint32_t window;
	uint8_t cpl;
	bool unread; /* KVM has not read the instruction pointer; SVM: it cannot */
};

/* ---- reasons.c ---- */

/* Sets reasons and nreasons. */
void find_reasons(struct bench *b);
/* What "pause", "hlt" and "cpuid" are to this processor. */
uint64_t reason_of(const struct bench *b, const char *what);
bool is_pause(const struct bench *b, uint32_t told);
bool is_hlt(const struct bench *b, uint32_t told);

/* ---- made_vcpu.c ---- */

/* These two: 0 or -errno, which is told. module: the vendor's as a file, NULL: the one that is loaded. */
int find_layout(struct bench *b, const char *module);
int make_memory(struct bench *b);

/* Where the vCPU at hand lies: i < PLACES. */
void go_to_place(struct bench *b, unsigned int i);
/* A new one, with the next id, an offset and a ratio of its own. */
void make_vcpu(struct bench *b);
/* Change a member. */
void put(struct bench *b, enum field f, uint64_t value);
/* Which control block is in use: the vCPU's own or that of a guest of the guest. */
void put_vmcb(struct bench *b, bool nested);
/* One exit, in this thread. */
void run_exit(struct bench *b, const struct exit *x);

/* ---- taken.c ---- */

/* "svm bursts, no rdonly_cast" */
const char *label(const struct bench *b);
void expect(struct bench *b, uint64_t got, uint64_t want, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Tells of -errno, and returns it. */
int complain(int err, const char *what);

/* As ks_rings_fn: what the probe wrote, into recs. */
int take_all(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n);
/* Sleep until the thread was off its CPU, which ends bursts. */
void leave_cpu(void);
void drain(struct bench *b);
/* Both. */
void gather(struct bench *b);
void expect_record(struct bench *b, size_t i, uint8_t type, uint8_t flags, uint64_t va,
		   uint64_t vb);

/* ---- the checks: threads, for each is a new vCPU to the probe ---- */

void *check_one_vcpu(void *bench);  /* one_vcpu.c */
void *check_full_ring(void *bench); /* full_ring.c */
void *check_sharing(void *bench);   /* sharing.c */

#endif /* KVMSCHED_TESTS_DECODE_BENCH_H */
