// SPDX-License-Identifier: GPL-2.0
#include <json-c/json.h>

#include "args.h"
#include "nodes.h"
#include "text.h"
#include "topology.h"

static struct json_object *distances(const struct ks_numa *numa)
{
	struct json_object *dist = json_object_new_array(), *row;
	unsigned int i, j;

	for (i = 0; i < ks_numa_nodes(numa); i++) {
		row = json_object_new_array();
		for (j = 0; j < ks_numa_nodes(numa); j++)
			json_object_array_add(row,
					      json_object_new_int(ks_numa_distance(numa, i, j)));
		json_object_array_add(dist, row);
	}
	return dist;
}

void nodes_add(struct json_object *m)
{
	struct json_object *nodes = json_object_new_array();
	struct ks_numa *numa;
	unsigned int i;

	json_object_object_add(m, "cpu_node", nodes);
	if (ks_numa_new(&numa, NULL))
		return;
	for (i = 0; i < ks_numa_cpus(numa); i++)
		json_object_array_add(nodes, json_object_new_int(ks_numa_node(numa, i)));
	json_object_object_add(m, "ncpus", json_object_new_int(ks_numa_cpus(numa)));
	json_object_object_add(m, "node_distance", distances(numa));
	ks_numa_free(numa);
}

static struct json_object *topology(unsigned int cpus, const char *what)
{
	struct json_object *a = json_object_new_array();
	char text[32];
	unsigned int i;
	uint64_t v;

	for (i = 0; i < cpus; i++) {
		if (ks_read_line(NULL, text, sizeof(text),
				 "/sys/devices/system/cpu/cpu%u/topology/%s", i, what) ||
		    ks_arg_uint(what, text, 0, INT32_MAX, &v, NULL))
			json_object_array_add(a, json_object_new_int(-1));
		else
			json_object_array_add(a, json_object_new_int((int)v));
	}
	return a;
}

void nodes_add_cores(struct json_object *m)
{
	struct json_object *domains = json_object_new_array();
	struct ks_numa *numa;
	unsigned int i;
	char text[32];

	if (!ks_numa_new(&numa, NULL)) {
		json_object_object_add(m, "cpu_package",
				       topology(ks_numa_cpus(numa), "physical_package_id"));
		json_object_object_add(m, "cpu_core", topology(ks_numa_cpus(numa), "core_id"));
		ks_numa_free(numa);
	}
	for (i = 0; !ks_read_line(NULL, text, sizeof(text),
				  "/sys/kernel/debug/sched/domains/cpu0/domain%u/name", i);
	     i++)
		json_object_array_add(domains, json_object_new_string(text));
	json_object_object_add(m, "sched_domains", domains);
}
