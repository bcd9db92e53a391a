// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "fleet_metrics.h"

/* What is written of the sums of a VM or of a vCPU. l is as before in the end. */
struct measure {
	struct ks_metric_family vm, vcpu;
	void (*write)(struct ks_metrics *m, struct ks_labels *l, const struct ks_fleet_sums *s,
		      enum ks_isa isa);
	enum ks_metrics_detail vcpu_from; /* the least detail with a family per vCPU */
};

static void write_ple(struct ks_metrics *m, struct ks_labels *l, const struct ks_fleet_sums *s,
		      enum ks_isa isa)
{
	ks_metrics_uint(m, l, s->exits[isa == KS_ISA_SVM ? KS_SVM_PAUSE : KS_VMX_PAUSE]);
}

static void write_hlt(struct ks_metrics *m, struct ks_labels *l, const struct ks_fleet_sums *s,
		      enum ks_isa isa)
{
	ks_metrics_uint(m, l,
			isa == KS_ISA_SVM ? s->exits[KS_SVM_HLT] + s->exits[KS_SVM_IDLE_HLT] :
					    s->exits[KS_VMX_HLT]);
}

static void write_bursts(struct ks_metrics *m, struct ks_labels *l, const struct ks_fleet_sums *s,
			 enum ks_isa isa)
{
	(void)isa;
	ks_metrics_uint(m, l, s->bursts);
}

static void write_migrations(struct ks_metrics *m, struct ks_labels *l,
			     const struct ks_fleet_sums *s, enum ks_isa isa)
{
	(void)isa;
	ks_metrics_uint(m, l, s->migrations);
}

static void write_node_migrations(struct ks_metrics *m, struct ks_labels *l,
				  const struct ks_fleet_sums *s, enum ks_isa isa)
{
	(void)isa;
	ks_metrics_uint(m, l, s->node_migrations);
}

static void write_states(struct ks_metrics *m, struct ks_labels *l, const struct ks_fleet_sums *s,
			 enum ks_isa isa)
{
	static const enum ks_vstate states[] = { KS_V_RUNNING, KS_V_RUNNABLE, KS_V_HALTED,
						 KS_V_BLOCKED, KS_V_UNKNOWN };
	size_t i, len = l->len;

	(void)isa;
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		ks_labels_add(l, "state", ks_vstate_name(states[i]));
		ks_metrics_ns(m, l, s->state_ns[states[i]]);
		l->len = len;
	}
}

static void write_reasons(struct ks_metrics *m, struct ks_labels *l, const struct ks_fleet_sums *s,
			  enum ks_isa isa)
{
	bool svm = isa == KS_ISA_SVM;
	size_t len = l->len;
	char name[40];
	uint32_t i;

	for (i = 0; i < KS_NREASONS; i++) {
		if (!s->exits[i])
			continue;
		if (i == KS_REASON_OTHER)
			strcpy(name, "other");
		else
			ks_exit_str(isa, ks_reason_of_index(svm, i), name, sizeof(name));
		ks_labels_add(l, "reason", name);
		ks_metrics_uint(m, l, s->exits[i]);
		l->len = len;
	}
}

static void write_exits(struct ks_metrics *m, struct ks_labels *l, const struct ks_fleet_sums *s,
			enum ks_isa isa)
{
	uint64_t all = 0;
	uint32_t i;

	(void)isa;
	for (i = 0; i < KS_NREASONS; i++)
		all += s->exits[i];
	ks_metrics_uint(m, l, all);
}

static void write_histogram(struct ks_metrics *m, struct ks_labels *l,
			    const struct ks_fleet_sums *s, enum ks_isa isa)
{
	uint64_t bounds[KS_LIVE_BUCKETS - 1];
	unsigned int i;

	(void)isa;
	for (i = 0; i < KS_LIVE_BUCKETS - 1; i++)
		bounds[i] = 1ull << i;
	ks_metrics_histogram(m, l, bounds, s->ended, KS_LIVE_BUCKETS, s->ended_exits);
}

#define MEASURE(suffix, type, unit, help, fn, from)                                                \
	{ { "kvmsched_vm_" suffix, type, unit, "VM: " help },                                      \
	  { "kvmsched_vcpu_" suffix, type, unit, "vCPU: " help },                                  \
	  fn,                                                                                      \
	  from }

