// SPDX-License-Identifier: GPL-2.0
/* What lost records could have changed is not claimed; what they could not have changed is. */
#include "test_analyze_util.h"

#define MS 1000000ull

/*
 * vCPU 0 holds 1..5 ms, vCPU 1 is next and off-CPU 4..9 ms, vCPU 2 waits 3..10 ms:
 * busy until 5, lwp until 9, busy until 10.
 */
static void lwp_world(struct lab *l)
{
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_try(l, 3 * MS, 2, LOCK, 0);
	out(l, 4 * MS, 1, 1, KS_OUT_RUNNABLE);
	lock_rel(l, 5 * MS, 0, LOCK, 0, 1 * MS);
	in(l, 9 * MS, 1, 1);
	lock_acq(l, 9 * MS, 1, LOCK, 0, 2 * MS);
	lock_rel(l, 10 * MS, 1, LOCK, 0, 9 * MS);
	lock_acq(l, 10 * MS, 2, LOCK, 0, 3 * MS);
	end_at(l, 20 * MS);
}

static void nothing_lost(void **state)
{
	struct lab *l = lab_new(4);
	const struct ks_wait *w;

	(void)state;
	lwp_world(l);
	lab_run(l);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_BUSY, 3 * MS);
	assert_share(w, KS_C_LWP, 4 * MS);
	lab_free(l);
}

/* A release may be lost: the free lock may have been held; the holds on record stand. */
static void release_lost(void **state)
{
	struct lab *l = lab_new(4);
	const struct ks_wait *w;

	(void)state;
	lwp_world(l);
	guest_loss(l, 6 * MS, 7 * MS, 3, KS_LOCK_REL);
	lab_run(l);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_BUSY, 3 * MS);
	assert_share(w, KS_C_UNKNOWN, 2 * MS); /* 5 to 7 ms */
	assert_share(w, KS_C_LWP, 2 * MS);
	assert_int_equal(vm_totals(l)->lost_records, 1);
	lab_free(l);
}

/* A try before that of the next in order may be lost: somebody else may have been next. */
static void try_lost(void **state)
{
	struct lab *l = lab_new(4);
	const struct ks_wait *w;

	(void)state;
	lwp_world(l);
	guest_loss(l, 1 * MS, 1 * MS + 10, 3, KS_LOCK_TRY);
	lab_run(l);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_BUSY, 3 * MS);
	assert_share(w, KS_C_UNKNOWN, 4 * MS);
	lab_free(l);
}

/* The same, but the CPU showed later that it waits for nothing. */
static void try_lost_and_cleared(void **state)
{
	struct lab *l = lab_new(4);
	const struct ks_wait *w;

	(void)state;
	lwp_world(l);
	guest_loss(l, 1 * MS, 1 * MS + 10, 3, KS_LOCK_TRY);
	guest_rec(l, 1 * MS + 20, KS_IDLE_ENTER, 3);
	lab_run(l);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_LWP, 4 * MS);
	assert_share(w, KS_C_UNKNOWN, 0);
	lab_free(l);
}

/* A try lost after that of the next in order changes nothing. */
static void later_try_lost(void **state)
{
	struct lab *l = lab_new(4);
	const struct ks_wait *w;

	(void)state;
	lwp_world(l);
	guest_loss(l, 2 * MS + 10, 2 * MS + 20, 3, KS_LOCK_TRY);
	lab_run(l);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_LWP, 4 * MS);
	lab_free(l);
}

/* Other records do not matter for verdicts, of whatever CPU. */
static void others_lost(void **state)
{
	struct lab *l = lab_new(4);
	const struct ks_wait *w;

	(void)state;
	lwp_world(l);
	guest_loss(l, 1 * MS, 8 * MS, 3, KS_TASK_WAKE);
	host_loss(l, 1 * MS, 8 * MS, 1, KS_PAUSE);
	lab_run(l);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_UNKNOWN, 0);
	assert_int_equal(vm_totals(l)->lost_records, 2);
	lab_free(l);
}

