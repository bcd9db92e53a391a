/* SPDX-License-Identifier: GPL-2.0 */
/* The reader's insides, shared by the files of user/trace. */
#ifndef KVMSCHED_TRACE_READER_PRIV_H
#define KVMSCHED_TRACE_READER_PRIV_H

#include "format.h"
#include "lossin.h"
#include "mux.h"
#include "trace.h"

/* The records of one ring, or the control records, in file order. */
struct ks_stream {
	struct ks_reader *r;
	const struct ks_rec *pos, *end; /* of the records in hand */
	uint64_t *chunk;		/* offset << 16 | records, of the ring's chunks */
	size_t nchunks, room, next;
	struct ks_chunk_header *buf; /* the chunk in hand */
	uint32_t ring;
	uint32_t buf_recs;    /* the most that a chunk of this ring has */
	uint64_t newest;      /* time of the newest record so far */
	uint64_t skip_before; /* after a seek: older records are left out */
	struct ks_rec loss[2];
};

struct ks_reader {
	int fd;
	char *path;
	uint64_t size;
	struct ks_file_header header;
	struct ks_stream **stream; /* by ring; NULL without records */
	struct ks_stream ctl;
	struct ks_rec *control;
	size_t ncontrol, control_room;
	struct ks_lossin losses; /* while the file is gone through: then they are in control */
	struct json_object *meta;
	uint64_t meta_bytes, meta_values; /* read; kept */
	struct {
		uint64_t offset;
		uint32_t length, raw_length, crc;
		bool checked;
		char *text;
	} sym;
	struct ks_exit_count *counts;
	size_t ncounts;
	bool ended;
	uint64_t found;	   /* records and control records in sound chunks */
	uint64_t promised; /* the same by the END chunk; if `ended` */
	uint64_t index;	   /* offset of the last INDEX chunk, 0: the chunks were found without */
	uint32_t lookups;  /* index chunks read by ks_index_find() */
	uint64_t bad, lost;
	uint64_t newest_loss; /* time of the last of the control records */
	bool spanned;
	uint64_t first, last;
	uint64_t rings_last; /* of those, without control records */
	struct ks_mux *mux;  /* over this reader alone, made by the first ks_reader_next() */
};

/* pread of exactly len bytes: 0, -EIO at the end of the file, -errno. */
int ks_pread(int fd, void *buf, size_t len, uint64_t offset);
/* Is it whole, of sane size, and does it end within the file? */
bool ks_chunk_ok(const struct ks_chunk_header *h, uint64_t offset, uint64_t size);
/* Are count and length such as its type may have? */
bool ks_chunk_size_ok(const struct ks_chunk_header *h);

/*
 * Find all chunks, by the index or, if that is missing or damaged, one by one: fills in streams,
 * control records, metadata, counts.
 */
int ks_scan(struct ks_reader *r, struct ks_err *err);
/* By the index. -EBADMSG: there is none to rely on, and r is half filled. */
int ks_read_index(struct ks_reader *r);
/* What the index says of the chunk at offset. 0, -ENOENT or -errno. */
int ks_index_find(struct ks_reader *r, uint64_t offset, struct ks_chunk_header *h);
/* One chunk as the index tells it; its own header may be damaged. */
int ks_take_indexed(struct ks_reader *r, const struct ks_chunk_header *h, uint64_t offset);
/* Forget everything that was found in the file. */
void ks_reader_reset(struct ks_reader *r);
/* Times of records, for ks_reader_span(). */
void ks_widen_span(struct ks_reader *r, uint64_t first, uint64_t last);
int ks_take_control(struct ks_reader *r, const struct ks_rec *recs, size_t n);
/* Records are missing, of which ring nobody knows. */
int ks_take_loss(struct ks_reader *r, uint64_t first, uint64_t last, uint64_t count);
/* A CONTROL chunk cannot be read. */
int ks_lose_control(struct ks_reader *r, const struct ks_chunk_header *h);

/* Stretches of the file that are no chunks. */
struct ks_hole {
	uint64_t from, to; /* times between which its records lie, if it had some */
	uint64_t most;	   /* as many as it has room for */
};
#define KS_MAX_HOLES 64u /* the last one stands for all further ones */

struct ks_holes {
	struct ks_hole hole[KS_MAX_HOLES];
	uint32_t n;
	uint32_t passed; /* with a RECORDS chunk behind them */
};
void ks_hole_begin(struct ks_reader *r, struct ks_holes *holes, uint64_t bytes);
/* A RECORDS chunk comes next; its oldest time. */
void ks_hole_pass(struct ks_holes *holes, uint64_t first);
/* All chunks were seen: make losses of the holes and of what is missing at a cut end. */
int ks_hole_finish(struct ks_reader *r, const struct ks_holes *holes);

/* One META, COUNTS payload. Those that make no sense are counted as bad bytes. 0 or -ENOMEM. */
int ks_take_meta(struct ks_reader *r, const char *text, size_t len);
int ks_take_counts(struct ks_reader *r, const void *payload, uint32_t n);

int ks_stream_add(struct ks_stream *s, uint64_t offset, uint32_t count);
void ks_stream_free(struct ks_stream *s);
/* Next records in hand (pos < end): 1, 0 at the end, -errno + err. */
int ks_stream_fill(struct ks_stream *s, struct ks_err *err);
int ks_stream_seek(struct ks_stream *s, uint64_t time, struct ks_err *err);

/* Stable, by time. 0 or -ENOMEM. */
int ks_sort_recs(struct ks_rec *recs, size_t n);

#endif /* KVMSCHED_TRACE_READER_PRIV_H */
