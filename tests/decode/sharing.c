// SPDX-License-Identifier: GPL-2.0
/* vCPUs and threads that are not one and the same: in turns, one after the other, made anew. */
#include <pthread.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bench.h"
#include "decode.skel.h"

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

void *check_sharing(void *arg)
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