/* However many there are, each stays of its ring and type, and is counted once. */
static void very_many_lost(void **state)
{
	static const uint8_t types[] = { KS_PAUSE, KS_HLT,  KS_PLE_WINDOW, KS_HALT_POLL,
					 KS_BOOST, KS_LOOK, KS_VM_MEMORY,  KS_VCPU_MIGRATE };
	struct lab *l = lab_new(4);
	const struct ks_wait *w;
	unsigned int i, n = 0;
	uint64_t at;

	(void)state;
	lwp_world(l);
	for (at = 1 * MS; n < 66000; at += 100000)
		for (i = 0; i < 56 * 8; i++, n++)
			host_loss(l, at + i * 10, at + i * 10 + 5, 8 + i / 8, types[i % 8]);
	lab_run(l);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_BUSY, 3 * MS);
	assert_share(w, KS_C_LWP, 4 * MS);
	assert_int_equal(vm_totals(l)->lost_records, n);
	assert_int_equal(ks_reader_lost(l->hr), n);
	lab_free(l);
}

/* Its acquire was lost: its release shows that it is over, but it may be of a later hold. */
static void acquire_lost(void **state)
{
	struct lab *l = lab_new(4);

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_rel(l, 5 * MS, 0, LOCK, 0, 1 * MS);
	guest_loss(l, 4 * MS, 6 * MS, 1, KS_LOCK_ACQ);
	lock_rel(l, 8 * MS, 1, LOCK, 0, 5 * MS);
	end_at(l, 20 * MS);
	lab_run(l);
	assert_int_equal(l->nwaits, 0);
	assert_int_equal(ks_analysis_ignored(l->a), 1);
	lab_free(l);
}

/* Its try was lost, its acquire tells when it was. */
static void own_try_lost(void **state)
{
	struct lab *l = lab_new(4);
	const struct ks_wait *w;

	(void)state;
	guest_loss(l, 1 * MS, 3 * MS, 1, KS_LOCK_TRY);
	lock_rel(l, 5 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 5 * MS, 1, LOCK, 0, 2 * MS);
	end_at(l, 20 * MS);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_true(w->partial);
	assert_share(w, KS_C_UNKNOWN, 3 * MS);
	assert_int_equal(vm_totals(l)->ple_per_wait[2], 0);
	lab_free(l);
}

/* ---- the host's losses ---- */

/* vCPU 0 holds 1..9 ms, vCPU 1 waits 2..9 ms; the holder is preempted 4..6 ms. */
static void lhp_world(struct lab *l)
{
	lock_try(l, 2 * MS, 1, LOCK, 0);
	out(l, 4 * MS, 0, 0, KS_OUT_RUNNABLE);
	in(l, 6 * MS, 0, 0);
	lock_rel(l, 9 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 9 * MS, 1, LOCK, 0, 2 * MS);
	end_at(l, 20 * MS);
}

static void departure_lost(void **state)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	(void)state;
	lhp_world(l);
	host_loss(l, 3 * MS, 3 * MS + 10, 0, KS_VCPU_OUT); /* where the holder runs */
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_UNKNOWN, 1 * MS); /* 3 to 4 ms: its next record tells again */
	assert_share(w, KS_C_LHP, 2 * MS);
	assert_share(w, KS_C_BUSY, 4 * MS);
	lab_free(l);
}

static void departure_lost_elsewhere(void **state)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	(void)state;
	lhp_world(l);
	host_loss(l, 3 * MS, 3 * MS + 10, 2, KS_VCPU_OUT);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_UNKNOWN, 0);
	lab_free(l);
}

/* While it is off-CPU it may begin to run on any pCPU. */
static void arrival_lost_elsewhere(void **state)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	(void)state;
	lhp_world(l);
	host_loss(l, 5 * MS, 5 * MS + 10, 2, KS_VCPU_IN);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_LHP, 1 * MS);
	assert_share(w, KS_C_UNKNOWN, 1 * MS);
	assert_share(w, KS_C_BUSY, 5 * MS);
	lab_free(l);
}

