// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's clock that broke: what lies between the two samples is unknown, all of it and no more.
 * First by hand, on one clock, then from a VM that is really stopped, by its samples.
 */
#include "session.h"
#include "test_analyze_util.h"

#define MS 1000000ull
#define US 1000ull

/* vCPU 0 holds from 1 ms to 19 ms and is preempted from 3 ms on; vCPU 1 waits from 2 ms on, and spins. */
static struct lab *long_wait(void)
{
	struct lab *l = lab_new(2);
	unsigned int i;

	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_rel(l, 19 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 19 * MS + 100, 1, LOCK, 0, 2 * MS);
	lock_rel(l, 20 * MS, 1, LOCK, 0, 19 * MS + 100);
	out(l, 3 * MS, 0, 0, KS_OUT_RUNNABLE);
	in(l, 18 * MS, 0, 0);
	for (i = 0; i < 14; i++)
		pause_exit(l, 3 * MS + 500 * US + i * MS, 1, 1);
	guest_rec(l, 60 * MS, KS_IDLE_EXIT, 0);
	wake(l, 60 * MS, 0);
	return l;
}

static void inside_nothing_is_said(void **state)
{
	struct lab *l = long_wait();
	const struct ks_wait *w;

	(void)state;
	clock_break(l, 0, 40 * MS);
	lab_run(l);
	assert_int_equal(l->nwaits, 1);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_UNKNOWN, 17 * MS + 100);
	assert_int_equal(w->verdict, KS_C_UNKNOWN);
	assert_int_equal(w->blame_vcpu, KS_NO_VCPU);
	assert_int_equal(w->ple[KS_C_UNKNOWN], 14);
	assert_int_equal(w->ple_total, 14);
	assert_int_equal(l->hold[0].off_ns, 0);
	assert_int_equal(vm_totals(l)->ple_per_wait[2], 0);
	lab_free(l);
}

static void the_rest_is_as_before(void **state)
{
	struct lab *l = long_wait();
	const struct ks_wait *w;

	(void)state;
	clock_break(l, 6 * MS, 10 * MS);
	clock_break(l, 10 * MS, 12 * MS); /* one with the first */
	clock_break(l, 30 * MS, 31 * MS);
	l->error = 100 * US;
	lab_run(l);
	w = wait_at(l, 2 * MS);
	/* busy, lhp up to the break, lhp behind it; each piece's ends within the error of a change */
	assert_true(w->share[KS_C_UNKNOWN] >= 6200 * US && w->share[KS_C_UNKNOWN] <= 6800 * US);
	assert_true(w->share[KS_C_LHP] >= 8200 * US && w->share[KS_C_LHP] <= 8800 * US);
	assert_int_equal(w->share[KS_C_SELF] + w->share[KS_C_LWP] + w->share[KS_C_HALTED], 0);
	assert_int_equal(w->verdict, KS_C_LHP);
	assert_int_equal(w->ple[KS_C_UNKNOWN], 6);
	assert_int_equal(w->ple[KS_C_LHP], 8);
	assert_true(w->blame_off_ns < 9 * MS);
	assert_int_equal(l->hold[0].off_ns, 15 * MS - 6200 * US);
	assert_int_equal(vm_totals(l)->ple_per_wait[2], 0);
	lab_free(l);
}

/* What holds for a waiter off-CPU, for bursts in one record and for a free lock, too. */
static void whatever_the_class(void **state)
{
	struct lab *l = lab_new(3);
	const struct ks_wait *w;

	(void)state;
	out(l, 3 * MS, 1, 1, KS_OUT_RUNNABLE);
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_try(l, 2500 * US, 2, LOCK, 0);
	put_host(l, (struct ks_rec){ .time = 7 * MS,
				     .type = KS_BURST,
				     .id = 2,
				     .cpu = 2,
				     .b = (4 * MS) << 32 | 40 });
	in(l, 8 * MS, 1, 1);
	lock_acq(l, 9 * MS, 1, LOCK, 0, 2 * MS);
	lock_rel(l, 9100 * US, 1, LOCK, 0, 9 * MS);
	lock_acq(l, 9200 * US, 2, LOCK, 0, 2500 * US);
	guest_rec(l, 60 * MS, KS_IDLE_EXIT, 0);
	clock_break(l, 1 * MS, 10 * MS);
	wake(l, 60 * MS, 0);
	lab_run(l);
	assert_int_equal(l->nwaits, 2);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_UNKNOWN, 7 * MS);
	w = wait_at(l, 2500 * US);
	assert_share(w, KS_C_UNKNOWN, 6700 * US);
	assert_int_equal(w->ple[KS_C_UNKNOWN], 40);
	lab_free(l);
}

