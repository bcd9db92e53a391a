// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>

#include "load.h"
#include "probe.h"
#include "spintext.h"
#include "lock_timeline.h"
#include "lock_timeline.skel.h"

struct ks_guest {
	struct lock_timeline_bpf *skel;
	struct ks_rings *rings;
	struct json_object *programs;
	unsigned int cpus;
	bool stopped, blind; /* blind: when it was stopped */
};

/* Without these `full` cannot pair acquires with releases. */
static const char *const must_have[] = {
	"_raw_spin_lock",   "_raw_spin_lock_irq",   "_raw_spin_lock_irqsave",
	"_raw_spin_unlock", "_raw_spin_unlock_irq", "_raw_spin_unlock_irqrestore",
};

static int check_functions(struct ks_err *err)
{
	size_t i;

	for (i = 0; i < sizeof(must_have) / sizeof(must_have[0]); i++) {
		if (ks_has_function(must_have[i]))
			continue;
		snprintf(err->msg, sizeof(err->msg),
			 "this kernel inlines %s: --mode full cannot see it, use --mode contention",
			 must_have[i]);
		return -ENOTSUP;
	}
	return 0;
}

/* Some kernel without these functions in its BTF: the tracepoints see all waiters but the first. */
static bool has_slowpath(void)
{
	return ks_has_function("native_queued_spin_lock_slowpath");
}

/* Turn on what the mode wants and the kernel has; the scheduler's programs are always on. */
static int choose(struct bpf_program *prog, const char *section, enum ks_guest_mode mode,
		  struct json_object *programs)
{
	const char *target = strchr(section, '/') + 1, *name = bpf_program__name(prog);
	bool tracepoint = !strncmp(section, "tp_btf/", 7);
	bool want = tracepoint == (mode == KS_GUEST_CONTENTION) || (tracepoint && !has_slowpath());
	bool has = tracepoint ? ks_has_tracepoint(NULL, target) : ks_has_function(target);

	ks_note_program(programs, name,
			!want ? "not in this mode" :
			has   ? "attached" :
				"the kernel has no such function");
	return bpf_program__set_autoload(prog, want && has);
}

static int choose_programs(struct ks_guest *g, enum ks_guest_mode mode)
{
	struct bpf_program *prog;
	int err = 0;

	bpf_object__for_each_program(prog, g->skel->obj) {
		const char *section = bpf_program__section_name(prog);

		if (err)
			break;
		if (!bpf_program__autoload(prog)) /* "?" in front of its section's name */
			err = choose(prog, section, mode, g->programs);
		else
			ks_note_program(g->programs, bpf_program__name(prog), "attached");
	}
	return err;
}

static bool fentry_runs(const struct ks_guest *g)
{
	return ks_fentry_runs(bpf_program__fd(g->skel->progs.fentry_trial),
			      &g->skel->bss->ks_trials);
}

static bool needs_fentry(const struct ks_guest *g)
{
	return bpf_program__fd(g->skel->progs.fentry_trial) >= 0;
}

/* Attaching alone proves nothing: with ftrace switched off it succeeds. */
static int prove_fentry(struct ks_guest *g, struct ks_err *err)
{
	if (!needs_fentry(g))
		return 0;
	g->skel->links.fentry_trial = bpf_program__attach(g->skel->progs.fentry_trial);
	if (g->skel->links.fentry_trial && fentry_runs(g))
		return 0;
	snprintf(err->msg, sizeof(err->msg), "%s--mode contention",
		 ks_ftrace_is_off() ?
			 "ftrace is switched off, so --mode full would see no locks: sysctl "
			 "kernel.ftrace_enabled=1, or use " :
			 "this kernel runs no BPF at the entry of functions (fentry), so --mode "
			 "full would see no locks: use ");
	return -ENOTSUP;
}

