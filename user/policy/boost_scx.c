// SPDX-License-Identifier: GPL-2.0
/* ple-boost as a scheduler of its own, by sched_ext: bpf/ple_boost.bpf.c. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "boost_priv.h"
#include "err.h"
#include "holders.h"
#include "load.h"
#include "ple_boost.skel.h"
#include "scx.h"
#include "thread.h"

#define TIDS (1u << 22) /* PID_MAX_LIMIT of the kernel */

struct scx {
	struct ks_boost base;
	struct ple_boost_bpf *skel;
	struct bpf_link *ops;
	struct ks_holders *holders; /* holder-boost */
	uint64_t ours[TIDS / 64];   /* bit by thread: taken */
};

static struct scx *scx_of(struct ks_boost *b)
{
	return (struct scx *)b;
}

/* ---- loading ---- */

static int set_cpus(struct ple_boost_bpf *skel)
{
	uint8_t node[BOOST_MAX_CPUS] = { 0 };
	unsigned int nodes, cpus;
	int ret = ks_scx_nodes(node, BOOST_MAX_CPUS, &nodes, &cpus);

	if (ret)
		return ret;
	skel->rodata->nr_nodes = nodes < BOOST_MAX_NODES ? nodes : BOOST_MAX_NODES;
	memcpy((void *)skel->rodata->cpu_node, node, sizeof(node));
	skel->rodata->nr_cpus = cpus;
	return skel->rodata->holder ? bpf_map__set_max_entries(skel->maps.looks, cpus) : 0;
}

static int load(struct scx *b, const struct ks_boost_opts *o, struct ks_err *err)
{
	int ret;

	b->skel = ple_boost_bpf__open();
	if (!b->skel)
		return ks_load_err(err, -errno, "ple-boost");
	b->skel->rodata->slice_ns = o->slice_ns ? o->slice_ns : BOOST_SLICE_NS;
	b->skel->rodata->spin_ns = o->spin_ns ? o->spin_ns : BOOST_SPIN_NS;
	b->skel->rodata->boost = !o->plain;
	b->skel->rodata->fifo = o->fifo;
	b->skel->rodata->holder = o->holder;
	b->skel->rodata->grace_ns = o->grace_ns;
	b->skel->rodata->part = !o->keep_convoys;
	bpf_program__set_autoload(b->skel->progs.lp_reset, o->holder);
	bpf_program__set_autoload(b->skel->progs.lp_set_state, o->holder);
	/* From 7.1 who waits in a CPU's own queue when a fair thread takes that CPU is queued anew. */
	b->skel->struct_ops.ple_boost->flags |= ks_enumerator("scx_ops_flags",
							      "SCX_OPS_ALWAYS_ENQ_IMMED");
	ret = set_cpus(b->skel);
	if (ret)
		return ks_fail(err, ret, "the machine's CPUs and NUMA nodes: %s", strerror(-ret));
	ret = ple_boost_bpf__load(b->skel);
	return ret ? ks_load_err(err, ret, "ple-boost") : 0;
}

/* ---- threads ---- */

static void set_vm(struct scx *s, uint32_t number)
{
	s->skel->bss->vms[number].weight = s->base.vms->vm[number].weight;
}

static int scx_enter(struct ks_boost *b, uint32_t number)
{
	uint32_t tgid = b->vms->vm[number].tgid;
	int ret = ks_journal_vm(b->journal, tgid);

	set_vm(scx_of(b), number);
	return ret ? ret :
		     bpf_map__update_elem(scx_of(b)->skel->maps.vm_of, &tgid, sizeof(tgid), &number,
					  sizeof(number), BPF_ANY);
}

static void scx_gone(struct ks_boost *b, uint32_t number)
{
	struct ple_boost_bpf *skel = scx_of(b)->skel;
	uint32_t tgid = b->vms->vm[number].tgid;

	bpf_map__delete_elem(skel->maps.vm_of, &tgid, sizeof(tgid), 0);
	skel->bss->vms[number].weight = 0; /* the count is the scheduler's: threads still go */
}

static bool is_ours(const struct scx *s, uint32_t tid)
{
	return s->ours[tid % TIDS / 64] >> tid % 64 & 1;
}

/* Journal first: what is not written there is not changed. */
static int scx_take(struct ks_boost *b, uint32_t number, uint32_t tid)
{
	struct ks_thread t;
	int ret = ks_thread_read_of(b->vms->vm[number].tgid, tid, &t);

	if (!ret && t.policy == KS_SCHED_EXT && is_ours(scx_of(b), tid))
		return -ESRCH; /* told of twice */
	if (ret || !ks_thread_is_fair(&t))
		return ret;
	ret = ks_journal_thread(b->journal, &t);
	if (!ret)
		ret = ks_thread_set(&t, KS_SCHED_EXT);
	if (ret)
		return ret;
	scx_of(b)->ours[tid % TIDS / 64] |= 1ull << tid % 64;
	return 1;
}

static int on_fresh(void *ctx, void *data, size_t size)
{
	const struct boost_new *n = data;

	(void)size;
	ks_boost_fresh(ctx, n->tgid, n->tid);
	return 0;
}

/* The threads of a VM that were taken, counted. */
struct sweep {
	const struct scx *s;
	uint32_t n;
};

static bool is_counted(void *ctx, uint32_t tid)
{
	struct sweep *w = ctx;
	bool is = is_ours(w->s, tid);

	w->n += is;
	return is;
}

