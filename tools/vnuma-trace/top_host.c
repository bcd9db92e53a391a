// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>

#include "cli.h"
#include "drain.h"
#include "live.h"
#include "now.h"
#include "probe.h"
#include "records.h"
#include "text.h"
#include "top.h"
#include "topology.h"
#include "vmkept.h"

#define NODES 64
#define VM_WIDTH 16

struct vcpu { /* by slot, in this interval */
	uint64_t node_ns[NODES], nowhere_ns;
	char vm[64];
};

struct top {
	struct toploop *loop;
	struct ks_host *host;
	struct ks_live live;
	struct drain drain;
	struct vm_kept vm;
	struct vcpu *vcpu;
	uint32_t slots, *order; /* slots in use, by VM and vCPU */
	int32_t *node;		/* by pCPU */
	uint32_t npcpus, nnodes;
	uint64_t shown; /* up to here */
};

/* ---- records ---- */

static void name_vm(struct top *t, const struct ks_rec *rec)
{
	struct vcpu *c = &t->vcpu[rec->id];
	const struct ks_vminfo *vm = vm_kept_get(&t->vm, rec->a >> 32, rec->time);

	*c = (struct vcpu){ .nowhere_ns = 0 };
	snprintf(c->vm, sizeof(c->vm), "pid %u", (unsigned int)(rec->a >> 32));
	if (vm)
		snprintf(c->vm, sizeof(c->vm), "%s", vm->name);
}

/* The time that a vCPU ran since it was looked at last goes to the node that it ran on. */
static void add_running(struct top *t, uint32_t slot, uint64_t before, int32_t pcpu)
{
	uint64_t ns = t->live.vcpu[slot].state_ns[KS_V_RUNNING] - before;
	int32_t node = pcpu >= 0 && (uint32_t)pcpu < t->npcpus ? t->node[pcpu] : -1;

	if (node >= 0 && node < NODES)
		t->vcpu[slot].node_ns[node] += ns;
	else
		t->vcpu[slot].nowhere_ns += ns;
}

/* All vCPUs as of then. */
static void settle(struct top *t, uint64_t then)
{
	uint32_t i;
	uint64_t *before = calloc(t->slots, sizeof(*before));

	for (i = 0; before && i < t->slots; i++)
		before[i] = t->live.vcpu[i].state_ns[KS_V_RUNNING];
	ks_live_settle(&t->live, then);
	for (i = 0; before && i < t->slots; i++)
		if (t->live.vcpu[i].used)
			add_running(t, i, before[i], t->live.vcpu[i].pcpu);
	free(before);
}

static void feed(struct top *t, const struct ks_rec *rec)
{
	bool ours = rec->type >= KS_VCPU_NEW && rec->id < t->slots;
	uint64_t before = ours ? t->live.vcpu[rec->id].state_ns[KS_V_RUNNING] : 0;
	int32_t pcpu = ours ? t->live.vcpu[rec->id].pcpu : -1;

	if (rec->type == KS_LOSS) /* after it nobody knows where they run */
		settle(t, rec->time);
	ks_live_feed(&t->live, rec);
	if (rec->type == KS_VCPU_NEW && ours)
		name_vm(t, rec);
	else if (ours)
		add_running(t, rec->id, before, pcpu);
}

static int pull(void *host, ks_rings_fn fn, void *ctx)
{
	return ks_host_drain(host, fn, ctx);
}

static void drain(void *ctx)
{
	struct top *t = ctx;
	size_t i;

	drain_all(&t->drain, pull, t->host);
	for (i = 0; i < t->drain.n; i++)
		feed(t, &t->drain.recs[i]);
}

/* ---- what is shown ---- */

static const struct top *sorted; /* qsort() passes nothing on */

static int by_vm(const void *a, const void *b)
{
	const struct ks_live_vcpu *x = &sorted->live.vcpu[*(const uint32_t *)a];
	const struct ks_live_vcpu *y = &sorted->live.vcpu[*(const uint32_t *)b];

	if (x->tgid != y->tgid)
		return x->tgid < y->tgid ? -1 : 1;
	return x->vcpu_id < y->vcpu_id ? -1 : x->vcpu_id > y->vcpu_id;
}

