// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "text.h"
#include "thread.h"
#include "vm.h"
#include "vmset.h"

static bool is_chosen(const struct ks_vmset *s, const struct ks_vminfo *vm)
{
	char pid[16];
	unsigned int i;

	snprintf(pid, sizeof(pid), "%u", vm->tgid);
	for (i = 0; i < s->nchosen; i++)
		if (!strcmp(s->chosen[i], vm->name) || !strcmp(s->chosen[i], pid) ||
		    (vm->uuid[0] && !strcasecmp(s->chosen[i], vm->uuid)))
			return true;
	return !s->nchosen;
}

static uint32_t find(const struct ks_vmset *s, uint32_t tgid)
{
	uint32_t i;

	for (i = 1; i < KS_VMSET_MAX; i++)
		if (s->vm[i].tgid == tgid)
			return i;
	return 0;
}

static bool is_same(const struct ks_vmset *s, const struct ks_vmset_entry *vm)
{
	return !ks_thread_has_ended(s->root, vm->tgid, vm->start);
}

bool ks_vmset_is_stale(const struct ks_vmset *s, uint32_t tgid)
{
	uint32_t number = find(s, tgid);

	return number && !is_same(s, &s->vm[number]);
}

/* FNV-1a. */
static uint64_t hash_of(const char *text)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3ull;
	return h ?: 1;
}

static uint64_t cgroup_of(const struct ks_vmset *s, uint32_t tgid)
{
	uint64_t hash;
	char *text;

	if (ks_read_at(s->root, 4096, &text, NULL, "/proc/%u/cgroup", tgid))
		return 0;
	hash = hash_of(text);
	free(text);
	return hash;
}

/* A cgroup that two VMs share is no VM's own: its weight is for both together. */
static uint32_t own_weight(const struct ks_vmset *s, const struct ks_vmset_entry *vm,
			   uint32_t weight)
{
	uint32_t i;

	if (!vm->cgroup)
		return 0;
	for (i = 1; i < KS_VMSET_MAX; i++)
		if (s->vm[i].tgid && &s->vm[i] != vm && s->vm[i].cgroup == vm->cgroup)
			return 0;
	return weight;
}

/* One with a quota has a number, too, so that it is known, and counted once. */
static uint32_t take_new(struct ks_vmset *s, const struct ks_vminfo *vm, enum ks_vmset_why *why)
{
	uint32_t number = find(s, 0), weight = 0;
	struct ks_vmset_entry *e = &s->vm[number];
	bool quota = false;
	uint64_t start;

	if (ks_thread_start(s->root, vm->tgid, &start) || !is_chosen(s, vm))
		*why = KS_VM_NOT_CHOSEN;
	else if (!number)
		*why = KS_VM_FULL;
	if (*why != KS_VM_TAKEN)
		return 0;
	*e = (struct ks_vmset_entry){
		.tgid = vm->tgid,
		.start = start,
		.cgroup = cgroup_of(s, vm->tgid),
	};
	snprintf(e->name, sizeof(e->name), "%s", vm->name);
	if (!ks_cgroup_share(s->root, vm->tgid, &weight, &quota))
		e->quota = quota && !s->ignore_quota;
	e->weight = own_weight(s, e, weight);
	if (e->quota)
		*why = KS_VM_QUOTA;
	return e->quota ? 0 : number;
}

unsigned int ks_vmset_with_quota(const struct ks_vmset *s)
{
	unsigned int i, n = 0;

	for (i = 1; i < KS_VMSET_MAX; i++)
		n += s->vm[i].tgid && s->vm[i].quota;
	return n;
}

uint32_t ks_vmset_take(struct ks_vmset *s, uint32_t tgid, enum ks_vmset_why *why)
{
	uint32_t number = find(s, tgid);
	struct ks_vminfo vm;

	*why = number && s->vm[number].quota ? KS_VM_QUOTA : KS_VM_TAKEN;
	if (number)
		return *why == KS_VM_TAKEN ? number : 0;
	if (ks_vm_read(s->root, tgid, &vm)) {
		*why = KS_VM_NOT_CHOSEN;
		return 0;
	}
	number = take_new(s, &vm, why);
	ks_vm_release(&vm);
	return number;
}

static void look_at_vms(struct ks_vmset *s, void (*gone)(void *ctx, uint32_t number), void *ctx)
{
	struct ks_vmset_entry *vm;
	uint32_t i;

	for (i = 1; i < KS_VMSET_MAX; i++) {
		vm = &s->vm[i];
		if (vm->tgid && is_same(s, vm)) {
			vm->cgroup = cgroup_of(s, vm->tgid);
		} else if (vm->tgid) {
			if (gone)
				gone(ctx, i);
			memset(vm, 0, sizeof(*vm));
		}
	}
}

void ks_vmset_refresh(struct ks_vmset *s, void (*gone)(void *ctx, uint32_t number), void *ctx)
{
	struct ks_vmset_entry *vm;
	uint32_t i, weight;
	bool quota;

	look_at_vms(s, gone, ctx);
	for (i = 1; i < KS_VMSET_MAX; i++) {
		vm = &s->vm[i];
		if (!vm->tgid || ks_cgroup_share(s->root, vm->tgid, &weight, &quota))
			continue;
		vm->weight = own_weight(s, vm, weight);
		vm->quota |= quota && !s->ignore_quota;
	}
}
