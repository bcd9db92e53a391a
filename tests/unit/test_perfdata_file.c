// SPDX-License-Identifier: GPL-2.0
/*
 * perf.data, read back byte by byte by a reader of its own: written by hand from perf's description of
 * the format, it shares nothing with the writer but the names of events.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <json-c/json.h>

#include "analyze.h"
#include "fanout.h"
#include "perfdata.h"
#include "session.h"

#define PAUSE 0x77
#define HLT 0x78
#define MS 1000000ull

/* ---- a host's trace ---- */

struct world {
	char dir[64], trace[96], data[96];
	struct ks_writer *w;
	const volatile int *stop;
};

static void add(struct world *s, uint64_t time, uint8_t type, uint8_t flags, uint16_t cpu,
		uint32_t id, uint64_t a, uint64_t b)
{
	const struct ks_rec rec = {
		.time = time, .type = type, .flags = flags, .cpu = cpu, .id = id, .a = a, .b = b
	};

	assert_int_equal(ks_writer_add(s->w, cpu == KS_RING_ANY ? 0 : cpu, &rec, 1), 0);
}

static void begin(struct world *s, const char *meta, enum ks_side side)
{
	struct json_object *m = json_tokener_parse(meta);
	struct ks_err err;

	assert_non_null(m);
	strcpy(s->dir, "/tmp/kvmsched-test-XXXXXX");
	s->stop = NULL;
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->trace, sizeof(s->trace), "%s/t.kvs", s->dir);
	snprintf(s->data, sizeof(s->data), "%s/t.data", s->dir);
	assert_int_equal(ks_writer_open(&s->w, s->trace, side, 4, &err), 0);
	assert_int_equal(ks_writer_meta(s->w, m), 0);
	json_object_put(m);
}

static void remove_all(struct world *s)
{
	unlink(s->trace);
	unlink(s->data);
	rmdir(s->dir);
}

#define HOST_META                                                                                  \
	"{\"side\":\"host\",\"hostname\":\"h\",\"kernel\":\"6.1\",\"ncpus\":2,\"isa\":\"svm\","    \
	"\"vendor\":\"AuthenticAMD\",\"start_mono_ns\":5,\"start_realtime_ns\":7,"                 \
	"\"vcpus\":{\"0\":{\"comm\":\"CPU 0/KVM\"}}%s}"

static void begin_host(struct world *s, const char *more)
{
	char meta[16384];

	snprintf(meta, sizeof(meta), HOST_META, more);
	begin(s, meta, KS_SIDE_HOST);
	add(s, MS, KS_VCPU_NEW, 0, 0, 0, 100ull << 32 | 101, 0);
	add(s, MS, KS_VCPU_NEW, 0, 0, 1, 100ull << 32 | 102, 1);
}

/* As trace-export does it; guest: one in the host's trace, or NULL. */
static int export_both(struct world *s, struct world *guest, char warning[256])
{
	const char *const guests[] = { guest ? guest->trace : NULL };
	const struct ks_session_opts files = { .host = s->trace,
					       .guests = guests,
					       .nguests = guest ? 1 : 0 };
	const struct ks_analysis_opts opts = { .vm = NULL };
	struct ks_export_input in = { .to = UINT64_MAX, .stop = s->stop };
	const struct ks_export_opts export_opts = { .rows = NULL };
	struct ks_fanout f = { .n = 0 };
	struct ks_session *session;
	struct ks_analysis_ops ops;
	const char *line;
	struct ks_err err;
	int ret;

	assert_int_equal(ks_writer_close(s->w, &err), 0);
	assert_int_equal(ks_fanout_add(&f, &ks_export_perf, s->data, &export_opts, &err), 0);
	ks_fanout_ops(&f, &ops);
	assert_int_equal(ks_session_open(&session, &files, &err), 0);
	assert_int_equal(ks_session_start(session, &opts, &ops, &err), 0);
	in.session = session;
	ret = ks_fanout_begin(&f, &in, &err);
	assert_int_equal(ret, 0);
	assert_int_equal(ks_session_run(session, NULL, &err), 0);
	ret = ks_fanout_finish(&f, &in, &err);
	line = f.sink[0].x->warning(f.sink[0].self);
	snprintf(warning, 256, "%s", line ? line : "");
	ks_fanout_close(&f);
	ks_session_close(session);
	return ret;
}

static int export_host(struct world *s, char warning[256])
{
	return export_both(s, NULL, warning);
}

/* ---- the reader ---- */

#define SAMPLES 4096

