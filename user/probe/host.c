// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <json-c/json.h>

#include "cpu.h"
#include "load.h"
#include "marks.h"
#include "now.h"
#include "probe.h"
#include "slots.h"
#include "ple_trace.skel.h"

#define LOOK_NS 100000000ULL

struct ks_host {
	struct ple_trace_bpf *skel;
	struct ks_rings *rings;
	struct ks_vcpu_state *vcpus;
	size_t vcpus_len;
	struct ks_slots slots;
	uint64_t *pauses; /* by slot */
	unsigned int cpus;
	uint64_t looked; /* for bursts that have ended, ns */
	uint32_t nslots;
	enum ks_isa isa;
	struct json_object *programs;
	struct ks_marks marks;
};

/* Which of the vendor modules is there decides how exits are read. */
static int find_isa(enum ks_isa *isa, struct ks_err *err)
{
	struct ks_machine m;
	int ret = ks_machine_read(NULL, &m);

	if (ret)
		return ks_load_err(err, ret, "reading the machine's description");
	if (m.kvm_amd)
		*isa = KS_ISA_SVM;
	else if (m.kvm_intel)
		*isa = KS_ISA_VMX;
	else
		ret = -ENODEV;
	ks_machine_release(&m);
	if (ret)
		snprintf(err->msg, sizeof(err->msg),
			 "KVM is not loaded: modprobe kvm_amd (or kvm_intel) and start a VM");
	return ret;
}

/* Of the programs for kvm_exit, the one for this processor, mode and kernel. */
static void choose_exit_program(struct ks_host *h, const struct ks_host_opts *o)
{
	bool cast = !o->no_rdonly_cast && ks_has_function("bpf_rdonly_cast");
	struct bpf_program *prog;
	char name[48];

	snprintf(name, sizeof(name), "kvm_exit_%s_%s%s", h->isa == KS_ISA_SVM ? "svm" : "vmx",
		 o->fold ? "bursts" : "events", cast ? "" : "_copy");
	bpf_object__for_each_program(prog, h->skel->obj) {
		if (!strcmp(bpf_program__name(prog), name))
			bpf_program__set_autoload(prog, true);
	}
	ks_note_program(h->programs, name, "attached");
}

/* Tracepoints that some kernels lack: recorded where they are, noted where not. */
static void choose_programs(struct ks_host *h)
{
	struct {
		const char *name;
		struct bpf_program *prog;
	} optional[] = {
		{ "kvm_vcpu_wakeup", h->skel->progs.kvm_vcpu_wakeup },
		{ "kvm_write_tsc_offset", h->skel->progs.kvm_write_tsc_offset },
	};
	size_t i;

	for (i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
		bool has = ks_has_tracepoint("kvm", optional[i].name);

		bpf_program__set_autoload(optional[i].prog, has);
		ks_note_program(h->programs, optional[i].name,
				has ? "attached" : "the kernel has no such tracepoint");
	}
}

static int prepare(struct ks_host *h, const struct ks_host_opts *o, unsigned int cpus,
		   unsigned int slots)
{
	struct ple_trace_bpf *s = h->skel;
	int err;

	s->rodata->ks_isa = h->isa;
	s->rodata->ks_nslots = h->nslots;
	s->rodata->ks_ring_slots = slots;
	s->rodata->ks_filter = o->tgids != NULL;
	s->rodata->ks_fold = o->fold;
	s->rodata->ks_no_rdonly_cast = o->no_rdonly_cast;
	if (o->burst_gap_ns)
		s->rodata->ks_burst_gap = o->burst_gap_ns;
	err = bpf_map__set_max_entries(s->maps.ks_slots, cpus * slots);
	if (!err)
		err = bpf_map__set_max_entries(s->maps.ks_vcpus, h->nslots);
	if (!err) /* each has two */
		err = bpf_map__set_max_entries(s->maps.ks_slot_of, 2 * h->nslots);
	choose_exit_program(h, o);
	choose_programs(h);
	return err;
}

