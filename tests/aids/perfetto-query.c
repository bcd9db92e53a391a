// SPDX-License-Identifier: GPL-2.0
/*
 * Loads a trace into Perfetto's own importer and prints the results of SQL queries, so that tests
 * see what Perfetto's users see. Debian has that importer ("trace processor") only as a library of
 * its package chromium-shell, made for Chromium's tests: a C++ class with four functions that matter.
 * They are called here as the C++ ABI has it (Itanium; libc++ with its default layout), so that no
 * C++ compiler and no libc++ are needed.
 *
 * usage: perfetto-query LIBRARY TRACE [SQL...]     rows with tabs, an empty line behind each result
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* std::vector<T> */
struct vec {
	char *begin, *end, *cap;
};

/* std::string, 24 bytes: a short one begins with its length * 2, a long one has bit 0 set */
union str {
	struct {
		uint64_t cap;
		uint64_t len;
		const char *data;
	} l;
	struct {
		unsigned char len2;
		char data[23];
	} s;
};

/* base::test::QueryResultOrError: vector<vector<string>>, error text */
struct result {
	struct vec rows;
	union str error;
};

/* What returns a class gets the place for it as its first argument, before `this`. */
struct importer {
	void (*make)(void *self);
	void (*parse)(uint64_t *status, void *self, const struct vec *raw);
	void (*query)(struct result *out, const void *self, const union str *sql);
	void (*drop)(struct result *out);
};

#define CLASS "_ZN4base4test22TestTraceProcessorImpl"
#define STRING "NSt3__112basic_stringIcNS2_11char_traitsIcEENS2_9allocatorIcEEEE"
#define STATUS_OK 1 /* absl::Status: 1 is "ok", kept in the pointer itself */

static void die(const char *what, const char *why)
{
	fprintf(stderr, "perfetto-query: %s: %s\n", what, why);
	exit(1);
}

static void *symbol(void *lib, const char *name)
{
	void *p = dlsym(lib, name);

	if (!p)
		die(name, "the library does not have it");
	return p;
}

static void load(struct importer *im, const char *path)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		die(path, dlerror());
	*(void **)&im->make = symbol(lib, CLASS "C1Ev");
	*(void **)&im->parse = symbol(lib,
				      CLASS "10ParseTraceERKNSt3__16vectorIcNS2_9allocatorIcEEEE");
	*(void **)&im->query =
		symbol(lib, "_ZNK4base4test22TestTraceProcessorImpl12ExecuteQueryERK" STRING);
	*(void **)&im->drop = symbol(lib, "_ZN4base4test18QueryResultOrErrorD1Ev");
}

static struct vec read_all(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct vec v = { 0 };
	long size = -1;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
		die(path, "cannot be read");
	v.begin = malloc(size + 1);
	if (!v.begin || fread(v.begin, 1, size, f) != (size_t)size)
		die(path, "cannot be read");
	v.end = v.cap = v.begin + size;
	fclose(f);
	return v;
}

static void print(const union str *s)
{
	if (s->s.len2 & 1)
		fwrite(s->l.data, 1, s->l.len, stdout);
	else
		fwrite(s->s.data, 1, s->s.len2 / 2, stdout);
}

static bool empty(const union str *s)
{
	return s->s.len2 & 1 ? !s->l.len : !s->s.len2;
}

static void print_row(const struct vec *row)
{
	const union str *s;

	for (s = (void *)row->begin; s < (const union str *)row->end; s++) {
		if (s != (void *)row->begin)
			putchar('\t');
		print(s);
	}
	putchar('\n');
}

static void run(const struct importer *im, const void *self, const char *sql)
{
	union str arg = { .l = { (strlen(sql) + 16) | 1, strlen(sql), sql } };
	const struct vec *row;
	struct result r;

	im->query(&r, self, &arg);
	if (!empty(&r.error)) {
		fflush(stdout);
		print(&r.error);
		fflush(stdout);
		die(sql, "the query failed");
	}
	for (row = (void *)r.rows.begin; row < (const struct vec *)r.rows.end; row++)
		print_row(row);
	putchar('\n');
	im->drop(&r);
}

int main(int argc, char **argv)
{
	_Alignas(16) char self[256] = { 0 }; /* two pointers in the version looked at */
	struct importer im;
	struct vec raw;
	uint64_t status = 0;
	int i;

	if (argc < 3)
		die("usage", "perfetto-query LIBRARY TRACE [SQL...]");
	load(&im, argv[1]);
	raw = read_all(argv[2]);
	im.make(self);
	im.parse(&status, self, &raw);
	if (status != STATUS_OK)
		die(argv[2], "the importer refused it");
	for (i = 3; i < argc; i++)
		run(&im, self, argv[i]);
	return 0;
}
