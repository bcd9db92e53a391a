// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"

#define FIRST_GUEST_ID 64 /* ids of events below it are the host's, or of a guest alone */
#define GUEST_EVENTS (PD_EVENTS - PD_HOST_EVENTS)
#define SPARE_ID                                                                                   \
	60000 /* tracepoint ids for events whose own is taken; kernels have a few thousand */

static bool is_guest(enum ks_pd_event e)
{
	return e >= PD_HOST_EVENTS;
}

/* Only kernels with lockdep have them: a default is no guess. */
static bool is_lockdep(enum ks_pd_event e)
{
	return e >= PD_ACQUIRE && e <= PD_RELEASE;
}

static struct json_object *member(struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *v = NULL;

	if (!o || !json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, type))
		return NULL;
	return v;
}

static struct json_object *perf_of(struct json_object *meta)
{
	return member(meta, "perf", json_type_object);
}

/* Parse a format and see if samples can be written by it. */
static bool usable(struct ks_pd_desc *d, const struct ks_pd_tracepoint *tp, const char *text,
		   uint32_t isa)
{
	return !ks_tp_parse(&d->format, text, strlen(text)) && !strcmp(d->format.name, tp->name) &&
	       !ks_pd_plan_make(&d->plan, &d->format, tp, 0, isa);
}

static bool from_meta(struct ks_pd_desc *d, const struct ks_pd_tracepoint *tp,
		      struct json_object *meta, uint32_t isa)
{
	struct json_object *v = member(perf_of(meta), "formats", json_type_object);
	char key[80];

	snprintf(key, sizeof(key), "%s:%s", tp->system, tp->name);
	v = member(v, key, json_type_string);
	return v && usable(d, tp, json_object_get_string(v), isa);
}

static bool taken(const struct ks_pd_layout *l, enum ks_pd_event e, uint32_t id)
{
	int i;

	for (i = 0; i < (int)e; i++)
		if (l->desc[i].used && l->desc[i].config == id)
			return true;
	return !id;
}

/* perf knows events by number: those of two kernels may have the same one. */
static uint32_t choose_id(const struct ks_pd_layout *l, enum ks_pd_event e)
{
	uint32_t id = l->desc[e].format.id, spare = SPARE_ID;

	while (taken(l, e, id))
		id = spare++;
	return id;
}

/*
 * The host's own print format is kept, as it has names for all exit reasons. A guest's is not: perf
 * would interpret what a stranger wrote.
 */
static char *choose_print(const struct ks_pd_desc *d, const struct ks_pd_tracepoint *tp, bool guest)
{
	if (d->own && !guest && d->format.print)
		return strndup(d->format.print, d->format.print_len);
	return ks_pd_print_format(&d->format, tp);
}

static int make_desc(struct ks_pd_layout *l, enum ks_pd_event e, struct json_object *const *metas,
		     uint32_t n, uint32_t isa)
{
	const struct ks_pd_tracepoint *tp = &ks_pd_tracepoints[e];
	struct ks_pd_desc *d = &l->desc[e];
	uint32_t i;

	for (i = 0; i < n && !d->own; i++)
		d->own = from_meta(d, tp, metas[i], isa);
	if (!d->own && !usable(d, tp, tp->format, isa))
		return -EINVAL;
	d->config = choose_id(l, e);
	d->used = true;
	d->print = choose_print(d, tp, is_guest(e));
	return d->print ? ks_pd_plan_make(&d->plan, &d->format, tp, d->config, isa) : -ENOMEM;
}

/* Lines of printable text, as the kernel writes them. */
static const char *text_of(struct json_object *meta, const char *key, const char *otherwise)
{
	struct json_object *v = member(perf_of(meta), key, json_type_string);
	const char *text = v ? json_object_get_string(v) : "";
	size_t i, len = strlen(text);

	for (i = 0; i < len; i++)
		if ((text[i] < 0x20 && text[i] != '\n' && text[i] != '\t') || text[i] > 0x7e)
			return otherwise;
	return len && len < KS_TP_TEXT_MAX ? text : otherwise;
}

static void choose_headers(struct ks_pd_layout *l, struct json_object *host)
{
	l->header_page = text_of(host, "header_page",
				 "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
				 "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
				 "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
				 "\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;\n");
	l->header_event = text_of(host, "header_event",
				  "# compressed entry header\n"
				  "\ttype_len    :    5 bits\n"
				  "\ttime_delta  :   27 bits\n"
				  "\tarray       :   32 bits\n\n"
				  "\tpadding     : type == 29\n"
				  "\ttime_extend : type == 30\n"
				  "\ttime_stamp : type == 31\n"
				  "\tdata max type_len  == 28\n");
}

