// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the seeds that the fuzzers start from: make_corpus DIRECTORY (tests/fuzz/corpus).
 * Small files, since a mutation should hit something.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace.h"

static const char *root;

static void die(const char *what)
{
	fprintf(stderr, "make_corpus: %s\n", what);
	exit(1);
}

static void make_dir(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	mkdir(root, 0755);
	mkdir(path, 0755);
}

static void save(const char *name, const void *data, size_t len)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "w");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f))
		die(path);
}

static struct ks_writer *begin(const char *name, enum ks_side side, unsigned int rings)
{
	struct ks_writer *w;
	struct ks_err err;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	unlink(path);
	if (ks_writer_open(&w, path, side, rings, &err))
		die(err.msg);
	return w;
}

static void end(struct ks_writer *w)
{
	struct ks_err err;

	if (ks_writer_close(w, &err))
		die(err.msg);
}

static void meta(struct ks_writer *w, const char *text)
{
	struct json_object *o = json_tokener_parse(text);

	if (!o || ks_writer_meta(w, o))
		die("meta");
	json_object_put(o);
}

static void add(struct ks_writer *w, unsigned int ring, struct ks_rec rec)
{
	if (ks_writer_add(w, ring, &rec, 1))
		die("add");
}

static void flush(struct ks_writer *w)
{
	if (ks_writer_flush(w) || ks_writer_flush(w))
		die("flush");
}

static void clock_at(struct ks_writer *w, uint64_t mono, uint64_t tsc)
{
	add(w, 0, (struct ks_rec){ .time = mono, .type = KS_CLOCK, .a = tsc, .b = 20 });
}

static void host_trace(void)
{
	const struct ks_exit_count counts[] = { { 0, 0x77, 3 }, { 1, 0x78, 2 } };
	struct ks_writer *w = begin("trace/host.kvs", KS_SIDE_HOST, 2);
	struct ks_rec vcpu = { .time = 1000, .type = KS_VCPU_NEW, .a = 7ull << 32 | 8 };

	meta(w, "{\"side\":\"host\",\"isa\":\"svm\",\"vms\":{\"7\":{\"name\":\"a\"}}}");
	clock_at(w, 1000, 2600);
	add(w, 0, vcpu);
	for (uint32_t i = 0; i < 12; i++) {
		add(w, i % 2,
		    (struct ks_rec){ .time = 1100 + i * 50,
				     .type = KS_PAUSE,
				     .flags = 8,
				     .cpu = i % 2,
				     .a = 0xffffffff81000000 });
		if (i % 4 == 3)
			flush(w);
	}
	add(w, 0, (struct ks_rec){ .time = 1900, .type = KS_LOSS, .a = 1800, .b = 3 });
	clock_at(w, 2000, 5200);
	if (ks_writer_exit_counts(w, counts, 2))
		die("counts");
	end(w);
}

static void guest_trace(void)
{
	static const char symbols[] = "ffffffff81000000 T _text\n"
				      "ffffffff81000100 t native_queued_spin_lock_slowpath\n";
	struct ks_writer *w = begin("trace/guest.kvs", KS_SIDE_GUEST, 3);

	meta(w, "{\"side\":\"guest\",\"apic_ids\":[0,1],\"tasks\":{\"12\":\"sh\"}}");
	clock_at(w, 5, 2600000000);
	for (uint64_t t = 10; t < 400; t += 30) {
		add(w, t % 3,
		    (struct ks_rec){
			    .time = t, .type = KS_LOCK_TRY, .id = 12, .a = 0xffff888000000000 });
		add(w, t % 3,
		    (struct ks_rec){ .time = t + 20,
				     .type = KS_LOCK_ACQ,
				     .id = 12,
				     .a = 0xffff888000000000,
				     .b = 20 });
		if (t % 4 == 0)
			flush(w);
	}
	if (ks_writer_symbols(w, symbols, sizeof(symbols) - 1))
		die("symbols");
	clock_at(w, 1000000000, 5200000000);
	end(w);
}

/* A copy of a file, cut or with one byte changed. */
static void damaged(const char *name, const char *copy, size_t cut, size_t flip)
{
	char path[512], data[65536];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	f = fopen(path, "r");
	if (!f)
		die(path);
	len = fread(data, 1, sizeof(data), f);
	fclose(f);
	data[flip] ^= flip ? 0x10 : 0;
	save(copy, data, cut && cut < len ? cut : len);
}

static void traces(void)
{
	make_dir("trace");
	host_trace();
	guest_trace();
	end(begin("trace/nothing.kvs", KS_SIDE_GUEST, 1));
	damaged("trace/guest.kvs", "trace/cut.kvs", 900, 0);
	damaged("trace/host.kvs", "trace/payload.kvs", 0, 600);
	damaged("trace/guest.kvs", "trace/header.kvs", 0, 330);
	save("trace/perf.data", "PERFILE2\x68\0\0\0", 12);
}

static void texts(void)
{
	static const char *const text[] = {
		"ffffffff81000000 T _text\nffffffff81000000 T _stext\n"
		"ffffffff81000100 t native_queued_spin_lock_slowpath\n"
		"ffffffffc0000000 t kvm_vcpu_on_spin\t[kvm]\nffffffff82000000 B _end\n",
		"0000000000000000 A fixed_percpu_data\n0000000000000000 T _text\n",
		("ffffffff81000000 T _text\r\nffffffff81000010 W weak.cold.12\n"
		 "ffffffff81000020 t $x\nzzzz T bad\nffffffff81000030\n\nffffffff81000040 T \n"),
		"ffffffff81000100 T b\nffffffff81000000 T a\nffffffff81000100 t __b\nf",
	};
	char name[64];

	make_dir("kallsyms");
	for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++) {
		snprintf(name, sizeof(name), "kallsyms/%zu", i);
		save(name, text[i], strlen(text[i]));
	}
}

static void clocks(void)
{
	struct ks_rec recs[12];
	const uint64_t second = 1000000000;

	make_dir("clock");
	for (int step = 0; step < 3; step++) {
		memset(recs, 0, sizeof(recs));
		for (uint64_t i = 0; i < 4; i++) {
			recs[i] = (struct ks_rec){ .time = (i + 1) * second,
						   .flags = 32,
						   .a = (i + 1) * 2600000000,
						   .b = 20 };
			recs[4 + i] = recs[i];
			recs[4 + i].a -= 1000000 + (step == 2 && i > 1 ? 2600000 : 0);
			recs[8 + i] = (struct ks_rec){ .time = (i + 1) * second - 500,
						       .a = -1000000ull };
		}
		if (step == 1)
			recs[9].b = 1ull << 31;
		if (step == 2)
			recs[10].a = recs[11].a = -3600000ull;
		save((const char *[]){ "clock/plain", "clock/ratio", "clock/step" }[step], recs,
		     sizeof(recs));
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_corpus DIRECTORY\n");
		return 2;
	}
	root = argv[1];
	traces();
	texts();
	clocks();
	return 0;
}
