// SPDX-License-Identifier: GPL-2.0
/* Command lines and maps of VMMs belong to other users' processes: any bytes may come. */
#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "text.h"
#include "vmargs.h"
#include "vmmem.h"

#define CMDLINE_MAX (1u << 20)
#define MAPS_MAX (64u << 20)
#define BACKENDS 64u

/* ---- the command line ---- */

struct backend {
	char id[64];
	int host_node; /* -1: none or several */
};

struct backends {
	struct backend v[BACKENDS];
	unsigned int n;
	int of_guest[KS_VMMEM_NODES]; /* host node by guest node, -1 */
};

static int node_of(const char *text)
{
	uint64_t v;

	return ks_arg_uint("", text, 0, KS_VMMEM_NODES - 1, &v, NULL) ? -1 : (int)v;
}

static void add_backend(struct backends *b, const char *id, int host_node)
{
	struct backend *x;

	if (b->n == BACKENDS)
		return;
	x = &b->v[b->n++];
	snprintf(x->id, sizeof(x->id), "%s", id);
	x->host_node = host_node;
}

/* -object {"qom-type":"memory-backend-ram","id":"ram-node0","host-nodes":[0],...}, as libvirt does. */
static void object_json(struct backends *b, const char *text)
{
	struct json_tokener *tok = json_tokener_new_ex(8);
	struct json_object *o = NULL, *id, *nodes, *first;
	int node = -1;

	if (tok && strlen(text) <= INT_MAX)
		o = json_tokener_parse_ex(tok, text, (int)strlen(text));
	if (json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, "id", &id) &&
	    json_object_object_get_ex(o, "host-nodes", &nodes)) {
		first = json_object_is_type(nodes, json_type_array) &&
					json_object_array_length(nodes) == 1 ?
				json_object_array_get_idx(nodes, 0) :
				NULL;
		if (first) /* else several, none, or null */
			node = node_of(json_object_get_string(first));
		if (json_object_is_type(id, json_type_string))
			add_backend(b, json_object_get_string(id), node);
	}
	json_object_put(o);
	if (tok)
		json_tokener_free(tok);
}

static void object(struct backends *b, const char *text)
{
	char id[64], nodes[64];

	if (*text == '{')
		object_json(b, text);
	else if (!strncmp(text, "memory-backend-", 15) &&
		 !ks_vmargs_item(text, "id", NULL, id, sizeof(id)) &&
		 !ks_vmargs_item(text, "host-nodes", NULL, nodes, sizeof(nodes)))
		add_backend(b, id, node_of(nodes));
}

/* Backends come before the nodes that use them: QEMU wants it so. */
static void numa(struct backends *b, const char *text)
{
	char memdev[64], nodeid[16];
	unsigned int i;
	int node;

	if (strncmp(text, "node", 4) ||
	    ks_vmargs_item(text, "memdev", NULL, memdev, sizeof(memdev)) ||
	    ks_vmargs_item(text, "nodeid", NULL, nodeid, sizeof(nodeid)))
		return;
	node = node_of(nodeid);
	for (i = 0; node >= 0 && i < b->n; i++)
		if (!strcmp(b->v[i].id, memdev))
			b->of_guest[node] = b->v[i].host_node;
}

static void parse(struct backends *b, const char *text, size_t len)
{
	const char *word, *next, *end = text + len;

	for (word = text; word < end; word = next) {
		next = word + strlen(word) + 1;
		if (next >= end)
			return;
		if (!strcmp(word, "-object"))
			object(b, next);
		else if (!strcmp(word, "-numa"))
			numa(b, next);
	}
}

static void turn_round(struct ks_vmmem *m, const struct backends *b)
{
	bool shared[KS_VMMEM_NODES] = { false };
	int g, h;

	for (h = 0; h < KS_VMMEM_NODES; h++)
		m->guest_node[h] = -1;
	for (g = 0; g < KS_VMMEM_NODES; g++) {
		h = b->of_guest[g];
		if (h < 0)
			continue;
		shared[h] |= m->guest_node[h] >= 0;
		m->guest_node[h] = shared[h] ? -1 : g;
	}
}

int ks_vmmem_init(struct ks_vmmem *m, const char *root, uint32_t tgid)
{
	struct backends b = { .n = 0 };
	size_t len;
	char *text;
	int ret = ks_read_at(root, CMDLINE_MAX, &text, &len, "/proc/%u/cmdline", tgid);

	if (ret)
		return ret == -ENOENT ? -ESRCH : ret;
	memset(b.of_guest, 0xff, sizeof(b.of_guest));
	parse(&b, text, len);
	free(text);
	m->tgid = tgid;
	turn_round(m, &b);
	return 0;
}

/* ---- numa_maps ---- */

/* "bind:1", "prefer:1", "bind=static:1": the one node that memory is bound to, else -1. */
static int bound_to(const char *policy)
{
	const char *colon = strchr(policy, ':');

	if (!colon || (strncmp(policy, "bind", 4) && strncmp(policy, "prefer", 6)))
		return -1;
	return node_of(colon + 1);
}

/* "N0=5": pages of a node. */
static bool pages_of(const char *word, unsigned int *node, uint64_t *pages)
{
	char *end;
	unsigned long n;

	if (word[0] != 'N' || word[1] < '0' || word[1] > '9')
		return false;
	n = strtoul(word + 1, &end, 10);
	if (*end != '=' || n >= KS_VMMEM_NODES ||
	    ks_arg_uint("", end + 1, 0, UINT64_MAX >> 22, pages, NULL))
		return false;
	*node = (unsigned int)n;
	return true;
}

static void add_line(const struct ks_vmmem *m, char *line, struct ks_vmmem_sample *s)
{
	uint64_t pages[KS_VMMEM_NODES] = { 0 }, n, size = 4;
	unsigned int node, guest = KS_VMMEM_UNKNOWN;
	char *word, *save = NULL;
	int host;

	if (!strtok_r(line, " ", &save)) /* the address */
		return;
	word = strtok_r(NULL, " ", &save);
	host = word ? bound_to(word) : -1;
	if (host >= 0 && m->guest_node[host] >= 0)
		guest = (unsigned int)m->guest_node[host];
	while ((word = strtok_r(NULL, " ", &save))) {
		if (pages_of(word, &node, &n))
			pages[node] = n;
		else if (!strncmp(word, "kernelpagesize_kB=", 18) &&
			 ks_arg_uint("", word + 18, 1, 1 << 20, &size, NULL))
			size = 4;
	}
	for (node = 0; node < KS_VMMEM_NODES; node++)
		s->bytes[guest][node] += pages[node] * size * 1024;
}

int ks_vmmem_look(const struct ks_vmmem *m, const char *root, struct ks_vmmem_sample *s)
{
	char *text, *line, *save = NULL;
	int ret = ks_read_at(root, MAPS_MAX, &text, NULL, "/proc/%u/numa_maps", m->tgid);

	if (ret)
		return ret == -ENOENT ? -ESRCH : ret;
	memset(s, 0, sizeof(*s));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		add_line(m, line, s);
	free(text);
	return 0;
}
