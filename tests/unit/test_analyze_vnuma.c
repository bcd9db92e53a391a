// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual NUMA: small worlds written by hand, of four vCPUs, the first two of which believe node 0, the
 * others node 1; pCPUs likewise.
 */
#include "test_analyze_util.h"

#define MS 1000000ull
#define US 1000ull
#define ANY KS_ALLOWED_ANY
#define ONE KS_ALLOWED_ONE
#define SOME KS_ALLOWED_SOME

static struct lab *vnuma_lab(void)
{
	struct lab *l = lab_new(4);

	assert_int_equal(ks_vnuma_new(&l->vnuma, NULL), 0);
	return l;
}

/* prev: 0 = the idle thread; how: KS_ALLOWED_* of it if it is still runnable, else 0. */
static void sw(struct lab *l, uint64_t t, uint16_t cpu, uint32_t prev, uint32_t next, uint8_t how)
{
	put_guest(l, (struct ks_rec){ .time = t,
				      .type = KS_TASK_SWITCH,
				      .cpu = cpu,
				      .id = next,
				      .a = prev,
				      .b = how != 0,
				      .flags = how });
}

static void wakes(struct lab *l, uint64_t t, uint32_t tid, uint16_t on, uint8_t allowed)
{
	put_guest(l,
		  (struct ks_rec){
			  .time = t, .type = KS_TASK_WAKE, .id = tid, .a = on, .flags = allowed });
}

static void moves(struct lab *l, uint64_t t, uint32_t tid, uint16_t from, uint16_t to, uint8_t by)
{
	put_guest(l, (struct ks_rec){ .time = t,
				      .type = KS_TASK_MIGRATE,
				      .cpu = to,
				      .id = tid,
				      .a = from,
				      .b = to,
				      .flags = by });
}

static void cpus(struct lab *l, uint64_t t, uint32_t tid, uint64_t mask)
{
	put_guest(l, (struct ks_rec){ .time = t, .type = KS_TASK_CPUS, .id = tid, .a = mask });
}

static void online(struct lab *l, uint64_t t, uint16_t cpu, bool is)
{
	put_guest(l, (struct ks_rec){ .time = t, .type = KS_CPU_ONLINE, .cpu = cpu, .a = is });
}

/* All four are idle and halted from t on. */
static void all_idle(struct lab *l, uint64_t t)
{
	uint16_t i;

	for (i = 0; i < 4; i++) {
		sw(l, t, i, 900 + i, 0, 0);
		out(l, t, i, i, KS_OUT_HALTED);
	}
}

static void end_at(struct lab *l, uint64_t t)
{
	guest_rec(l, t, KS_RQ_CALM, 0);
	put_host(l, (struct ks_rec){ .time = t, .type = KS_PLE_WINDOW });
}

static const struct ks_vnuma_vm *vm(const struct lab *l)
{
	return ks_vnuma_vm(l->vnuma, 0);
}

/* ---- drift ---- */

static void drift(void **state)
{
	struct lab *l = vnuma_lab();
	const struct ks_vnuma_vcpu *c;

	(void)state;
	/* vCPU 2: on pCPU 2 up to 10 ms, on pCPU 0 up to 40, on pCPU 3 up to 100. */
	out(l, 10 * MS, 2, 2, KS_OUT_RUNNABLE);
	in(l, 10 * MS + 1, 2, 0);
	out(l, 40 * MS, 2, 0, KS_OUT_RUNNABLE);
	in(l, 50 * MS, 2, 3);
	end_at(l, 100 * MS);
	lab_run(l);
	c = ks_vnuma_vcpu(l->vnuma, 2);
	assert_int_equal(c->believed, 1);
	assert_int_equal(c->node_ns[0], 30 * MS - 1);
	assert_int_equal(c->node_ns[1], 10 * MS - 1 + 50 * MS);
	assert_int_equal(c->away_ns, 30 * MS - 1);
	assert_int_equal(c->node_changes, 2);
	assert_int_equal(vm(l)->nmoves, 2);
	assert_int_equal(vm(l)->moves[0].time, 10 * MS + 1);
	assert_int_equal(vm(l)->moves[0].to, 0);
	assert_int_equal(vm(l)->moves[1].time, 50 * MS);
	assert_true(vm(l)->same_nodes);
	assert_int_equal(ks_vnuma_vcpu(l->vnuma, 0)->away_ns, 0);
	lab_free(l);
}

/* Four nodes on the host: what a guest's node stands for is told by where it ran most. */
static void drift_on_other_nodes(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	l->host_meta = "{\"vms\":{\"77\":{\"name\":\"vm\"}},\"cpu_node\":[3,3,2,2,0,1]}";
	out(l, 10 * MS, 2, 2, KS_OUT_RUNNABLE);
	in(l, 10 * MS + 1, 2, 0);
	end_at(l, 15 * MS);
	lab_run(l);
	assert_false(vm(l)->same_nodes);
	assert_int_equal(vm(l)->home[0], 3);
	assert_int_equal(vm(l)->home[1], 2);
	assert_int_equal(ks_vnuma_vcpu(l->vnuma, 2)->away_ns, 5 * MS - 1);
	assert_int_equal(ks_vnuma_vcpu(l->vnuma, 3)->away_ns, 0);
	lab_free(l);
}

static void no_belief(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	l->guest_meta = "{\"cpu_node\":[0,0,0,0]}";
	end_at(l, 10 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->guest_nodes, 1);
	assert_int_equal(vm(l)->home[0], -1);
	assert_int_equal(ks_vnuma_vcpu(l->vnuma, 2)->away_ns, 0);
	assert_int_equal(ks_vnuma_vcpu(l->vnuma, 2)->node_ns[1], 10 * MS - 1);
	lab_free(l);
}

