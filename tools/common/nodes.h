/* SPDX-License-Identifier: GPL-2.0 */
#ifndef KVMSCHED_NODES_H
#define KVMSCHED_NODES_H

struct json_object;

/* What this machine believes of its CPUs and nodes: cpu_node, node_distance, into m. */
void nodes_add(struct json_object *m);

/*
 * Where each CPU lies: cpu_package and cpu_core, -1 if not known (offline); and sched_domains, the
 * names of CPU 0's scheduling domains from the smallest on, if debugfs shows them.
 */
void nodes_add_cores(struct json_object *m);

#endif /* KVMSCHED_NODES_H */
