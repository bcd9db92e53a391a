// SPDX-License-Identifier: GPL-2.0
/*
 * Does the host's probe decode exits rightly, also on processors that are not at hand? Its programs
 * are loaded with the layouts of the vendor's module (CO-RE): as they are, for the verifier's word,
 * then open to BPF_PROG_TEST_RUN (tests/bpf/decode.bpf.c), to be really run on a vCPU made up in
 * memory that the kernel can read: every member where the module's BTF has it, all else filled with
 * a pattern. Records and counts must be what was put in. Then each member is moved away in turn, and
 * that must be noticed.
 *
 * usage: decode svm|vmx [MODULE]    the vendor's module as a file, for one that is not loaded
 *
 * Loads probes: for virtual machines of the lab. One line per kind of probe, 1 if one is wrong.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "exits.h"
#include "layout.h"
#include "ple_trace.h"
#include "rings.h"
#include "slots.h"
#include "decode.skel.h"
#include "ple_trace.skel.h"

#define RING_SLOTS 4096
#define VCPUS 64
#define PATTERN 0x5a
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What lies where in the memory of the vCPU made up. */
#define VCPU_AT 0x0u
#define VMCB01_AT(id) (0x8000u + ((id) & 1) * 0x2000u) /* not that of the vCPU before */
#define VMCB02_AT 0xc000u
#define NOTHING_AT 0xe000u
#define MEMORY 0x10000u
#define PLACES 3    /* for so many vCPUs */
#define MOVED_BY 64 /* a member that is moved away, for which the pattern stays in its place */

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
	FIELDS,
	NO_FIELD = FIELDS
};

struct member {
	const char *name[2]; /* the newer kernels' first */
	bool in_vmcb;
	bool optional; /* not in every kernel, or does no harm in a wrong place */
};

#define OF_ANY_VCPU                                                                                \
	[VCPU_ID] = { .name = { "vcpu.vcpu_id" } },                                                \
	[TSC_OFFSET] = { .name = { "vcpu.arch.l1_tsc_offset" } },                                  \
	[TSC_RATIO] = { .name = { "vcpu.arch.l1_tsc_scaling_ratio" } },                            \
	[RIP] = { .name = { "vcpu.arch.rip", "vcpu.arch.regs[16]" } },                             \
	[NESTED] = { .name = { "vcpu.stat.guest_mode" }, .optional = true }

static const struct member vmx_members[FIELDS] = {
	OF_ANY_VCPU,
	[REASON] = { .name = { "vt.exit_reason.full", "exit_reason.full" } },
	[WINDOW] = { .name = { "ple_window" } },
	[RIP_READ] = { .name = { "vcpu.arch.regs_avail" } },
};

static const struct member svm_members[FIELDS] = {
	OF_ANY_VCPU,
	[VMCB] = { .name = { "vmcb" } },
	[VMCB01] = { .name = { "vmcb01.ptr" } },
	[REASON] = { .name = { "control.exit_code" }, .in_vmcb = true },
	[REASON_HIGH] = { .name = { "control.exit_code_hi" }, .in_vmcb = true, .optional = true },
	[WINDOW] = { .name = { "control.pause_filter_count" }, .in_vmcb = true },
	[CPL] = { .name = { "save.cpl" }, .in_vmcb = true },
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

static const char *label(const struct bench *b)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s %s%s", b->isa == KS_ISA_SVM ? "svm" : "vmx",
		 b->fold ? "bursts" : "events", b->no_cast ? ", no rdonly_cast" : "");
	return text;
}

static void expect(struct bench *b, uint64_t got, uint64_t want, const char *fmt, ...)
{
	va_list ap;

	b->checks++;
	if (got == want)
		return;
	b->wrong++;
	if (b->quiet)
		return;
	printf("FAIL: %s: ", label(b));
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(": 0x%" PRIx64 " instead of 0x%" PRIx64 "\n", got, want);
}

static int complain(int err, const char *what)
{
	printf("FAIL: %s: %s\n", what, strerror(-err));
	return err;
}

/* ---- the vCPU made up ---- */

static int find_fields(struct bench *b, const struct btf *btf)
{
	const char *vcpu = b->isa == KS_ISA_SVM ? "vcpu_svm" : "vcpu_vmx";
	unsigned int f, i;

	for (f = 0; f < FIELDS; f++) {
		const struct member *m = &b->members[f];

		for (i = 0; i < 2 && m->name[i] && !b->at[f].size; i++)
			b->at[f] = place_of(btf, m->in_vmcb ? "vmcb" : vcpu, m->name[i]);
		if (!m->name[0] || m->optional || b->at[f].size)
			continue;
		printf("FAIL: %s has no %s\n", vcpu, m->name[0]);
		return -ENOENT;
	}
	if (place_of(btf, vcpu, "vcpu").offset || struct_size(btf, vcpu) > VMCB01_AT(0) - MOVED_BY)
		return complain(-E2BIG, vcpu);
	return 0;
}

