// SPDX-License-Identifier: GPL-2.0
/*
 * From files to results: which guest is which VM, files that do not belong together, and a report
 * whose numbers agree with each other.
 */
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

#include "names.h"
#include "report.h"
#include "session.h"
#include "vnuma_report.h"

#define MS 1000000ull
#define SEC 1000000000ull
#define START (100 * SEC) /* of the host's recording, its clock */
#define LENGTH (2 * SEC)
#define OFFSET (-500 * (int64_t)SEC * 2) /* of the guests' TSCs, ticks; 2 a ns */
#define LOCK 0xffff888000001000ull

static char dir[64];

static char *file(const char *name)
{
	static char buf[4][128];
	static int i;

	i = (i + 1) % 4;
	snprintf(buf[i], sizeof(buf[i]), "%s/%s", dir, name);
	return buf[i];
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/kvmsched-test.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = { "host.kvs", "a.kvs", "b.kvs", "x.kvs" };
	char old[160];
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		unlink(file(names[i]));
		/* A recording that is written anew leaves the former one beside it. */
		snprintf(old, sizeof(old), "%s.old", file(names[i]));
		unlink(old);
	}
	return rmdir(dir);
}

/* ---- traces ---- */

static struct ks_writer *begin(const char *name, enum ks_side side, const char *meta)
{
	struct json_object *m = json_tokener_parse(meta);
	struct ks_writer *w;
	struct ks_err err = { "" };

	assert_non_null(m);
	assert_int_equal(ks_writer_open(&w, file(name), side, 4, &err), 0);
	assert_int_equal(ks_writer_meta(w, m), 0);
	json_object_put(m);
	return w;
}

static void add(struct ks_writer *w, struct ks_rec r)
{
	assert_int_equal(ks_writer_add(w, r.cpu & 3, &r, 1), 0);
}

static void end(struct ks_writer *w)
{
	struct ks_err err = { "" };

	assert_int_equal(ks_writer_close(w, &err), 0);
}

/* shift: own clock minus the host's; the TSC runs at 2 GHz from the host's time 0. */
static void samples(struct ks_writer *w, int64_t shift, int64_t offset, uint64_t start)
{
	uint64_t t;

	for (t = start; t <= start + LENGTH; t += LENGTH / 4)
		add(w, (struct ks_rec){
			       .time = t + shift, .type = KS_CLOCK, .a = t * 2 + offset, .b = 20 });
}

/* Two VMs of one vCPU each, which halt every 10 ms; VM b 3 ms after VM a. */
static void host_trace(const char *meta)
{
	struct ks_writer *w = begin("host.kvs", KS_SIDE_HOST, meta);
	uint64_t t;
	uint32_t v;

	samples(w, 0, 0, START);
	for (v = 0; v < 2; v++) {
		add(w, (struct ks_rec){ .time = START,
					.type = KS_VCPU_NEW,
					.id = v,
					.a = (uint64_t)(71 + v) << 32 | (710 + v) });
		add(w, (struct ks_rec){ .time = START,
					.type = KS_TSC_OFFSET,
					.id = v,
					.a = (uint64_t)(OFFSET) });
		add(w, (struct ks_rec){ .time = START + 1, .type = KS_VCPU_IN, .id = v, .cpu = v });
		for (t = START + v * 3 * MS; t < START + LENGTH; t += 10 * MS) {
			add(w, (struct ks_rec){
				       .time = t + 8 * MS, .type = KS_HLT, .id = v, .cpu = v });
			add(w, (struct ks_rec){ .time = t + 6 * MS,
						.type = KS_PAUSE,
						.id = v,
						.cpu = v,
						.flags = KS_F_IP,
						.a = LOCK });
		}
	}
	end(w);
}