static int map_vcpus(struct ks_host *h)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *p;

	h->vcpus_len = (h->nslots * sizeof(*h->vcpus) + page - 1) & ~(page - 1);
	p = mmap(NULL, h->vcpus_len, PROT_READ, MAP_SHARED, bpf_map__fd(h->skel->maps.ks_vcpus), 0);
	if (p == MAP_FAILED)
		return -errno;
	h->vcpus = p;
	h->pauses = calloc(h->nslots, sizeof(*h->pauses));
	if (!h->pauses)
		return -ENOMEM;
	h->slots = (struct ks_slots){
		.state = p,
		.n = h->nslots,
		.used = &h->skel->bss->ks_slots_used,
		.untold = (const uint64_t *)&h->skel->bss->ks_faults.untold,
		.free = &h->skel->bss->ks_free_slots,
	};
	return ks_slots_init(&h->slots);
}

int ks_host_admit(struct ks_host *h, uint32_t tgid)
{
	__u8 one = 1;

	return bpf_map__update_elem(h->skel->maps.ks_vm_filter, &tgid, sizeof(tgid), &one,
				    sizeof(one), BPF_ANY);
}

/*
 * The switches first: where a vCPU is not seen to leave, the exits of the next one are taken for its own, and
 * what was counted of it is lost when that shows.
 */
static int attach(struct ks_host *h)
{
	struct ple_trace_bpf *s = h->skel;

	bpf_program__set_autoattach(s->progs.sched_switch, false);
	s->links.sched_switch = bpf_program__attach(s->progs.sched_switch);
	return s->links.sched_switch ? ple_trace_bpf__attach(s) : -errno;
}

/* ... and last. */
static void detach(struct ks_host *h)
{
	struct ple_trace_bpf *s = h->skel;
	struct bpf_link *last = s->links.sched_switch;

	s->links.sched_switch = NULL;
	ple_trace_bpf__detach(s);
	bpf_link__destroy(last);
}

static int load(struct ks_host *h, const struct ks_host_opts *o, struct ks_err *err)
{
	unsigned int slots = ks_ring_slots_round(o->slots, libbpf_num_possible_cpus());
	int cpus = libbpf_num_possible_cpus(), ret;
	size_t i;

	if (cpus < 0 || cpus > KS_MAX_CPUS)
		return ks_load_err(err, cpus < 0 ? cpus : -E2BIG, "number of CPUs");
	h->cpus = cpus;
	ret = prepare(h, o, cpus, slots);
	if (ret)
		return ks_load_err(err, ret, "preparing the probe");
	ret = ple_trace_bpf__load(h->skel);
	if (ret)
		return ks_load_err(err, ret, "loading the probe");
	for (i = 0; o->tgids && i < o->ntgids && !ret; i++)
		ret = ks_host_admit(h, o->tgids[i]);
	if (!ret)
		ret = map_vcpus(h);
	if (!ret)
		ret = ks_rings_new(&h->rings, h->skel->bss->ks_rings,
				   bpf_map__fd(h->skel->maps.ks_slots), cpus, slots);
	if (ret)
		return ks_load_err(err, ret, "mapping the rings");
	ret = attach(h);
	if (ret)
		return ks_load_err(err, ret, "attaching the probe");
	h->marks.host = h->skel;
	if (o->policy)
		ks_marks_step(&h->marks);
	return 0;
}

int ks_host_open(struct ks_host **out, const struct ks_host_opts *opts, struct ks_err *err)
{
	struct ks_host *h = calloc(1, sizeof(*h));
	int ret;

	if (!h)
		return ks_load_err(err, -ENOMEM, "opening the probe");
	h->nslots = opts->vcpus ? opts->vcpus : KS_HOST_VCPUS;
	h->programs = json_object_new_object();
	ks_load_quiet();
	ret = find_isa(&h->isa, err);
	if (!ret)
		ret = ks_need_btf(err);
	if (!ret) {
		h->skel = ple_trace_bpf__open();
		ret = h->skel ? load(h, opts, err) : ks_load_err(err, -errno, "opening the probe");
	}
	if (ret) {
		ks_host_free(h);
		return ret;
	}
	*out = h;
	return 0;
}

