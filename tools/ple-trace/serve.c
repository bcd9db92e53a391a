// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "child.h"
#include "cli.h"
#include "commands.h"
#include "drain.h"
#include "filter.h"
#include "fleet_metrics.h"
#include "now.h"
#include "options.h"
#include "probe.h"
#include "ready.h"
#include "serve.h"
#include "text.h"
#include "topology.h"
#include "vm.h"

#define NS 1000000000ull
#define MS 1000000ull
#define WAIT_MIN_MS 2  /* rings are filling up fast */
#define WAIT_MAX_MS 50 /* nothing much happens */
#define REFRESH_NS (10 * NS)
#define RING_SLOTS 16384

struct options {
	struct vm_filter vms;
	struct ks_host_opts host;
	struct serve_listen listen;
	uint64_t keep_ns, max_vms;
	unsigned int detail;
};

static const char *const details[] = { "vm", "vcpu", "full", NULL };

enum { OPT_LISTEN = 0x100, OPT_VM, OPT_GAP, OPT_KEEP, OPT_VMS, OPT_VCPUS, OPT_DETAIL };

static const struct argp_option options[] = {
	{ "listen", OPT_LISTEN, "ADDR:PORT", 0,
	  "answer there (127.0.0.1:10177 and [::1]:10177); may be given several times", 0 },
	CLI_VM(OPT_VM),
	{ "detail", OPT_DETAIL, "vm|vcpu|full", 0,
	  "sums per VM; counters per vCPU as well; those by reason and histograms, too (vcpu)", 0 },
	{ "keep", OPT_KEEP, "TIME", 0, "go on showing a VM for TIME after its end (2m)", 0 },
	{ "max-vms", OPT_VMS, "N", 0, "room for N VMs (1024)", 0 },
	{ "max-vcpus", OPT_VCPUS, "N", 0, "room for N vCPUs (4096)", 0 },
	CLI_BURST_GAP(OPT_GAP),
	{ "ring-size", 'r', "RECORDS", 0, "records buffered per CPU (16384)", 0 },
	{ 0 },
};