static void guest_trace(const char *name, const char *meta, uint64_t phase, uint64_t start)
{
	struct ks_writer *w = begin(name, KS_SIDE_GUEST, meta);
	int64_t shift = -90 * (int64_t)SEC;
	uint64_t t;

	samples(w, shift, OFFSET, start);
	for (t = start + phase; t < start + LENGTH; t += 10 * MS) {
		add(w, (struct ks_rec){ .time = t + 5 * MS + shift,
					.type = KS_LOCK_TRY,
					.id = 5,
					.a = LOCK,
					.b = 0xffffffff81000010ull });
		add(w, (struct ks_rec){ .time = t + 7 * MS + shift,
					.type = KS_LOCK_ACQ,
					.id = 5,
					.a = LOCK,
					.b = 2 * MS });
		add(w, (struct ks_rec){ .time = t + 8 * MS - 1000 + shift, .type = KS_IDLE_ENTER });
		add(w, (struct ks_rec){ .time = t + 9 * MS + shift, .type = KS_IDLE_EXIT });
	}
	assert_int_equal(ks_writer_symbols(w, "ffffffff81000000 T do_dup2\n", 27), 0);
	end(w);
}

#define NAMED                                                                                      \
	"{\"vms\":{\"71\":{\"name\":\"a\",\"uuid\":\"AA-1\"},"                                     \
	"\"72\":{\"name\":\"b\",\"uuid\":\"bb-2\",\"cid\":7}}}"
#define PLAIN "{\"mode\":\"events\"}"
#define FULL "{\"mode\":\"full\"}"

/* ---- opening ---- */

static int open_with(struct ks_session **s, const char *guest, const char *vm, struct ks_err *err)
{
	const char *guests[] = { guest };
	struct ks_session_opts o = {
		.host = file("host.kvs"),
		.guests = guests,
		.nguests = guest ? 1 : 0,
		.vm = vm,
	};

	err->msg[0] = 0;
	return ks_session_open(s, &o, err);
}

static const struct ks_link *start(struct ks_session *s)
{
	struct ks_err err = { "" };
	uint32_t i;

	assert_int_equal(ks_session_start(s, NULL, NULL, &err), 0);
	for (i = 0; i < 2; i++)
		if (ks_session_link(s, i))
			return ks_session_link(s, i);
	return NULL;
}

static void expect_vm(const char *guest, uint32_t vm, const char *how)
{
	struct ks_session *s;
	const struct ks_link *l;
	struct ks_err err;

	if (open_with(&s, guest, NULL, &err))
		fail_msg("%s", err.msg);
	l = start(s);
	assert_non_null(l);
	assert_int_equal(l->vm, vm);
	assert_string_equal(l->how, how);
	assert_true(l->error_ns < 200);
	ks_session_close(s);
}

static void count_event(void *ctx, const struct ks_event *ev)
{
	(void)ev;
	++*(unsigned int *)ctx;
}

/* A signal does not wait for a slow analysis. */
static void stopped_at_once(void **state)
{
	volatile int stop = 1;
	const struct ks_session_watch watch = { .stop = &stop };
	unsigned int events = 0;
	const struct ks_analysis_ops ops = { .event = count_event, .ctx = &events };
	struct ks_session *s;
	struct ks_err err;

	(void)state;
	host_trace(NAMED);
	assert_int_equal(open_with(&s, NULL, NULL, &err), 0);
	assert_int_equal(ks_session_start(s, NULL, &ops, &err), 0);
	assert_int_equal(ks_session_run(s, &watch, &err), 0);
	assert_int_equal(events, 1);
	ks_session_close(s);
}

static void expect_refusal(const char *guest, const char *words)
{
	struct ks_session *s;
	struct ks_err err;

	assert_true(open_with(&s, guest, NULL, &err) < 0);
	assert_null(s);
	if (!strstr(err.msg, words))
		fail_msg("\"%s\" does not say \"%s\"", err.msg, words);
	assert_null(strchr(err.msg, '\n'));
}

static void by_uuid(void **state)
{
	(void)state;
	host_trace(NAMED);
	guest_trace("a.kvs", "{\"mode\":\"full\",\"uuid\":\"aa-1\"}", 0, START);
	expect_vm(file("a.kvs"), 0, "uuid");
}

static void by_cid(void **state)
{
	(void)state;
	host_trace(NAMED);
	guest_trace("b.kvs", "{\"mode\":\"full\",\"cid\":7}", 3 * MS, START);
	expect_vm(file("b.kvs"), 1, "cid");
}

