/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace file: writer, reader, and the merge of several traces into one stream of events.
 * The format is described in docs/trace-format.md.
 *
 * A trace is one recording of one machine: a host or a guest. It is a header and a row of chunks,
 * each with a checksum: records of one ring in time order, control records, metadata (JSON),
 * symbols, exit counts, and, when the recording ended properly, an index.
 */
#ifndef KVMSCHED_TRACE_H
#define KVMSCHED_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "api.h"
#include "records.h"

KS_API_BEGIN

struct json_object;

enum ks_side { KS_SIDE_HOST = 1, KS_SIDE_GUEST = 2 };

/* Why a call failed, as one line that says what is wrong and what to do. */
struct ks_err {
	char msg[256];
};

/* KS_LOSS.cpu when it is not known which ring the lost records were of: it may be any of them. */
#define KS_RING_ANY 0xffffu

/*
 * Between which times the records of a KS_LOSS were lost. It comes where they end, but for a chunk
 * that cannot be read: that comes where it begins, too (see ks_reader_next()).
 */
uint64_t ks_loss_from(const struct ks_rec *loss);
uint64_t ks_loss_to(const struct ks_rec *loss);

/* ---- writer ---- */

struct ks_writer;

/*
 * Begin a trace. Data go to PATH.partial, which close() renames to PATH (an older PATH becomes
 * PATH.old), so that a half-written file never has the final name; after a crash the .partial reads
 * up to its last whole chunk. A PATH.partial that exists is not touched: -EBUSY if somebody is
 * writing it, else -EEXIST. rings: how many rings (CPUs) records may come from, at most 65536.
 * 0 or -errno; err may be NULL.
 */
int ks_writer_open(struct ks_writer **w, const char *path, enum ks_side side, unsigned int rings,
		   struct ks_err *err);

/*
 * The same to a file descriptor (a socket or pipe); owns fd from then on, also on failure. SIGPIPE
 * is never raised: -EPIPE. A socket with SO_SNDTIMEO fails with -ETIMEDOUT when it stalls.
 */
int ks_writer_open_fd(struct ks_writer **w, int fd, enum ks_side side, unsigned int rings,
		      struct ks_err *err);

/*
 * Add records of one ring. They are copied, buffered, put in time order within the buffer and
 * written as chunks. Control records (KS_CLOCK, KS_LOSS, KS_VCPU_NEW, KS_VCPU_GONE,
 * KS_TSC_OFFSET) go to control chunks, which a reader has in hand before it reads the first event.
 * A loss that continues one of its ring and type waits for the next flush, to be one with those
 * that continue it.
 * 0 or -errno (-ENOSPC, -EFBIG, -EIO, -EPIPE ...): the first failure to write is final, all further
 * calls return it and drop what they are given.
 */
int ks_writer_add(struct ks_writer *w, unsigned int ring, const struct ks_rec *recs, size_t n);

/*
 * Add metadata: a JSON object of at most 1 MiB; a reader merges all of them, objects member by
 * member, else later ones win. The object stays the caller's. 0 or -errno.
 */
int ks_writer_meta(struct ks_writer *w, struct json_object *meta);

/*
 * The same for names, of which there can be any number: 1, and nothing is written, if they would
 * take the room that a reader has for all metadata (8 MiB) from the rest.
 */
int ks_writer_names(struct ks_writer *w, struct json_object *meta);

/* Add the kernel's symbols: text in the format of /proc/kallsyms; stored compressed. */
int ks_writer_symbols(struct ks_writer *w, const char *kallsyms, size_t len);

/* Cumulative exits by vCPU slot and reason (architectural number); readers use the last chunk. */
struct ks_exit_count {
	__u32 slot;
	__u32 reason;
	__u64 count;
};
int ks_writer_exit_counts(struct ks_writer *w, const struct ks_exit_count *c, size_t n);

/*
 * Write out what is buffered, as whole chunks. Call it once a second: readers of a cut trace rely
 * on less than three. The newest 8 records of a ring stay back if some came since the last flush
 * and as far as they are no older than a second, by the newest record of all: the next ones may be
 * older.
 */
int ks_writer_flush(struct ks_writer *w);

/* Bytes written so far. */
uint64_t ks_writer_bytes(const struct ks_writer *w);

/*
 * Flush, write the index, sync, rename. The writer is freed in any case. 0 or -errno: then
 * PATH.partial is what there is, and err says so.
 */
int ks_writer_close(struct ks_writer *w, struct ks_err *err);