static void memory(struct lab *l, uint64_t t, uint32_t tgid, uint16_t node, uint64_t guest_node,
		   uint64_t bytes)
{
	put_host(l, (struct ks_rec){ .time = t,
				     .type = KS_VM_MEMORY,
				     .cpu = node,
				     .id = tgid,
				     .a = bytes,
				     .b = guest_node + 1 });
}

static void memory_moves(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	memory(l, 10 * MS, TGID, 0, 1, 0);
	memory(l, 10 * MS, TGID, 1, 1, 1000);
	memory(l, 10 * MS, TGID, 0, -1ull, 7);
	memory(l, 20 * MS, 1, 0, 0, 5); /* of another process: the number of a slot, too */
	memory(l, 30 * MS, TGID, 0, 1, 900);
	memory(l, 30 * MS, TGID, 1, 1, 100);
	memory(l, 30 * MS, TGID, 1, 77, 5); /* a node that cannot be */
	end_at(l, 40 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->memory_samples, 2);
	assert_int_equal(vm(l)->memory_first[1][1], 1000);
	assert_int_equal(vm(l)->memory_first[KS_VN_NODES][0], 7);
	assert_int_equal(vm(l)->memory_last[1][0], 900);
	assert_int_equal(vm(l)->memory_last[1][1], 100);
	assert_int_equal(vm(l)->memory_last[KS_VN_NODES][0], 0);
	assert_int_equal(vm(l)->memory_last[KS_VN_NODES][1], 5);
	lab_free(l);
}

/* ---- wasted ---- */

/* Two threads wait on CPU 0 from 20 ms on; so many other vCPUs are free as the test leaves. */
static void two_wait(struct lab *l, uint8_t allowed)
{
	in(l, 10 * MS, 0, 0);
	sw(l, 10 * MS, 0, 0, 100, 0);
	wakes(l, 20 * MS, 101, 0, allowed);
	wakes(l, 20 * MS, 102, 0, allowed);
}

static void wasted_by_both(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	two_wait(l, ANY);
	sw(l, 50 * MS, 0, 100, 101, 0);	  /* one of them runs */
	sw(l, 1200 * MS, 0, 101, 102, 0); /* and the other */
	end_at(l, 2100 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 30 * MS * 2 + 1150 * MS);
	assert_int_equal(vm(l)->wait_ns, 30 * MS * 2 + 1150 * MS);
	/* Seconds count from the first record on both sides, 3 ns. */
	assert_int_equal(vm(l)->nseconds, 3);
	assert_int_equal(vm(l)->second_ns[0], 30 * MS * 2 + 950 * MS + 3);
	assert_int_equal(vm(l)->second_ns[1], 200 * MS - 3);
	assert_int_equal(vm(l)->second_ns[2], 0);
	assert_int_equal(vm(l)->span_ns, 2100 * MS - 3);
	assert_int_equal(ks_vnuma_vcpu(l->vnuma, 3)->idle_ns, 2095 * MS);
	lab_free(l);
}

/* There are three free vCPUs; one of them wants a pCPU, one runs something, one is left. */
static void wasted_by_one(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	wake(l, 15 * MS, 1);
	in(l, 15 * MS, 2, 2);
	sw(l, 15 * MS, 2, 0, 200, 0);
	two_wait(l, ANY);
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 100 * MS);
	assert_int_equal(vm(l)->wait_ns, 200 * MS);
	lab_free(l);
}

/* From then on its probes were taken away: that nobody runs any more is not known. */
static void nothing_is_wasted_after_the_end(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	l->guest_meta = "{\"cpu_node\":[0,0,1,1],\"end_mono_ns\":60000000}";
	all_idle(l, 5 * MS);
	two_wait(l, ANY);
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 2 * 40 * MS);
	lab_free(l);
}

/* CPU 3's last switch is to its idle thread, and its vCPU is halted, because the guest took it offline. */
static void offline_cpus_are_not_free(void **state)
{
	struct lab *l = vnuma_lab();
	uint16_t i;

	(void)state;
	all_idle(l, 5 * MS);
	for (i = 0; i < 3; i++) {
		in(l, 10 * MS, i, i);
		sw(l, 10 * MS, i, 0, 100 + i, 0);
	}
	online(l, 11 * MS, 3, false);
	sw(l, 12 * MS, 3, 0, 30, 0); /* what takes it down runs there */
	sw(l, 13 * MS, 3, 30, 0, 0);
	wakes(l, 20 * MS, 110, 0, ANY);
	sw(l, 60 * MS, 0, 100, 110, 0);
	online(l, 70 * MS, 3, true);
	wakes(l, 80 * MS, 111, 0, ANY);
	sw(l, 85 * MS, 0, 110, 111, 0);
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 5 * MS);
	assert_int_equal(vm(l)->passed.count, 1);
	assert_int_equal(vm(l)->passed.worst[0].pid, 111);
	assert_int_equal(vm(l)->wait_ns, 45 * MS);
	assert_int_equal(ks_vnuma_vcpu(l->vnuma, 3)->idle_ns, 6 * MS + 50 * MS);
	lab_free(l);
}

static void bound_threads_waste_nothing(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	two_wait(l, ONE);
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 0);
	assert_int_equal(vm(l)->wait_ns, 200 * MS);
	assert_int_equal(vm(l)->unplaced_ns, 0);
	lab_free(l);
}

static void unknown_affinity_claims_nothing(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	two_wait(l, KS_ALLOWED_UNKNOWN);
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 0);
	assert_int_equal(vm(l)->unplaced_ns, 200 * MS);
	lab_free(l);
}

