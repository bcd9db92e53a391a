// SPDX-License-Identifier: GPL-2.0
/* The model: states after records, histories of states, VMs and vCPUs of a trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "history.h"
#include "model.h"
#include "trace.h"

static enum ks_vstate after(enum ks_vstate old, uint8_t type, uint8_t flags)
{
	struct ks_rec r = { .type = type, .flags = flags };
	uint64_t woken = 0;

	return ks_vstate_after(old, &r, &woken);
}

static void states_after_records(void **state)
{
	(void)state;
	assert_int_equal(after(KS_V_UNKNOWN, KS_VCPU_IN, 0), KS_V_RUNNING);
	assert_int_equal(after(KS_V_RUNNING, KS_VCPU_OUT, KS_OUT_RUNNABLE), KS_V_RUNNABLE);
	assert_int_equal(after(KS_V_RUNNING, KS_VCPU_OUT, KS_OUT_HALTED), KS_V_HALTED);
	assert_int_equal(after(KS_V_RUNNING, KS_VCPU_OUT, KS_OUT_BLOCKED), KS_V_BLOCKED);
	assert_int_equal(after(KS_V_RUNNING, KS_VCPU_OUT, KS_OUT_DEAD), KS_V_GONE);
	assert_int_equal(after(KS_V_RUNNING, KS_VCPU_OUT, 77), KS_V_UNKNOWN);
	assert_int_equal(after(KS_V_HALTED, KS_VCPU_WAKE, 0), KS_V_RUNNABLE);
	assert_int_equal(after(KS_V_BLOCKED, KS_VCPU_WAKE, 0), KS_V_RUNNABLE);
	assert_int_equal(after(KS_V_RUNNING, KS_VCPU_WAKE, 0), KS_V_RUNNING);
	assert_int_equal(after(KS_V_UNKNOWN, KS_VCPU_WAKE, 0), KS_V_UNKNOWN);
	assert_int_equal(after(KS_V_UNKNOWN, KS_PAUSE, 0), KS_V_RUNNING);
	assert_int_equal(after(KS_V_HALTED, KS_HALT_POLL, 0), KS_V_HALTED);
	assert_int_equal(after(KS_V_RUNNABLE, KS_VCPU_GONE, 0), KS_V_GONE);
}

static enum ks_vstate next(enum ks_vstate old, uint64_t *woken, uint64_t time, uint8_t type,
			   uint8_t flags)
{
	struct ks_rec r = { .time = time, .type = type, .flags = flags };

	return ks_vstate_after(old, &r, woken);
}

/* Woken on its way to sleep it leaves, and is runnable. */
static void a_wake_up_overtakes(void **state)
{
	uint64_t woken = 0;

	(void)state;
	assert_int_equal(next(KS_V_RUNNING, &woken, 1000, KS_VCPU_WAKE, 0), KS_V_RUNNING);
	assert_int_equal(next(KS_V_RUNNING, &woken, 1500, KS_BURST, 0), KS_V_RUNNING);
	assert_int_equal(next(KS_V_RUNNING, &woken, 3000, KS_VCPU_OUT, KS_OUT_HALTED),
			 KS_V_RUNNABLE);
	assert_int_equal(next(KS_V_RUNNING, &woken, 4000, KS_VCPU_OUT, KS_OUT_HALTED), KS_V_HALTED);
	/* Too long ago; or it came back meanwhile. */
	next(KS_V_RUNNING, &woken, 10000, KS_VCPU_WAKE, 0);
	assert_int_equal(next(KS_V_RUNNING, &woken, 90000, KS_VCPU_OUT, KS_OUT_BLOCKED),
			 KS_V_BLOCKED);
	next(KS_V_RUNNING, &woken, 100000, KS_VCPU_WAKE, 0);
	next(KS_V_RUNNING, &woken, 100100, KS_HLT, 0);
	assert_int_equal(next(KS_V_RUNNING, &woken, 100200, KS_VCPU_OUT, KS_OUT_HALTED),
			 KS_V_HALTED);
}