struct sample {
	uint32_t type; /* of the record */
	uint64_t id, ip, time;
	uint32_t pid, tid, cpu;
	const uint8_t *raw;
	uint32_t raw_size;
	const char *event;
};

struct file {
	uint8_t *p;
	size_t size;
	struct {
		char name[64];
		uint64_t id, config, sample_type;
	} event[32];
	unsigned int nevents;
	struct sample sample[SAMPLES];
	unsigned int n;
	const uint8_t *section[32];
	uint64_t section_size[32];
};

static uint64_t get(const struct file *f, uint64_t at, unsigned int bytes)
{
	uint64_t v = 0;

	assert_true(at + bytes <= f->size);
	memcpy(&v, f->p + at, bytes);
	return v;
}

static uint64_t u64_at(const struct file *f, uint64_t at)
{
	return get(f, at, 8);
}

static uint32_t u32_at(const struct file *f, uint64_t at)
{
	return (uint32_t)get(f, at, 4);
}

static void load(struct file *f, const char *path)
{
	FILE *in = fopen(path, "r");

	assert_non_null(in);
	memset(f, 0, sizeof(*f));
	f->p = malloc(1 << 24);
	assert_non_null(f->p);
	f->size = fread(f->p, 1, 1 << 24, in);
	fclose(in);
}

/* Sections: a table of offsets and sizes behind the data, one for each bit of the header. */
static void read_sections(struct file *f, uint64_t at)
{
	uint64_t bits = u64_at(f, 72), end = 0;
	int s;

	for (s = 80; s < 104; s += 8)
		assert_int_equal(u64_at(f, s), 0);
	for (s = 0; s < 32; s++) {
		if (!(bits >> s & 1))
			continue;
		assert_true(u64_at(f, at) + u64_at(f, at + 8) <= f->size);
		f->section[s] = f->p + u64_at(f, at);
		f->section_size[s] = u64_at(f, at + 8);
		end = u64_at(f, at) + u64_at(f, at + 8);
		at += 16;
	}
	assert_int_equal(bits >> 32, 0);
	assert_int_equal(end, f->size);
}

/* EVENT_DESC (12): names and ids; they must be those of the attributes. */
static void read_events(struct file *f, uint64_t attrs, uint64_t attr_size)
{
	uint64_t at = f->section[12] - f->p, ids;
	uint32_t i, n = u32_at(f, at), size = u32_at(f, at + 4), len;

	assert_int_equal(attr_size, size + 16);
	assert_true(size <= 128);
	f->nevents = n;
	at += 8;
	for (i = 0; i < n; i++) {
		assert_int_equal(u32_at(f, at), 2); /* PERF_TYPE_TRACEPOINT */
		assert_int_equal(u32_at(f, at + 4), size);
		assert_memory_equal(f->p + at, f->p + attrs + i * attr_size, size);
		f->event[i].config = u64_at(f, at + 8);
		f->event[i].sample_type = u64_at(f, at + 24);
		at += size;
		assert_int_equal(u32_at(f, at), 1);
		len = u32_at(f, at + 4);
		assert_true(len < sizeof(f->event[i].name) + 1 && len % 64 == 0);
		memcpy(f->event[i].name, f->p + at + 8, len < 64 ? len : 63);
		f->event[i].id = u64_at(f, at + 8 + len);
		ids = u64_at(f, attrs + i * attr_size + size);
		assert_int_equal(u64_at(f, attrs + i * attr_size + size + 8), 8);
		assert_int_equal(u64_at(f, ids), f->event[i].id);
		at += 16 + len;
	}
}

static const char *name_of(const struct file *f, uint64_t id, unsigned int *event)
{
	for (*event = 0; *event < f->nevents; ++*event)
		if (f->event[*event].id == id)
			return f->event[*event].name;
	fail_msg("no event has the id %llu", (unsigned long long)id);
	return NULL;
}

static void read_sample(struct file *f, uint64_t at, uint64_t end)
{
	struct sample *s = &f->sample[f->n];
	unsigned int e;

	s->id = u64_at(f, at);
	s->event = name_of(f, s->id, &e);
	s->ip = u64_at(f, at + 8);
	s->pid = u32_at(f, at + 16);
	s->tid = u32_at(f, at + 20);
	s->time = u64_at(f, at + 24);
	s->cpu = u32_at(f, at + 32);
	assert_int_equal(u64_at(f, at + 40), 1); /* period */
	at += 48;
	if (f->event[e].sample_type & 1 << 5) /* PERF_SAMPLE_CALLCHAIN */
		at += 8 + 8 * u64_at(f, at);
	s->raw_size = u32_at(f, at);
	s->raw = f->p + at + 4;
	assert_int_equal((s->raw_size + 4) % 8, 0);
	assert_int_equal(at + 4 + s->raw_size, end);
	assert_int_equal(get(f, at + 4, 2), f->event[e].config); /* common_type */
}

