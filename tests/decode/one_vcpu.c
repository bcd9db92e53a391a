// SPDX-License-Identifier: GPL-2.0
/* One vCPU in one thread: each exit is told and counted as what it is. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.h"
#include "decode.skel.h"

static uint8_t flags_of(const struct bench *b, const struct exit *x)
{
	if (x->unread)
		return 0;
	return KS_F_IP | KS_F_CPL | (b->isa == KS_ISA_SVM ? x->cpl : x->ip >> 63 ? 0 : 3);
}

static uint64_t ip_of(const struct bench *b, const struct exit *x)
{
	return b->isa == KS_ISA_VMX && x->unread ? 0 : x->ip;
}

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

/* A guest of the guest has another control block; the vCPU's own one keeps its last reason. */
static void check_nested(struct bench *b)
{
	struct exit x = { KS_SVM_EXIT_HLT, 0xffffffff81234567, 3000, 0, false };

	put(b, REASON, 0x07c);
	put_vmcb(b, true);
	check_hlt(b, KS_SVM_EXIT_HLT, &(struct exit){ .reason = 0x400 });
	put_vmcb(b, false);
	run_exit(b, &x);
	gather(b);
	expect_record(b, 0, KS_HLT, flags_of(b, &x), x.ip, 0);
}

void *check_one_vcpu(void *arg)
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
