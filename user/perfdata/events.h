/* SPDX-License-Identifier: GPL-2.0 */
/* The tracepoints that samples are written of: what stands in which field, and default layouts. */
#ifndef KVMSCHED_PERFDATA_EVENTS_H
#define KVMSCHED_PERFDATA_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

/* Order matters to perf: it takes the first event of a name, so the host's come first. */
enum ks_pd_event {
	PD_KVM_EXIT,  /* v: guest ip, exit reason, vCPU */
	PD_KVM_ENTRY, /* v: guest ip, -, vCPU */
	PD_SWITCH,    /* v: thread before, thread after, state of the one before */
	PD_WAKING,    /* v: thread woken, its CPU */
	PD_MIGRATE,   /* v: thread, from CPU, to CPU */
	PD_RUNTIME,   /* v: thread, ns */
	PD_HOST_EVENTS,
	/* Of a guest, or of a kernel that was recorded as one: */
	PD_G_SWITCH = PD_HOST_EVENTS,
	PD_G_WAKEUP,
	PD_G_MIGRATE,
	PD_G_RUNTIME,
	PD_WAIT_BEGIN, /* contention_begin; v: lock, flags, call site */
	PD_WAIT_END,   /* contention_end; v: lock, -, call site */
	PD_ACQUIRE,    /* v: lock; lockdep's, and so on */
	PD_CONTENDED,
	PD_ACQUIRED,
	PD_RELEASE,
	PD_EVENTS,
	/* Not tracepoints: */
	PD_LOST = PD_EVENTS, /* v: event, number; PERF_RECORD_LOST */
	PD_NONE,	     /* taken back */
};

/* Where a field's value comes from. */
enum ks_pd_source {
	PD_S_V0,
	PD_S_V1,
	PD_S_V2,
	PD_S_COMM0, /* name of thread v[0] */
	PD_S_COMM1, /* of thread v[1] */
	PD_S_LOCK,  /* name of lock v[0] */
	PD_S_TID,   /* of the sample */
	PD_S_PRIO,  /* 120: not recorded */
	PD_S_ISA,
	PD_S_SPIN, /* LCB_F_SPIN */
	PD_S_TYPE, /* the event's own id */
};

struct ks_pd_field {
	const char *name;
	enum ks_pd_source source;
	bool needed;	   /* a format without it is not used */
	const char *label; /* how the field is printed, NULL: not */
	const char *value; /* if that is not just the field */
};

#define KS_PD_FIELDS_MAX 8

struct ks_pd_tracepoint {
	const char *system, *name;
	const char *format; /* default, as in tracefs, without the print format */
	struct ks_pd_field field[KS_PD_FIELDS_MAX];
};

extern const struct ks_pd_tracepoint ks_pd_tracepoints[PD_EVENTS];

#endif /* KVMSCHED_PERFDATA_EVENTS_H */