static void read_data(struct file *f, uint64_t at, uint64_t end)
{
	uint16_t size;

	while (at < end) {
		size = get(f, at + 6, 2);
		assert_true(size >= 8 && size % 8 == 0 && at + size <= end);
		f->sample[f->n].type = u32_at(f, at);
		if (f->sample[f->n].type == 9)
			read_sample(f, at + 8, at + size);
		else
			f->sample[f->n].raw = f->p + at;
		assert_true(f->n + 1 < SAMPLES);
		f->n++;
		at += size;
	}
	assert_int_equal(at, end);
}

static void read_file(struct file *f, const char *path)
{
	load(f, path);
	assert_memory_equal(f->p, "PERFILE2", 8);
	assert_int_equal(u64_at(f, 8), 104);
	assert_int_equal(u64_at(f, 56), 0); /* event types: gone since long */
	read_sections(f, u64_at(f, 40) + u64_at(f, 48));
	assert_non_null(f->section[1]);
	assert_non_null(f->section[12]);
	assert_int_equal(u64_at(f, 32) % u64_at(f, 16), 0);
	read_events(f, u64_at(f, 24), u64_at(f, 16));
	assert_int_equal(u64_at(f, 32) / u64_at(f, 16), f->nevents);
	read_data(f, u64_at(f, 40), u64_at(f, 40) + u64_at(f, 48));
}

/* The i-th sample of an event; it must be there. */
static const struct sample *nth(const struct file *f, const char *event, unsigned int i)
{
	unsigned int k;

	for (k = 0; k < f->n; k++)
		if (f->sample[k].type == 9 && !strcmp(f->sample[k].event, event) && !i--)
			return &f->sample[k];
	fail_msg("too few of %s", event);
	return NULL;
}

static unsigned int count(const struct file *f, const char *event)
{
	unsigned int k, n = 0;

	for (k = 0; k < f->n; k++)
		n += f->sample[k].type == 9 && !strcmp(f->sample[k].event, event);
	return n;
}

static uint32_t raw32(const struct sample *s, unsigned int at)
{
	uint32_t v;

	assert_true(at + 4 <= s->raw_size);
	memcpy(&v, s->raw + at, 4);
	return v;
}

static uint64_t raw64(const struct sample *s, unsigned int at)
{
	return raw32(s, at) | (uint64_t)raw32(s, at + 4) << 32;
}

static void expect_sorted(const struct file *f)
{
	uint64_t last = 0;
	unsigned int k;

	for (k = 0; k < f->n; k++) {
		if (f->sample[k].type != 9)
			continue;
		assert_true(f->sample[k].time >= last);
		last = f->sample[k].time;
	}
}

/* In the formats. */
static bool has_text(const struct file *f, const char *text)
{
	return memmem(f->section[1], f->section_size[1], text, strlen(text));
}

/* ---- tests ---- */

/* Offsets are those of the default formats: Linux 6.12's. */
static void expect_exit(const struct file *f, unsigned int i, uint64_t time, uint32_t tid,
			uint32_t reason, uint64_t ip, uint32_t vcpu)
{
	const struct sample *s = nth(f, "kvm:kvm_exit", i);

	assert_int_equal(s->time, time);
	assert_int_equal(s->pid, 100);
	assert_int_equal(s->tid, tid);
	assert_int_equal(s->ip, ip);
	assert_int_equal(raw32(s, 4), tid); /* common_pid */
	assert_int_equal(raw32(s, 8), reason);
	assert_int_equal(raw64(s, 16), ip);
	assert_int_equal(raw32(s, 24), 2); /* isa: SVM */
	assert_int_equal(raw32(s, 56), vcpu);
}

static void expect_entry(const struct file *f, unsigned int i, uint64_t time, uint32_t tid,
			 uint32_t vcpu)
{
	const struct sample *s = nth(f, "kvm:kvm_entry", i);

	assert_int_equal(s->time, time);
	assert_int_equal(s->tid, tid);
	assert_int_equal(raw32(s, 8), vcpu);
}