/* It leaves while arrivals may be lost: from that moment on nothing is known. */
static void arrival_lost_at_departure(void **state)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	(void)state;
	lhp_world(l);
	host_loss(l, 3 * MS, 5 * MS, 2, KS_VCPU_IN);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_LHP, 0);
	assert_share(w, KS_C_UNKNOWN, 2 * MS);
	lab_free(l);
}

static void unknown_kind_lost(void **state)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	(void)state;
	lhp_world(l);
	host_loss(l, 3 * MS, 3 * MS + 10, KS_RING_ANY, KS_NONE);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	/* The waiter's state is not known either, until its own records of the guest. */
	assert_share(w, KS_C_BUSY, 1 * MS);
	assert_share(w, KS_C_UNKNOWN, 6 * MS);
	lab_free(l);
}

/* An exit is proof that its vCPU runs. */
static void exit_is_proof(void **state)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	(void)state;
	lhp_world(l);
	host_loss(l, 3 * MS, 3 * MS + 10, KS_RING_ANY, KS_NONE);
	pause_exit(l, 3 * MS + 100, 1, 1);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_LHP, 2 * MS);
	assert_share(w, KS_C_UNKNOWN, 1 * MS);
	lab_free(l);
}

/* ---- chunks that cannot be read ---- */

#define RING 40u /* no other test's */

/*
 * vCPU 1, next in order, loses its pCPU at 6 ms and gets another at 6.5, which is in a chunk that
 * cannot be read and begins before that. What waits end before the chunk does must not be blamed on
 * it.
 */
static void arrival_in_bad_chunk(void **state)
{
	struct lab *l = lab_new(4);
	const struct ks_wait *w;

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_try(l, 3 * MS, 2, LOCK, 0);
	lock_rel(l, 4 * MS, 0, LOCK, 0, 1 * MS);
	in(l, 5 * MS, 3, RING);
	out(l, 5 * MS + 1, 3, RING, KS_OUT_RUNNABLE);
	out(l, 6 * MS, 1, 1, KS_OUT_RUNNABLE);
	in(l, 6 * MS + 500000, 1, RING);
	lock_acq(l, 7 * MS, 1, LOCK, 0, 2 * MS);
	lock_rel(l, 8 * MS, 1, LOCK, 0, 7 * MS);
	lock_acq(l, 8 * MS, 2, LOCK, 0, 3 * MS);
	out(l, 15 * MS, 1, RING, KS_OUT_RUNNABLE);
	end_at(l, 20 * MS);
	l->spoil_host = RING;
	lab_run(l);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_BUSY, 1 * MS);
	assert_share(w, KS_C_HANDOFF, 2 * MS);
	assert_share(w, KS_C_UNKNOWN, 2 * MS);
	assert_int_equal(vm_totals(l)->lost_records, 4);
	assert_int_equal(ks_reader_lost(l->hr), 4);
	lab_free(l);
}

/* A chunk in which a release may be: neither within it nor around it the lock is known to be free. */
static void release_in_bad_chunk(void **state)
{
	struct lab *l = lab_new(4);
	const struct ks_wait *w;

	(void)state;
	lwp_world(l);
	lock_try(l, 12 * MS, 1, LOCK, 0);
	lock_acq(l, 15 * MS, 1, LOCK, 0, 12 * MS);
	lock_try(l, 22 * MS, 1, LOCK, 0);
	lock_acq(l, 25 * MS, 1, LOCK, 0, 22 * MS);
	end_at(l, 30 * MS);
	guest_rec(l, 8 * MS, KS_TASK_WAKE, RING);
	guest_rec(l, 9 * MS, KS_TASK_WAKE, RING);
	guest_rec(l, 14 * MS, KS_TASK_WAKE, RING);
	l->spoil_guest = RING;
	lab_run(l);
	w = wait_at(l, 3 * MS); /* ends within it */
	assert_share(w, KS_C_BUSY, 3 * MS);
	assert_share(w, KS_C_UNKNOWN, 4 * MS);
	assert_share(w, KS_C_LWP, 0);
	w = wait_at(l, 12 * MS); /* begins within it */
	assert_share(w, KS_C_UNKNOWN, 2 * MS);
	assert_share(w, KS_C_HANDOFF, 1 * MS);
	w = wait_at(l, 22 * MS);
	assert_share(w, KS_C_HANDOFF, 3 * MS);
	assert_int_equal(vm_totals(l)->lost_records, 3);
	lab_free(l);
}

