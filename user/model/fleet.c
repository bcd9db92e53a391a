// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet.h"
#include "vm.h"

struct ks_fleet_slot {
	struct ks_fleet_vm *vm; /* NULL = the slot is not in use */
	struct ks_fleet_vcpu *vcpu;
	uint64_t *last; /* exits added up so far, by reason; made when it is first needed */
};

int ks_fleet_init(struct ks_fleet *f, const struct ks_fleet_opts *o,
		  const struct ks_fleet_source *source)
{
	memset(f, 0, sizeof(*f));
	f->opts = *o;
	f->source = *source;
	f->slot = calloc(o->slots, sizeof(*f->slot));
	f->vm = calloc(o->max_vms, sizeof(struct ks_fleet_vm *));
	if (!f->slot || !f->vm || ks_live_init(&f->live, o->slots, o->burst_gap_ns))
		return -ENOMEM;
	if (o->cpu_node) {
		f->live.cpu_node = o->cpu_node;
		f->live.ncpus = o->ncpus;
	}
	return 0;
}

static void free_vm(struct ks_fleet_vm *vm)
{
	uint32_t i;

	for (i = 0; i < vm->nvcpus; i++)
		free(vm->vcpu[i]);
	free(vm->vcpu);
	free(vm);
}

void ks_fleet_free(struct ks_fleet *f)
{
	uint32_t i;

	for (i = 0; i < f->nvms; i++)
		free_vm(f->vm[i]);
	for (i = 0; f->slot && i < f->opts.slots; i++)
		free(f->slot[i].last);
	free(f->slot);
	free(f->vm);
	ks_live_free(&f->live);
	memset(f, 0, sizeof(*f));
}

/* ---- adding up ---- */

static void add_exits(struct ks_fleet *f, uint32_t slot)
{
	struct ks_fleet_slot *s = &f->slot[slot];
	uint64_t now[KS_NREASONS];
	unsigned int i;

	f->source.counts(f->source.ctx, slot, now);
	for (i = 0; i < KS_NREASONS; i++) {
		/* What is read while it changes may fall behind what was read before. */
		if (now[i] <= s->last[i])
			continue;
		s->vcpu->sums.exits[i] += now[i] - s->last[i];
		s->vm->sums.exits[i] += now[i] - s->last[i];
		s->last[i] = now[i];
	}
}

static void add_live(struct ks_fleet_sums *t, const struct ks_live_vcpu *v)
{
	unsigned int i;

	for (i = 0; i < KS_V_MAX; i++)
		t->state_ns[i] += v->state_ns[i];
	for (i = 0; i < KS_LIVE_BUCKETS; i++)
		t->ended[i] += v->ended[i];
	t->ended_exits += v->ended_exits;
	t->bursts += v->bursts;
	t->migrations += v->migrations;
	t->node_migrations += v->node_migrations;
}

/* What a slot has gathered since the last time goes to its vCPU and VM. */
static void harvest_live(struct ks_fleet *f, uint32_t slot)
{
	struct ks_fleet_slot *s = &f->slot[slot];

	add_live(&s->vcpu->sums, &f->live.vcpu[slot]);
	add_live(&s->vm->sums, &f->live.vcpu[slot]);
	ks_live_next_slot(&f->live, slot);
}

static void harvest(struct ks_fleet *f, uint32_t slot)
{
	add_exits(f, slot);
	harvest_live(f, slot);
}

/* ---- VMs ---- */

static void end_vm(struct ks_fleet_vm *vm, uint64_t now)
{
	vm->ended = true;
	vm->ended_ns = now;
	vm->unseen = 0;
}

static void forget(struct ks_fleet *f, uint32_t i)
{
	f->nvcpus -= f->vm[i]->nvcpus;
	free_vm(f->vm[i]);
	f->nvms--;
	memmove(&f->vm[i], &f->vm[i + 1], (f->nvms - i) * sizeof(struct ks_fleet_vm *));
}

/* Room for somebody new: what ended first goes first. */
static bool forget_oldest(struct ks_fleet *f)
{
	uint32_t i, oldest = f->nvms;

	for (i = 0; i < f->nvms; i++)
		if (f->vm[i]->ended &&
		    (oldest == f->nvms || f->vm[i]->ended_ns < f->vm[oldest]->ended_ns))
			oldest = i;
	if (oldest == f->nvms)
		return false;
	forget(f, oldest);
	return true;
}

