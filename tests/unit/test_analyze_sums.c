// SPDX-License-Identifier: GPL-2.0
/* Exits, bursts, states, migrations, wasted idle time; what a hostile guest can do to them. */
#include "test_analyze_util.h"

#define MS 1000000ull
#define US 1000ull

static const struct ks_vcpu_totals *vcpu(const struct lab *l, uint32_t i)
{
	return ks_analysis_vcpu_totals(l->a, i);
}

/* ---- bursts ---- */

static void bursts_of_single_exits(void **state)
{
	struct lab *l = lab_new(1);
	unsigned int i;

	(void)state;
	for (i = 0; i < 11; i++)
		pause_exit(l, 10 * MS + i * 1 * MS, 0, 0); /* gap of 1 ms: one burst */
	for (i = 0; i < 7; i++)
		pause_exit(l, 30 * MS + i * (1 * MS + 1), 0, 0); /* a ns more: seven */
	end_at(l, 50 * MS);
	lab_run(l);
	assert_int_equal(vcpu(l, 0)->pause, 18);
	assert_int_equal(vcpu(l, 0)->bursts, 8);
	assert_int_equal(vcpu(l, 0)->longest_burst, 11);
	assert_int_equal(l->nbursts, 8);
	assert_int_equal(l->burst[0].first, 10 * MS);
	assert_int_equal(l->burst[0].last, 20 * MS);
	assert_int_equal(l->burst[0].exits, 11);
	assert_int_equal(l->burst[0].ip, KERNEL_IP);
	lab_free(l);
}

static void folded(struct lab *l, uint64_t first, uint64_t last, uint32_t n)
{
	put_host(l, (struct ks_rec){ .time = last,
				     .type = KS_BURST,
				     .flags = KS_F_IP,
				     .a = KERNEL_IP,
				     .b = (last - first) << 32 | n });
}

static void folded_bursts(void **state)
{
	struct lab *l = lab_new(1);

	(void)state;
	folded(l, 10 * MS, 12 * MS, 100);
	folded(l, 12500 * US, 13 * MS, 23); /* continues it */
	folded(l, 20 * MS, 20 * MS, 1);
	folded(l, 30 * MS, 30 * MS, 0); /* of nothing: makes no sense */
	end_at(l, 50 * MS);
	lab_run(l);
	assert_int_equal(vcpu(l, 0)->pause, 124);
	assert_int_equal(vcpu(l, 0)->bursts, 2);
	assert_int_equal(vcpu(l, 0)->longest_burst, 123);
	assert_int_equal(l->ple[KS_C_OTHER], 124);
	assert_int_equal(ks_analysis_ignored(l->a), 1);
	lab_free(l);
}

static void gap_as_recorded(void **state)
{
	struct lab *l = lab_new(1);

	(void)state;
	l->host_meta = "{\"burst_gap_ns\":5000000}";
	pause_exit(l, 10 * MS, 0, 0);
	pause_exit(l, 14 * MS, 0, 0);
	end_at(l, 50 * MS);
	lab_run(l);
	assert_int_equal(vcpu(l, 0)->bursts, 1);
	lab_free(l);
}

/* 100 exits from 1 to 11 ms, a wait from 6 to 16 ms: half of them are its own. */
static void burst_over_a_border(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	(void)state;
	put_host(l, (struct ks_rec){ .time = 11 * MS,
				     .type = KS_BURST,
				     .id = 1,
				     .cpu = 1,
				     .flags = KS_F_IP,
				     .a = KERNEL_IP,
				     .b = (10 * MS) << 32 | 100 });
	lock_try(l, 6 * MS, 1, LOCK, 0);
	out(l, 8500 * US, 0, 0, KS_OUT_RUNNABLE);
	in(l, 11 * MS, 0, 0);
	lock_rel(l, 16 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 16 * MS, 1, LOCK, 0, 6 * MS);
	end_at(l, 60 * MS);
	lab_run(l);
	w = wait_at(l, 6 * MS);
	assert_int_equal(w->ple_total, 50);
	assert_int_equal(w->ple[KS_C_BUSY], 25);
	assert_int_equal(w->ple[KS_C_LHP], 25);
	assert_int_equal(l->ple[KS_C_OTHER], 50);
	assert_int_equal(vcpu(l, 1)->pause, 100);
	lab_free(l);
}