/* One record is a loss as well, and so is a chunk of two, whose halves look alike. */
static void small_bad_chunks(void **state)
{
	unsigned int n;

	(void)state;
	for (n = 1; n <= 2; n++) {
		struct lab *l = lab_new(4);

		lwp_world(l);
		guest_rec(l, 6 * MS, KS_TASK_WAKE, RING);
		if (n == 2)
			guest_rec(l, 11 * MS, KS_TASK_WAKE, RING);
		l->spoil_guest = RING;
		lab_run(l);
		assert_share(wait_at(l, 3 * MS), KS_C_LWP, n == 1 ? 3 * MS : 0);
		assert_int_equal(vm_totals(l)->lost_records, n);
		lab_free(l);
	}
}

/* ---- beginnings and ends ---- */

/* A vCPU may have waited since before the recording. */
static void begin_of_recording(void **state)
{
	struct lab *l = lab_new(4);
	const struct ks_wait *w;
	unsigned int i;

	(void)state;
	for (i = 0; i < l->nguest; i++)
		l->guest[i].type = KS_RQ_CALM; /* shows nothing */
	lwp_world(l);
	lab_run(l);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_LWP, 0);
	assert_share(w, KS_C_UNKNOWN, 4 * MS);
	assert_share(w, KS_C_BUSY, 3 * MS);
	lab_free(l);
}

static void silent_cpu_is_forgiven(void **state)
{
	struct lab *l = lab_new(4);
	const struct ks_wait *w;
	unsigned int i;

	(void)state;
	for (i = 0; i < l->nguest; i++)
		l->guest[i].type = KS_RQ_CALM;
	lock_try(l, 602 * MS, 1, LOCK, 0);
	lock_try(l, 603 * MS, 2, LOCK, 0);
	out(l, 604 * MS, 1, 1, KS_OUT_RUNNABLE);
	lock_rel(l, 605 * MS, 0, LOCK, 0, 601 * MS);
	in(l, 609 * MS, 1, 1);
	lock_acq(l, 609 * MS, 1, LOCK, 0, 602 * MS);
	lock_rel(l, 610 * MS, 1, LOCK, 0, 609 * MS);
	lock_acq(l, 610 * MS, 2, LOCK, 0, 603 * MS);
	end_at(l, 620 * MS);
	lab_run(l);
	w = wait_at(l, 603 * MS);
	assert_share(w, KS_C_LWP, 4 * MS);
	lab_free(l);
}

/* What comes after the host's recording is unknown, also in the sums. */
static void host_ends_first(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	out(l, 4 * MS, 0, 0, KS_OUT_RUNNABLE); /* the host's last record */
	lock_rel(l, 9 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 9 * MS, 1, LOCK, 0, 2 * MS);
	guest_rec(l, 20 * MS, KS_RQ_CALM, 0);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_BUSY, 2 * MS);
	assert_share(w, KS_C_UNKNOWN, 5 * MS);
	assert_int_equal(vm_totals(l)->span_ns, 4 * MS - 1);
	assert_int_equal(ks_analysis_vcpu_totals(l->a, 0)->state_ns[KS_V_RUNNABLE], 0);
	assert_int_equal(ks_analysis_vcpu_totals(l->a, 1)->state_ns[KS_V_RUNNING], 4 * MS - 1);
	lab_free(l);
}

static void guest_ends_first(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	guest_rec(l, 5 * MS, KS_RQ_CALM, 0);
	put_host(l, (struct ks_rec){ .time = 90 * MS, .type = KS_PLE_WINDOW });
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_false(w->acquired);
	assert_int_equal(w->acq_time, 5 * MS);
	lab_free(l);
}