static void put_at(struct bench *b, uint32_t base, enum field f, uint64_t value)
{
	uint32_t at = base + b->at[f].offset + (f == b->moved ? MOVED_BY : 0);

	memcpy(b->mem + at, &value, b->at[f].size < sizeof(value) ? b->at[f].size : sizeof(value));
}

static void put(struct bench *b, enum field f, uint64_t value)
{
	put_at(b, b->members[f].in_vmcb ? b->vmcb_at : VCPU_AT, f, value);
}

/* Which control block is in use: the vCPU's own or, while a guest of the guest runs, that one's. */
static void put_vmcb(struct bench *b, uint32_t at)
{
	uint64_t nothing = b->addr + NOTHING_AT;

	b->vmcb_at = at;
	put(b, NESTED, at == VMCB02_AT);
	if (b->isa != KS_ISA_SVM)
		return;
	if (b->moved == VMCB || b->moved == VMCB01)
		memcpy(b->mem + b->at[b->moved].offset, &nothing, sizeof(nothing));
	put(b, VMCB, b->addr + at);
	put(b, VMCB01, b->addr + VMCB01_AT(b->id));
}

static void go_to_place(struct bench *b, unsigned int i)
{
	b->mem = b->all + i * MEMORY;
	b->addr = b->all_addr + i * MEMORY;
	b->vmcb_at = VMCB01_AT(b->id);
}

static void make_vcpu(struct bench *b)
{
	memset(b->mem, PATTERN, MEMORY);
	b->id++;
	b->slot = UINT32_MAX;
	b->window = 0;
	b->offset = -1234567890123 - b->id;
	b->ratio = (1ULL << 48) + b->id;
	put(b, VCPU_ID, b->id);
	put(b, TSC_OFFSET, b->offset);
	put(b, TSC_RATIO, b->ratio);
	put_vmcb(b, VMCB01_AT(b->id));
}

struct exit {
	uint64_t reason, ip;
	uint32_t window;
	uint8_t cpl;
	bool unread; /* VMX: KVM has not read the instruction pointer */
};

static void run_exit(struct bench *b, const struct exit *x)
{
	uint64_t args[] = { b->addr + VCPU_AT, b->isa };
	LIBBPF_OPTS(bpf_test_run_opts, o, .ctx_in = args, .ctx_size_in = sizeof(args));

	put(b, REASON, x->reason);
	put(b, REASON_HIGH, x->reason >> 32);
	put(b, RIP, x->ip);
	put(b, WINDOW, x->window);
	put(b, CPL, x->cpl);
	put(b, RIP_READ, x->unread ? ~(1ULL << 16) : 1ULL << 16);
	expect(b, bpf_prog_test_run_opts(bpf_program__fd(b->exit), &o), 0, "test run");
	expect(b, o.retval, 0, "result of the program");
}

/* ---- what comes of it ---- */

/* Of this vCPU alone: a thread that is about to end may still run when the next one begins. */
static void take(struct bench *b, const struct ks_rec *rec)
{
	if (rec->type == KS_VCPU_NEW)
		b->slot = rec->id;
	if (b->everything) {
		if (b->nrecs < RING_SLOTS)
			b->recs[b->nrecs++] = *rec;
		return;
	}
	if (rec->type != KS_LOSS && rec->id != b->slot)
		return;
	switch (rec->type) {
	case KS_VCPU_OUT:
		b->halted += rec->flags == KS_OUT_HALTED;
		b->blocked += rec->flags == KS_OUT_BLOCKED;
		return;
	case KS_VCPU_IN:
	case KS_VCPU_WAKE:
	case KS_VCPU_MIGRATE:
	case KS_VCPU_GONE:
		return;
	}
	if (b->nrecs < RING_SLOTS)
		b->recs[b->nrecs++] = *rec;
}

static int take_all(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	size_t i;

	(void)ring;
	for (i = 0; i < n; i++)
		take(ctx, &recs[i]);
	return 0;
}

static long sleeps(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nvcsw;
}

static void leave_cpu(void)
{
	struct timespec ts = { .tv_nsec = 1000000 };
	long before = sleeps();

	/* On a busy machine the time may be over before the thread is off the CPU: then it stays. */
	while (sleeps() == before)
		nanosleep(&ts, NULL);
}

static void drain(struct bench *b)
{
	b->nrecs = b->halted = b->blocked = 0;
	ks_rings_drain(b->rings, take_all, b);
}

/* Sleep once, which ends bursts, and then look at what came. */
static void gather(struct bench *b)
{
	leave_cpu();
	drain(b);
}

static void expect_record(struct bench *b, size_t i, uint8_t type, uint8_t flags, uint64_t va,
			  uint64_t vb)
{
	static const struct ks_rec none;
	const struct ks_rec *r = i < b->nrecs ? &b->recs[i] : &none;

	expect(b, r->type, type, "type of a record");
	if (r->type != type)
		return;
	expect(b, r->flags, flags, "flags of a record of type %u", type);
	expect(b, r->cpu, 0, "CPU of a record of type %u", type);
	expect(b, r->id, b->slot, "slot of a record of type %u", type);
	expect(b, r->a, va, "a of a record of type %u", type);
	expect(b, r->b, vb, "b of a record of type %u", type);
}