/* A burst that ends after the wait, and is told of then. */
static void burst_told_later(void **state)
{
	struct lab *l = lab_new(2);
	const struct ks_wait *w;

	(void)state;
	l->host_meta = "{\"mode\":\"bursts\"}";
	lock_try(l, 2 * MS, 1, LOCK, 0);
	lock_rel(l, 4 * MS, 0, LOCK, 0, 1 * MS);
	lock_acq(l, 4 * MS, 1, LOCK, 0, 2 * MS);
	lock_try(l, 6 * MS, 1, LOCK2, 0);
	lock_rel(l, 8 * MS, 0, LOCK2, 0, 1 * MS);
	lock_acq(l, 8 * MS, 1, LOCK2, 0, 6 * MS);
	put_host(l, (struct ks_rec){ .time = 12 * MS,
				     .type = KS_BURST,
				     .id = 1,
				     .cpu = 1,
				     .flags = KS_F_IP,
				     .a = KERNEL_IP,
				     .b = (10 * MS) << 32 | 1000 });
	end_at(l, 60 * MS);
	lab_run(l);
	w = wait_at(l, 2 * MS);
	assert_int_equal(w->ple_total, 200);
	w = wait_at(l, 6 * MS);
	assert_int_equal(w->ple_total, 200);
	assert_int_equal(l->ple[KS_C_OTHER], 600);
	lab_free(l);
}

/* A burst that was told after later records had been written: its exits are those of its own time. */
static void burst_out_of_order(void **state)
{
	struct lab *l = lab_new(1);
	unsigned int i;

	(void)state;
	for (i = 0; i < 20; i++)
		put_host(l, (struct ks_rec){ .time = (30 + i) * MS, .type = KS_HLT });
	l->flush_after = l->nhost;
	folded(l, 10 * MS, 14 * MS, 500);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(l->nbursts, 1);
	assert_int_equal(l->burst[0].first, 10 * MS);
	assert_int_equal(l->burst[0].last, 14 * MS);
	assert_int_equal(l->ple[KS_C_UNKNOWN], 500); /* the waits of then are no longer known */
	lab_free(l);
}

/* ---- classes of exits outside waits ---- */

static enum ks_class by_ip(void *ctx, uint32_t vm, uint64_t ip)
{
	(void)ctx;
	assert_int_equal(vm, 0);
	return ip == KERNEL_IP ? KS_C_IPI : KS_C_OTHER;
}

static void exit_with(struct lab *l, uint64_t t, uint8_t flags, uint64_t ip)
{
	put_host(l, (struct ks_rec){ .time = t, .type = KS_PAUSE, .flags = flags, .a = ip });
}

static void exits_outside_waits(void **state)
{
	struct lab *l = lab_new(1);

	(void)state;
	l->opts.ip_class = by_ip;
	exit_with(l, 10 * MS, KS_F_IP, KERNEL_IP);
	exit_with(l, 11 * MS, KS_F_IP, KERNEL_IP + 1);
	exit_with(l, 12 * MS, KS_F_IP, 0x401000);
	exit_with(l, 13 * MS, KS_F_IP | KS_F_CPL | 3, 0x401000);
	exit_with(l, 14 * MS, KS_F_IP | KS_F_CPL | 0, 0x7c00); /* real mode: no user */
	exit_with(l, 15 * MS, 0, 0);
	end_at(l, 50 * MS);
	lab_run(l);
	assert_int_equal(l->ple[KS_C_IPI], 1);
	assert_int_equal(l->ple[KS_C_OTHER], 2);
	assert_int_equal(l->ple[KS_C_USER], 2);
	assert_int_equal(l->ple[KS_C_UNKNOWN], 1);
	lab_free(l);
}

/* User mode in the middle of a wait: the wait is over, its acquire was lost. */
static void user_mode_ends_a_wait(void **state)
{
	struct lab *l = lab_new(1);

	(void)state;
	lock_try(l, 2 * MS, 0, LOCK, 0);
	exit_with(l, 5 * MS, KS_F_IP | KS_F_CPL | 3, 0x401000);
	end_at(l, 50 * MS);
	lab_run(l);
	assert_int_equal(l->nwaits, 0);
	assert_int_equal(l->ple[KS_C_USER], 1);
	assert_int_equal(ks_analysis_ignored(l->a), 1);
	lab_free(l);
}