/* 101 may use 0 and 1, 102 may use 0, 1 and 2: both can be given one, whoever comes first. */
static void wasted_is_a_matching(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	cpus(l, 6 * MS, 101, 0x7);
	cpus(l, 6 * MS, 102, 0x3);
	two_wait(l, SOME);
	cpus(l, 60 * MS, 101, 0x3);  /* now they want the same one */
	cpus(l, 100 * MS, 101, 0x9); /* and now different ones again */
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 40 * MS * 2 + 40 * MS + 20 * MS * 2);
	lab_free(l);
}

/* A thread put on an idle vCPU does not wait for another one while that wakes up. */
static void about_to_run(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	wakes(l, 20 * MS, 101, 1, ANY);
	wakes(l, 30 * MS, 102, 1, ANY); /* this one does */
	wake(l, 40 * MS, 1);		/* no pCPU for it: 100 us later both do */
	in(l, 50 * MS, 1, 1);
	sw(l, 50 * MS, 1, 0, 101, 0);
	sw(l, 60 * MS, 1, 101, 102, 0);
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 10 * MS + 10 * MS * 2 - 100 * US + 10 * MS);
	lab_free(l);
}

/* Until its vCPU has been woken up, too, a thread waits for no other one; if that takes long it does. */
static void waking_up(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	wakes(l, 20 * MS, 101, 1, ANY);
	wake(l, 20 * MS + 10 * US, 1);
	in(l, 20 * MS + 70 * US, 1, 1);
	sw(l, 20 * MS + 80 * US, 1, 0, 101, 0);
	sw(l, 30 * MS, 1, 101, 0, 0);
	out(l, 30 * MS, 1, 1, KS_OUT_HALTED);
	wake(l, 40 * MS, 1);
	wakes(l, 40 * MS, 101, 1, ANY);
	in(l, 45 * MS, 1, 1); /* 5 ms, of which it might have run elsewhere for 4.9 */
	sw(l, 45 * MS, 1, 0, 101, 0);
	sw(l, 50 * MS, 1, 101, 0, 0);
	out(l, 50 * MS, 1, 1, KS_OUT_RUNNABLE);
	wakes(l, 50 * MS + 60 * US, 102, 1, ANY); /* the vCPU waits already */
	in(l, 51 * MS, 1, 1);
	sw(l, 51 * MS, 1, 0, 102, 0);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 4900 * US + 900 * US);
	assert_int_equal(vm(l)->wait_ns, 80 * US + 5 * MS + 940 * US);
	assert_int_equal(vm(l)->passed.count, 0);
	lab_free(l);
}

/* Where it is put nobody tells what runs, or what the host does: it may be about to run. */
static void not_known_to_wait_claims_nothing(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	sw(l, 5 * MS, 1, 901, 0, 0);
	sw(l, 5 * MS, 2, 902, 0, 0);
	wakes(l, 20 * MS, 101, 0, ANY); /* of CPU 0 there was no switch */
	sw(l, 25 * MS, 0, 0, 101, 0);
	host_loss(l, 30 * MS, 31 * MS, 1, KS_VCPU_OUT); /* vCPU 1 may have left its pCPU */
	wakes(l, 40 * MS, 102, 1, ANY);
	sw(l, 45 * MS, 1, 0, 102, 0);
	wakes(l, 50 * MS, 103, 1, ANY); /* CPU 2 is free all the time */
	sw(l, 60 * MS, 1, 102, 103, 0);
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 10 * MS);
	assert_int_equal(vm(l)->wait_ns, 20 * MS);
	lab_free(l);
}

static void nothing_is_known_in_a_loss(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	two_wait(l, ANY);
	guest_loss(l, 30 * MS, 60 * MS, 0, KS_TASK_SWITCH);
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 10 * MS * 2);
	assert_int_equal(vm(l)->blind_ns, 30 * MS);
	lab_free(l);
}

/* The guest's clock stood still somewhere in between: who was idle when is not known. */
static void nothing_is_known_in_a_break(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	two_wait(l, ANY);
	clock_break(l, 30 * MS, 60 * MS);
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 10 * MS * 2);
	assert_int_equal(vm(l)->blind_ns, 30 * MS);
	lab_free(l);
}

/* From the beginning of a loss of the host's it is not known who is free, whatever comes next, and when. */
static void free_until_the_hosts_loss(struct lab *l)
{
	host_loss(l, 30 * MS, 60 * MS, 1, KS_VCPU_WAKE);
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 10 * MS * 2);
	assert_int_equal(ks_vnuma_vcpu(l->vnuma, 3)->idle_ns, 25 * MS);
	lab_free(l);
}

static void who_is_free_is_not_known_in_the_hosts_loss(void **state)
{
	struct lab *l = vnuma_lab();
	uint16_t i;

	(void)state;
	all_idle(l, 5 * MS);
	two_wait(l, ANY);
	guest_rec(l, 50 * MS, KS_IDLE_EXIT, 0);
	free_until_the_hosts_loss(l);
	l = vnuma_lab();
	all_idle(l, 5 * MS);
	two_wait(l, ANY);
	for (i = 1; i < 4; i++)
		out(l, 70 * MS, i, i, KS_OUT_BLOCKED);
	free_until_the_hosts_loss(l);
}

/* The CPU that a wake-up passed over did not write the record of it: that does not make it run. */
static void passed_over_does_not_run(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	two_wait(l, ANY);
	host_loss(l, 30 * MS, 31 * MS, 1, KS_VCPU_WAKE);
	put_guest(l, (struct ks_rec){ .time = 40 * MS,
				      .type = KS_TASK_PASSED,
				      .cpu = 2,
				      .id = 102,
				      .a = 1ull << 32 });
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 10 * MS * 2);
	lab_free(l);
}

