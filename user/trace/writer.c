// SPDX-License-Identifier: GPL-2.0
/*
 * The writer. Records wait in one buffer per ring, sorted, until there are enough for a chunk; the
 * newest few of them stay back, since the next ones to arrive may be a little older: an interrupt
 * that is traced inside a probe comes out before the event it interrupted. None of them stays back
 * for long: of a trace that is cut, a reader knows then how far back something can be missing.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "chunkout.h"
#include "err.h"
#include "lossout.h"

#define HOLD_BACK 8u
#define HOLD_NS 1000000000ull	 /* a flush holds back none that is older */
#define NOT_FOR_NAMES (2u << 20) /* bytes of metadata kept free for all that is not names */

struct wring {
	struct ks_rec *buf; /* cap + HOLD_BACK records, sorted; NULL until the first comes */
	uint32_t cap;	    /* records of a full chunk */
	uint32_t n;
	bool fresh; /* something came since the last flush */
};

struct ks_writer {
	struct ks_chunkout out;
	uint32_t rings, used; /* used: have had a record */
	struct wring *ring;
	struct ks_rec *control;
	uint32_t ncontrol;
	struct ks_lossout losses;
	uint64_t newest; /* time of the newest record as of the last flush, or control record */
	uint64_t meta_bytes;
};

/*
 * Writer and reader hold one chunk per ring in use. On a machine with hundreds of CPUs the chunks
 * of those that come later are smaller, so that 1024 rings take 10 MiB and not 64.
 */
static uint32_t chunk_recs(uint32_t used)
{
	return used < 64 ? KS_CHUNK_RECS : used < 256 ? KS_CHUNK_RECS / 4 : KS_CHUNK_RECS / 16;
}

static void writer_free(struct ks_writer *w)
{
	if (w->ring)
		for (uint32_t i = 0; i < w->rings; i++)
			free(w->ring[i].buf);
	free(w->ring);
	free(w->control);
	ks_lossout_release(&w->losses);
	ks_chunkout_drop(&w->out);
	free(w);
}

static int write_file_header(struct ks_writer *w, enum ks_side side)
{
	struct ks_file_header h = {
		.major = KS_MAJOR,
		.minor = KS_MINOR,
		.byte_order = KS_BYTE_ORDER,
		.size = sizeof(h),
		.side = side,
		.rings = w->rings,
		.record_size = sizeof(struct ks_rec),
	};
	struct iovec iov = { .iov_base = &h, .iov_len = sizeof(h) };

	memcpy(h.magic, KS_FILE_MAGIC, sizeof(h.magic));
	h.crc = ks_crc(0, &h, offsetof(struct ks_file_header, crc));
	return ks_chunkout_begin(&w->out, &iov);
}

/* path or, if it is NULL, fd. */
static int writer_new(struct ks_writer **out, const char *path, int fd, enum ks_side side,
		      unsigned int rings, struct ks_err *err)
{
	struct ks_sink sink;
	struct ks_writer *w;
	int ret;

	ret = path ? ks_sink_open(&sink, path, err) : ks_sink_open_fd(&sink, fd, err);
	if (ret)
		return ret;
	w = calloc(1, sizeof(*w));
	if (!w) {
		ks_sink_discard(&sink);
		return ks_fail(err, -ENOMEM, "out of memory");
	}
	w->out.sink = sink;
	w->rings = rings;
	w->ring = calloc(rings, sizeof(*w->ring));
	w->control = calloc(KS_CHUNK_RECS, sizeof(*w->control));
	ret = ks_lossout_init(&w->losses, rings);
	if (!ret)
		ret = w->ring && w->control ? write_file_header(w, side) : -ENOMEM;
	if (ret) {
		ks_fail(err, ret, "%s: cannot write: %s", path ? path : "stream", strerror(-ret));
		ks_sink_discard(&w->out.sink);
		writer_free(w);
		return ret;
	}
	*out = w;
	return 0;
}

static int check_args(enum ks_side side, unsigned int rings, struct ks_err *err)
{
	if (side != KS_SIDE_HOST && side != KS_SIDE_GUEST)
		return ks_fail(err, -EINVAL, "a trace is a host's or a guest's");
	if (!rings || rings > KS_MAX_RINGS)
		return ks_fail(err, -EINVAL, "%u rings: must be 1 to %u", rings, KS_MAX_RINGS);
	return 0;
}

int ks_writer_open(struct ks_writer **w, const char *path, enum ks_side side, unsigned int rings,
		   struct ks_err *err)
{
	int ret = check_args(side, rings, err);

	return ret ? ret : writer_new(w, path, -1, side, rings, err);
}

int ks_writer_open_fd(struct ks_writer **w, int fd, enum ks_side side, unsigned int rings,
		      struct ks_err *err)
{
	int ret = check_args(side, rings, err);

	if (ret) {
		close(fd);
		return ret;
	}
	return writer_new(w, NULL, fd, side, rings, err);
}

