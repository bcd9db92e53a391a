/* SPDX-License-Identifier: GPL-2.0 */
/* The metrics of a host's VMs: their names, types and help, and a page of them. */
#ifndef KVMSCHED_FLEET_METRICS_H
#define KVMSCHED_FLEET_METRICS_H

#include "exits.h"
#include "fleet.h"
#include "metrics.h"

enum ks_metrics_detail {
	KS_DETAIL_VM,	/* sums per VM only */
	KS_DETAIL_VCPU, /* and counters per vCPU */
	KS_DETAIL_FULL, /* and each vCPU's exits by reason and histogram of bursts */
};

/* Numbers of the exporter itself. */
struct ks_self_metrics {
	const char *version;
	uint64_t records, lost;
	uint64_t unseen_vcpus, unseen_exits; /* struct ks_host_unseen */
	uint64_t scrapes, scrape_ns;	     /* pages made so far, and how long that took */
	uint64_t cpu_ns;		     /* CPU time of this process */
	uint64_t resident_bytes;
	uint64_t start_ns; /* of this process, since 1970 */
};

/* Append all families of f to a page. */
void ks_fleet_metrics(struct ks_metrics *m, const struct ks_fleet *f, enum ks_isa isa,
		      enum ks_metrics_detail detail);
void ks_self_metrics(struct ks_metrics *m, const struct ks_fleet *f, enum ks_isa isa,
		     const struct ks_self_metrics *self);

#endif /* KVMSCHED_FLEET_METRICS_H */
