// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "packet.h"

/*
 * Any number will do if no other writer of a merged trace has it: Perfetto's own service counts
 * from 1. This is "kvms".
 */
#define SEQUENCE 0x6b766d73u
#define NAMES_MAX 32768u

typedef Perfetto__Protos__TracePacket Packet;
typedef Perfetto__Protos__TrackEvent Event;
typedef Perfetto__Protos__TrackDescriptor Track;
typedef Perfetto__Protos__DebugAnnotation Note;
typedef Perfetto__Protos__InternedData Interned;
typedef Perfetto__Protos__EventName EventName;
typedef Perfetto__Protos__EventCategory Category;
typedef Perfetto__Protos__DebugAnnotationName NoteName;
typedef Perfetto__Protos__InternedString Text;

/* An event and all that hangs on it; the pointers are where protobuf-c wants arrays of them. */
struct pf_packet {
	Packet packet;
	Event event;
	Interned interned;
	uint64_t category[PF_CATEGORIES];
	Note note[PF_NOTES], *note_at[PF_NOTES];
	EventName name, *name_at[1];
	Category cat[PF_CATEGORIES], *cat_at[PF_CATEGORIES];
	NoteName key[PF_NOTES], *key_at[PF_NOTES];
	Text text[PF_NOTES], *text_at[PF_NOTES];
};

int pf_open(struct pf_writer *w, struct ks_outfile *out)
{
	*w = (struct pf_writer){ .out = out, .names_max = NAMES_MAX };
	w->p = calloc(1, sizeof(*w->p));
	w->err = w->p ? 0 : -ENOMEM;
	return w->err;
}

static void forget_names(struct pf_writer *w)
{
	int i;

	for (i = 0; i < PF_N_KINDS; i++)
		pf_intern_clear(&w->names[i]);
	w->started = false;
}

void pf_close(struct pf_writer *w)
{
	forget_names(w);
	free(w->p);
	free(w->buf);
	*w = (struct pf_writer){ .out = NULL };
}

/* A trace is its packets one behind the other: each is written as a trace of one packet. */
static void put(struct pf_writer *w, Packet *p)
{
	Perfetto__Protos__Trace trace = PERFETTO__PROTOS__TRACE__INIT;
	uint8_t *buf;
	size_t len;

	if (w->err)
		return;
	p->has_trusted_packet_sequence_id = true;
	p->trusted_packet_sequence_id = SEQUENCE;
	trace.n_packet = 1;
	trace.packet = &p;
	len = perfetto__protos__trace__get_packed_size(&trace);
	if (len > w->cap) {
		buf = realloc(w->buf, len * 2);
		if (!buf) {
			w->err = -ENOMEM;
			return;
		}
		w->buf = buf;
		w->cap = len * 2;
	}
	perfetto__protos__trace__pack(&trace, w->buf);
	ks_outfile_write(w->out, w->buf, len);
}

/* ---- clocks ---- */

static void add_clock(Perfetto__Protos__ClockSnapshot *s, uint32_t id, uint64_t ns)
{
	Perfetto__Protos__ClockSnapshot__Clock *c = s->clocks[s->n_clocks];

	if (!ns)
		return;
	perfetto__protos__clock_snapshot__clock__init(c);
	c->has_clock_id = c->has_timestamp = true;
	c->clock_id = id;
	c->timestamp = ns;
	s->n_clocks++;
}

void pf_clocks(struct pf_writer *w, const struct pf_clocks *c)
{
	Perfetto__Protos__ClockSnapshot__Clock clock[3], *at[] = { clock, clock + 1, clock + 2 };
	Perfetto__Protos__ClockSnapshot s = PERFETTO__PROTOS__CLOCK_SNAPSHOT__INIT;
	Packet p = PERFETTO__PROTOS__TRACE_PACKET__INIT;

	s.clocks = at;
	add_clock(&s, PERFETTO__PROTOS__BUILTIN_CLOCK__BUILTIN_CLOCK_MONOTONIC, c->monotonic);
	add_clock(&s, PERFETTO__PROTOS__BUILTIN_CLOCK__BUILTIN_CLOCK_REALTIME, c->realtime);
	add_clock(&s, PERFETTO__PROTOS__BUILTIN_CLOCK__BUILTIN_CLOCK_BOOTTIME, c->boottime);
	/* Perfetto's default is BOOTTIME: without it its time line is ours. */
	s.has_primary_trace_clock = true;
	s.primary_trace_clock = PERFETTO__PROTOS__BUILTIN_CLOCK__BUILTIN_CLOCK_MONOTONIC;
	p.clock_snapshot = &s;
	put(w, &p);
}

/* ---- tracks ---- */

static void put_track(struct pf_writer *w, Track *t)
{
	Packet p = PERFETTO__PROTOS__TRACE_PACKET__INIT;

	t->has_uuid = true;
	p.track_descriptor = t;
	put(w, &p);
}

static void set_thread(Perfetto__Protos__ThreadDescriptor *d, const struct pf_track *t)
{
	d->has_pid = d->has_tid = d->has_legacy_sort_index = true;
	d->pid = t->pid;
	d->tid = t->tid;
	d->legacy_sort_index = t->rank;
	d->thread_name = (char *)t->who;
}

