/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets of a Perfetto trace, one at a time: tracks, and events on them. Format: Perfetto's
 * protos/perfetto/trace/trace_packet.proto and track_event/ (the part used: track_event.proto here);
 * what it means is in its docs/reference/synthetic-track-event.md.
 *
 * All packets are of one sequence. Names are written once, with the packet that needs them first
 * (interned data); when there are too many of them, the sequence starts afresh, so memory is
 * bounded. Packets need not be in order of time: Perfetto sorts. Of events at the same moment on one
 * track the first in the file comes first.
 */
#ifndef KVMSCHED_PERFETTO_PACKET_H
#define KVMSCHED_PERFETTO_PACKET_H

#include "intern.h"
#include "outfile.h"
#include "track_event.pb-c.h"

#define PF_CATEGORIES 4u
#define PF_NOTES 32u

/* Kinds of names, each with numbers of its own. */
enum pf_names { PF_N_EVENT, PF_N_CATEGORY, PF_N_NOTE, PF_N_TEXT, PF_N_KINDS };

enum pf_type { PF_BEGIN, PF_END, PF_INSTANT, PF_COUNTER };

struct pf_packet; /* the one being put together */

struct pf_writer {
	struct ks_outfile *out; /* borrowed */
	struct pf_intern names[PF_N_KINDS];
	uint32_t names_max; /* of one kind, before the sequence starts afresh */
	bool started;	    /* readers know what has been interned so far */
	struct pf_packet *p;
	uint8_t *buf;
	size_t cap;
	int err; /* -ENOMEM, else 0; what is written after it is dropped */
};

/* 0 or -ENOMEM; close it in any case. */
int pf_open(struct pf_writer *w, struct ks_outfile *out);
void pf_close(struct pf_writer *w);

/* The same moment on several clocks, ns; 0: not known. Once, before all else. */
struct pf_clocks {
	uint64_t monotonic, realtime, boottime;
};
void pf_clocks(struct pf_writer *w, const struct pf_clocks *c);

/* A track. Children lie below their parents; rank orders the children of one parent. */
struct pf_track {
	uint64_t uuid, parent; /* parent 0: none */
	const char *name;      /* may be NULL for a process */
	int32_t rank;
	int32_t pid;	  /* not 0: of this process ... */
	int64_t tid;	  /* ... and not 0: of this thread of it */
	const char *who;  /* name of the process or thread */
	const char *unit; /* not NULL: a counter, and what it counts */
};
void pf_track(struct pf_writer *w, const struct pf_track *t);
/* Processes and threads are to be ordered by their rank. */
void pf_ordered(struct pf_writer *w);

/* An event: begin, what is to be said of it, send. time: ns of CLOCK_MONOTONIC. */
void pf_event(struct pf_writer *w, enum pf_type type, uint64_t time, uint64_t track);
void pf_name(struct pf_writer *w, const char *name);
void pf_category(struct pf_writer *w, const char *name);
void pf_number(struct pf_writer *w, const char *key, uint64_t value);
void pf_signed(struct pf_writer *w, const char *key, int64_t value);
void pf_flag(struct pf_writer *w, const char *key, bool value);
void pf_address(struct pf_writer *w, const char *key, uint64_t value);
/* value NULL: nothing is said. More than PF_NOTES annotations or PF_CATEGORIES are left out. */
void pf_text(struct pf_writer *w, const char *key, const char *value);
void pf_value(struct pf_writer *w, int64_t value); /* of a counter */
/* A flow begins here, or these end here; the ids must live until pf_send(). */
void pf_flow(struct pf_writer *w, const uint64_t *id);
void pf_flow_ends(struct pf_writer *w, uint64_t *ids, size_t n);
void pf_send(struct pf_writer *w);

#endif /* KVMSCHED_PERFETTO_PACKET_H */