static void exit_with(struct lab *l, uint64_t t, uint8_t flags, uint64_t ip)
{
	put_host(l,
		 (struct ks_rec){
			 .time = t, .type = KS_PAUSE, .flags = flags, .id = 1, .cpu = 1, .a = ip });
}

/* An exit's time is the host's: it proves nothing of a wait whose times are not known. */
static void exits_prove_nothing(void **state)
{
	struct lab *l = long_wait();

	(void)state;
	exit_with(l, 10 * MS + 1, KS_F_IP | KS_F_CPL | 3, 0x401000); /* in user mode, in mid-wait */
	exit_with(l, 25 * MS, KS_F_IP | KS_F_CPL | 0, KERNEL_IP);    /* in no wait, it seems */
	exit_with(l, 26 * MS, KS_F_IP | KS_F_CPL | 3, 0x401000);
	clock_break(l, 1 * MS, 40 * MS);
	exit_with(l, 45 * MS, KS_F_IP | KS_F_CPL | 0, KERNEL_IP);
	lab_run(l);
	assert_int_equal(l->nwaits, 1);
	assert_int_equal(ks_analysis_ignored(l->a), 0);
	assert_int_equal(l->ple[KS_C_USER], 2);
	assert_int_equal(l->ple[KS_C_UNKNOWN], 15);
	assert_int_equal(l->ple[KS_C_OTHER], 1);
	lab_free(l);
}

/* A vCPU that seems to have lost its pCPU at its release has not kept the lock until behind the break. */
static void no_hold_is_made_longer(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	(void)state;
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_rel(l, 5 * MS, 0, LOCK, 0, 1 * MS);
	out(l, 5 * MS, 0, 0, KS_OUT_RUNNABLE);
	pause_exit(l, 6 * MS, 1, 1);
	pause_exit(l, 7 * MS, 1, 1);
	in(l, 12 * MS, 0, 0);
	lock_acq(l, 13 * MS, 1, LOCK, 0, 2 * MS);
	lock_rel(l, 14 * MS, 1, LOCK, 0, 13 * MS);
	guest_rec(l, 60 * MS, KS_IDLE_EXIT, 0);
	wake(l, 60 * MS, 0);
	clock_break(l, 1 * MS, 8 * MS);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_share(w, KS_C_LHP, 0);
	assert_true(w->share[KS_C_UNKNOWN] >= 6 * MS);
	lab_free(l);
}

/* vCPU 0 is halted from 2 to 42 ms, and CPU 1 has threads that wait from 10 ms on. */
static void no_idle_time_is_wasted(void **state)
{
	struct lab *l = lab_new(2);

	(void)state;
	out(l, 2 * MS, 0, 0, KS_OUT_HALTED);
	guest_rec(l, 10 * MS, KS_RQ_BUSY, 1);
	guest_rec(l, 22 * MS, KS_RQ_CALM, 1);
	guest_rec(l, 24 * MS, KS_RQ_BUSY, 1);
	guest_rec(l, 34 * MS, KS_RQ_BUSY, 1);
	wake(l, 42 * MS, 0);
	in(l, 42 * MS, 0, 0);
	guest_rec(l, 60 * MS, KS_IDLE_EXIT, 0);
	wake(l, 60 * MS, 0);
	clock_break(l, 15 * MS, 30 * MS);
	lab_run(l);
	assert_int_equal(vm_totals(l)->wasted_idle_ns, 5 * MS + 8 * MS);
	lab_free(l);
}

