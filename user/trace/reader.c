// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "reader_priv.h"

static int explain_open(const char *path, int code, struct ks_err *err)
{
	char partial[4096];

	if (code == -ENOENT &&
	    (size_t)snprintf(partial, sizeof(partial), "%s.partial", path) < sizeof(partial) &&
	    !access(partial, F_OK))
		return ks_fail(err, code, "%s: the recording has not ended; %s.partial can be read",
			       path, path);
	return ks_fail(err, code, "%s: cannot open: %s", path, strerror(-code));
}

static int open_file(struct ks_reader *r, struct ks_err *err)
{
	struct stat st;

	r->fd = open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (r->fd < 0)
		return explain_open(r->path, -errno, err);
	if (fstat(r->fd, &st))
		return ks_fail(err, -errno, "%s: %s", r->path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return ks_fail(err, -EISDIR, "%s: is a directory: name a trace in it", r->path);
	if (!S_ISREG(st.st_mode))
		return ks_fail(err, -EINVAL, "%s: not a regular file: copy the trace to one first",
			       r->path);
	if (!st.st_size)
		return ks_fail(err, -ENODATA, "%s: empty: the recording wrote nothing, repeat it",
			       r->path);
	r->size = (uint64_t)st.st_size;
	return 0;
}

static int explain_magic(const struct ks_reader *r, const char *magic, struct ks_err *err)
{
	const char *what = "not a trace: give a file that ple-trace or lock-timeline recorded";

	if (!memcmp(magic, "PERFILE2", 8))
		what = "a perf.data file, not a trace: read it with perf";
	else if (!memcmp(magic, "\x17\x08\x44", 3))
		what = "a trace.dat file, not a trace of ours: read it with trace-cmd";
	else if (!memcmp(magic, KS_FILE_MAGIC, 4))
		what = "damaged in its first bytes, as by a transfer in text mode: copy it again";
	return ks_fail(err, -EINVAL, "%s: %s", r->path, what);
}

static int check_header(struct ks_reader *r, struct ks_err *err)
{
	const struct ks_file_header *h = &r->header;

	if (memcmp(h->magic, KS_FILE_MAGIC, sizeof(h->magic)))
		return explain_magic(r, h->magic, err);
	if (h->byte_order != KS_BYTE_ORDER && h->byte_order == __builtin_bswap32(KS_BYTE_ORDER))
		return ks_fail(err, -EINVAL, "%s: big endian: read it on the machine it is from",
			       r->path);
	if (h->crc != ks_crc(0, h, offsetof(struct ks_file_header, crc)))
		return ks_fail(err, -EBADMSG, "%s: its header is damaged: copy or record it again",
			       r->path);
	if (h->major != KS_MAJOR)
		return ks_fail(err, -EPROTO,
			       "%s: trace format %u.%u, this program reads %u.x: use %s kvmsched",
			       r->path, h->major, h->minor, KS_MAJOR,
			       h->major > KS_MAJOR ? "a newer" : "an older");
	if (h->size < sizeof(*h) || h->size % 8 || h->record_size != sizeof(struct ks_rec) ||
	    (h->side != KS_SIDE_HOST && h->side != KS_SIDE_GUEST) || !h->rings ||
	    h->rings > KS_MAX_RINGS)
		return ks_fail(err, -EBADMSG, "%s: its header makes no sense: record it again",
			       r->path);
	return 0;
}

static int read_header(struct ks_reader *r, struct ks_err *err)
{
	size_t len = r->size < sizeof(r->header) ? r->size : sizeof(r->header);
	int ret = ks_pread(r->fd, &r->header, len, 0);

	if (ret)
		return ks_fail(err, ret, "%s: cannot read: %s", r->path, strerror(-ret));
	if (len < sizeof(r->header) && !memcmp(r->header.magic, KS_FILE_MAGIC, len < 8 ? len : 8))
		return ks_fail(err, -ENODATA,
			       "%s: cut off in its header, nothing to read: record it again",
			       r->path);
	return check_header(r, err);
}

static void rewind_control(struct ks_reader *r)
{
	r->ctl.pos = r->control;
	r->ctl.end = r->control ? r->control + r->ncontrol : NULL;
}

static int reader_init(struct ks_reader *r, const char *path, struct ks_err *err)
{
	int ret;

	r->fd = -1;
	r->path = strdup(path);
	r->meta = json_object_new_object();
	if (!r->path || !r->meta)
		return ks_fail(err, -ENOMEM, "out of memory");
	ret = open_file(r, err);
	if (!ret)
		ret = read_header(r, err);
	if (ret)
		return ret;
	r->stream = calloc(r->header.rings, sizeof(*r->stream));
	if (!r->stream)
		return ks_fail(err, -ENOMEM, "out of memory");
	ret = ks_scan(r, err);
	r->ctl.r = r;
	rewind_control(r);
	return ret;
}

int ks_reader_open(struct ks_reader **out, const char *path, struct ks_err *err)
{
	struct ks_reader *r = calloc(1, sizeof(*r));
	int ret;

	if (!r)
		return ks_fail(err, -ENOMEM, "out of memory");
	ret = reader_init(r, path, err);
	if (ret)
		ks_reader_close(r);
	else
		*out = r;
	return ret;
}

static void free_streams(struct ks_reader *r)
{
	for (uint32_t i = 0; r->stream && i < r->header.rings; i++) {
		if (!r->stream[i])
			continue;
		ks_stream_free(r->stream[i]);
		free(r->stream[i]);
		r->stream[i] = NULL;
	}
}

static void free_content(struct ks_reader *r)
{
	free_streams(r);
	free(r->control);
	ks_lossin_release(&r->losses);
	free(r->counts);
	free(r->sym.text);
	json_object_put(r->meta);
}

void ks_reader_reset(struct ks_reader *r)
{
	struct ks_reader fresh = {
		.fd = r->fd,
		.path = r->path,
		.size = r->size,
		.header = r->header,
		.stream = r->stream,
		.meta = json_object_new_object(),
	};

	free_content(r);
	*r = fresh;
}

void ks_reader_close(struct ks_reader *r)
{
	if (!r)
		return;
	free_content(r);
	free(r->stream);
	ks_mux_free(r->mux);
	if (r->fd >= 0)
		close(r->fd);
	free(r->path);
	free(r);
}

enum ks_side ks_reader_side(const struct ks_reader *r)
{
	return r->header.side;
}

const char *ks_reader_path(const struct ks_reader *r)
{
	return r->path;
}

struct json_object *ks_reader_meta(const struct ks_reader *r)
{
	return r->meta;
}

const struct ks_rec *ks_reader_control(const struct ks_reader *r, size_t *n)
{
	*n = r->ncontrol;
	return r->control;
}

const struct ks_exit_count *ks_reader_exit_counts(const struct ks_reader *r, size_t *n)
{
	*n = r->ncounts;
	return r->counts;
}

bool ks_reader_truncated(const struct ks_reader *r)
{
	return !r->ended;
}

uint64_t ks_reader_bad_bytes(const struct ks_reader *r)
{
	return r->bad;
}

bool ks_reader_span(const struct ks_reader *r, uint64_t *first, uint64_t *last)
{
	*first = r->first;
	*last = r->last;
	return r->spanned;
}

/* By the recorder's word, if that can be; else `last`. */
static uint64_t stopped_by(const struct ks_reader *r, uint64_t last)
{
	struct json_object *end;
	uint64_t told;

	if (!json_object_object_get_ex(r->meta, "end_mono_ns", &end) ||
	    !json_object_is_type(end, json_type_int) || json_object_get_int64(end) <= 0)
		return last;
	told = (uint64_t)json_object_get_int64(end);
	return told >= r->first && told < last ? told : last;
}

uint64_t ks_reader_stopped(const struct ks_reader *r)
{
	return stopped_by(r, r->last);
}

uint64_t ks_reader_whole_until(const struct ks_reader *r)
{
	return stopped_by(r, r->rings_last);
}

uint64_t ks_reader_lost(const struct ks_reader *r)
{
	return r->lost;
}

static int make_mux(struct ks_reader *r)
{
	int ret;

	r->mux = ks_mux_new();
	if (!r->mux)
		return -ENOMEM;
	ret = ks_mux_add(r->mux, &r->ctl, NULL, NULL, 0);
	for (uint32_t i = 0; i < r->header.rings && !ret; i++)
		if (r->stream[i])
			ret = ks_mux_add(r->mux, r->stream[i], NULL, NULL, 0);
	return ret;
}

int ks_reader_next(struct ks_reader *r, const struct ks_rec **rec, struct ks_err *err)
{
	struct ks_event ev;
	int ret = r->mux ? 0 : make_mux(r);

	if (ret)
		return ks_fail(err, ret, "out of memory");
	ret = ks_mux_next(r->mux, &ev, err);
	if (ret > 0)
		*rec = ev.rec;
	return ret;
}

int ks_reader_seek(struct ks_reader *r, uint64_t time, struct ks_err *err)
{
	int ret = 0;

	rewind_control(r);
	while (r->ctl.pos < r->ctl.end && r->ctl.pos->time < time)
		r->ctl.pos++;
	for (uint32_t i = 0; i < r->header.rings && !ret; i++)
		if (r->stream[i])
			ret = ks_stream_seek(r->stream[i], time, err);
	if (r->mux)
		ks_mux_restart(r->mux);
	return ret;
}