/* A chunk that cannot be read is a loss of all its time, known only when it is met. */
static void nothing_is_known_in_a_bad_chunk(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	two_wait(l, ANY);
	guest_rec(l, 30 * MS, KS_TASK_SWITCH, 40);
	guest_rec(l, 31 * MS, KS_TASK_SWITCH, 40);
	guest_rec(l, 60 * MS, KS_TASK_SWITCH, 40);
	l->spoil_guest = 40;
	wakes(l, 40 * MS, 103, 0,
	      ANY); /* within it: may have gone, and is not believed behind it */
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 10 * MS * 2);
	assert_int_equal(vm(l)->blind_ns, 30 * MS);
	lab_free(l);
}

/* Of one record: over when it is met, but behind it nothing is known either. */
static void nothing_is_known_behind_one(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	two_wait(l, ANY);
	guest_rec(l, 30 * MS, KS_TASK_SWITCH, 40);
	l->spoil_guest = 40;
	end_at(l, 120 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 10 * MS * 2);
	assert_int_equal(vm(l)->blind_ns, 0);
	lab_free(l);
}

/* ---- diseases ---- */

static void passed_over(void **state)
{
	struct lab *l = vnuma_lab();
	const struct ks_vnuma_disease *d;

	(void)state;
	all_idle(l, 5 * MS);
	in(l, 10 * MS, 0, 0);
	sw(l, 10 * MS, 0, 0, 100, 0);
	wakes(l, 20 * MS, 101, 0, ANY); /* CPUs 1 to 3 are free */
	sw(l, 25 * MS, 0, 100, 101, ANY);
	sw(l, 26 * MS, 0, 101, 100, 0);
	wakes(l, 30 * MS, 101, 0, ANY); /* too short to count */
	sw(l, 30 * MS + 99 * US, 0, 100, 101, ANY);
	end_at(l, 60 * MS);
	lab_run(l);
	d = &vm(l)->passed;
	assert_int_equal(d->count, 1);
	assert_int_equal(d->cost_ns, 5 * MS);
	assert_int_equal(d->nworst, 1);
	assert_int_equal(d->worst[0].time, 20 * MS);
	assert_int_equal(d->worst[0].pid, 101);
	assert_int_equal(d->worst[0].cpu, 0);
	assert_int_equal(d->worst[0].other, 1);
	assert_int_equal(vm(l)->passed_why[KS_PASSED_UNKNOWN], 1);
	lab_free(l);
}

/* The case is one of the CPU that the wake-up chose, whichever one came to take the thread away. */
static void passed_over_and_pulled(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	in(l, 10 * MS, 0, 0);
	sw(l, 10 * MS, 0, 0, 100, 0);
	wakes(l, 20 * MS, 101, 0, ANY);
	moves(l, 25 * MS, 101, 0, 1, KS_MOVE_NEWIDLE);
	sw(l, 25 * MS, 1, 0, 101, 0);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->passed.count, 1);
	assert_int_equal(vm(l)->passed.worst[0].cpu, 0);
	assert_int_equal(vm(l)->passed.worst[0].other, 1);
	lab_free(l);
}

/* Why: its flag, seen by the guest; or only vCPUs of the other node were free. */
static void passed_over_why(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	in(l, 10 * MS, 0, 0);
	in(l, 10 * MS, 1, 1);
	sw(l, 10 * MS, 0, 0, 100, 0);
	sw(l, 10 * MS, 1, 0, 110, 0);
	wakes(l, 20 * MS, 101, 0, ANY);
	sw(l, 25 * MS, 0, 100, 101, 0);
	wakes(l, 30 * MS, 102, 0, ANY);
	put_guest(l, (struct ks_rec){ .time = 30 * MS,
				      .type = KS_TASK_PASSED,
				      .cpu = 2,
				      .id = 102,
				      .a = 2ull << 32 | 2,
				      .b = 0,
				      .flags = KS_PASSED_FLAGS });
	sw(l, 37 * MS, 0, 101, 102, 0);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->passed.count, 2);
	assert_int_equal(vm(l)->passed.cost_ns, 12 * MS);
	assert_int_equal(vm(l)->passed_why[KS_PASSED_NODE], 1);
	assert_int_equal(vm(l)->passed_why[KS_PASSED_FLAGGED], 1);
	assert_int_equal(vm(l)->flags_looked, 2);
	assert_int_equal(vm(l)->flags_set, 2);
	lab_free(l);
}

/* The only idle vCPU wants a pCPU: nobody was passed over. */
static void not_passed_over(void **state)
{
	struct lab *l = vnuma_lab();
	uint16_t i;

	(void)state;
	all_idle(l, 5 * MS);
	for (i = 0; i < 3; i++) {
		in(l, 10 * MS, i, i);
		sw(l, 10 * MS, i, 0, 100 + i, 0);
	}
	wake(l, 10 * MS, 3);
	wakes(l, 20 * MS, 110, 0, ANY);
	sw(l, 25 * MS, 0, 100, 110, 0);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->passed.count, 0);
	assert_int_equal(vm(l)->wait_ns, 5 * MS);
	lab_free(l);
}

/* 100 sleeps for `slept`; meanwhile its CPU pulls 200, which is still there. */
static void pulled(struct lab *l, uint64_t t, uint64_t slept, uint8_t by)
{
	sw(l, t, 0, 100, 0, 0);
	moves(l, t + 10, 200, 1, 0, by);
	sw(l, t + 20, 0, 0, 200, 0);
	wakes(l, t + slept, 100, 0, ONE);
	sw(l, t + slept + 3 * MS, 0, 200, 100, 0);
}

