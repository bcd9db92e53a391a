// SPDX-License-Identifier: GPL-2.0
/* The report on virtual NUMA for people. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "clock.h"
#include "clockbreaks.h"
#include "model.h"
#include "text.h"
#include "vnuma_report.h"

int ks_vnuma_session(struct ks_vnuma *v, const struct ks_session *s)
{
	struct ks_analysis *a = ks_session_analysis(s);
	struct ks_reader *host = ks_session_host(s);
	int err = ks_vnuma_begin(v, a, host);
	uint32_t vm, n;

	ks_analysis_vms(a, &n);
	for (vm = 0; vm < n && !err; vm++) {
		struct ks_reader *guest = ks_session_guest(s, vm);

		if (guest)
			err = ks_vnuma_guest(v, host, guest, vm, ks_guestclock_map,
					     ks_session_link(s, vm)->clock);
	}
	return err;
}

/* One VM. */
struct page {
	const struct ks_vnuma_report *r;
	const struct ks_analysis *a;
	const struct ks_vnuma_vm *m;
	const struct ks_vcpu *vcpus;
	struct ks_reader *guest; /* NULL: none */
	uint32_t vm, nvcpus, nodes;
	int32_t *believed; /* node by the guest's CPU, -1: not known */
	int32_t ncpus;
	uint64_t begin; /* of the host's recording */
	FILE *out;
};

static const struct ks_vnuma_vcpu *of(const struct page *p, uint32_t vcpu)
{
	return ks_vnuma_vcpu(p->r->v, vcpu);
}

static uint64_t run_ns(const struct ks_vnuma_vcpu *c)
{
	uint64_t sum = c->nowhere_ns;
	uint32_t h;

	for (h = 0; h < KS_VN_NODES; h++)
		sum += c->node_ns[h];
	return sum;
}

static const char *fmt_bytes(uint64_t bytes, char buf[FMT])
{
	double mib = bytes / 1048576.0;

	snprintf(buf, FMT, mib < 1024 ? "%.1f MiB" : "%.2f GiB", mib < 1024 ? mib : mib / 1024);
	return buf;
}

/* ---- what it believes ---- */

/* Room for the CPUs of any VM. */
static int believed_new(struct page *p)
{
	uint32_t i;

	for (i = 0; i < p->nvcpus; i++)
		if (p->vcpus[i].guest_cpu >= p->ncpus)
			p->ncpus = p->vcpus[i].guest_cpu + 1;
	p->believed = calloc((size_t)p->ncpus + 1, sizeof(*p->believed));
	return p->believed ? 0 : -ENOMEM;
}

static void believed_fill(struct page *p)
{
	uint32_t i;

	memset(p->believed, 0xff, (size_t)p->ncpus * sizeof(*p->believed));
	for (i = 0; i < p->nvcpus; i++)
		if (p->vcpus[i].vm == p->vm && p->vcpus[i].guest_cpu >= 0)
			p->believed[p->vcpus[i].guest_cpu] = of(p, i)->believed;
}

/* "0-3,8": guest CPUs that are believed to be on this node. */
static void cpus_of_node(const struct page *p, int32_t node, char *buf, size_t len)
{
	int32_t first = -1, last = -2, cpu;
	size_t at = 0;

	buf[0] = 0;
	for (cpu = 0; cpu <= p->ncpus; cpu++) {
		bool in = cpu < p->ncpus && p->believed[cpu] == node;

		if (in && last != cpu - 1)
			first = cpu;
		if (in)
			last = cpu;
		if (in || last != cpu - 1 || at >= len)
			continue;
		at += (size_t)snprintf(buf + at, len - at, first == last ? "%s%d" : "%s%d-%d",
				       at ? "," : "", first, last);
	}
}

/* Numbers of nodes may have gaps. */
static bool has_cpus(const struct page *p, uint32_t node)
{
	int32_t cpu;

	for (cpu = 0; cpu < p->ncpus; cpu++)
		if (p->believed[cpu] == (int32_t)node)
			return true;
	return false;
}

static uint32_t count_nodes(const struct page *p)
{
	uint32_t g, n = 0;

	for (g = 0; g < p->m->guest_nodes; g++)
		n += has_cpus(p, g);
	return n;
}

