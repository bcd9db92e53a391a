// SPDX-License-Identifier: GPL-2.0
/* What the probe wrote and what was expected of it. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "bench.h"

const char *label(const struct bench *b)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s %s%s", b->isa == KS_ISA_SVM ? "svm" : "vmx",
		 b->fold ? "bursts" : "events", b->no_cast ? ", no rdonly_cast" : "");
	return text;
}

void expect(struct bench *b, uint64_t got, uint64_t want, const char *fmt, ...)
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

int complain(int err, const char *what)
{
	printf("FAIL: %s: %s\n", what, strerror(-err));
	return err;
}

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

int take_all(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
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

void leave_cpu(void)
{
	struct timespec ts = { .tv_nsec = 1000000 };
	long before = sleeps();

	/* On a busy machine the time may be over before the thread is off the CPU: then it stays. */
	while (sleeps() == before)
		nanosleep(&ts, NULL);
}

void drain(struct bench *b)
{
	b->nrecs = b->halted = b->blocked = 0;
	ks_rings_drain(b->rings, take_all, b);
}

void gather(struct bench *b)
{
	leave_cpu();
	drain(b);
}

void expect_record(struct bench *b, size_t i, uint8_t type, uint8_t flags, uint64_t va, uint64_t vb)
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
