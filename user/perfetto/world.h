/* SPDX-License-Identifier: GPL-2.0 */
/* Inside the exporter: the tracks of a recording, and what is written on them. */
#ifndef KVMSCHED_PERFETTO_WORLD_H
#define KVMSCHED_PERFETTO_WORLD_H

#include "export.h"
#include "held.h"
#include "lanes.h"
#include "packet.h"
#include "rate.h"
#include "rows_names.h"
#include "vnuma.h"

struct pf_export;

/* A counter of PLE exits per second; its track is made with its first value. */
struct pf_counter {
	struct pf_export *x;
	struct rate rate;
	uint64_t track, parent;
	int32_t rank;
	char name[48];
};

struct pf_vcpu {
	uint64_t track;
	bool shared; /* its thread runs another one before it, too: a thread has one track */
	struct lanes waits, holds;
	struct held held;
	struct pf_counter ple;
};

/* The sample of a VM's memory that is being read, and the tracks that it goes to. */
struct pf_memory {
	uint64_t own; /* its time as recorded */
	uint64_t time;
	uint64_t named; /* 1 << node, of those that it tells of */
	uint64_t bytes[KS_VN_NODES], track[KS_VN_NODES];
};

struct pf_vm {
	uint64_t track;
	uint64_t losses; /* the track of its guest's; 0: none yet */
	struct pf_counter ple;
	struct pf_memory memory;
};

struct pf_export {
	struct pf_writer w;
	struct rows_names names;
	const struct ks_session *session;
	const struct ks_vm *vm; /* the analysis's */
	const struct ks_vcpu *vcpu;
	struct pf_vm *pvm; /* the same order */
	struct pf_vcpu *pvcpu;
	uint32_t nvms, nvcpus;
	uint64_t losses;    /* the track of the host's; 0: none yet */
	uint64_t origin;    /* ns, first record of the host */
	uint64_t seed, ids; /* of numbers that are unique among traces */
};

/* Tracks for all VMs and vCPUs, and what is known before the first event. 0 or -errno + err. */
int pf_world_begin(struct pf_export *x, const struct ks_export_input *in, struct ks_err *err);
void pf_world_free(struct pf_export *x);

/* A number for a track or a flow that no other has, also in other traces as far as can be helped. */
uint64_t pf_id(struct pf_export *x);

/* ---- slices.c ---- */
void pf_state(struct pf_export *x, const struct ks_segment *g);
void pf_ple(struct pf_export *x, const struct ks_ple *p);
void pf_halt(struct pf_export *x, uint32_t vcpu, const struct ks_event *ev);
void pf_wait(struct pf_export *x, const struct ks_wait *w);
void pf_hold(struct pf_export *x, const struct ks_hold *h);
/* Write what was held back. */
void pf_release(struct pf_export *x);

/* ---- memory.c ---- */
void pf_memory(struct pf_export *x, const struct ks_event *ev);
/* Write the sample that was read last, if there is one. */
void pf_memory_put(struct pf_export *x, uint32_t vm);

/* ---- losses.c ---- */
/* Of the host or of a guest: as its recorder told, or found when its file was read. */
void pf_loss(struct pf_export *x, const struct ks_event *ev);
/* Where the clock of a VM's guest stood still, in [from, to). */
void pf_clock_breaks(struct pf_export *x, const struct ks_export_input *in, uint32_t vm);

#endif /* KVMSCHED_PERFETTO_WORLD_H */
