// SPDX-License-Identifier: GPL-2.0
/* The consumer's side of the rings, with a producer that follows bpf/ring.bpf.h, in C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "rings.h"

#define CPUS 3
#define SLOTS 256

struct world {
	struct ks_ring *ctl;
	struct ks_rec *slots;
	struct ks_rings *rings;
	uint64_t seen[CPUS], next[CPUS], lost, loss_from, loss_to;
	bool any_type;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	int fd = memfd_create("slots", 0);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, CPUS * SLOTS * sizeof(struct ks_rec)), 0);
	w->slots = mmap(NULL, CPUS * SLOTS * sizeof(struct ks_rec), PROT_READ | PROT_WRITE,
			MAP_SHARED, fd, 0);
	assert_true(w->slots != MAP_FAILED);
	w->ctl = aligned_alloc(64, CPUS * sizeof(*w->ctl));
	memset(w->ctl, 0, CPUS * sizeof(*w->ctl));
	assert_int_equal(ks_rings_new(&w->rings, w->ctl, fd, CPUS, SLOTS), 0);
	close(fd);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ks_rings_free(w->rings);
	munmap(w->slots, CPUS * SLOTS * sizeof(struct ks_rec));
	free(w->ctl);
	free(w);
	return 0;
}

/* Reserve as the probe does; NULL if there is no room. */
static struct ks_rec *reserve(struct world *w, unsigned int cpu, uint8_t type)
{
	struct ks_ring *r = &w->ctl[cpu];

	if (r->head - r->tail >= SLOTS - KS_RING_MARGIN) {
		r->lost[type]++;
		return NULL;
	}
	return &w->slots[cpu * SLOTS + (r->head++ & (SLOTS - 1))];
}

static void commit(struct ks_rec *rec, uint64_t number)
{
	rec->a = number;
	rec->time = number;
	__atomic_store_n(&rec->type, KS_PAUSE, __ATOMIC_RELEASE);
}

static uint64_t produce(struct world *w, unsigned int cpu, uint64_t first, unsigned int n)
{
	while (n--) {
		struct ks_rec *rec = reserve(w, cpu, KS_PAUSE);

		if (rec)
			commit(rec, first++);
	}
	return first;
}

static int consume(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	struct world *w = ctx;
	size_t i;

	for (i = 0; i < n; i++) {
		if (recs[i].type == KS_LOSS) {
			assert_int_equal(recs[i].flags, w->any_type ? KS_NONE : KS_PAUSE);
			assert_int_equal(recs[i].cpu, ring);
			w->lost += recs[i].b;
			w->loss_from = recs[i].a;
			w->loss_to = recs[i].time;
			continue;
		}
		assert_int_equal(recs[i].a, w->next[ring]++);
		w->seen[ring]++;
	}
	return 0;
}

static void drain(struct world *w)
{
	assert_int_equal(ks_rings_drain(w->rings, consume, w), 0);
}

/* Many times round, all in order, nothing lost. */
static void round_and_round(void **state)
{
	struct world *w = *state;
	uint64_t next[CPUS] = { 0 };
	unsigned int i, cpu;

	for (i = 0; i < 1000; i++) {
		for (cpu = 0; cpu < CPUS; cpu++)
			next[cpu] = produce(w, cpu, next[cpu],
					    (i * 7 + cpu) % (SLOTS - KS_RING_MARGIN));
		drain(w);
	}
	for (cpu = 0; cpu < CPUS; cpu++)
		assert_int_equal(w->seen[cpu], next[cpu]);
	assert_int_equal(w->lost, 0);
	assert_int_equal(ks_rings_lost(w->rings), 0);
}

/* Seen + lost = produced, exactly, and each loss is told once. */
static void losses_are_exact(void **state)
{
	struct world *w = *state;
	uint64_t next = 0, produced = 0;
	unsigned int i;

	for (i = 0; i < 50; i++) {
		next = produce(w, 1, next, 300);
		produced += 300;
		drain(w);
		drain(w);
		assert_true(w->loss_from <= w->loss_to);
	}
	assert_int_equal(w->seen[1] + w->lost, produced);
	assert_true(w->lost > 0);
	assert_int_equal(ks_rings_lost(w->rings), w->lost);
	assert_int_equal(ks_rings_seen(w->rings), w->seen[1]);
}

static int keep_loss(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	struct ks_rec *loss = ctx;

	(void)ring;
	if (n == 1 && recs->type == KS_LOSS)
		*loss = *recs;
	return 0;
}

/* A burst is told when it is over: one that was lost may have begun a second before. */
static void lost_burst_reaches_back(void **state)
{
	struct world *w = *state;
	struct ks_rec pause = { 0 }, burst = { 0 };

	drain(w);
	w->ctl[0].lost[KS_PAUSE] = 1;
	ks_rings_drain(w->rings, keep_loss, &pause);
	w->ctl[0].lost[KS_BURST] = 7;
	ks_rings_drain(w->rings, keep_loss, &burst);
	assert_int_equal(pause.flags, KS_PAUSE);
	assert_int_equal(burst.flags, KS_BURST);
	assert_int_equal(burst.b, 7);
	assert_true(pause.a <= pause.time && burst.a < pause.time);
	assert_in_range(burst.time - burst.a, KS_BURST_MAX_NS, UINT64_MAX);
}

/* A slot that is reserved and not yet written stops the consumer there, and loses nothing. */
static void uncommitted_slot_waits(void **state)
{
	struct world *w = *state;
	struct ks_rec *open;

	produce(w, 0, 0, 5);
	open = reserve(w, 0, KS_PAUSE);
	produce(w, 0, 6, 3);
	drain(w);
	assert_int_equal(w->seen[0], 5);
	commit(open, 5);
	drain(w);
	assert_int_equal(w->seen[0], 9);
}

/* At the end, what lies behind a slot that nobody will write any more counts as lost. */
static void finish_counts_the_rest(void **state)
{
	struct world *w = *state;

	produce(w, 0, 0, 5);
	assert_non_null(reserve(w, 0, KS_PAUSE));
	produce(w, 0, 6, 3);
	w->any_type = true;
	assert_int_equal(ks_rings_finish(w->rings, consume, w), 0);
	assert_int_equal(w->seen[0] + w->lost, 9);
	assert_int_equal(w->lost, 4);
	drain(w);
	assert_int_equal(w->seen[0] + w->lost, 9);
}

static void fill_is_told(void **state)
{
	struct world *w = *state;

	produce(w, 2, 0, SLOTS / 2);
	drain(w);
	assert_int_equal(ks_rings_fill(w->rings), 50);
	drain(w);
	assert_int_equal(ks_rings_fill(w->rings), 0);
}

static int refuse(void *ctx, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	(void)ctx;
	(void)ring;
	(void)recs;
	(void)n;
	return -28;
}

static void errors_come_back(void **state)
{
	struct world *w = *state;

	produce(w, 0, 0, 5);
	assert_int_equal(ks_rings_drain(w->rings, refuse, NULL), -28);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(round_and_round, setup, teardown),
		cmocka_unit_test_setup_teardown(losses_are_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(lost_burst_reaches_back, setup, teardown),
		cmocka_unit_test_setup_teardown(uncommitted_slot_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(finish_counts_the_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(fill_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(errors_come_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
