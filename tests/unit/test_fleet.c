// SPDX-License-Identifier: GPL-2.0
/* Counters of VMs that come and go, and the page that is made of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fleet.h"
#include "fleet_metrics.h"
#include "vm.h"

#define MS 1000000ull
#define SLOTS 8
#define KEEP (100 * MS)

/* The world outside: what the kernel counts and what /proc says. */
struct world {
	struct ks_fleet f;
	uint64_t counts[SLOTS][KS_NREASONS];
	uint32_t dead;	      /* a process that is no more */
	uint32_t nameless;    /* a process of which nothing can be read */
	const char *name;     /* of all others */
	unsigned int threads; /* vCPUs by the names of threads */
};

static void counts(void *ctx, uint32_t slot, uint64_t c[KS_NREASONS])
{
	struct world *w = ctx;

	memcpy(c, w->counts[slot], sizeof(w->counts[slot]));
}

static int describe(void *ctx, uint32_t tgid, struct ks_vminfo *vm)
{
	struct world *w = ctx;
	unsigned int i;

	if (tgid == w->nameless || tgid == w->dead)
		return -ESRCH;
	memset(vm, 0, sizeof(*vm));
	vm->tgid = tgid;
	vm->vmm = KS_VMM_QEMU;
	snprintf(vm->name, sizeof(vm->name), "%s", w->name);
	vm->threads = calloc(w->threads + 1, sizeof(*vm->threads));
	assert_non_null(vm->threads);
	vm->threads[0].vcpu = -1;
	for (i = 1; i <= w->threads; i++)
		vm->threads[i].vcpu = (int32_t)i - 1;
	vm->nthreads = w->threads + 1;
	return 0;
}

static bool alive(void *ctx, uint32_t tgid)
{
	struct world *w = ctx;

	return tgid != w->dead;
}

static void begin(struct world *w, uint32_t max_vms, uint32_t max_vcpus)
{
	const struct ks_fleet_source source = { w, counts, describe, alive };
	static const int32_t nodes[] = { 0, 0, 1, -1 };
	const struct ks_fleet_opts o = {
		.max_vms = max_vms,
		.max_vcpus = max_vcpus,
		.slots = SLOTS,
		.burst_gap_ns = MS,
		.keep_ns = KEEP,
		.cpu_node = nodes,
		.ncpus = 4,
	};

	memset(w, 0, sizeof(*w));
	w->name = "web";
	assert_int_equal(ks_fleet_init(&w->f, &o, &source), 0);
}

static int setup(void **state)
{
	static struct world w;

	begin(&w, 3, 6);
	*state = &w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ks_fleet_free(&w->f);
	return 0;
}

static void feed(struct world *w, uint64_t ms, uint32_t slot, uint8_t type, uint8_t flags,
		 uint64_t a, uint64_t b)
{
	struct ks_rec r = {
		.time = ms * MS, .type = type, .flags = flags, .id = slot, .a = a, .b = b
	};

	ks_fleet_feed(&w->f, &r);
}

/* A new vCPU; what its slot held before is the kernel's, which begins at 0. */
static void appear(struct world *w, uint64_t ms, uint32_t slot, uint64_t tgid, uint64_t id)
{
	feed(w, ms, slot, KS_VCPU_NEW, 0, tgid << 32 | (1000 + slot), id);
	if (slot < SLOTS)
		memset(w->counts[slot], 0, sizeof(w->counts[slot]));
}

static const struct ks_fleet_vm *vm_at(struct world *w, uint32_t i)
{
	assert_true(i < w->f.nvms);
	return w->f.vm[i];
}