/* Free the writer and leave PATH.partial as it is. */
void ks_writer_abort(struct ks_writer *w);

/* ---- reader ---- */

struct ks_reader;

/* Open a trace, check its header, collect its metadata and control records. 0 or -errno + err. */
int ks_reader_open(struct ks_reader **r, const char *path, struct ks_err *err);
void ks_reader_close(struct ks_reader *r);

enum ks_side ks_reader_side(const struct ks_reader *r);
const char *ks_reader_path(const struct ks_reader *r);

/* The merged metadata; borrowed, never NULL. Keys: docs/trace-format.md. Hostile if a guest's. */
struct json_object *ks_reader_meta(const struct ks_reader *r);

/*
 * All control records in time order; borrowed. Of losses these are at most 262,144: of a trace that
 * has more, those of a ring and type with the shortest pauses between them are one.
 */
const struct ks_rec *ks_reader_control(const struct ks_reader *r, size_t *n);

/* The symbols as kallsyms text (NUL-terminated, borrowed), or NULL if there are none. */
const char *ks_reader_symbols(struct ks_reader *r, size_t *len);

/* The last exit counts; borrowed. */
const struct ks_exit_count *ks_reader_exit_counts(const struct ks_reader *r, size_t *n);

/* True if the recording did not end properly: crash, full disk, still recording. */
bool ks_reader_truncated(const struct ks_reader *r);

/*
 * Bytes that were not readable (bad checksum, cut), 0 if all was well. Records are checked when
 * they are read, symbols when they are asked for: the number may grow until then, as may the
 * losses.
 */
uint64_t ks_reader_bad_bytes(const struct ks_reader *r);

/* Time of the first and last record, ns, own clock; false if there is none. */
bool ks_reader_span(const struct ks_reader *r, uint64_t *first, uint64_t *last);

/*
 * ns, own clock: when the recorder was stopped. Until then all was recorded that was not lost; after it probes were
 * taken away one by one, and what the last ones of them saw may be in the file, too. By the recorder's word
 * (end_mono_ns), else, or where that is later, before the first record or no positive number, the time of the last record. 0 if
 * there is none.
 */
uint64_t ks_reader_stopped(const struct ks_reader *r);

/* The same, but no later than the last record that is no control record; 0 if there is none. */
uint64_t ks_reader_whole_until(const struct ks_reader *r);

/* Sum of the records lost, from the KS_LOSS records. */
uint64_t ks_reader_lost(const struct ks_reader *r);

/*
 * The next record in time order over all rings, control records included; valid until the next
 * call. 1, 0 at the end, -errno + err on an I/O error. A chunk with a bad checksum is skipped and
 * turned into two KS_LOSS records of its ring: one at its first time, with a = its last and b = 1,
 * one at its last, with a = its first and b = the rest of its records. Where nobody knows its last
 * time it is one, with a = that of the trace. Records that were written far too late
 * to be sorted come late, as recorded: their `time` alone may be older than that of the one before.
 */
int ks_reader_next(struct ks_reader *r, const struct ks_rec **rec, struct ks_err *err);

/* Continue with the first record at or after time (ns, own clock). 0 or -errno + err. */
int ks_reader_seek(struct ks_reader *r, uint64_t time, struct ks_err *err);

/* ---- merge ---- */

/* One record on the common clock. */
struct ks_event {
	uint64_t time;		  /* ns, host's CLOCK_MONOTONIC; never runs backwards */
	const struct ks_rec *rec; /* as recorded; rec->time is still the recorder's own clock */
	unsigned int src;	  /* number of the reader, in the order they were added */
};

struct ks_merge;

/* Maps a recorder's own time to the common clock; must be monotonic. */
typedef uint64_t (*ks_map_fn)(void *ctx, uint64_t own);

int ks_merge_new(struct ks_merge **m);
/*
 * map NULL = identity. The merge goes on from where the reader stands and moves it; it stays the
 * caller's, who must not read or seek it meanwhile. Returns the source's number or -errno.
 */
int ks_merge_add(struct ks_merge *m, struct ks_reader *r, ks_map_fn map, void *ctx);
/*
 * 1, 0 at the end, -errno + err. The event is valid until the next call. Of events with one time,
 * those of the source added first come first, and of these, control records.
 */
int ks_merge_next(struct ks_merge *m, struct ks_event *ev, struct ks_err *err);
void ks_merge_free(struct ks_merge *m);

KS_API_END

#endif /* KVMSCHED_TRACE_H */
