// SPDX-License-Identifier: GPL-2.0
/* Where recordings end: what probes that are taken away one by one still say is not what was. */
#include "test_analyze_util.h"

#define MS 1000000ull

/* The recorders are stopped at 10 ms; what comes after that is in the files, as far as probes are still there. */
#define STOPPED "\"end_mono_ns\":10000000}"

/*
 * vCPU 0 holds the lock and loses its pCPU, so does the next in line, vCPU 1, and vCPU 2 waits behind it. Releases are told no more,
 * acquires are: so vCPU 1 seems to let it wait.
 */
static void guest_stopped(void **state)
{
	struct lab *l = lab_new(3);

	(void)state;
	l->guest_meta = "{\"mode\":\"full\"," STOPPED;
	lock_try(l, 6 * MS, 1, LOCK, 0);
	lock_try(l, 7 * MS, 2, LOCK, 0);
	out(l, 8 * MS, 0, 0, KS_OUT_RUNNABLE);
	out(l, 9 * MS, 1, 1, KS_OUT_RUNNABLE);
	in(l, 18 * MS, 0, 0);
	in(l, 19 * MS, 1, 1);
	lock_acq(l, 20 * MS, 1, LOCK, 0, 6 * MS);
	lock_acq(l, 22 * MS, 2, LOCK, 0, 7 * MS);
	end_at(l, 200 * MS);
	lab_run(l);
	assert_int_equal(l->nwaits, 2);
	for (unsigned int i = 0; i < l->nwaits; i++) {
		assert_false(l->wait[i].acquired);
		assert_int_equal(l->wait[i].acq_time, 10 * MS);
		assert_int_equal(l->wait[i].share[KS_C_LWP], 0);
	}
	assert_int_equal(vm_totals(l)->guest_recorded_ns, 10 * MS - 3);
	assert_int_equal(ks_analysis_ignored(l->a), 0);
	lab_free(l);
}

/* Exits are told no more, and the vCPU's return to its pCPU is not: its state is not known. */
static void host_stopped(void **state)
{
	struct lab *l = lab_new(2);
	const uint64_t *ns;

	(void)state;
	l->host_meta = "{\"vms\":{\"77\":{\"name\":\"vm\"}}," STOPPED;
	lock_try(l, 6 * MS, 1, LOCK, 0);
	out(l, 9 * MS, 0, 0, KS_OUT_RUNNABLE);
	wake(l, 20 * MS, 0);
	lock_rel(l, 30 * MS, 0, LOCK, 0, 5 * MS);
	lock_acq(l, 30 * MS, 1, LOCK, 0, 6 * MS);
	put_host(l, (struct ks_rec){ .time = 33 * MS, .type = KS_CLOCK, .a = 33 * MS, .b = 10 });
	guest_rec(l, 50 * MS, KS_RQ_CALM, 0);
	lab_run(l);
	assert_int_equal(l->nwaits, 1);
	assert_int_equal(l->wait[0].share[KS_C_LHP], 1 * MS);
	assert_int_equal(l->wait[0].share[KS_C_UNKNOWN], 20 * MS);
	ns = ks_analysis_vcpu_totals(l->a, 0)->state_ns;
	assert_int_equal(ns[KS_V_RUNNABLE], 1 * MS);
	assert_int_equal(vm_totals(l)->span_ns, 10 * MS - 1);
	lab_free(l);
}

/* A queue that is busy then calms down without anybody's telling. */
static void queue_stopped(void **state)
{
	struct lab *l = lab_new(2);

	(void)state;
	l->guest_meta = "{\"mode\":\"sched\"," STOPPED;
	out(l, 5 * MS, 0, 0, KS_OUT_HALTED);
	guest_rec(l, 9 * MS, KS_RQ_BUSY, 1);
	put_guest(l, (struct ks_rec){ .time = 900 * MS, .type = KS_CLOCK, .a = 900 * MS });
	put_host(l, (struct ks_rec){ .time = 1000 * MS, .type = KS_PLE_WINDOW });
	lab_run(l);
	assert_int_equal(vm_totals(l)->wasted_idle_ns, 1 * MS);
	lab_free(l);
}

/* A burst that goes on is told by its last exit. */
static void burst_goes_on(void **state)
{
	struct lab *l = lab_new(2);

	(void)state;
	l->host_meta = "{\"vms\":{\"77\":{\"name\":\"vm\"}},\"mode\":\"bursts\"," STOPPED;
	put_host(l, (struct ks_rec){ .time = 12 * MS,
				     .type = KS_BURST,
				     .id = 1,
				     .flags = KS_F_IP,
				     .a = KERNEL_IP,
				     .b = (10 * MS) << 32 | 1000 });
	put_host(l, (struct ks_rec){ .time = 14 * MS,
				     .type = KS_BURST,
				     .id = 0,
				     .flags = KS_F_IP,
				     .a = KERNEL_IP,
				     .b = (2 * MS) << 32 | 50 });
	end_at(l, 20 * MS);
	lab_run(l);
	assert_int_equal(ks_analysis_vcpu_totals(l->a, 1)->pause, 800);
	assert_int_equal(ks_analysis_vcpu_totals(l->a, 0)->pause, 0);
	assert_int_equal(l->nbursts, 1);
	assert_int_equal(l->burst[0].last, 10 * MS);
	lab_free(l);
}

/* What cannot be is not believed: then the last record is the end. */
static void stopped_before_it_began(void **state)
{
	struct lab *l = lab_new(2);

	(void)state;
	l->host_meta = "{\"vms\":{\"77\":{\"name\":\"vm\"}},\"end_mono_ns\":900}";
	for (unsigned int i = 0; i < l->nhost; i++)
		l->host[i].time += 5 * MS;
	end_at(l, 20 * MS);
	lab_run(l);
	assert_int_equal(vm_totals(l)->span_ns, 15 * MS - 1);
	lab_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guest_stopped),	   cmocka_unit_test(host_stopped),
		cmocka_unit_test(queue_stopped),	   cmocka_unit_test(burst_goes_on),
		cmocka_unit_test(stopped_before_it_began),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