/* p50, p99 and the maximum of the numbers of exits: 60 waits, the i-th with i exits. */
static void exits_per_acquisition(void **state)
{
	struct lab *l = lab_new(1);
	uint64_t t = 10 * MS;
	unsigned int i, k;

	(void)state;
	for (i = 0; i < 60; i++, t += 1 * MS) {
		lock_try(l, t, 0, LOCK, 0);
		for (k = 0; k < i; k++)
			pause_exit(l, t + 100 + k, 0, 0);
		lock_acq(l, t + 10 * US, 0, LOCK, 0, t);
	}
	end_at(l, t + 50 * MS);
	lab_run(l);
	assert_int_equal(vm_totals(l)->waits, 60);
	assert_int_equal(vm_totals(l)->ple_per_wait[0], 29);
	assert_int_equal(vm_totals(l)->ple_per_wait[1], 59);
	assert_int_equal(vm_totals(l)->ple_per_wait[2], 59);
	lab_free(l);
}

/* ---- states ---- */

static void states(void **state)
{
	struct lab *l = lab_new(1);
	const struct ks_vcpu_totals *t;
	uint64_t sum = 0;
	unsigned int i;

	(void)state;
	out(l, 10 * MS, 0, 0, KS_OUT_HALTED);
	wake(l, 15 * MS, 0);
	in(l, 16 * MS, 0, 2);
	out(l, 20 * MS, 0, 2, KS_OUT_RUNNABLE);
	in(l, 23 * MS, 0, 1);
	wake(l, 24 * MS, 0); /* of a running one: nothing */
	out(l, 30 * MS, 0, 1, KS_OUT_BLOCKED);
	end_at(l, 40 * MS);
	lab_run(l);
	t = vcpu(l, 0);
	assert_int_equal(t->state_ns[KS_V_RUNNING], 10 * MS - 1 + 4 * MS + 7 * MS);
	assert_int_equal(t->state_ns[KS_V_HALTED], 5 * MS);
	assert_int_equal(t->state_ns[KS_V_RUNNABLE], 4 * MS);
	assert_int_equal(t->state_ns[KS_V_BLOCKED], 10 * MS);
	for (i = 0; i < l->nsegs; i++)
		sum += l->seg[i].to - l->seg[i].from;
	assert_int_equal(sum, 40 * MS - 1); /* from its KS_VCPU_NEW on */
	assert_int_equal(l->seg[3].state, KS_V_RUNNING);
	assert_int_equal(l->seg[3].pcpu, 2);
	lab_free(l);
}

/* It has its pCPU to itself, and leaves it for nobody. */
static void runs_all_the_time(void **state)
{
	struct lab *l = lab_new(1);

	(void)state;
	l->nhost = 1; /* KS_VCPU_NEW */
	end_at(l, 40 * MS);
	lab_run(l);
	assert_int_equal(vcpu(l, 0)->state_ns[KS_V_RUNNING], 40 * MS - 1);
	assert_int_equal(vcpu(l, 0)->state_ns[KS_V_UNKNOWN], 0);
	lab_free(l);
}

/* Woken after it left the run queue, before its departure is stamped. */
static void wake_overtakes_departure(void **state)
{
	struct lab *l = lab_new(1);

	(void)state;
	wake(l, 10 * MS - 500, 0);
	out(l, 10 * MS, 0, 0, KS_OUT_HALTED);
	in(l, 12 * MS, 0, 0);
	wake(l, 13 * MS, 0);
	put_host(l, (struct ks_rec){ .time = 13 * MS + 5 * US, .type = KS_HLT });
	out(l, 13 * MS + 10 * US, 0, 0, KS_OUT_HALTED); /* came back and halted again */
	end_at(l, 20 * MS);
	lab_run(l);
	assert_int_equal(vcpu(l, 0)->state_ns[KS_V_RUNNABLE], 2 * MS);
	assert_int_equal(vcpu(l, 0)->state_ns[KS_V_HALTED], 7 * MS - 10 * US);
	assert_int_equal(vcpu(l, 0)->hlt, 1);
	lab_free(l);
}

/* ---- migrations ---- */

static void vcpu_moves(struct lab *l, uint64_t t, uint64_t from, uint64_t to)
{
	put_host(l, (struct ks_rec){ .time = t, .type = KS_VCPU_MIGRATE, .a = from, .b = to });
}

static void task_moves(struct lab *l, uint64_t t, uint32_t tid, uint64_t from, uint64_t to)
{
	put_guest(l, (struct ks_rec){
			     .time = t, .type = KS_TASK_MIGRATE, .id = tid, .a = from, .b = to });
}