static uint8_t flags_of(const struct bench *b, const struct exit *x)
{
	if (b->isa == KS_ISA_SVM)
		return KS_F_IP | KS_F_CPL | x->cpl;
	return x->unread ? 0 : KS_F_IP | KS_F_CPL | (x->ip >> 63 ? 0 : 3);
}

static uint64_t ip_of(const struct bench *b, const struct exit *x)
{
	return b->isa == KS_ISA_VMX && x->unread ? 0 : x->ip;
}

static bool is_pause(const struct bench *b, uint32_t told)
{
	return told == (b->isa == KS_ISA_SVM ? KS_SVM_EXIT_PAUSE : KS_VMX_EXIT_PAUSE);
}

static bool is_hlt(const struct bench *b, uint32_t told)
{
	if (b->isa == KS_ISA_SVM)
		return told == KS_SVM_EXIT_HLT || told == KS_SVM_EXIT_IDLE_HLT;
	return told == KS_VMX_EXIT_HLT;
}

/* ---- the checks ---- */

static void check_new(struct bench *b, const struct exit *first)
{
	uint64_t tid = gettid(), tgid = getpid();

	run_exit(b, first);
	gather(b);
	expect_record(b, 0, KS_VCPU_NEW, 0, tgid << 32 | tid, b->id);
	expect_record(b, 1, KS_TSC_OFFSET, 0, b->offset, b->ratio);
	if (!is_pause(b, first->reason)) {
		expect(b, b->nrecs, 2, "records of a new vCPU");
		return;
	}
	expect_record(b, 2, b->fold ? KS_BURST : KS_PAUSE, flags_of(b, first), first->ip,
		      b->fold ? 1 : first->window);
	if (b->fold)
		expect_record(b, 3, KS_PLE_WINDOW, 0, 0, first->window);
	expect(b, b->nrecs, b->fold ? 4 : 3, "records of a new vCPU that spins");
}

static void check_counts(struct bench *b, const struct exit *before)
{
	struct ks_vcpu_state v = {};
	uint64_t want[KS_NREASONS] = {};
	uint32_t idx;
	size_t i;

	for (idx = 0; idx < KS_NREASONS; idx++) {
		uint32_t told = ks_reason_of_index(b->isa == KS_ISA_SVM, idx);

		want[idx] = told == before->reason;
		for (i = 0; i < b->nreasons; i++)
			want[idx] += b->reasons[i].told == told ? i + 1 : 0;
	}
	bpf_map_lookup_elem(bpf_map__fd(b->skel->maps.ks_vcpus), &b->slot, &v);
	for (idx = 0; idx < KS_NREASONS; idx++)
		expect(b, v.counts[idx], want[idx], "exits of index 0x%x", idx);
}

static void check_records(struct bench *b, uint64_t pauses, uint64_t hlts)
{
	uint64_t pause = 0, hlt = 0;
	size_t i;

	for (i = 0; i < b->nrecs; i++) {
		const struct ks_rec *r = &b->recs[i];

		if (r->type == (b->fold ? KS_BURST : KS_PAUSE))
			pause += b->fold ? (uint32_t)r->b : 1;
		else if (r->type == KS_HLT)
			hlt++;
		else
			expect(b, r->type, KS_PLE_WINDOW, "a record");
	}
	expect(b, pause, pauses, "PAUSE exits in records");
	expect(b, hlt, hlts, "HLT exits in records");
}

/* The first reason of the table once, the second twice, ... */
static void check_reasons(struct bench *b, const struct exit *before)
{
	struct exit x = { .ip = 0xffffffff81000000, .window = 4096 };
	uint64_t pauses = 0, hlts = 0;
	const char *name;
	size_t i, n;

	for (i = 0; i < b->nreasons; i++) {
		const struct reason *r = &b->reasons[i];

		x.reason = r->raw;
		for (n = 0; n <= i; n++)
			run_exit(b, &x);
		pauses += is_pause(b, r->told) ? n : 0;
		hlts += is_hlt(b, r->told) ? n : 0;
		name = ks_exit_name(b->isa, r->raw);
		expect(b, r->name && name ? strcmp(name, r->name) : r->name != name, 0,
		       "name of reason 0x%" PRIx64 ", %s", r->raw, name ? name : "none");
	}
	gather(b);
	check_records(b, pauses, hlts);
	check_counts(b, before);
	b->window = b->fold ? x.window : 0;
}

#define PAUSES 3 /* of each kind */

static void check_burst(struct bench *b, const struct exit *x)
{
	uint64_t count = 0;
	size_t i = 0;

	/* There is more than one if somebody wanted the CPU in the middle of it. */
	for (; i < b->nrecs && b->recs[i].type == KS_BURST; i++) {
		count += (uint32_t)b->recs[i].b;
		expect_record(b, i, KS_BURST, flags_of(b, x), ip_of(b, x), b->recs[i].b);
		if (i + 1 < b->nrecs && b->recs[i + 1].type == KS_PLE_WINDOW &&
		    b->window != x->window) {
			expect_record(b, ++i, KS_PLE_WINDOW, 0, b->window, x->window);
			b->window = x->window;
		}
	}
	expect(b, b->nrecs, i, "records of a burst");
	expect(b, count, PAUSES, "PAUSE exits of bursts");
	expect(b, b->window, x->window, "window told");
}