static void say_topology(const struct page *p)
{
	uint32_t g, n = count_nodes(p);
	const char *before = ":";
	char cpus[256];

	fprintf(p->out, "Believes  %u node%s", n, n == 1 ? "" : "s");
	for (g = 0; g < p->m->guest_nodes; g++) {
		if (!has_cpus(p, g))
			continue;
		cpus_of_node(p, (int32_t)g, cpus, sizeof(cpus));
		fprintf(p->out, "%s %u: CPUs %s", before, g, cpus);
		before = ";";
	}
	fprintf(p->out, "\n");
	if (n < 2)
		fprintf(p->out, "          no belief about nodes that could be wrong\n");
	else if (p->m->same_nodes)
		fprintf(p->out, "          each is taken for the host's node of its number\n");
	else
		fprintf(p->out, "          each is taken for the host's node where its vCPUs ran "
				"most\n");
}

/* ---- drift ---- */

/* "CPUs 2-3 believe node 1, ran on node 0 for 38.0 % of their time" */
static bool say_node_drift(const struct page *p, uint32_t g, uint32_t h)
{
	uint64_t there = 0, all = 0;
	char cpus[256], share[FMT];
	uint32_t i;

	for (i = 0; i < p->nvcpus; i++) {
		if (p->vcpus[i].vm != p->vm || of(p, i)->believed != (int32_t)g)
			continue;
		there += of(p, i)->node_ns[h];
		all += run_ns(of(p, i));
	}
	if (!there)
		return false;
	cpus_of_node(p, (int32_t)g, cpus, sizeof(cpus));
	fprintf(p->out, "Drift     CPUs %s believe node %u, ran on node %u for %s of their time\n",
		cpus, g, h, fmt_share(there, all, share));
	return true;
}

static void say_drift(const struct page *p)
{
	bool any = false;
	uint32_t g, h;

	for (g = 0; g < p->m->guest_nodes; g++)
		for (h = 0; h < p->nodes && p->m->home[g] >= 0; h++)
			if ((int32_t)h != p->m->home[g])
				any |= say_node_drift(p, g, h);
	if (!any && count_nodes(p) > 1)
		fprintf(p->out, "Drift     none of the vCPUs ran elsewhere than it believes\n");
}

static void say_vcpu(const struct page *p, uint32_t i)
{
	const struct ks_vcpu_totals *t = ks_analysis_vcpu_totals(p->a, i);
	const struct ks_vnuma_vcpu *c = of(p, i);
	char a[FMT], b[FMT], s[FMT], cpu[16] = "-", node[16] = "-";
	uint32_t h;

	if (p->vcpus[i].guest_cpu >= 0)
		snprintf(cpu, sizeof(cpu), "%d", p->vcpus[i].guest_cpu);
	if (c->believed >= 0)
		snprintf(node, sizeof(node), "%d", c->believed);
	fprintf(p->out, "  %4u %4s %8s %9s %9s %9s %8" PRIu64 " ", p->vcpus[i].vcpu_id, cpu, node,
		fmt_ns(run_ns(c), a), fmt_ns(t->state_ns[KS_V_RUNNABLE], b),
		fmt_ns(t->state_ns[KS_V_HALTED], s), c->node_changes);
	for (h = 0; h < p->nodes && h < 8; h++)
		fprintf(p->out, " %7s", fmt_share(c->node_ns[h], run_ns(c), a));
	fprintf(p->out, "\n");
}

static void say_vcpus(const struct page *p)
{
	uint32_t i, h;

	fprintf(p->out, "  vCPU  CPU believes       ran  runnable    halted  changes ");
	for (h = 0; h < p->nodes && h < 8; h++)
		fprintf(p->out, "  node %u", h);
	fprintf(p->out, "\n");
	for (i = 0; i < p->nvcpus; i++)
		if (p->vcpus[i].vm == p->vm)
			say_vcpu(p, i);
}

/* ---- memory ---- */

static bool say_memory_drift(const struct page *p, uint32_t g)
{
	char bytes[FMT], share[FMT];
	uint64_t all = 0;
	bool any = false;
	uint32_t h;

	for (h = 0; h < KS_VN_NODES; h++)
		all += p->m->memory_last[g][h];
	for (h = 0; h < KS_VN_NODES; h++) {
		if ((int32_t)h == p->m->home[g] || !p->m->memory_last[g][h])
			continue;
		fprintf(p->out, "Memory    %s of node %u's memory, %s of it, lies on node %u\n",
			fmt_bytes(p->m->memory_last[g][h], bytes), g,
			fmt_share(p->m->memory_last[g][h], all, share), h);
		any = true;
	}
	return any;
}

