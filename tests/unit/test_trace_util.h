/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of traces share: a folder per test, files in memory, made-up records. */
#ifndef KVMSCHED_TEST_TRACE_UTIL_H
#define KVMSCHED_TEST_TRACE_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../trace/format.h"
#include "trace.h"

struct dir {
	char path[64];
	char file[128]; /* "trace.kvs" in it */
};

static int setup_dir(void **state)
{
	struct dir *d = calloc(1, sizeof(*d));

	strcpy(d->path, "/tmp/kvmsched-test.XXXXXX");
	if (!mkdtemp(d->path))
		return -1;
	snprintf(d->file, sizeof(d->file), "%s/trace.kvs", d->path);
	*state = d;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static int teardown_dir(void **state)
{
	struct dir *d = *state;

	nftw(d->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(d);
	return 0;
}

static inline struct ks_writer *must_write(const char *path, enum ks_side side, unsigned int rings)
{
	struct ks_writer *w = NULL;
	struct ks_err err = { "" };

	if (ks_writer_open(&w, path, side, rings, &err))
		fail_msg("%s", err.msg);
	return w;
}

static inline void must_close(struct ks_writer *w)
{
	struct ks_err err = { "" };

	if (ks_writer_close(w, &err))
		fail_msg("%s", err.msg);
}

static inline struct ks_reader *must_read(const char *path)
{
	struct ks_reader *r = NULL;
	struct ks_err err = { "" };

	if (ks_reader_open(&r, path, &err))
		fail_msg("%s", err.msg);
	return r;
}

static inline void add_meta(struct ks_writer *w, const char *text)
{
	struct json_object *meta = json_tokener_parse(text);

	assert_non_null(meta);
	assert_int_equal(ks_writer_meta(w, meta), 0);
	json_object_put(meta);
}

/* Opening must fail with exactly one line that names the file. */
static inline void must_refuse(const char *path, int code, const char *word)
{
	struct ks_reader *r = NULL;
	struct ks_err err = { "" };
	int ret = ks_reader_open(&r, path, &err);

	if (ret != code)
		fail_msg("%s: %d, not %d (%s)", path, ret, code, err.msg);
	assert_null(r);
	assert_ptr_equal(strstr(err.msg, path), err.msg);
	assert_null(strchr(err.msg, '\n'));
	if (!strstr(err.msg, word))
		fail_msg("\"%s\" does not say \"%s\"", err.msg, word);
}

static inline uint8_t *load_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	uint8_t *data;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*len = (size_t)st.st_size;
	data = malloc(*len + 1);
	assert_int_equal(read(fd, data, *len), (ssize_t)*len);
	close(fd);
	return data;
}

static inline void save_file(const char *path, const void *data, size_t len)
{
	int fd;

	unlink(path); /* ext4 waits for the disk when a file is cut to nothing and written anew */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

/* A record whose every field follows from its number, so that a reader's result can be judged. */
static inline struct ks_rec made_up(uint32_t i)
{
	return (struct ks_rec){
		.time = 1000 + (uint64_t)i * 10,
		.type = KS_PAUSE,
		.flags = KS_F_IP,
		.cpu = (uint16_t)(i % 3),
		.id = i,
		.a = 0xffffffff81000000u + (uint64_t)i * 2654435761u,
		.b = ~(uint64_t)i,
	};
}

static inline int is_made_up(const struct ks_rec *rec)
{
	struct ks_rec want = made_up(rec->id);

	return !memcmp(rec, &want, sizeof(want));
}

#endif /* KVMSCHED_TEST_TRACE_UTIL_H */
