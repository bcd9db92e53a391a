// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "child.h"
#include "cli.h"
#include "commands.h"
#include "drain.h"
#include "filter.h"
#include "now.h"
#include "options.h"
#include "probe.h"
#include "symbols.h"
#include "text.h"
#include "top.h"
#include "toploop.h"
#include "vmkept.h"

#define KALLSYMS_MAX (256u << 20)

struct options {
	struct vm_filter vms;
	struct ks_host_opts host;
	struct toploop loop;
	const char *kallsyms;
};

enum { OPT_VM = 0x100, OPT_GAP, OPT_KALLSYMS, OPT_VCPUS };

static const struct argp_option options[] = {
	CLI_VM(OPT_VM),
	CLI_BURST_GAP(OPT_GAP),
	CLI_KALLSYMS(OPT_KALLSYMS),
	{ "max-vcpus", OPT_VCPUS, "N", 0, "room for N vCPUs (4096 at a time)", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;
	struct ks_err err;
	uint64_t v;
	int ret = 0;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->loop;
		return 0;
	case OPT_VM:
		vm_filter_add(&o->vms, arg);
		break;
	case OPT_GAP:
		ret = cli_burst_gap(arg, &o->host.burst_gap_ns, &err);
		break;
	case OPT_VCPUS:
		ret = ks_arg_uint("--max-vcpus", arg, 1, KS_FREE_SLOTS, &v, &err);
		o->host.vcpus = ret ? 0 : v;
		break;
	case OPT_KALLSYMS:
		o->kallsyms = arg;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (ret)
		cli_usage(&err);
	return 0;
}

struct top {
	struct toploop *loop;
	struct ks_host *host;
	struct ks_live live;
	struct ks_symbols *symbols;
	struct top_row *rows;
	char (*names)[64];     /* VM names by slot */
	uint64_t (*counts)[2]; /* PAUSE and HLT exits by slot, up to the last interval */
	uint32_t slots;
	struct drain drain;
	struct vm_kept vm;
};

/* A vCPU that was not there before in this slot. */
static void name_vm(struct top *t, const struct ks_rec *rec)
{
	const struct ks_vminfo *vm = vm_kept_get(&t->vm, rec->a >> 32, rec->time);

	if (rec->id >= t->slots)
		return;
	t->counts[rec->id][0] = t->counts[rec->id][1] = 0;
	snprintf(t->names[rec->id], sizeof(t->names[0]), "pid %u", (unsigned int)(rec->a >> 32));
	if (vm)
		snprintf(t->names[rec->id], sizeof(t->names[0]), "%s", vm->name);
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
	for (i = 0; i < t->drain.n; i++) {
		const struct ks_rec *rec = &t->drain.recs[i];

		ks_live_feed(&t->live, rec);
		if (rec->type == KS_VCPU_NEW)
			name_vm(t, rec);
	}
}

/* The kernel's own counters are exact even if records are lost. */
static uint64_t since_last(uint64_t *last, uint64_t now)
{
	uint64_t d = now > *last ? now - *last : 0;

	*last += d;
	return d;
}

static void fill_row(struct top *t, struct top_row *r, uint32_t slot, const struct ks_vcpu_state *k,
		     uint64_t pauses, double seconds)
{
	bool svm = ks_host_isa(t->host) == KS_ISA_SVM;
	uint64_t hlt = svm ? k->counts[KS_SVM_HLT] + k->counts[KS_SVM_IDLE_HLT] :
			     k->counts[KS_VMX_HLT];
	int s;

	r->v = &t->live.vcpu[slot];
	r->vm = t->names[slot];
	r->pauses = since_last(&t->counts[slot][0], pauses);
	r->hlts = since_last(&t->counts[slot][1], hlt);
	r->pause = r->pauses / seconds;
	r->hlt = r->hlts / seconds;
	for (s = 0; s < KS_V_MAX; s++)
		r->share[s] = r->v->state_ns[s] / (seconds * 1e9);
}

static int by_pauses(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	if (x->pauses != y->pauses)
		return x->pauses < y->pauses ? 1 : -1;
	if (x->v->tgid != y->v->tgid)
		return x->v->tgid < y->v->tgid ? -1 : 1;
	return x->v->vcpu_id < y->v->vcpu_id ? -1 : 1;
}

static void show(void *ctx)
{
	struct top *t = ctx;
	uint64_t now = ks_now_ns();
	struct top_view view = {
		.rows = t->rows,
		.seconds = (now - t->loop->last) / 1e9,
		.symbols = t->symbols,
		.screen = isatty(STDOUT_FILENO),
		.lines = toploop_lines(),
	};
	const uint64_t *pauses = ks_host_pauses(t->host);
	const struct ks_vcpu_state *k;
	uint32_t n, slot;

	ks_live_settle(&t->live, t->drain.until);
	view.lost = t->live.lost;
	view.unseen = ks_host_unseen(t->host).vcpus;
	k = ks_host_vcpus(t->host, &n);
	for (slot = 0; slot < n; slot++)
		if (t->live.vcpu[slot].used)
			fill_row(t, &t->rows[view.n++], slot, &k[slot], pauses[slot], view.seconds);
	qsort(t->rows, view.n, sizeof(*t->rows), by_pauses);
	if (t->loop->json)
		top_print_json(&view, now);
	else
		top_print_table(&view);
	ks_live_next(&t->live);
	ks_host_recycle(t->host, NULL, NULL);
	t->loop->last = now;
}

static int load_symbols(const char *path, struct ks_symbols **s, struct ks_err *err)
{
	size_t len;
	char *text;
	int ret;

	if (!path)
		return 0;
	ret = ks_read_file(path, KALLSYMS_MAX, &text, &len);
	if (ret) {
		snprintf(err->msg, sizeof(err->msg), "%.150s: %s", path, strerror(-ret));
		return ret;
	}
	ret = ks_symbols_parse(s, text, len, err);
	free(text);
	return ret;
}

static int top_open(struct top *t, struct options *o, struct ks_err *err)
{
	int ret = load_symbols(o->kallsyms, &t->symbols, err);

	if (!ret)
		ret = vm_filter_resolve(&o->vms, err);
	if (ret)
		return ret;
	o->host.tgids = o->vms.tgids;
	o->host.ntgids = o->vms.n;
	o->host.fold = true;
	t->loop = &o->loop;
	o->loop.drain = drain;
	o->loop.show = show;
	o->loop.ctx = t;
	t->slots = o->host.vcpus;
	t->rows = calloc(t->slots, sizeof(*t->rows));
	t->names = calloc(t->slots, sizeof(*t->names));
	t->counts = calloc(t->slots, sizeof(*t->counts));
	snprintf(err->msg, sizeof(err->msg), "out of memory");
	if (!t->rows || !t->names || !t->counts ||
	    ks_live_init(&t->live, t->slots, o->host.burst_gap_ns ?: 1000000))
		return -ENOMEM;
	return ks_host_open(&t->host, &o->host, err);
}

static void top_close(struct top *t)
{
	ks_host_free(t->host);
	ks_live_free(&t->live);
	ks_symbols_free(t->symbols);
	free(t->rows);
	free(t->names);
	free(t->counts);
	drain_free(&t->drain);
	vm_kept_free(&t->vm);
}

int ple_top(int argc, char **argv)
{
	const struct argp_child children[] = { { &toploop_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		options,
		parse,
		NULL,
		"Show the PAUSE and HLT exits of this host's VMs live: a line per "
		"vCPU, most PLE exits first; run, wait (runnable, has no pCPU) and "
		"halt are shares of the interval.\v"
		"Examples:\n"
		"  ple-trace top --vm web-3\n"
		"  ple-trace top --json -n 3 | jq -c '.vcpus[] | [.vcpu, .pause]'\n",
		children,
		NULL,
		NULL
	};
	struct options o = { .host.vcpus = KS_HOST_VCPUS };
	struct top t = { 0 };
	struct ks_err err;
	int ret = cli_parse(&argp, argc, argv, &o);

	if (ret)
		return ret;
	child_signals();
	ret = top_open(&t, &o, &err);
	if (!ret)
		ret = toploop_run(&o.loop, &err);
	if (ret)
		ret = cli_fail(ret, &err);
	top_close(&t);
	vm_filter_free(&o.vms);
	return ret;
}