static void migrations(void **state)
{
	struct lab *l = lab_new(1);

	(void)state;
	vcpu_moves(l, 10 * MS, 0, 1);	  /* same node */
	vcpu_moves(l, 20 * MS, 1, 0);	  /* back in 10 ms: a ping-pong */
	vcpu_moves(l, 30 * MS, 0, 2);	  /* other node */
	vcpu_moves(l, 40 * MS + 1, 2, 0); /* other node, a ns too late */
	vcpu_moves(l, 41 * MS, 0, 9);	  /* node not known */
	task_moves(l, 10 * MS, 5, 0, 2);
	task_moves(l, 11 * MS, 6, 2, 0); /* another thread */
	task_moves(l, 12 * MS, 5, 2, 0);
	end_at(l, 60 * MS);
	lab_run(l);
	assert_int_equal(vcpu(l, 0)->migrations, 5);
	assert_int_equal(vcpu(l, 0)->node_migrations, 2);
	assert_int_equal(vcpu(l, 0)->pingpongs, 1);
	assert_int_equal(vm_totals(l)->task_migrations, 3);
	assert_int_equal(vm_totals(l)->task_node_migrations, 3);
	assert_int_equal(vm_totals(l)->task_pingpongs, 1);
	lab_free(l);
}

/* The guest was recorded for 1 s, the host in the middle of it: what the guest alone tells is of all of it. */
static void guest_longer_than_the_host(void **state)
{
	struct lab *l = lab_new(2);
	unsigned int i;

	(void)state;
	for (i = 0; i < l->nhost; i++)
		l->host[i].time += 500 * MS;
	for (i = 1; i < 200; i++)
		task_moves(l, i * 5 * MS, 5, i & 1, !(i & 1));
	put_host(l, (struct ks_rec){ .time = 600 * MS, .type = KS_PLE_WINDOW });
	guest_rec(l, 1000 * MS, KS_RQ_CALM, 0);
	lab_run(l);
	assert_int_equal(vm_totals(l)->guest_span_ns, 100 * MS - 1);
	assert_int_equal(vm_totals(l)->guest_recorded_ns, 1000 * MS - 3);
	assert_int_equal(vm_totals(l)->task_migrations, 199);
	lab_free(l);
}

static void wasted_idle(void **state)
{
	struct lab *l = lab_new(2);

	(void)state;
	out(l, 10 * MS, 0, 0, KS_OUT_HALTED);
	guest_rec(l, 12 * MS, KS_RQ_BUSY, 1); /* wasted from here ... */
	wake(l, 15 * MS, 0);		      /* ... to here */
	in(l, 16 * MS, 0, 0);
	guest_rec(l, 18 * MS, KS_RQ_CALM, 1);
	guest_rec(l, 19 * MS, KS_RQ_BUSY, 0);
	out(l, 20 * MS, 0, 0, KS_OUT_HALTED); /* its own queue: about to be woken */
	wake(l, 30 * MS, 0);
	end_at(l, 40 * MS);
	lab_run(l);
	assert_int_equal(vm_totals(l)->wasted_idle_ns, 3 * MS);
	lab_free(l);
}

/* That it was busy was seen, that it is no more was lost: it counts again when it is seen again. */
static void wasted_idle_in_a_loss(void **state)
{
	struct lab *l = lab_new(2);

	(void)state;
	out(l, 10 * MS, 0, 0, KS_OUT_HALTED);
	guest_loss(l, 11 * MS, 20 * MS, 1, KS_RQ_CALM);
	guest_rec(l, 12 * MS, KS_RQ_BUSY, 1);
	guest_rec(l, 25 * MS, KS_RQ_BUSY, 1);
	guest_rec(l, 27 * MS, KS_RQ_CALM, 1);
	in(l, 40 * MS, 0, 0);
	guest_rec(l, 40 * MS, KS_RQ_CALM, 0);
	lab_run(l);
	assert_int_equal(vm_totals(l)->wasted_idle_ns, 2 * MS);
	lab_free(l);
}

/* Nothing is recorded in it: what went on before goes on until it begins. */
static void wasted_idle_until_a_loss(void **state)
{
	struct lab *l = lab_new(2);

	(void)state;
	guest_rec(l, 5 * MS, KS_RQ_BUSY, 1);
	out(l, 10 * MS, 0, 0, KS_OUT_HALTED);
	guest_loss(l, 11 * MS, 20 * MS, 1, KS_RQ_CALM);
	end_at(l, 40 * MS);
	lab_run(l);
	assert_int_equal(vm_totals(l)->wasted_idle_ns, 1 * MS);
	lab_free(l);
}

/* ---- guests that lie ---- */

