/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of virtual NUMA share: small worlds written by hand, of four vCPUs, the first two of which believe node 0, the
 * others node 1; pCPUs likewise.
 */
#ifndef KVMSCHED_TEST_VNUMA_UTIL_H
#define KVMSCHED_TEST_VNUMA_UTIL_H

#include "test_analyze_util.h"

#define MS 1000000ull
#define US 1000ull
#define ANY KS_ALLOWED_ANY
#define ONE KS_ALLOWED_ONE
#define SOME KS_ALLOWED_SOME

static inline struct lab *vnuma_lab(void)
{
	struct lab *l = lab_new(4);

	assert_int_equal(ks_vnuma_new(&l->vnuma, NULL), 0);
	return l;
}

/* prev: 0 = the idle thread; how: KS_ALLOWED_* of it if it is still runnable, else 0. */
static inline void sw(struct lab *l, uint64_t t, uint16_t cpu, uint32_t prev, uint32_t next,
		      uint8_t how)
{
	put_guest(l, (struct ks_rec){ .time = t,
				      .type = KS_TASK_SWITCH,
				      .cpu = cpu,
				      .id = next,
				      .a = prev,
				      .b = how != 0,
				      .flags = how });
}

static inline void wakes(struct lab *l, uint64_t t, uint32_t tid, uint16_t on, uint8_t allowed)
{
	put_guest(l,
		  (struct ks_rec){
			  .time = t, .type = KS_TASK_WAKE, .id = tid, .a = on, .flags = allowed });
}

static inline void moves(struct lab *l, uint64_t t, uint32_t tid, uint16_t from, uint16_t to,
			 uint8_t by)
{
	put_guest(l, (struct ks_rec){ .time = t,
				      .type = KS_TASK_MIGRATE,
				      .cpu = to,
				      .id = tid,
				      .a = from,
				      .b = to,
				      .flags = by });
}

static inline void cpus(struct lab *l, uint64_t t, uint32_t tid, uint64_t mask)
{
	put_guest(l, (struct ks_rec){ .time = t, .type = KS_TASK_CPUS, .id = tid, .a = mask });
}

static inline void online(struct lab *l, uint64_t t, uint16_t cpu, bool is)
{
	put_guest(l, (struct ks_rec){ .time = t, .type = KS_CPU_ONLINE, .cpu = cpu, .a = is });
}

/* All four are idle and halted from t on. */
static inline void all_idle(struct lab *l, uint64_t t)
{
	uint16_t i;

	for (i = 0; i < 4; i++) {
		sw(l, t, i, 900 + i, 0, 0);
		out(l, t, i, i, KS_OUT_HALTED);
	}
}

static inline const struct ks_vnuma_vm *vm(const struct lab *l)
{
	return ks_vnuma_vm(l->vnuma, 0);
}

/* Two threads wait on CPU 0 from 20 ms on; so many other vCPUs are free as the test leaves. */
static inline void two_wait(struct lab *l, uint8_t allowed)
{
	in(l, 10 * MS, 0, 0);
	sw(l, 10 * MS, 0, 0, 100, 0);
	wakes(l, 20 * MS, 101, 0, allowed);
	wakes(l, 20 * MS, 102, 0, allowed);
}

#endif /* KVMSCHED_TEST_VNUMA_UTIL_H */