static uint32_t in_order(struct top *t)
{
	uint32_t i, n = 0;

	for (i = 0; i < t->slots; i++)
		if (t->live.vcpu[i].used)
			t->order[n++] = i;
	sorted = t;
	qsort(t->order, n, sizeof(*t->order), by_vm);
	return n;
}

static void print_row(const struct top *t, uint32_t slot, double ns)
{
	const struct ks_live_vcpu *v = &t->live.vcpu[slot];
	const struct vcpu *c = &t->vcpu[slot];
	char vm[4 * VM_WIDTH + 1];

	printf("%s %4u %4d %6.1f %6.1f %6.1f %8.0f %8.0f ",
	       ks_column(vm, sizeof(vm), c->vm, VM_WIDTH), v->vcpu_id, v->pcpu,
	       100 * v->state_ns[KS_V_RUNNING] / ns, 100 * v->state_ns[KS_V_RUNNABLE] / ns,
	       100 * v->state_ns[KS_V_HALTED] / ns, v->migrations * 1e9 / ns,
	       v->node_migrations * 1e9 / ns);
	for (uint32_t n = 0; n < t->nnodes; n++)
		if (c->node_ns[n])
			printf(" %u: %.1f%%", n, 100 * c->node_ns[n] / ns);
	if (c->nowhere_ns)
		printf(" ?: %.1f%%", 100 * c->nowhere_ns / ns);
	putchar('\n');
}

static void print_table(const struct top *t, uint32_t n, double ns)
{
	uint32_t fit = toploop_fit(n, 4);

	printf("%u vCPUs", n);
	if (t->live.lost)
		printf(", %" PRIu64 " records lost", t->live.lost);
	if (ks_host_unseen(t->host).vcpus)
		printf(", no room for %" PRIu64 " more", ks_host_unseen(t->host).vcpus);
	printf("\n%-*s %4s %4s %6s %6s %6s %8s %8s  %s\n", VM_WIDTH, "VM", "vCPU", "pCPU", "run%",
	       "wait%", "halt%", "moves/s", "nodes/s", "ran on node");
	for (uint32_t i = 0; i < fit; i++)
		print_row(t, t->order[i], ns);
	if (fit < n)
		printf("... and %u more\n", n - fit);
	if (!isatty(STDOUT_FILENO))
		putchar('\n');
	fflush(stdout);
}

static void put_num(struct json_object *o, const char *name, uint64_t v)
{
	json_object_object_add(o, name, json_object_new_uint64(v));
}

static struct json_object *row_json(const struct top *t, uint32_t slot)
{
	const struct ks_live_vcpu *v = &t->live.vcpu[slot];
	const struct vcpu *c = &t->vcpu[slot];
	struct json_object *o = json_object_new_object(), *nodes = json_object_new_array();

	for (uint32_t n = 0; n < t->nnodes; n++)
		json_object_array_add(nodes, json_object_new_uint64(c->node_ns[n]));
	json_object_object_add(o, "vm", json_object_new_string(c->vm));
	put_num(o, "pid", v->tgid);
	put_num(o, "vcpu", v->vcpu_id);
	json_object_object_add(o, "pcpu", v->pcpu < 0 ? NULL : json_object_new_int(v->pcpu));
	json_object_object_add(o, "believed_node", NULL); /* only the guest knows */
	json_object_object_add(o, "node_ns", nodes);
	put_num(o, "nowhere_ns", c->nowhere_ns);
	put_num(o, "running_ns", v->state_ns[KS_V_RUNNING]);
	put_num(o, "runnable_ns", v->state_ns[KS_V_RUNNABLE]);
	put_num(o, "halted_ns", v->state_ns[KS_V_HALTED]);
	put_num(o, "blocked_ns", v->state_ns[KS_V_BLOCKED]);
	put_num(o, "migrations", v->migrations);
	put_num(o, "node_migrations", v->node_migrations);
	return o;
}