static void by_name(void **state)
{
	char arg[160];

	(void)state;
	host_trace(NAMED);
	guest_trace("b.kvs", FULL, 3 * MS, START);
	snprintf(arg, sizeof(arg), "b=%s", file("b.kvs"));
	expect_vm(arg, 1, "name");
	snprintf(arg, sizeof(arg), "72=%s", file("b.kvs"));
	expect_vm(arg, 1, "name");
	snprintf(arg, sizeof(arg), "nobody=%s", file("b.kvs"));
	expect_refusal(arg, "no VM \"nobody\"");
}

/* All that the VMs say of themselves is different: its likeness is chance. */
static void by_its_own_words_another(void **state)
{
	char arg[160];

	(void)state;
	host_trace(NAMED);
	guest_trace("a.kvs", "{\"mode\":\"full\",\"uuid\":\"cc-9\"}", 0, START);
	expect_refusal(file("a.kvs"), "it is of no VM of");
	snprintf(arg, sizeof(arg), "a=%s", file("a.kvs")); /* unless the user knows better */
	expect_vm(arg, 0, "name");
	/* That VM does not tell its address. */
	guest_trace("a.kvs", "{\"mode\":\"full\",\"cid\":9}", 0, START);
	expect_vm(file("a.kvs"), 0, "evidence");
}

static void by_evidence(void **state)
{
	(void)state;
	host_trace(PLAIN);
	guest_trace("a.kvs", FULL, 0, START);
	expect_vm(file("a.kvs"), 0, "evidence");
	guest_trace("b.kvs", FULL, 3 * MS, START);
	expect_vm(file("b.kvs"), 1, "evidence");
	guest_trace("x.kvs", FULL, 6500000, START); /* nobody halts then */
	expect_refusal(file("x.kvs"), "cannot tell which of the 2 VMs");
}

static void wrong_vm(void **state)
{
	(void)state;
	host_trace(NAMED);
	guest_trace("a.kvs", "{\"mode\":\"full\",\"uuid\":\"aa-1\"}", 3 * MS, START);
	expect_refusal(file("a.kvs"), "is not of VM a");
}

static void no_overlap(void **state)
{
	(void)state;
	host_trace(NAMED);
	guest_trace("a.kvs", "{\"mode\":\"full\",\"uuid\":\"aa-1\"}", 0, START + 3 * LENGTH);
	expect_refusal(file("a.kvs"), "do not overlap in time");
}

static void wrong_sides(void **state)
{
	struct ks_session *s;
	struct ks_err err;

	(void)state;
	host_trace(NAMED);
	expect_refusal(file("host.kvs"), "is a host's trace");
	guest_trace("a.kvs", FULL, 0, START);
	assert_int_equal(rename(file("a.kvs"), file("host.kvs")), 0);
	assert_int_equal(open_with(&s, NULL, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "a guest's trace"));
}

/* ---- a VM that is made anew in its process ---- */

#define ANEW (START + SEC) /* when its second life begins; the first one ends 100 ms before */

/* One life of a VM: its TSC was 0 at `born`. It halts every 10 ms. */
static void life_in(struct ks_writer *w, uint64_t pid, uint32_t slot, uint64_t born, uint64_t from,
		    uint64_t to, uint64_t phase)
{
	uint64_t t;

	add(w,
	    (struct ks_rec){ .time = from, .type = KS_VCPU_NEW, .id = slot, .a = pid << 32 | 710 });
	add(w, (struct ks_rec){ .time = from, .type = KS_TSC_OFFSET, .id = slot, .a = -2 * born });
	add(w, (struct ks_rec){ .time = from + 1, .type = KS_VCPU_IN, .id = slot });
	for (t = from + phase; t < to; t += 10 * MS)
		add(w, (struct ks_rec){ .time = t, .type = KS_HLT, .id = slot });
	add(w, (struct ks_rec){ .time = to, .type = KS_VCPU_GONE, .id = slot });
}

static void life(struct ks_writer *w, uint32_t slot, uint64_t born, uint64_t from, uint64_t to,
		 uint64_t phase)
{
	life_in(w, 71, slot, born, from, to, phase);
}

static void host_of_lives(uint64_t first_born)
{
	struct ks_writer *w = begin("host.kvs", KS_SIDE_HOST, PLAIN);

	samples(w, 0, 0, START);
	life(w, 0, first_born, START, ANEW - 100 * MS, 8 * MS);
	life(w, 1, ANEW, ANEW, START + LENGTH, 5 * MS);
	end(w);
}

