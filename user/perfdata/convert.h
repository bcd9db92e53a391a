/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the recorders' records to samples. docs/export-perf.md has the table and says what is not
 * recorded and made up for.
 */
#ifndef KVMSCHED_PERFDATA_CONVERT_H
#define KVMSCHED_PERFDATA_CONVERT_H

#include "layout.h"
#include "order.h"
#include "threads.h"
#include "trace.h"

struct ks_model;
struct ks_vcpu;

/* What both sides' converters work with. Borrowed. */
struct ks_pd_context {
	const struct ks_pd_layout *layout;
	const struct ks_pd_threads *threads;
	struct ks_pd_order *order;
};

/* ---- the host ---- */

struct ks_pd_host;

/* vcpus: all of the session, n of them; isa: enum ks_isa. 0 or -ENOMEM. */
int ks_pd_host_new(struct ks_pd_host **h, const struct ks_pd_context *c,
		   const struct ks_vcpu *vcpus, uint32_t n, const uint32_t *tgids, uint32_t isa);
void ks_pd_host_free(struct ks_pd_host *h);

void ks_pd_host_event(struct ks_pd_host *h, const struct ks_event *ev);

/* The pCPU of a vCPU (index), or where it was last; 0 if not known. */
uint32_t ks_pd_host_pcpu(const struct ks_pd_host *h, uint32_t vcpu);

/* No more events: what is open ends at `time`. */
void ks_pd_host_end(struct ks_pd_host *h, uint64_t time);

/* ---- a guest ---- */

struct ks_pd_guest;

/*
 * vcpu: index by guest CPU, KS_NO_VCPU where there is none, ncpus of them; the records of others are
 * left out. host: NULL for a guest alone. 0 or -ENOMEM.
 */
int ks_pd_guest_new(struct ks_pd_guest **g, const struct ks_pd_context *c, uint32_t vm,
		    const uint32_t *vcpu, uint32_t ncpus, const struct ks_pd_host *host);
void ks_pd_guest_free(struct ks_pd_guest *g);

void ks_pd_guest_event(struct ks_pd_guest *g, const struct ks_event *ev);

#endif /* KVMSCHED_PERFDATA_CONVERT_H */
