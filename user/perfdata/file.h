/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The perf.data file around the data (tools/perf/Documentation/perf.data-file-format.txt): header,
 * attributes with their ids, and behind the data the sections that tell of the machine.
 */
#ifndef KVMSCHED_PERFDATA_FILE_H
#define KVMSCHED_PERFDATA_FILE_H

#include "layout.h"
#include "outfile.h"

/* What the sections tell; empty strings and zeros are left out. Strings are borrowed. */
struct ks_pd_machine {
	const char *hostname, *release, *arch, *cpudesc;
	const char *cpuid;	       /* perf takes exit reasons' names by the vendor in it */
	uint32_t ncpus;		       /* CPU numbers in the file are below it */
	uint64_t mono_ns, realtime_ns; /* the same moment on two clocks */
};

struct ks_pd_file {
	struct ks_outfile *out;
	const struct ks_pd_layout *layout;
	uint64_t attrs, data, pos; /* offsets */
	uint64_t first, last;	   /* times of samples, ns; first > last: there is none */
};

/*
 * perf lock goes by the waiter's call site, at both ends of a wait. As soon as one event has call
 * chains perf script prints an address with all of them, 0 if need be, except where a chain is empty:
 * so all but the exits have one, and theirs is where the guest was.
 */
static inline bool ks_pd_has_callchain(enum ks_pd_event event)
{
	return event != PD_KVM_EXIT && event != PD_KVM_ENTRY;
}

/* sample_type of an event's samples (PERF_SAMPLE_*). */
uint64_t ks_pd_sample_type(enum ks_pd_event event);

/* Header (to be completed), ids, attributes: the data come next. */
void ks_pd_file_begin(struct ks_pd_file *f, struct ks_outfile *out,
		      const struct ks_pd_layout *layout);

/* Data. Errors stay in out. */
static inline void ks_pd_file_add(struct ks_pd_file *f, const void *data, size_t len)
{
	ks_outfile_write(f->out, data, len);
	f->pos += len;
}

/* The sections, and the header once more. 0 or -errno. */
int ks_pd_file_end(struct ks_pd_file *f, const struct ks_pd_machine *m);

#endif /* KVMSCHED_PERFDATA_FILE_H */