/* A guest that was recorded from `from` to `to` of the host's clock; its own began when it did. */
static void guest_with(const char *meta, uint64_t born, uint64_t from, uint64_t to, uint64_t phase)
{
	struct ks_writer *w = begin("a.kvs", KS_SIDE_GUEST, meta);
	uint64_t t;

	for (t = from; t <= to; t += (to - from) / 4)
		add(w, (struct ks_rec){
			       .time = t - born, .type = KS_CLOCK, .a = 2 * (t - born), .b = 20 });
	for (t = from + phase; t < to; t += 10 * MS)
		add(w, (struct ks_rec){ .time = t - 1000 - born, .type = KS_IDLE_ENTER });
	end(w);
}

static void guest_of_life(uint64_t born, uint64_t from, uint64_t to, uint64_t phase)
{
	guest_with(FULL, born, from, to, phase);
}

static void expect_mapped(uint64_t own, uint64_t host)
{
	struct ks_session *s;
	const struct ks_link *l;
	struct ks_err err;
	uint64_t at;

	if (open_with(&s, file("a.kvs"), NULL, &err))
		fail_msg("%s", err.msg);
	l = start(s);
	assert_non_null(l);
	assert_string_equal(l->how, "there being one VM");
	at = ks_guestclock_map(l->clock, own);
	assert_in_range(at, host - 200, host + 200);
	ks_session_close(s);
}

/* Only the clock of its own life puts the guest's trace into it. */
static void life_by_time(void **state)
{
	uint64_t born = START - 50 * SEC;

	(void)state;
	host_of_lives(born);
	guest_of_life(ANEW, ANEW + 100 * MS, ANEW + 900 * MS, 5 * MS);
	expect_mapped(500 * MS, ANEW + 500 * MS);
	guest_of_life(born, START + 50 * MS, START + 850 * MS, 8 * MS);
	expect_mapped(50 * SEC + 500 * MS, START + 500 * MS);
	guest_of_life(START - SEC, START + 50 * MS, START + 850 * MS, 8 * MS);
	expect_refusal(file("a.kvs"), "fits none of its 2 lives");
}

/* Both lives' clocks put it into them: what it did tells. */
static void life_by_evidence(void **state)
{
	(void)state;
	host_of_lives(START);
	guest_of_life(ANEW, ANEW + 100 * MS, ANEW + 850 * MS, 5 * MS);
	expect_mapped(500 * MS, ANEW + 500 * MS);
	guest_of_life(START, START + 100 * MS, START + 850 * MS, 8 * MS);
	expect_mapped(500 * MS, START + 500 * MS);
	guest_of_life(START, START + 100 * MS, START + 850 * MS, 2 * MS); /* nobody halts then */
	expect_refusal(file("a.kvs"), "may be of several of its 2 lives");
}

/* Unplugged and plugged again it goes on with its VM's TSC: one life. */
static void life_in_two_slots(void **state)
{
	struct ks_writer *w = begin("host.kvs", KS_SIDE_HOST, PLAIN);
	uint64_t born = START - 50 * SEC;

	(void)state;
	samples(w, 0, 0, START);
	life(w, 0, born, START, ANEW - 100 * MS, 8 * MS);
	life(w, 1, born, ANEW, START + LENGTH, 8 * MS);
	end(w);
	guest_of_life(born, START + 50 * MS, ANEW + 850 * MS, 8 * MS);
	expect_mapped(50 * SEC + 500 * MS, START + 500 * MS);
}

#define ONE_NAME                                                                                   \
	"{\"vms\":{\"71\":{\"name\":\"a\",\"uuid\":\"aa-1\"},"                                     \
	"\"72\":{\"name\":\"a\",\"uuid\":\"aa-1\"}}}"
#define FULL_AA "{\"mode\":\"full\",\"uuid\":\"aa-1\"}"

