// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "boost.h"
#include "err.h"
#include "load.h"
#include "ple_boost.skel.h"
#include "scx.h"
#include "thread.h"
#include "topology.h"

#define TIDS (1u << 22) /* PID_MAX_LIMIT of the kernel */

struct ks_boost {
	struct ple_boost_bpf *skel;
	struct bpf_link *ops;
	struct ring_buffer *fresh;
	struct ks_vmset *vms;
	struct ks_journal *journal;
	unsigned int taken, left;
	unsigned int why[KS_VM_FULL + 1];
	uint64_t ours[TIDS / 64]; /* bit by thread: taken */
	int error;		  /* the first that came up in a callback */
};

/* ---- loading ---- */

static int set_nodes(struct ple_boost_bpf *skel)
{
	struct ks_numa *numa;
	unsigned int cpu, nodes;
	int node, ret = ks_numa_new(&numa, NULL);

	if (ret)
		return ret;
	nodes = ks_numa_nodes(numa);
	skel->rodata->nr_nodes = nodes < BOOST_MAX_NODES ? nodes : BOOST_MAX_NODES;
	for (cpu = 0; cpu < ks_numa_cpus(numa) && cpu < BOOST_MAX_CPUS; cpu++) {
		node = ks_numa_node(numa, cpu);
		skel->rodata->cpu_node[cpu] = node > 0 ? node : 0;
	}
	ks_numa_free(numa);
	return 0;
}

static int load(struct ks_boost *b, const struct ks_boost_opts *o, struct ks_err *err)
{
	int ret;

	b->skel = ple_boost_bpf__open();
	if (!b->skel)
		return ks_load_err(err, -errno, "ple-boost");
	b->skel->rodata->slice_ns = o->slice_ns ? o->slice_ns : 3000000;
	b->skel->rodata->spin_ns = o->spin_ns ? o->spin_ns : 200000;
	b->skel->rodata->boost = !o->plain;
	b->skel->rodata->fifo = o->fifo;
	ret = set_nodes(b->skel);
	if (ret)
		return ks_fail(err, ret, "the machine's NUMA nodes: %s", strerror(-ret));
	ret = ple_boost_bpf__load(b->skel);
	return ret ? ks_load_err(err, ret, "ple-boost") : 0;
}

/* ---- threads ---- */

static void set_vm(struct ks_boost *b, uint32_t number)
{
	b->skel->bss->vms[number].weight = b->vms->vm[number].weight;
}

/* Journal first: what is not written there is not changed. */
static int take_thread(struct ks_boost *b, uint32_t number, uint32_t tid)
{
	struct ks_thread t;
	int ret = ks_thread_read_of(b->vms->vm[number].tgid, tid, &t);

	if (ret)
		return ret == -ESRCH ? 0 : ret;
	if (!ks_thread_is_fair(&t)) {
		b->left++;
		return 0;
	}
	ret = ks_journal_thread(b->journal, &t);
	if (!ret)
		ret = ks_thread_set(&t, KS_SCHED_EXT);
	if (ret)
		return ret == -ESRCH ? 0 : ret;
	b->ours[tid % TIDS / 64] |= 1ull << tid % 64;
	b->taken++;
	b->vms->vm[number].vcpus++;
	return 0;
}

static void on_gone(void *ctx, uint32_t number)
{
	struct ks_boost *b = ctx;
	uint32_t tgid = b->vms->vm[number].tgid;

	bpf_map__delete_elem(b->skel->maps.vm_of, &tgid, sizeof(tgid), 0);
	b->skel->bss->vms[number].weight = 0; /* the count is the scheduler's: threads still go */
}

static int on_fresh(void *ctx, void *data, size_t size)
{
	const struct boost_new *n = data;
	struct ks_boost *b = ctx;
	enum ks_vmset_why why;
	uint32_t number;
	int ret;

	(void)size;
	if (ks_vmset_is_stale(b->vms, n->tgid))
		ks_vmset_refresh(b->vms, on_gone, b);
	number = ks_vmset_take(b->vms, n->tgid, &why);
	if (!number) {
		b->why[why]++;
		return 0;
	}
	set_vm(b, number);
	ret = b->vms->vm[number].vcpus ? 0 : ks_journal_vm(b->journal, n->tgid);
	if (!ret)
		ret = bpf_map__update_elem(b->skel->maps.vm_of, &n->tgid, sizeof(n->tgid), &number,
					   sizeof(number), BPF_ANY);
	if (!ret)
		ret = take_thread(b, number, n->tid);
	if (ret && ret != -ESRCH && !b->error)
		b->error = ret;
	return 0;
}