static struct ks_fleet_vm *find_vm(const struct ks_fleet *f, uint32_t tgid, uint32_t *index)
{
	for (*index = 0; *index < f->nvms; ++*index)
		if (f->vm[*index]->tgid == tgid)
			return f->vm[*index];
	return NULL;
}

static struct ks_fleet_vm *add_vm(struct ks_fleet *f, uint32_t tgid)
{
	struct ks_fleet_vm *vm;

	if (f->nvms == f->opts.max_vms && !forget_oldest(f))
		return NULL;
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return NULL;
	vm->tgid = tgid;
	vm->vmm = "";
	snprintf(vm->name, sizeof(vm->name), "pid-%u", tgid);
	f->vm[f->nvms++] = vm;
	return vm;
}

/* vCPUs that it has, as far as the names of its threads or its descriptors tell; 0 = they do not. */
static uint32_t vcpus_of(const struct ks_vminfo *info)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < info->nthreads; i++)
		n += info->threads[i].vcpu >= 0;
	return n ? n : info->vcpu_fds;
}

static void count_unseen(struct ks_fleet_vm *vm)
{
	vm->unseen = vm->expected > vm->nvcpus ? vm->expected - vm->nvcpus : 0;
}

static void take_description(struct ks_fleet_vm *vm, const struct ks_vminfo *info)
{
	uint32_t n = vcpus_of(info);

	if (n)
		vm->expected = n;
	_Static_assert(sizeof(vm->name) == sizeof(info->name), "a name fits");
	memcpy(vm->name, info->name, sizeof(vm->name));
	memcpy(vm->uuid, info->uuid, sizeof(vm->uuid));
	vm->vmm = ks_vmm_name(info->vmm);
	vm->described = true;
	count_unseen(vm);
}

/*
 * The VM of a process, made if need be. A process number that an ended VM had may come again: if
 * the name is another one, so is the VM. NULL: no room.
 */
static struct ks_fleet_vm *vm_of(struct ks_fleet *f, uint32_t tgid, const struct ks_vminfo *info)
{
	uint32_t i;
	struct ks_fleet_vm *vm = find_vm(f, tgid, &i);

	if (vm && vm->ended && info && strcmp(vm->name, info->name)) {
		forget(f, i);
		vm = NULL;
	}
	if (!vm)
		vm = add_vm(f, tgid);
	if (vm)
		vm->ended = false;
	return vm;
}

void ks_fleet_found(struct ks_fleet *f, const struct ks_vminfo *info)
{
	struct ks_fleet_vm *vm = vm_of(f, info->tgid, info);

	if (vm)
		take_description(vm, info);
}

/* ---- vCPUs ---- */

static uint32_t vcpu_place(const struct ks_fleet_vm *vm, uint32_t id)
{
	uint32_t i = vm->nvcpus;

	while (i && vm->vcpu[i - 1]->id >= id)
		i--;
	return i;
}

static struct ks_fleet_vcpu *add_vcpu(struct ks_fleet *f, struct ks_fleet_vm *vm, uint32_t id,
				      uint32_t at)
{
	struct ks_fleet_vcpu *v, **all;

	while (f->nvcpus >= f->opts.max_vcpus)
		if (!forget_oldest(f))
			return NULL;
	v = calloc(1, sizeof(*v));
	all = realloc(vm->vcpu, (vm->nvcpus + 1) * sizeof(struct ks_fleet_vcpu *));
	if (all)
		vm->vcpu = all;
	if (!v || !all) {
		free(v);
		return NULL;
	}
	v->id = id;
	memmove(&all[at + 1], &all[at], (vm->nvcpus - at) * sizeof(struct ks_fleet_vcpu *));
	all[at] = v;
	vm->nvcpus++;
	f->nvcpus++;
	return v;
}

static struct ks_fleet_vcpu *vcpu_of(struct ks_fleet *f, struct ks_fleet_vm *vm, uint32_t id)
{
	uint32_t at = vcpu_place(vm, id);

	if (at < vm->nvcpus && vm->vcpu[at]->id == id)
		return vm->vcpu[at];
	return add_vcpu(f, vm, id, at);
}

/* The thread in a slot is no more. */
static void part(struct ks_fleet_slot *s, uint64_t now)
{
	s->vcpu->threads--;
	if (!--s->vm->threads && !s->vm->unseen)
		end_vm(s->vm, now);
	s->vm = NULL;
	s->vcpu = NULL;
}

