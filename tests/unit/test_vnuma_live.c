// SPDX-License-Identifier: GPL-2.0
/* Virtual NUMA, live: the guest alone. */
#include "test_vnuma_util.h"

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
	live(l, 10 * MS, KS_LOSS, 0, 0, 0, 9 * MS, 1);
	assert_int_equal(ks_vnuma_live_settle(l, 20 * MS), 0);
	assert_int_equal(live_cpu(l, 0)->busy_ns, 7 * MS);
	assert_int_equal(live_cpu(l, 1)->idle_ns, 7 * MS);
	live(l, 21 * MS, KS_TASK_SWITCH, 0, 0, 0, 101, 0);
	assert_int_equal(ks_vnuma_live_settle(l, 22 * MS), 0);
	assert_int_equal(live_cpu(l, 0)->idle_ns, 1 * MS);
	live(l, 23 * MS, KS_TASK_SWITCH, 0, 9, 0, 101, 0); /* no such CPU */
	ks_vnuma_live_free(l);
}

/* What is not all there yet is summed up when it is: nothing of it is lost between two intervals. */
static void live_drains(void **state)
{
	static const struct ks_rec recs[] = {
		{ .time = 1 * MS, .type = KS_TASK_SWITCH, .cpu = 1, .a = 7 },
		{ .time = 1 * MS, .type = KS_TASK_SWITCH, .id = 100 },
		{ .time = 9 * MS + 100 * US, .type = KS_TASK_WAKE, .flags = ANY, .id = 101 },
		{ .time = 9 * MS + 900 * US, .type = KS_TASK_SWITCH, .id = 101, .a = 100 },
	};
	struct ks_vnuma_live *l = live_new();

	(void)state;
	assert_int_equal(ks_vnuma_live_drain(l, recs, 2, 2, 9 * MS), 0);
	assert_int_equal(live_cpu(l, 1)->idle_ns, 8 * MS);
	ks_vnuma_live_next(l);
	assert_int_equal(ks_vnuma_live_drain(l, recs + 2, 2, 2, 19 * MS), 0);
	assert_int_equal(live_cpu(l, 1)->idle_ns, 10 * MS);
	assert_int_equal(live_cpu(l, 0)->passed, 1);
	assert_int_equal(ks_vnuma_live_vm(l)->wait_ns, 800 * US);
	assert_int_equal(ks_vnuma_live_vm(l)->wasted_ns, 800 * US);
	ks_vnuma_live_free(l);
}

/* 101 ran on CPU 1 at 2.01 ms: that is among what was lost since 2.005 ms. The drain at 1002 ms tells. */
static void live_loss_is_told_late(void **state)
{
	static const struct ks_rec recs[] = {
		{ .time = 1 * MS, .type = KS_TASK_SWITCH, .cpu = 1, .a = 50 },
		{ .time = 1 * MS, .type = KS_TASK_SWITCH, .id = 100 },
		{ .time = 2 * MS, .type = KS_TASK_WAKE, .flags = ANY, .id = 101 },
		{ .time = 500 * MS, .type = KS_TASK_MIGRATE, .id = 7, .a = 1, .b = 0 },
		{ .time = 600 * MS,
		  .type = KS_TASK_SWITCH,
		  .id = 0,
		  .a = 100 }, /* no more believed */
		{ .time = 1002 * MS,
		  .type = KS_LOSS,
		  .a = 2 * MS + 5 * US,
		  .b = 1,
		  .flags = KS_TASK_SWITCH },
		{ .time = 1003 * MS, .type = KS_TASK_SWITCH, .id = 9 },
	};
	struct ks_vnuma_live *l = live_new();
	const struct ks_vnuma_vm *vm = ks_vnuma_live_vm(l);

	(void)state;
	assert_int_equal(ks_vnuma_live_drain(l, recs, 5, 6, 1001 * MS), 0);
	assert_int_equal(vm->wait_ns, 5 * US);
	assert_int_equal(vm->wasted_ns, 5 * US);
	assert_int_equal(vm->blind_ns, 1000 * MS - 5 * US);
	assert_int_equal(live_cpu(l, 0)->busy_ns, 1 * MS + 5 * US);
	assert_int_equal(live_cpu(l, 1)->idle_ns, 1 * MS + 5 * US);
	assert_int_equal(live_cpu(l, 0)->in[KS_MOVE_UNKNOWN], 1);
	ks_vnuma_live_next(l);
	assert_int_equal(ks_vnuma_live_drain(l, recs + 5, 2, 2, 1005 * MS), 0);
	assert_int_equal(live_cpu(l, 0)->busy_ns, 2 * MS);
	assert_int_equal(live_cpu(l, 0)->idle_ns + live_cpu(l, 1)->idle_ns, 0);
	assert_int_equal(vm->wait_ns, 5 * US);
	assert_int_equal(vm->blind_ns, 1000 * MS - 5 * US);
	ks_vnuma_live_free(l);
}

/* That a CPU is offline is not forgotten with the threads. */
static void live_offline_in_a_loss(void **state)
{
	struct ks_vnuma_live *l = live_new();

	(void)state;
	live(l, 1 * MS, KS_TASK_SWITCH, 0, 1, 7, 0, 0);
	live(l, 2 * MS, KS_CPU_ONLINE, 0, 1, 0, 0, 0);
	live(l, 4 * MS, KS_LOSS, KS_TASK_WAKE, 0, 0, 3 * MS, 1);
	live(l, 5 * MS, KS_TASK_SWITCH, 0, 1, 0, 7, 0);
	assert_int_equal(ks_vnuma_live_settle(l, 10 * MS), 0);
	assert_int_equal(live_cpu(l, 1)->idle_ns, 0);
	live(l, 12 * MS, KS_LOSS, KS_NONE, 0, 0, 11 * MS, 1);
	live(l, 13 * MS, KS_TASK_SWITCH, 0, 1, 0, 7, 0);
	assert_int_equal(ks_vnuma_live_settle(l, 20 * MS), 0);
	assert_int_equal(live_cpu(l, 1)->idle_ns, 7 * MS);
	ks_vnuma_live_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_sums),
		cmocka_unit_test(live_wake_on_idle),
		cmocka_unit_test(live_pulled),
		cmocka_unit_test(live_migrations),
		cmocka_unit_test(live_offline),
		cmocka_unit_test(live_drains),
		cmocka_unit_test(live_loss),
		cmocka_unit_test(live_loss_is_told_late),
		cmocka_unit_test(live_offline_in_a_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