static const struct measure measures[] = {
	MEASURE("ple_exits", KS_METRIC_COUNTER, NULL,
		"exits on PAUSE (pause-loop exiting, pause filter).", write_ple, KS_DETAIL_VCPU),
	MEASURE("hlt_exits", KS_METRIC_COUNTER, NULL, "exits on HLT.", write_hlt, KS_DETAIL_VCPU),
	MEASURE("ple_bursts", KS_METRIC_COUNTER, NULL, "bursts of PLE exits that have begun.",
		write_bursts, KS_DETAIL_VCPU),
	MEASURE("ple_burst_exits", KS_METRIC_HISTOGRAM, NULL,
		"PLE exits per burst, of the bursts that are over.", write_histogram,
		KS_DETAIL_FULL),
	MEASURE("state_seconds", KS_METRIC_COUNTER, "seconds",
		"time by state of the vCPU: running on a pCPU; runnable, without one (steal); "
		"halted; blocked otherwise; unknown, as records were lost.",
		write_states, KS_DETAIL_VCPU),
	MEASURE("migrations", KS_METRIC_COUNTER, NULL,
		"moves of a vCPU to another pCPU by the host's scheduler.", write_migrations,
		KS_DETAIL_VCPU),
	MEASURE("node_migrations", KS_METRIC_COUNTER, NULL, "such moves to another NUMA node.",
		write_node_migrations, KS_DETAIL_VCPU),
	MEASURE("exits", KS_METRIC_COUNTER, NULL, "exits by reason, as the processor names it.",
		write_reasons, KS_DETAIL_FULL),
};

static const struct ks_metric_family vcpu_exits = { "kvmsched_vcpu_exits", KS_METRIC_COUNTER, NULL,
						    "vCPU: exits for all reasons." };

/* Two VMs may have one name: the process number tells them apart. */
static struct ks_labels vm_labels(const struct ks_fleet_vm *vm)
{
	struct ks_labels l;

	l.len = 0;
	ks_labels_add(&l, "vm", vm->name);
	ks_labels_add_uint(&l, "pid", vm->tgid);
	return l;
}

static void vms_family(struct ks_metrics *m, const struct ks_fleet *f, const struct measure *x,
		       enum ks_isa isa)
{
	uint32_t i;

	ks_metrics_family(m, &x->vm);
	for (i = 0; i < f->nvms; i++) {
		struct ks_labels l = vm_labels(f->vm[i]);

		x->write(m, &l, &f->vm[i]->sums, isa);
	}
}

static void vcpus_family(struct ks_metrics *m, const struct ks_fleet *f,
			 const struct ks_metric_family *family, const struct measure *x,
			 enum ks_isa isa)
{
	uint32_t i, k;

	ks_metrics_family(m, family);
	for (i = 0; i < f->nvms; i++) {
		struct ks_labels l = vm_labels(f->vm[i]);
		size_t len = l.len;

		for (k = 0; k < f->vm[i]->nvcpus; k++) {
			const struct ks_fleet_vcpu *v = f->vm[i]->vcpu[k];

			ks_labels_add_uint(&l, "vcpu", v->id);
			x->write(m, &l, &v->sums, isa);
			l.len = len;
		}
	}
}

/* Gauges of a VM. */
enum vm_gauge { VM_RUNNING, VM_VCPUS, VM_UNSEEN, VM_GAUGES };

static const struct ks_metric_family vm_gauges[VM_GAUGES] = {
	[VM_RUNNING] = { "kvmsched_vm_running", KS_METRIC_GAUGE, NULL,
			 "VM: 1 while it lives, 0 when it has ended and is still shown." },
	[VM_VCPUS] = { "kvmsched_vm_vcpus", KS_METRIC_GAUGE, NULL,
		       "VM: vCPUs that live and have been seen." },
	[VM_UNSEEN] = { "kvmsched_vm_vcpus_unseen", KS_METRIC_GAUGE, NULL,
			"VM: vCPUs that have not exited since they are watched." },
};

static uint64_t vm_gauge(const struct ks_fleet_vm *vm, enum vm_gauge g)
{
	switch (g) {
	case VM_RUNNING:
		return !vm->ended;
	case VM_VCPUS:
		return vm->threads;
	default:
		return vm->unseen;
	}
}

static void gauges(struct ks_metrics *m, const struct ks_fleet *f)
{
	uint32_t i;
	int g;

	for (g = 0; g < VM_GAUGES; g++) {
		ks_metrics_family(m, &vm_gauges[g]);
		for (i = 0; i < f->nvms; i++) {
			struct ks_labels l = vm_labels(f->vm[i]);

			ks_metrics_uint(m, &l, vm_gauge(f->vm[i], g));
		}
	}
}

static const struct ks_metric_family vm_info = { "kvmsched_vm", KS_METRIC_INFO, NULL,
						 "VM: what is known of it." };

static void infos(struct ks_metrics *m, const struct ks_fleet *f)
{
	uint32_t i;

	ks_metrics_family(m, &vm_info);
	for (i = 0; i < f->nvms; i++) {
		struct ks_labels l = vm_labels(f->vm[i]);

		ks_labels_add(&l, "uuid", f->vm[i]->uuid);
		ks_labels_add(&l, "vmm", f->vm[i]->vmm);
		ks_metrics_uint(m, &l, 1);
	}
}