/* Where rec belongs among the n sorted records of buf: behind those of the same time. */
static uint32_t place_of(const struct ks_rec *buf, uint32_t n, uint64_t time)
{
	while (n && buf[n - 1].time > time)
		n--;
	return n;
}

static void insert_late(struct ks_rec *buf, uint32_t *n, const struct ks_rec *rec)
{
	uint32_t at = place_of(buf, *n, rec->time);

	memmove(buf + at + 1, buf + at, (*n - at) * sizeof(*buf));
	buf[at] = *rec;
	(*n)++;
}

/* Nearly every record is the newest of its ring. */
static inline void insert_sorted(struct ks_rec *buf, uint32_t *n, const struct ks_rec *rec)
{
	if (*n && buf[*n - 1].time > rec->time)
		insert_late(buf, n, rec);
	else
		buf[(*n)++] = *rec;
}

static int write_recs(struct ks_writer *w, enum ks_chunk_type type, uint32_t ring,
		      const struct ks_rec *recs, uint32_t n)
{
	struct ks_chunk_header h = {
		.type = type,
		.ring = ring,
		.count = n,
		.length = n * (uint32_t)sizeof(*recs),
		.first = recs[0].time,
		.last = recs[n - 1].time,
	};

	return ks_chunkout_write(&w->out, &h, NULL, 0, recs);
}

static int write_control(struct ks_writer *w)
{
	uint32_t n = w->ncontrol;

	w->ncontrol = 0;
	return n ? write_recs(w, KS_CHUNK_CONTROL, 0, w->control, n) : 0;
}

/*
 * Write the oldest n records of a ring. Control records go first: in a file that ends here, the
 * vCPUs that the records speak of are known. What could not be written is dropped all the same:
 * the writer is dead then, and must not grow.
 */
static int write_ring(struct ks_writer *w, uint32_t ring, uint32_t n)
{
	struct wring *r = &w->ring[ring];
	int ret;

	if (!n)
		return 0;
	ret = write_control(w);
	if (!ret)
		ret = write_recs(w, KS_CHUNK_RECORDS, ring, r->buf, n);
	r->n -= n;
	memmove(r->buf, r->buf + n, r->n * sizeof(*r->buf));
	return ret;
}

static void note_time(struct ks_writer *w, uint64_t time)
{
	if (time > w->newest)
		w->newest = time;
}

static int put_control(void *ctx, const struct ks_rec *rec)
{
	struct ks_writer *w = ctx;

	insert_sorted(w->control, &w->ncontrol, rec);
	return w->ncontrol == KS_CHUNK_RECS ? write_control(w) : 0;
}

static int add_control(struct ks_writer *w, const struct ks_rec *rec)
{
	struct ks_rec loss[2];
	unsigned int n, i;
	int ret = 0;

	note_time(w, rec->time);
	if (rec->type != KS_LOSS)
		return put_control(w, rec);
	n = ks_lossout_add(&w->losses, rec, loss);
	for (i = 0; i < n && !ret; i++)
		ret = put_control(w, &loss[i]);
	return ret;
}

static int ring_buffer(struct ks_writer *w, struct wring *r)
{
	if (r->buf)
		return 0;
	r->cap = chunk_recs(w->used++);
	r->buf = malloc((r->cap + HOLD_BACK) * sizeof(*r->buf));
	return r->buf ? 0 : -ENOMEM;
}

/* Append records as long as they come in order, are no control records and find room. */
static size_t append_run(struct wring *r, const struct ks_rec *recs, size_t n)
{
	uint64_t last = r->n ? r->buf[r->n - 1].time : 0;
	struct ks_rec *to = r->buf + r->n;
	size_t room = r->cap + HOLD_BACK - r->n, i;

	n = n < room ? n : room;
	for (i = 0; i < n && recs[i].time >= last && !ks_is_control(recs[i].type); i++) {
		to[i] = recs[i];
		last = recs[i].time;
	}
	r->n += (uint32_t)i;
	return i;
}

/* Take the first of the records, or as many as is easy; *taken says how many. */
static int add_some(struct ks_writer *w, uint32_t ring, const struct ks_rec *recs, size_t n,
		    size_t *taken)
{
	struct wring *r = &w->ring[ring];
	int ret;

	*taken = 1;
	if (ks_is_control(recs->type))
		return add_control(w, recs);
	ret = ring_buffer(w, r);
	if (ret)
		return ret;
	*taken = append_run(r, recs, n);
	if (!*taken) {
		insert_late(r->buf, &r->n, recs);
		*taken = 1;
	}
	r->fresh = true;
	return r->n == r->cap + HOLD_BACK ? write_ring(w, ring, r->cap) : 0;
}

int ks_writer_add(struct ks_writer *w, unsigned int ring, const struct ks_rec *recs, size_t n)
{
	int ret = ks_chunkout_error(&w->out);
	size_t taken;

	if (ring >= w->rings)
		return -EINVAL;
	for (; n && !ret; recs += taken, n -= taken)
		ret = add_some(w, ring, recs, n, &taken);
	return ret;
}