static void check_pause(struct bench *b, const struct exit *x)
{
	size_t i;

	for (i = 0; i < PAUSES; i++)
		run_exit(b, x);
	gather(b);
	if (b->fold) {
		check_burst(b, x);
		return;
	}
	expect(b, b->nrecs, PAUSES, "records of PAUSE exits");
	for (i = 0; i < PAUSES; i++)
		expect_record(b, i, KS_PAUSE, flags_of(b, x), ip_of(b, x), x->window);
}

static void check_pauses(struct bench *b)
{
	bool svm = b->isa == KS_ISA_SVM;
	uint64_t reason = svm ? KS_SVM_EXIT_PAUSE : KS_VMX_EXIT_PAUSE;
	const struct exit kinds[] = {
		{ reason, 0xffffffff81234567, 3000, 0, false },
		{ reason, 0x00007f0123456789, 65535, 3, false },
		{ reason, 0xffffffffc0a00042, svm ? 1 : 0xfffff000, 0, true },
		{ reason, 0x0000000000401000, 4096, 3, false },
		{ reason, 0xffff888000007c00, 4096, 0, false },
	};
	size_t i;

	for (i = 0; i < COUNT(kinds); i++)
		check_pause(b, &kinds[i]);
}

static void check_hlt(struct bench *b, uint64_t reason, const struct exit *other)
{
	const struct exit kinds[] = {
		{ reason, 0xffffffff81abcdef, 3000, 0, false },
		{ reason, 0x0000555555554321, 3000, 3, false },
		{ reason, 0xffffffff81fedcba, 3000, 0, true },
	};
	size_t i;

	for (i = 0; i < COUNT(kinds); i++) {
		run_exit(b, &kinds[i]);
		gather(b);
		expect(b, b->nrecs, 1, "records of a HLT exit");
		expect_record(b, 0, KS_HLT, flags_of(b, &kinds[i]), ip_of(b, &kinds[i]), 0);
		expect(b, b->halted, 1, "sleeps halted");
		expect(b, b->blocked, 0, "sleeps blocked, though halted");
	}
	run_exit(b, other);
	gather(b);
	expect(b, b->nrecs, 0, "records of an exit that only counts");
	expect(b, b->halted, 0, "sleeps halted, though not halted");
	expect(b, b->blocked, 1, "sleeps blocked");
}

/* One at a time: the program looks whenever the thread gets the CPU. */
static void check_tsc(struct bench *b)
{
	put(b, TSC_OFFSET, b->offset += 1000003);
	gather(b);
	expect(b, b->nrecs, 1, "records of a new TSC offset");
	expect_record(b, 0, KS_TSC_OFFSET, 0, b->offset, b->ratio);
	put(b, TSC_RATIO, b->ratio -= 7);
	gather(b);
	expect(b, b->nrecs, 1, "records of a new TSC ratio");
	expect_record(b, 0, KS_TSC_OFFSET, 0, b->offset, b->ratio);
}

static size_t count_type(const struct bench *b, uint8_t type)
{
	size_t i, n = 0;

	for (i = 0; i < b->nrecs; i++)
		n += b->recs[i].type == type;
	return n;
}

static void fill_ring(struct bench *b)
{
	struct exit hlt = { .reason = b->isa == KS_ISA_SVM ? KS_SVM_EXIT_HLT : KS_VMX_EXIT_HLT };
	unsigned int i;

	for (i = 0; i < RING_SLOTS; i++)
		run_exit(b, &hlt);
}

static void *late_thread(void *arg)
{
	struct bench *b = arg;

	make_vcpu(b);
	run_exit(b, &(struct exit){ .reason = b->isa == KS_ISA_SVM ? 0x72 : 10 });
	gather(b);
	expect(b, count_type(b, KS_VCPU_NEW), 0, "new vCPUs in a full ring");
	b->nrecs = 0;
	ks_slots_make_up(&b->slots, take_all, b);
	expect_record(b, 0, KS_VCPU_NEW, 0, (uint64_t)getpid() << 32 | gettid(), b->id);
	expect_record(b, 1, KS_TSC_OFFSET, 0, b->offset, b->ratio);
	ks_slots_make_up(&b->slots, take_all, b);
	expect(b, b->nrecs, 2, "records made up");
	return NULL;
}

/* A ring that is full delays what a vCPU is and which offset it has; it does not lose it. */
static void *full_thread(void *arg)
{
	struct bench *b = arg;
	pthread_t late;

	make_vcpu(b);
	run_exit(b, &(struct exit){ .reason = b->isa == KS_ISA_SVM ? 0x72 : 10 });
	gather(b);
	fill_ring(b);
	put(b, TSC_OFFSET, b->offset += 1000003);
	leave_cpu();
	drain(b);
	expect(b, count_type(b, KS_TSC_OFFSET), 0, "TSC offsets in a full ring");
	gather(b);
	expect(b, b->nrecs, 1, "records of a TSC offset that had to wait");
	expect_record(b, 0, KS_TSC_OFFSET, 0, b->offset, b->ratio);
	fill_ring(b);
	expect(b, pthread_create(&late, NULL, late_thread, b), 0, "pthread_create()");
	expect(b, pthread_join(late, NULL), 0, "pthread_join()");
	return NULL;
}