static void overloaded(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	in(l, 10 * MS, 0, 0);
	sw(l, 10 * MS, 0, 0, 100, 0);
	pulled(l, 20 * MS, 300 * US, KS_MOVE_NEWIDLE);
	pulled(l, 40 * MS, 300 * US, KS_MOVE_PERIODIC); /* not by newly idle balancing */
	pulled(l, 60 * MS, 2 * MS, KS_MOVE_NEWIDLE);	/* no short sleep */
	end_at(l, 100 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->overloaded.count, 1);
	assert_int_equal(vm(l)->overloaded.cost_ns, 3 * MS);
	assert_int_equal(vm(l)->overloaded.worst[0].other, 200);
	assert_int_equal(vm(l)->overloaded.worst[0].time, 20 * MS + 300 * US);
	assert_int_equal(vm(l)->moves_by[KS_MOVE_NEWIDLE], 2);
	assert_int_equal(vm(l)->moves_by[KS_MOVE_PERIODIC], 1);
	assert_int_equal(vm(l)->node_moves_by[KS_MOVE_NEWIDLE], 0);
	assert_int_equal(vm(l)->nsleeps, 3);
	assert_int_equal(vm(l)->short_sleeps, 2);
	lab_free(l);
}

/* A sleep, a move, and a wait for a thread that was pulled, from t on, in 4 ms. */
static void all_kinds(struct lab *l, uint64_t t)
{
	pulled(l, t, 300 * US, KS_MOVE_NEWIDLE);
	put_guest(l, (struct ks_rec){ .time = t + 300 * US,
				      .type = KS_TASK_PASSED,
				      .cpu = 2,
				      .id = 100,
				      .a = 2ull << 32 | 2,
				      .flags = KS_PASSED_FLAGS });
}

/* The guest is recorded from 3 ns to 200 ms, the host from 41 ms to 120 ms. */
static void counted_on_both_sides(void **state)
{
	struct lab *l = vnuma_lab();
	unsigned int i;

	(void)state;
	for (i = 0; i < l->nhost; i++)
		l->host[i].time = 41 * MS + i;
	sw(l, 10 * MS, 0, 0, 100, 0);
	all_kinds(l, 20 * MS);
	all_kinds(l, 39 * MS); /* half of it; it ends at 42.3 ms */
	all_kinds(l, 60 * MS);
	all_kinds(l, 118 * MS); /* to 121.3 ms */
	all_kinds(l, 140 * MS);
	guest_rec(l, 200 * MS, KS_RQ_CALM, 0);
	put_host(l, (struct ks_rec){ .time = 120 * MS, .type = KS_PLE_WINDOW });
	lab_run(l);
	assert_int_equal(vm(l)->span_ns, 79 * MS);
	assert_int_equal(vm(l)->moves_by[KS_MOVE_NEWIDLE], 2);
	assert_int_equal(vm(l)->nsleeps, 2);
	assert_int_equal(vm(l)->short_sleeps, 2);
	assert_int_equal(vm(l)->flags_looked, 2 * 2);
	assert_int_equal(vm(l)->overloaded.count, 1);
	assert_int_equal(vm(l)->overloaded.cost_ns, 3 * MS);
	assert_int_equal(vm(l)->overloaded.worst[0].time, 60 * MS + 300 * US);
	lab_free(l);
}

/* The guest's recording was over before the host's began. */
static void never_on_both_sides(void **state)
{
	struct lab *l = vnuma_lab();
	unsigned int i;

	(void)state;
	for (i = 0; i < l->nhost; i++)
		l->host[i].time = 300 * MS + i;
	sw(l, 10 * MS, 0, 0, 100, 0);
	all_kinds(l, 20 * MS);
	put_host(l, (struct ks_rec){ .time = 400 * MS, .type = KS_PLE_WINDOW });
	lab_run(l);
	assert_int_equal(vm(l)->span_ns, 0);
	assert_int_equal(vm(l)->wait_ns, 0);
	assert_int_equal(vm(l)->nsleeps, 0);
	assert_int_equal(vm(l)->overloaded.count, 0);
	lab_free(l);
}

/* A waiting thread that is moved waits where it was moved to. */
static void moved_while_waiting(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	all_idle(l, 5 * MS);
	two_wait(l, ANY);
	moves(l, 30 * MS, 101, 0, 3, KS_MOVE_NEWIDLE);
	moves(l, 30 * MS, 102, 0, 9, KS_MOVE_NEWIDLE); /* no such CPU */
	end_at(l, 60 * MS);
	lab_run(l);
	/* From then on CPU 3 is about to run 101; 102 could have CPU 1 or 2. */
	assert_int_equal(vm(l)->wasted_ns, 10 * MS * 2 + 30 * MS);
	assert_int_equal(vm(l)->node_moves_by[KS_MOVE_NEWIDLE], 1);
	lab_free(l);
}