int ks_writer_meta(struct ks_writer *w, struct json_object *meta)
{
	struct ks_chunk_header h = { .type = KS_CHUNK_META, .count = 1 };
	const char *text;
	size_t len;

	if (!json_object_is_type(meta, json_type_object))
		return -EINVAL;
	text = json_object_to_json_string_length(meta, JSON_C_TO_STRING_PLAIN, &len);
	if (!text)
		return -ENOMEM;
	if (len > KS_MAX_META)
		return -E2BIG;
	h.length = (uint32_t)len;
	w->meta_bytes += len;
	return ks_chunkout_write(&w->out, &h, NULL, 0, text);
}

int ks_writer_names(struct ks_writer *w, struct json_object *meta)
{
	size_t len;

	if (!json_object_to_json_string_length(meta, JSON_C_TO_STRING_PLAIN, &len))
		return -ENOMEM;
	if (w->meta_bytes + len > KS_MAX_META_ALL - NOT_FOR_NAMES)
		return 1;
	return ks_writer_meta(w, meta);
}

int ks_writer_symbols(struct ks_writer *w, const char *kallsyms, size_t len)
{
	struct ks_chunk_header h = { .type = KS_CHUNK_SYMBOLS, .count = 1 };
	uLongf size = compressBound(len);
	Bytef *deflated;
	int ret;

	if (len > KS_MAX_SYMBOLS_RAW)
		return -E2BIG;
	deflated = malloc(size);
	if (!deflated)
		return -ENOMEM;
	ret = compress2(deflated, &size, (const Bytef *)kallsyms, len, 6) == Z_OK ? 0 : -ENOMEM;
	if (!ret && size > KS_MAX_SYMBOLS)
		ret = -E2BIG;
	h.length = (uint32_t)size;
	h.raw_length = (uint32_t)len;
	if (!ret)
		ret = ks_chunkout_write(&w->out, &h, NULL, 0, deflated);
	free(deflated);
	return ret;
}

int ks_writer_exit_counts(struct ks_writer *w, const struct ks_exit_count *c, size_t n)
{
	struct ks_chunk_header h = { .type = KS_CHUNK_COUNTS };

	if (n > KS_MAX_COUNTS)
		return -E2BIG;
	h.count = (uint32_t)n;
	h.length = (uint32_t)(n * sizeof(*c));
	return ks_chunkout_write(&w->out, &h, NULL, 0, c);
}

/* How many of the newest records of a ring stay back. */
static uint32_t held_back(const struct ks_writer *w, const struct wring *r)
{
	uint64_t old = w->newest > HOLD_NS ? w->newest - HOLD_NS : 0;
	uint32_t keep = r->n < HOLD_BACK ? r->n : HOLD_BACK;

	while (keep && r->buf[r->n - keep].time < old)
		keep--;
	return keep;
}

static int flush_ring(struct ks_writer *w, uint32_t ring, bool all)
{
	struct wring *r = &w->ring[ring];
	uint32_t keep = all || !r->fresh ? 0 : held_back(w, r);
	int ret = 0;

	while (!ret && r->n > keep)
		ret = write_ring(w, ring, r->n - keep < r->cap ? r->n - keep : r->cap);
	r->fresh = false;
	return ret;
}

static int flush_rings(struct ks_writer *w, bool all)
{
	int ret = ks_lossout_flush(&w->losses, put_control, w);

	if (!ret)
		ret = write_control(w);
	for (uint32_t i = 0; i < w->rings; i++)
		if (w->ring[i].n)
			note_time(w, w->ring[i].buf[w->ring[i].n - 1].time);
	for (uint32_t i = 0; i < w->rings && !ret; i++)
		ret = flush_ring(w, i, all);
	return ret;
}

int ks_writer_flush(struct ks_writer *w)
{
	int ret = ks_chunkout_error(&w->out);

	return ret ? ret : flush_rings(w, false);
}

uint64_t ks_writer_bytes(const struct ks_writer *w)
{
	return w->out.sink.bytes;
}

int ks_writer_close(struct ks_writer *w, struct ks_err *err)
{
	int ret = ks_chunkout_error(&w->out);

	if (!ret)
		ret = flush_rings(w, true);
	if (!ret)
		ret = ks_chunkout_end(&w->out);
	if (!ret)
		ret = ks_sink_finish(&w->out.sink, err);
	else if (w->out.sink.stream)
		ks_fail(err, ret, "the trace's stream broke: %s", strerror(-ret));
	else
		ks_fail(err, ret, "cannot write the whole trace (%s); what there is, is in %s",
			strerror(-ret), w->out.sink.partial);
	writer_free(w);
	return ret;
}

void ks_writer_abort(struct ks_writer *w)
{
	if (w)
		writer_free(w);
}
