// SPDX-License-Identifier: GPL-2.0
/* What QEMU says of a VM's memory, and asks its guest. QMP: qapi/machine.json of QEMU. */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "err.h"
#include "memory.h"
#include "now.h"
#include "qmp.h"

#define MAX_DEVICES 256u
/* No machine has more bytes, and so many of them can be added up. */
#define MOST (1ll << 52)

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static const char *text_of(struct json_object *o, const char *key)
{
	const char *text = json_object_get_string(get(o, key));

	return text ? text : "";
}

static uint64_t number_of(struct json_object *o, const char *key)
{
	int64_t n = json_object_get_int64(get(o, key));

	return n > MOST ? MOST : n > 0 ? (uint64_t)n : 0;
}

static size_t length(struct json_object *list)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	return n > MAX_DEVICES ? MAX_DEVICES : n;
}

/* ---- backends ---- */

/* The one host node that a backend is bound to, -1 if there is none. */
static int node_of(struct json_object *backend, bool one_node)
{
	struct json_object *nodes = get(backend, "host-nodes");
	int64_t node;

	if (one_node)
		return 0;
	if (length(nodes) != 1 || strcmp(text_of(backend, "policy"), "bind"))
		return -1;
	node = json_object_get_int64(json_object_array_get_idx(nodes, 0));
	return node >= 0 && node < KS_BOOK_NODES ? (int)node : -1;
}

static struct json_object *backend_of(struct json_object *backends, const char *memdev)
{
	const char *id = strrchr(memdev, '/') ? strrchr(memdev, '/') + 1 : memdev;
	size_t i;

	for (i = 0; i < length(backends); i++)
		if (!strcmp(text_of(json_object_array_get_idx(backends, i), "id"), id))
			return json_object_array_get_idx(backends, i);
	return NULL;
}

static void add_backends(struct ks_mem *m, struct json_object *backends, bool one_node)
{
	size_t i;

	for (i = 0; i < length(backends); i++) {
		struct json_object *o = json_object_array_get_idx(backends, i);
		int node = node_of(o, one_node);

		if (node < 0)
			m->unbound = true;
		else
			m->node[node].boot += number_of(o, "size");
	}
}

/* A device's backend is not what the VM booted with. */
static void add_device(struct ks_mem *m, struct json_object *data, struct json_object *backends,
		       bool one_node)
{
	struct json_object *backend = backend_of(backends, text_of(data, "memdev"));
	int node = backend ? node_of(backend, one_node) : -1;
	struct ks_mem_node *n;

	if (node < 0) {
		m->unbound = true;
		return;
	}
	n = &m->node[node];
	n->boot -= number_of(backend, "size") < n->boot ? number_of(backend, "size") : n->boot;
	if (n->device[0]) {
		m->unbound = true; /* a second device of one node: not asked, and not known well */
		return;
	}
	n->size = number_of(data, "size");
	n->requested = number_of(data, "requested-size");
	n->max = number_of(data, "max-size");
	n->block = number_of(data, "block-size") ? number_of(data, "block-size") : 1;
	snprintf(n->device, sizeof(n->device), "/machine/peripheral/%.40s", text_of(data, "id"));
}

int ks_mem_read(struct ks_qmp *q, bool one_node, struct ks_mem *m, struct ks_err *err)
{
	struct json_object *backends = NULL, *devices = NULL, *o;
	int ret = ks_qmp_run(q, "query-memdev", NULL, &backends, err);
	size_t i;

	memset(m, 0, sizeof(*m));
	if (!ret)
		ret = ks_qmp_run(q, "query-memory-devices", NULL, &devices, err);
	if (!ret)
		add_backends(m, backends, one_node);
	for (i = 0; !ret && i < length(devices); i++) {
		o = json_object_array_get_idx(devices, i);
		if (!strcmp(text_of(o, "type"), "virtio-mem"))
			add_device(m, get(o, "data"), backends, one_node);
	}
	json_object_put(backends);
	json_object_put(devices);
	return ret;
}

uint64_t ks_mem_total(const struct ks_mem *m, unsigned int node)
{
	return m->node[node].boot + m->node[node].size;
}

/* ---- to change it ---- */

int ks_mem_fit(const struct ks_mem *m, unsigned int node, uint64_t *want, struct ks_err *err)
{
	const struct ks_mem_node *n = &m->node[node];

	if (*want == ks_mem_total(m, node))
		return 0;
	if (!n->device[0])
		return ks_fail(err, -ENODEV, "it has no virtio-mem device on node %u", node);
	if (*want < n->boot || *want - n->boot > n->max)
		return ks_fail(err, -ERANGE,
			       "of node %u it can have %llu to %llu MiB, not %llu MiB", node,
			       (unsigned long long)n->boot >> 20,
			       (unsigned long long)(n->boot + n->max) >> 20,
			       (unsigned long long)*want >> 20);
	*want = n->boot + (*want - n->boot) / n->block * n->block;
	return 0;
}

int ks_mem_ask(struct ks_qmp *q, const struct ks_mem *m, unsigned int node, uint64_t *want,
	       struct ks_err *err)
{
	const struct ks_mem_node *n = &m->node[node];
	struct json_object *args;
	int ret = ks_mem_fit(m, node, want, err);

	if (ret || (*want == ks_mem_total(m, node) && n->size == n->requested))
		return ret;
	args = json_object_new_object();
	json_object_object_add(args, "path", json_object_new_string(n->device));
	json_object_object_add(args, "property", json_object_new_string("requested-size"));
	json_object_object_add(args, "value", json_object_new_int64((int64_t)(*want - n->boot)));
	return ks_qmp_run(q, "qom-set", args, NULL, err);
}

int ks_mem_wait(struct ks_qmp *q, bool one_node, unsigned int node, uint64_t want, bool shrinks,
		int timeout_ms, uint64_t *has, struct ks_err *err)
{
	const struct timespec moment = { 0, 10000000 };
	int64_t end = ks_now_ms() + timeout_ms;
	struct ks_mem m;
	int ret;

	for (;;) {
		ret = ks_mem_read(q, one_node, &m, err);
		if (ret)
			return ret;
		*has = ks_mem_total(&m, node);
		if (shrinks ? *has <= want : *has >= want)
			return 0;
		if (ks_now_ms() >= end)
			return -EBUSY;
		nanosleep(&moment, NULL);
	}
}
