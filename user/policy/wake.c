// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "cgroup.h"
#include "cpu.h"
#include "err.h"
#include "load.h"
#include "scx.h"
#include "text.h"
#include "topology.h"
#include "vnuma_wake.skel.h"
#include "wake.h"

#define SLICE_NS 3000000ull
#define SHORT_NS 1000000ull
#define POLL_NS 1000000ull

#define KVM_STEAL_TIME (1u << 5) /* KVM_FEATURE_STEAL_TIME */

struct ks_wake {
	struct vnuma_wake_bpf *skel;
	struct bpf_link *ops, *poll;
	struct ks_journal *journal;
	uint64_t poll_ns;
	const char *no_poll; /* why not */
};

int ks_wake_usable(const char *root, struct ks_err *err)
{
	char ops[128];

	if (ks_scx_state(root, ops, sizeof(ops)) == KS_SCX_NONE)
		return ks_fail(err, -ENODEV,
			       "this kernel has no sched_ext (needs 6.12 or later, built with "
			       "CONFIG_SCHED_CLASS_EXT)");
	if ((!root || !*root) && !ks_has_function("scx_bpf_task_cgroup"))
		return ks_fail(err, -ENODEV,
			       "this kernel's sched_ext does not know cgroups (needs "
			       "CONFIG_EXT_GROUP_SCHED)");
	return ks_scx_free(root, err);
}

static int refuse_quota(struct ks_err *err)
{
	char path[KS_CGROUP_PATH];

	if (!ks_cgroup_find_quota(NULL, path, sizeof(path)))
		return 0;
	return ks_fail(err, -EBUSY,
		       "cgroup %.120s has a CPU quota (cpu.max), which would not hold under "
		       "vnuma-wake; --ignore-quota attaches it all the same",
		       path);
}

/* ---- loading ---- */

/* The other thread of a core of two, else the CPU itself. */
static unsigned int sibling_of(unsigned int cpu)
{
	unsigned int a, b;
	char text[64], sep;
	int n = 0;

	if (ks_read_line(NULL, text, sizeof(text),
			 "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", cpu) ||
	    sscanf(text, "%u%c%u%n", &a, &sep, &b, &n) != 3 || text[n] ||
	    (sep == '-' && b != a + 1) || b >= WAKE_MAX_CPUS)
		return cpu;
	return cpu == a ? b : a;
}

static int set_cpus(struct vnuma_wake_bpf *skel, struct ks_err *err)
{
	unsigned int cpu, nodes, cpus, other;
	uint8_t node[WAKE_MAX_CPUS] = { 0 };
	int ret = ks_scx_nodes(node, WAKE_MAX_CPUS, &nodes, &cpus);

	if (ret)
		return ks_fail(err, ret, "the machine's NUMA nodes: %s", strerror(-ret));
	if (cpus > WAKE_MAX_CPUS || nodes > WAKE_MAX_NODES)
		return ks_fail(err, -E2BIG,
			       "vnuma-wake is made for %d CPUs and %d nodes at most, here are %u "
			       "and %u",
			       WAKE_MAX_CPUS, WAKE_MAX_NODES, cpus, nodes);
	skel->rodata->nr_nodes = nodes;
	skel->rodata->nr_cpus = cpus;
	skel->rodata->nr_words = (cpus + 63) / 64;
	for (cpu = 0; cpu < cpus; cpu++) {
		other = sibling_of(cpu);
		skel->rodata->cpu_node[cpu] = node[cpu];
		skel->rodata->node_cpus[node[cpu]][cpu / 64] |= 1ull << cpu % 64;
		skel->rodata->sibling[cpu] = other;
		skel->rodata->smt |= other != cpu;
	}
	return 0;
}

/* Where the idle loop begins, in all kernels with sched_ext so far. */
#define IDLE_ENTRY "tick_nohz_idle_enter"

static bool kernel_polls(void)
{
	char driver[32];

	return !ks_read_line(NULL, driver, sizeof(driver),
			     "/sys/devices/system/cpu/cpuidle/current_driver") &&
	       !strcmp(driver, "haltpoll");
}

/* Where it has to be asked for, and why; NULL: idle CPUs had better wait awake. */
static const char *why_not_unasked(void)
{
	uint32_t features, hints;
	struct ks_machine m;
	bool guest;

	if (ks_machine_read(NULL, &m))
		return "out of memory";
	guest = ks_machine_is_kvm_guest(&m);
	ks_machine_release(&m);
	if (!guest)
		return "this is not known to be a guest of KVM";
	if (kernel_polls())
		return "this guest's kernel does so by itself (cpuidle_haltpoll)";
	ks_kvm_features(&features, &hints);
	if (!(features & KVM_STEAL_TIME) || ks_on_command_line(NULL, "no-steal-acc"))
		return "without steal time nobody sees whether the host wants the pCPU";
	return NULL;
}