static uint64_t rnd(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static struct ks_rec nonsense(uint64_t *s)
{
	static const uint8_t types[] = { KS_LOCK_TRY,	KS_LOCK_ACQ, KS_LOCK_REL, KS_TASK_MIGRATE,
					 KS_IDLE_ENTER, KS_RQ_BUSY,  KS_RQ_CALM,  KS_TASK_SWITCH,
					 KS_PAUSE,	KS_VCPU_IN,  KS_LOSS,	  63 };
	struct ks_rec r = { .time = rnd(s) % (100 * MS) + 10, .type = types[rnd(s) % 12] };
	uint64_t k = rnd(s) % 100;

	r.cpu = k < 80 ? k % 3 : rnd(s);
	r.id = rnd(s);
	r.flags = rnd(s);
	r.a = k < 70 ? LOCK + k % 5 : rnd(s);
	r.b = k < 50 ? rnd(s) % (10 * MS) : rnd(s);
	if (r.type == KS_LOCK_REL && k < 60)
		r.b = r.b << 32;
	return r;
}

/* Whatever it sends: no crash (run with the sanitizers), shares add up (on_wait), sums hold. */
static void hostile_guest(void **state)
{
	uint64_t seed = 88172645463325252ull, sum;
	struct lab *l;
	unsigned int round, i;
	int c;

	(void)state;
	for (round = 0; round < 60; round++) {
		l = lab_new(3);
		l->error = round % 3 * 700;
		while (l->nguest < RECS - 10)
			put_guest(l, nonsense(&seed));
		for (i = 0; i < 300; i++) {
			out(l, 10 + rnd(&seed) % (100 * MS), i % 3, i % 3, rnd(&seed) % 3);
			in(l, 10 + rnd(&seed) % (100 * MS), i % 3, i % 4);
			pause_exit(l, 10 + rnd(&seed) % (100 * MS), i % 3, i % 3);
		}
		lab_run(l);
		for (sum = 0, c = 0; c < KS_C_WAIT_MAX; c++)
			sum += vm_totals(l)->lost_ns[c];
		assert_int_equal(sum, vm_totals(l)->wait_ns);
		assert_int_equal(vcpu(l, 0)->pause + vcpu(l, 1)->pause + vcpu(l, 2)->pause, 300);
		for (sum = 0, c = 0; c < KS_C_MAX; c++)
			sum += l->ple[c];
		assert_int_equal(sum, 300);
		assert_true(ks_analysis_ignored(l->a) > 0);
		lab_free(l);
	}
}

/* One burst over many waits, one behind the other: each has its part of the exits. */
static void burst_of_many_waits(void **state)
{
	struct lab *l = lab_new(2);
	const uint64_t n = 600, step = 25000, from = 100 * MS;
	uint64_t t;

	(void)state;
	l->host_meta = "{\"vms\":{\"77\":{\"name\":\"vm\"}},\"mode\":\"bursts\"}";
	for (t = from; t < from + n * step; t += step) {
		lock_try(l, t + 1, 1, LOCK, 0);
		lock_acq(l, t + step - 1, 1, LOCK, 0, t + 1);
	}
	put_host(l, (struct ks_rec){ .time = from + n * step,
				     .type = KS_BURST,
				     .id = 1,
				     .cpu = 1,
				     .flags = KS_F_IP,
				     .a = KERNEL_IP,
				     .b = n * step << 32 | 3 * n });
	end_at(l, 300 * MS);
	lab_run(l);
	assert_int_equal(l->nwaits, n);
	assert_int_equal(vm_totals(l)->ple_per_wait[0], 3);
	assert_true(l->ple[KS_C_OTHER] <= 1);
	lab_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bursts_of_single_exits),
		cmocka_unit_test(folded_bursts),
		cmocka_unit_test(gap_as_recorded),
		cmocka_unit_test(burst_over_a_border),
		cmocka_unit_test(burst_told_later),
		cmocka_unit_test(burst_out_of_order),
		cmocka_unit_test(exits_outside_waits),
		cmocka_unit_test(user_mode_ends_a_wait),
		cmocka_unit_test(exits_per_acquisition),
		cmocka_unit_test(states),
		cmocka_unit_test(runs_all_the_time),
		cmocka_unit_test(wake_overtakes_departure),
		cmocka_unit_test(migrations),
		cmocka_unit_test(guest_longer_than_the_host),
		cmocka_unit_test(wasted_idle),
		cmocka_unit_test(wasted_idle_in_a_loss),
		cmocka_unit_test(wasted_idle_until_a_loss),
		cmocka_unit_test(hostile_guest),
		cmocka_unit_test(burst_of_many_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
