// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>

#include "load.h"
#include "probe.h"
#include "guest_sched.skel.h"

struct ks_sched {
	struct guest_sched_bpf *skel;
	struct ks_rings *rings;
};

static int prepare(struct guest_sched_bpf *s, unsigned int cpus, unsigned int slots)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	s->rodata->ks_ring_slots = slots;
	s->rodata->ks_cpus = cpus;
	s->rodata->ks_online = online > 0 ? (unsigned int)online : cpus;
	return bpf_map__set_max_entries(s->maps.ks_slots, cpus * slots);
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
	ret = guest_sched_bpf__load(s);
	if (ret)
		return ks_load_sched_err(err, ret);
	ret = ks_rings_new(&p->rings, s->bss->ks_rings, bpf_map__fd(s->maps.ks_slots), cpus, slots);
	if (ret)
		return ks_load_err(err, ret, "mapping the rings");
	ret = guest_sched_bpf__attach(s);
	return ret ? ks_load_err(err, ret, "attaching the probe") : 0;
}

int ks_sched_open(struct ks_sched **out, unsigned int slots, struct ks_err *err)
{
	struct ks_sched *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return ks_load_err(err, -ENOMEM, "opening the probe");
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
	guest_sched_bpf__detach(s->skel);
}

void ks_sched_free(struct ks_sched *s)
{
	if (!s)
		return;
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

struct json_object *ks_sched_programs(const struct ks_sched *s)
{
	struct json_object *programs = json_object_new_object();
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, s->skel->obj)
		ks_note_program(programs, bpf_program__name(prog), "attached");
	return programs;
}
