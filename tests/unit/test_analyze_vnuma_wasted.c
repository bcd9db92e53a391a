// SPDX-License-Identifier: GPL-2.0
/* Virtual NUMA: time in which a vCPU is idle while a thread waits, and when that is not known. */
#include "test_vnuma_util.h"

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

/* Everything later by `base`; both sides are recorded for `len`, and of it 1 s less 20 ms wastes two vCPUs. */
static struct lab *far(uint64_t base, uint64_t len)
{
	struct lab *l = vnuma_lab();
	unsigned int i;

	all_idle(l, 5 * MS);
	two_wait(l, ANY);
	for (i = 0; i < l->nhost; i++)
		l->host[i].time += base;
	for (i = 0; i < l->nguest; i++)
		l->guest[i].time += base;
	end_at(l, base + len);
	alarm(20); /* not for ever */
	lab_run(l);
	alarm(0);
	return l;
}

/* Whoever writes the guest's trace chooses its times. */
static void times_far_out(void **state)
{
	struct lab *l = far(0, 1ull << 60);

	(void)state;
	assert_int_equal(vm(l)->wasted_ns, 2 * ((1ull << 60) - 20 * MS));
	assert_int_equal(vm(l)->nseconds, 30 * 24 * 3600);
	assert_int_equal(vm(l)->second_ns[0], 2 * (980 * MS + 3));
	assert_int_equal(vm(l)->second_ns[vm(l)->nseconds - 1], 2 * 1000 * MS);
	lab_free(l);
	l = far(0, UINT64_MAX - 10);
	assert_int_equal(vm(l)->span_ns, (1ull << 61) - 3); /* later ones are not believed */
	lab_free(l);
	l = far(UINT64_MAX - 1500 * MS, 1400 * MS);
	assert_int_equal(vm(l)->span_ns, 0);
	assert_int_equal(vm(l)->wasted_ns, 0);
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

/* CPU 3 was idle for 6 ms when it began to go offline, at 20 ms; its last switch is at 23. */
static struct lab *goes_offline(void)
{
	struct lab *l = vnuma_lab();

	all_idle(l, 5 * MS);
	in(l, 11 * MS, 3, 3);
	sw(l, 11 * MS, 3, 0, 103, 0);
	online(l, 20 * MS, 3, false);
	sw(l, 23 * MS, 3, 103, 0, 0);
	end_at(l, 60 * MS);
	return l;
}

static uint64_t idle_behind_loss(uint8_t type)
{
	struct lab *l = goes_offline();
	uint64_t ns;

	guest_loss(l, 21 * MS, 22 * MS, 1, type);
	lab_run(l);
	ns = ks_vnuma_vcpu(l->vnuma, 3)->idle_ns;
	lab_free(l);
	return ns;
}

/* Unless the loss may have held that it came back. */
static void offline_cpus_stay_so_in_a_loss(void **state)
{
	struct lab *l = goes_offline();

	(void)state;
	assert_int_equal(idle_behind_loss(KS_TASK_WAKE), 6 * MS);
	assert_int_equal(idle_behind_loss(KS_CPU_ONLINE), 6 * MS + 37 * MS);
	assert_int_equal(idle_behind_loss(KS_NONE), 6 * MS + 37 * MS);
	clock_break(l, 21 * MS, 22 * MS);
	lab_run(l);
	assert_int_equal(ks_vnuma_vcpu(l->vnuma, 3)->idle_ns, 6 * MS);
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

/* Two wait on CPU 0, which is about to run one of them; 102 could go to CPU 2 or nowhere. */
static void assert_kept_back(uint8_t of_101, uint8_t of_102, uint32_t vcpus)
{
	struct lab *l = vnuma_lab();

	all_idle(l, 5 * MS);
	cpus(l, 6 * MS, 101, 0x8);
	cpus(l, 6 * MS, 102, 0x5);
	wakes(l, 20 * MS, 101, 0, of_101);
	wakes(l, 20 * MS, 102, 0, of_102);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, vcpus * 40 * MS);
	lab_free(l);
}

/* Of a queue the one that could go elsewhere least is it that is about to run, whoever came first. */
static void least_movable_is_about_to_run(void **state)
{
	(void)state;
	assert_kept_back(ONE, ANY, 1);
	assert_kept_back(ANY, ONE, 1);
	assert_kept_back(SOME, KS_ALLOWED_UNKNOWN, 1);
	assert_kept_back(KS_ALLOWED_UNKNOWN, SOME, 1);
	assert_kept_back(ONE, KS_ALLOWED_UNKNOWN, 0);
	assert_kept_back(ANY, ANY, 1);
	assert_kept_back(SOME, SOME, 1);
}

/* CPU 0 is about to run one of two that wait there; CPU 1 is free, and nobody else. */
static void assert_matched(uint64_t of_101, uint64_t of_102, uint32_t vcpus)
{
	struct lab *l = vnuma_lab();

	all_idle(l, 5 * MS);
	sw(l, 6 * MS, 2, 0, 202, 0);
	sw(l, 6 * MS, 3, 0, 203, 0);
	cpus(l, 7 * MS, 101, of_101);
	cpus(l, 7 * MS, 102, of_102);
	wakes(l, 20 * MS, 101, 0, SOME);
	wakes(l, 20 * MS, 102, 0, SOME);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, vcpus * 40 * MS);
	lab_free(l);
}