static void say_memory(const struct page *p)
{
	const uint64_t *rest = p->m->memory_last[KS_VN_NODES];
	char bytes[FMT];
	uint32_t g, h;
	bool any = false;

	if (!p->m->memory_samples) {
		fprintf(p->out, "Memory    not recorded: ple-trace record --memory 10s\n");
		return;
	}
	for (g = 0; g < p->m->guest_nodes; g++)
		if (p->m->home[g] >= 0)
			any |= say_memory_drift(p, g);
	fprintf(p->out, "Memory    %sof the process, whose node in the guest is not known:",
		any ? "" : "where it is believed to be, where that is known; ");
	for (h = 0; h < p->nodes; h++)
		fprintf(p->out, "%s %s on node %u", h ? "," : "", fmt_bytes(rest[h], bytes), h);
	fprintf(p->out, "\n          (the last of %" PRIu64 " samples)\n", p->m->memory_samples);
}

/* ---- the guest's threads ---- */

static const char *task(const struct page *p, uint32_t pid, char *buf, size_t len)
{
	char name[64];

	if (p->r->names && ks_names_task(p->r->names, p->vm, pid, name, sizeof(name)))
		snprintf(buf, len, "%s (%u)", name, pid);
	else
		snprintf(buf, len, "thread %u", pid);
	return buf;
}

static void say_wasted(const struct page *p)
{
	char a[FMT], b[FMT], c[FMT];
	uint64_t worst = 0, i;

	for (i = 0; i < p->m->nseconds; i++)
		if (p->m->second_ns[i] > worst)
			worst = p->m->second_ns[i];
	fprintf(p->out,
		"Wasted    %s of vCPU time idle while a thread waited that may run there,\n"
		"          in %s recorded on both sides; %s in the worst second\n",
		fmt_ns(p->m->wasted_ns, a), fmt_ns(p->m->span_ns, b), fmt_ns(worst, c));
	fprintf(p->out, "          threads waited %s in all", fmt_ns(p->m->wait_ns, a));
	if (p->m->unplaced_ns)
		fprintf(p->out, "; for %s it is unknown where they may run",
			fmt_ns(p->m->unplaced_ns, b));
	if (p->m->blind_ns)
		fprintf(p->out, "; %s unknown: records lost", fmt_ns(p->m->blind_ns, c));
	fprintf(p->out, "\n");
}

static void say_worst(const struct page *p, const struct ks_vnuma_disease *d, bool passed)
{
	char wait[FMT], cost[FMT], at[FMT], who[96], other[96];
	uint32_t i;

	for (i = 0; i < d->nworst && i < 3; i++) {
		const struct ks_vnuma_case *c = &d->worst[i];

		fprintf(p->out, "          %s at %s: %s waited %s, put on CPU %u",
			fmt_ns(c->cost_ns, cost), fmt_at(c->time, p->begin, at),
			task(p, c->pid, who, sizeof(who)), fmt_ns(c->wait_ns, wait), c->cpu);
		if (passed)
			fprintf(p->out, ", CPU %u idle", c->other);
		else
			fprintf(p->out, ", where %s was pulled to",
				task(p, c->other, other, sizeof(other)));
		fprintf(p->out, "\n");
	}
}

static void say_diseases(const struct page *p)
{
	const struct ks_vnuma_vm *m = p->m;
	char n[FMT], t[FMT], f[FMT];

	fprintf(p->out, "Passed    over: %s wake-ups while an idle vCPU was not taken, cost %s\n",
		fmt_count(m->passed.count, n), fmt_ns(m->passed.cost_ns, t));
	if (m->passed.count)
		fprintf(p->out,
			"          idle ones all flagged as preempted: %" PRIu64
			", all on other nodes: %" PRIu64 ", unknown why: %" PRIu64 "\n",
			m->passed_why[KS_PASSED_FLAGGED], m->passed_why[KS_PASSED_NODE],
			m->passed_why[KS_PASSED_UNKNOWN]);
	say_worst(p, &m->passed, true);
	if (m->flags_looked)
		fprintf(p->out,
			"          %s idle CPUs looked at by wake-ups, %s flagged as preempted%s\n",
			fmt_count(m->flags_looked, n), fmt_count(m->flags_set, f),
			m->flags_set ? "" : " (hosts from 6.1 on do not flag a halted vCPU)");
	fprintf(p->out, "Overload  on wake-up: %s short sleepers found a pulled thread, cost %s\n",
		fmt_count(m->overloaded.count, n), fmt_ns(m->overloaded.cost_ns, t));
	say_worst(p, &m->overloaded, false);
}