/* Whatever a guest sends: no crash, and no more time than there was. */
static void hostile(void **state)
{
	static const uint8_t types[] = { KS_TASK_SWITCH, KS_TASK_WAKE,	 KS_TASK_MIGRATE,
					 KS_TASK_CPUS,	 KS_TASK_PASSED, KS_CPU_ONLINE,
					 KS_LOSS };
	struct lab *l = vnuma_lab();
	uint64_t x = 88172645463325252ull;
	unsigned int i;

	(void)state;
	all_idle(l, 5 * MS);
	for (i = 0; i < 3000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		put_guest(l, (struct ks_rec){ .time = 6 * MS + i * US,
					      .type = types[x % 50 ? x % 6 : 6],
					      .flags = x >> 8,
					      .cpu = x >> 16 & 7,
					      .id = x >> 24 & 31,
					      .a = x >> 32 & (x & 64 ? ~0ull : 7),
					      .b = x >> 40 & (x & 32 ? ~0ull : 7) });
	}
	end_at(l, 20 * MS);
	lab_run(l);
	assert_true(vm(l)->wasted_ns <= 4 * vm(l)->span_ns);
	assert_true(vm(l)->wait_ns <= 32 * vm(l)->span_ns);
	lab_free(l);
}

/* More threads than there is room for: sleepers are forgotten, those that wait are not. */
static void many_threads(void **state)
{
	struct lab *l = vnuma_lab();
	struct ks_event ev;
	struct ks_rec r = { .type = KS_TASK_WAKE };
	struct ks_err err = { "" };
	uint32_t i;

	(void)state;
	all_idle(l, 5 * MS);
	two_wait(l, ANY);
	end_at(l, 1000 * MS);
	lab_open(l);
	while (ks_merge_next(l->merge, &ev, &err) > 0 && ev.time <= 20 * MS)
		assert_int_equal(ks_analysis_feed(l->a, &ev), 0);
	ev = (struct ks_event){ .time = 20 * MS, .src = 1, .rec = &r };
	for (i = 1000; i < 200000; i++) {
		r = (struct ks_rec){ .type = KS_TASK_SWITCH, .cpu = 1, .id = 0, .a = i };
		assert_int_equal(ks_analysis_feed(l->a, &ev), 0);
	}
	assert_true(vm(l)->forgotten > 100000);
	r = (struct ks_rec){ .type = KS_TASK_SWITCH, .cpu = 0, .id = 101, .a = 100 };
	ev.time = 30 * MS;
	assert_int_equal(ks_analysis_feed(l->a, &ev), 0);
	assert_int_equal(vm(l)->passed.count, 1);
	assert_int_equal(vm(l)->passed.cost_ns, 10 * MS);
	lab_free(l);
}

/* Each cause has its count and a word; what is none counts as unknown. */
static void causes(void **state)
{
	struct lab *l = vnuma_lab();
	unsigned int by;

	(void)state;
	all_idle(l, 5 * MS);
	for (by = 0; by <= KS_MOVE_MAX; by++)
		moves(l, 30 * MS + by, 101, 0, 3, (uint8_t)by);
	end_at(l, 40 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->moves_by[KS_MOVE_UNKNOWN], 2);
	for (by = KS_MOVE_WAKE; by < KS_MOVE_MAX; by++) {
		assert_int_equal(vm(l)->moves_by[by], 1);
		assert_int_equal(vm(l)->node_moves_by[by], 1);
		assert_string_not_equal(ks_move_name(by), ks_move_name(by - 1));
	}
	assert_string_equal(ks_move_name(KS_MOVE_NUMA), "numa_balancing");
	assert_string_equal(ks_move_name(KS_MOVE_ACTIVE), "active_balance");
	assert_null(ks_move_name(KS_MOVE_MAX));
	lab_free(l);
}

/* ---- the guest alone, live ---- */

static void live(struct ks_vnuma_live *l, uint64_t time, uint8_t type, uint8_t flags, uint16_t cpu,
		 uint32_t id, uint64_t a, uint64_t b)
{
	struct ks_rec r = {
		.time = time, .type = type, .flags = flags, .cpu = cpu, .id = id, .a = a, .b = b
	};

	ks_vnuma_live_feed(l, &r);
}

static const struct ks_vnuma_live_cpu *live_cpu(const struct ks_vnuma_live *l, uint32_t cpu)
{
	uint32_t n;
	const struct ks_vnuma_live_cpu *c = ks_vnuma_live_cpus(l, &n);

	assert_true(cpu < n);
	return &c[cpu];
}

static struct ks_vnuma_live *live_new(void)
{
	static const int32_t node[] = { 0, 1 };
	struct ks_vnuma_live *l;

	assert_int_equal(ks_vnuma_live_new(&l, NULL, node, 2), 0);
	return l;
}

/* 100 runs on CPU 0 from 2 ms on, CPU 1 is idle; 101 is woken on CPU 0 at 5 ms and runs there at 9. */
static void live_wake(struct ks_vnuma_live *l)
{
	live(l, 1 * MS, KS_TASK_SWITCH, 0, 1, 0, 7, 0);
	live(l, 2 * MS, KS_TASK_SWITCH, 0, 0, 100, 0, 0);
	live(l, 3 * MS, KS_TASK_SWITCH, 0, 1, 101, 0, 0);
	live(l, 4 * MS, KS_TASK_SWITCH, 0, 1, 0, 101, 0);
	live(l, 5 * MS, KS_TASK_WAKE, KS_ALLOWED_ANY, 0, 101, 0, 100);
	live(l, 9 * MS, KS_TASK_SWITCH, KS_ALLOWED_ANY, 0, 101, 100, 0);
}