static void print_json(const struct top *t, uint32_t n, uint64_t from, uint64_t until)
{
	struct json_object *o = json_object_new_object(), *rows = json_object_new_array();

	for (uint32_t i = 0; i < n; i++)
		json_object_array_add(rows, row_json(t, t->order[i]));
	put_num(o, "schema", 1);
	json_object_object_add(o, "side", json_object_new_string("host"));
	put_num(o, "mono_ns", until);
	put_num(o, "interval_ns", until - from);
	put_num(o, "lost_records", t->live.lost);
	put_num(o, "unseen_vcpus", ks_host_unseen(t->host).vcpus);
	json_object_object_add(o, "vcpus", rows);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	fflush(stdout);
	json_object_put(o);
}

static void show(void *ctx)
{
	struct top *t = ctx;
	uint64_t until = t->drain.until, from = t->shown;
	uint32_t i, n;

	t->loop->last = ks_now_ns();
	settle(t, until);
	n = in_order(t);
	if (t->loop->json)
		print_json(t, n, from, until);
	else
		print_table(t, n, (double)(until - from));
	for (i = 0; i < t->slots; i++) {
		memset(t->vcpu[i].node_ns, 0, sizeof(t->vcpu[i].node_ns));
		t->vcpu[i].nowhere_ns = 0;
	}
	ks_live_next(&t->live);
	ks_host_recycle(t->host, NULL, NULL);
	t->shown = until;
}

/* ---- begin ---- */

static int learn_nodes(struct top *t)
{
	struct ks_numa *numa;
	int ret = ks_numa_new(&numa, NULL);

	if (ret)
		return ret;
	t->npcpus = ks_numa_cpus(numa);
	t->nnodes = ks_numa_nodes(numa) < NODES ? ks_numa_nodes(numa) : NODES;
	t->node = calloc(t->npcpus, sizeof(*t->node));
	for (uint32_t i = 0; t->node && i < t->npcpus; i++)
		t->node[i] = ks_numa_node(numa, i);
	ks_numa_free(numa);
	return t->node ? 0 : -ENOMEM;
}

static int prepare(struct top *t, const struct ks_host_opts *ho, struct ks_err *err)
{
	int ret = learn_nodes(t);

	snprintf(err->msg, sizeof(err->msg), "the topology of this machine: %s",
		 strerror(ret ? -ret : ENOMEM));
	if (ret)
		return ret;
	t->slots = ho->vcpus;
	t->vcpu = calloc(t->slots, sizeof(*t->vcpu));
	t->order = calloc(t->slots, sizeof(*t->order));
	if (!t->vcpu || !t->order || ks_live_init(&t->live, t->slots, 1000000))
		return -ENOMEM;
	t->live.cpu_node = t->node;
	t->live.ncpus = t->npcpus;
	return ks_host_open(&t->host, ho, err);
}

int top_host(struct toploop *loop, struct vm_filter *vms)
{
	struct top t = { .loop = loop };
	struct ks_err err = { "" };
	int ret = vm_filter_resolve(vms, &err);

	if (!ret) {
		struct ks_host_opts ho = {
			.tgids = vms->tgids, .ntgids = vms->n, .fold = true, .vcpus = KS_HOST_VCPUS
		};

		ret = prepare(&t, &ho, &err);
	}
	if (!ret) {
		loop->drain = drain;
		loop->show = show;
		loop->ctx = &t;
		drain(&t);
		t.shown = t.drain.until;
		ret = toploop_run(loop, &err);
		loop->ctx = NULL;
	}
	if (ret)
		ret = cli_fail(ret, &err);
	ks_host_free(t.host);
	ks_live_free(&t.live);
	drain_free(&t.drain);
	vm_kept_free(&t.vm);
	free(t.vcpu);
	free(t.order);
	free(t.node);
	return ret;
}