/* Threads that its vCPUs' have started; vCPUs that were unplugged are none any more. */
static void sweep(struct scx *s, struct ks_vmset_entry *vm)
{
	struct sweep w = { .s = s };

	if (ks_thread_sweep(vm->tgid, KS_SCHED_EXT, is_counted, &w) >= 0)
		vm->vcpus = w.n;
}

/*
 * Its threads go back to the fair class, which enforces the quota: as they were; and so do those that nobody has put
 * there, or that cannot be as they were. The number stays its own, for the kernel knows it.
 */
static void leave(struct ks_boost *b, struct ks_vmset_entry *vm)
{
	if (vm->vcpus)
		ks_journal_undo_threads(b->journal, vm->tgid, KS_SCHED_EXT);
	ks_thread_sweep(vm->tgid, KS_SCHED_EXT, NULL, NULL);
	vm->vcpus = 0;
}

static void scx_refresh(struct ks_boost *b)
{
	struct ks_vmset_entry *vm;
	uint32_t i;

	for (i = 1; i < KS_VMSET_MAX; i++) {
		vm = &b->vms->vm[i];
		if (!vm->tgid)
			continue;
		set_vm(scx_of(b), i);
		if (vm->quota)
			leave(b, vm);
		else
			sweep(scx_of(b), vm);
	}
}

/* ---- life ---- */

/* The scheduler first: vCPUs are told of only when there is something to take them to. */
static int attach(struct scx *b, struct ks_err *err)
{
	struct ple_boost_bpf *s = b->skel;

	b->ops = bpf_map__attach_struct_ops(s->maps.ple_boost);
	if (!b->ops)
		return ks_load_err(err, -errno, "ple-boost: sched_ext");
	s->links.spin_begin = bpf_program__attach(s->progs.spin_begin);
	s->links.spin_end = bpf_program__attach(s->progs.spin_end);
	s->links.vcpu_load = bpf_program__attach(s->progs.vcpu_load);
	if (!s->links.spin_begin || !s->links.spin_end || !s->links.vcpu_load)
		return ks_load_err(err, -errno, "ple-boost: KVM's functions");
	b->base.events = ring_buffer__new(bpf_map__fd(s->maps.fresh), on_fresh, b, NULL);
	return b->base.events ? 0 : ks_fail(err, -errno, "ple-boost: %s", strerror(errno));
}

/* Resets are counted before there is a page to believe. */
static int attach_holder(struct scx *b, struct ks_err *err)
{
	struct ple_boost_bpf *s = b->skel;

	s->links.lp_reset = bpf_program__attach(s->progs.lp_reset);
	s->links.lp_set_state = bpf_program__attach(s->progs.lp_set_state);
	if (!s->links.lp_reset || !s->links.lp_set_state)
		return ks_load_err(err, -errno, "holder-boost: KVM's functions");
	return ks_holders_new(&b->holders, bpf_map__fd(s->maps.lp_pages),
			      bpf_map__fd(s->maps.lp_numbers), bpf_map__fd(s->maps.lp_resets), err);
}

static int scx_attach(struct ks_boost **out, const struct ks_boost_opts *o, struct ks_err *err)
{
	struct scx *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return ks_fail(err, -ENOMEM, "out of memory");
	*out = &s->base;
	ret = load(s, o, err);
	if (!ret)
		ret = attach(s, err);
	if (!ret && o->holder)
		ret = attach_holder(s, err);
	return ret;
}

static int scx_due(struct ks_boost *b, int timeout_ms)
{
	struct scx *s = scx_of(b);
	int ret = s->holders ? ks_holders_turn(s->holders) : 0;

	if (ret && !b->error)
		b->error = ret;
	return timeout_ms;
}

static void scx_pages(const struct ks_boost *b, unsigned int *pages, const char **doubt)
{
	const struct scx *s = (const struct scx *)b;

	if (!s->holders)
		return;
	*pages = ks_holders_pages(s->holders);
	*doubt = ks_holders_doubt(s->holders);
}

static int scx_ended(struct ks_boost *b, struct ks_err *err)
{
	const struct ple_boost_bpf *skel = scx_of(b)->skel;

	return skel->bss->exit_kind ?
		       ks_fail(err, -ESHUTDOWN, "the kernel has unloaded ple-boost: %.60s %.120s",
			       skel->bss->exit_reason, skel->bss->exit_msg) :
		       0;
}

static int scx_counts(const struct ks_boost *b, struct boost_counts *sum)
{
	return ks_scx_sum(((const struct scx *)b)->skel->maps.cpus, sizeof(struct boost_cpu),
			  offsetof(struct boost_cpu, n), (uint64_t *)sum,
			  sizeof(*sum) / sizeof(uint64_t));
}

static void scx_stop(struct ks_boost *b)
{
	if (scx_of(b)->skel)
		ple_boost_bpf__detach(scx_of(b)->skel);
}

static void scx_free(struct ks_boost *b)
{
	ks_holders_free(scx_of(b)->holders);
	bpf_link__destroy(scx_of(b)->ops);
	ple_boost_bpf__destroy(scx_of(b)->skel);
	free(b);
}

const struct ks_boost_ops ks_boost_scx = {
	.name = "sched_ext",
	.usable = ks_scx_free,
	.attach = scx_attach,
	.enter = scx_enter,
	.gone = scx_gone,
	.take = scx_take,
	.refresh = scx_refresh,
	.due = scx_due,
	.pages = scx_pages,
	.ended = scx_ended,
	.counts = scx_counts,
	.stop = scx_stop,
	.free = scx_free,
};
