// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <json-c/json.h>

#include "cli.h"
#include "cpu.h"
#include "guestside.h"
#include "nodes.h"
#include "pidns.h"
#include "text.h"
#include "vsock.h"

/* ---- the machine ---- */

static void learn_apic_ids(struct apic_ids *a, const struct ks_machine *mach)
{
	unsigned int i;

	for (i = 0; i < mach->ncpus && i < KS_MAX_CPUS; i++) {
		if (i >= a->n || mach->apic_id[i] != UINT32_MAX)
			a->id[i] = mach->apic_id[i];
		if (i >= a->n)
			a->n = i + 1;
	}
}

static void add_apic_ids(struct json_object *m, const struct apic_ids *a)
{
	struct json_object *apic = json_object_new_array();
	unsigned int i;

	for (i = 0; i < a->n; i++)
		json_object_array_add(apic, json_object_new_int64(a->id[i]));
	json_object_object_add(m, "apic_ids", apic);
	json_object_object_add(m, "ncpus", json_object_new_int(a->n));
}

static void add_machine(struct json_object *m)
{
	struct ks_machine mach;
	uint32_t cid;

	if (ks_machine_read(NULL, &mach))
		return;
	json_object_object_add(m, "uuid", json_object_new_string(mach.product_uuid));
	json_object_object_add(m, "boot_id", json_object_new_string(mach.boot_id));
	json_object_object_add(m, "clocksource", json_object_new_string(mach.clocksource));
	json_object_object_add(m, "hypervisor", json_object_new_string(mach.hypervisor));
	json_object_object_add(m, "tsc_khz", json_object_new_int64(mach.tsc_khz));
	if (!ks_vsock_own_cid(&cid))
		json_object_object_add(m, "cid", json_object_new_int64(cid));
	ks_machine_release(&mach);
}

void guestside_meta(struct json_object *m)
{
	add_machine(m);
	nodes_add(m);
	nodes_add_cores(m);
}

/* A CPU that comes online during the recording tells its APIC id only then. */
int guestside_cpus(struct guestside *g)
{
	struct ks_machine mach;
	struct json_object *m;
	char now[sizeof(g->online)];
	int err;

	if (ks_read_line(NULL, now, sizeof(now), "/sys/devices/system/cpu/online") ||
	    !strcmp(now, g->online))
		return 0;
	strcpy(g->online, now);
	if (ks_machine_read(NULL, &mach))
		return 0;
	m = json_object_new_object();
	learn_apic_ids(&g->apic, &mach);
	add_apic_ids(m, &g->apic);
	err = ks_writer_meta(g->w, m);
	json_object_put(m);
	ks_machine_release(&mach);
	return err;
}

/* ---- names of threads, as they appear ---- */

#define NAMES_CHUNK 8192 /* that many surely fit in one piece of metadata */

static int write_names(struct guestside *g)
{
	struct json_object *m;
	int err;

	if (!json_object_object_length(g->names))
		return 0;
	m = json_object_new_object();
	json_object_object_add(m, "tasks", g->names);
	err = g->full ? 0 : ks_writer_names(g->w, m);
	json_object_put(m);
	g->names = json_object_new_object();
	if (err <= 0)
		return err;
	g->full = true;
	cli_warn("too many threads: the names of further ones are left out");
	return 0;
}

int guestside_thread(struct guestside *g, uint32_t pid)
{
	char name[KS_TASKNAME], key[16];

	if (!g->tasknames || !ks_tasknames_look(g->tasknames, pid, name))
		return 0;
	snprintf(key, sizeof(key), "%u", pid);
	json_object_object_add(g->names, key, json_object_new_string(name));
	return json_object_object_length(g->names) < NAMES_CHUNK ? 0 : write_names(g);
}

int guestside_names(struct guestside *g)
{
	if (g->tasknames)
		ks_tasknames_second(g->tasknames);
	return write_names(g);
}

/* ---- begin, end ---- */

int guestside_open(struct guestside *g, struct ks_writer *w)
{
	*g = (struct guestside){ .w = w, .names = json_object_new_object() };
	if (!g->names)
		return -ENOMEM;
	if (ks_pidns_is_initial(NULL))
		return ks_tasknames_new(&g->tasknames, NULL);
	cli_warn("in a PID namespace of its own: threads are recorded by number alone, for their "
		 "names are not known here (hostPID: true, docker --pid=host)");
	return 0;
}

void guestside_close(struct guestside *g)
{
	json_object_put(g->names);
	ks_tasknames_free(g->tasknames);
}