/* Whoever writes records runs, but when? */
static void nobody_is_seen_to_run(void **state)
{
	struct lab *l = lab_new(2);

	(void)state;
	host_loss(l, 5 * MS, 6 * MS, 1, KS_VCPU_OUT);
	guest_rec(l, 10 * MS, KS_IDLE_EXIT, 1);
	guest_rec(l, 30 * MS, KS_IDLE_EXIT, 1);
	wake(l, 60 * MS, 0);
	clock_break(l, 8 * MS, 12 * MS);
	lab_run(l);
	assert_int_equal(ks_analysis_vcpu_totals(l->a, 1)->state_ns[KS_V_UNKNOWN], 25 * MS);
	lab_free(l);
}

static void only_once(void **state)
{
	struct lab *l = lab_new(1);
	const struct ks_clockbreak *b;
	size_t n;

	(void)state;
	clock_break(l, 5, 10);
	lab_open(l);
	b = ks_analysis_breaks(l->a, 0, &n);
	assert_int_equal(n, 1);
	assert_int_equal(b->to, 10);
	assert_int_equal(ks_analysis_guest_breaks(l->a, 0, l->breaks, 1), -EINVAL);
	assert_int_equal(ks_analysis_guest_breaks(l->a, 7, l->breaks, 1), -EINVAL);
	assert_null(ks_analysis_breaks(l->a, 7, &n));
	lab_free(l);
}

/* ---- a VM that is stopped ---- */

#define SEC 1000000000ull
#define START (1000 * SEC) /* of the host's recording */
#define LENGTH (20 * SEC)
#define BOOT (900 * SEC) /* when the guest's clock was 0 */
#define SLOT (100 * MS)
#define STOP (START + 8 * SEC + 430 * MS)

struct vm {
	char dir[64], host[96], guest[96];
	uint64_t stopped; /* for so long, from STOP on; 0: it is not */
	unsigned int waits, seen, in_break;
	uint64_t from, to; /* of the break */
};

static uint64_t own(const struct vm *v, uint64_t t)
{
	return t - BOOT - (t < STOP ? 0 : v->stopped);
}

/* Nothing happens in a stopped VM; what would end in it does not begin either. */
static bool runs(const struct vm *v, uint64_t from, uint64_t to)
{
	return !v->stopped || to < STOP || from > STOP + v->stopped;
}

static void add(struct ks_writer *w, unsigned int ring, struct ks_rec r)
{
	assert_int_equal(ks_writer_add(w, ring, &r, 1), 0);
}

/* Every 100 ms vCPU 0 holds from 1 to 20 ms, preempted from 5 to 15 ms; vCPU 1 waits from 2 ms on. */
static void host_slot(struct ks_writer *w, uint64_t t)
{
	unsigned int i;

	add(w, 0, (struct ks_rec){ .time = t + 5 * MS, .type = KS_VCPU_OUT });
	add(w, 0, (struct ks_rec){ .time = t + 15 * MS, .type = KS_VCPU_IN });
	for (i = 0; i < 9; i++)
		add(w, 1,
		    (struct ks_rec){ .time = t + (6 + i) * MS,
				     .type = KS_PAUSE,
				     .flags = KS_F_IP | KS_F_CPL,
				     .id = 1,
				     .cpu = 1,
				     .a = KERNEL_IP });
	for (i = 0; i < 10; i++)
		add(w, 1,
		    (struct ks_rec){ .time = t + (40 + 5 * i) * MS,
				     .type = KS_PAUSE,
				     .flags = KS_F_IP | KS_F_CPL | 3,
				     .id = 1,
				     .cpu = 1,
				     .a = 0x401000 });
}

static void stop_on_host(struct ks_writer *w, const struct vm *v)
{
	unsigned int i;

	for (i = 0; i < 2 && v->stopped; i++) {
		add(w, i,
		    (struct ks_rec){ .time = STOP,
				     .type = KS_VCPU_OUT,
				     .id = i,
				     .cpu = i,
				     .flags = KS_OUT_BLOCKED });
		add(w, i,
		    (struct ks_rec){
			    .time = STOP + v->stopped, .type = KS_VCPU_IN, .id = i, .cpu = i });
	}
}

