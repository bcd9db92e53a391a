// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>

#include "load.h"
#include "probe.h"
#include "guest_sched.skel.h"

#define LINKS 16

struct ks_sched {
	struct guest_sched_bpf *skel;
	struct json_object *programs;
	struct bpf_link *link[LINKS]; /* of the programs that may be missing */
	unsigned int nlinks;
	const char *ends[LINKS]; /* functions whose end is attached to */
	unsigned int nends;
	struct ks_rings *rings;
	bool blind; /* see ks_sched_blind() */
};

static int prepare(struct guest_sched_bpf *s, unsigned int cpus, unsigned int slots)
{
	s->rodata->ks_ring_slots = slots;
	s->rodata->ks_cpus = cpus;
	return bpf_map__set_max_entries(s->maps.ks_slots, cpus * slots);
}

/* The function in "?fentry/function" of a program that may be missing, else NULL. */
static const char *traced_function(const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog), *slash = strchr(section, '/');

	return !strncmp(section, "fentry/", 7) || !strncmp(section, "fexit/", 6) ? slash + 1 : NULL;
}

static int choose_programs(struct guest_sched_bpf *s)
{
	struct bpf_program *prog;
	int err = 0;

	bpf_object__for_each_program(prog, s->obj) {
		const char *function = traced_function(prog);

		if (function && !err)
			err = bpf_program__set_autoload(prog, ks_has_function(function));
		if (function)
			bpf_program__set_autoattach(prog, false);
	}
	return err;
}

static bool has_end(const struct ks_sched *p, const char *function)
{
	unsigned int i;

	for (i = 0; i < p->nends; i++)
		if (!strcmp(p->ends[i], function))
			return true;
	return false;
}

static void attach_optional(struct ks_sched *p, struct bpf_program *prog, const char *function)
{
	bool end = !strncmp(bpf_program__section_name(prog), "fexit/", 6);
	struct bpf_link *link = NULL;

	if (prog == p->skel->progs.fentry_trial)
		return;
	if (bpf_program__autoload(prog) && p->nlinks < LINKS && (end || has_end(p, function)))
		link = bpf_program__attach(prog);
	ks_note_program(p->programs, bpf_program__name(prog),
			link ? "attached" : "the kernel has no such function, or hides it");
	if (!link)
		return;
	p->link[p->nlinks++] = link;
	if (end)
		p->ends[p->nends++] = function;
}

/*
 * The functions by which threads are moved, and CPUs go offline: a kernel may lack one, or not let it be
 * traced. The ends of the spans come first: one that only begins would never be over.
 */
static void attach_spans(struct ks_sched *p)
{
	static const char *const kinds[] = { "fexit/", "fentry/" };
	struct bpf_program *prog;
	unsigned int k;

	for (k = 0; k < 2; k++) {
		bpf_object__for_each_program(prog, p->skel->obj) {
			const char *function = traced_function(prog);

			if (function &&
			    !strncmp(bpf_program__section_name(prog), kinds[k], strlen(kinds[k])))
				attach_optional(p, prog, function);
		}
	}
}

static bool spans_run(const struct ks_sched *p)
{
	struct bpf_program *trial = p->skel->progs.fentry_trial;
	struct bpf_link *link = bpf_program__autoload(trial) ? bpf_program__attach(trial) : NULL;
	bool run = link && ks_fentry_runs(bpf_program__fd(trial), &p->skel->bss->ks_trials);

	bpf_link__destroy(link);
	return run;
}

/* Attaching alone proves nothing: with ftrace switched off it succeeds. */
static void prove_spans(struct ks_sched *p)
{
	struct bpf_program *prog;

	p->blind = p->nlinks && !spans_run(p);
	if (!p->blind)
		return;
	bpf_object__for_each_program(prog, p->skel->obj)
		if (traced_function(prog))
			ks_note_program(p->programs, bpf_program__name(prog),
					"does not run: is kernel.ftrace_enabled 0?");
}

static int attach(struct ks_sched *p, struct ks_err *err)
{
	struct bpf_program *prog;
	int ret = guest_sched_bpf__attach(p->skel);

	if (ret)
		return ks_load_err(err, ret, "attaching the probe");
	bpf_object__for_each_program(prog, p->skel->obj)
		if (!traced_function(prog))
			ks_note_program(p->programs, bpf_program__name(prog), "attached");
	attach_spans(p);
	prove_spans(p);
	return 0;
}

static int load(struct ks_sched *p, unsigned int slots, struct ks_err *err)
{
	struct guest_sched_bpf *s = p->skel;
	int cpus = libbpf_num_possible_cpus(), ret;

	if (cpus < 0 || cpus > KS_MAX_CPUS)
		return ks_load_err(err, cpus < 0 ? cpus : -E2BIG, "number of CPUs");
	slots = ks_ring_slots_round(slots, cpus);
	ret = prepare(s, cpus, slots);
	if (ret)
		return ks_load_err(err, ret, "preparing the probe");
	ret = choose_programs(s);
	if (ret)
		return ks_load_err(err, ret, "preparing the probe");
	ret = guest_sched_bpf__load(s);
	if (ret)
		return ks_load_sched_err(err, ret);
	ret = ks_rings_new(&p->rings, s->bss->ks_rings, bpf_map__fd(s->maps.ks_slots), cpus, slots);
	if (ret)
		return ks_load_err(err, ret, "mapping the rings");
	return attach(p, err);
}

int ks_sched_open(struct ks_sched **out, unsigned int slots, struct ks_err *err)
{
	struct ks_sched *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return ks_load_err(err, -ENOMEM, "opening the probe");
	s->programs = json_object_new_object();
	ks_load_quiet();
	ret = ks_need_btf(err);
	if (!ret) {
		s->skel = guest_sched_bpf__open();
		ret = s->skel ? load(s, slots, err) : ks_load_err(err, -errno, "opening the probe");
	}
	if (ret) {
		ks_sched_free(s);
		return ret;
	}
	*out = s;
	return 0;
}

void ks_sched_stop(struct ks_sched *s)
{
	while (s->nlinks)
		bpf_link__destroy(s->link[--s->nlinks]);
	guest_sched_bpf__detach(s->skel);
}

void ks_sched_free(struct ks_sched *s)
{
	if (!s)
		return;
	while (s->nlinks)
		bpf_link__destroy(s->link[--s->nlinks]);
	json_object_put(s->programs);
	ks_rings_free(s->rings);
	guest_sched_bpf__destroy(s->skel);
	free(s);
}

int ks_sched_drain(struct ks_sched *s, ks_rings_fn fn, void *ctx)
{
	return ks_rings_drain(s->rings, fn, ctx);
}

int ks_sched_finish(struct ks_sched *s, ks_rings_fn fn, void *ctx)
{
	return ks_rings_finish(s->rings, fn, ctx);
}

const struct ks_rings *ks_sched_rings(const struct ks_sched *s)
{
	return s->rings;
}

bool ks_sched_blind(const struct ks_sched *s)
{
	return s->blind;
}

struct json_object *ks_sched_programs(const struct ks_sched *s)
{
	return json_object_get(s->programs);
}