/* A holder that acquired within the wait holds to the end, unless its release may be lost. */
static void release_lost_at_the_end(void **state)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_try(l, 3 * MS, 2, LOCK, 0);
	lock_rel(l, 4 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 4 * MS, 1, LOCK, 0, 2 * MS);
	guest_loss(l, 5 * MS, 8 * MS, 1, KS_LOCK_REL);
	end_at(l, 8 * MS);
	lab_run(l);
	w = wait_at(l, 3 * MS);
	assert_share(w, KS_C_BUSY, 1 * MS);
	assert_share(w, KS_C_UNKNOWN, 4 * MS);
	lab_free(l);
}

/* It has its lock, though nobody says so, and computes from then on. */
static void acquire_lost_and_silent(void **state)
{
	struct lab *l = lab_new(4);
	uint64_t t;

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_rel(l, 3 * MS, 0, LOCK, 0, 1 * MS);
	guest_loss(l, 2 * MS + 500000, 4 * MS, 1, KS_LOCK_ACQ);
	for (t = 1000; t < 2000; t += 100) {
		lock_try(l, t * MS + 1000, 3, LOCK, 0);
		lock_rel(l, (t + 90) * MS, 2, LOCK, 0, t * MS);
		lock_acq(l, (t + 90) * MS, 3, LOCK, 0, t * MS + 1000);
		lock_rel(l, (t + 91) * MS, 3, LOCK, 0, (t + 90) * MS);
	}
	end_at(l, 2100 * MS);
	lab_run(l);
	assert_int_equal(l->nwaits, 10);
	assert_int_equal(vm_totals(l)->wait_ns, 10 * (90 * MS - 1000));
	lab_free(l);
}

/* ... and so if that is all that was recorded. */
static void acquire_lost_at_the_end(void **state)
{
	struct lab *l = lab_new(2);

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	guest_loss(l, 2 * MS + 500000, 4 * MS, 1, KS_LOCK_ACQ);
	end_at(l, 100 * MS);
	lab_run(l);
	assert_int_equal(l->nwaits, 0);
	lab_free(l);
}

/* Who pulls a thread away from a queue says that it has calmed down, in a ring of its own. */
static void queue_told_by_another(void **state)
{
	struct lab *l;
	uint16_t ring;

	(void)state;
	for (ring = 1; ring <= 2; ring++) {
		l = lab_new(3);
		out(l, 5 * MS, 0, 0, KS_OUT_HALTED);
		guest_rec(l, 10 * MS, KS_RQ_BUSY, 1);
		guest_loss(l, 11 * MS, 13 * MS, ring, KS_RQ_CALM);
		end_at(l, 1000 * MS);
		lab_run(l);
		assert_int_equal(vm_totals(l)->wasted_idle_ns, 1 * MS);
		lab_free(l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_lost),
		cmocka_unit_test(release_lost),
		cmocka_unit_test(try_lost),
		cmocka_unit_test(try_lost_and_cleared),
		cmocka_unit_test(later_try_lost),
		cmocka_unit_test(others_lost),
		cmocka_unit_test(very_many_lost),
		cmocka_unit_test(acquire_lost),
		cmocka_unit_test(own_try_lost),
		cmocka_unit_test(departure_lost),
		cmocka_unit_test(departure_lost_elsewhere),
		cmocka_unit_test(arrival_lost_elsewhere),
		cmocka_unit_test(arrival_lost_at_departure),
		cmocka_unit_test(unknown_kind_lost),
		cmocka_unit_test(exit_is_proof),
		cmocka_unit_test(arrival_in_bad_chunk),
		cmocka_unit_test(release_in_bad_chunk),
		cmocka_unit_test(small_bad_chunks),
		cmocka_unit_test(begin_of_recording),
		cmocka_unit_test(silent_cpu_is_forgiven),
		cmocka_unit_test(host_ends_first),
		cmocka_unit_test(guest_ends_first),
		cmocka_unit_test(release_lost_at_the_end),
		cmocka_unit_test(acquire_lost_and_silent),
		cmocka_unit_test(acquire_lost_at_the_end),
		cmocka_unit_test(queue_told_by_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
