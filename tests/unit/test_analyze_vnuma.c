// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual NUMA: where vCPUs and memory are and where the guest believes they are; moves; guests that lie; many
 * guests.
 */
#include "test_vnuma_util.h"

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

/* Unplugged and plugged in again, a vCPU is in another slot: what it did in the first one counts, too. */
static void drift_of_a_replugged_vcpu(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	l->host_meta = "{\"vms\":{\"77\":{\"name\":\"vm\"}},\"cpu_node\":[2,0,1,1,3,3]}";
	out(l, 1 * MS, 1, 1, KS_OUT_HALTED);
	out(l, 90 * MS, 0, 0, KS_OUT_HALTED);
	put_host(l, (struct ks_rec){ .time = 91 * MS, .type = KS_VCPU_GONE, .id = 0 });
	put_host(l, (struct ks_rec){ .time = 95 * MS,
				     .type = KS_VCPU_NEW,
				     .id = 4,
				     .cpu = 4,
				     .a = (uint64_t)TGID << 32 | 2000 });
	in(l, 95 * MS, 4, 4);
	end_at(l, 100 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->home[0], 2);
	assert_int_equal(ks_vnuma_vcpu(l->vnuma, ks_analysis_slot(l->a, 0))->away_ns, 0);
	assert_int_equal(ks_vnuma_vcpu(l->vnuma, ks_analysis_slot(l->a, 4))->away_ns, 5 * MS);
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

/* vCPUs 0 and 1 are of the first node of these, 2 and 3 of the second one. */
static void drift_numbered(const char *guest, const char *host, bool same, int32_t of_first,
			   int32_t of_second)
{
	struct lab *l = vnuma_lab();
	char gmeta[64], hmeta[96];

	snprintf(gmeta, sizeof(gmeta), "{\"cpu_node\":%s}", guest);
	snprintf(hmeta, sizeof(hmeta), "{\"vms\":{\"77\":{\"name\":\"vm\"}},\"cpu_node\":%s}",
		 host);
	l->guest_meta = gmeta;
	l->host_meta = hmeta;
	end_at(l, 10 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->same_nodes, same);
	assert_int_equal(vm(l)->home[ks_vnuma_vcpu(l->vnuma, 0)->believed], of_first);
	assert_int_equal(vm(l)->home[ks_vnuma_vcpu(l->vnuma, 2)->believed], of_second);
	lab_free(l);
}

/* Numbers of nodes have gaps: what counts is which ones there are. */
static void nodes_with_gaps(void **state)
{
	(void)state;
	drift_numbered("[0,0,2,2]", "[0,0,1,2]", false, 0, 1);
	drift_numbered("[0,0,2,2]", "[0,0,1,1]", false, 0, 1);
	drift_numbered("[0,0,2,2]", "[2,2,0,0]", true, 0, 2);
	drift_numbered("[1,1,1,1]", "[0,0,1,1]", false, -1, -1); /* one node */
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

/* All of them wait: who comes later has no room, which is told. */
static void too_many_wait(void **state)
{
	struct lab *l = vnuma_lab();
	struct ks_rec r = { .type = KS_TASK_WAKE };
	struct ks_event ev = { .time = 20 * MS, .src = 1, .rec = &r };
	struct ks_err err = { "" };
	struct ks_event old;
	uint32_t i;

	(void)state;
	all_idle(l, 5 * MS);
	end_at(l, 1000 * MS);
	lab_open(l);
	while (ks_merge_next(l->merge, &old, &err) > 0 && old.time < ev.time)
		assert_int_equal(ks_analysis_feed(l->a, &old), 0);
	for (i = 1000; i < 1000 + 65536 + 50; i++) {
		r = (struct ks_rec){ .type = KS_TASK_WAKE, .cpu = 1, .id = i, .a = 1 };
		assert_int_equal(ks_analysis_feed(l->a, &ev), 0);
	}
	assert_in_range(vm(l)->forgotten, 50, 60);
	lab_free(l);
}

/* More threads than there is room for: sleepers are forgotten, those that wait are not. */
static void many_threads(void **state)
{
	struct lab *l = vnuma_lab();
	struct ks_event ev;
	struct ks_rec r = { .type = KS_TASK_WAKE };
	struct ks_err err = { "" };
	uint64_t n;
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
	n = vm(l)->forgotten;
	assert_true(n > 100000);
	for (i = 1000; i < 200000; i++) { /* those that are dead take no room */
		r = (struct ks_rec){
			.type = KS_TASK_WAKE, .flags = KS_WAKE_NEW, .cpu = 1, .id = i
		};
		r.a = 1;
		assert_int_equal(ks_analysis_feed(l->a, &ev), 0);
		r = (struct ks_rec){
			.type = KS_TASK_SWITCH, .flags = KS_SWITCH_DEAD, .cpu = 1, .a = i
		};
		assert_int_equal(ks_analysis_feed(l->a, &ev), 0);
	}
	assert_int_equal(vm(l)->forgotten, n);
	r = (struct ks_rec){ .type = KS_TASK_SWITCH, .cpu = 0, .id = 101, .a = 100 };
	ev.time = 30 * MS;
	assert_int_equal(ks_analysis_feed(l->a, &ev), 0);
	assert_int_equal(vm(l)->passed.count, 1);
	assert_int_equal(vm(l)->passed.cost_ns, 10 * MS);
	lab_free(l);
}

/* 100 leaves CPU 0 at 20 ms, and a thread of that number is woken on CPU 1 at 40. */
static uint64_t sleeps_of(uint8_t leaves, uint8_t comes)
{
	struct lab *l = vnuma_lab();
	uint64_t n;

	all_idle(l, 5 * MS);
	sw(l, 10 * MS, 0, 0, 100, 0);
	sw(l, 20 * MS, 0, 100, 0, 0);
	l->guest[l->nguest - 1].flags = leaves;
	wakes(l, 40 * MS, 100, 1, ANY | comes);
	sw(l, 41 * MS, 1, 0, 100, 0);
	end_at(l, 60 * MS);
	lab_run(l);
	n = vm(l)->nsleeps;
	assert_int_equal(vm(l)->wait_ns, 1 * MS);
	assert_int_equal(vm(l)->forgotten, 0);
	lab_free(l);
	return n;
}

/* What is between the end of a thread and the beginning of another one of its number is no sleep. */
static void numbers_are_given_again(void **state)
{
	(void)state;
	assert_int_equal(sleeps_of(0, 0), 1);
	assert_int_equal(sleeps_of(KS_SWITCH_DEAD, KS_WAKE_NEW), 0);
	assert_int_equal(sleeps_of(KS_SWITCH_DEAD, 0), 0);
	assert_int_equal(sleeps_of(0, KS_WAKE_NEW), 0);
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

/* Of CPU 2 the guest does not say of which node it is. */
static void node_not_known(void **state)
{
	struct lab *l = vnuma_lab();

	(void)state;
	l->guest_meta = "{\"cpu_node\":[0,1,-1]}";
	moves(l, 20 * MS, 100, 0, 2, KS_MOVE_PERIODIC);
	moves(l, 21 * MS, 100, 2, 1, KS_MOVE_PERIODIC);
	moves(l, 22 * MS, 100, 1, 0, KS_MOVE_PERIODIC);
	end_at(l, 40 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->moves_by[KS_MOVE_PERIODIC], 3);
	assert_int_equal(vm(l)->node_moves_by[KS_MOVE_PERIODIC], 1);
	assert_int_equal(vm_totals(l)->task_node_migrations, 1);
	lab_free(l);
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
		cmocka_unit_test(drift_of_a_replugged_vcpu),
		cmocka_unit_test(no_belief),
		cmocka_unit_test(nodes_with_gaps),
		cmocka_unit_test(memory_moves),
		cmocka_unit_test(hostile),
		cmocka_unit_test(many_threads),
		cmocka_unit_test(too_many_wait),
		cmocka_unit_test(numbers_are_given_again),
		cmocka_unit_test(causes),
		cmocka_unit_test(node_not_known),
		cmocka_unit_test(guests_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