static void exits(void **state)
{
	static struct file f;
	char warning[256];
	struct world s;

	(void)state;
	begin_host(&s, "");
	add(&s, 2 * MS, KS_PAUSE, KS_F_IP, 0, 0, 0xffffffff81000010, 0);
	/* A HLT until the end of the halt, a PAUSE until the pCPU came back. */
	add(&s, 3 * MS, KS_HLT, KS_F_IP, 0, 0, 0xffffffff81000020, 0);
	add(&s, 3 * MS + 5000, KS_VCPU_OUT, KS_OUT_HALTED, 0, 0, 0, 0);
	add(&s, 4 * MS, KS_PAUSE, KS_F_IP, 1, 1, 0xffffffff81000030, 0);
	add(&s, 4 * MS + 50000, KS_VCPU_OUT, KS_OUT_RUNNABLE, 1, 1, 7, 0);
	add(&s, 5 * MS, KS_VCPU_IN, 0, 0, 0, 0, 0);
	add(&s, 5 * MS + 2000, KS_HALT_POLL, KS_HALT_WAITED, 0, 0, 2 * MS, 0);
	add(&s, 6 * MS, KS_VCPU_IN, 0, 1, 1, 8, 0);
	add(&s, 7 * MS, KS_PAUSE, KS_F_IP, 0, 0, 0xffffffff81000040, 0);
	assert_int_equal(export_host(&s, warning), 0);
	assert_non_null(strstr(warning, "no formats"));
	read_file(&f, s.data);
	assert_int_equal(count(&f, "kvm:kvm_exit"), 4);
	expect_exit(&f, 0, 2 * MS, 101, PAUSE, 0xffffffff81000010, 0);
	expect_exit(&f, 1, 3 * MS, 101, HLT, 0xffffffff81000020, 0);
	expect_exit(&f, 2, 4 * MS, 102, PAUSE, 0xffffffff81000030, 1);
	expect_exit(&f, 3, 7 * MS, 101, PAUSE, 0xffffffff81000040, 0);
	assert_int_equal(count(&f, "kvm:kvm_entry"), 6);
	expect_entry(&f, 0, 2 * MS, 101, 0); /* the leading ones */
	expect_entry(&f, 1, 2 * MS + 1, 101, 0);
	expect_entry(&f, 2, 4 * MS, 102, 1);
	expect_entry(&f, 3, 5 * MS + 2000, 101, 0);
	expect_entry(&f, 4, 6 * MS, 102, 1);
	expect_entry(&f, 5, 7 * MS + 1, 101, 0);
	expect_sorted(&f);
	free(f.p);
	remove_all(&s);
}

static void expect_switch(const struct file *f, unsigned int i, uint64_t time, uint32_t prev,
			  uint32_t next, uint32_t state, const char *prev_comm,
			  const char *next_comm)
{
	const struct sample *s = nth(f, "sched:sched_switch", i);

	assert_int_equal(s->time, time);
	assert_int_equal(s->tid, prev);
	assert_string_equal((const char *)s->raw + 8, prev_comm);
	assert_int_equal(raw32(s, 24), prev);
	assert_int_equal(raw32(s, 28), 120);
	assert_int_equal(raw64(s, 32), state);
	assert_string_equal((const char *)s->raw + 40, next_comm);
	assert_int_equal(raw32(s, 56), next);
}

static void switches(void **state)
{
	static struct file f;
	const struct sample *r;
	char warning[256];
	struct world s;

	(void)state;
	begin_host(&s, "");
	add(&s, 2 * MS, KS_VCPU_IN, 0, 0, 0, 0, 0);
	add(&s, 3 * MS, KS_VCPU_OUT, KS_OUT_RUNNABLE, 0, 0, 102, 0);
	add(&s, 3 * MS, KS_VCPU_IN, 0, 0, 1, 101, 0); /* told already */
	add(&s, 4 * MS, KS_VCPU_OUT, KS_OUT_BLOCKED, 0, 1, 55, 0);
	add(&s, 5 * MS, KS_VCPU_WAKE, 0, 0, 1, 56, 0);
	add(&s, 6 * MS, KS_VCPU_MIGRATE, 0, 1, 1, 0, 1);
	add(&s, 7 * MS, KS_VCPU_IN, 0, 0, 0, 57, 0); /* 55 had the pCPU, 57 gives it back */
	assert_int_equal(export_host(&s, warning), 0);
	read_file(&f, s.data);
	assert_int_equal(count(&f, "sched:sched_switch"), 5);
	expect_switch(&f, 0, 2 * MS, 0, 101, 0, "swapper/0", "CPU 0/KVM");
	expect_switch(&f, 1, 3 * MS, 101, 102, 0, "CPU 0/KVM", "CPU 1/KVM");
	expect_switch(&f, 2, 4 * MS, 102, 55, 1, "CPU 1/KVM", ":55");
	expect_switch(&f, 3, 7 * MS, 55, 57, 1, ":55", ":57");
	expect_switch(&f, 4, 7 * MS, 57, 101, 1, ":57", "CPU 0/KVM");
	assert_int_equal(count(&f, "sched:sched_stat_runtime"), 2);
	r = nth(&f, "sched:sched_stat_runtime", 0);
	assert_int_equal(raw32(r, 24), 101);
	assert_int_equal(raw64(r, 32), MS);
	r = nth(&f, "sched:sched_waking", 0);
	assert_int_equal(r->tid, 56);
	assert_int_equal(raw32(r, 24), 102);
	r = nth(&f, "sched:sched_migrate_task", 0);
	assert_int_equal(raw32(r, 32), 0);
	assert_int_equal(raw32(r, 36), 1);
	expect_sorted(&f);
	free(f.p);
	remove_all(&s);
}