/* The VM's process ended, and another one began it anew: one name, two VMs. What it did tells which. */
static void life_in_another_process(void **state)
{
	struct ks_writer *w = begin("host.kvs", KS_SIDE_HOST, ONE_NAME);
	char by_name[160];

	(void)state;
	samples(w, 0, 0, START);
	life_in(w, 71, 0, START, START, ANEW - 50 * MS, 8 * MS);
	life_in(w, 72, 1, ANEW, ANEW, START + LENGTH, 5 * MS);
	end(w);
	snprintf(by_name, sizeof(by_name), "a=%s", file("a.kvs"));
	guest_with(FULL_AA, ANEW, ANEW + 100 * MS, ANEW + 850 * MS, 5 * MS);
	expect_vm(file("a.kvs"), 1, "uuid");
	expect_vm(by_name, 1, "name");
	guest_with(FULL_AA, START, START + 100 * MS, START + 850 * MS, 8 * MS);
	expect_vm(file("a.kvs"), 0, "uuid");
	guest_with(FULL_AA, ANEW, ANEW + 100 * MS, ANEW + 970 * MS,
		   5 * MS); /* the first one had ended by then */
	expect_vm(file("a.kvs"), 1, "uuid");
	guest_with(FULL_AA, START, START + 100 * MS, START + 850 * MS,
		   2 * MS); /* nobody halts then */
	expect_refusal(file("a.kvs"), "say which process's as PID=FILE");
	expect_refusal(by_name, "may be of several of its 2 lives");
}

static void same_vm_twice(void **state)
{
	const char *guests[2];
	struct ks_session_opts o = { .guests = guests, .nguests = 2 };
	struct ks_session *s;
	struct ks_err err = { "" };

	(void)state;
	host_trace(NAMED);
	guest_trace("a.kvs", "{\"mode\":\"full\",\"uuid\":\"aa-1\"}", 0, START);
	guests[0] = guests[1] = file("a.kvs");
	o.host = file("host.kvs");
	assert_int_equal(ks_session_open(&s, &o, &err), -EEXIST);
	assert_non_null(strstr(err.msg, "both of VM a"));
}

static void no_clock(void **state)
{
	struct ks_writer *w;

	(void)state;
	host_trace(NAMED);
	w = begin("a.kvs", KS_SIDE_GUEST, "{\"uuid\":\"aa-1\"}");
	add(w, (struct ks_rec){ .time = 1, .type = KS_IDLE_EXIT });
	end(w);
	expect_refusal(file("a.kvs"), "fewer than two clock samples");
}

static void one_vm_of_two(void **state)
{
	struct ks_session *s;
	struct ks_err err;
	uint32_t n;

	(void)state;
	host_trace(NAMED);
	guest_trace("a.kvs", "{\"mode\":\"full\",\"uuid\":\"aa-1\"}", 0, START);
	assert_int_equal(open_with(&s, file("a.kvs"), "b", &err), 0);
	assert_null(start(s)); /* the guest of the VM that is left out is left out */
	assert_string_equal(ks_analysis_vms(ks_session_analysis(s), &n)->name, "b");
	assert_int_equal(n, 1);
	assert_int_equal(ks_session_run(s, NULL, &err), 0);
	ks_analysis_vcpus(ks_session_analysis(s), &n);
	assert_int_equal(n, 1);
	assert_int_equal(ks_analysis_vcpu_totals(ks_session_analysis(s), 0)->hlt, 200);
	ks_session_close(s);
	assert_int_equal(open_with(&s, NULL, "zz", &err), 0);
	assert_int_equal(ks_session_start(s, NULL, NULL, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "no VM \"zz\""));
	ks_session_close(s);
}

/* ---- the report ---- */

static struct json_object *get(struct json_object *o, const char *path)
{
	struct json_object *v = NULL;

	if (json_pointer_get(o, path, &v))
		fail_msg("no %s", path);
	return v;
}

static int64_t num(struct json_object *o, const char *path)
{
	return json_object_get_int64(get(o, path));
}

static int64_t sum(struct json_object *o, const char *path)
{
	struct json_object *v = get(o, path);
	int64_t total = 0;

	json_object_object_foreach(v, key, member) {
		(void)key;
		total += json_object_get_int64(member);
	}
	return total;
}