int ks_pd_layout_make(struct ks_pd_layout *l, struct json_object *host,
		      struct json_object *const *guests, uint32_t nguests, uint32_t nvcpus,
		      uint32_t isa)
{
	int e, ret = 0;

	memset(l, 0, sizeof(*l));
	l->alone = !host;
	l->nvcpus = nvcpus;
	choose_headers(l, host);
	for (e = 0; e < PD_HOST_EVENTS && host && !ret; e++)
		ret = make_desc(l, e, &host, 1, isa);
	for (e = PD_HOST_EVENTS; e < PD_EVENTS && nguests && !ret; e++)
		ret = make_desc(l, e, guests, nguests, isa);
	return ret;
}

void ks_pd_layout_release(struct ks_pd_layout *l)
{
	int e;

	for (e = 0; e < PD_EVENTS; e++)
		free(l->desc[e].print);
	memset(l, 0, sizeof(*l));
}

bool ks_pd_layout_guessed(const struct ks_pd_layout *l, bool guest)
{
	int e;

	for (e = 0; e < PD_EVENTS; e++)
		if (l->desc[e].used && !l->desc[e].own && is_guest(e) == guest && !is_lockdep(e))
			return true;
	return false;
}

uint32_t ks_pd_layout_id(const struct ks_pd_layout *l, enum ks_pd_event event, uint32_t vcpu)
{
	if (!is_guest(event) || l->alone)
		return 1 + event;
	return FIRST_GUEST_ID + vcpu * GUEST_EVENTS + (event - PD_HOST_EVENTS);
}

uint32_t ks_pd_layout_ids(const struct ks_pd_layout *l, enum ks_pd_event event)
{
	return !is_guest(event) || l->alone ? 1 : l->nvcpus;
}

/* ---- TRACING_DATA: what trace-cmd's file format, version 0.6, begins with ---- */

static void put_u32(FILE *out, uint32_t v)
{
	fwrite(&v, sizeof(v), 1, out);
}

static void put_u64(FILE *out, uint64_t v)
{
	fwrite(&v, sizeof(v), 1, out);
}

static void put_section(FILE *out, const char *name, const char *text)
{
	fwrite(name, 1, strlen(name) + 1, out);
	put_u64(out, strlen(text));
	fputs(text, out);
}

static void put_format(FILE *out, const struct ks_pd_desc *d)
{
	char *text = NULL;
	size_t size = 0;
	FILE *mem = open_memstream(&text, &size);

	if (mem) {
		ks_tp_print(&d->format, d->config, d->print, strlen(d->print), mem);
		fclose(mem);
	}
	put_u64(out, size);
	fwrite(text, 1, size, out);
	free(text);
}

static void put_system(const struct ks_pd_layout *l, const char *system, FILE *out)
{
	uint32_t n = 0;
	int e;

	for (e = 0; e < PD_EVENTS; e++)
		n += l->desc[e].used && !strcmp(ks_pd_tracepoints[e].system, system);
	fwrite(system, 1, strlen(system) + 1, out);
	put_u32(out, n);
	for (e = 0; e < PD_EVENTS; e++)
		if (l->desc[e].used && !strcmp(ks_pd_tracepoints[e].system, system))
			put_format(out, &l->desc[e]);
}

void ks_pd_layout_print(const struct ks_pd_layout *l, FILE *out)
{
	static const char *const systems[] = { "kvm", "sched", "lock" };
	size_t i;

	fwrite("\x17\x08\x44tracing0.6", 1, 14, out); /* with its NUL */
	fputc(0, out);				      /* little endian */
	fputc(8, out);				      /* bytes of a long */
	put_u32(out, 4096);			      /* of a page */
	put_section(out, "header_page", l->header_page);
	put_section(out, "header_event", l->header_event);
	put_u32(out, 0); /* formats of ftrace's own events */
	put_u32(out, sizeof(systems) / sizeof(systems[0]));
	for (i = 0; i < sizeof(systems) / sizeof(systems[0]); i++)
		put_system(l, systems[i], out);
	put_u32(out, 0); /* kallsyms */
	put_u32(out, 0); /* printk formats */
	put_u64(out, 0); /* names of threads */
}