/* A burst of 5 from 10 to 14 ms, in which the vCPU was halted from 11.5 to 12.5 ms; and a loss. */
static void bursts(void **state)
{
	static struct file f;
	unsigned int i, lost = 0, last_is_exit = 0;
	char warning[256];
	struct world s;

	(void)state;
	begin_host(&s, "");
	add(&s, 9 * MS, KS_HLT, KS_F_IP, 0, 0, 0xffffffff81000020, 0);
	add(&s, 11 * MS + MS / 2, KS_HLT, KS_F_IP, 0, 0, 0xffffffff81000020, 0);
	add(&s, 11 * MS + MS / 2 + 9, KS_VCPU_OUT, KS_OUT_HALTED, 0, 0, 0, 0);
	add(&s, 12 * MS + MS / 2, KS_VCPU_IN, 0, 0, 0, 0, 0);
	add(&s, 14 * MS, KS_BURST, KS_F_IP, 0, 0, 0xffffffff81000010, (4 * MS) << 32 | 5);
	add(&s, 15 * MS, KS_LOSS, KS_PAUSE, 0, 0, 14 * MS, 33);
	/* More exits than there is time for, in the second one beside the first: told as lost. */
	add(&s, 16 * MS, KS_BURST, KS_F_IP, 0, 1, 0xffffffff81000010, 1000ull << 32 | 4000000000u);
	add(&s, 16 * MS + 750, KS_BURST, KS_F_IP, 0, 1, 0xffffffff81000010, 1000ull << 32 | 7);
	assert_int_equal(export_host(&s, warning), 0);
	read_file(&f, s.data);
	assert_int_equal(count(&f, "kvm:kvm_exit"), 2 + 5 + 3 + 2);
	assert_int_equal(nth(&f, "kvm:kvm_exit", 1)->time, 10 * MS);
	for (i = 0; i < f.n; i++) {
		if (f.sample[i].type == 2) { /* PERF_RECORD_LOST: id, number */
			uint64_t n;

			memcpy(&n, f.sample[i].raw + 16, 8);
			assert_true(n == 33 || n == 4000000000u - 3 || n == 7 - 2);
			lost++;
		}
		/* Exit and entry of a vCPU alternate, or perf loses one. */
		if (f.sample[i].type != 9 || f.sample[i].tid != 101)
			continue;
		if (!strcmp(f.sample[i].event, "kvm:kvm_exit")) {
			assert_false(last_is_exit);
			last_is_exit = 1;
		} else if (!strcmp(f.sample[i].event, "kvm:kvm_entry")) {
			last_is_exit = 0;
		}
	}
	assert_int_equal(lost, 3);
	expect_sorted(&f);
	free(f.p);
	remove_all(&s);
}

/* A record that stands for eight million samples: they end when they are not wanted any more. */
static void ended_early(void **state)
{
	static const volatile int stop = 1;
	char warning[256];
	struct world s;
	uint32_t i;

	(void)state;
	begin_host(&s, "");
	for (i = 0; i < 1000; i++)
		add(&s, 9000 * MS + i, KS_BURST, KS_F_IP, 0, 0, 0xffffffff81000010, UINT64_MAX);
	s.stop = &stop;
	assert_int_equal(export_host(&s, warning), -ECANCELED);
	assert_int_equal(access(s.data, F_OK), -1);
	remove_all(&s);
}