/* Records of one vCPU and type; of bursts, the exits in them. */
static uint64_t count_of(const struct bench *b, uint32_t slot, uint8_t type)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < b->nrecs; i++)
		if (b->recs[i].id == slot && b->recs[i].type == type)
			n += type == KS_BURST ? (uint32_t)b->recs[i].b : 1;
	return n;
}

static uint64_t counted(const struct bench *b, uint32_t slot, uint32_t idx)
{
	return slot < VCPUS ? b->slots.state[slot].counts[idx] : UINT64_MAX;
}

/* Which vCPU the next exits are of: i is the place where it lies. */
static void run_exits(struct bench *b, unsigned int i, uint64_t reason, uint64_t ip, unsigned int n)
{
	struct exit x = { .reason = reason, .ip = ip, .window = 4096 };

	go_to_place(b, i);
	while (n--)
		run_exit(b, &x);
}

static uint64_t reason_of(const struct bench *b, const char *what)
{
	bool svm = b->isa == KS_ISA_SVM;

	if (!strcmp(what, "pause"))
		return svm ? KS_SVM_EXIT_PAUSE : KS_VMX_EXIT_PAUSE;
	if (!strcmp(what, "hlt"))
		return svm ? KS_SVM_EXIT_HLT : KS_VMX_EXIT_HLT;
	return svm ? 0x72 : 10; /* cpuid */
}

/* One thread runs two vCPUs in turns, without leaving its CPU: each exit is told of its own. */
static void check_two_vcpus(struct bench *b)
{
	uint64_t pause = reason_of(b, "pause"), cpuid = reason_of(b, "cpuid");
	uint8_t type = b->fold ? KS_BURST : KS_PAUSE;
	uint32_t one, two;

	go_to_place(b, 0);
	make_vcpu(b);
	gather(b);
	run_exits(b, 0, pause, 0xffffffff81000000, 3);
	gather(b);
	one = b->slot;
	run_exits(b, 0, pause, 0xffffffff81000000, 4);
	go_to_place(b, 1);
	make_vcpu(b);
	run_exits(b, 1, cpuid, 0xffffffff82000000, 5);
	run_exits(b, 1, pause, 0xffffffff82000100, 6);
	b->id--;
	run_exits(b, 0, cpuid, 0xffffffff81000100, 7);
	run_exits(b, 0, pause, 0xffffffff81000000, 1);
	gather(b);
	two = b->slot;
	b->id++;
	expect(b, one != two, 1, "slots of two vCPUs differ");
	expect(b, count_of(b, one, type), 5, "PAUSE exits of the first vCPU");
	expect(b, count_of(b, two, type), 6, "PAUSE exits of the second vCPU");
	expect(b, counted(b, one, pause), 3 + 5, "PAUSE exits counted of the first");
	expect(b, counted(b, two, pause), 6, "PAUSE exits counted of the second");
	expect(b, counted(b, one, cpuid), 7, "other exits of the first");
	expect(b, counted(b, two, cpuid), 5, "other exits of the second");
	expect(b, count_of(b, two, KS_VCPU_OUT) > 0, 1, "departures of the second");
	expect(b, count_of(b, one, KS_VCPU_GONE) + count_of(b, two, KS_VCPU_GONE), 0, "ends");
	/* The machine is made anew: a vCPU of the same number, elsewhere. */
	b->id--;
	go_to_place(b, 2);
	make_vcpu(b);
	run_exits(b, 2, cpuid, 0xffffffff82000000, 1);
	gather(b);
	expect(b, b->slot != two && b->slot != one, 1, "slot of a vCPU made anew is another one");
	expect(b, count_of(b, two, KS_VCPU_GONE), 1, "ends of the former vCPU");
	/* And now in the same memory. */
	two = b->slot;
	make_vcpu(b);
	leave_cpu();
	run_exits(b, 2, cpuid, 0xffffffff82000000, 1);
	gather(b);
	expect(b, b->slot != two, 1, "slot of a vCPU in the memory of a former one");
	expect(b, count_of(b, two, KS_VCPU_GONE), 1, "ends of the vCPU that was there");
	expect(b, count_of(b, two, KS_TSC_OFFSET), 0, "its TSC offsets");
}

static void *other_thread(void *arg)
{
	struct bench *b = arg;

	run_exits(b, 0, reason_of(b, "hlt"), 0xffffffff81000200, 1);
	leave_cpu();
	return NULL;
}