static void live_sums(void **state)
{
	struct ks_vnuma_live *l = live_new();

	(void)state;
	live_wake(l);
	assert_int_equal(ks_vnuma_live_settle(l, 12 * MS), 0);
	assert_int_equal(live_cpu(l, 0)->busy_ns, 10 * MS);
	assert_int_equal(live_cpu(l, 0)->idle_ns, 0);
	assert_int_equal(live_cpu(l, 1)->busy_ns, 1 * MS);
	assert_int_equal(live_cpu(l, 1)->idle_ns, 10 * MS);
	assert_int_equal(live_cpu(l, 1)->node, 1);
	assert_int_equal(live_cpu(l, 0)->passed, 1);
	assert_int_equal(live_cpu(l, 1)->passed, 0);
	assert_int_equal(ks_vnuma_live_vm(l)->wasted_ns, 4 * MS);
	assert_int_equal(ks_vnuma_live_vm(l)->wait_ns, 4 * MS);
	ks_vnuma_live_next(l);
	assert_int_equal(ks_vnuma_live_settle(l, 13 * MS), 0);
	assert_int_equal(live_cpu(l, 0)->busy_ns, 1 * MS);
	assert_int_equal(live_cpu(l, 0)->passed, 0);
	ks_vnuma_live_free(l);
}

/* Woken on an idle CPU that runs it at once: nobody was passed over, although another one is idle. */
static void live_wake_on_idle(void **state)
{
	struct ks_vnuma_live *l = live_new();

	(void)state;
	live(l, 1 * MS, KS_TASK_SWITCH, 0, 0, 0, 7, 0);
	live(l, 2 * MS, KS_TASK_SWITCH, 0, 1, 0, 8, 0);
	live(l, 5 * MS, KS_TASK_WAKE, KS_ALLOWED_ANY, 1, 101, 1, 100);
	live(l, 6 * MS, KS_TASK_SWITCH, KS_ALLOWED_ANY, 1, 101, 0, 0);
	assert_int_equal(ks_vnuma_live_settle(l, 8 * MS), 0);
	assert_int_equal(live_cpu(l, 1)->passed, 0);
	assert_int_equal(live_cpu(l, 1)->busy_ns, 2 * MS);
	ks_vnuma_live_free(l);
}

/* 101, of CPU 0's, is pulled by CPU 1, which was idle all the time: CPU 0's wake-up passed it over. */
static void live_pulled(void **state)
{
	struct ks_vnuma_live *l = live_new();

	(void)state;
	live(l, 1 * MS, KS_TASK_SWITCH, 0, 1, 0, 7, 0);
	live(l, 2 * MS, KS_TASK_SWITCH, 0, 0, 100, 0, 0);
	live(l, 5 * MS, KS_TASK_WAKE, KS_ALLOWED_ANY, 0, 101, 0, 100);
	live(l, 9 * MS, KS_TASK_MIGRATE, KS_MOVE_NEWIDLE, 1, 101, 0, 1);
	live(l, 9 * MS, KS_TASK_SWITCH, 0, 1, 101, 0, 0);
	assert_int_equal(live_cpu(l, 0)->passed, 1);
	assert_int_equal(live_cpu(l, 1)->passed, 0);
	ks_vnuma_live_free(l);
}

static void live_migrations(void **state)
{
	struct ks_vnuma_live *l = live_new();

	(void)state;
	live_wake(l);
	live(l, 10 * MS, KS_TASK_MIGRATE, KS_MOVE_NEWIDLE, 1, 100, 0, 1);
	live(l, 10 * MS, KS_TASK_MIGRATE, KS_MOVE_WAKE, 1, 100, 0, 7);
	assert_int_equal(live_cpu(l, 1)->in[KS_MOVE_NEWIDLE], 1);
	assert_int_equal(live_cpu(l, 1)->in[KS_MOVE_WAKE], 0);
	ks_vnuma_live_free(l);
}

/* A CPU that is offline is neither busy nor idle, and is not passed over. */
static void live_offline(void **state)
{
	struct ks_vnuma_live *l = live_new();

	(void)state;
	live(l, 1 * MS, KS_TASK_SWITCH, 0, 1, 0, 7, 0);
	live(l, 2 * MS, KS_TASK_SWITCH, 0, 0, 100, 0, 0);
	live(l, 3 * MS, KS_CPU_ONLINE, 0, 1, 0, 0, 0);
	live(l, 4 * MS, KS_TASK_SWITCH, 0, 1, 0, 30, 0);
	live(l, 5 * MS, KS_TASK_WAKE, KS_ALLOWED_ANY, 0, 101, 0, 100);
	live(l, 9 * MS, KS_TASK_SWITCH, KS_ALLOWED_ANY, 0, 101, 100, 0);
	assert_int_equal(ks_vnuma_live_settle(l, 12 * MS), 0);
	assert_int_equal(live_cpu(l, 1)->idle_ns, 2 * MS);
	assert_int_equal(live_cpu(l, 0)->passed, 0);
	assert_int_equal(ks_vnuma_live_vm(l)->wasted_ns, 0);
	live(l, 13 * MS, KS_CPU_ONLINE, 0, 1, 0, 1, 0);
	assert_int_equal(ks_vnuma_live_settle(l, 14 * MS), 0);
	assert_int_equal(live_cpu(l, 1)->idle_ns, 3 * MS);
	ks_vnuma_live_free(l);
}

/* Behind a loss a CPU is neither busy nor idle until it switches. */
static void live_loss(void **state)
{
	struct ks_vnuma_live *l = live_new();

	(void)state;
	live_wake(l);
	live(l, 10 * MS, KS_LOSS, 0, 0, 5, 9 * MS, 0);
	assert_int_equal(ks_vnuma_live_settle(l, 20 * MS), 0);
	assert_int_equal(live_cpu(l, 0)->busy_ns, 8 * MS);
	assert_int_equal(live_cpu(l, 1)->idle_ns, 8 * MS);
	live(l, 21 * MS, KS_TASK_SWITCH, 0, 0, 0, 101, 0);
	assert_int_equal(ks_vnuma_live_settle(l, 22 * MS), 0);
	assert_int_equal(live_cpu(l, 0)->idle_ns, 1 * MS);
	live(l, 23 * MS, KS_TASK_SWITCH, 0, 9, 0, 101, 0); /* no such CPU */
	ks_vnuma_live_free(l);
}