static void say_moves(const struct page *p)
{
	const struct ks_vnuma_vm *m = p->m;
	char n[FMT], f[FMT];
	unsigned int i;

	fprintf(p->out, "Moves     of threads, by cause (to another node):");
	for (i = 1; i <= KS_VN_CAUSES; i++)
		fprintf(p->out, "%s %s %s (%s)", i > 1 ? "," : "", ks_move_name(i % KS_VN_CAUSES),
			fmt_count(m->moves_by[i % KS_VN_CAUSES], n),
			fmt_count(m->node_moves_by[i % KS_VN_CAUSES], f));
	fprintf(p->out, "\nSleeps    %s, of them %s up to 1 ms or what --short says\n",
		fmt_count(m->nsleeps, n), fmt_count(m->short_sleeps, f));
}

static void say_threads(const struct page *p)
{
	char n[FMT];

	if (!p->m->guest) {
		fprintf(p->out, "Guest     no trace of it: vnuma-trace record, in the guest\n");
		return;
	}
	if (!p->m->queues) {
		fprintf(p->out, "Wasted    unknown: the guest's trace has no switches of threads; "
				"use vnuma-trace record\n");
		return;
	}
	say_wasted(p);
	say_diseases(p);
	say_moves(p);
	if (p->m->forgotten)
		fprintf(p->out, "          %s threads forgotten: there were more than fit\n",
			fmt_count(p->m->forgotten, n));
}

static void say_vm(const struct page *p, const struct ks_vm *vm)
{
	char name[64], path[256], n[FMT];
	struct clockbreaks_text breaks;

	fprintf(p->out, "VM %s (pid %u), %u vCPUs\n",
		ks_printable(name, sizeof(name), vm->name, strlen(vm->name)), vm->tgid, vm->nvcpus);
	if (p->guest)
		fprintf(p->out, "Guest     %s, clock within %s of the host's\n",
			ks_printable(path, sizeof(path), ks_reader_path(p->guest),
				     strlen(ks_reader_path(p->guest))),
			fmt_ns(ks_session_link(p->r->s, p->vm)->error_ns, n));
	if (p->guest && clockbreaks_say(ks_session_link(p->r->s, p->vm)->clock, 0, &breaks))
		fprintf(p->out, "          %s\n          %s\n", breaks.what, breaks.when);
	if (p->guest && ks_reader_lost(p->guest))
		fprintf(p->out, "          %s records LOST\n",
			fmt_count(ks_reader_lost(p->guest), n));
	if (p->m->guest) {
		say_topology(p);
		say_drift(p);
	}
	say_vcpus(p);
	say_memory(p);
	say_threads(p);
	fprintf(p->out, "\n");
}

int ks_vnuma_text(const struct ks_vnuma_report *r, FILE *out)
{
	const struct ks_analysis *a = ks_session_analysis(r->s);
	struct ks_reader *host = ks_session_host(r->s);
	struct page p = { .r = r, .a = a, .nodes = ks_vnuma_nodes(r->v), .out = out };
	const struct ks_vm *vms;
	uint64_t last;
	uint32_t n;
	char num[FMT];

	p.vcpus = ks_analysis_vcpus(a, &p.nvcpus);
	if (believed_new(&p))
		return -ENOMEM;
	vms = ks_analysis_vms(a, &n);
	ks_reader_span(host, &p.begin, &last);
	fprintf(out, "Host      %s, %u node%s\n", ks_reader_path(host), p.nodes,
		p.nodes == 1 ? "" : "s");
	if (ks_reader_lost(host))
		fprintf(out, "          %s records LOST\n", fmt_count(ks_reader_lost(host), num));
	for (p.vm = 0; p.vm < n; p.vm++) {
		p.m = ks_vnuma_vm(r->v, p.vm);
		p.guest = ks_session_guest(r->s, p.vm);
		believed_fill(&p);
		say_vm(&p, &vms[p.vm]);
	}
	free(p.believed);
	return ferror(out) ? -(errno ? errno : EIO) : 0;
}