static int load(struct ks_guest *g, const struct ks_guest_opts *o, struct ks_err *err)
{
	struct lock_timeline_bpf *s = g->skel;
	unsigned int slots = ks_ring_slots_round(o->slots, libbpf_num_possible_cpus());
	int ret = libbpf_num_possible_cpus();

	if (ret < 0 || ret > KS_MAX_CPUS)
		return ks_load_err(err, ret < 0 ? ret : -E2BIG, "number of CPUs");
	g->cpus = ret;
	s->rodata->ks_ring_slots = slots;
	s->rodata->ks_hold_threshold = o->hold_threshold_ns;
	s->rodata->ks_full = o->mode == KS_GUEST_FULL;
	s->rodata->ks_no_rdonly_cast = o->no_rdonly_cast;
	ks_spin_text_running((struct ks_code_range *)s->rodata->ks_spin_text,
			     (struct ks_code_range *)&s->rodata->ks_text);
	ret = bpf_map__set_max_entries(s->maps.ks_slots, g->cpus * slots);
	if (!ret)
		ret = choose_programs(g, o->mode);
	if (ret)
		return ks_load_err(err, ret, "preparing the probe");
	ret = lock_timeline_bpf__load(s);
	if (ret)
		return ks_load_sched_err(err, ret);
	ret = ks_rings_new(&g->rings, s->bss->ks_rings, bpf_map__fd(s->maps.ks_slots), g->cpus,
			   slots);
	if (ret)
		return ks_load_err(err, ret, "mapping the rings");
	ret = prove_fentry(g, err);
	if (ret)
		return ret;
	ret = lock_timeline_bpf__attach(s);
	if (ret)
		return ks_load_err(err, ret, "attaching the probe");
	s->bss->ks_armed = true;
	return 0;
}

int ks_guest_open(struct ks_guest **out, const struct ks_guest_opts *opts, struct ks_err *err)
{
	struct ks_guest *g = calloc(1, sizeof(*g));
	int ret;

	if (!g)
		return ks_load_err(err, -ENOMEM, "opening the probe");
	g->programs = json_object_new_object();
	ks_load_quiet();
	ret = ks_need_btf(err);
	if (!ret && opts->mode == KS_GUEST_FULL)
		ret = check_functions(err);
	if (!ret) {
		g->skel = lock_timeline_bpf__open();
		ret = g->skel ? load(g, opts, err) : ks_load_err(err, -errno, "opening the probe");
	}
	if (ret) {
		ks_guest_free(g);
		return ret;
	}
	*out = g;
	return 0;
}

bool ks_guest_queues(const struct ks_guest *g)
{
	return !g->skel->bss->ks_test_and_set;
}

bool ks_guest_blind(struct ks_guest *g)
{
	return g->stopped ? g->blind : needs_fentry(g) && !fentry_runs(g);
}

void ks_guest_stop(struct ks_guest *g)
{
	g->blind = ks_guest_blind(g);
	g->stopped = true;
	g->skel->bss->ks_armed = false;
	lock_timeline_bpf__detach(g->skel);
}

void ks_guest_free(struct ks_guest *g)
{
	if (!g)
		return;
	ks_rings_free(g->rings);
	lock_timeline_bpf__destroy(g->skel);
	json_object_put(g->programs);
	free(g);
}

int ks_guest_drain(struct ks_guest *g, ks_rings_fn fn, void *ctx)
{
	return ks_rings_drain(g->rings, fn, ctx);
}

int ks_guest_finish(struct ks_guest *g, ks_rings_fn fn, void *ctx)
{
	return ks_rings_finish(g->rings, fn, ctx);
}

const struct ks_rings *ks_guest_rings(const struct ks_guest *g)
{
	return g->rings;
}

struct json_object *ks_guest_programs(const struct ks_guest *g)
{
	return json_object_get(g->programs);
}

static uint64_t recursion_misses(const struct ks_guest *g)
{
	struct bpf_program *prog;
	uint64_t sum = 0;

	bpf_object__for_each_program(prog, g->skel->obj) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		if (!bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			sum += info.recursion_misses;
	}
	return sum;
}

void ks_guest_unseen(const struct ks_guest *g, struct ks_guest_unseen *u)
{
	unsigned int cpu;

	*u = (struct ks_guest_unseen){ .recursion = recursion_misses(g) };
	for (cpu = 0; cpu < g->cpus; cpu++) {
		u->acquires += g->skel->bss->ks_locks[cpu].unmatched;
		u->releases += g->skel->bss->ks_locks[cpu].stale;
	}
}
