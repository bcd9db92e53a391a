// SPDX-License-Identifier: GPL-2.0
/* Formats of tracepoints: real ones of four kernels, and what a hostile guest could send. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "encode.h"

#define COMMON                                                                                     \
	"format:\n"                                                                                \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"                     \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"             \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

/* Linux 6.1 has the name in an array, 6.18 and later behind the fixed part. */
static const char migrate_61[] = "name: sched_migrate_task\nID: 318\n" COMMON
				 "\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:1;\n"
				 "\tfield:pid_t pid;\toffset:24;\tsize:4;\tsigned:1;\n"
				 "\tfield:int prio;\toffset:28;\tsize:4;\tsigned:1;\n"
				 "\tfield:int orig_cpu;\toffset:32;\tsize:4;\tsigned:1;\n"
				 "\tfield:int dest_cpu;\toffset:36;\tsize:4;\tsigned:1;\n\n"
				 "print fmt: \"comm=%s\", REC->comm\n";
static const char migrate_72[] = "name: sched_migrate_task\nID: 309\n" COMMON
				 "\tfield:__data_loc char[] comm;\toffset:8;\tsize:4;\tsigned:0;\n"
				 "\tfield:pid_t pid;\toffset:12;\tsize:4;\tsigned:1;\n"
				 "\tfield:int prio;\toffset:16;\tsize:4;\tsigned:1;\n"
				 "\tfield:int orig_cpu;\toffset:20;\tsize:4;\tsigned:1;\n"
				 "\tfield:int dest_cpu;\toffset:24;\tsize:4;\tsigned:1;\n\n"
				 "print fmt: \"comm=%s\", __get_str(comm)\n";

static uint32_t u32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static size_t encode(const char *text, uint8_t raw[KS_PD_RAW_MAX])
{
	const struct ks_pd_values v = { .v = { 4242, 3, 7 },
					.tid = 99,
					.comm0 = "a name of 16 chars or more" };
	struct ks_tp_format f;
	struct ks_pd_plan p;

	assert_int_equal(ks_tp_parse(&f, text, strlen(text)), 0);
	assert_int_equal(ks_pd_plan_make(&p, &f, &ks_pd_tracepoints[PD_MIGRATE], 60001, 2), 0);
	return ks_pd_encode(&p, &v, raw);
}

static void by_array(void **state)
{
	uint8_t raw[KS_PD_RAW_MAX];

	(void)state;
	assert_int_equal(encode(migrate_61, raw), 40);
	assert_int_equal(u32_at(raw), 60001);
	assert_int_equal(u32_at(raw + 4), 99);
	assert_string_equal((char *)raw + 8, "a name of 16 ch");
	assert_int_equal(u32_at(raw + 24), 4242);
	assert_int_equal(u32_at(raw + 28), 120);
	assert_int_equal(u32_at(raw + 32), 3);
	assert_int_equal(u32_at(raw + 36), 7);
}

static void by_data_loc(void **state)
{
	const char name[] = "a name of 16 chars or more";
	uint8_t raw[KS_PD_RAW_MAX];

	(void)state;
	assert_int_equal(encode(migrate_72, raw), 28 + sizeof(name));
	assert_int_equal(u32_at(raw + 8), sizeof(name) << 16 | 28);
	assert_string_equal((char *)raw + 28, name);
	assert_int_equal(u32_at(raw + 12), 4242);
	assert_int_equal(u32_at(raw + 20), 3);
	assert_int_equal(u32_at(raw + 24), 7);
}

/* What is printed is parsed again as the same, with the id that was asked for. */
static void print_again(void **state)
{
	const char *const texts[] = { migrate_61, migrate_72 };
	struct ks_tp_format f, g;
	char *text = NULL;
	size_t i, size = 0;
	FILE *mem;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(ks_tp_parse(&f, texts[i], strlen(texts[i])), 0);
		mem = open_memstream(&text, &size);
		assert_non_null(mem);
		ks_tp_print(&f, 77, f.print, f.print_len, mem);
		fclose(mem);
		assert_int_equal(ks_tp_parse(&g, text, size), 0);
		assert_int_equal(g.id, 77);
		assert_int_equal(g.nfields, f.nfields);
		assert_memory_equal(g.field, f.field, sizeof(f.field));
		assert_int_equal(g.print_len, f.print_len);
		assert_memory_equal(g.print, f.print, f.print_len);
		free(text);
	}
}

/* Every default is whole, and says how it is printed. */
static void defaults(void **state)
{
	const struct ks_pd_tracepoint *tp;
	struct ks_tp_format f;
	struct ks_pd_plan p;
	char *print;
	int e;

	(void)state;
	for (e = 0; e < PD_EVENTS; e++) {
		tp = &ks_pd_tracepoints[e];
		assert_int_equal(ks_tp_parse(&f, tp->format, strlen(tp->format)), 0);
		assert_string_equal(f.name, tp->name);
		assert_int_equal(ks_pd_plan_make(&p, &f, tp, f.id, 1), 0);
		print = ks_pd_print_format(&f, tp);
		assert_non_null(print);
		assert_int_equal(print[0], '"');
		free(print);
	}
}

#define HEAD "name: x\nID: 1\n" COMMON
#define F(decl, offset, size) "\tfield:" decl ";\toffset:" offset ";\tsize:" size ";\tsigned:0;\n"