static bool is_ours(void *ctx, uint32_t tid)
{
	const struct ks_boost *b = ctx;

	return b->ours[tid % TIDS / 64] >> tid % 64 & 1;
}

void ks_boost_refresh(struct ks_boost *b)
{
	uint32_t i;

	ks_vmset_refresh(b->vms, on_gone, b);
	for (i = 1; i < KS_VMSET_MAX; i++)
		if (b->vms->vm[i].tgid) {
			set_vm(b, i);
			ks_thread_sweep(b->vms->vm[i].tgid, KS_SCHED_EXT, is_ours, b);
		}
}

/* ---- life ---- */

/* The scheduler first: vCPUs are told of only when there is something to take them to. */
static int attach(struct ks_boost *b, struct ks_err *err)
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
	b->fresh = ring_buffer__new(bpf_map__fd(s->maps.fresh), on_fresh, b, NULL);
	return b->fresh ? 0 : ks_fail(err, -errno, "ple-boost: %s", strerror(errno));
}

int ks_boost_attach(struct ks_boost **out, const struct ks_boost_opts *o, struct ks_vmset *vms,
		    struct ks_journal *j, struct ks_err *err)
{
	struct ks_boost *b;
	int ret = ks_scx_free(NULL, err);

	*out = NULL;
	if (ret)
		return ret;
	b = calloc(1, sizeof(*b));
	if (!b)
		return ks_fail(err, -ENOMEM, "out of memory");
	b->vms = vms;
	b->journal = j;
	ks_load_quiet();
	ret = load(b, o, err);
	if (!ret)
		ret = ks_journal_begin(j, "ple-boost");
	if (!ret)
		ret = attach(b, err);
	if (ret) {
		ks_boost_detach(b, NULL);
		return ret;
	}
	*out = b;
	return 0;
}

int ks_boost_poll(struct ks_boost *b, int timeout_ms, struct ks_err *err)
{
	int ret = ring_buffer__poll(b->fresh, timeout_ms);

	if (b->skel->bss->exit_kind)
		return ks_fail(err, -ESHUTDOWN, "the kernel has unloaded ple-boost: %.60s %.120s",
			       b->skel->bss->exit_reason, b->skel->bss->exit_msg);
	if (ret < 0 && ret != -EINTR)
		return ks_fail(err, ret, "ple-boost: %s", strerror(-ret));
	return b->error ? ks_fail(err, b->error, "a vCPU's thread: %s", strerror(-b->error)) : 0;
}

int ks_boost_counts(const struct ks_boost *b, struct boost_counts *sum)
{
	int cpu, ncpus = libbpf_num_possible_cpus();
	const struct bpf_map *map = b->skel->maps.cpus;
	struct boost_cpu *v;
	uint32_t zero = 0;
	size_t i;
	int ret;

	memset(sum, 0, sizeof(*sum));
	if (ncpus < 0)
		return ncpus;
	v = calloc(ncpus, sizeof(*v));
	if (!v)
		return -ENOMEM;
	ret = bpf_map__lookup_elem(map, &zero, sizeof(zero), v, ncpus * sizeof(*v), 0);
	for (cpu = 0; !ret && cpu < ncpus; cpu++)
		for (i = 0; i < sizeof(*sum) / sizeof(uint64_t); i++)
			((uint64_t *)sum)[i] += ((uint64_t *)&v[cpu].n)[i];
	free(v);
	return ret;
}

void ks_boost_threads(const struct ks_boost *b, unsigned int *taken, unsigned int *left)
{
	*taken = b->taken;
	*left = b->left;
}

unsigned int ks_boost_left(const struct ks_boost *b, enum ks_vmset_why why)
{
	return b->why[why];
}

/* No new threads, then the old ones back, then the scheduler: nobody is left in an empty class. */
int ks_boost_detach(struct ks_boost *b, struct ks_undone *u)
{
	struct ks_undone none;
	int ret;

	if (!b)
		return 0;
	if (b->skel)
		ple_boost_bpf__detach(b->skel);
	ret = ks_journal_undo(b->journal, u ? u : &none);
	ring_buffer__free(b->fresh);
	bpf_link__destroy(b->ops);
	ple_boost_bpf__destroy(b->skel);
	free(b);
	return ret;
}