/* Own formats in the metadata: written by their offsets; one that is of no use is not taken. */
#define FORMATS                                                                                    \
	",\"perf\":{\"cpuid\":\"AuthenticAMD,25,33,0\",\"formats\":{\"kvm:kvm_exit\":\""           \
	"name: kvm_exit\\nID: 1999\\nformat:\\n"                                                   \
	"\\tfield:unsigned short common_type;\\toffset:0;\\tsize:2;\\tsigned:0;\\n"                \
	"\\tfield:int common_pid;\\toffset:4;\\tsize:4;\\tsigned:1;\\n\\n"                         \
	"\\tfield:u32 isa;\\toffset:8;\\tsize:4;\\tsigned:0;\\n"                                   \
	"\\tfield:unsigned int vcpu_id;\\toffset:12;\\tsize:4;\\tsigned:0;\\n"                     \
	"\\tfield:unsigned long guest_rip;\\toffset:16;\\tsize:8;\\tsigned:0;\\n"                  \
	"\\tfield:unsigned int exit_reason;\\toffset:40;\\tsize:4;\\tsigned:0;\\n\\n"              \
	"print fmt: \\\"%d\\\", REC->isa\\n\","                                                    \
	"\"kvm:kvm_entry\":\"name: kvm_entry\\nID: 1\\nrubbish\"}}"

static void own_formats(void **state)
{
	static struct file f;
	const struct sample *r;
	char warning[256];
	struct world s;

	(void)state;
	begin_host(&s, FORMATS);
	add(&s, 2 * MS, KS_PAUSE, KS_F_IP, 0, 0, 0xffffffff81000010, 0);
	assert_int_equal(export_host(&s, warning), 0);
	read_file(&f, s.data);
	r = nth(&f, "kvm:kvm_exit", 0);
	assert_int_equal(r->raw_size, 44);
	assert_int_equal(raw32(r, 0) & 0xffff, 1999);
	assert_int_equal(raw32(r, 8), 2);
	assert_int_equal(raw32(r, 12), 0);
	assert_int_equal(raw64(r, 16), 0xffffffff81000010);
	assert_int_equal(raw32(r, 40), PAUSE);
	assert_int_equal(raw32(nth(&f, "kvm:kvm_entry", 0), 8), 0);
	assert_memory_equal(f.section[9] + 4, "AuthenticAMD,25,33,0", 21); /* CPUID */
	assert_memory_equal(f.section[1], "\x17\x08\x44tracing0.6", 14);
	assert_true(has_text(&f, "print fmt: \"%d\", REC->isa\n"));
	assert_false(has_text(&f, "rubbish"));
	free(f.p);
	remove_all(&s);
}

/* perf takes names of exits from the CPUID, and from its own machine's if there is none. */
static void vendors(void **state)
{
	static const struct {
		const char *meta, *cpuid;
	} cases[] = {
		{ ",\"vendor\":\"\"", "AuthenticAMD,0,0,0" },
		{ ",\"vendor\":\"\",\"isa\":\"vmx\"", "GenuineIntel,0,0,0" },
		{ ",\"vendor\":\"HygonGenuine\"", "HygonGenuine,0,0,0" },
	};
	static struct file f;
	char warning[256];
	struct world s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin_host(&s, cases[i].meta);
		add(&s, 2 * MS, KS_PAUSE, KS_F_IP, 0, 0, 0xffffffff81000010, 0);
		assert_int_equal(export_host(&s, warning), 0);
		read_file(&f, s.data);
		assert_string_equal((char *)f.section[9] + 4, cases[i].cpuid);
		free(f.p);
		remove_all(&s);
	}
}

/* A guest's metadata can be anything. */
static void hostile_meta(void **state)
{
	static const char *const metas[] = {
		",\"perf\":null",
		",\"perf\":[1,2]",
		",\"perf\":{\"formats\":7,\"header_page\":{},\"cpuid\":[]}",
		",\"perf\":{\"formats\":{\"kvm:kvm_exit\":{}},\"header_page\":\"\\u001b[2J\"}",
		",\"perf\":{\"formats\":{\"kvm:kvm_exit\":\"\"},\"cpuid\":\"\\u001b[2J\"}",
		",\"perf\":{\"formats\":{\"kvm:kvm_exit\":\"name: x\\nID: 5\\nformat:\\n\"}}",
	};
	static struct file f;
	char warning[256];
	struct world s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(metas) / sizeof(metas[0]); i++) {
		begin_host(&s, metas[i]);
		add(&s, 2 * MS, KS_PAUSE, KS_F_IP, 0, 0, 0xffffffff81000010, 0);
		assert_int_equal(export_host(&s, warning), 0);
		assert_non_null(strstr(warning, "no formats"));
		read_file(&f, s.data);
		expect_exit(&f, 0, 2 * MS, 101, PAUSE, 0xffffffff81000010, 0);
		assert_null(memchr(f.section[1], 033, f.section_size[1]));
		free(f.p);
		remove_all(&s);
	}
}

/* ---- a guest alone ---- */