/* A burst and a HLT after it: each with its own place. */
static void check_burst_place(struct bench *b)
{
	size_t i;

	go_to_place(b, 0);
	make_vcpu(b);
	gather(b);
	run_exits(b, 0, reason_of(b, "cpuid"), 0xffffffff81000000, 1);
	run_exits(b, 0, reason_of(b, "pause"), 0xffffffff81000100, 3);
	run_exits(b, 0, reason_of(b, "hlt"), 0xffffffff81000200, 1);
	gather(b);
	for (i = 0; i < b->nrecs; i++)
		if (b->recs[i].type == KS_BURST)
			expect(b, b->recs[i].a, 0xffffffff81000100, "place of a burst");
	expect(b, count_of(b, b->slot, b->fold ? KS_BURST : KS_PAUSE), 3, "PAUSEs before a HLT");
}

/* KVM announces the vCPU's next TSC offset, before it stores it. */
static void announce_offset(struct bench *b, uint64_t offset)
{
	uint64_t args[] = { b->id, b->offset, offset };
	LIBBPF_OPTS(bpf_test_run_opts, o, .ctx_in = args, .ctx_size_in = sizeof(args));
	int fd = bpf_program__fd(b->skel->progs.kvm_write_tsc_offset);

	expect(b, bpf_prog_test_run_opts(fd, &o), 0, "test run of kvm_write_tsc_offset");
	b->offset = offset;
}

/* A thread that loses its CPU between the two does not make the old offset the present one. */
static void check_offset(struct bench *b)
{
	const uint64_t former = 111, next = 222;
	uint64_t n;

	go_to_place(b, 0);
	make_vcpu(b);
	b->offset = former;
	put(b, TSC_OFFSET, former);
	gather(b);
	run_exits(b, 0, reason_of(b, "cpuid"), 0xffffffff81000000, 1);
	gather(b);
	announce_offset(b, next);
	gather(b);
	expect(b, count_of(b, b->slot, KS_TSC_OFFSET), 1, "an offset that is announced");
	gather(b);
	expect(b, count_of(b, b->slot, KS_TSC_OFFSET), 0, "offsets before it is stored");
	put(b, TSC_OFFSET, next);
	gather(b);
	gather(b);
	expect(b, count_of(b, b->slot, KS_TSC_OFFSET), 0, "offsets when it is stored");
	/* From now on the former value is a change again. */
	put(b, TSC_OFFSET, former);
	gather(b);
	n = count_of(b, b->slot, KS_TSC_OFFSET);
	gather(b);
	n += count_of(b, b->slot, KS_TSC_OFFSET);
	expect(b, n, 1, "a former offset that comes back unannounced");
	b->offset = former;
}

/* Another thread takes a vCPU over: what the first does from then on is not the vCPU's. */
static void check_two_threads(struct bench *b)
{
	pthread_t other;
	size_t i, end = 0;
	uint32_t slot;

	go_to_place(b, 0);
	make_vcpu(b);
	run_exits(b, 0, reason_of(b, "cpuid"), 0xffffffff81000000, 1);
	gather(b);
	slot = b->slot;
	expect(b, pthread_create(&other, NULL, other_thread, b), 0, "pthread_create()");
	expect(b, pthread_join(other, NULL), 0, "pthread_join()");
	while (!end) { /* joined is not yet ended */
		gather(b);
		for (i = 0; i < b->nrecs && !end; i++)
			if (b->recs[i].type == KS_VCPU_GONE)
				end = i + 1;
	}
	expect(b, b->slot, slot, "slot of a vCPU in another thread");
	expect(b, counted(b, slot, reason_of(b, "hlt")), 1, "exits in the other thread");
	for (i = end; i < b->nrecs; i++)
		expect(b, b->recs[i].id == slot, 0, "record of type %u after the end",
		       b->recs[i].type);
}

static void *sharing_thread(void *arg)
{
	struct bench *b = arg;

	b->everything = true;
	check_two_vcpus(b);
	check_two_threads(b);
	check_burst_place(b);
	check_offset(b);
	b->everything = false;
	go_to_place(b, 0);
	return NULL;
}

/* A guest of the guest has another control block; the vCPU's own one keeps its last reason. */
static void check_nested(struct bench *b)
{
	struct exit x = { KS_SVM_EXIT_HLT, 0xffffffff81234567, 3000, 0, false };

	put(b, REASON, 0x07c);
	put_vmcb(b, VMCB02_AT);
	check_hlt(b, KS_SVM_EXIT_HLT, &(struct exit){ .reason = 0x400 });
	put_vmcb(b, VMCB01_AT(b->id));
	run_exit(b, &x);
	gather(b);
	expect_record(b, 0, KS_HLT, flags_of(b, &x), x.ip, 0);
}

static void *vcpu_thread(void *arg)
{
	struct bench *b = arg;
	struct exit other = { .reason = b->isa == KS_ISA_SVM ? 0x72 : 10 }; /* CPUID */
	struct exit first = { .ip = 0xffffffff81000000, .window = 4096 };

	make_vcpu(b);
	first.reason = other.reason;
	if (b->id & 1)
		first.reason = b->isa == KS_ISA_SVM ? KS_SVM_EXIT_PAUSE : KS_VMX_EXIT_PAUSE;
	check_new(b, &first);
	check_reasons(b, &first);
	check_pauses(b);
	if (b->isa == KS_ISA_SVM) {
		check_hlt(b, KS_SVM_EXIT_HLT, &other);
		check_hlt(b, KS_SVM_EXIT_IDLE_HLT, &other);
		check_nested(b);
	} else {
		check_hlt(b, KS_VMX_EXIT_HLT, &other);
	}
	check_tsc(b);
	return NULL;
}