static void report_of(struct ks_session *s, struct ks_report **r, struct ks_names **n)
{
	struct ks_report_opts ro = { .sym = ks_names_sym, .task = ks_names_task, .worst = 3 };
	struct ks_analysis_opts ao = { .ip_class = ks_names_ip_class };
	struct ks_analysis_ops ops = { 0 };
	struct ks_err err = { "" };

	assert_int_equal(ks_names_new(n, NULL), 0);
	ro.sym_ctx = ro.task_ctx = ao.ip_ctx = *n;
	assert_int_equal(ks_report_new(r, &ro), 0);
	ks_report_ops(*r, &ops);
	assert_int_equal(ks_session_start(s, &ao, &ops, &err), 0);
	assert_int_equal(ks_names_load(*n, s, &err), 0);
	ks_report_begin(*r, s);
	assert_int_equal(ks_session_run(s, NULL, &err), 0);
	assert_int_equal(ks_report_finish(*r, s), 0);
}

static void check_numbers(struct json_object *o)
{
	assert_int_equal(num(o, "/schema"), 1);
	assert_int_equal(num(o, "/traces/0/vms/0/hlt"), 200);
	assert_int_equal(num(o, "/traces/0/vms/0/pause"), 200);
	assert_int_equal(sum(o, "/traces/0/vms/0/ple_by_class"), 200);
	assert_int_equal(num(o, "/traces/0/vms/0/vcpus/0/pause"), 200);
	assert_int_equal(num(o, "/traces/0/vms/0/waits/count"), 200);
	assert_int_equal(sum(o, "/traces/0/vms/0/waits/verdicts"), 200);
	assert_int_equal(sum(o, "/traces/0/vms/0/waits/lost_ns"),
			 num(o, "/traces/0/vms/0/waits/ns"));
	assert_in_range(num(o, "/traces/0/vms/0/waits/ns"), 400 * MS - 400, 400 * MS + 400);
	assert_int_equal(num(o, "/traces/0/vms/0/waits/ple_per_acquisition/max"), 1);
	assert_int_equal(num(o, "/traces/0/vms/0/waits/locks/0/waits"), 200);
	assert_int_equal(num(o, "/traces/0/vms/0/waits/locks/0/wait_ns"),
			 num(o, "/traces/0/vms/0/waits/ns"));
	assert_int_equal(num(o, "/traces/0/vms/0/waits/locks/0/ple"), 200);
	assert_string_equal(json_object_get_string(get(o, "/traces/0/vms/0/waits/sites/0/symbol")),
			    "do_dup2+0x10");
	assert_int_equal(json_object_array_length(get(o, "/traces/0/vms/0/waits/worst")), 3);
	assert_int_equal(sum(o, "/traces/0/vms/0/waits/worst/0/share_ns"),
			 num(o, "/traces/0/vms/0/waits/worst/0/ns"));
	assert_int_equal(num(o, "/traces/0/vms/0/guest/halts_explained"),
			 num(o, "/traces/0/vms/0/guest/halts_checked"));
	assert_null(get(o, "/traces/0/vms/1/guest"));
}

static void report_adds_up(void **state)
{
	struct ks_session *s;
	struct ks_report *r;
	struct ks_names *n;
	struct ks_err err;
	struct json_object *o;
	char *text = NULL, *line;
	size_t len;
	FILE *f;

	(void)state;
	host_trace(NAMED);
	guest_trace("a.kvs", "{\"mode\":\"full\",\"uuid\":\"aa-1\"}", 0, START);
	assert_int_equal(open_with(&s, file("a.kvs"), NULL, &err), 0);
	report_of(s, &r, &n);
	f = open_memstream(&text, &len);
	assert_int_equal(ks_report_json(&r, 1, KS_REPORT_LOCKS, true, f), 0);
	fclose(f);
	assert_ptr_equal(strchr(text, '\n'), text + len - 1); /* compact: one line */
	o = json_tokener_parse(text);
	assert_non_null(o);
	check_numbers(o);
	json_object_put(o);
	free(text);
	f = open_memstream(&text, &len);
	assert_int_equal(ks_report_text(r, KS_REPORT_LOCKS, false, f), 0);
	fclose(f);
	assert_non_null(strstr(text, "Waits for spinlocks: 200"));
	assert_non_null(strstr(text, "do_dup2+0x10"));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 100);
	free(text);
	ks_report_free(r);
	ks_names_free(n);
	ks_session_close(s);
}