static void refused(void **state)
{
	static const char *const bad[] = {
		"",
		"name: x\n",
		"name: x\nID: 70000\n" COMMON,
		"name: x\nID: -1\n" COMMON,
		"name: x y\nID: 1\n" COMMON,
		"name: ../x\nID: 1\n" COMMON,
		"name: x\nID: 1\nformat:\n",			  /* no fields at all */
		"name: x\nID: 1\nformat:\n" F("int a", "0", "4"), /* no common_type */
		HEAD F("int a", "1021", "4"),			  /* ends behind the limit */
		HEAD F("int a", "99999999999999999999", "4"),	  /* too many digits */
		HEAD F("int a", "4294967288", "16"),		  /* would wrap around */
		HEAD F("int a", "8", "0"),
		HEAD F("int a", "8", "-4"),
		HEAD F("int a", " 8", "4"),
		HEAD F("int a", "8", "4 "),
		HEAD F("int 4a", "8", "4"),
		HEAD F("int", "8", "4"),
		HEAD F("int a;b", "8", "4"),
		HEAD F("int a\"b", "8", "4"),
		HEAD F("int a\033[2Jb", "8", "4"),
		HEAD F("int a", "8", "4") F("int a", "12", "4"), /* twice */
		HEAD F("__data_loc char[] a", "8", "2"),
		HEAD F("[]", "8", "4"),
		HEAD F("]", "8", "4"),
		HEAD F("", "8", "4"),
		HEAD "\tfield:int a;\toffset:8;\tsize:4;\tsigned:2;\n",
		HEAD "\tfield:int a;\toffset:8;\tsize:4;\tsigned:0;x\n",
		HEAD "\tfield:int a;\toffset:8;\tsize:4;",
		HEAD "something else\n",
	};
	struct ks_tp_format f;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ks_tp_parse(&f, bad[i], strlen(bad[i])) != -EINVAL)
			fail_msg("taken: %s", bad[i]);
}

static void too_much(void **state)
{
	size_t room = 200000, n = 0;
	char *text = malloc(room);
	struct ks_tp_format f;
	int i;

	(void)state;
	assert_non_null(text);
	n = snprintf(text, room, HEAD);
	for (i = 0; i < 64; i++)
		n += snprintf(text + n, room - n, F("int a%d", "8", "4"), i);
	assert_int_equal(ks_tp_parse(&f, text, n), -EINVAL);
	n = snprintf(text, room, HEAD "print fmt: ");
	memset(text + n, 'x', room - n);
	assert_int_equal(ks_tp_parse(&f, text, room), -EINVAL);
	assert_int_equal(ks_tp_parse(&f, text, 1000), 0);
	/* A print format with control characters is not kept. */
	text[500] = '\033';
	assert_int_equal(ks_tp_parse(&f, text, 1000), 0);
	assert_null(f.print);
	free(text);
}

/* Layouts that parse and cannot hold what is to be written. */
static void no_plan(void **state)
{
	static const char *const bad[] = {
		HEAD,
		HEAD F("unsigned int vcpu_id", "8", "3"),
		HEAD F("unsigned int vcpu_id", "8", "16"),
		HEAD F("char vcpu_id[4]", "8", "4"),
		HEAD F("__data_loc char[] vcpu_id", "8", "4"),
	};
	struct ks_tp_format f;
	struct ks_pd_plan p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ks_tp_parse(&f, bad[i], strlen(bad[i])), 0);
		assert_int_equal(ks_pd_plan_make(&p, &f, &ks_pd_tracepoints[PD_KVM_ENTRY], 1, 2),
				 -EINVAL);
	}
}

/* The last byte that a layout may name, and a name as long as they come. */
static void at_the_edge(void **state)
{
	const struct ks_pd_values v = { .v = { 1, 2, 3 },
					.comm0 = "0123456789abcdef0123456789abcdef"
						 "0123456789abcdef0123456789abcdef"
						 "0123456789abcdef" };
	const char text[] = HEAD F("__data_loc char[] comm", "8", "4") F("pid_t pid", "12", "4")
		F("int orig_cpu", "1020", "4") F("int dest_cpu", "1016", "4");
	uint8_t raw[KS_PD_RAW_MAX + 8];
	struct ks_tp_format f;
	struct ks_pd_plan p;

	(void)state;
	memset(raw, 0xee, sizeof(raw));
	assert_int_equal(ks_tp_parse(&f, text, strlen(text)), 0);
	assert_int_equal(ks_pd_plan_make(&p, &f, &ks_pd_tracepoints[PD_MIGRATE], 1, 2), 0);
	assert_int_equal(ks_pd_encode(&p, &v, raw), KS_TP_SIZE + KS_PD_STRING);
	assert_int_equal(u32_at(raw + 1020), 2);
	assert_int_equal(raw[KS_TP_SIZE + KS_PD_STRING - 1], 0);
	assert_int_equal(raw[KS_TP_SIZE + KS_PD_STRING], 0xee);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_array),    cmocka_unit_test(by_data_loc),
		cmocka_unit_test(print_again), cmocka_unit_test(defaults),
		cmocka_unit_test(refused),     cmocka_unit_test(too_much),
		cmocka_unit_test(no_plan),     cmocka_unit_test(at_the_edge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
