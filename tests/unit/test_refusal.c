// SPDX-License-Identifier: GPL-2.0
/* A guest whose lock page its host does not read: what it hears, and when it tries again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "patience.h"
#include "refusal.h"

/* What the guest hears of who may say more, or less, or something else. */
static void refusals(void **state)
{
	struct ks_lp_refusal say[3] = { { KS_LP_MAGIC, 1 << 20 }, { 1, 2 }, { 3, 4 } };
	struct ks_refusal r = { 0 };
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_int_equal(ks_refusal_hear(&r, fd[0]), 0);
	assert_int_equal(write(fd[1], say, 7), 7);
	assert_int_equal(ks_refusal_hear(&r, fd[0]), 0);
	assert_null(ks_refusal_words(&r));
	assert_int_equal(write(fd[1], (char *)say + 7, sizeof(say) - 7), sizeof(say) - 7);
	assert_int_equal(ks_refusal_hear(&r, fd[0]), 0);
	assert_string_equal(ks_refusal_words(&r), "something failed there");
	r.in.magic++;
	assert_null(ks_refusal_words(&r));
	/* Not an end, but no connection any more: as for a VM that has been migrated. */
	assert_int_equal(write(fd[0], say, 1), 1);
	close(fd[1]);
	assert_int_equal(ks_refusal_hear(&r, fd[0]), -ECONNRESET);
	close(fd[0]);
}

/* How often are programs loaded in an hour for a host that hangs up after so many seconds? */
static unsigned int tries_in_an_hour(uint64_t seconds)
{
	struct ks_patience p = { 0 };
	unsigned int n = 0;
	uint64_t now;

	for (now = 0; now < 3600; now++) {
		if (!ks_patience_may_try(&p, now * 1000000000))
			continue;
		n++;
		now += seconds;
		ks_patience_hung_up(&p, seconds * 1000000000, now * 1000000000);
	}
	return n;
}

static void patience(void **state)
{
	struct ks_patience p = { 0 };

	(void)state;
	assert_in_range(tries_in_an_hour(1), 15, 25);
	assert_in_range(tries_in_an_hour(9), 15, 25);
	assert_in_range(tries_in_an_hour(10), 300, 330);
	/* Hung up on once it is there again with the next second; then not. */
	ks_patience_hung_up(&p, 0, 1000000000);
	assert_false(ks_patience_is_tried(&p));
	assert_true(ks_patience_may_try(&p, 2000000000));
	ks_patience_hung_up(&p, 0, 2000000000);
	assert_true(ks_patience_is_tried(&p));
	assert_false(ks_patience_may_try(&p, 3000000000));
	assert_true(ks_patience_may_try(&p, 4000000000));
	/* Nobody listens any more: who does next is asked at once. */
	ks_patience_anew(&p);
	assert_true(ks_patience_may_try(&p, 0));
	assert_false(ks_patience_is_tried(&p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(patience),
	};

	return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
