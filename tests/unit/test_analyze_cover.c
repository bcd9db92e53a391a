// SPDX-License-Identifier: GPL-2.0
/* Losses by themselves: which are known ahead, and until when a release may be lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "loss.h"

#define MANY 250000u

static struct ks_rec loss(uint64_t from, uint64_t to, uint16_t ring, uint8_t type, uint64_t count)
{
	return (struct ks_rec){
		.time = to, .type = KS_LOSS, .flags = type, .cpu = ring, .a = from, .b = count
	};
}

static int late(struct an_losses *l, struct ks_rec rec)
{
	struct an_loss x;

	return an_losses_late(l, &rec, NULL, NULL, &x);
}

/* As many as there can be: in order, each found again when the stream brings it. */
static void known_ahead(void **state)
{
	struct ks_rec *ctl = calloc(MANY, sizeof(*ctl));
	struct an_losses l;
	uint64_t sum = 0;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++)
		ctl[i] = loss(10 * ((i * 7919ull) % MANY), 10 * ((i * 7919ull) % MANY) + i % 1000,
			      i % 64, i % 7, 1 + i % 5);
	assert_int_equal(an_losses_init(&l, ctl, MANY, NULL, NULL), 0);
	assert_int_equal(l.n, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		sum += l.v[i].count;
		assert_true(!i || l.v[i - 1].from <= l.v[i].from);
		assert_int_equal(late(&l, ctl[i]), AN_LOSS_KNOWN);
	}
	assert_int_equal(sum, 3 * MANY);
	assert_int_equal(l.late_to, 0);
	an_losses_free(&l);
	free(ctl);
}

/* A chunk that cannot be read comes twice, and so do those of other rings at the same time. */
static void halves_belong_together(void **state)
{
	struct an_losses l;

	(void)state;
	assert_int_equal(an_losses_init(&l, NULL, 0, NULL, NULL), 0);
	assert_int_equal(late(&l, loss(100, 200, 3, KS_NONE, 1)), AN_LOSS_NEW);
	assert_int_equal(late(&l, loss(100, 200, 4, KS_NONE, 1)), AN_LOSS_NEW);
	assert_int_equal(late(&l, loss(100, 200, 3, KS_NONE, 40)), AN_LOSS_MORE);
	assert_int_equal(late(&l, loss(100, 200, 4, KS_NONE, 40)), AN_LOSS_MORE);
	assert_int_equal(late(&l, loss(200, 300, 3, KS_NONE, 1)), AN_LOSS_NEW);
	assert_int_equal(l.late_to, 300);
	an_losses_free(&l);
}

static void floor_of_both(void **state)
{
	struct ks_rec ctl[] = { loss(100, 200, 0, KS_LOCK_REL, 1), loss(150, 160, 1, KS_NONE, 1),
				loss(300, 400, 0, KS_LOCK_TRY, 1), loss(500, 600, 0, KS_NONE, 1) };
	struct an_losses l;

	(void)state;
	assert_int_equal(an_losses_init(&l, ctl, 4, NULL, NULL), 0);
	assert_int_equal(an_losses_floor(&l, 99), 0);
	assert_int_equal(an_losses_floor(&l, 100), 200);
	assert_int_equal(an_losses_floor(&l, 450), 200);
	assert_int_equal(an_losses_floor(&l, 500), 600);
	late(&l, loss(310, 420, 0, KS_NONE, 1));
	late(&l, loss(700, 710, 0, KS_NONE, 1));
	assert_int_equal(an_losses_floor(&l, 309), 200);
	assert_int_equal(an_losses_floor(&l, 450), 420);
	assert_int_equal(an_losses_floor(&l, 650), 600);
	assert_int_equal(an_losses_floor(&l, 1000), 710);
	late(&l, loss(415, 705, 1, KS_NONE, 1)); /* comes late itself */
	assert_int_equal(an_losses_floor(&l, 415), 710);
	an_losses_free(&l);
}

/* A file full of chunks that cannot be read: the last ones are exact, none is forgotten. */
static void late_without_end(void **state)
{
	struct an_losses l;

	(void)state;
	assert_int_equal(an_losses_init(&l, NULL, 0, NULL, NULL), 0);
	for (uint64_t i = 1; i <= MANY; i++)
		assert_int_equal(late(&l, loss(i * 100, i * 100 + 10, i % 9, KS_NONE, 1)),
				 AN_LOSS_NEW);
	assert_in_range(l.late_cover.n, 1000, 5000);
	for (uint64_t i = 1; i <= MANY; i++)
		assert_true(an_losses_floor(&l, i * 100) >= i * 100 + 10);
	for (uint64_t i = MANY - 1000; i <= MANY; i++)
		assert_int_equal(an_losses_floor(&l, i * 100 + 99), i * 100 + 10);
	an_losses_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_ahead),
		cmocka_unit_test(halves_belong_together),
		cmocka_unit_test(floor_of_both),
		cmocka_unit_test(late_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