static void about_to_run_is_part_of_the_matching(void **state)
{
	(void)state;
	assert_matched(0x5, 0x3, 1);
	assert_matched(0x3, 0x5, 1);
	assert_matched(0x3, 0x3, 1);
	assert_matched(0x5, 0x5, 0);
}

/* What an event costs does not grow with them: else this takes minutes. */
static void many_wait(void **state)
{
	struct lab *l = vnuma_lab();
	uint32_t i;

	(void)state;
	all_idle(l, 5 * MS);
	in(l, 10 * MS, 0, 0);
	sw(l, 10 * MS, 0, 0, 100, 0);
	for (i = 0; i < 40000; i++)
		wakes(l, 20 * MS, 1000 + i, 0, i & 1 ? SOME : ONE);
	for (i = 0; i < 80000; i++)
		sw(l, 20 * MS + i, 1, i & 1, !(i & 1), 0);
	wakes(l, 30 * MS, 101, 0, ANY);
	end_at(l, 40 * MS);
	alarm(20);
	lab_run(l);
	alarm(0);
	assert_int_equal(vm(l)->wasted_ns, 10 * MS);
	assert_int_equal(vm(l)->wait_ns, 40000 * 20 * MS + 10 * MS);
	lab_free(l);
}

/* Of more different sets of CPUs than it takes in it is not known where their threads may run. */
static void many_sets_of_cpus(void **state)
{
	struct lab *l = vnuma_lab();
	uint32_t i, round;

	(void)state;
	all_idle(l, 5 * MS);
	in(l, 10 * MS, 0, 0);
	sw(l, 10 * MS, 0, 0, 100, 0);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 3000; i++) {
			cpus(l, (20 + 20 * round) * MS, 1000 + i, i << 4 | 2);
			wakes(l, (20 + 20 * round) * MS, 1000 + i, 0, SOME);
		}
		for (i = 0; i < 3000; i++) { /* each runs for no time at all */
			sw(l, (30 + 20 * round) * MS, 0, 100, 1000 + i, 0);
			sw(l, (30 + 20 * round) * MS, 0, 1000 + i, 100, 0);
		}
	}
	end_at(l, 70 * MS);
	lab_run(l);
	assert_int_equal(vm(l)->wasted_ns, 2 * 10 * MS);
	assert_int_equal(vm(l)->unplaced_ns, 2 * (3000 - 2048) * 10 * MS);
	assert_int_equal(vm(l)->passed.count, 2 * 2048);
	assert_int_equal(vm(l)->passed.cost_ns, 2 * 2048 * 10 * MS);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wasted_by_both),
		cmocka_unit_test(times_far_out),
		cmocka_unit_test(wasted_by_one),
		cmocka_unit_test(nothing_is_wasted_after_the_end),
		cmocka_unit_test(offline_cpus_are_not_free),
		cmocka_unit_test(offline_cpus_stay_so_in_a_loss),
		cmocka_unit_test(bound_threads_waste_nothing),
		cmocka_unit_test(unknown_affinity_claims_nothing),
		cmocka_unit_test(wasted_is_a_matching),
		cmocka_unit_test(about_to_run),
		cmocka_unit_test(least_movable_is_about_to_run),
		cmocka_unit_test(about_to_run_is_part_of_the_matching),
		cmocka_unit_test(many_wait),
		cmocka_unit_test(many_sets_of_cpus),
		cmocka_unit_test(waking_up),
		cmocka_unit_test(not_known_to_wait_claims_nothing),
		cmocka_unit_test(nothing_is_known_in_a_loss),
		cmocka_unit_test(who_is_free_is_not_known_in_the_hosts_loss),
		cmocka_unit_test(passed_over_does_not_run),
		cmocka_unit_test(nothing_is_known_in_a_break),
		cmocka_unit_test(nothing_is_known_in_a_bad_chunk),
		cmocka_unit_test(nothing_is_known_behind_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
