// SPDX-License-Identifier: GPL-2.0
/*
 * Rows of records that no simulator writes: every type, hostile numbers and names; the formatting of
 * numbers and strings; files that get their names when they are whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fanout.h"
#include "rows.h"
#include "rows_buf.h"
#include "text.h"

#define SEC 1000000000ull

static char dir[64];

static const char *file(const char *name)
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
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd);
}

static char *slurp(const char *path)
{
	char *text;

	assert_int_equal(ks_read_file(path, 1 << 24, &text, NULL), 0);
	return text;
}

static void holds(const char *path, const char *want)
{
	char *text = slurp(path);

	assert_string_equal(text, want);
	free(text);
}

/* ---- text ---- */

static void numbers(void **state)
{
	static const uint64_t values[] = { 0, 9, 10, 99, 100, 1234567, 1ull << 53, UINT64_MAX };
	struct ks_outfile o;
	struct rows_buf b;
	char want[1024] = "";
	size_t i, n = 0;

	(void)state;
	assert_int_equal(ks_outfile_open(&o, file("numbers"), NULL), 0);
	assert_int_equal(rows_buf_init(&b, &o), 0);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		rows_u64(&b, values[i]);
		rows_char(&b, ' ');
		rows_s64(&b, (int64_t)values[i]);
		rows_char(&b, ' ');
		rows_s64(&b, INT64_MIN + (int64_t)(values[i] >> 1));
		rows_char(&b, ' ');
		rows_hex(&b, values[i]);
		rows_char(&b, '\n');
		n += snprintf(want + n, sizeof(want) - n,
			      "%" PRIu64 " %" PRId64 " %" PRId64 " 0x%" PRIx64 "\n", values[i],
			      (int64_t)values[i], INT64_MIN + (int64_t)(values[i] >> 1), values[i]);
	}
	rows_buf_flush(&b);
	rows_buf_free(&b);
	assert_int_equal(ks_outfile_commit(&o, NULL), 0);
	holds(file("numbers"), want);
}

static void strings(void **state)
{
	static const char *const values[] = {
		"plain", "", "a,b", "say \"hi\"", "two\nlines", "\\\t\x7f", "gr\xc3\xb6\xc3\x9f"
	};
	struct ks_outfile o;
	struct rows_buf b;
	size_t i;

	(void)state;
	assert_int_equal(ks_outfile_open(&o, file("strings"), NULL), 0);
	assert_int_equal(rows_buf_init(&b, &o), 0);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		rows_json_string(&b, values[i]);
		rows_char(&b, '|');
		rows_csv_string(&b, values[i]);
		rows_char(&b, '\n');
	}
	rows_buf_flush(&b);
	rows_buf_free(&b);
	assert_int_equal(ks_outfile_commit(&o, NULL), 0);
	holds(file("strings"), "\"plain\"|plain\n"
			       "\"\"|\"\"\n"
			       "\"a,b\"|\"a,b\"\n"
			       "\"say \\\"hi\\\"\"|\"say \"\"hi\"\"\"\n"
			       "\"two\\u000alines\"|\"two\nlines\"\n"
			       "\"\\\\\\u0009\\u007f\"|\\\t\x7f\n"
			       "\"gr\xc3\xb6\xc3\x9f\"|gr\xc3\xb6\xc3\x9f\n");
}

/* ---- files ---- */