static void export_guest(struct world *s)
{
	const struct ks_export_opts export_opts = { .rows = NULL };
	struct ks_export_input in = { .to = UINT64_MAX };
	struct ks_fanout f = { .n = 0 };
	struct ks_event ev = { .src = 1 };
	struct ks_analysis_ops ops;
	struct ks_err err;

	assert_int_equal(ks_writer_close(s->w, &err), 0);
	assert_int_equal(ks_fanout_add(&f, &ks_export_perf, s->data, &export_opts, &err), 0);
	ks_fanout_ops(&f, &ops);
	assert_int_equal(ks_reader_open(&in.alone, s->trace, &err), 0);
	assert_int_equal(ks_names_new(&in.names, NULL), 0);
	assert_int_equal(ks_fanout_begin(&f, &in, &err), 0);
	while (ks_reader_next(in.alone, &ev.rec, &err) > 0) {
		ev.time = ev.rec->time > ev.time ? ev.rec->time : ev.time;
		ops.event(ops.ctx, &ev);
	}
	assert_int_equal(ks_fanout_finish(&f, &in, &err), 0);
	ks_fanout_close(&f);
	ks_names_free(in.names);
	ks_reader_close(in.alone);
}

/* The lock's events in order: each of them with its time. */
static void expect_lock(const struct file *f, unsigned int *at, const char *event, uint64_t time)
{
	while (f->sample[*at].type != 9 || strncmp(f->sample[*at].event, "lock:", 5) != 0)
		++*at;
	assert_string_equal(f->sample[*at].event + 5, event);
	assert_int_equal(f->sample[*at].time, time);
	++*at;
}

#define LOCK 0xffff888000001000ull

/* CPU time of an export of waits at 50,000 places; `fixed`: all at one end of a known hash's table. */
static clock_t many_places(bool fixed)
{
	uint64_t addr = 0xffffffff81000000, at;
	struct world s;
	clock_t begun;
	uint32_t n;

	begin(&s, "{\"side\":\"guest\",\"ncpus\":2}", KS_SIDE_GUEST);
	for (n = 0; n < 50000; addr += 16) {
		at = (addr * 0x9e3779b97f4a7c15ull) >> 40 & 131071;
		if (!fixed || at < 1024)
			add(&s, MS + 1000 * n++, KS_LOCK_TRY, 0, 0, 9, LOCK, addr);
	}
	begun = clock();
	export_guest(&s);
	begun = clock() - begun;
	remove_all(&s);
	return begun;
}

/* Addresses are the guest's to choose, but not where they stand in our tables. */
static void chosen_addresses(void **state)
{
	clock_t any = many_places(false);

	(void)state;
	assert_in_range(many_places(true), 0, 3 * any);
}

static void locks(void **state)
{
	static struct file f;
	unsigned int at = 0;
	struct world s;

	(void)state;
	begin(&s, "{\"side\":\"guest\",\"ncpus\":2,\"tasks\":{\"9\":\"a\\u001b[2J\",\"x\":\"y\"}}",
	      KS_SIDE_GUEST);
	add(&s, 2 * MS, KS_LOCK_TRY, 0, 0, 9, LOCK, 0xffffffff81000010);
	add(&s, 3 * MS, KS_LOCK_ACQ, 0, 0, 9, LOCK, MS);
	add(&s, 4 * MS, KS_LOCK_REL, 0, 0, 9, LOCK, MS << 32);
	/* Not waited for: known when it is over. */
	add(&s, 7 * MS, KS_LOCK_REL, 0, 1, 10, LOCK + 64, (2 * MS) << 32);
	/* The try is lost. */
	add(&s, 9 * MS, KS_LOCK_ACQ, 0, 1, 10, LOCK, MS);
	/* No release on record, since it was short; the CPU is not there. */
	add(&s, 10 * MS, KS_LOCK_TRY, 0, 1, 10, LOCK, 0xffffffff81000020);
	add(&s, 10 * MS, KS_LOCK_TRY, 0, 2, 11, LOCK, 0xffffffff81000020);
	export_guest(&s);
	read_file(&f, s.data);
	expect_lock(&f, &at, "lock_acquire", 2 * MS);
	expect_lock(&f, &at, "lock_contended", 2 * MS);
	expect_lock(&f, &at, "contention_begin", 2 * MS);
	expect_lock(&f, &at, "contention_end", 3 * MS);
	expect_lock(&f, &at, "lock_release", 4 * MS);
	expect_lock(&f, &at, "lock_acquire", 5 * MS);
	expect_lock(&f, &at, "lock_acquired", 5 * MS);
	expect_lock(&f, &at, "lock_release", 7 * MS);
	expect_lock(&f, &at, "lock_acquire", 8 * MS);
	expect_lock(&f, &at, "lock_contended", 8 * MS);
	expect_lock(&f, &at, "contention_begin", 8 * MS);
	expect_lock(&f, &at, "contention_end", 9 * MS);
	expect_lock(&f, &at, "lock_release", 10 * MS);
	expect_lock(&f, &at, "lock_acquire", 10 * MS);
	expect_lock(&f, &at, "lock_contended", 10 * MS);
	expect_lock(&f, &at, "contention_begin", 10 * MS);
	assert_int_equal(count(&f, "lock:contention_begin"), 3);
	assert_int_equal(nth(&f, "lock:contention_begin", 0)->ip, 0xffffffff81000010);
	assert_int_equal(nth(&f, "lock:contention_end", 0)->ip, 0xffffffff81000010);
	assert_int_equal(raw64(nth(&f, "lock:contention_begin", 0), 8), LOCK);
	assert_int_equal(raw32(nth(&f, "lock:contention_begin", 0), 16), 1);
	assert_int_equal(raw64(nth(&f, "lock:lock_acquire", 0), 16), LOCK);
	assert_string_equal((const char *)nth(&f, "lock:lock_acquire", 0)->raw + 24,
			    "0xffff888000001000");
	assert_null(memmem(f.p, f.size, "\033[", 2)); /* from the name of a thread */
	assert_non_null(memmem(f.p, f.size, "a?[2J", 5));
	expect_sorted(&f);
	free(f.p);
	remove_all(&s);
}

