/* SPDX-License-Identifier: GPL-2.0 */
/* What every recording in a guest tells besides its records: who the guest is, its CPUs, threads. */
#ifndef KVMSCHED_GUESTSIDE_H
#define KVMSCHED_GUESTSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "ring.h"
#include "tasknames.h"
#include "trace.h"

struct json_object;

/*
 * APIC ids by CPU, of all CPUs that were ever online: one that goes offline takes its id along, but
 * its records stay.
 */
struct apic_ids {
	uint32_t id[KS_MAX_CPUS];
	unsigned int n;
};

struct guestside {
	struct ks_writer *w;		/* borrowed */
	struct ks_tasknames *tasknames; /* NULL: /proc numbers threads otherwise than records */
	struct json_object *names;	/* found since the last time they were written */
	bool full;			/* no more names fit */
	char online[4096];		/* list of the CPUs that were online the last time */
	struct apic_ids apic;
};

/* 0 or -ENOMEM; close it in any case. */
int guestside_open(struct guestside *g, struct ks_writer *w);
void guestside_close(struct guestside *g);

/* Identity, clock and topology of this machine, into m. */
void guestside_meta(struct json_object *m);

/* A record of this thread comes: learn its name. 0 or the writer's -errno. */
int guestside_thread(struct guestside *g, uint32_t pid);

/* Once a second, first and last: CPUs that came online; names that were found. */
int guestside_cpus(struct guestside *g);
int guestside_names(struct guestside *g);

#endif /* KVMSCHED_GUESTSIDE_H */