static void files(void **state)
{
	struct ks_outfile o;
	struct ks_err err;
	struct stat st;

	(void)state;
	assert_int_equal(ks_outfile_open(&o, file("out"), &err), 0);
	ks_outfile_write(&o, "old", 3);
	assert_int_equal(access(file("out"), F_OK), -1);
	assert_int_equal(ks_outfile_commit(&o, &err), 0);
	holds(file("out"), "old");
	assert_int_equal(stat(file("out"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(symlink("out", file("link")), 0);
	assert_int_equal(ks_outfile_open(&o, file("link"), &err), 0);
	ks_outfile_write(&o, "new", 3);
	holds(file("out"), "old");
	assert_int_equal(ks_outfile_commit(&o, &err), 0);
	holds(file("out"), "new");
	assert_int_equal(lstat(file("link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(ks_outfile_open(&o, file("out"), &err), 0);
	ks_outfile_write(&o, "newer", 5);
	ks_outfile_discard(&o);
	holds(file("out"), "new");
	assert_int_equal(access(file("out.partial"), F_OK), -1);
	assert_int_equal(ks_outfile_open(&o, dir, &err), -EISDIR);
	assert_int_equal(ks_outfile_open(&o, "/dev/full", &err), 0);
	ks_outfile_write(&o, "x", 1);
	assert_int_equal(ks_outfile_commit(&o, &err), -ENOSPC);
	assert_string_equal(err.msg, "/dev/full: No space left on device");
}

/* Two who write to one name: the later one is told so, and leaves the earlier one's alone. */
static void two_writers(void **state)
{
	struct ks_outfile first, second;
	struct ks_err err;

	(void)state;
	assert_int_equal(ks_outfile_open(&first, file("out"), &err), 0);
	ks_outfile_write(&first, "first", 5);
	assert_int_equal(ks_outfile_open(&second, file("out"), &err), -EBUSY);
	assert_non_null(strstr(err.msg, "is being written: give another name"));
	assert_int_equal(ks_outfile_commit(&first, &err), 0);
	holds(file("out"), "first");
	assert_int_equal(ks_outfile_open(&second, file("out"), &err), 0);
	ks_outfile_write(&second, "2nd", 3);
	assert_int_equal(ks_outfile_commit(&second, &err), 0);
	holds(file("out"), "2nd");
}

/* What an interrupted run left is written over; not so what is left of a recording. */
static void older_partial(void **state)
{
	static const char recording[] = "\x89KVS\r\n\x1a\n and what was recorded";
	struct ks_outfile o;
	struct ks_err err;
	FILE *f;

	(void)state;
	f = fopen(file("p.partial"), "w");
	assert_int_equal(fwrite("\x89KVS\r\n", 6, 1, f), 1);
	fclose(f);
	assert_int_equal(ks_outfile_open(&o, file("p"), &err), 0);
	ks_outfile_write(&o, "new", 3);
	assert_int_equal(ks_outfile_commit(&o, &err), 0);
	holds(file("p"), "new");
	f = fopen(file("p.partial"), "w");
	assert_int_equal(fwrite(recording, sizeof(recording) - 1, 1, f), 1);
	fclose(f);
	assert_int_equal(ks_outfile_open(&o, file("p"), &err), -EEXIST);
	assert_non_null(strstr(err.msg, "p.partial: left by a recording"));
	holds(file("p.partial"), recording);
	holds(file("p"), "new");
	assert_int_equal(rename(file("p.partial"), file("q")), 0);
	assert_int_equal(ks_outfile_open(&o, file("q"), &err), -ENOTEMPTY);
	assert_non_null(strstr(err.msg, "q: is a recording"));
	holds(file("q"), recording);
}

/* ---- records ---- */

static void write_trace(const char *path, enum ks_side side, const char *meta,
			const struct ks_rec *recs, size_t n)
{
	struct json_object *m = json_tokener_parse(meta);
	struct ks_writer *w;
	size_t i;

	assert_non_null(m);
	assert_int_equal(ks_writer_open(&w, path, side, 1, NULL), 0);
	assert_int_equal(ks_writer_meta(w, m), 0);
	for (i = 0; i < n; i++)
		assert_int_equal(ks_writer_add(w, 0, &recs[i], 1), 0);
	assert_int_equal(ks_writer_close(w, NULL), 0);
	json_object_put(m);
}

static void add_all(struct ks_fanout *f)
{
	static const struct ks_export_opts opts;

	memset(f, 0, sizeof(*f));
	assert_int_equal(ks_fanout_add(f, &ks_export_json, file("rows"), &opts, NULL), 0);
	assert_int_equal(ks_fanout_add(f, &ks_export_csv, file("tables"), &opts, NULL), 0);
}

/* The rows as an array; the caller's. */
static struct json_object *rows(void)
{
	struct json_object *all = json_object_new_array(), *row;
	char *text = slurp(file("rows")), *line, *next;

	for (line = text; (next = strchr(line, '\n')); line = next + 1) {
		*next = 0;
		row = json_tokener_parse(line);
		assert_non_null(row);
		json_object_array_add(all, row);
	}
	assert_string_equal(line, "");
	free(text);
	return all;
}

static const char *get(struct json_object *row, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(row, key, &v) ? json_object_to_json_string(v) : "none";
}

/* The first row of this type. */
static struct json_object *of_type(struct json_object *all, const char *type)
{
	size_t i;

	for (i = 0; i < json_object_array_length(all); i++)
		if (!strcmp(get(json_object_array_get_idx(all, i), "type"), type))
			return json_object_array_get_idx(all, i);
	fail_msg("no row of type %s", type);
	return NULL;
}

/* Each type that either side sends, and three that it does not, with the largest numbers there are. */
static size_t every_type(struct ks_rec *recs, unsigned int from, unsigned int to)
{
	unsigned int t;
	size_t n = 0;

	for (t = from; t < to; t++)
		if (rows_record_type(t))
			recs[n++] = (struct ks_rec){ 0,		 t,	     0xff,	0xfff0,
						     UINT32_MAX, UINT64_MAX, UINT64_MAX };
	recs[n++] = (struct ks_rec){ 0, 15, 1, 2, 3, 4, 5 };
	recs[n++] = (struct ks_rec){ 0, 200, 1, 2, 3, 4, UINT64_MAX };
	recs[n++] =
		(struct ks_rec){ 0, from == KS_LOCK_TRY ? KS_PAUSE : KS_LOCK_TRY, 0, 0, 0, 1, 1 };
	for (t = 0; t < n; t++)
		recs[t].time = SEC + t;
	return n;
}

static void run_alone(const char *guest)
{
	struct ks_export_input in = { .to = UINT64_MAX };
	struct ks_event ev = { .src = 1 };
	struct ks_analysis_ops ops;
	struct ks_fanout f;

	assert_int_equal(ks_reader_open(&in.alone, guest, NULL), 0);
	assert_int_equal(ks_names_new(&in.names, NULL), 0);
	assert_int_equal(ks_names_load_guest(in.names, in.alone, NULL), 0);
	add_all(&f);
	ks_fanout_ops(&f, &ops);
	assert_int_equal(ks_fanout_begin(&f, &in, NULL), 0);
	while (ks_reader_next(in.alone, &ev.rec, NULL) > 0) {
		ev.time = ev.rec->time;
		ops.event(ops.ctx, &ev);
	}
	assert_int_equal(ks_fanout_finish(&f, &in, NULL), 0);
	ks_fanout_close(&f);
	ks_names_free(in.names);
	ks_reader_close(in.alone);
}

static void guest_alone(void **state)
{
	struct ks_rec recs[64];
	size_t n = every_type(recs, KS_LOCK_TRY, KS_TYPE_MAX), i;
	struct json_object *all, *row;

	(void)state;
	write_trace(file("g.kvs"), KS_SIDE_GUEST,
		    "{\"hostname\": \"a\\u001b[31m\\\"b\", \"tasks\": {\"4294967295\": "
		    "\"x,\\\"y\\\"\"}}",
		    recs, n);
	run_alone(file("g.kvs"));
	all = rows();
	assert_int_equal(json_object_array_length(all), n + 3); /* header, file_total, end */
	assert_non_null(strstr(json_object_to_json_string(json_object_array_get_idx(all, 0)),
			       "\"a?[31m\\\"b\""));
	for (i = 0; i < n; i++) {
		row = json_object_array_get_idx(all, i + 1);
		assert_string_equal(get(row, "row"), "\"record\"");
		assert_string_equal(get(row, "vcpu"), i < n - 3 ? "null" : "none");
		if (i >= n - 3)
			assert_string_equal(get(row, "type"), "\"unknown\"");
		if (recs[i].type == KS_LOCK_REL) {
			assert_string_equal(get(row, "lock"), "\"0xffffffffffffffff\"");
			assert_string_equal(get(row, "hold_ns"), "4398046510080");
			assert_non_null(strstr(get(row, "task"), "\"x,\\\"y\\\"\""));
		}
	}
	json_object_put(all);
}

/* Members of the records, in their order, one line for each; "none" where the type has it not. */
static void members(const char *const *key, const char *want)
{
	struct json_object *all = rows(), *row;
	char text[2048] = "";
	size_t i, k, n = 0;

	for (i = 0; i < json_object_array_length(all); i++) {
		row = json_object_array_get_idx(all, i);
		if (strcmp(get(row, "row"), "\"record\"") != 0)
			continue;
		for (k = 0; key[k]; k++)
			n += snprintf(text + n, sizeof(text) - n, "%s%s", k ? " " : "",
				      get(row, key[k]));
		n += snprintf(text + n, sizeof(text) - n, "\n");
	}
	assert_string_equal(text, want);
	json_object_put(all);
}

/* Who moved a thread, and where one may run; a flag that nobody gave a meaning is not known. */
static void guest_threads(void **state)
{
	static const char *const key[] = { "type", "moved_by", "allowed", "prev_allowed", NULL };
	const struct ks_rec recs[] = {
		{ SEC, KS_TASK_MIGRATE, KS_MOVE_UNKNOWN, 0, 5, 0, 1 },
		{ SEC + 1, KS_TASK_MIGRATE, KS_MOVE_WAKE, 0, 5, 0, 1 },
		{ SEC + 2, KS_TASK_MIGRATE, KS_MOVE_NEWIDLE, 0, 5, 0, 1 },
		{ SEC + 3, KS_TASK_MIGRATE, KS_MOVE_PERIODIC, 0, 5, 0, 1 },
		{ SEC + 4, KS_TASK_MIGRATE, KS_MOVE_MAX, 0, 5, 0, 1 },
		{ SEC + 5, KS_TASK_WAKE, KS_ALLOWED_UNKNOWN, 0, 5, 1, 6 },
		{ SEC + 6, KS_TASK_WAKE, KS_ALLOWED_ANY, 0, 5, 1, 6 },
		{ SEC + 7, KS_TASK_SWITCH, KS_ALLOWED_ONE, 0, 5, 6, 1 },
		{ SEC + 8, KS_TASK_SWITCH, KS_ALLOWED_SOME, 0, 5, 6, 1 },
		{ SEC + 9, KS_TASK_SWITCH, 0, 0, 5, 6, 0 },
	};

	(void)state;
	write_trace(file("g.kvs"), KS_SIDE_GUEST, "{}", recs, sizeof(recs) / sizeof(recs[0]));
	run_alone(file("g.kvs"));
	members(key, "\"task_migrate\" null none none\n"
		     "\"task_migrate\" \"wake_up\" none none\n"
		     "\"task_migrate\" \"newly_idle\" none none\n"
		     "\"task_migrate\" \"periodic\" none none\n"
		     "\"task_migrate\" null none none\n"
		     "\"task_wake\" none null none\n"
		     "\"task_wake\" none \"any\" none\n"
		     "\"task_switch\" none none \"one\"\n"
		     "\"task_switch\" none none \"some\"\n"
		     "\"task_switch\" none none null\n");
}

#define EVEN 0x5555555555555555ull
#define TWO_OF_THREE 0xdb6db6db6db6db6dull /* 0, 2-3, 5-6 ... */

static void guest_cpus(void **state)
{
	static const char *const key[] = { "cpus_allowed_list", NULL };
	const struct ks_rec recs[] = {
		{ SEC, KS_TASK_CPUS, 0, 0, 5, 0x10f, 0 },
		{ SEC + 1, KS_TASK_CPUS, 0, 0, 5, 1ull << 63, 1 },
		{ SEC + 2, KS_TASK_CPUS, 0, 0, 5, UINT64_MAX, UINT64_MAX },
		{ SEC + 3, KS_TASK_CPUS, 0, 0, 5, 0, 1ull << 63 },
		{ SEC + 4, KS_TASK_CPUS, 0, 0, 5, 0, 0 },
	};

	(void)state;
	write_trace(file("g.kvs"), KS_SIDE_GUEST, "{}", recs, 5);
	run_alone(file("g.kvs"));
	members(key, "\"0-3,8\"\n\"63-64\"\n\"0-127\"\n\"127\"\nnull\n");
}

/* Lists as long as they get are whole. */
static void guest_cpus_long(void **state)
{
	static const char *const key[] = { "cpus_allowed_list", NULL };
	const struct ks_rec recs[] = {
		{ SEC, KS_TASK_CPUS, 0, 0, 5, EVEN, EVEN },
		{ SEC + 1, KS_TASK_CPUS, 0, 0, 5, TWO_OF_THREE, TWO_OF_THREE >> 1 },
	};
	char want[1024] = "\"0";
	unsigned int cpu;
	size_t n = 2;

	(void)state;
	for (cpu = 2; cpu < 128; cpu += 2)
		n += snprintf(want + n, sizeof(want) - n, ",%u", cpu);
	n += snprintf(want + n, sizeof(want) - n, "\"\n\"0");
	for (cpu = 2; cpu < 128; cpu += 3)
		n += snprintf(want + n, sizeof(want) - n, ",%u-%u", cpu, cpu + 1);
	snprintf(want + n, sizeof(want) - n, "\"\n");
	write_trace(file("g.kvs"), KS_SIDE_GUEST, "{}", recs, 2);
	run_alone(file("g.kvs"));
	members(key, want);
}

/* More flagged CPUs than idle ones make no sense; without the flags nothing is known of them. */
static void guest_passed(void **state)
{
	static const char *const key[] = { "type",	"guest_cpu",	"to_cpu",
					   "idle_cpus", "flagged_cpus", NULL };
	const struct ks_rec recs[] = {
		{ SEC, KS_TASK_PASSED, KS_PASSED_FLAGS, 2, 5, 3ull << 32 | 1, 7 },
		{ SEC + 1, KS_TASK_PASSED, 0, 2, 5, 3ull << 32, 7 },
		{ SEC + 2, KS_TASK_PASSED, KS_PASSED_FLAGS, 2, 5, 3ull << 32 | 4, UINT64_MAX },
	};

	(void)state;
	write_trace(file("g.kvs"), KS_SIDE_GUEST, "{}", recs, 3);
	run_alone(file("g.kvs"));
	members(key, "\"task_passed\" 2 7 3 1\n"
		     "\"task_passed\" 2 7 3 null\n"
		     "\"task_passed\" 2 null 3 null\n");
}

static void guest_hotplug(void **state)
{
	static const char *const key[] = { "type", "guest_cpu", "online", "pid", NULL };
	const struct ks_rec recs[] = {
		{ SEC, KS_CPU_ONLINE, 0, 3, 0, 0, 0 },
		{ SEC + 1, KS_CPU_ONLINE, 0, 3, 0, 1, 0 },
	};

	(void)state;
	write_trace(file("g.kvs"), KS_SIDE_GUEST, "{}", recs, 2);
	run_alone(file("g.kvs"));
	members(key, "\"cpu_online\" 3 false none\n"
		     "\"cpu_online\" 3 true none\n");
}

static void run_part(const char *host, const char *vm, uint64_t from, uint64_t to)
{
	struct ks_session_opts so = { .host = host, .vm = vm };
	struct ks_export_input in = { .from = from, .to = to, .vm = vm };
	struct ks_analysis_ops ops;
	struct ks_session *s;
	struct ks_fanout f;

	add_all(&f);
	ks_fanout_ops(&f, &ops);
	assert_int_equal(ks_names_new(&in.names, NULL), 0);
	assert_int_equal(ks_session_open(&s, &so, NULL), 0);
	assert_int_equal(ks_session_start(s, NULL, &ops, NULL), 0);
	assert_int_equal(ks_names_load(in.names, s, NULL), 0);
	in.session = s;
	assert_int_equal(ks_fanout_begin(&f, &in, NULL), 0);
	assert_int_equal(ks_session_run(s, NULL, NULL), 0);
	assert_int_equal(ks_fanout_finish(&f, &in, NULL), 0);
	ks_fanout_close(&f);
	ks_names_free(in.names);
	ks_session_close(s);
}

/* Of all VMs, or of the one with this name. */
static void run_session(const char *host, const char *vm)
{
	run_part(host, vm, 0, UINT64_MAX);
}

/* Two VMs with one name, which needs quotes. */
static void host_names(void **state)
{
	const struct ks_rec recs[] = {
		{ SEC, KS_VCPU_NEW, 0, 0, 0, 7ull << 32 | 8, 0 },
		{ SEC, KS_VCPU_NEW, 0, 0, 1, 9ull << 32 | 10, 0 },
		{ SEC + 1, KS_TSC_OFFSET, 0, 0, 0, (uint64_t)-28281960369, 1ull << 63 },
		{ SEC + 2, KS_VCPU_IN, 0, 3, 1, 0, 0 },
		{ SEC + 3, KS_PAUSE, KS_F_IP | KS_F_CPL | 3, 3, 1, 0x1234, 4096 },
		{ SEC + 4, KS_LOSS, KS_PAUSE, 3, 0, SEC + 3, 42 },
	};
	struct json_object *all, *row;
	char *text;

	(void)state;
	write_trace(file("h.kvs"), KS_SIDE_HOST,
		    "{\"vms\": {\"7\": {\"name\": \"a,\\\"b\\\"\"}, \"9\": {\"name\": "
		    "\"a,\\\"b\\\"\"}}}",
		    recs, 6);
	run_session(file("h.kvs"), NULL);
	text = slurp(file("tables/vms.csv"));
	assert_string_equal(text, "vm,name,pid,uuid,cid,vcpu_count\n"
				  "\"a,\"\"b\"\"-7\",\"a,\"\"b\"\"\",7,,,1\n"
				  "\"a,\"\"b\"\"-9\",\"a,\"\"b\"\"\",9,,,1\n");
	free(text);
	holds(file("tables/losses.csv"), "time_ns,from_ns,own_ns,side,vm,ring,lost_type,lost\n"
					 "1000000004,1000000003,1000000004,host,,3,pause,42\n");
	all = rows();
	row = of_type(all, "\"tsc_offset\"");
	assert_string_equal(get(row, "tsc_offset"), "\"-28281960369\"");
	assert_string_equal(get(row, "tsc_ratio"), "\"9223372036854775808\"");
	row = of_type(all, "\"pause\"");
	assert_string_equal(get(row, "vm"), "\"a,\\\"b\\\"-9\"");
	assert_string_equal(get(row, "ip"), "\"0x1234\"");
	assert_string_equal(get(row, "cpl"), "3");
	assert_string_equal(get(row, "window"), "4096");
	json_object_put(all);
}

/* The label of a VM is of it alone: as it is printed, and with a PID behind it. */
static void host_labels(void **state)
{
	struct ks_rec recs[7];
	unsigned int i;

	(void)state;
	for (i = 0; i < 7; i++)
		recs[i] = (struct ks_rec){ SEC, KS_VCPU_NEW, 0,
					   0,	i,	     (100ull + i) << 32 | (1000 + i),
					   0 };
	write_trace(file("h.kvs"), KS_SIDE_HOST,
		    "{\"vms\": {\"100\": {\"name\": \"x\"}, \"101\": {\"name\": \"x\"},"
		    "\"102\": {\"name\": \"x-100\"}, \"103\": {\"name\": \"a\\u0001\"},"
		    "\"104\": {\"name\": \"a\\u0002\"}, \"105\": {\"name\": \"b\"},"
		    "\"106\": {\"name\": \"x-100-100\"}}}",
		    recs, 7);
	run_session(file("h.kvs"), NULL);
	holds(file("tables/vms.csv"), "vm,name,pid,uuid,cid,vcpu_count\n"
				      "x-100-100-100,x,100,,,1\n"
				      "x-101,x,101,,,1\n"
				      "x-100-102,x-100,102,,,1\n"
				      "a?-103,a?,103,,,1\n"
				      "a?-104,a?,104,,,1\n"
				      "b,b,105,,,1\n"
				      "x-100-100-106,x-100-100,106,,,1\n");
}

/* CPU time of an export of so many VMs, of which every other one has the name of the one before. */
static clock_t many_vms(uint32_t n)
{
	struct ks_rec *recs = calloc(n, sizeof(*recs));
	struct json_object *meta = json_object_new_object(), *vms = json_object_new_object();
	struct json_object *vm;
	char text[32];
	clock_t begin;
	uint32_t i;

	assert_non_null(recs);
	for (i = 0; i < n; i++) {
		recs[i] = (struct ks_rec){ SEC, KS_VCPU_NEW, 0, 0, i, (100ull + i) << 32 | i, 0 };
		vm = json_object_new_object();
		snprintf(text, sizeof(text), "%u", i / 2);
		json_object_object_add(vm, "name", json_object_new_string(text));
		snprintf(text, sizeof(text), "%u", 100 + i);
		json_object_object_add(vms, text, vm);
	}
	json_object_object_add(meta, "vms", vms);
	write_trace(file("h.kvs"), KS_SIDE_HOST,
		    json_object_to_json_string_ext(meta, JSON_C_TO_STRING_PLAIN), recs, n);
	json_object_put(meta);
	free(recs);
	begin = clock();
	run_session(file("h.kvs"), NULL);
	return clock() - begin;
}

/* Four times as many VMs take four times as long, not sixteen times. */
static void many_vms_are_quick(void **state)
{
	clock_t few, many;

	(void)state;
	few = many_vms(7000);
	many = many_vms(28000);
	assert_in_range(many, 0, 8 * few);
}

/*
 * Memory is of a process, whose number may be that of another VM's vCPU slot; of a process that is
 * no VM of this recording there is no VM.
 */
static void host_memory(void **state)
{
	static const char *const key[] = { "type",	 "vm",	  "vm_pid", "node",
					   "guest_node", "bytes", "slot",   NULL };
	const struct ks_rec recs[] = {
		{ SEC, KS_VCPU_NEW, 0, 0, 0, 1ull << 32 | 8, 0 },
		{ SEC, KS_VCPU_NEW, 0, 0, 1, 9ull << 32 | 10, 0 },
		{ SEC + 1, KS_VM_MEMORY, 0, 0, 1, 4096, 1 },
		{ SEC + 1, KS_VM_MEMORY, 0, 1, 1, 1ull << 40, 1 },
		{ SEC + 1, KS_VM_MEMORY, 0, 1, 9, 8192, 0 },
		{ SEC + 1, KS_VM_MEMORY, 0, 1, 77, 1, 1ull << 32 },
	};

	(void)state;
	write_trace(file("h.kvs"), KS_SIDE_HOST,
		    "{\"vms\": {\"1\": {\"name\": \"a\"}, \"9\": {\"name\": \"b\"}}}", recs, 6);
	run_session(file("h.kvs"), NULL);
	members(key, "\"vcpu_new\" \"a\" 1 none none none 0\n"
		     "\"vcpu_new\" \"b\" 9 none none none 1\n"
		     "\"vm_memory\" \"a\" 1 0 0 4096 none\n"
		     "\"vm_memory\" \"a\" 1 1 0 1099511627776 none\n"
		     "\"vm_memory\" \"b\" 9 1 null 8192 none\n"
		     "\"vm_memory\" null 77 1 null 1 none\n");
	run_session(file("h.kvs"), "b");
	members(key, "\"vcpu_new\" \"b\" 9 none none none 1\n"
		     "\"vm_memory\" \"b\" 9 1 null 8192 none\n");
}

static void host_hostile(void **state)
{
	struct ks_rec recs[64];
	struct json_object *all;
	size_t n = every_type(recs, KS_VCPU_NEW, KS_LOCK_TRY);

	(void)state;
	write_trace(file("x.kvs"), KS_SIDE_HOST, "{}", recs, n);
	run_session(file("x.kvs"), NULL);
	all = rows();
	/* header, file_total, end: of a slot beyond all bounds there is no vCPU. */
	assert_int_equal(json_object_array_length(all), n + 3);
	json_object_put(all);
}

/* Is a loss from 1 to 9 s in the part from `from` to `to`? */
static bool loss_is_in(uint64_t from, uint64_t to)
{
	char *text;
	bool is;

	run_part(file("l.kvs"), NULL, from, to);
	text = slurp(file("tables/losses.csv"));
	is = strstr(text, "\n9000000000,1000000000,9000000000,host,,3,pause,42\n");
	free(text);
	return is;
}

/* Lost time does not look whole because it is longer than what is looked at. */
static void losses_reach_in(void **state)
{
	const struct ks_rec recs[] = {
		{ SEC, KS_VCPU_NEW, 0, 0, 0, 7ull << 32 | 8, 0 },
		{ 9 * SEC, KS_LOSS, KS_PAUSE, 3, 0, SEC, 42 },
	};

	(void)state;
	write_trace(file("l.kvs"), KS_SIDE_HOST, "{}", recs, 2);
	assert_true(loss_is_in(0, UINT64_MAX));
	assert_true(loss_is_in(3 * SEC, 4 * SEC));
	assert_true(loss_is_in(9 * SEC, 10 * SEC));
	assert_true(loss_is_in(0, 2 * SEC));
	assert_false(loss_is_in(0, SEC));
	assert_false(loss_is_in(9 * SEC + 1, 10 * SEC));
}

/* One name that cannot be given: those before it have been, and are whole; what is behind it is gone. */
static void names_in_the_end(void **state)
{
	static const struct ks_export_opts opts;
	struct ks_export_input in = { .to = UINT64_MAX };
	struct ks_fanout f = { .n = 0 };
	struct ks_err err;
	char *text;

	(void)state;
	write_trace(file("g.kvs"), KS_SIDE_GUEST, "{}", NULL, 0);
	assert_int_equal(ks_reader_open(&in.alone, file("g.kvs"), NULL), 0);
	assert_int_equal(ks_names_new(&in.names, NULL), 0);
	assert_int_equal(ks_fanout_add(&f, &ks_export_json, file("first"), &opts, NULL), 0);
	assert_int_equal(ks_fanout_add(&f, &ks_export_json, file("second"), &opts, NULL), 0);
	assert_int_equal(ks_fanout_add(&f, &ks_export_csv, file("tables"), &opts, NULL), 0);
	assert_int_equal(ks_fanout_begin(&f, &in, NULL), 0);
	assert_int_equal(mkdir(file("second"), 0700), 0);
	assert_int_equal(ks_fanout_finish(&f, &in, &err), -EISDIR);
	ks_fanout_close(&f);
	ks_names_free(in.names);
	ks_reader_close(in.alone);
	text = slurp(file("first"));
	assert_non_null(strstr(text, "{\"row\":\"end\""));
	free(text);
	assert_int_equal(access(file("second.partial"), F_OK), -1);
	assert_int_equal(access(file("tables"), F_OK), -1);
	assert_int_equal(access(file("tables.partial"), F_OK), -1);
}

static void kinds(void **state)
{
	struct ks_err err;
	uint32_t on;

	(void)state;
	assert_int_equal(rows_parse("wait,hold", &on, &err), 0);
	assert_int_equal(on >> ROW_WAIT & 1, 1);
	assert_int_equal(on >> ROW_HOLD & 1, 1);
	assert_int_equal(on >> ROW_RECORD & 1, 0);
	assert_int_equal(on >> ROW_END & 1, 1);
	assert_int_equal(rows_parse(NULL, &on, &err), 0);
	assert_int_equal(on, (1u << ROW_KINDS) - 1);
	assert_int_equal(rows_parse("wait,", &on, &err), -EINVAL);
	assert_int_equal(rows_parse("waits", &on, &err), -EINVAL);
	assert_string_equal(err.msg, "--rows: no kind 'waits'; there are record, loss, wait, hold, "
				     "segment, burst, ple, exits");
	assert_int_equal(rows_parse("header", &on, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(strings, setup, teardown),
		cmocka_unit_test_setup_teardown(files, setup, teardown),
		cmocka_unit_test_setup_teardown(two_writers, setup, teardown),
		cmocka_unit_test_setup_teardown(older_partial, setup, teardown),
		cmocka_unit_test_setup_teardown(guest_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(guest_threads, setup, teardown),
		cmocka_unit_test_setup_teardown(guest_hotplug, setup, teardown),
		cmocka_unit_test_setup_teardown(guest_cpus, setup, teardown),
		cmocka_unit_test_setup_teardown(guest_cpus_long, setup, teardown),
		cmocka_unit_test_setup_teardown(guest_passed, setup, teardown),
		cmocka_unit_test_setup_teardown(host_names, setup, teardown),
		cmocka_unit_test_setup_teardown(host_labels, setup, teardown),
		cmocka_unit_test_setup_teardown(many_vms_are_quick, setup, teardown),
		cmocka_unit_test_setup_teardown(host_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(host_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(losses_reach_in, setup, teardown),
		cmocka_unit_test_setup_teardown(names_in_the_end, setup, teardown),
		cmocka_unit_test(kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