/* A new thread is a new vCPU to the probe. */
static int run_vcpu(struct bench *b, enum field moved, void *(*run)(void *))
{
	pthread_t thread;
	int err;

	b->moved = moved;
	b->quiet = moved != NO_FIELD;
	b->checks = b->wrong = 0;
	err = pthread_create(&thread, NULL, run, b);
	return err ? complain(-err, "thread") : -pthread_join(thread, NULL);
}

/* Every member that is read, in a wrong place: do the checks see it? */
static int check_checks(struct bench *b)
{
	unsigned int f;
	int bad = 0;

	for (f = 0; f < FIELDS; f++) {
		if (!b->members[f].name[0] || b->members[f].optional)
			continue;
		if (run_vcpu(b, f, vcpu_thread))
			return 1;
		if (!b->wrong) {
			printf("FAIL: %s: nobody noticed that %s was moved\n", label(b),
			       b->members[f].name[0]);
			bad = 1;
		}
	}
	return bad;
}

/* ---- the probe ---- */

/* Have the program for this kind of exit loaded, of those with names from "prefix_" on. */
static struct bpf_program *choose(const struct bench *b, struct bpf_object *obj, const char *prefix)
{
	struct bpf_program *prog;
	char name[64];

	snprintf(name, sizeof(name), "%s_%s_%s%s", prefix, b->isa == KS_ISA_SVM ? "svm" : "vmx",
		 b->fold ? "bursts" : "events", b->no_cast ? "_copy" : "");
	prog = bpf_object__find_program_by_name(obj, name);
	if (prog)
		bpf_program__set_autoload(prog, true);
	else
		printf("FAIL: there is no program %s\n", name);
	return prog;
}

/* The probe as it is, for the verifier. */
static int load_shipped(const struct bench *b)
{
	LIBBPF_OPTS(bpf_object_open_opts, o, .btf_custom_path = b->btf_path);
	struct ple_trace_bpf *s = ple_trace_bpf__open_opts(&o);
	int err;

	if (!s)
		return complain(-errno, "opening the probe");
	s->rodata->ks_isa = b->isa;
	s->rodata->ks_fold = b->fold;
	s->rodata->ks_no_rdonly_cast = b->no_cast;
	err = choose(b, s->obj, "kvm_exit") ? ple_trace_bpf__load(s) : -ENOENT;
	ple_trace_bpf__destroy(s);
	return err ? complain(err, "loading the probe as it is") : 0;
}

static size_t states_len(void)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (VCPUS * sizeof(struct ks_vcpu_state) + page - 1) & ~(page - 1);
}

static int map_slots(struct bench *b)
{
	void *p = mmap(NULL, states_len(), PROT_READ, MAP_SHARED,
		       bpf_map__fd(b->skel->maps.ks_vcpus), 0);

	if (p == MAP_FAILED)
		return -errno;
	b->states = p;
	b->slots = (struct ks_slots){
		.state = b->states,
		.n = VCPUS,
		.used = &b->skel->bss->ks_slots_used,
		.untold = (const uint64_t *)&b->skel->bss->ks_faults.untold,
		.free = &b->skel->bss->ks_free_slots,
	};
	return ks_slots_init(&b->slots);
}

static int load(struct bench *b)
{
	LIBBPF_OPTS(bpf_object_open_opts, o, .btf_custom_path = b->btf_path);
	int cpus = libbpf_num_possible_cpus(), err;
	struct decode_bpf *s;

	s = b->skel = decode_bpf__open_opts(&o);
	if (!s)
		return complain(-errno, "opening the probe");
	s->rodata->ks_isa = b->isa;
	s->rodata->ks_nslots = VCPUS;
	s->rodata->ks_ring_slots = RING_SLOTS;
	s->rodata->ks_fold = b->fold;
	s->rodata->ks_no_rdonly_cast = b->no_cast;
	s->rodata->ks_burst_gap = 1000000000; /* a sleep ends a burst, not its gap */
	b->exit = choose(b, s->obj, "decode");
	if (!b->exit)
		return -ENOENT;
	bpf_program__set_autoattach(b->exit, false);
	bpf_program__set_autoload(s->progs.kvm_write_tsc_offset, true);
	bpf_program__set_autoattach(s->progs.kvm_write_tsc_offset, false);
	err = bpf_map__set_max_entries(s->maps.ks_slots, cpus * RING_SLOTS);
	if (!err)
		err = bpf_map__set_max_entries(s->maps.ks_vcpus, VCPUS);
	if (!err)
		err = decode_bpf__load(s);
	if (!err)
		err = decode_bpf__attach(s);
	if (!err)
		err = ks_rings_new(&b->rings, s->bss->ks_rings, bpf_map__fd(s->maps.ks_slots), cpus,
				   RING_SLOTS);
	if (!err)
		err = map_slots(b);
	return err ? complain(err, label(b)) : 0;
}

