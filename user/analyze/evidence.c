// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "evidence.h"

#define GUEST_CPUS 4096u
#define LOOK_AT 400000u /* events of evidence */
#define SOON 500000u	/* ns from idle entry to the exit on HLT */
#define APART 3700000u	/* ns: an idle entry so long before a halt is not its cause */
#define ENOUGH 64u	/* halts that make evidence */
#define ENTRIES 16u	/* idle entries remembered per vCPU */

struct entries { /* the last idle entries of a vCPU */
	uint64_t time[ENTRIES];
	uint32_t n;
};

struct evidence {
	uint32_t vm;
	struct entries *idle; /* per vCPU of the model */
	uint64_t error;
	uint64_t halts, explained, chance, idles;
};

/* Was there an idle entry up to SOON before t? */
static bool entered(const struct entries *x, uint64_t t, uint64_t error)
{
	uint32_t i, n = x->n < ENTRIES ? x->n : ENTRIES;

	for (i = 0; i < n; i++)
		if (x->time[i] <= t + error && t <= x->time[i] + SOON + error)
			return true;
	return false;
}

/* A vCPU that comes back in a new slot is the same one inside the guest. */
static uint32_t first_slot_of(const struct ks_model *m, uint32_t v)
{
	const struct ks_vcpu *c = m->vcpus;

	while (v && c[v - 1].vm == c[v].vm && c[v - 1].vcpu_id == c[v].vcpu_id)
		v--;
	return v;
}

/* The vCPU that is CPU `cpu` inside the guest, by its first slot. */
static uint32_t vcpu_of(const struct ks_model *m, uint32_t vm, const int32_t *apic, uint32_t n,
			uint32_t cpu)
{
	uint32_t id = cpu, i;

	if (n) {
		if (cpu >= n || apic[cpu] < 0)
			return KS_NO_VCPU;
		id = apic[cpu];
	}
	for (i = 0; i < m->nvcpus; i++)
		if (m->vcpus[i].vm == vm && m->vcpus[i].vcpu_id == id)
			return i;
	return KS_NO_VCPU;
}

static void look_at(struct evidence *e, const struct ks_model *m, const struct ks_event *ev,
		    const int32_t *apic, uint32_t n)
{
	uint32_t v;

	if (ev->src && ev->rec->type == KS_IDLE_ENTER) {
		v = vcpu_of(m, e->vm, apic, n, ev->rec->cpu);
		if (v == KS_NO_VCPU)
			return;
		e->idle[v].time[e->idle[v].n++ % ENTRIES] = ev->time;
		e->idles++;
	} else if (!ev->src && ev->rec->type == KS_HLT) {
		v = ks_model_slot(m, ev->rec->id);
		if (v == KS_NO_VCPU || m->vcpus[v].vm != e->vm || !e->idles)
			return;
		v = first_slot_of(m, v);
		e->halts++;
		e->explained += entered(&e->idle[v], ev->time, e->error);
		e->chance += ev->time > APART && entered(&e->idle[v], ev->time - APART, e->error);
	}
}

static int gather(struct evidence *e, const struct ks_link *l, const struct ks_model *m,
		  struct ks_reader *host, struct ks_reader *guest, const struct an_span *b,
		  struct ks_err *err)
{
	struct ks_merge *merge;
	struct ks_event ev;
	int32_t *apic;
	uint32_t n, left = LOOK_AT;
	int ret = ks_meta_ints(ks_reader_meta(guest), "apic_ids", GUEST_CPUS, &apic, &n);

	if (ret)
		return ret;
	ret = ks_merge_new(&merge);
	if (ret) {
		free(apic);
		return ret;
	}
	ret = ks_reader_seek(host, b->from, err);
	if (!ret)
		ret = ks_merge_add(merge, host, NULL, NULL);
	if (ret >= 0)
		ret = ks_merge_add(merge, guest, ks_guestclock_map, l->clock);
	while (ret >= 0 && left-- && (ret = ks_merge_next(merge, &ev, err)) > 0) {
		if (ev.time > b->to)
			break;
		if (ev.time >= b->from)
			look_at(e, m, &ev, apic, n);
	}
	ks_merge_free(merge);
	free(apic);
	return ret < 0 ? ret : 0;
}

static int rewind_both(struct ks_reader *host, struct ks_reader *guest, struct ks_err *err)
{
	int ret = ks_reader_seek(host, 0, err);

	return ret ? ret : ks_reader_seek(guest, 0, err);
}

int an_evidence_weigh(struct ks_link *l, const struct ks_model *m, struct ks_reader *host,
		      struct ks_reader *guest, uint32_t vm, const struct an_span *b,
		      struct ks_err *err)
{
	struct evidence e = { .vm = vm, .error = l->error_ns };
	int ret, back;

	e.idle = calloc(m->nvcpus + 1, sizeof(*e.idle));
	if (!e.idle)
		return -ENOMEM;
	ret = gather(&e, l, m, host, guest, b, err);
	back = rewind_both(host, guest, err);
	free(e.idle);
	l->halts = e.halts;
	l->explained = e.explained;
	l->chance = e.chance;
	return ret ? ret : back;
}

uint32_t an_evidence_share(const struct ks_link *l)
{
	return l->halts >= ENOUGH / 4 ? (uint32_t)(l->explained * 100 / l->halts) : 0;
}

/*
 * A guest's idle entries and the halts of another VM have nothing to do with each other: no more
 * halts follow an idle entry than would by chance. What chance does is seen by asking for idle
 * entries at a wrong time.
 */
bool an_evidence_against(const struct ks_link *l)
{
	return l->halts >= ENOUGH && l->explained * 100 < l->halts * AN_EVIDENCE_CONVINCES &&
	       l->explained * 2 <= l->chance * 3 + l->halts / 50;
}