static void history_finds(void **state)
{
	struct ks_history h;
	uint64_t i, seq;

	(void)state;
	assert_int_equal(ks_history_init(&h), 0);
	assert_int_equal(ks_history_state(&h, ks_history_find(&h, 5)), KS_V_UNKNOWN);
	for (i = 0; i < 100; i++)
		ks_history_push(&h, 100 + i * 10, i & 1 ? KS_V_RUNNABLE : KS_V_RUNNING);
	assert_int_equal(ks_history_state(&h, ks_history_find(&h, 99)), KS_V_UNKNOWN);
	for (i = 0; i < 100; i++) {
		seq = ks_history_find(&h, 100 + i * 10 + i % 10);
		assert_int_equal(ks_history_state(&h, seq), i & 1 ? KS_V_RUNNABLE : KS_V_RUNNING);
		assert_int_equal(ks_history_until(&h, seq), i < 99 ? 110 + i * 10 : UINT64_MAX);
	}
	assert_int_equal(ks_history_time_in(&h, 100, 1100, 1u << KS_V_RUNNABLE), 500);
	assert_int_equal(ks_history_time_in(&h, 115, 125, 1u << KS_V_RUNNABLE), 5);
	assert_int_equal(ks_history_time_in(&h, 50, 105, 1u << KS_V_UNKNOWN), 50);
	/* The same state again is no change; the past is not rewritten. */
	i = h.tail;
	ks_history_push(&h, 5000, KS_V_RUNNABLE);
	assert_int_equal(h.tail, i);
	ks_history_push(&h, 10, KS_V_HALTED);
	assert_int_equal(h.tail, i);
	assert_int_equal(ks_history_state(&h, ks_history_find(&h, 1090)), KS_V_HALTED);
	ks_history_free(&h);
}

static void history_keeps_what_is_needed(void **state)
{
	struct ks_history h;
	uint64_t i;

	(void)state;
	assert_int_equal(ks_history_init(&h), 0);
	for (i = 0; i < 128; i++)
		ks_history_push(&h, 1 + i, 1 + i % 2);
	assert_true(ks_history_full(&h, 1));  /* the first entry is in force then */
	assert_false(ks_history_full(&h, 2)); /* only later ones are needed */
	assert_int_equal(ks_history_grow(&h), 128 * sizeof(uint64_t));
	assert_false(ks_history_full(&h, 1));
	for (; i < 300; i++)
		ks_history_push(&h, 1 + i, 1 + i % 2);
	/* 256 of 300 are left: what came before is not known. */
	assert_int_equal(ks_history_state(&h, ks_history_find(&h, 44)), KS_V_UNKNOWN);
	assert_int_equal(ks_history_state(&h, ks_history_find(&h, 45)), 1 + 44 % 2);
	assert_int_equal(ks_history_state(&h, ks_history_find(&h, 300)), 1 + 299 % 2);
	while (ks_history_grow(&h))
		;
	assert_int_equal(h.mask + 1, 65536);
	ks_history_free(&h);
}

/* ---- VMs and vCPUs ---- */

static char path[64];

static struct ks_reader *trace(const char *meta, const struct ks_rec *r, unsigned int n)
{
	struct json_object *m = json_tokener_parse(meta);
	struct ks_err err = { "" };
	struct ks_reader *rd;
	struct ks_writer *w;

	assert_int_equal(ks_writer_open(&w, path, KS_SIDE_HOST, 1, &err), 0);
	assert_int_equal(ks_writer_meta(w, m), 0);
	json_object_put(m);
	assert_int_equal(ks_writer_add(w, 0, r, n), 0);
	assert_int_equal(ks_writer_close(w, &err), 0);
	assert_int_equal(ks_reader_open(&rd, path, &err), 0);
	return rd;
}

#define NEW(slot, tgid, tid, vcpu_id)                                                              \
	{ .time = 1 + slot,                                                                        \
	  .type = KS_VCPU_NEW,                                                                     \
	  .id = slot,                                                                              \
	  .a = (uint64_t)tgid << 32 | tid,                                                         \
	  .b = vcpu_id }