static void unload(struct bench *b)
{
	ks_rings_free(b->rings);
	ks_slots_release(&b->slots);
	if (b->states)
		munmap(b->states, states_len());
	b->states = NULL;
	decode_bpf__destroy(b->skel);
	b->rings = NULL;
	b->skel = NULL;
}

static int check_probe(struct bench *b)
{
	unsigned int checks;
	int bad = load_shipped(b) || load(b) || run_vcpu(b, NO_FIELD, vcpu_thread) || b->wrong;

	/* Another one, for what the probe keeps of the first. */
	bad = bad || run_vcpu(b, NO_FIELD, vcpu_thread) || b->wrong;
	checks = b->checks;
	bad = bad || run_vcpu(b, NO_FIELD, full_thread) || b->wrong;
	checks += b->checks;
	bad = bad || run_vcpu(b, NO_FIELD, sharing_thread) || b->wrong;
	checks += b->checks;
	if (!bad && !b->fold)
		bad = check_checks(b);
	if (!bad)
		printf("ok: %s: %u checks\n", label(b), checks);
	fflush(stdout);
	unload(b);
	return bad;
}

/* ---- set-up ---- */

/* Memory of the kernel that we may write: a map. A program tells where it lies, in the map itself. */
static int make_memory(struct bench *b)
{
	LIBBPF_OPTS(bpf_map_create_opts, mo, .map_flags = BPF_F_MMAPABLE);
	LIBBPF_OPTS(bpf_test_run_opts, ro);
	size_t len = PLACES * MEMORY;
	struct bpf_insn prog[] = {
		{ .code = BPF_LD | BPF_IMM | BPF_DW,
		  .dst_reg = 1,
		  .src_reg = BPF_PSEUDO_MAP_VALUE },
		{},
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 1, .src_reg = 1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd, err;

	b->map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ks_memory", 4, len, 1, &mo);
	if (b->map < 0)
		return complain(b->map, "map");
	prog[0].imm = b->map;
	fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "ks_where", "GPL", prog, COUNT(prog),
			   NULL);
	if (fd < 0)
		return complain(fd, "program");
	err = bpf_prog_test_run_opts(fd, &ro);
	close(fd);
	if (err)
		return complain(err, "test run");
	b->all = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, b->map, 0);
	if (b->all == MAP_FAILED)
		return complain(-errno, "mmap");
	memcpy(&b->all_addr, b->all, sizeof(b->all_addr));
	go_to_place(b, 0);
	return 0;
}

static int join_btf(struct bench *b, const struct btf *base, const struct btf *module)
{
	FILE *out;
	int err;

	if (asprintf(&b->btf_path, "/tmp/decode.%d.btf", getpid()) < 0)
		return complain(-ENOMEM, "BTF");
	out = fopen(b->btf_path, "we");
	if (!out)
		return complain(-errno, b->btf_path);
	err = write_joined(base, module, out);
	if (fclose(out) && !err)
		err = -errno;
	return err ? complain(err, b->btf_path) : 0;
}

static int find_layout(struct bench *b, const char *module)
{
	const char *name = b->isa == KS_ISA_SVM ? "kvm_amd" : "kvm_intel";
	struct btf *base = btf__load_vmlinux_btf(), *btf;
	int err;

	if (!base)
		return complain(-errno, "the kernel's BTF");
	b->has_cast = btf__find_by_name_kind(base, "bpf_rdonly_cast", BTF_KIND_FUNC) > 0;
	btf = module ? btf__parse_split(module, base) : btf__load_module_btf(name, base);
	err = btf ? find_fields(b, btf) : complain(-errno, module ? module : name);
	if (!err && module)
		err = join_btf(b, base, btf);
	btf__free(btf);
	btf__free(base);
	return err;
}

static int check_all(struct bench *b)
{
	int bad = 0, kind;

	for (kind = b->has_cast ? 0 : 2; kind < 4; kind++) {
		b->fold = kind & 1;
		b->no_cast = kind & 2;
		bad |= check_probe(b);
	}
	return bad;
}

int main(int argc, char **argv)
{
	static struct bench b;
	cpu_set_t first;
	int bad;

	if (argc < 2 || argc > 3 || (strcmp(argv[1], "svm") && strcmp(argv[1], "vmx"))) {
		fprintf(stderr, "usage: decode svm|vmx [MODULE]\n");
		return 2;
	}
	b.isa = strcmp(argv[1], "svm") ? KS_ISA_VMX : KS_ISA_SVM;
	b.members = b.isa == KS_ISA_SVM ? svm_members : vmx_members;
	b.reasons = b.isa == KS_ISA_SVM ? svm_reasons : vmx_reasons;
	b.nreasons = b.isa == KS_ISA_SVM ? COUNT(svm_reasons) : COUNT(vmx_reasons);
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	bad = find_layout(&b, argc > 2 ? argv[2] : NULL) || make_memory(&b) || check_all(&b);
	if (b.btf_path)
		unlink(b.btf_path);
	free(b.btf_path);
	return bad;
}
