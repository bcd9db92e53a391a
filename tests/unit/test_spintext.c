// SPDX-License-Identifier: GPL-2.0
/* Which functions lead to the slow path on behalf of a spinlock: those of rwlocks lie among them, and do so, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "spintext.h"
#include "symbols.h"

static const char kallsyms[] = "ffffffff81000000 T _stext\n"
			       "ffffffff8208cd20 T _raw_spin_trylock\n"
			       "ffffffff8208cd80 T _raw_spin_lock\n"
			       "ffffffff8208cdb0 T _raw_spin_lock_irqsave\n"
			       "ffffffff8208ce00 T _raw_read_lock_irqsave\n"
			       "ffffffff8208ce60 T _raw_spin_lock_irq\n"
			       "ffffffff8208cea0 T _raw_write_lock_irqsave\n"
			       "ffffffff8208cf00 T _raw_spin_unlock\n"
			       "ffffffff82400000 T _etext\n";

static struct ks_code_range spin[KS_SPIN_FUNCTIONS], text;

static void read_text(const char *kallsyms_text)
{
	struct ks_symbols *s;

	memset(spin, 0, sizeof(spin));
	memset(&text, 0, sizeof(text));
	assert_int_equal(ks_symbols_parse(&s, kallsyms_text, strlen(kallsyms_text), NULL), 0);
	ks_spin_text_in(s, spin, &text);
	ks_symbols_free(s);
}

static bool is_in(uint64_t ip)
{
	bool is = false;

	for (int i = 0; i < KS_SPIN_FUNCTIONS; i++)
		is |= ip >= spin[i].start && ip < spin[i].end;
	return is;
}

static void only_spinlocks(void **state)
{
	(void)state;
	read_text(kallsyms);
	assert_true(is_in(0xffffffff8208cd90));
	assert_true(is_in(0xffffffff8208cdf0));
	assert_true(is_in(0xffffffff8208ce90));
	assert_false(is_in(0xffffffff8208cd70));
	assert_false(is_in(0xffffffff8208ce40));
	assert_false(is_in(0xffffffff8208ced0));
	assert_false(is_in(0xffffffff8208cf10));
	assert_int_equal(text.start, 0xffffffff81000000);
	assert_int_equal(text.end, 0xffffffff82400000);
}

/* No lock function is so long as what lies behind the last one. */
static void the_last_one(void **state)
{
	(void)state;
	read_text("ffffffff8208cd80 T _raw_spin_lock\nffffffff82090000 T other\n");
	assert_int_equal(spin[0].end, 0xffffffff8208ce80);
	read_text("ffffffff8208cd80 T _raw_spin_lock\n");
	assert_int_equal(spin[0].end, 0xffffffff8208ce80);
	assert_int_equal(text.end, 0);
}

static void none(void **state)
{
	(void)state;
	read_text("ffffffff8208cd80 T _raw_spin_lock_irq\n");
	assert_int_equal(spin[0].end, 0);
	assert_false(is_in(0xffffffff8208cd90));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_spinlocks),
		cmocka_unit_test(the_last_one),
		cmocka_unit_test(none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
