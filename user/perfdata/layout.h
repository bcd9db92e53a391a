/* SPDX-License-Identifier: GPL-2.0 */
/* Which events a file has, in which formats, under which numbers. */
#ifndef KVMSCHED_PERFDATA_LAYOUT_H
#define KVMSCHED_PERFDATA_LAYOUT_H

#include "encode.h"
#include "events.h"
#include "format.h"

struct json_object;

struct ks_pd_desc {
	bool used;
	bool own;	 /* the format is that of the kernel that was traced */
	uint32_t config; /* id of the tracepoint in this file */
	struct ks_tp_format format;
	char *print;
	struct ks_pd_plan plan;
};

struct ks_pd_layout {
	struct ks_pd_desc desc[PD_EVENTS];
	bool alone;	 /* a guest without its host */
	uint32_t nvcpus; /* guests' events have an id for each of them */
	/* As tracefs has them, or defaults. Borrowed from the metadata. */
	const char *header_page, *header_event;
};

/*
 * host: the host's metadata, NULL if there is none; guests: those of the guests' traces, or the one
 * of a guest alone. All is borrowed and must outlive l. What is missing or makes no sense in the
 * metadata is taken from the defaults. 0 or -ENOMEM; release it in any case.
 */
int ks_pd_layout_make(struct ks_pd_layout *l, struct json_object *host,
		      struct json_object *const *guests, uint32_t nguests, uint32_t nvcpus,
		      uint32_t isa);
void ks_pd_layout_release(struct ks_pd_layout *l);

/* True if an event of the host (a guest's) had to be given a default format that kernels have. */
bool ks_pd_layout_guessed(const struct ks_pd_layout *l, bool guest);

/* The id of samples of an event; vcpu: index of the guest's vCPU, not looked at for the host's. */
uint32_t ks_pd_layout_id(const struct ks_pd_layout *l, enum ks_pd_event event, uint32_t vcpu);

/* How many ids an event has: they are those of vCPUs 0 to n - 1. */
uint32_t ks_pd_layout_ids(const struct ks_pd_layout *l, enum ks_pd_event event);

/* The TRACING_DATA section. */
void ks_pd_layout_print(const struct ks_pd_layout *l, FILE *out);

#endif /* KVMSCHED_PERFDATA_LAYOUT_H */