static void leave(struct ks_fleet *f, uint32_t slot, uint64_t now)
{
	if (!f->slot[slot].vm)
		return;
	harvest(f, slot);
	part(&f->slot[slot], now);
}

/* Another one has the slot, and the end of the former is not on record: what is counted is not its own. */
static void replace(struct ks_fleet *f, uint32_t slot, uint64_t now)
{
	struct ks_fleet_slot *s = &f->slot[slot];

	if (!s->vm)
		return;
	harvest_live(f, slot);
	part(s, now);
}

/*
 * The VM of a process, by its name if that is not known yet: to ask costs a look at all its threads,
 * which a VM of many vCPUs could make as many times.
 */
static struct ks_fleet_vm *vm_by_name(struct ks_fleet *f, uint32_t tgid)
{
	uint32_t i;
	struct ks_fleet_vm *vm = find_vm(f, tgid, &i);
	struct ks_vminfo info;

	if (vm && !vm->ended && vm->described)
		return vm;
	if (f->source.describe(f->source.ctx, tgid, &info))
		return vm_of(f, tgid, NULL);
	vm = vm_of(f, tgid, &info);
	if (vm)
		take_description(vm, &info);
	ks_vm_release(&info);
	return vm;
}

/* The live model knows the slot's vCPU by now. */
static void enter(struct ks_fleet *f, uint32_t slot)
{
	const struct ks_live_vcpu *v = &f->live.vcpu[slot];
	struct ks_fleet_slot *s = &f->slot[slot];
	struct ks_fleet_vm *vm = vm_by_name(f, v->tgid);
	struct ks_fleet_vcpu *vcpu = vm ? vcpu_of(f, vm, v->vcpu_id) : NULL;

	if (!s->last)
		s->last = malloc(KS_NREASONS * sizeof(*s->last));
	if (!vcpu || !s->last) {
		f->refused++;
		return;
	}
	memset(s->last, 0, KS_NREASONS * sizeof(*s->last));
	s->vm = vm;
	s->vcpu = vcpu;
	vcpu->threads++;
	vm->threads++;
	count_unseen(vm);
}

void ks_fleet_feed(struct ks_fleet *f, const struct ks_rec *rec)
{
	bool vcpu = rec->type >= KS_VCPU_NEW && rec->id < f->opts.slots;

	if (vcpu && rec->type == KS_VCPU_NEW)
		replace(f, rec->id, rec->time);
	ks_live_feed(&f->live, rec);
	if (vcpu && rec->type == KS_VCPU_NEW)
		enter(f, rec->id);
	if (vcpu && rec->type == KS_VCPU_GONE)
		leave(f, rec->id, rec->time);
}

void ks_fleet_gone(struct ks_fleet *f, uint32_t slot, uint64_t now)
{
	if (slot < f->opts.slots)
		leave(f, slot, now);
}

void ks_fleet_update(struct ks_fleet *f, uint64_t now)
{
	uint32_t i;

	ks_live_settle(&f->live, now);
	for (i = 0; i < f->opts.slots; i++)
		if (f->slot[i].vm)
			harvest(f, i);
	for (i = f->nvms; i-- > 0;)
		if (f->vm[i]->ended && now > f->vm[i]->ended_ns &&
		    now - f->vm[i]->ended_ns > f->opts.keep_ns)
			forget(f, i);
}

static void leave_all(struct ks_fleet *f, const struct ks_fleet_vm *vm, uint64_t now)
{
	uint32_t i;

	for (i = 0; i < f->opts.slots; i++)
		if (f->slot[i].vm == vm)
			leave(f, i, now);
}

static void refresh_vm(struct ks_fleet *f, struct ks_fleet_vm *vm, uint64_t now)
{
	struct ks_vminfo info;

	if (!f->source.alive(f->source.ctx, vm->tgid)) {
		vm->unseen = 0;
		leave_all(f, vm, now);
		if (!vm->ended)
			end_vm(vm, now);
	} else if (vm->unseen && !f->source.describe(f->source.ctx, vm->tgid, &info)) {
		take_description(vm, &info);
		ks_vm_release(&info);
	}
}

void ks_fleet_refresh(struct ks_fleet *f, uint64_t now)
{
	uint32_t i;

	for (i = 0; i < f->nvms; i++)
		if (!f->vm[i]->ended)
			refresh_vm(f, f->vm[i], now);
}