static void set_process(Perfetto__Protos__ProcessDescriptor *d, const struct pf_track *t)
{
	d->has_pid = d->has_legacy_sort_index = true;
	d->pid = t->pid;
	d->legacy_sort_index = t->rank;
	d->process_name = (char *)t->who;
}

void pf_track(struct pf_writer *w, const struct pf_track *t)
{
	Perfetto__Protos__CounterDescriptor counter = PERFETTO__PROTOS__COUNTER_DESCRIPTOR__INIT;
	Perfetto__Protos__ProcessDescriptor process = PERFETTO__PROTOS__PROCESS_DESCRIPTOR__INIT;
	Perfetto__Protos__ThreadDescriptor thread = PERFETTO__PROTOS__THREAD_DESCRIPTOR__INIT;
	Track d = PERFETTO__PROTOS__TRACK_DESCRIPTOR__INIT;

	d.uuid = t->uuid;
	d.has_parent_uuid = t->parent;
	d.parent_uuid = t->parent;
	d.name = (char *)t->name;
	d.has_child_ordering = d.has_sibling_order_rank = true;
	d.child_ordering = PERFETTO__PROTOS__TRACK_DESCRIPTOR__CHILD_TRACKS_ORDERING__EXPLICIT;
	d.sibling_order_rank = t->rank;
	if (t->tid) {
		set_thread(&thread, t);
		d.thread = &thread;
	} else if (t->pid) {
		set_process(&process, t);
		d.process = &process;
	}
	if (t->unit) {
		counter.unit_name = (char *)t->unit;
		d.counter = &counter;
	}
	put_track(w, &d);
}

/* What holds for all is said of the root, which is track 0. */
void pf_ordered(struct pf_writer *w)
{
	Track d = PERFETTO__PROTOS__TRACK_DESCRIPTOR__INIT;

	d.has_process_ordering = d.has_thread_ordering = true;
	d.process_ordering =
		PERFETTO__PROTOS__TRACK_DESCRIPTOR__PROCESS_ORDERING__PROCESS_ORDERING_EXPLICIT;
	d.thread_ordering =
		PERFETTO__PROTOS__TRACK_DESCRIPTOR__THREAD_ORDERING__THREAD_ORDERING_EXPLICIT;
	put_track(w, &d);
}

/* ---- events ---- */

void pf_event(struct pf_writer *w, enum pf_type type, uint64_t time, uint64_t track)
{
	static const Perfetto__Protos__TrackEvent__Type types[] = {
		[PF_BEGIN] = PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN,
		[PF_END] = PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_SLICE_END,
		[PF_INSTANT] = PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_INSTANT,
		[PF_COUNTER] = PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_COUNTER,
	};
	struct pf_packet *p = w->p;
	int i;

	for (i = 0; i < PF_N_KINDS; i++)
		if (w->names[i].n >= w->names_max)
			forget_names(w);
	perfetto__protos__trace_packet__init(&p->packet);
	perfetto__protos__track_event__init(&p->event);
	perfetto__protos__interned_data__init(&p->interned);
	p->packet.has_timestamp = true;
	p->packet.timestamp = time;
	p->packet.track_event = &p->event;
	p->event.category_iids = p->category;
	p->event.debug_annotations = p->note_at;
	p->event.has_type = p->event.has_track_uuid = true;
	p->event.type = types[type];
	p->event.track_uuid = track;
	p->interned.event_names = p->name_at;
	p->interned.event_categories = p->cat_at;
	p->interned.debug_annotation_names = p->key_at;
	p->interned.debug_annotation_string_values = p->text_at;
}

static uint64_t intern(struct pf_writer *w, enum pf_names kind, const char *s, bool *fresh)
{
	uint64_t iid = pf_intern(&w->names[kind], s, fresh);

	if (!iid)
		w->err = -ENOMEM;
	return iid;
}

/* The table keeps the copy that the packet's fresh names point to. */
static char *kept(const struct pf_writer *w, enum pf_names kind, uint64_t iid)
{
	return w->names[kind].name[iid - 1];
}

/* A name in the packet that brings it; the three types differ in name alone. */
#define FRESH(w, kind, array, member, type_init, id)                                               \
	do {                                                                                       \
		struct pf_packet *p_ = (w)->p;                                                     \
		size_t n_ = p_->interned.n_##member;                                               \
                                                                                                   \
		type_init(&p_->array[n_]);                                                         \
		p_->array[n_].has_iid = true;                                                      \
		p_->array[n_].iid = (id);                                                          \
		p_->array[n_].name = kept(w, kind, id);                                            \
		p_->interned.member[n_] = &p_->array[n_];                                          \
		p_->interned.n_##member++;                                                         \
	} while (0)

static uint64_t key_of(struct pf_writer *w, const char *key)
{
	bool fresh;
	uint64_t iid = intern(w, PF_N_NOTE, key, &fresh);

	if (fresh)
		FRESH(w, PF_N_NOTE, key, debug_annotation_names,
		      perfetto__protos__debug_annotation_name__init, iid);
	return iid;
}

