/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The probes, one per side: load what the kernel can take, attach, drain, count losses, detach.
 * Everything a probe puts into the kernel hangs on its file descriptors: if the process dies in
 * whatever way, nothing stays behind.
 */
#ifndef KVMSCHED_PROBE_H
#define KVMSCHED_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exits.h"
#include "ple_trace.h"
#include "rings.h"
#include "trace.h"

struct json_object;

#define KS_RING_SLOTS_MIN 128u
#define KS_RING_SLOTS_MAX (1u << 20)

/* Where libbpf's and the verifier's messages go, line by line; NULL (the default) = nowhere. */
void ks_probe_log(void (*fn)(const char *text));

/* ---- host ---- */

#define KS_HOST_VCPUS 4096u

struct ks_host_opts {
	const uint32_t *tgids; /* only these processes; NULL = all VMs */
	size_t ntgids;
	bool fold;	       /* bursts of PLE exits as one record each */
	uint64_t burst_gap_ns; /* 0 = 1 ms */
	unsigned int slots;  /* records per CPU's ring, rounded up to a power of two; 0 = by CPUs */
	unsigned int vcpus;  /* at most; 0 = KS_HOST_VCPUS */
	bool policy;	     /* what a policy does, too, if one is there: ks_host_watch_policy() */
	bool no_rdonly_cast; /* for tests: as on kernels before 6.2 */
};

struct ks_host;

/* Load and attach. 0, or -errno with err: -EPERM, -ENODEV (KVM not loaded), -ENOTSUP ... */
int ks_host_open(struct ks_host **h, const struct ks_host_opts *opts, struct ks_err *err);
/* Detach the programs, so that nothing more comes; what is in the rings can still be drained. */
void ks_host_stop(struct ks_host *h);
void ks_host_free(struct ks_host *h);

int ks_host_drain(struct ks_host *h, ks_rings_fn fn, void *ctx);
/* After stop: see ks_rings_finish(); and the bursts that are open. */
int ks_host_finish(struct ks_host *h, ks_rings_fn fn, void *ctx);
const struct ks_rings *ks_host_rings(const struct ks_host *h);

/* Let one more process pass the filter. */
int ks_host_admit(struct ks_host *h, uint32_t tgid);

enum ks_isa ks_host_isa(const struct ks_host *h);

/* States of the vCPUs, by slot, live; n: how many slots are in use. Borrowed. */
const struct ks_vcpu_state *ks_host_vcpus(const struct ks_host *h, uint32_t *n);

/* PLE exits so far, by slot: in contrast to the state's count, up to now. Until the next call. */
const uint64_t *ks_host_pauses(struct ks_host *h);

/* How many there can be, within what a trace can hold. */
size_t ks_host_counts_max(const struct ks_host *h);

/* Cumulative exits by slot and architectural reason: fills up to max of c, returns how many. */
size_t ks_host_exit_counts(struct ks_host *h, struct ks_exit_count *c, size_t max);

/*
 * The same for one slot, by dense reason. What is counted meanwhile may be missing: a reading may
 * fall behind the one before.
 */
void ks_host_slot_counts(const struct ks_host *h, uint32_t slot, uint64_t counts[KS_NREASONS]);

/* {"name": "attached" | why not}, the caller's. */
struct json_object *ks_host_programs(const struct ks_host *h);

struct ks_host_unseen {
	uint64_t vcpus; /* threads with vCPUs for which there was no slot: none of their exits */
	uint64_t exits; /* further exits, for want of memory in the kernel */
};
struct ks_host_unseen ks_host_unseen(const struct ks_host *h);

/*
 * Look whether a policy has come or gone, and record what it does (KS_BOOST, KS_LOOK). To be called
 * once a second, not after stop.
 */
void ks_host_watch_policy(struct ks_host *h);

struct ks_host_policy {
	unsigned int functions; /* of policies, attached to now; 0 = no policy */
	uint64_t unseen;	/* marks that the kernel left out */
	const char *why; /* the last one that could not be attached to, NULL = none. Borrowed */
};
struct ks_host_policy ks_host_policy(const struct ks_host *h);

/*
 * Give the slots of vCPUs that were gone already at the last call to new ones; until then the last
 * of their records come. For displays, once in a while; in a trace a slot stands for one vCPU.
 * ended is told of each before its counts are set to 0; may be NULL.
 */
void ks_host_recycle(struct ks_host *h, void (*ended)(void *ctx, uint32_t slot), void *ctx);

/* ---- guest ---- */

enum ks_guest_mode {
	KS_GUEST_FULL,	     /* lock and unlock functions and the contention tracepoints */
	KS_GUEST_CONTENTION, /* the contention tracepoints alone */
};

struct ks_guest_opts {
	enum ks_guest_mode mode;
	uint64_t hold_threshold_ns; /* holds at least this long leave a record */
	unsigned int slots;	    /* as above */
	bool no_rdonly_cast;
};

struct ks_guest;

int ks_guest_open(struct ks_guest **g, const struct ks_guest_opts *opts, struct ks_err *err);
/*
 * Does the kernel run no programs at functions' entries any more, so that locks go unseen? That is
 * so while somebody has set kernel.ftrace_enabled to 0. After stop: was it so then? Never in mode
 * contention.
 */
bool ks_guest_blind(struct ks_guest *g);
void ks_guest_stop(struct ks_guest *g);
void ks_guest_free(struct ks_guest *g);
int ks_guest_drain(struct ks_guest *g, ks_rings_fn fn, void *ctx);
int ks_guest_finish(struct ks_guest *g, ks_rings_fn fn, void *ctx);
const struct ks_rings *ks_guest_rings(const struct ks_guest *g);
struct json_object *ks_guest_programs(const struct ks_guest *g);
/*
 * Do waiters queue for spinlocks, so that every release with a waiter is told? Not where the guest takes them by test and
 * set. KS_GUEST_FULL only.
 */
bool ks_guest_queues(const struct ks_guest *g);
/*
 * What happened without the probe seeing it: the kernel does not run a program in an interrupt of
 * itself. Such a lock operation leaves no record.
 */
struct ks_guest_unseen {
	uint64_t recursion; /* programs not run */
	uint64_t acquires;  /* locks released whose acquire was not seen */
	uint64_t releases;  /* locks taken whose release was not seen */
};
void ks_guest_unseen(const struct ks_guest *g, struct ks_guest_unseen *u);

/* ---- guest: its scheduler ---- */

/* Switches, wake-ups and migrations of threads, passed-over idle CPUs. */
struct ks_sched;

/* slots: as above. 0, or -errno with err. */
int ks_sched_open(struct ks_sched **s, unsigned int slots, struct ks_err *err);
void ks_sched_stop(struct ks_sched *s);
void ks_sched_free(struct ks_sched *s);
int ks_sched_drain(struct ks_sched *s, ks_rings_fn fn, void *ctx);
int ks_sched_finish(struct ks_sched *s, ks_rings_fn fn, void *ctx);
const struct ks_rings *ks_sched_rings(const struct ks_sched *s);
struct json_object *ks_sched_programs(const struct ks_sched *s);
/*
 * Did the kernel run no programs at functions' entries when it was opened? Then most causes of migrations go unseen, and CPUs that
 * are taken offline.
 */
bool ks_sched_blind(const struct ks_sched *s);

#endif /* KVMSCHED_PROBE_H */
