/* SPDX-License-Identifier: GPL-2.0 */
/* From samples to the records of a perf.data file (include/uapi/linux/perf_event.h). */
#ifndef KVMSCHED_PERFDATA_EMIT_H
#define KVMSCHED_PERFDATA_EMIT_H

#include "file.h"
#include "names.h"
#include "sample.h"
#include "threads.h"

/* A vCPU, for the ids of its guest's samples. */
struct ks_pd_vcpu_id {
	uint32_t vm;	      /* index */
	uint32_t machine_pid; /* its process on the host */
	uint32_t vcpu;	      /* KVM's number of it */
};

struct ks_pd_emit;

/* All is borrowed and must outlive it; names may be NULL. 0 or -ENOMEM. */
int ks_pd_emit_new(struct ks_pd_emit **e, struct ks_pd_file *file, const struct ks_pd_layout *l,
		   const struct ks_pd_threads *threads, const struct ks_names *names);
void ks_pd_emit_free(struct ks_pd_emit *e);

/*
 * Before the first sample: whose the ids are (PERF_RECORD_ID_INDEX; vcpus as in the layout, NULL for
 * a guest alone), and the names of all threads.
 */
void ks_pd_emit_start(struct ks_pd_emit *e, const struct ks_pd_vcpu_id *vcpus);

/* A sample or a loss. */
void ks_pd_emit_sample(struct ks_pd_emit *e, const struct ks_pd_sample *s);

#endif /* KVMSCHED_PERFDATA_EMIT_H */
