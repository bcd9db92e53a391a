// SPDX-License-Identifier: GPL-2.0
/* What the report makes of one host's recording that is written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define START 1000000ull

static char dir[64], path[96];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kvmsched-test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/host.kvs", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

/* ---- the recording ---- */

static struct ks_writer *host_new(void)
{
	struct json_object *m = json_tokener_parse("{\"isa\":\"svm\"}");
	struct ks_writer *w;

	assert_int_equal(ks_writer_open(&w, path, KS_SIDE_HOST, 1, NULL), 0);
	assert_int_equal(ks_writer_meta(w, m), 0);
	json_object_put(m);
	return w;
}

static void add(struct ks_writer *w, struct ks_rec r)
{
	assert_int_equal(ks_writer_add(w, 0, &r, 1), 0);
}

static void vcpu_new(struct ks_writer *w, uint32_t slot, uint32_t tgid, uint32_t id)
{
	add(w, (struct ks_rec){ .time = START,
				.type = KS_VCPU_NEW,
				.id = slot,
				.a = (uint64_t)tgid << 32 | (100000 + slot),
				.b = id });
}

static void host_end(struct ks_writer *w)
{
	assert_int_equal(ks_writer_close(w, NULL), 0);
}

/* ---- the report ---- */

static struct ks_report *report_run(const struct ks_report_opts *o, struct ks_session **s)
{
	struct ks_session_opts so = { .host = path };
	struct ks_analysis_ops ops = { 0 };
	struct ks_report *r;

	assert_int_equal(ks_session_open(s, &so, NULL), 0);
	assert_int_equal(ks_report_new(&r, o), 0);
	ks_report_ops(r, &ops);
	assert_int_equal(ks_session_start(*s, NULL, &ops, NULL), 0);
	ks_report_begin(r, *s);
	assert_int_equal(ks_session_run(*s, NULL, NULL), 0);
	assert_int_equal(ks_report_finish(r, *s), 0);
	return r;
}

/* The list of VMs. The whole is the caller's to put. */
static struct json_object *report_json(const struct ks_report_opts *o, struct json_object **whole)
{
	struct ks_session *s;
	struct ks_report *r = report_run(o, &s);
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_int_equal(ks_report_json(&r, 1, KS_REPORT_PLE, true, f), 0);
	fclose(f);
	*whole = json_tokener_parse(text);
	assert_non_null(*whole);
	free(text);
	ks_report_free(r);
	ks_session_close(s);
	return json_object_object_get(
		json_object_array_get_idx(json_object_object_get(*whole, "traces"), 0), "vms");
}

static struct json_object *nth(struct json_object *list, size_t i)
{
	return json_object_array_get_idx(list, i);
}

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *v = json_object_object_get(o, key);

	assert_non_null(v);
	return v;
}

static uint64_t number(struct json_object *o, const char *key)
{
	return json_object_get_uint64(member(o, key));
}

/* ---- exits by reason ---- */

#define VMS 512u
#define VCPUS 4u /* of each */
#define REASONS 20u

static void assert_exit(struct json_object *list, size_t i, uint64_t reason, uint64_t count)
{
	assert_int_equal(number(nth(list, i), "reason"), reason);
	assert_int_equal(number(nth(list, i), "count"), count);
}

static void exits(void **state)
{
	/* In any order, one reason told twice, one of them of no vCPU, one of nothing. */
	static const struct ks_exit_count counts[] = {
		{ 1, 0x78, 5 }, { 0, 0x77, 3 }, { 0, 0x60, 4 }, { 7, 0x60, 99 },
		{ 0, 0x77, 2 }, { 0, 0x64, 0 }, { 2, 0x60, 8 },
	};
	struct ks_writer *w = host_new();
	struct json_object *vms, *vcpus, *whole;

	(void)state;
	vcpu_new(w, 0, 71, 0);
	vcpu_new(w, 1, 71, 1);
	vcpu_new(w, 2, 72, 0);
	vcpu_new(w, 3, 72, 1);
	assert_int_equal(ks_writer_exit_counts(w, counts, sizeof(counts) / sizeof(counts[0])), 0);
	host_end(w);
	vms = report_json(NULL, &whole);
	assert_int_equal(json_object_array_length(member(nth(vms, 0), "exits")), 3);
	assert_exit(member(nth(vms, 0), "exits"), 0, 0x77, 5);
	assert_exit(member(nth(vms, 0), "exits"), 1, 0x78, 5);
	assert_exit(member(nth(vms, 0), "exits"), 2, 0x60, 4);
	vcpus = member(nth(vms, 0), "vcpus");
	assert_int_equal(json_object_array_length(member(nth(vcpus, 0), "exits")), 2);
	assert_exit(member(nth(vcpus, 0), "exits"), 0, 0x77, 5);
	assert_exit(member(nth(vcpus, 1), "exits"), 0, 0x78, 5);
	assert_exit(member(nth(vms, 1), "exits"), 0, 0x60, 8);
	vcpus = member(nth(vms, 1), "vcpus");
	assert_int_equal(json_object_array_length(member(nth(vcpus, 1), "exits")), 0);
	json_object_put(whole);
}