/* ---- many guests ---- */

#define MANY 64u

/* Of each VM one vCPU, and a guest in which a thread waits for as many ms as the VM's number, from 1 on. */
static struct ks_reader *many_guest(struct lab *l, uint32_t vm)
{
	struct ks_reader *r;

	l->nguest = 0;
	sw(l, 5 * MS, 0, 0, 100, 0);
	wakes(l, 10 * MS, 101, 0, ANY);
	sw(l, (11 + vm) * MS, 0, 100, 101, 0);
	guest_rec(l, 100 * MS, KS_RQ_CALM, 0);
	write_trace(l->guest_path, KS_SIDE_GUEST, l->guest, l->nguest, 0, "{\"cpu_node\":[0]}");
	assert_int_equal(ks_reader_open(&r, l->guest_path, NULL), 0);
	return r;
}

static void many_begin(struct lab *l)
{
	struct ks_analysis_ops ops = { .segment = on_segment, .event = on_event, .ctx = l };
	uint32_t i;

	for (i = 0; i < MANY; i++)
		put_host(l, (struct ks_rec){ .time = 1,
					     .type = KS_VCPU_NEW,
					     .id = i,
					     .a = (uint64_t)(TGID + i) << 32 | (1000 + i) });
	for (i = 0; i < MANY; i++)
		in(l, 2, i, i);
	put_host(l, (struct ks_rec){ .time = 200 * MS, .type = KS_PLE_WINDOW });
	write_trace(l->host_path, KS_SIDE_HOST, l->host, l->nhost, 0, "{}");
	assert_int_equal(ks_reader_open(&l->hr, l->host_path, NULL), 0);
	assert_int_equal(ks_analysis_new(&l->a, l->hr, &l->opts, &ops, NULL), 0);
	assert_int_equal(ks_merge_new(&l->merge), 0);
	assert_int_equal(ks_merge_add(l->merge, l->hr, NULL, NULL), 0);
	assert_int_equal(ks_vnuma_begin(l->vnuma, l->a, l->hr), 0);
}

/* The files of guests may be given in any order; the VMs have their own. */
static void guests_in_any_order(void **state)
{
	struct lab *l = lab_new(0);
	struct ks_reader *r[MANY];
	struct ks_event ev;
	uint32_t i;

	(void)state;
	assert_int_equal(ks_vnuma_new(&l->vnuma, NULL), 0);
	many_begin(l);
	for (i = MANY; i--;) {
		int src = ks_merge_add(l->merge, r[i] = many_guest(l, i), NULL, NULL);

		assert_int_equal(ks_analysis_guest(l->a, src, r[i], i, NULL, NULL, NULL), 0);
	}
	for (i = 0; i < MANY; i++)
		assert_int_equal(ks_vnuma_guest(l->vnuma, l->hr, r[i], i, NULL, NULL), 0);
	while (ks_merge_next(l->merge, &ev, NULL) > 0)
		assert_int_equal(ks_analysis_feed(l->a, &ev), 0);
	assert_int_equal(ks_analysis_end(l->a), 0);
	assert_int_equal(ks_vnuma_end(l->vnuma), 0);
	for (i = 0; i < MANY; i++) {
		assert_int_equal(ks_vnuma_vm(l->vnuma, i)->wait_ns, (i + 1) * MS);
		ks_reader_close(r[i]);
	}
	lab_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drift),
		cmocka_unit_test(drift_on_other_nodes),
		cmocka_unit_test(no_belief),
		cmocka_unit_test(memory_moves),
		cmocka_unit_test(wasted_by_both),
		cmocka_unit_test(wasted_by_one),
		cmocka_unit_test(nothing_is_wasted_after_the_end),
		cmocka_unit_test(offline_cpus_are_not_free),
		cmocka_unit_test(bound_threads_waste_nothing),
		cmocka_unit_test(unknown_affinity_claims_nothing),
		cmocka_unit_test(wasted_is_a_matching),
		cmocka_unit_test(about_to_run),
		cmocka_unit_test(waking_up),
		cmocka_unit_test(not_known_to_wait_claims_nothing),
		cmocka_unit_test(nothing_is_known_in_a_loss),
		cmocka_unit_test(who_is_free_is_not_known_in_the_hosts_loss),
		cmocka_unit_test(passed_over_does_not_run),
		cmocka_unit_test(nothing_is_known_in_a_break),
		cmocka_unit_test(nothing_is_known_in_a_bad_chunk),
		cmocka_unit_test(nothing_is_known_behind_one),
		cmocka_unit_test(passed_over),
		cmocka_unit_test(passed_over_and_pulled),
		cmocka_unit_test(passed_over_why),
		cmocka_unit_test(not_passed_over),
		cmocka_unit_test(overloaded),
		cmocka_unit_test(counted_on_both_sides),
		cmocka_unit_test(never_on_both_sides),
		cmocka_unit_test(moved_while_waiting),
		cmocka_unit_test(hostile),
		cmocka_unit_test(many_threads),
		cmocka_unit_test(causes),
		cmocka_unit_test(live_sums),
		cmocka_unit_test(live_wake_on_idle),
		cmocka_unit_test(live_pulled),
		cmocka_unit_test(live_migrations),
		cmocka_unit_test(live_offline),
		cmocka_unit_test(live_loss),
		cmocka_unit_test(guests_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