static void states_and_exits(void **state)
{
	struct world *w = *state;
	const struct ks_fleet_vm *vm;

	w->threads = 2;
	appear(w, 10, 1, 7, 1);
	appear(w, 10, 0, 7, 0);
	feed(w, 12, 0, KS_VCPU_OUT, KS_OUT_RUNNABLE, 0, 0);
	feed(w, 15, 0, KS_VCPU_IN, 0, 0, 0);
	w->counts[0][KS_SVM_PAUSE] = 5;
	ks_fleet_update(&w->f, 20 * MS);
	w->counts[0][KS_SVM_PAUSE] = 4; /* read while it changed */
	w->counts[1][KS_SVM_HLT] = 9;
	ks_fleet_update(&w->f, 30 * MS);
	vm = vm_at(w, 0);
	assert_int_equal(vm->nvcpus, 2);
	assert_int_equal(vm->vcpu[0]->id, 0);
	assert_int_equal(vm->vcpu[1]->id, 1);
	assert_int_equal(vm->unseen, 0);
	assert_int_equal(vm->vcpu[0]->sums.state_ns[KS_V_RUNNABLE], 3 * MS);
	assert_int_equal(vm->vcpu[0]->sums.state_ns[KS_V_RUNNING], 17 * MS);
	assert_int_equal(vm->sums.state_ns[KS_V_RUNNING], 37 * MS);
	assert_int_equal(vm->sums.exits[KS_SVM_PAUSE], 5);
	w->counts[0][KS_SVM_PAUSE] = 8;
	ks_fleet_update(&w->f, 31 * MS);
	assert_int_equal(vm->sums.exits[KS_SVM_PAUSE], 8);
	assert_int_equal(vm->vcpu[0]->sums.exits[KS_SVM_PAUSE], 8);
	assert_int_equal(vm->sums.exits[KS_SVM_HLT], 9);
}

static uint64_t burst(uint64_t ns, uint64_t count)
{
	return ns << 32 | count;
}

static void bursts_and_moves(void **state)
{
	struct world *w = *state;
	const struct ks_fleet_sums *s;

	appear(w, 10, 0, 7, 0);
	feed(w, 12, 0, KS_BURST, 0, 0, burst(0, 1));
	feed(w, 15, 0, KS_BURST, 0, 0, burst(MS, 9));
	feed(w, 16, 0, KS_BURST, 0, 0, burst(MS / 2, 8)); /* the same burst */
	ks_fleet_update(&w->f, 17 * MS);
	s = &vm_at(w, 0)->sums;
	assert_int_equal(s->bursts, 2);
	assert_int_equal(s->ended[0], 1);
	assert_int_equal(s->ended_exits, 1);
	feed(w, 18, 0, KS_VCPU_OUT, KS_OUT_HALTED, 0, 0); /* it is over */
	feed(w, 30, 0, KS_BURST, 0, 0, burst(0, 1000000));
	feed(w, 31, 0, KS_VCPU_MIGRATE, 0, 0, 1);
	feed(w, 32, 0, KS_VCPU_MIGRATE, 0, 1, 2);
	feed(w, 33, 0, KS_VCPU_MIGRATE, 0, 2, 3);
	feed(w, 34, 0, KS_VCPU_MIGRATE, 0, 3, 4000000000u);
	feed(w, 40, 0, KS_VCPU_GONE, 0, 0, 0);
	assert_int_equal(s->bursts, 3);
	assert_int_equal(s->ended[5], 1); /* 17: up to 32 */
	assert_int_equal(s->ended[KS_LIVE_BUCKETS - 1], 1);
	assert_int_equal(s->ended_exits, 1000018);
	assert_int_equal(s->migrations, 4);
	assert_int_equal(s->node_migrations, 1);
}

/* A vCPU's thread ends and another one takes its place, in this slot or another: it counts on. */
static void counters_go_on(void **state)
{
	struct world *w = *state;
	const struct ks_fleet_vm *vm;

	w->threads = 2;
	appear(w, 10, 0, 7, 0);
	appear(w, 10, 1, 7, 1);
	w->counts[1][3] = 100;
	feed(w, 20, 1, KS_VCPU_GONE, 0, 0, 0);
	appear(w, 30, 1, 7, 1);
	w->counts[1][3] = 7;
	ks_fleet_update(&w->f, 40 * MS);
	vm = vm_at(w, 0);
	assert_int_equal(vm->vcpu[1]->sums.exits[3], 107);
	assert_int_equal(vm->vcpu[1]->sums.state_ns[KS_V_RUNNING], 20 * MS);
	feed(w, 50, 1, KS_VCPU_GONE, 0, 0, 0);
	appear(w, 60, 5, 7, 1);
	w->counts[5][3] = 1;
	ks_fleet_update(&w->f, 61 * MS);
	assert_int_equal(vm->vcpu[1]->sums.exits[3], 108);
	assert_int_equal(vm->sums.exits[3], 108);
	assert_int_equal(w->f.nvms, 1);
	assert_int_equal(w->f.nvcpus, 2);
	assert_false(vm->ended);
	/* A slot whose end was not told is somebody else's, who has exited by now. */
	w->counts[5][3] = 500;
	feed(w, 70, 5, KS_VCPU_NEW, 0, 9ull << 32 | 1005, 0);
	assert_int_equal(w->f.nvms, 2);
	assert_int_equal(vm->threads, 1);
	assert_int_equal(vm->sums.exits[3], 108);
	ks_fleet_update(&w->f, 71 * MS);
	assert_int_equal(vm_at(w, 1)->sums.exits[3], 500);
}