/* How long at most, with KS_WAKE_POLL_AUTO resolved. */
static void choose_poll(struct ks_wake *w, uint64_t asked)
{
	w->poll_ns = asked;
	if (asked == KS_WAKE_POLL_AUTO) {
		w->no_poll = why_not_unasked();
		w->poll_ns = w->no_poll ? 0 : POLL_NS;
	}
	if (w->poll_ns && !ks_has_function(IDLE_ENTRY))
		w->no_poll = "this kernel has no function " IDLE_ENTRY "()";
	else if (w->poll_ns && ks_ftrace_is_off())
		w->no_poll = "kernel.ftrace_enabled is 0";
	if (w->no_poll)
		w->poll_ns = 0;
}

static int load(struct ks_wake *w, const struct ks_wake_opts *o, struct ks_err *err)
{
	int ret;

	w->skel = vnuma_wake_bpf__open();
	if (!w->skel)
		return ks_load_err(err, -errno, "vnuma-wake");
	w->skel->rodata->slice_ns = o->slice_ns ? o->slice_ns : SLICE_NS;
	w->skel->rodata->short_ns = o->short_ns ? o->short_ns : SHORT_NS;
	w->skel->rodata->gather = !o->no_gather;
	choose_poll(w, o->poll_ns);
	ret = set_cpus(w->skel, err);
	if (ret)
		return ret;
	w->skel->rodata->poll_ns = w->poll_ns;
	bpf_program__set_autoload(w->skel->progs.wake_poll, w->poll_ns);
	/* Without it (before 6.15) who wakes a thread up spins for the lock of the other CPU's run queue. */
	w->skel->struct_ops.vnuma_wake->flags = ks_enumerator("scx_ops_flags",
							      "SCX_OPS_ALLOW_QUEUED_WAKEUP");
	ret = vnuma_wake_bpf__load(w->skel);
	return ret ? ks_load_err(err, ret, "vnuma-wake") : 0;
}

/* ---- life ---- */

static int hook(struct ks_wake *w, struct ks_err *err)
{
	w->ops = bpf_map__attach_struct_ops(w->skel->maps.vnuma_wake);
	if (!w->ops)
		return ks_load_err(err, -errno, "vnuma-wake: sched_ext");
	if (!w->poll_ns)
		return 0;
	w->poll = bpf_program__attach(w->skel->progs.wake_poll);
	if (!w->poll)
		w->no_poll = "this kernel's idle loop cannot be hooked";
	w->skel->bss->hooked = w->poll;
	return 0;
}

int ks_wake_attach(struct ks_wake **out, const struct ks_wake_opts *o, struct ks_journal *j,
		   struct ks_err *err)
{
	struct ks_wake *w;
	int ret = ks_wake_usable(NULL, err);

	*out = NULL;
	if (!ret && !o->ignore_quota)
		ret = refuse_quota(err);
	if (ret)
		return ret;
	w = calloc(1, sizeof(*w));
	if (!w)
		return ks_fail(err, -ENOMEM, "out of memory");
	ks_load_quiet();
	w->journal = j;
	ret = ks_journal_begin(j, "vnuma-wake");
	ret = ret ? ks_fail(err, ret, "the journal: %s", strerror(-ret)) : load(w, o, err);
	if (!ret)
		ret = hook(w, err);
	if (ret) {
		ks_wake_detach(w, NULL);
		return ret;
	}
	*out = w;
	return 0;
}

uint64_t ks_wake_poll_ns(const struct ks_wake *w)
{
	return w->poll ? w->poll_ns : 0;
}

const char *ks_wake_no_poll(const struct ks_wake *w)
{
	return w->no_poll;
}

int ks_wake_ended(const struct ks_wake *w, struct ks_err *err)
{
	return w->skel->bss->exit_kind ?
		       ks_fail(err, -ESHUTDOWN, "the kernel has unloaded vnuma-wake: %.60s %.120s",
			       w->skel->bss->exit_reason, w->skel->bss->exit_msg) :
		       0;
}

void ks_wake_refresh(struct ks_wake *w)
{
	memset(w->skel->bss->stolen_cpus, 0, sizeof(w->skel->bss->stolen_cpus));
}

int ks_wake_counts(const struct ks_wake *w, struct wake_counts *sum)
{
	return ks_scx_sum(w->skel->maps.cpus, sizeof(struct wake_cpu), offsetof(struct wake_cpu, n),
			  (uint64_t *)sum, sizeof(*sum) / sizeof(uint64_t));
}

int ks_wake_detach(struct ks_wake *w, struct ks_undone *u)
{
	struct ks_undone none;
	int ret;

	if (!w)
		return 0;
	if (w->poll)
		w->skel->bss->hooked = false;
	bpf_link__destroy(w->poll);
	bpf_link__destroy(w->ops);
	vnuma_wake_bpf__destroy(w->skel);
	ret = ks_journal_undo(w->journal, u ? u : &none);
	free(w);
	return ret;
}