void ks_fleet_metrics(struct ks_metrics *m, const struct ks_fleet *f, enum ks_isa isa,
		      enum ks_metrics_detail detail)
{
	const struct measure total = { .write = write_exits };
	size_t i;

	infos(m, f);
	gauges(m, f);
	for (i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
		vms_family(m, f, &measures[i], isa);
		if (detail >= measures[i].vcpu_from)
			vcpus_family(m, f, &measures[i].vcpu, &measures[i], isa);
	}
	if (detail == KS_DETAIL_VCPU)
		vcpus_family(m, f, &vcpu_exits, &total, isa);
}

/* ---- the exporter itself ---- */

static void number(struct ks_metrics *m, const struct ks_metric_family *f, uint64_t value)
{
	ks_metrics_family(m, f);
	ks_metrics_uint(m, NULL, value);
}

static void totals(struct ks_metrics *m, const struct ks_fleet *f,
		   const struct ks_self_metrics *self)
{
	static const struct ks_metric_family families[] = {
		{ "kvmsched_vms", KS_METRIC_GAUGE, NULL,
		  "VMs shown, those that have ended included." },
		{ "kvmsched_vms_limit", KS_METRIC_GAUGE, NULL, "VMs shown at most." },
		{ "kvmsched_vcpus", KS_METRIC_GAUGE, NULL,
		  "vCPUs shown, those that have ended included." },
		{ "kvmsched_vcpus_limit", KS_METRIC_GAUGE, NULL, "vCPUs shown at most." },
		{ "kvmsched_vcpus_unseen", KS_METRIC_GAUGE, NULL,
		  "vCPUs that have not exited since they are watched." },
		{ "kvmsched_vcpus_refused", KS_METRIC_COUNTER, NULL,
		  "vCPUs neither counted nor shown, as there were too many." },
	};
	uint64_t unseen = 0;
	uint32_t i;

	for (i = 0; i < f->nvms; i++)
		unseen += f->vm[i]->unseen;
	number(m, &families[0], f->nvms);
	number(m, &families[1], f->opts.max_vms);
	number(m, &families[2], f->nvcpus);
	number(m, &families[3], f->opts.max_vcpus);
	number(m, &families[4], unseen);
	number(m, &families[5], f->refused + self->unseen_vcpus);
}

static void records(struct ks_metrics *m, const struct ks_self_metrics *self)
{
	static const struct ks_metric_family families[] = {
		{ "kvmsched_records", KS_METRIC_COUNTER, NULL,
		  "Records that the kernel's part has handed over." },
		{ "kvmsched_records_lost", KS_METRIC_COUNTER, NULL,
		  "Records lost, as a ring was full; of bursts, the PLE exits in them. Exits are "
		  "counted all the same." },
		{ "kvmsched_unseen_exits", KS_METRIC_COUNTER, NULL,
		  "Exits of new vCPUs for which the kernel had no memory." },
	};

	number(m, &families[0], self->records);
	number(m, &families[1], self->lost);
	number(m, &families[2], self->unseen_exits);
}

static void process(struct ks_metrics *m, const struct ks_self_metrics *self)
{
	static const struct ks_metric_family
		scrape = { "kvmsched_scrape_duration_seconds", KS_METRIC_SUMMARY, "seconds",
			   "Time it took to make a page of metrics." },
		cpu = { "process_cpu_seconds", KS_METRIC_COUNTER, "seconds",
			"CPU time of the exporter." },
		rss = { "process_resident_memory_bytes", KS_METRIC_GAUGE, "bytes",
			"Memory of the exporter that is in use." },
		start = { "process_start_time_seconds", KS_METRIC_GAUGE, "seconds",
			  "When the exporter was started, since 1970." };

	ks_metrics_family(m, &scrape);
	ks_metrics_summary_ns(m, NULL, self->scrapes, self->scrape_ns);
	ks_metrics_family(m, &cpu);
	ks_metrics_ns(m, NULL, self->cpu_ns);
	number(m, &rss, self->resident_bytes);
	ks_metrics_family(m, &start);
	ks_metrics_ns(m, NULL, self->start_ns);
}

void ks_self_metrics(struct ks_metrics *m, const struct ks_fleet *f, enum ks_isa isa,
		     const struct ks_self_metrics *self)
{
	static const struct ks_metric_family build = { "kvmsched_build", KS_METRIC_INFO, NULL,
						       "This exporter." };
	struct ks_labels l = { .len = 0 };

	ks_labels_add(&l, "version", self->version);
	ks_labels_add(&l, "isa", isa == KS_ISA_SVM ? "svm" : "vmx");
	ks_metrics_family(m, &build);
	ks_metrics_uint(m, &l, 1);
	totals(m, f, self);
	records(m, self);
	process(m, self);
}
