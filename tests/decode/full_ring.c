// SPDX-License-Identifier: GPL-2.0
/* What becomes of what there was no room for in the ring. */
#include <pthread.h>
#include <unistd.h>

#include "bench.h"

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
void *check_full_ring(void *arg)
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
