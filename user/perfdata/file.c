// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "file.h"

/* Bytes of struct perf_event_attr that are written: perf 6.1 takes up to 128. */
#define ATTR_SIZE PERF_ATTR_SIZE_VER5

/* Numbers of sections: tools/perf/util/header.h, enum HEADER_*. */
enum section {
	SEC_TRACING_DATA = 1,
	SEC_HOSTNAME = 3,
	SEC_OSRELEASE = 4,
	SEC_VERSION = 5,
	SEC_ARCH = 6,
	SEC_NRCPUS = 7,
	SEC_CPUDESC = 8,
	SEC_CPUID = 9,
	SEC_CMDLINE = 11,
	SEC_EVENT_DESC = 12,
	SEC_SAMPLE_TIME = 21,
	SEC_CLOCKID = 23,
	SEC_CLOCK_DATA = 29,
	SEC_MAX,
};

struct range {
	uint64_t offset, size;
};

struct header {
	uint64_t magic, size, attr_size;
	struct range attrs, data, event_types;
	uint64_t features[4];
};

_Static_assert(sizeof(struct header) == 104, "a perf.data header is 104 bytes");

uint64_t ks_pd_sample_type(enum ks_pd_event event)
{
	uint64_t type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID |
			PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD | PERF_SAMPLE_RAW;

	return ks_pd_has_callchain(event) ? type | PERF_SAMPLE_CALLCHAIN : type;
}

static void fill_attr(const struct ks_pd_layout *l, enum ks_pd_event e,
		      struct perf_event_attr *attr)
{
	memset(attr, 0, sizeof(*attr));
	attr->type = PERF_TYPE_TRACEPOINT;
	attr->size = ATTR_SIZE;
	attr->config = l->desc[e].config;
	attr->sample_period = 1;
	attr->sample_type = ks_pd_sample_type(e);
	attr->sample_id_all = 1;
	attr->comm = e == 0 || (l->alone && e == PD_HOST_EVENTS);
	attr->use_clockid = 1;
	attr->clockid = CLOCK_MONOTONIC;
}

static void add_ids(struct ks_pd_file *f, enum ks_pd_event e, FILE *mem)
{
	uint32_t i, n = ks_pd_layout_ids(f->layout, e);
	uint64_t id;

	for (i = 0; i < n; i++) {
		id = ks_pd_layout_id(f->layout, e, i);
		if (mem)
			fwrite(&id, sizeof(id), 1, mem);
		else
			ks_pd_file_add(f, &id, sizeof(id));
	}
}

static void add_attr(struct ks_pd_file *f, enum ks_pd_event e, struct range ids)
{
	struct perf_event_attr attr;

	fill_attr(f->layout, e, &attr);
	ks_pd_file_add(f, &attr, ATTR_SIZE);
	ks_pd_file_add(f, &ids, sizeof(ids));
}

void ks_pd_file_begin(struct ks_pd_file *f, struct ks_outfile *out,
		      const struct ks_pd_layout *layout)
{
	struct header h = { 0 };
	struct range ids[PD_EVENTS];
	int e;

	memset(f, 0, sizeof(*f));
	f->out = out;
	f->layout = layout;
	f->first = UINT64_MAX;
	ks_pd_file_add(f, &h, sizeof(h));
	for (e = 0; e < PD_EVENTS; e++) {
		ids[e].offset = f->pos;
		if (layout->desc[e].used)
			add_ids(f, e, NULL);
		ids[e].size = f->pos - ids[e].offset;
	}
	f->attrs = f->pos;
	for (e = 0; e < PD_EVENTS; e++)
		if (layout->desc[e].used)
			add_attr(f, e, ids[e]);
	f->data = f->pos;
}

/* ---- sections ---- */

static void put_u32(FILE *out, uint32_t v)
{
	fwrite(&v, sizeof(v), 1, out);
}

static void put_u64(FILE *out, uint64_t v)
{
	fwrite(&v, sizeof(v), 1, out);
}

/* Length, then the text padded with NULs to 64 bytes. */
static void put_string(FILE *out, const char *s)
{
	static const char zeros[64];
	size_t len = strlen(s) + 1, padded = (len + 63) & ~63ul;

	put_u32(out, padded);
	fwrite(s, 1, len, out);
	fwrite(zeros, 1, padded - len, out);
}

static bool put_text(FILE *out, const char *s)
{
	if (!s || !s[0])
		return false;
	put_string(out, s);
	return true;
}