void pf_name(struct pf_writer *w, const char *name)
{
	EventName *one = &w->p->name;
	bool fresh;

	w->p->event.has_name_iid = true;
	w->p->event.name_iid = intern(w, PF_N_EVENT, name, &fresh);
	if (!fresh)
		return;
	perfetto__protos__event_name__init(one);
	one->has_iid = true;
	one->iid = w->p->event.name_iid;
	one->name = kept(w, PF_N_EVENT, one->iid);
	w->p->name_at[0] = one;
	w->p->interned.n_event_names = 1;
}

void pf_category(struct pf_writer *w, const char *name)
{
	Event *e = &w->p->event;
	uint64_t iid;
	bool fresh;

	if (e->n_category_iids == PF_CATEGORIES)
		return;
	iid = intern(w, PF_N_CATEGORY, name, &fresh);
	e->category_iids[e->n_category_iids++] = iid;
	if (fresh)
		FRESH(w, PF_N_CATEGORY, cat, event_categories,
		      perfetto__protos__event_category__init, iid);
}

/* The next annotation; NULL if there are too many: it is left out. */
static Note *note(struct pf_writer *w, const char *key)
{
	Event *e = &w->p->event;
	Note *n;

	if (e->n_debug_annotations == PF_NOTES)
		return NULL;
	n = &w->p->note[e->n_debug_annotations];
	perfetto__protos__debug_annotation__init(n);
	e->debug_annotations[e->n_debug_annotations++] = n;
	n->has_name_iid = true;
	n->name_iid = key_of(w, key);
	return n;
}

void pf_number(struct pf_writer *w, const char *key, uint64_t value)
{
	Note *n = note(w, key);

	if (!n)
		return;
	n->has_uint_value = true;
	n->uint_value = value;
}

void pf_signed(struct pf_writer *w, const char *key, int64_t value)
{
	Note *n = note(w, key);

	if (!n)
		return;
	n->has_int_value = true;
	n->int_value = value;
}

void pf_flag(struct pf_writer *w, const char *key, bool value)
{
	Note *n = note(w, key);

	if (!n)
		return;
	n->has_bool_value = true;
	n->bool_value = value;
}

void pf_address(struct pf_writer *w, const char *key, uint64_t value)
{
	Note *n = note(w, key);

	if (!n)
		return;
	n->has_pointer_value = true;
	n->pointer_value = value;
}

void pf_text(struct pf_writer *w, const char *key, const char *value)
{
	Interned *in = &w->p->interned;
	Note *n = value ? note(w, key) : NULL;
	bool fresh;
	Text *t;

	if (!n)
		return;
	n->has_string_value_iid = true;
	n->string_value_iid = intern(w, PF_N_TEXT, value, &fresh);
	if (!fresh)
		return;
	t = &w->p->text[in->n_debug_annotation_string_values];
	perfetto__protos__interned_string__init(t);
	t->has_iid = t->has_str = true;
	t->iid = n->string_value_iid;
	t->str.data = (uint8_t *)kept(w, PF_N_TEXT, t->iid);
	t->str.len = strlen(value);
	in->debug_annotation_string_values[in->n_debug_annotation_string_values++] = t;
}

void pf_value(struct pf_writer *w, int64_t value)
{
	w->p->event.has_counter_value = true;
	w->p->event.counter_value = value;
}

void pf_flow(struct pf_writer *w, const uint64_t *id)
{
	w->p->event.flow_ids = (uint64_t *)id;
	w->p->event.n_flow_ids = 1;
}

void pf_flow_ends(struct pf_writer *w, uint64_t *ids, size_t n)
{
	w->p->event.terminating_flow_ids = ids;
	w->p->event.n_terminating_flow_ids = n;
}

static bool has_fresh(const Interned *in)
{
	return in->n_event_names || in->n_event_categories || in->n_debug_annotation_names ||
	       in->n_debug_annotation_string_values;
}

void pf_send(struct pf_writer *w)
{
	Perfetto__Protos__TracePacketDefaults defaults =
		PERFETTO__PROTOS__TRACE_PACKET_DEFAULTS__INIT;
	Packet *p = &w->p->packet;

	p->has_sequence_flags = true;
	p->sequence_flags =
		PERFETTO__PROTOS__TRACE_PACKET__SEQUENCE_FLAGS__SEQ_NEEDS_INCREMENTAL_STATE;
	if (!w->started) {
		p->sequence_flags =
			PERFETTO__PROTOS__TRACE_PACKET__SEQUENCE_FLAGS__SEQ_INCREMENTAL_STATE_CLEARED;
		defaults.has_timestamp_clock_id = true;
		defaults.timestamp_clock_id =
			PERFETTO__PROTOS__BUILTIN_CLOCK__BUILTIN_CLOCK_MONOTONIC;
		p->trace_packet_defaults = &defaults;
		w->started = true;
	}
	if (has_fresh(&w->p->interned))
		p->interned_data = &w->p->interned;
	put(w, p);
}