/* No record tells its end: the probe takes its slot back. */
static void taken_back(void **state)
{
	struct world *w = *state;

	w->threads = 1;
	appear(w, 10, 0, 7, 0);
	w->counts[0][3] = 5;
	ks_fleet_gone(&w->f, 0, 30 * MS);
	ks_fleet_gone(&w->f, SLOTS, 30 * MS);
	assert_int_equal(vm_at(w, 0)->sums.exits[3], 5);
	assert_int_equal(vm_at(w, 0)->threads, 0);
	assert_true(vm_at(w, 0)->ended);
}

static void ended_and_forgotten(void **state)
{
	struct world *w = *state;

	appear(w, 10, 0, 7, 0);
	w->counts[0][2] = 4;
	feed(w, 20, 0, KS_VCPU_GONE, 0, 0, 0);
	w->counts[0][2] = 400; /* nobody's */
	ks_fleet_update(&w->f, 20 * MS + KEEP);
	assert_true(vm_at(w, 0)->ended);
	assert_int_equal(vm_at(w, 0)->sums.exits[2], 4);
	ks_fleet_update(&w->f, 20 * MS + KEEP + 1);
	assert_int_equal(w->f.nvms, 0);
	assert_int_equal(w->f.nvcpus, 0);
	/* The process number of one that is still shown, come again. */
	appear(w, 200, 0, 7, 0);
	feed(w, 201, 0, KS_VCPU_GONE, 0, 0, 0);
	w->name = "db";
	appear(w, 202, 1, 7, 0);
	assert_int_equal(w->f.nvms, 1);
	assert_string_equal(vm_at(w, 0)->name, "db");
	assert_false(vm_at(w, 0)->ended);
}

/* Longer than there has been time. */
static void kept_for_ever(void **state)
{
	struct world *w = *state;

	w->f.opts.keep_ns = UINT64_MAX - MS;
	appear(w, 10, 0, 7, 0);
	feed(w, 20, 0, KS_VCPU_GONE, 0, 0, 0);
	ks_fleet_update(&w->f, 21 * MS);
	assert_int_equal(w->f.nvms, 1);
	ks_fleet_update(&w->f, 19 * MS); /* the record's time was a little ahead */
	assert_int_equal(w->f.nvms, 1);
	ks_fleet_update(&w->f, UINT64_MAX);
	assert_int_equal(w->f.nvms, 1);
}

static void limits(void **state)
{
	struct world *w = *state;
	uint32_t i;

	for (i = 0; i < 3; i++)
		appear(w, 10 + i, i, 10 + i, 0);
	appear(w, 20, 3, 13, 0); /* a fourth VM */
	assert_int_equal(w->f.nvms, 3);
	assert_int_equal(w->f.refused, 1);
	w->counts[3][2] = 4; /* counts for nobody */
	ks_fleet_update(&w->f, 21 * MS);
	feed(w, 22, 3, KS_VCPU_GONE, 0, 0, 0);
	/* What has ended gives way at once, the oldest first. */
	feed(w, 31, 1, KS_VCPU_GONE, 0, 0, 0);
	feed(w, 30, 0, KS_VCPU_GONE, 0, 0, 0);
	appear(w, 40, 3, 13, 0);
	assert_int_equal(w->f.refused, 1);
	assert_int_equal(vm_at(w, 0)->tgid, 11);
	assert_int_equal(vm_at(w, 2)->tgid, 13);
	for (i = 1; i < 5; i++) /* 3 to begin with, of 6 */
		appear(w, 41, 3 + i, 13, i);
	assert_int_equal(w->f.refused, 1);
	assert_int_equal(w->f.nvcpus, 6); /* the ended one is gone */
	assert_int_equal(w->f.nvms, 2);
	appear(w, 42, 0, 13, 9);
	assert_int_equal(w->f.refused, 2);
	assert_int_equal(w->f.nvcpus, 6);
	appear(w, 43, 4000000000u, 14, 0); /* a wild slot */
}