static void put_events(struct ks_pd_file *f, FILE *out)
{
	const struct ks_pd_tracepoint *tp;
	struct perf_event_attr attr;
	char name[80];
	uint32_t n = 0;
	int e;

	for (e = 0; e < PD_EVENTS; e++)
		n += f->layout->desc[e].used;
	put_u32(out, n);
	put_u32(out, ATTR_SIZE);
	for (e = 0; e < PD_EVENTS; e++) {
		if (!f->layout->desc[e].used)
			continue;
		tp = &ks_pd_tracepoints[e];
		fill_attr(f->layout, e, &attr);
		fwrite(&attr, ATTR_SIZE, 1, out);
		put_u32(out, ks_pd_layout_ids(f->layout, e));
		snprintf(name, sizeof(name), "%s:%s", tp->system, tp->name);
		put_string(out, name);
		add_ids(f, e, out);
	}
}

static bool put_clock(const struct ks_pd_machine *m, FILE *out)
{
	put_u32(out, 1); /* version */
	put_u32(out, CLOCK_MONOTONIC);
	put_u64(out, m->realtime_ns);
	put_u64(out, m->mono_ns);
	return m->realtime_ns;
}

/* False if there is nothing to tell. */
static bool put_section(struct ks_pd_file *f, const struct ks_pd_machine *m, enum section s,
			FILE *out)
{
	switch (s) {
	case SEC_TRACING_DATA:
		ks_pd_layout_print(f->layout, out);
		return true;
	case SEC_HOSTNAME:
		return put_text(out, m->hostname);
	case SEC_OSRELEASE:
		return put_text(out, m->release);
	case SEC_VERSION:
		return put_text(out, "kvmsched " KVMSCHED_VERSION);
	case SEC_ARCH:
		return put_text(out, m->arch);
	case SEC_NRCPUS:
		put_u32(out, m->ncpus);
		put_u32(out, m->ncpus);
		return m->ncpus;
	case SEC_CPUDESC:
		return put_text(out, m->cpudesc);
	case SEC_CPUID:
		return put_text(out, m->cpuid);
	case SEC_CMDLINE:
		put_u32(out, 2);
		put_string(out, "trace-export");
		put_string(out, "--perf");
		return true;
	case SEC_EVENT_DESC:
		put_events(f, out);
		return true;
	case SEC_SAMPLE_TIME:
		put_u64(out, f->first);
		put_u64(out, f->last);
		return f->first <= f->last;
	case SEC_CLOCKID:
		put_u64(out, 1); /* resolution, ns */
		return true;
	case SEC_CLOCK_DATA:
		return put_clock(m, out);
	default:
		return false;
	}
}

struct blob {
	char *p;
	size_t size;
};

static int make_section(struct ks_pd_file *f, const struct ks_pd_machine *m, enum section s,
			struct blob *b)
{
	FILE *mem = open_memstream(&b->p, &b->size);
	bool any;

	if (!mem)
		return -ENOMEM;
	any = put_section(f, m, s, mem);
	if (fclose(mem))
		return -ENOMEM;
	if (!any)
		b->size = 0;
	return 0;
}

/* A table of where they are, in order of their numbers, then they themselves. */
static void add_sections(struct ks_pd_file *f, const struct blob *b, uint64_t *features)
{
	struct range r = { .offset = f->pos };
	int s;

	for (s = 0; s < SEC_MAX; s++)
		r.offset += b[s].size ? sizeof(r) : 0;
	for (s = 0; s < SEC_MAX; s++) {
		r.size = b[s].size;
		if (!r.size)
			continue;
		ks_pd_file_add(f, &r, sizeof(r));
		r.offset += r.size;
		*features |= 1ull << s;
	}
	for (s = 0; s < SEC_MAX; s++)
		ks_pd_file_add(f, b[s].p, b[s].size);
}

static int write_header(struct ks_pd_file *f, uint64_t data_end, uint64_t features)
{
	struct header h = {
		.size = sizeof(h),
		.attr_size = ATTR_SIZE + sizeof(struct range),
		.attrs = { f->attrs, f->data - f->attrs },
		.data = { f->data, data_end - f->data },
		.features = { features },
	};

	memcpy(&h.magic, "PERFILE2", 8);
	if (fseeko(f->out->f, 0, SEEK_SET))
		return -errno;
	ks_outfile_write(f->out, &h, sizeof(h));
	return f->out->err;
}

int ks_pd_file_end(struct ks_pd_file *f, const struct ks_pd_machine *m)
{
	struct blob b[SEC_MAX] = { { 0 } };
	uint64_t data_end = f->pos, features = 0;
	int s, ret = 0;

	for (s = 0; s < SEC_MAX && !ret; s++)
		ret = make_section(f, m, s, &b[s]);
	if (!ret) {
		add_sections(f, b, &features);
		ret = write_header(f, data_end, features);
	}
	for (s = 0; s < SEC_MAX; s++)
		free(b[s].p);
	return ret;
}