static void write_host(const struct vm *v)
{
	struct json_object *m = json_tokener_parse(
		"{\"isa\":\"vmx\",\"tsc_ratio_frac\":48,\"vms\":{\"77\":{\"name\":\"web-3\"}}}");
	struct ks_writer *w;
	uint64_t t;
	unsigned int i;

	assert_int_equal(ks_writer_open(&w, v->host, KS_SIDE_HOST, 8, NULL), 0);
	assert_int_equal(ks_writer_meta(w, m), 0);
	json_object_put(m);
	for (i = 0; i < 2; i++) {
		add(w, 0,
		    (struct ks_rec){ .time = START,
				     .type = KS_VCPU_NEW,
				     .id = i,
				     .a = 77ull << 32 | (78 + i),
				     .b = i });
		add(w, 0,
		    (struct ks_rec){
			    .time = START, .type = KS_TSC_OFFSET, .id = i, .a = -(BOOT * 3) });
		add(w, i,
		    (struct ks_rec){ .time = START + 1, .type = KS_VCPU_IN, .id = i, .cpu = i });
	}
	for (t = START; t <= START + LENGTH; t += SEC)
		add(w, 0, (struct ks_rec){ .time = t, .type = KS_CLOCK, .a = t * 3, .b = 40 });
	for (t = START + SEC; t < START + LENGTH - SEC; t += SLOT)
		if (runs(v, t, t + SLOT))
			host_slot(w, t);
	stop_on_host(w, v);
	add(w, 0, (struct ks_rec){ .time = START + LENGTH, .type = KS_VCPU_WAKE });
	assert_int_equal(ks_writer_close(w, NULL), 0);
}

static void guest_slot(struct ks_writer *w, uint64_t t)
{
	add(w, 1,
	    (struct ks_rec){ .time = t + 2 * MS,
			     .type = KS_LOCK_TRY,
			     .cpu = 1,
			     .id = 51,
			     .a = LOCK,
			     .b = KERNEL_IP });
	add(w, 0,
	    (struct ks_rec){ .time = t + 20 * MS,
			     .type = KS_LOCK_REL,
			     .flags = KS_F_WAITERS,
			     .id = 50,
			     .a = LOCK,
			     .b = (19 * MS) << 32 | (uint32_t)KERNEL_IP });
	add(w, 1,
	    (struct ks_rec){ .time = t + 20 * MS + 200,
			     .type = KS_LOCK_ACQ,
			     .cpu = 1,
			     .id = 51,
			     .a = LOCK,
			     .b = 18 * MS + 200 });
	add(w, 1,
	    (struct ks_rec){ .time = t + 20 * MS + 900,
			     .type = KS_LOCK_REL,
			     .cpu = 1,
			     .id = 51,
			     .a = LOCK,
			     .b = 700ull << 32 | (uint32_t)KERNEL_IP });
}

/* seconds: of the recording, from the beginning on. */
static void write_guest(struct vm *v, uint64_t from, uint64_t to)
{
	struct json_object *m = json_tokener_parse("{\"mode\":\"full\",\"apic_ids\":[0,1]}");
	struct ks_writer *w;
	uint64_t t;

	assert_int_equal(ks_writer_open(&w, v->guest, KS_SIDE_GUEST, 8, NULL), 0);
	assert_int_equal(ks_writer_meta(w, m), 0);
	json_object_put(m);
	for (t = from; t <= to; t += SEC)
		if (runs(v, t, t))
			add(w, 0,
			    (struct ks_rec){ .time = own(v, t),
					     .type = KS_CLOCK,
					     .a = t * 3 - BOOT * 3,
					     .b = 40 });
	v->waits = 0;
	for (t = START + SEC; t < START + LENGTH - SEC; t += SLOT) {
		if (!runs(v, t, t + SLOT) || t < from || t + SLOT > to)
			continue;
		guest_slot(w, own(v, t));
		v->waits++;
	}
	assert_int_equal(ks_writer_close(w, NULL), 0);
}