/* vCPUs that never exit, and ends that no record told of. */
static void unseen(void **state)
{
	struct world *w = *state;
	struct ks_vminfo info;

	w->threads = 4;
	assert_int_equal(describe(w, 7, &info), 0);
	ks_fleet_found(&w->f, &info);
	ks_vm_release(&info);
	assert_int_equal(vm_at(w, 0)->unseen, 4);
	assert_false(vm_at(w, 0)->ended);
	appear(w, 10, 0, 7, 2);
	assert_int_equal(vm_at(w, 0)->unseen, 3);
	w->threads = 2;
	ks_fleet_refresh(&w->f, 20 * MS);
	assert_int_equal(vm_at(w, 0)->unseen, 1);
	feed(w, 30, 0, KS_VCPU_GONE, 0, 0, 0);
	assert_false(vm_at(w, 0)->ended);
	w->dead = 7;
	ks_fleet_refresh(&w->f, 40 * MS);
	assert_true(vm_at(w, 0)->ended);
	assert_int_equal(vm_at(w, 0)->unseen, 0);
	/* Killed while its records were lost. */
	appear(w, 50, 1, 8, 0);
	w->counts[1][2] = 6;
	w->dead = 8;
	ks_fleet_refresh(&w->f, 60 * MS);
	assert_true(vm_at(w, 1)->ended);
	assert_int_equal(vm_at(w, 1)->sums.exits[2], 6);
}

/* Its vCPUs need not be there at the same time; when the last of them goes, so does the VM. */
static void one_after_the_other(void **state)
{
	struct world *w = *state;

	w->threads = 2;
	appear(w, 10, 0, 7, 0);
	feed(w, 20, 0, KS_VCPU_GONE, 0, 0, 0);
	assert_false(vm_at(w, 0)->ended);
	appear(w, 30, 1, 7, 1);
	assert_int_equal(vm_at(w, 0)->unseen, 0);
	feed(w, 40, 1, KS_VCPU_GONE, 0, 0, 0);
	assert_true(vm_at(w, 0)->ended);
}

/* Lost records leave no state to count on. */
static void losses(void **state)
{
	struct world *w = *state;

	appear(w, 10, 0, 7, 0);
	feed(w, 20, 0, KS_LOSS, KS_PAUSE, 15 * MS, 3);
	feed(w, 30, 0, KS_LOSS, KS_VCPU_OUT, 25 * MS, 3);
	feed(w, 34, 0, KS_VCPU_OUT, KS_OUT_HALTED, 0, 0);
	ks_fleet_update(&w->f, 40 * MS);
	assert_int_equal(vm_at(w, 0)->sums.state_ns[KS_V_RUNNING], 15 * MS);
	assert_int_equal(vm_at(w, 0)->sums.state_ns[KS_V_UNKNOWN], 9 * MS);
	assert_int_equal(vm_at(w, 0)->sums.state_ns[KS_V_HALTED], 6 * MS);
}

/* ---- the page ---- */

static char *page(struct world *w, enum ks_isa isa, enum ks_metrics_detail detail)
{
	const struct ks_self_metrics self = { .version = "1.2.3", .records = 77 };
	struct ks_metrics m = { .len = 0 };
	char *text;

	ks_metrics_begin(&m, KS_METRICS_OPENMETRICS);
	ks_self_metrics(&m, &w->f, isa, &self);
	ks_fleet_metrics(&m, &w->f, isa, detail);
	assert_int_equal(ks_metrics_end(&m), 0);
	text = strndup(m.buf, m.len);
	assert_non_null(text);
	ks_metrics_free(&m);
	return text;
}

static void has(const char *text, const char *line)
{
	char want[300];

	snprintf(want, sizeof(want), "\n%s\n", line);
	if (!strstr(text, want))
		fail_msg("no line %s in\n%s", line, text);
}

static void hasnt(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("%s is there", part);
}

#define VM "{vm=\"a\\\"b\\\\?\",pid=\"7\""