static int parse_number(int key, const char *arg, struct options *o, struct ks_err *err)
{
	uint64_t v = 0;
	int ret;

	switch (key) {
	case OPT_VMS:
		return ks_arg_uint("--max-vms", arg, 1, 100000, &o->max_vms, err);
	case OPT_VCPUS:
		ret = ks_arg_uint("--max-vcpus", arg, 1, 1000000, &v, err);
		o->host.vcpus = v;
		return ret;
	case 'r':
		ret = ks_arg_uint("--ring-size", arg, KS_RING_SLOTS_MIN, KS_RING_SLOTS_MAX, &v,
				  err);
		o->host.slots = v;
		return ret;
	case OPT_KEEP:
		return ks_arg_duration("--keep", arg, 0, &o->keep_ns, err);
	default:
		return cli_burst_gap(arg, &o->host.burst_gap_ns, err);
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct ks_err err;
	int ret = 0;

	switch (key) {
	case OPT_LISTEN:
		ret = serve_listen_add(&o->listen, arg, &err);
		break;
	case OPT_VM:
		vm_filter_add(&o->vms, arg);
		break;
	case OPT_DETAIL:
		ret = ks_arg_choice("--detail", arg, details, &o->detail, &err);
		break;
	case OPT_VMS:
	case OPT_VCPUS:
	case OPT_KEEP:
	case OPT_GAP:
	case 'r':
		ret = parse_number(key, arg, o, &err);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (ret)
		cli_usage(&err);
	return 0;
}

/* ---- the exporter ---- */

struct serve {
	const struct options *o;
	struct ks_host *host;
	struct ks_fleet fleet;
	struct ks_metrics page;
	struct serve_http *http;
	struct drain drain;
	struct ks_self_metrics self;
	int32_t *cpu_node;
	uint32_t ncpus;
	int signal_fd, wait_ms;
	uint64_t drained, refreshed; /* when last */
	int error;
};

static void counts(void *ctx, uint32_t slot, uint64_t c[KS_NREASONS])
{
	struct serve *s = ctx;

	ks_host_slot_counts(s->host, slot, c);
}

static int describe(void *ctx, uint32_t tgid, struct ks_vminfo *vm)
{
	(void)ctx;
	return ks_vm_read(NULL, tgid, vm);
}

static bool alive(void *ctx, uint32_t tgid)
{
	(void)ctx;
	return ks_exists(NULL, "/proc/%u", tgid);
}

static int pull(void *host, ks_rings_fn fn, void *ctx)
{
	return ks_host_drain(host, fn, ctx);
}

static void drain(struct serve *s)
{
	unsigned int fill;
	size_t i;

	s->error = drain_all(&s->drain, pull, s->host);
	for (i = 0; i < s->drain.n; i++)
		ks_fleet_feed(&s->fleet, &s->drain.recs[i]);
	fill = ks_rings_fill(ks_host_rings(s->host));
	if (fill > 25 && s->wait_ms > WAIT_MIN_MS)
		s->wait_ms /= 2;
	else if (fill < 5 && s->wait_ms < WAIT_MAX_MS)
		s->wait_ms = 2 * s->wait_ms < WAIT_MAX_MS ? 2 * s->wait_ms : WAIT_MAX_MS;
	s->drained = ks_now_ns();
}

static uint64_t resident_bytes(void)
{
	unsigned long long size, resident = 0;
	char line[128];

	if (ks_read_line(NULL, line, sizeof(line), "/proc/self/statm") ||
	    sscanf(line, "%llu %llu", &size, &resident) != 2)
		return 0;
	return resident * sysconf(_SC_PAGESIZE);
}

static void look_at_self(struct serve *s)
{
	const struct ks_rings *rings = ks_host_rings(s->host);

	s->self.records = ks_rings_seen(rings);
	s->self.lost = ks_rings_lost(rings);
	s->self.unseen_vcpus = ks_host_unseen(s->host).vcpus;
	s->self.unseen_exits = ks_host_unseen(s->host).exits;
	s->self.cpu_ns = ks_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	s->self.resident_bytes = resident_bytes();
}

/* A scrape: what has happened until now goes into the page. */
static int make_page(void *ctx, enum ks_metrics_format format, const char **text, size_t *len)
{
	struct serve *s = ctx;
	uint64_t begun = ks_now_ns();
	enum ks_isa isa = ks_host_isa(s->host);
	int ret;

	drain(s);
	ks_fleet_update(&s->fleet, s->drain.until);
	look_at_self(s);
	ks_metrics_begin(&s->page, format);
	ks_self_metrics(&s->page, &s->fleet, isa, &s->self);
	ks_fleet_metrics(&s->page, &s->fleet, isa, s->o->detail);
	ret = ks_metrics_end(&s->page);
	*text = s->page.buf;
	*len = s->page.len;
	s->self.scrapes++;
	s->self.scrape_ns += ks_now_ns() - begun;
	return ret;
}

/* ---- start and end ---- */

/* Nodes by pCPU; a machine that does not tell them has no moves between nodes. */
static void find_nodes(struct serve *s)
{
	struct ks_numa *numa;
	unsigned int i;

	if (ks_numa_new(&numa, NULL))
		return;
	s->cpu_node = calloc(ks_numa_cpus(numa), sizeof(*s->cpu_node));
	s->ncpus = s->cpu_node ? ks_numa_cpus(numa) : 0;
	for (i = 0; i < s->ncpus; i++)
		s->cpu_node[i] = ks_numa_node(numa, i);
	ks_numa_free(numa);
}

static bool filtered_out(const struct options *o, uint32_t tgid)
{
	size_t i;

	for (i = 0; i < o->vms.n; i++)
		if (o->vms.tgids[i] == tgid)
			return false;
	return o->vms.n;
}

/* VMs that run already: they may not exit for a while. */
static void find_vms(struct serve *s)
{
	struct ks_vmlist list;
	size_t i;

	if (ks_vm_list(NULL, &list))
		return;
	for (i = 0; i < list.n; i++)
		if (!filtered_out(s->o, list.vm[i].tgid))
			ks_fleet_found(&s->fleet, &list.vm[i]);
	ks_vm_list_free(&list);
}

static int open_fleet(struct serve *s)
{
	const struct ks_fleet_source source = { s, counts, describe, alive };
	const struct ks_fleet_opts opts = {
		.max_vms = s->o->max_vms,
		.max_vcpus = s->o->host.vcpus,
		.slots = s->o->host.vcpus,
		.burst_gap_ns = s->o->host.burst_gap_ns ?: MS,
		.keep_ns = s->o->keep_ns,
		.cpu_node = s->cpu_node,
		.ncpus = s->ncpus,
	};

	return ks_fleet_init(&s->fleet, &opts, &source);
}

static int serve_open(struct serve *s, struct options *o, struct ks_err *err)
{
	int ret = vm_filter_resolve(&o->vms, err);

	if (!ret)
		ret = serve_listen_open(&o->listen, err);
	if (ret)
		return ret;
	o->host.tgids = o->vms.tgids;
	o->host.ntgids = o->vms.n;
	o->host.fold = true;
	find_nodes(s);
	snprintf(err->msg, sizeof(err->msg), "out of memory");
	ret = open_fleet(s);
	if (!ret)
		ret = ks_host_open(&s->host, &o->host, err);
	if (ret)
		return ret;
	find_vms(s);
	ret = serve_drop_privileges();
	if (ret)
		snprintf(err->msg, sizeof(err->msg), "giving up privileges: %s", strerror(-ret));
	else
		ret = serve_http_open(&s->http, &o->listen, make_page, s, err);
	return ret;
}

static void serve_close(struct serve *s)
{
	serve_http_close(s->http);
	ks_host_free(s->host);
	ks_fleet_free(&s->fleet);
	ks_metrics_free(&s->page);
	drain_free(&s->drain);
	free(s->cpu_node);
	if (s->signal_fd >= 0)
		close(s->signal_fd);
}

/* ---- the loop ---- */

/* Has a signal come that ends it? */
static bool told_to_end(const struct serve *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			return true;
	return false;
}

static void wait_a_while(const struct serve *s)
{
	struct pollfd p[SERVE_LISTEN_MAX + 1];
	unsigned int n = serve_http_polled(s->http, p);

	p[n] = (struct pollfd){ .fd = s->signal_fd, .events = POLLIN };
	poll(p, n + 1, s->wait_ms);
}

static void ended(void *ctx, uint32_t slot)
{
	struct serve *s = ctx;

	ks_fleet_gone(&s->fleet, slot, ks_now_ns());
}

static int run(struct serve *s)
{
	while (!told_to_end(s) && !s->error) {
		uint64_t now;

		wait_a_while(s);
		serve_http_run(s->http);
		now = ks_now_ns();
		if (now >= s->drained + s->wait_ms * MS)
			drain(s);
		if (now < s->refreshed + REFRESH_NS)
			continue;
		s->refreshed = now;
		ks_fleet_refresh(&s->fleet, now);
		ks_fleet_update(&s->fleet, s->drain.until);
		ks_host_recycle(s->host, ended, s);
	}
	return s->error;
}

int ple_serve(int argc, char **argv)
{
	const struct argp argp = {
		options,
		parse,
		NULL,
		"Serve metrics of this host's VMs to Prometheus, at http://127.0.0.1:10177/metrics "
		"unless told otherwise, until a signal comes.\v"
		"Examples:\n"
		"  ple-trace serve\n"
		"  ple-trace serve --listen 127.0.0.1:9999 --vm web-3 --detail full\n"
		"  curl -s http://127.0.0.1:10177/metrics\n",
		NULL,
		NULL,
		NULL
	};
	struct options o = { .keep_ns = 120 * NS,
			     .max_vms = 1024,
			     .detail = KS_DETAIL_VCPU,
			     .host = { .vcpus = 4096, .slots = RING_SLOTS } };
	struct serve s = { .o = &o, .signal_fd = -1, .wait_ms = WAIT_MAX_MS };
	struct ks_err err;
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	child_signals();
	s.self.version = KVMSCHED_VERSION;
	s.self.start_ns = ks_clock_ns(CLOCK_REALTIME);
	s.signal_fd = child_signal_fd();
	ret = serve_open(&s, &o, &err);
	if (!ret) {
		serve_listen_tell(&o.listen);
		ready_tell();
		ret = run(&s);
		if (ret)
			snprintf(err.msg, sizeof(err.msg), "reading the records: %s",
				 strerror(-ret));
	}
	if (ret)
		ret = cli_fail(ret, &err);
	serve_close(&s);
	serve_listen_close(&o.listen);
	vm_filter_free(&o.vms);
	return ret;
}