/* By the truth: ten of its eighteen ms for a preempted holder, or nothing. */
static void judge(void *ctx, const struct ks_wait *w)
{
	struct vm *v = ctx;
	bool clear = w->acq_time < v->from || w->try_time > v->to;

	v->seen++;
	if (clear) {
		assert_int_equal(w->verdict, KS_C_LHP);
		assert_true(w->share[KS_C_LHP] > 9990 * US && w->share[KS_C_LHP] < 10010 * US);
		assert_int_equal(w->ple[KS_C_LHP], 9);
		assert_int_equal(w->ple_total, 9);
		return;
	}
	v->in_break++;
	if (w->try_time > v->from && w->acq_time < v->to)
		assert_int_equal(w->share[KS_C_UNKNOWN], w->acq_time - w->try_time);
	assert_true(w->verdict == KS_C_UNKNOWN || w->try_time < v->from || w->acq_time > v->to);
}

static struct ks_session *open_session(const struct vm *v, int want, struct ks_err *err)
{
	const char *guests[] = { v->guest };
	const struct ks_session_opts o = { .host = v->host, .guests = guests, .nguests = 1 };
	struct ks_session *s;

	assert_int_equal(ks_session_open(&s, &o, err), want);
	return s;
}

static void vm_new(struct vm *v, uint64_t stopped)
{
	*v = (struct vm){ .dir = "/tmp/kvmsched-test.XXXXXX", .stopped = stopped };
	assert_non_null(mkdtemp(v->dir));
	snprintf(v->host, sizeof(v->host), "%s/host.kvs", v->dir);
	snprintf(v->guest, sizeof(v->guest), "%s/guest.kvs", v->dir);
	write_host(v);
}

static void vm_free(struct vm *v)
{
	unlink(v->host);
	unlink(v->guest);
	rmdir(v->dir);
}

static void check_stopped(uint64_t stopped)
{
	struct ks_analysis_ops ops = { .wait = judge };
	struct ks_err err = { "" };
	const struct ks_clockbreak *b;
	struct ks_session *s;
	struct vm v;
	size_t n;

	vm_new(&v, stopped);
	write_guest(&v, START + 300 * MS, START + LENGTH);
	s = open_session(&v, 0, &err);
	ops.ctx = &v;
	assert_int_equal(ks_session_start(s, NULL, &ops, &err), 0);
	assert_true(ks_session_link(s, 0)->error_ns < 1000);
	b = ks_analysis_breaks(ks_session_analysis(s), 0, &n);
	assert_int_equal(n, stopped ? 1 : 0);
	if (n) {
		v.from = b->from;
		v.to = b->to;
		assert_true(b->from <= STOP && STOP + stopped <= b->to);
		assert_true((uint64_t)b->behind_ns > stopped - 1000 &&
			    (uint64_t)b->behind_ns < stopped + 1000);
	}
	assert_int_equal(ks_session_run(s, NULL, &err), 0);
	assert_int_equal(v.seen, v.waits);
	if (stopped)
		assert_true(v.in_break > 1 && v.in_break < 13);
	else
		assert_int_equal(v.in_break, 0);
	ks_session_close(s);
	vm_free(&v);
}

static void stopped_vm(void **state)
{
	(void)state;
	check_stopped(0);
	check_stopped(5 * MS);
	check_stopped(50 * MS);
	check_stopped(700 * MS);
	check_stopped(5 * SEC);
}

/* Of a second on either side nobody can tell which is the odd one: refused, and why is said. */
static void too_short(void **state)
{
	struct ks_err err = { "" };
	struct vm v;

	(void)state;
	vm_new(&v, 50 * MS);
	write_guest(&v, STOP - 1500 * MS, STOP + 1600 * MS);
	assert_null(open_session(&v, -EINVAL, &err));
	assert_non_null(strstr(err.msg, "the VM was stopped meanwhile"));
	vm_free(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inside_nothing_is_said),
		cmocka_unit_test(the_rest_is_as_before),
		cmocka_unit_test(whatever_the_class),
		cmocka_unit_test(exits_prove_nothing),
		cmocka_unit_test(no_hold_is_made_longer),
		cmocka_unit_test(no_idle_time_is_wasted),
		cmocka_unit_test(nobody_is_seen_to_run),
		cmocka_unit_test(only_once),
		cmocka_unit_test(stopped_vm),
		cmocka_unit_test(too_short),
	};

	return cmocka_run_group_tests_name("analysis: breaks", tests, NULL, NULL);
}
