// SPDX-License-Identifier: GPL-2.0
/* CPUs and nodes: libnuma first, sysfs where it does not know. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <numa.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "topology.h"
#include "text.h"

#define MAX_CPUS 65536u
#define MAX_NODES 1024u /* CONFIG_NODES_SHIFT is at most 10 */

struct ks_numa {
	unsigned int cpus, online, nodes;
	int *node;	    /* by CPU */
	unsigned int *dist; /* nodes x nodes */
};

/* A list file of sysfs ("0-3,8"): how many are in it; *above: highest + 1. */
static unsigned int read_list(const char *root, const char *path, unsigned int *above)
{
	unsigned int n = 0;
	char text[4096];
	uint8_t *set;

	*above = 0;
	if (ks_read_line(root, text, sizeof(text), "%s", path) ||
	    ks_arg_list(path, text, MAX_CPUS, &set, NULL))
		return 0;
	for (unsigned int i = 0; i < MAX_CPUS; i++) {
		if (!set[i])
			continue;
		n++;
		*above = i + 1;
	}
	free(set);
	return n;
}

/* cpuN has a link to its node as soon as it is present, also while it is offline. */
static int sysfs_node(const char *root, unsigned int cpu)
{
	char path[PATH_MAX];
	const struct dirent *e;
	uint64_t node;
	int found = -1;
	DIR *d;

	snprintf(path, sizeof(path), "%s/sys/devices/system/cpu/cpu%u", root, cpu);
	d = opendir(path);
	if (!d)
		return -1;
	while (found < 0 && (e = readdir(d)))
		if (!strncmp(e->d_name, "node", 4) &&
		    !ks_arg_uint("", e->d_name + 4, 0, MAX_NODES - 1, &node, NULL))
			found = (int)node;
	closedir(d);
	return found;
}

static void fill_nodes(struct ks_numa *n, const char *root, bool lib)
{
	bool any = false;

	for (unsigned int cpu = 0; cpu < n->cpus; cpu++) {
		int node = lib ? numa_node_of_cpu((int)cpu) : -1;

		if (node < 0 || node >= (int)MAX_NODES)
			node = sysfs_node(root, cpu);
		n->node[cpu] = node;
		any |= node >= 0;
		if (node >= (int)n->nodes)
			n->nodes = (unsigned int)node + 1;
	}
	if (any)
		return;
	for (unsigned int cpu = 0; cpu < n->cpus; cpu++)
		n->node[cpu] = 0; /* a kernel without NUMA */
}

/* "10 21": the distances of one node to all nodes that are online, in their order. */
static void sysfs_distances(struct ks_numa *n, const char *root, unsigned int from)
{
	char text[8192], *p, *save = NULL;
	unsigned int to = 0;

	if (ks_read_line(root, text, sizeof(text), "/sys/devices/system/node/node%u/distance",
			 from))
		return;
	while (to < n->nodes && (p = strtok_r(to ? NULL : text, " ", &save))) {
		uint64_t v;

		while (to < n->nodes && !ks_exists(root, "/sys/devices/system/node/node%u", to))
			to++;
		if (to < n->nodes && !ks_arg_uint("", p, 0, 255, &v, NULL))
			n->dist[from * n->nodes + to] = (unsigned int)v;
		to++;
	}
}

static void fill_distances(struct ks_numa *n, const char *root, bool lib)
{
	for (unsigned int from = 0; from < n->nodes; from++) {
		if (!lib)
			sysfs_distances(n, root, from);
		for (unsigned int to = 0; lib && to < n->nodes; to++) {
			int d = numa_distance((int)from, (int)to);

			n->dist[from * n->nodes + to] = d > 0 ? (unsigned int)d : 0;
		}
		if (!n->dist[from * n->nodes + from])
			n->dist[from * n->nodes + from] = 10;
	}
}

int ks_numa_new(struct ks_numa **out, const char *root)
{
	bool lib = (!root || !*root) && numa_available() >= 0;
	struct ks_numa *n = calloc(1, sizeof(*n));
	unsigned int above;

	*out = NULL;
	if (!n)
		return -ENOMEM;
	root = root ? root : "";
	read_list(root, "/sys/devices/system/cpu/possible", &n->cpus);
	n->online = read_list(root, "/sys/devices/system/cpu/online", &above);
	if (n->cpus < above)
		n->cpus = above;
	if (!n->cpus) {
		free(n);
		return -ENOENT;
	}
	read_list(root, "/sys/devices/system/node/online", &n->nodes);
	if (!n->nodes || n->nodes > MAX_NODES)
		n->nodes = 1;
	n->node = calloc(n->cpus, sizeof(*n->node));
	if (n->node)
		fill_nodes(n, root, lib);
	n->dist = calloc((size_t)n->nodes * n->nodes, sizeof(*n->dist));
	if (!n->node || !n->dist) {
		ks_numa_free(n);
		return -ENOMEM;
	}
	fill_distances(n, root, lib);
	*out = n;
	return 0;
}

void ks_numa_free(struct ks_numa *n)
{
	if (!n)
		return;
	free(n->node);
	free(n->dist);
	free(n);
}

unsigned int ks_numa_cpus(const struct ks_numa *n)
{
	return n->cpus;
}

unsigned int ks_numa_cpus_online(const struct ks_numa *n)
{
	return n->online;
}

unsigned int ks_numa_nodes(const struct ks_numa *n)
{
	return n->nodes;
}

int ks_numa_node(const struct ks_numa *n, unsigned int cpu)
{
	return cpu < n->cpus ? n->node[cpu] : -1;
}

unsigned int ks_numa_distance(const struct ks_numa *n, unsigned int from, unsigned int to)
{
	return from < n->nodes && to < n->nodes ? n->dist[from * n->nodes + to] : 0;
}