static const struct ks_rec news[] = {
	NEW(0, 20, 201, 1),
	NEW(1, 10, 101, 0),
	NEW(2, 20, 200, 0),
	NEW(3, 20, 999, 7),
	NEW(3, 10, 666, 9), /* a slot named twice: the first stands */
	{ .time = 9, .type = KS_VCPU_NEW, .id = 4000000000u, .a = 10ull << 32 }, /* damaged */
};

static const char *const meta = "{\"vms\":{\"20\":{\"name\":\"web\",\"uuid\":\"u-1\",\"cid\":5},"
				"\"10\":7},\"cpu_node\":[0,1,-4,\"x\",4294967295]}";

static void vms_of_a_trace(void **state)
{
	struct ks_reader *rd = trace(meta, news, 6);
	struct ks_model m;

	(void)state;
	assert_int_equal(ks_model_init(&m, rd, NULL, NULL), 0);
	assert_int_equal(m.nvms, 2);
	assert_int_equal(m.nvcpus, 4);
	assert_string_equal(m.vms[0].name, "web");
	assert_string_equal(m.vms[0].uuid, "u-1");
	assert_int_equal(m.vms[0].cid, 5);
	assert_int_equal(m.vms[0].nvcpus, 3);
	assert_string_equal(m.vms[1].name, "10"); /* without a name: its process */
	/* In order of VM and vcpu_id. */
	assert_int_equal(m.vcpus[0].tid, 200);
	assert_int_equal(m.vcpus[1].tid, 201);
	assert_int_equal(m.vcpus[2].vcpu_id, 7);
	assert_int_equal(m.vcpus[3].vm, 1);
	assert_int_equal(ks_model_slot(&m, 2), 0);
	assert_int_equal(ks_model_slot(&m, 3), 2);
	assert_int_equal(ks_model_slot(&m, 4), KS_NO_VCPU);
	assert_int_equal(ks_model_slot(&m, 4000000000u), KS_NO_VCPU);
	assert_int_equal(ks_model_node(&m, 1), 1);
	assert_int_equal(ks_model_node(&m, 2), -1);
	assert_int_equal(ks_model_node(&m, 3), -1);
	assert_int_equal(ks_model_node(&m, 4), -1);
	assert_int_equal(ks_model_node(&m, 99), -1);
	ks_model_free(&m);
	ks_reader_close(rd);
}

static void one_vm_only(void **state)
{
	static const char *const names[] = { "web", "20", "U-1" };
	struct ks_reader *rd = trace(meta, news, 6);
	struct ks_err err = { "" };
	struct ks_model m;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(ks_model_init(&m, rd, names[i], &err), 0);
		assert_int_equal(m.nvms, 1);
		assert_int_equal(m.nvcpus, 3);
		assert_int_equal(ks_model_slot(&m, 1), KS_NO_VCPU);
		assert_int_equal(ks_model_slot(&m, 0), 1);
		ks_model_free(&m);
	}
	assert_int_equal(ks_model_init(&m, rd, "db", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "no VM \"db\""));
	ks_reader_close(rd);
}

static void no_vm_at_all(void **state)
{
	static const struct ks_rec clock = { .time = 1, .type = KS_CLOCK };
	struct ks_reader *rd = trace("{\"vms\":[],\"cpu_node\":{}}", &clock, 1);
	struct ks_model m;

	(void)state;
	assert_int_equal(ks_model_init(&m, rd, NULL, NULL), 0);
	assert_int_equal(m.nvms, 0);
	assert_int_equal(m.nvcpus, 0);
	ks_model_free(&m);
	ks_reader_close(rd);
}

static int make_path(void **state)
{
	int fd;

	(void)state;
	strcpy(path, "/tmp/kvmsched-test.XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int drop_path(void **state)
{
	char old[80];

	(void)state;
	snprintf(old, sizeof(old), "%s.old", path);
	unlink(old);
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_after_records),
		cmocka_unit_test(a_wake_up_overtakes),
		cmocka_unit_test(history_finds),
		cmocka_unit_test(history_keeps_what_is_needed),
		cmocka_unit_test_setup_teardown(vms_of_a_trace, make_path, drop_path),
		cmocka_unit_test_setup_teardown(one_vm_only, make_path, drop_path),
		cmocka_unit_test_setup_teardown(no_vm_at_all, make_path, drop_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