void ks_host_stop(struct ks_host *h)
{
	ks_marks_release(&h->marks);
	detach(h);
}

void ks_host_watch_policy(struct ks_host *h)
{
	ks_marks_step(&h->marks);
}

struct ks_host_policy ks_host_policy(const struct ks_host *h)
{
	return (struct ks_host_policy){
		.functions = h->marks.n,
		.unseen = ks_marks_unseen(&h->marks),
		.why = h->marks.error ? h->marks.why : NULL,
	};
}

void ks_host_free(struct ks_host *h)
{
	if (!h)
		return;
	ks_marks_release(&h->marks);
	ks_rings_free(h->rings);
	ks_slots_release(&h->slots);
	free(h->pauses);
	if (h->vcpus)
		munmap(h->vcpus, h->vcpus_len);
	ple_trace_bpf__destroy(h->skel);
	json_object_put(h->programs);
	free(h);
}

/* The burst that is open on a CPU, if its last exit was before `before`; ours from then on. */
static bool take_burst(struct ks_host *h, unsigned int cpu, uint64_t before, struct ks_rec *rec)
{
	volatile struct ks_running *c = &h->skel->bss->ks_running[cpu];
	__u64 until = c->burst_until;
	uint64_t last = until - h->skel->rodata->ks_burst_gap, ns;

	if (!until || last >= before || !c->slot1)
		return false;
	ns = last > c->burst_first ? last - c->burst_first : 0;
	*rec = (struct ks_rec){
		.time = last,
		.type = KS_BURST,
		.flags = c->ip_flags,
		.cpu = cpu,
		.id = c->slot1 - 1,
		.a = c->ip,
		.b = (ns >> 32 ? UINT32_MAX : ns) << 32 | (uint32_t)(c->pauses - c->burst_base),
	};
	/* Every exit of the burst moves it: if it still stands, so does the rest. */
	return __atomic_compare_exchange_n(&c->burst_until, &until, 0, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

static int take_bursts(struct ks_host *h, uint64_t before, ks_rings_fn fn, void *ctx)
{
	struct ks_rec rec;
	unsigned int cpu;
	int err = 0;

	for (cpu = 0; cpu < h->cpus && !err; cpu++)
		if (take_burst(h, cpu, before, &rec))
			err = fn(ctx, cpu, &rec, 1);
	return err;
}

/*
 * The probe sees that a burst has ended at the next PLE exit, or when the vCPU leaves its pCPU. A
 * vCPU that runs on alone may do neither for long: then it is seen here.
 */
static int take_ended_bursts(struct ks_host *h, ks_rings_fn fn, void *ctx)
{
	uint64_t now = ks_now_ns();

	if (now < h->looked + LOOK_NS)
		return 0;
	h->looked = now;
	return take_bursts(h, now - h->skel->rodata->ks_burst_gap - LOOK_NS, fn, ctx);
}

int ks_host_drain(struct ks_host *h, ks_rings_fn fn, void *ctx)
{
	int err = ks_rings_drain(h->rings, fn, ctx);

	if (!err)
		err = ks_slots_make_up(&h->slots, fn, ctx);
	return err ? err : take_ended_bursts(h, fn, ctx);
}

int ks_host_finish(struct ks_host *h, ks_rings_fn fn, void *ctx)
{
	int err = ks_rings_finish(h->rings, fn, ctx);

	if (!err)
		err = ks_slots_make_up(&h->slots, fn, ctx);
	return err ? err : take_bursts(h, UINT64_MAX, fn, ctx);
}

const struct ks_rings *ks_host_rings(const struct ks_host *h)
{
	return h->rings;
}

enum ks_isa ks_host_isa(const struct ks_host *h)
{
	return h->isa;
}

const struct ks_vcpu_state *ks_host_vcpus(const struct ks_host *h, uint32_t *n)
{
	*n = ks_slots_used(&h->slots);
	return h->vcpus;
}

const uint64_t *ks_host_pauses(struct ks_host *h)
{
	uint32_t n = ks_slots_used(&h->slots), slot;
	unsigned int cpu;

	for (slot = 0; slot < n; slot++)
		h->pauses[slot] =
			h->vcpus[slot].counts[h->isa == KS_ISA_SVM ? KS_SVM_PAUSE : KS_VMX_PAUSE];
	for (cpu = 0; cpu < h->cpus; cpu++) {
		const volatile struct ks_running *c = &h->skel->bss->ks_running[cpu];
		uint64_t pauses;

		slot = c->slot1 - 1;
		pauses = c->pauses;
		if (slot < n && c->slot1 == slot + 1 && pauses > h->pauses[slot])
			h->pauses[slot] = pauses;
	}
	return h->pauses;
}

static uint64_t pauses_now(const struct ks_host *h, uint32_t slot, uint64_t counted)
{
	unsigned int cpu;

	for (cpu = 0; cpu < h->cpus; cpu++) {
		const volatile struct ks_running *c = &h->skel->bss->ks_running[cpu];
		uint64_t pauses = c->slot1 == slot + 1 ? c->pauses : 0;

		if (c->slot1 == slot + 1 && pauses > counted)
			return pauses;
	}
	return counted;
}

void ks_host_slot_counts(const struct ks_host *h, uint32_t slot, uint64_t counts[KS_NREASONS])
{
	uint32_t idx, pause = h->isa == KS_ISA_SVM ? KS_SVM_PAUSE : KS_VMX_PAUSE;

	for (idx = 0; idx < KS_NREASONS; idx++)
		counts[idx] = __atomic_load_n(&h->vcpus[slot].counts[idx], __ATOMIC_RELAXED);
	counts[pause] = pauses_now(h, slot, counts[pause]);
}

#define COUNTS_MAX (1u << 20) /* a trace takes no more */

size_t ks_host_counts_max(const struct ks_host *h)
{
	size_t max = (size_t)h->nslots * KS_NREASONS;

	return max < COUNTS_MAX ? max : COUNTS_MAX;
}

size_t ks_host_exit_counts(struct ks_host *h, struct ks_exit_count *c, size_t max)
{
	const uint64_t *pauses = ks_host_pauses(h);
	uint32_t n, slot, idx, pause = h->isa == KS_ISA_SVM ? KS_SVM_PAUSE : KS_VMX_PAUSE;
	size_t used = 0;

	ks_host_vcpus(h, &n);
	for (slot = 0; slot < n; slot++) {
		for (idx = 0; idx < KS_NREASONS && used < max; idx++) {
			uint64_t count = h->vcpus[slot].counts[idx];

			if (idx == pause)
				count = pauses[slot];
			if (!count)
				continue;
			c[used++] = (struct ks_exit_count){
				.slot = slot,
				.reason = ks_reason_of_index(h->isa == KS_ISA_SVM, idx),
				.count = count,
			};
		}
	}
	return used;
}

struct json_object *ks_host_programs(const struct ks_host *h)
{
	return json_object_get(h->programs);
}

struct ks_host_unseen ks_host_unseen(const struct ks_host *h)
{
	return (struct ks_host_unseen){
		.vcpus = h->skel->bss->ks_faults.no_slot,
		.exits = h->skel->bss->ks_faults.no_storage,
	};
}

void ks_host_recycle(struct ks_host *h, void (*ended)(void *ctx, uint32_t slot), void *ctx)
{
	static const struct ks_vcpu_state none;
	uint32_t slot, n = ks_slots_used(&h->slots);

	for (slot = 0; slot < n && ks_slots_room(&h->slots); slot++) {
		if (!ks_slots_ended(&h->slots, slot))
			continue;
		if (ended)
			ended(ctx, slot);
		if (!bpf_map__update_elem(h->skel->maps.ks_vcpus, &slot, sizeof(slot), &none,
					  sizeof(none), BPF_ANY))
			ks_slots_reuse(&h->slots, slot);
	}
}
