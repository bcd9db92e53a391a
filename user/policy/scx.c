// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>

#include "err.h"
#include "scx.h"
#include "text.h"
#include "topology.h"

enum ks_scx_state ks_scx_state(const char *root, char *ops, size_t size)
{
	char state[32];

	ops[0] = 0;
	if (ks_read_line(root, state, sizeof(state), "/sys/kernel/sched_ext/state"))
		return KS_SCX_NONE;
	if (!strcmp(state, "disabled"))
		return KS_SCX_FREE;
	if (ks_read_line(root, ops, size, "/sys/kernel/sched_ext/root/ops"))
		snprintf(ops, size, "a scheduler that is %s", state);
	return KS_SCX_USED;
}

/* Those isolated since, by a cpuset's partition, do not matter: the kernel asks for its command line. */
static bool isolates_cpus(const char *root, char *cpus, size_t size)
{
	return ks_on_command_line(root, "isolcpus=") &&
	       !ks_read_line(root, cpus, size, "/sys/devices/system/cpu/isolated") && *cpus;
}

int ks_scx_free(const char *root, struct ks_err *err)
{
	char ops[128], isolated[128];

	switch (ks_scx_state(root, ops, sizeof(ops))) {
	case KS_SCX_NONE:
		return ks_fail(err, -ENODEV,
			       "this kernel has no sched_ext (needs 6.12 or later, built with "
			       "CONFIG_SCHED_CLASS_EXT)");
	case KS_SCX_USED:
		return ks_fail(
			err, -EBUSY,
			"another sched_ext scheduler is loaded (%.60s): there can be one only",
			ops);
	default:
		break;
	}
	if (isolates_cpus(root, isolated, sizeof(isolated)))
		return ks_fail(err, -ENODEV,
			       "this kernel was booted with isolcpus (CPUs %.60s), and takes no "
			       "sched_ext scheduler then",
			       isolated);
	return 0;
}

int ks_scx_nodes(uint8_t *cpu_node, unsigned int max_cpus, unsigned int *nodes, unsigned int *cpus)
{
	struct ks_numa *numa;
	unsigned int cpu;
	int node, ret = ks_numa_new(&numa, NULL);

	if (ret)
		return ret;
	*nodes = ks_numa_nodes(numa);
	*cpus = ks_numa_cpus(numa);
	for (cpu = 0; cpu < *cpus && cpu < max_cpus; cpu++) {
		node = ks_numa_node(numa, cpu);
		cpu_node[cpu] = node > 0 ? node : 0;
	}
	ks_numa_free(numa);
	return 0;
}

int ks_scx_sum(const struct bpf_map *map, size_t value_size, size_t offset, uint64_t *sum,
	       size_t counts)
{
	int cpu, ncpus = libbpf_num_possible_cpus();
	uint32_t zero = 0;
	size_t i;
	char *v;
	int ret;

	memset(sum, 0, counts * sizeof(*sum));
	if (ncpus < 0)
		return ncpus;
	v = calloc(ncpus, value_size);
	if (!v)
		return -ENOMEM;
	ret = bpf_map__lookup_elem(map, &zero, sizeof(zero), v, ncpus * value_size, 0);
	for (cpu = 0; !ret && cpu < ncpus; cpu++)
		for (i = 0; i < counts; i++)
			sum[i] += ((uint64_t *)(v + cpu * value_size + offset))[i];
	free(v);
	return ret;
}