/* Of the guest's 2 s the host recorded the second half: a rate of the guest's is of both halves. */
static void rates_are_of_their_own_recording(void **state)
{
	struct ks_writer *w;
	struct ks_session *s;
	struct ks_report *r;
	struct ks_names *n;
	struct ks_err err;
	struct json_object *o, *rate;
	char *text = NULL;
	uint64_t t;
	size_t len;
	FILE *f;

	(void)state;
	host_trace(NAMED);
	w = begin("a.kvs", KS_SIDE_GUEST, "{\"mode\":\"full\",\"uuid\":\"aa-1\"}");
	samples(w, -90 * (int64_t)SEC, OFFSET, START - SEC);
	for (t = 0; t < LENGTH; t += 10 * MS)
		add(w, (struct ks_rec){ .time = START - SEC + t - 90 * SEC,
					.type = KS_TASK_MIGRATE,
					.id = 5,
					.b = 1 });
	end(w);
	assert_int_equal(open_with(&s, file("a.kvs"), NULL, &err), 0);
	report_of(s, &r, &n);
	f = open_memstream(&text, &len);
	assert_int_equal(ks_report_json(&r, 1, KS_REPORT_LOCKS, true, f), 0);
	fclose(f);
	o = json_tokener_parse(text);
	assert_in_range(num(o, "/traces/0/vms/0/guest_span_ns"), SEC - MS, SEC + MS);
	assert_in_range(num(o, "/traces/0/vms/0/guest/recorded_ns"), 2 * SEC - MS, 2 * SEC + MS);
	assert_int_equal(num(o, "/traces/0/vms/0/migrations/tasks/count"), 200);
	rate = get(o, "/traces/0/vms/0/migrations/tasks/per_minute");
	assert_in_range((uint64_t)json_object_get_double(rate), 5990, 6010);
	json_object_put(o);
	free(text);
	ks_report_free(r);
	ks_names_free(n);
	ks_session_close(s);
}

/* The only vCPU of VM a is CPU 7 of its guest. */
static void report_names_every_cpu(void **state)
{
	struct ks_vnuma *v;
	struct ks_vnuma_report r;
	struct ks_analysis_ops ops = { 0 };
	struct ks_session *s;
	struct ks_err err;
	char *text = NULL;
	size_t len;
	FILE *f;

	(void)state;
	host_trace(NAMED);
	guest_trace("a.kvs",
		    "{\"mode\":\"full\",\"uuid\":\"aa-1\",\"apic_ids\":[14,12,10,8,6,4,2,0],"
		    "\"cpu_node\":[0,0,0,0,1,1,1,1]}",
		    0, START);
	assert_int_equal(open_with(&s, file("a.kvs"), NULL, &err), 0);
	assert_int_equal(ks_vnuma_new(&v, NULL), 0);
	ks_vnuma_ops(v, &ops);
	assert_int_equal(ks_session_start(s, NULL, &ops, &err), 0);
	assert_int_equal(ks_vnuma_session(v, s), 0);
	assert_int_equal(ks_session_run(s, NULL, &err), 0);
	assert_int_equal(ks_vnuma_end(v), 0);
	r = (struct ks_vnuma_report){ .s = s, .v = v };
	f = open_memstream(&text, &len);
	assert_int_equal(ks_vnuma_text(&r, f), 0);
	fclose(f);
	assert_non_null(strstr(text, "Believes  1 node: 1: CPUs 7\n"));
	free(text);
	ks_vnuma_free(v);
	ks_session_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopped_at_once),
		cmocka_unit_test(by_uuid),
		cmocka_unit_test(by_cid),
		cmocka_unit_test(by_name),
		cmocka_unit_test(by_evidence),
		cmocka_unit_test(by_its_own_words_another),
		cmocka_unit_test(wrong_vm),
		cmocka_unit_test(no_overlap),
		cmocka_unit_test(wrong_sides),
		cmocka_unit_test(life_in_another_process),
		cmocka_unit_test(same_vm_twice),
		cmocka_unit_test(life_by_time),
		cmocka_unit_test(life_by_evidence),
		cmocka_unit_test(life_in_two_slots),
		cmocka_unit_test(no_clock),
		cmocka_unit_test(one_vm_of_two),
		cmocka_unit_test(report_adds_up),
		cmocka_unit_test(report_names_every_cpu),
		cmocka_unit_test(rates_are_of_their_own_recording),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