/* Clocks of both sides: the guest's is the host's. */
static void tick(struct world *s)
{
	uint64_t t;

	for (t = MS; t < 2000 * MS; t += 100 * MS)
		add(s, t, KS_CLOCK, 0, 0, 0, 2 * t, 20);
}

/* Its CPUs 0 to 2 never exited: of CPU 3 all is told, and what was lost somewhere. */
static void one_vcpu_of_four(void **state)
{
	static struct file f;
	struct world host, guest;
	char warning[256];
	struct ks_err err;
	uint64_t lost = 0;
	unsigned int i;

	(void)state;
	begin(&host,
	      "{\"isa\":\"svm\",\"vendor\":\"AuthenticAMD\",\"tsc_ratio_frac\":32,\"ncpus\":4,"
	      "\"vms\":{\"100\":{\"name\":\"vm\"}}}",
	      KS_SIDE_HOST);
	tick(&host);
	add(&host, 2 * MS, KS_VCPU_NEW, 0, 0, 0, 100ull << 32 | 101, 3);
	add(&host, 2 * MS, KS_TSC_OFFSET, 0, 0, 0, 0, 1ull << 32);
	add(&host, 500 * MS, KS_PAUSE, KS_F_IP, 0, 0, 0xffffffff81000010, 0);
	begin(&guest, "{\"side\":\"guest\",\"ncpus\":4,\"apic_ids\":[0,1,2,3]}", KS_SIDE_GUEST);
	tick(&guest);
	add(&guest, 600 * MS, KS_LOCK_TRY, 0, 3, 9, LOCK, 0xffffffff81000010);
	add(&guest, 700 * MS, KS_LOCK_ACQ, 0, 3, 9, LOCK, 100 * MS);
	add(&guest, 750 * MS, KS_LOCK_TRY, 0, 2, 9, LOCK, 0xffffffff81000010);
	add(&guest, 800 * MS, KS_LOSS, 0, KS_RING_ANY, 0, 0, 7);
	assert_int_equal(ks_writer_close(guest.w, &err), 0);
	assert_int_equal(export_both(&host, &guest, warning), 0);
	read_file(&f, host.data);
	assert_int_equal(count(&f, "lock:contention_begin"), 1);
	assert_int_equal(count(&f, "lock:contention_end"), 1);
	for (i = 0; i < f.n; i++)
		if (f.sample[i].type == 2) /* PERF_RECORD_LOST: id, number */
			memcpy(&lost, f.sample[i].raw + 16, 8);
	assert_int_equal(lost, 7);
	free(f.p);
	remove_all(&host);
	remove_all(&guest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exits),
		cmocka_unit_test(switches),
		cmocka_unit_test(bursts),
		cmocka_unit_test(ended_early),
		cmocka_unit_test(own_formats),
		cmocka_unit_test(vendors),
		cmocka_unit_test(hostile_meta),
		cmocka_unit_test(locks),
		cmocka_unit_test(chosen_addresses),
		cmocka_unit_test(one_vcpu_of_four),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