static void pages(void **state)
{
	struct world *w = *state;
	char *text;

	w->name = "a\"b\\\n";
	appear(w, 10, 0, 7, 3);
	w->counts[0][KS_SVM_PAUSE] = 5;
	w->counts[0][KS_SVM_IDLE_HLT] = 2;
	w->counts[0][KS_SVM_HLT] = 1;
	w->counts[0][KS_REASON_OTHER] = 1;
	feed(w, 12, 0, KS_BURST, 0, 0, burst(0, 3));
	feed(w, 15, 0, KS_VCPU_OUT, KS_OUT_HALTED, 0, 0);
	ks_fleet_update(&w->f, 16 * MS);
	text = page(w, KS_ISA_SVM, KS_DETAIL_VCPU);
	has(text, "kvmsched_build_info{version=\"1.2.3\",isa=\"svm\"} 1");
	has(text, "kvmsched_records_total 77");
	has(text, "kvmsched_vms 1");
	has(text, "kvmsched_vm_info" VM ",uuid=\"\",vmm=\"QEMU\"} 1");
	has(text, "kvmsched_vm_ple_exits_total" VM "} 5");
	has(text, "kvmsched_vcpu_hlt_exits_total" VM ",vcpu=\"3\"} 3");
	has(text, "kvmsched_vcpu_exits_total" VM ",vcpu=\"3\"} 9");
	has(text, "kvmsched_vm_exits_total" VM ",reason=\"idle-halt\"} 2");
	has(text, "kvmsched_vm_exits_total" VM ",reason=\"other\"} 1");
	has(text, "kvmsched_vm_state_seconds_total" VM ",state=\"running\"} 0.005000000");
	has(text, "kvmsched_vm_ple_burst_exits_bucket" VM ",le=\"2.0\"} 0");
	has(text, "kvmsched_vm_ple_burst_exits_bucket" VM ",le=\"4.0\"} 1");
	has(text, "kvmsched_vm_ple_burst_exits_bucket" VM ",le=\"16384.0\"} 1");
	hasnt(text, "vcpu_ple_burst_exits");
	free(text);
	text = page(w, KS_ISA_SVM, KS_DETAIL_VM);
	hasnt(text, "vcpu=\"");
	free(text);
	text = page(w, KS_ISA_SVM, KS_DETAIL_FULL);
	has(text, "kvmsched_vcpu_exits_total" VM ",vcpu=\"3\",reason=\"pause\"} 5");
	has(text, "kvmsched_vcpu_ple_burst_exits_sum" VM ",vcpu=\"3\"} 3");
	free(text);
}

static void pages_of_intel(void **state)
{
	struct world *w = *state;
	char *text;

	appear(w, 10, 0, 7, 0);
	w->counts[0][KS_VMX_PAUSE] = 5;
	w->counts[0][KS_VMX_HLT] = 2;
	ks_fleet_update(&w->f, 16 * MS);
	text = page(w, KS_ISA_VMX, KS_DETAIL_VCPU);
	has(text, "kvmsched_vm_ple_exits_total{vm=\"web\",pid=\"7\"} 5");
	has(text, "kvmsched_vm_hlt_exits_total{vm=\"web\",pid=\"7\"} 2");
	has(text, "kvmsched_vm_exits_total{vm=\"web\",pid=\"7\",reason=\"PAUSE_INSTRUCTION\"} 5");
	free(text);
}

/* Without a name a VM is called by its process, and later by its name. */
static void nameless(void **state)
{
	struct world *w = *state;

	w->nameless = 7;
	appear(w, 10, 0, 7, 0);
	assert_string_equal(vm_at(w, 0)->name, "pid-7");
	w->nameless = 0;
	appear(w, 11, 1, 7, 1);
	assert_string_equal(vm_at(w, 0)->name, "web");
	w->name = "another"; /* is not asked for again */
	appear(w, 12, 2, 7, 2);
	assert_string_equal(vm_at(w, 0)->name, "web");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(states_and_exits),
		TEST(bursts_and_moves),
		TEST(counters_go_on),
		TEST(losses),
		TEST(ended_and_forgotten),
		TEST(kept_for_ever),
		TEST(limits),
		TEST(unseen),
		TEST(one_after_the_other),
		TEST(taken_back),
		TEST(pages),
		TEST(pages_of_intel),
		TEST(nameless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