/* What a large host has is done in a second; with each counter looked at for each vCPU, in minutes. */
static void many_exits(void **state)
{
	static struct ks_exit_count counts[VMS * VCPUS * REASONS];
	struct ks_writer *w = host_new();
	struct json_object *vms, *whole;
	clock_t began;
	uint32_t i;

	(void)state;
	for (i = 0; i < VMS * VCPUS; i++)
		vcpu_new(w, i, 1000 + i / VCPUS, i % VCPUS);
	for (i = 0; i < VMS * VCPUS * REASONS; i++)
		counts[i] = (struct ks_exit_count){ i / REASONS, i % REASONS, 1 + i % REASONS };
	assert_int_equal(ks_writer_exit_counts(w, counts, VMS * VCPUS * REASONS), 0);
	host_end(w);
	began = clock();
	vms = report_json(NULL, &whole);
	assert_true(clock() - began < 10 * CLOCKS_PER_SEC);
	assert_int_equal(json_object_array_length(vms), VMS);
	assert_exit(member(nth(vms, VMS - 1), "exits"), 0, REASONS - 1, VCPUS * REASONS);
	json_object_put(whole);
}

/* ---- where it spun ---- */

#define KERNEL 0xffffffff81000000ull
#define MODULE 0xffffffffc0000000ull

/* At so many addresses, 16 apart, ten exits each. */
static void spin_at(struct ks_writer *w, uint64_t *t, uint64_t ip, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n * 10; i++)
		add(w, (struct ks_rec){ .time = *t += 1000,
					.type = KS_PAUSE,
					.flags = KS_F_IP,
					.a = ip + i / 10 * 16 });
}

static const char *two_functions(void *ctx, uint32_t vm, uint64_t addr, char *buf, size_t len)
{
	(void)ctx;
	assert_int_equal(vm, 0);
	if (addr < KERNEL)
		return NULL;
	if (addr >= MODULE)
		snprintf(buf, len, "spin_in+0x%x [module]", (unsigned int)(addr - MODULE));
	else
		snprintf(buf, len, "spin+0x%x (file.c:%u)", (unsigned int)(addr - KERNEL),
			 (unsigned int)addr % 99);
	return buf;
}

static void assert_spin(struct json_object *vm, size_t i, const char *function, uint64_t ple)
{
	struct json_object *s = nth(member(vm, "spinning"), i);

	assert_non_null(s);
	assert_string_equal(json_object_get_string(member(s, "function")), function);
	assert_int_equal(number(s, "ple"), ple);
}

/* However many addresses they have. */
static void spins_by_function(void **state)
{
	struct ks_report_opts o = { .sym = two_functions };
	struct ks_writer *w = host_new();
	struct json_object *vm, *whole;
	uint64_t t = START;

	(void)state;
	vcpu_new(w, 0, 71, 0);
	spin_at(w, &t, KERNEL, 2000);
	spin_at(w, &t, 0x7f0000001230ull, 3000);
	spin_at(w, &t, MODULE, 1500);
	spin_at(w, &t, KERNEL, 2000);
	host_end(w);
	vm = nth(report_json(&o, &whole), 0);
	assert_int_equal(json_object_array_length(member(vm, "spinning")), 3);
	assert_spin(vm, 0, "spin", 40000);
	assert_spin(vm, 1, "(guest user space)", 30000);
	assert_spin(vm, 2, "spin_in", 15000);
	assert_int_equal(number(vm, "spinning_elsewhere"), 0);
	json_object_put(whole);
}

/* Each address of the kernel is a function of its own then. */
static void spins_without_symbols(void **state)
{
	struct ks_writer *w = host_new();
	struct json_object *vm, *whole;
	uint64_t t = START;
	int i;

	(void)state;
	vcpu_new(w, 0, 71, 0);
	spin_at(w, &t, 0x7f0000001230ull, 3000);
	spin_at(w, &t, KERNEL, 1);
	for (i = 0; i < 10; i++)
		spin_at(w, &t, MODULE, 1);
	host_end(w);
	vm = nth(report_json(NULL, &whole), 0);
	assert_int_equal(json_object_array_length(member(vm, "spinning")), 3);
	assert_spin(vm, 0, "(guest user space)", 30000);
	assert_spin(vm, 1, "0xffffffffc0000000", 100);
	assert_spin(vm, 2, "0xffffffff81000000", 10);
	assert_int_equal(number(vm, "spinning_elsewhere"), 0);
	json_object_put(whole);
}

/* Of 1,024 functions it is known how often; what the others have is not lost either. */
static void spins_without_room(void **state)
{
	struct ks_writer *w = host_new();
	struct json_object *vm, *whole;
	uint64_t t = START;

	(void)state;
	vcpu_new(w, 0, 71, 0);
	spin_at(w, &t, 0x7f0000001230ull, 100);
	spin_at(w, &t, KERNEL, 3000);
	host_end(w);
	vm = nth(report_json(NULL, &whole), 0);
	assert_spin(vm, 0, "(guest user space)", 1000);
	assert_int_equal(number(vm, "pause"), 31000);
	assert_int_equal(number(vm, "spinning_elsewhere"), 31000 - 1000 - 1023 * 10);
	json_object_put(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(exits, setup, teardown),
		cmocka_unit_test_setup_teardown(many_exits, setup, teardown),
		cmocka_unit_test_setup_teardown(spins_by_function, setup, teardown),
		cmocka_unit_test_setup_teardown(spins_without_symbols, setup, teardown),
		cmocka_unit_test_setup_teardown(spins_without_room, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
